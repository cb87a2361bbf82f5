"""The page: what stands where, and which control runs what."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr

from demo import api, captions, explain, link, photo_events, photo_view, scene, status, viewer
from demo import session as person
from demo.examples import FOLDER, Example, load_examples
from demo.heat import Heat, HeatChoice, available, heat_of
from demo.lessons import Lessons
from demo.motion_tab import MotionTab
from demo.saving import Saving
from demo.serving.limits import NETWORK
from demo.session import Lab, Models, Session
from demo.uploads import forget, is_waiting, read_once
from hmnet.errors import HMNetError, ImageError
from hmnet.mesh_file import read_mesh
from hmnet.render import renderer_name

SESSION_SECONDS = 3600
NO_PHOTO = "There is no photo yet: upload, paste or take one, or pick an example."
PRIVATE = {"api_visibility": "private"}
QUIET = {"show_progress": "hidden", **PRIVATE}
PAGE_SCRIPT = "\n".join(
    Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("page.js", "explain.js")
)
PREVIEW = (
    "(enabled, operator, iterations, strength) => "
    "{ window.hmnetViewer?.regularise({enabled, operator, iterations, strength}); }"
)
"""Moves the meshes in the browser while the server still works on the numbers."""
UNREAD = "(_, ...others) => [window.hmnetPage.photoPath(), ...others]"
"""A listener's first input is the path of the photo that stands in the input."""

Updates = dict[Any, Any]
"""New values by component; components that are not named stay as they are."""


def build_app(models: Models, examples_folder: Path = FOLDER, at_once: int = 1) -> gr.Blocks:
    """The page around the networks; serve it with `demo.serving.start.launch`.

    at_once: events that run networks at a time.
    """
    return Page(models, load_examples(examples_folder), at_once).blocks


class Page:
    """Lays out the components (`blocks` holds them all) and answers their events.

    Nothing of a visitor is kept here: what is looked at is in `session`, a state of the visitor's own.
    """

    def __init__(self, models: Models, examples: tuple[Example, ...], at_once: int = 1):
        self.models, self.examples = models, examples
        self._openings: dict[int, Updates] = {}
        self._opening_lock = threading.Lock()
        self.network = {"concurrency_id": NETWORK, "concurrency_limit": at_once}
        self.body = models.predictor.body
        renderer_name()  # makes the OpenGL context now, which takes seconds, and not for the first visitor
        with gr.Blocks(title="HumanMeshNet", fill_width=True, analytics_enabled=False) as self.blocks:
            self.session = gr.State(None, time_to_live=SESSION_SECONDS)
            self.uploaded = gr.State(None, time_to_live=SESSION_SECONDS)
            self.opened = gr.Textbox(visible="hidden", elem_id="opened")
            _html(captions.MASTHEAD)
            gr.HTML(js_on_load=PAGE_SCRIPT, apply_default_css=False, tour=explain.TOUR)
            with gr.Tabs(elem_id="pages"):
                with gr.Tab("Demo", id="demo"), gr.Row(elem_id="stage"):
                    with gr.Column(elem_id="controls", scale=1, min_width=300):
                        self._lay_out_controls()
                    with gr.Column(elem_id="results", scale=4, min_width=300):
                        self._lay_out_results()
                with gr.Tab("Video", id="video"):
                    self.motion = MotionTab(models, self.network, _html)
                with gr.Tab("Method", id="method", elem_id="method-tab") as self.method_tab:
                    self.method = _html(explain.method_html(None, self.body), "method")
                with gr.Tab("Results", id="results-tab"):
                    gr.Markdown(explain.results_markdown(), elem_id="results-text")
                with gr.Tab("Model card", id="card"):
                    gr.Markdown(
                        explain.card_markdown(models.predictor.checkpoint.folder), elem_id="card-text"
                    )
            # Before the page's own listeners, some of which would take the names.
            for name, endpoint in api.endpoints(models).items():
                gr.api(endpoint, api_name=name, **self.network)
            self._wire()

    # --- layout ---------------------------------------------------------------------------------------

    def _lay_out_controls(self) -> None:
        self.photo = gr.Image(
            label="Your photo", type="filepath", sources=["upload", "clipboard", "webcam"], height=260,
            elem_id="photo-input", buttons=[], alt_text="The photo you chose",
        )  # fmt: skip
        # Gradio would decode the file itself and fail on a bad one; `read_image` has the sentences.
        self.photo.preprocess = lambda payload: None if payload is None else payload.path
        self.run = gr.Button("Reconstruct", variant="primary", elem_id="run")
        # Not the input itself, which Gradio would look for on the disk though it was read and deleted.
        self.unread = gr.Textbox(visible="hidden")
        # In the other's place while something waits or runs (page.js); read out by the line after it.
        self.cancel = gr.Button("Cancel", elem_id="cancel")
        _html(captions.WAITING, "waiting")
        # Served as they are: Gradio would name copies by their content, and an upload of the same picture,
        # which is deleted once it was read, would be the same file.
        gr.set_static_paths([example.photo for example in self.examples])
        _html(captions.EXAMPLES if self.examples else "")
        self.gallery = gr.Gallery(
            [(str(example.photo), example.title) for example in self.examples], label="Rendered examples",
            show_label=False, columns=4, height="auto", object_fit="cover", allow_preview=False, buttons=[],
            visible=bool(self.examples), interactive=False, container=False, elem_id="examples",
        )  # fmt: skip
        self.saving = Saving(_html)

    def _lay_out_results(self) -> None:
        self.status = _html(status.line(None, self.models.predictor), "status")
        self.people = _html("", "people")
        self.pictures = gr.HTML(
            None, html_template=photo_view.page_markup(), js_on_load=photo_view.SCRIPT, elem_id="pictures",
            apply_default_css=False, settings=photo_view.settings({self.body.name: self.body}),
        )  # fmt: skip
        self.lessons = Lessons(self.body, _html)
        self.view = gr.HTML(
            None, html_template=viewer.page_markup(), js_on_load=viewer.SCRIPT, elem_id="viewer",
            apply_default_css=False, surfaces=viewer.surfaces({self.body.name: self.body}),
        )  # fmt: skip

    # --- wiring ---------------------------------------------------------------------------------------

    def _wire(self) -> None:
        lessons = self.lessons
        numbers = [self.session, self.view, *lessons.numbers]
        everything = [*numbers, *lessons.change, self.photo, self.pictures, self.status, self.people,
                      self.uploaded]  # fmt: skip
        network = {
            **self.network, "show_progress": "minimal", "show_progress_on": [self.status], **PRIVATE,
        }  # fmt: skip
        whole = {"outputs": everything, **network}
        context = [self.session, self.uploaded, *lessons.controls]
        # Not `input`: that also comes when the photo is taken away, with the old photo as its value.
        running = [
            self.photo.upload(self.reconstruct, [self.photo, *context], **whole),
            self.run.click(self.repeat, [self.unread, *context], js=UNREAD, **whole),
            self.gallery.select(self.pick_example, context, **whole),
            self.pictures.choose(self.choose_person, context, **whole),
            self.pictures.box(self.move_box, context, **whole),
        ]
        self.cancel.click(self.forget_photo, self.unread, self.photo, js=UNREAD, cancels=running, **QUIET)
        # Not with the networks, which rarely run for it: a full server still shows its page.
        opening = {**network, "concurrency_id": "opening"}
        self.blocks.load(
            self.open, context, [*everything, *lessons.controls, lessons.bar, self.opened], **opening
        ).then(None, self.opened, js="(state) => window.hmnetPage.open(state)", **PRIVATE)
        self._wire_lessons(context, numbers, network)
        self.saving.wire(self.session, context, self.lessons, self._heat)
        self.method_tab.select(self.show_method, self.session, self.method, **QUIET)

    def _wire_lessons(self, context: list, numbers: list, network: dict) -> None:
        lessons = self.lessons
        moving = {"trigger_mode": "always_last", **QUIET}
        for control in lessons.lab:
            control.input(None, lessons.lab, js=PREVIEW, **PRIVATE)
        meshes = [*numbers, self.pictures]
        gr.on([c.input for c in lessons.lab], self.regularise, context, meshes, **moving)
        gr.on([c.input for c in lessons.heat], self.change_heat, context, numbers, **moving)
        lessons.mesh_file.upload(
            self.compare_mesh, [lessons.mesh_file, *context], [*numbers, self.uploaded], **QUIET
        )
        breaking = [*meshes, self.status]
        gr.on([c.input for c in lessons.change], self.break_parts, context, breaking,
              **{**network, **moving})  # fmt: skip
        lessons.mend.click(self.mend, context, [*breaking, *lessons.change], **network)

    # --- the networks run -----------------------------------------------------------------------------

    def reconstruct(self, photo, session, uploaded, *values):
        """Reconstructs the person in a photo."""

        def work() -> Session:
            if photo is None:
                raise ImageError(NO_PHOTO)
            with read_once(Path(photo), Path(self.photo.GRADIO_CACHE)) as file:
                return person.reconstruct(self.models, file, None, self._lab(values))

        return self._begin(work, values)

    def repeat(self, unread, session, uploaded, *values):
        """Runs the networks once more on the person who is shown, or on a photo that found no place yet."""
        if self._is_upload(unread):
            return self.reconstruct(unread, session, uploaded, *values)

        def work() -> Session:
            # Not from the input: the upload was deleted once it was read, the session keeps the photo.
            if session is None:
                raise ImageError(NO_PHOTO)
            return person.again(self.models, replace(session, lab=self._lab(values)))

        return self._begin(work, values)

    def forget_photo(self, unread):
        """Deletes the photo of whoever cancelled; the input is empty, since the panels show another one."""
        if self._is_upload(unread):
            forget(Path(unread), Path(self.photo.GRADIO_CACHE))

    def choose_person(self, event: gr.EventData, session, uploaded, *values):
        """Reconstructs whoever was clicked in the photo, where several people were found."""
        return self._other_person(
            session,
            values,
            lambda: person.choose(self.models, session, photo_events.chosen_point(event._data)),
        )

    def move_box(self, event: gr.EventData, session, uploaded, *values):
        """Reconstructs whoever is in the box that the visitor drew."""
        return self._other_person(
            session,
            values,
            lambda: person.move_box(self.models, session, photo_events.dragged_box(event._data)),
        )

    def pick_example(self, event: gr.SelectData, session, uploaded, *values):
        """Reconstructs the person in the example that was clicked."""
        return self._show_example(event.index, self._lab(values), values)

    def open(self, request: gr.Request, session, uploaded, *values):
        """Fills the page for a visitor who has not given it a photo yet, as the address asks for it."""
        if not self.examples:
            return {self.session: gr.skip()}
        asked = link.settings_of(request.query_params)
        names = [example.photo.stem for example in self.examples]
        index = names.index(asked.example) if asked.example in names else 0
        values = self.lessons.values_of(asked)
        lab, _, change = self.lessons.settings(values)
        plain = values == self.lessons.values_of(link.Settings())
        updates = self._opening(index) if plain else self._show_example(index, lab, values)
        if self.session in updates and change != person.NO_CHANGE:
            session = person.break_parts(self.models, updates[self.session], change)
            updates |= self._everything(session, None, values)
            updates = {key: value for key, value in updates.items() if key not in self.lessons.change}
        # What the numbers say of a control goes first: they know what this person can be compared with.
        controls = dict(zip(self.lessons.controls, values, strict=True))
        return {**controls, **updates, self.lessons.bar: gr.update(selected=asked.lesson or "regulariser"),
                self.opened: json.dumps({"lesson": asked.lesson, "view": asked.view})}  # fmt: skip

    def _opening(self, index: int) -> Updates:
        """What an example is shown with to all who open the page at it without settings of their own: made
        once, since on a public page this is what is asked for most."""
        with self._opening_lock:
            if index not in self._openings:
                values = self.lessons.values_of(link.Settings())
                updates = self._show_example(index, self._lab(values), values)
                if self.session not in updates:
                    return updates
                self._openings[index] = updates
            return self._openings[index]

    def break_parts(self, session, uploaded, *values):
        """Runs HMNet on the part map as the visitor changed it; the segmenter does not run."""
        if session is None:
            return {self.session: gr.skip()}
        change = self.lessons.settings(values)[2]
        try:
            session = person.break_parts(self.models, session, change)
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            return {self.session: gr.skip()}
        return {**self._numbers(session, uploaded, values), self.pictures: self._drawn(session),
                self.status: status.line(session, self.models.predictor)}  # fmt: skip

    def mend(self, session, uploaded, *values):
        """Takes every change of the part map back."""
        values = self.lessons.without_change(values)
        return {**self.break_parts(session, uploaded, *values), **self._unchanged()}

    def _is_upload(self, path: object) -> bool:
        """Whether that is the path, as the browser names it, of an upload that nobody has read yet."""
        usable = isinstance(path, str) and path and "\0" not in path
        return usable and is_waiting(Path(path), Path(self.photo.GRADIO_CACHE))

    # --- the networks do not run ----------------------------------------------------------------------

    def regularise(self, session, uploaded, *values):
        """Applies the regulariser to the last prediction."""
        if session is None:
            yield {self.session: gr.skip()}
            return
        session = person.regularise(self.models, session, self._lab(values))
        # The numbers first: they follow the slider, while the picture takes the renderer a moment.
        yield self._numbers(session, uploaded, values)
        yield {self.pictures: self._drawn(session)}

    def change_heat(self, session, uploaded, *values):
        """Shows another heatmap."""
        return {self.session: gr.skip()} if session is None else self._numbers(session, uploaded, values)

    def compare_mesh(self, file, session, uploaded, *values):
        """Shows the distance to a mesh that the visitor uploaded."""
        if session is None or file is None:
            return {self.session: gr.skip()}
        counts = (len(session.body.vertices), session.body.upsampling.shape[0])
        try:
            with read_once(Path(file), Path(self.lessons.mesh_file.GRADIO_CACHE)) as upload:
                mesh = read_mesh(upload, counts)
            updates = self._numbers(session, mesh, self.lessons.with_against(values, "upload"))
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            return {self.session: gr.skip()}
        return {**updates, self.uploaded: mesh}

    def show_method(self, session):
        """Draws the pipeline from the photo that is shown."""
        features = None if session is None else self.models.predictor.features(session.prediction)
        return explain.method_html(session, self.body if session is None else session.body, features)

    # --- what the components are told -----------------------------------------------------------------

    def _lab(self, values: tuple) -> Lab:
        return self.lessons.settings(values)[0]

    def _other_person(self, session: Session | None, values: tuple, find: Callable) -> Updates:
        """Another person of the same photo; where there is none, or not to be had, everything stays."""
        nothing = {self.session: gr.skip()}
        try:
            found = None if session is None else find()
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            # Drawn anew, so that the box stands where it belongs to what is shown.
            return {**nothing, self.pictures: self._drawn(session)}
        return nothing if found is None else {**self._everything(found, None, values), **self._unchanged()}

    def _show_example(self, index: int, lab: Lab, values: tuple) -> Updates:
        example = self.examples[index]
        updates = self._begin(lambda: person.reconstruct(self.models, example.photo, example, lab), values)
        return {**updates, self.photo: str(example.photo)} if self.session in updates else updates

    def _begin(self, work: Callable[[], Session], values: tuple) -> Updates:
        """The updates for a new session; for a user's mistake a notice with its one sentence.

        A photo that gave no result leaves the input, so that what stands there is what the panels show.
        """
        try:
            session = work()
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            return {self.photo: None}
        return {**self._everything(session, None, values), **self._unchanged()}

    def _everything(self, session: Session, uploaded, values: tuple) -> Updates:
        return {
            **self._numbers(session, uploaded, values),
            self.uploaded: uploaded,
            self.pictures: self._drawn(session),
            self.status: status.line(session, self.models.predictor),
            self.people: status.people_line(session),
        }

    def _unchanged(self) -> Updates:
        """The controls of the part map as they stand for no change."""
        return dict(zip(self.lessons.change, (False, [], False, 0), strict=True))

    def _numbers(self, session: Session, uploaded, values: tuple) -> Updates:
        choice = self._choice(session, uploaded, values)
        heat = heat_of(session, choice, session.body, uploaded)
        panes, layouts = scene.panes(session, heat)
        return {
            self.session: session,
            self.view: viewer.drawing(
                session.token, panes, layouts, asdict(session.lab), session.body_name
            ),
            **self.lessons.updates(session, heat, choice.against, uploaded),
        }

    def _choice(self, session: Session, uploaded, values: tuple) -> HeatChoice:
        """The heatmap that is asked for, or, where this person has none such, the automatic one."""
        choice = self.lessons.settings(values)[1]
        there = {value for _, value in available(session, uploaded)}
        return choice if choice.against in there else replace(choice, against="auto")

    def _heat(self, session: Session, uploaded, values: tuple) -> Heat:
        return heat_of(session, self._choice(session, uploaded, values), session.body, uploaded)

    def _drawn(self, session: Session) -> dict:
        return photo_view.drawing(scene.photo_scene(session))


def _html(content: str, elem_id: str | None = None) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False, elem_id=elem_id)
