"""The page: what stands where, and which control runs what."""

import json
from dataclasses import replace
from pathlib import Path

import gradio as gr

from demo import api, captions, explain, link, photo_events, photo_view, status, viewer
from demo import session as person
from demo.examples import FOLDER, Example, load_examples
from demo.gallery import Gallery
from demo.hand_switch import HandSwitch
from demo.hands import BODY, HAND, Hands, Networks, mode_of
from demo.lessons import Lessons
from demo.motion_tab import MotionTab
from demo.panels import Panels, warn
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


def build_app(
    models: Models, examples_folder: Path = FOLDER, at_once: int = 1, hands: Hands | None = None
) -> gr.Blocks:
    """The page around the networks; serve it with `demo.serving.start.launch`.

    at_once: events that run networks at a time. hands: the networks of hands; without them, or without their
    weights, the page is of people alone.
    """
    return Page(models, load_examples(examples_folder), at_once, hands or Hands(None)).blocks


class Page:
    """Lays out the components (`blocks` holds them all) and answers their events.

    Nothing of a visitor is kept here: what is looked at is in `session`, a state of the visitor's own.
    """

    def __init__(self, models: Models, examples: tuple[Example, ...], at_once: int, hands: Hands):
        self.networks = Networks(models, hands)
        self.switch = HandSwitch(examples, hands)
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
                        self.panels = self._lay_out_results()
                        self.gallery = Gallery(self.panels, self.switch)
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
            for name, endpoint in api.endpoints(self.networks).items():
                gr.api(endpoint, api_name=name, **self.network)
            self._wire()

    # --- layout ---------------------------------------------------------------------------------------

    def _lay_out_controls(self) -> None:
        self.photo = gr.Image(
            label="Your photo", type="filepath", sources=["upload", "clipboard", "webcam"], height=260,
            elem_id="photo-input", buttons=[], alt_text="The photo you chose",
            # A mirror image would make a right hand a left one; what is seen before is mirrored (style.css).
            webcam_options=gr.WebcamOptions(mirror=False),
        )  # fmt: skip
        # Gradio would decode the file itself and fail on a bad one; `read_image` has the sentences.
        self.photo.preprocess = lambda payload: None if payload is None else payload.path
        self.switch.lay_out()
        self.run = gr.Button("Reconstruct", variant="primary", elem_id="run")
        # Not the input itself, which Gradio would look for on the disk though it was read and deleted.
        self.unread = gr.Textbox(visible="hidden")
        # In the other's place while something waits or runs (page.js); read out by the line after it.
        self.cancel = gr.Button("Cancel", elem_id="cancel")
        _html(captions.WAITING, "waiting")
        # Served as they are: Gradio would name copies by their content, and an upload of the same picture,
        # which is deleted once it was read, would be the same file.
        examples = self.switch.examples(BODY)
        gr.set_static_paths([example.photo for example in (*examples, *self.switch.examples(HAND))])
        _html(captions.EXAMPLES if examples else "")
        self.switch.lay_out_gallery()
        self.saving = Saving(_html)

    def _lay_out_results(self) -> Panels:
        status_line = _html(status.line(None, self.networks.people.predictor), "status")
        people = _html("", "people")
        pictures = gr.HTML(
            None, html_template=photo_view.page_markup(), js_on_load=photo_view.SCRIPT, elem_id="pictures",
            apply_default_css=False, settings=photo_view.settings(self.networks.bodies),
        )  # fmt: skip
        lessons = Lessons(self.body, _html)
        view = gr.HTML(
            None, html_template=viewer.page_markup(), js_on_load=viewer.SCRIPT, elem_id="viewer",
            apply_default_css=False, surfaces=viewer.surfaces(self.networks.bodies),
        )  # fmt: skip
        return Panels(
            self.session, self.uploaded, self.photo, status_line, people, pictures, view, lessons,
            self.networks,
        )  # fmt: skip

    # --- wiring ---------------------------------------------------------------------------------------

    def _wire(self) -> None:
        panels, lessons, switch = self.panels, self.lessons, self.switch
        everything = [*panels.all_shown, *switch.outputs]
        network = {
            **self.network, "show_progress": "minimal", "show_progress_on": [panels.status], **PRIVATE,
        }  # fmt: skip
        whole = {"outputs": everything, **network}
        context = [self.session, self.uploaded, *lessons.controls]
        asking = [*switch.asking, *context]
        # Not `input`: that also comes when the photo is taken away, with the old photo as its value.
        running = [
            self.photo.upload(self.reconstruct, [self.photo, *asking], **whole),
            self.run.click(self.repeat, [self.unread, *asking], js=UNREAD, **whole),
            switch.gallery.select(self.pick_example, asking, **whole),
            panels.pictures.choose(self.choose_person, asking, **whole),
            panels.pictures.box(self.move_box, asking, **whole),
        ]
        if switch.there:
            running += [
                switch.mode.input(self.change_mode, [self.unread, *asking], js=UNREAD, **whole),
                switch.side.input(self.change_side, [self.unread, *asking], js=UNREAD, **whole),
            ]
        self.cancel.click(self.forget_photo, self.unread, self.photo, js=UNREAD, cancels=running, **QUIET)
        # Not with the networks, which rarely run for it: a full server still shows its page.
        opening = {**network, "concurrency_id": "opening"}
        self.blocks.load(
            self.open, context, [*everything, *lessons.controls, lessons.bar, self.opened], **opening
        ).then(None, self.opened, js="(state) => window.hmnetPage.open(state)", **PRIVATE)
        self._wire_lessons(context, network)
        self.saving.wire(self.session, context, self.lessons, self.panels.heat)
        self.method_tab.select(self.show_method, self.session, self.method, **QUIET)

    def _wire_lessons(self, context: list, network: dict) -> None:
        lessons, numbers = self.lessons, self.panels.numbers_shown
        moving = {"trigger_mode": "always_last", **QUIET}
        for control in lessons.lab:
            control.input(None, lessons.lab, js=PREVIEW, **PRIVATE)
        meshes = [*numbers, self.panels.pictures]
        gr.on([c.input for c in lessons.lab], self.regularise, context, meshes, **moving)
        gr.on([c.input for c in lessons.heat], self.change_heat, context, numbers, **moving)
        lessons.mesh_file.upload(
            self.compare_mesh, [lessons.mesh_file, *context], [*numbers, self.uploaded], **QUIET
        )
        breaking = [*meshes, self.panels.status]
        gr.on([c.input for c in lessons.change], self.break_parts, context, breaking,
              **{**network, **moving})  # fmt: skip
        lessons.mend.click(self.mend, context, [*breaking, *lessons.change], **network)

    # --- the networks run -----------------------------------------------------------------------------

    def reconstruct(self, photo, mode, side, session, uploaded, *values):
        """Reconstructs the person, or the hand, in a photo."""

        def work() -> Session:
            if photo is None:
                raise ImageError(NO_PHOTO)
            with read_once(Path(photo), Path(self.photo.GRADIO_CACHE)) as file:
                lab, asked = self._lab(values), self.switch.side_of(mode, side)
                return person.reconstruct(self.networks.of(mode), file, None, lab, side=asked)

        return self.panels.begin(work, values)

    def repeat(self, unread, mode, side, session, uploaded, *values):
        """Runs the networks once more on whoever is shown, or on a photo that found no place yet."""
        if self._is_upload(unread):
            return self.reconstruct(unread, mode, side, session, uploaded, *values)
        return self.panels.begin(lambda: self._again(mode, side, session, values), values)

    def _again(self, mode: str, side: str, session: Session | None, values: tuple) -> Session:
        """The networks of that mode on the photo that is shown."""
        # Not from the input: the upload was deleted once it was read, the session keeps the photo.
        if session is None:
            raise ImageError(NO_PHOTO)
        session, side = replace(session, lab=self._lab(values)), self.switch.side_of(mode, side)
        run = person.again if mode_of(session) == mode else person.switch
        return run(self.networks.of(mode), session, side)

    def change_mode(self, unread, mode, side, session, uploaded, *values):
        """Another gallery, and the photo that is shown with the other networks, or an example of theirs.

        What is shown stays where those have no answer.
        """
        switched = self.switch.updates(mode)
        if self._is_upload(unread):
            return {**self.reconstruct(unread, mode, side, session, uploaded, *values), **switched}
        if session is None or mode_of(session) == mode:
            return switched
        if session.example is not None:
            if not self.switch.examples(mode):
                return switched
            updates = self.gallery.show(mode, 0, self._lab(values), values)
        else:
            updates = self.panels.kept(lambda: self._again(mode, "found", session, values), values)
        if self.session not in updates:
            return switched if self._can_answer(mode) else self.switch.updates(mode_of(session))
        return {**switched, **updates}

    def change_side(self, unread, mode, side, session, uploaded, *values):
        """The hand that is shown once more, taken for that side."""
        if self._is_upload(unread):
            return self.reconstruct(unread, mode, side, session, uploaded, *values)
        if session is None or mode_of(session) != HAND:
            return {self.session: gr.skip()}
        return self.panels.kept(lambda: self._again(mode, side, session, values), values)

    def forget_photo(self, unread):
        """Deletes the photo of whoever cancelled; the input is empty, since the panels show another one."""
        if self._is_upload(unread):
            forget(Path(unread), Path(self.photo.GRADIO_CACHE))

    def choose_person(self, event: gr.EventData, mode, side, session, uploaded, *values):
        """Reconstructs whoever was clicked in the photo, where several people were found."""

        def find() -> Session | None:
            models, point = self.networks.of(mode_of(session)), photo_events.chosen_point(event._data)
            return person.choose(models, session, point)

        updates = self.panels.another(session, find, values)
        # What was said of one hand does not hold of another.
        return {**updates, **self.switch.found()} if self.panels.view in updates else updates

    def move_box(self, event: gr.EventData, mode, side, session, uploaded, *values):
        """Reconstructs whoever is in the box that the visitor drew."""

        def find() -> Session:
            shown, box = mode_of(session), photo_events.dragged_box(event._data)
            return person.move_box(self.networks.of(shown), session, box, self.switch.side_of(shown, side))

        return self.panels.another(session, find, values)

    def pick_example(self, event: gr.SelectData, mode, side, session, uploaded, *values):
        """Reconstructs the person, or the hand, in the example that was clicked."""
        updates = self.gallery.show(mode, event.index, self._lab(values), values)
        return {**updates, **self.switch.found()} if self.session in updates else updates

    def open(self, request: gr.Request, session, uploaded, *values):
        """Fills the page for a visitor who has not given it a photo yet, as the address asks for it."""
        asked = link.settings_of(request.query_params)
        mode = HAND if asked.mode == HAND and self.switch.examples(HAND) and self._can_answer(HAND) else BODY
        examples = self.switch.examples(mode)
        if not examples:
            return {self.session: gr.skip()}
        names = [example.photo.stem for example in examples]
        index = names.index(asked.example) if asked.example in names else 0
        values = self.lessons.values_of(asked)
        lab, _, change = self.lessons.settings(values)
        plain = values == self.lessons.values_of(link.Settings())
        updates = self.gallery.opening(mode, index) if plain else self.gallery.show(mode, index, lab, values)
        if self.session in updates and change != person.NO_CHANGE:
            session = person.break_parts(self.networks.of(mode), updates[self.session], change)
            updates |= self.panels.everything(session, None, values)
            updates = {key: value for key, value in updates.items() if key not in self.lessons.change}
            updates |= self.panels.worded(session, values)
        if mode == HAND and self.session in updates:
            updates |= self.switch.updates(mode)
        # What the numbers say of a control goes first: they know what this person can be compared with.
        controls = dict(zip(self.lessons.controls, values, strict=True))
        return {**controls, **updates, self.lessons.bar: gr.update(selected=asked.lesson or "regulariser"),
                self.opened: json.dumps({"lesson": asked.lesson, "view": asked.view})}  # fmt: skip

    def break_parts(self, session, uploaded, *values):
        """Runs HMNet on the part map as the visitor changed it; the segmenter does not run."""
        if session is None:
            return {self.session: gr.skip()}
        change = self.lessons.settings(values)[2]
        try:
            session = person.break_parts(self.networks.shown(session), session, change)
        except HMNetError as error:
            warn(error)
            return {self.session: gr.skip()}
        panels = self.panels
        return {**panels.numbers(session, uploaded, values), panels.pictures: panels.drawn(session),
                panels.status: panels.status_line(session)}  # fmt: skip

    def mend(self, session, uploaded, *values):
        """Takes every change of the part map back."""
        values = self.lessons.without_change(values)
        return {**self.break_parts(session, uploaded, *values), **self.panels.unchanged(session, values)}

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
        session = person.regularise(self.networks.shown(session), session, self._lab(values))
        # The numbers first: they follow the slider, while the picture takes the renderer a moment.
        yield self.panels.numbers(session, uploaded, values)
        yield {self.panels.pictures: self.panels.drawn(session)}

    def change_heat(self, session, uploaded, *values):
        """Shows another heatmap."""
        return (
            {self.session: gr.skip()} if session is None else self.panels.numbers(session, uploaded, values)
        )

    def compare_mesh(self, file, session, uploaded, *values):
        """Shows the distance to a mesh that the visitor uploaded."""
        if session is None or file is None:
            return {self.session: gr.skip()}
        counts = (len(session.body.vertices), session.body.upsampling.shape[0])
        try:
            with read_once(Path(file), Path(self.lessons.mesh_file.GRADIO_CACHE)) as upload:
                mesh = read_mesh(upload, counts)
            updates = self.panels.numbers(session, mesh, self.lessons.with_against(values, "upload"))
        except HMNetError as error:
            warn(error)
            return {self.session: gr.skip()}
        return {**updates, self.uploaded: mesh}

    def show_method(self, session):
        """Draws the pipeline from the photo that is shown."""
        if session is None:
            return explain.method_html(None, self.body)
        features = self.networks.shown(session).predictor.features(session.prediction)
        return explain.method_html(session, session.body, features)

    # --- several of these ----------------------------------------------------------------------------

    @property
    def lessons(self) -> Lessons:
        return self.panels.lessons

    def _can_answer(self, mode: str) -> bool:
        try:
            return bool(self.networks.of(mode))
        except HMNetError:
            return False

    def _lab(self, values: tuple) -> Lab:
        return self.lessons.settings(values)[0]


def _html(content: str, elem_id: str | None = None) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False, elem_id=elem_id)
