"""The page: components and wiring around the handlers."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import gradio as gr
from starlette.responses import FileResponse
from starlette.routing import Route

from demo import captions, handlers, viewer
from demo.examples import FOLDER, Example, load_examples
from demo.handlers import Lab, Session
from hmnet.errors import HMNetError, ImageError
from hmnet.mesh import MeshTopology
from hmnet.predictor import Predictor
from hmnet.render import renderer_name

STYLE = Path(__file__).with_name("style.css")
CACHE_SECONDS = (60, 600)
"""How often, and from what age on, Gradio deletes the pictures it made; uploads go at once (`_forget`)."""
SESSION_SECONDS = 3600
FONTS = ("Inter", "ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
"""Plain names only: a `gr.themes.GoogleFont` would ask an outside host."""
WORKING = "Finding the person, labelling parts, lifting to 3D"
NO_PHOTO = "There is no photo yet: upload, paste or take one, or pick an example."
NOTHING_TO_SAVE = "There is nothing to save yet: give the page a photo first."
QUIET = {"show_progress": "hidden", "api_visibility": "private"}

Updates = dict[Any, Any]
"""New values by component; components that are not named stay as they are."""


def build_app(predictor: Predictor, examples_folder: Path = FOLDER) -> gr.Blocks:
    """The page around a predictor; launch it with `launch_options()`."""
    return Page(predictor, load_examples(examples_folder)).blocks


def launch_options(examples_folder: Path = FOLDER) -> dict[str, Any]:
    """Keyword arguments of `Blocks.launch` that belong to the page: theme, style, files it may serve."""
    theme = gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="slate", radius_size="md",
        font=FONTS, font_mono=MONO_FONTS,
    ).set(
        # Darker than Gradio's own: text and buttons keep a contrast of 4.5 to 1 and more.
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400",
        block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_200",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_text_color="white",
    )  # fmt: skip
    return {
        "theme": theme,
        "css_paths": STYLE,
        "allowed_paths": [str(examples_folder)],
        "ssr_mode": False,
        "footer_links": ["api", "settings"],
        "max_file_size": "64mb",
        "app_kwargs": {"routes": [Route("/plotly.min.js", _serve_plotly)]},
    }


class Page:
    """Lays out the components (`blocks` holds them all) and answers their events.

    Nothing of a visitor is kept here: what he looks at is in `session`, a state of his own.
    """

    def __init__(self, predictor: Predictor, examples: tuple[Example, ...]):
        self.predictor = predictor
        self.body = predictor.body
        self.topology = MeshTopology.from_faces(self.body.faces, len(self.body.vertices))
        self.examples = examples
        renderer_name()  # makes the OpenGL context now, which takes seconds, and not for the first visitor
        with gr.Blocks(
            title="HumanMeshNet", fill_width=True, analytics_enabled=False, delete_cache=CACHE_SECONDS
        ) as self.blocks:
            self.session = gr.State(None, time_to_live=SESSION_SECONDS)
            _html(captions.MASTHEAD)
            with gr.Row(elem_id="stage"):
                with gr.Column(elem_id="controls", scale=1, min_width=300):
                    self._lay_out_controls()
                with gr.Column(elem_id="results", scale=4, min_width=300):
                    self._lay_out_results()
            self._wire()

    def _lay_out_controls(self) -> None:
        self.photo = gr.Image(
            label="Your photo", type="filepath", sources=["upload", "clipboard", "webcam"], height=300,
            elem_id="photo-input", buttons=[], alt_text="The photo you chose",
        )  # fmt: skip
        # Gradio would decode the file itself and fail on a bad one; `read_image` has the sentences.
        self.photo.preprocess = lambda payload: None if payload is None else payload.path
        self.run = gr.Button("Reconstruct", variant="primary", elem_id="run")
        _html(captions.EXAMPLES if self.examples else "")
        self.gallery = gr.Gallery(
            [(str(example.photo), example.title) for example in self.examples], label="Rendered examples",
            show_label=False, columns=4, height="auto", object_fit="cover", allow_preview=False, buttons=[],
            visible=bool(self.examples), interactive=False, container=False, elem_id="examples",
        )  # fmt: skip
        with gr.Row(elem_id="downloads"):
            self.save_glb = gr.Button("Save mesh (GLB)", size="sm", min_width=0, elem_id="glb")
            self.save_json = gr.Button("Save joints (JSON)", size="sm", min_width=0, elem_id="json")
            self.glb_file = gr.DownloadButton(visible="hidden", elem_id="glb-file")
            self.json_file = gr.DownloadButton(visible="hidden", elem_id="json-file")

    def _lay_out_results(self) -> None:
        self.status = _html(handlers.status_line(None, self.predictor), "status")
        self.people = _html("", "people")
        with gr.Row(elem_id="pictures"):
            self.pictures = {name: _picture(name) for name in captions.PICTURES}
        self.legend = _html(handlers.parts_legend(None), "legend")
        with gr.Row(elem_id="lab"):
            _html(captions.LAB, "lab-title")
            enabled = gr.Checkbox(True, label="Average neighbours", container=False, elem_id="enabled")
            iterations = gr.Slider(0, 10, 1, step=1, label="Iterations", elem_id="iterations")
            strength = gr.Slider(0, 1, 1, step=0.05, label="Strength", elem_id="strength")
            self.roughness = _html("", "roughness")
        self.lab = [enabled, iterations, strength]
        self.view = gr.HTML(
            None, html_template=viewer.page_markup(), js_on_load=viewer.SCRIPT, elem_id="viewer",
            apply_default_css=False, surfaces=viewer.surfaces(self.body),
            head='<script src="plotly.min.js"></script>',
        )  # fmt: skip

    def _wire(self) -> None:
        meshes = [self.session, self.pictures["mesh"], self.view, self.roughness]
        everything = [*meshes, self.photo, self.legend, self.status, self.people]
        everything += [self.pictures[name] for name in ("photo", "parts", "joints")]
        network = {
            "outputs": everything, "concurrency_id": "network", "concurrency_limit": 1,
            "show_progress": "full", "show_progress_on": [self.pictures["photo"]],
        }  # fmt: skip
        private = {"api_visibility": "private"}
        # Not `input`: that also comes when the photo is taken away, with the old photo as its value.
        self.photo.upload(self.reconstruct, [self.photo, *self.lab], **network, api_name="reconstruct")
        self.run.click(self.repeat, [self.photo, self.session, *self.lab], **network, **private)
        self.gallery.select(self.pick_example, self.lab, **network, **private)
        self.pictures["photo"].select(self.choose_person, [self.session, *self.lab], **network, **private)
        if self.examples:
            self.blocks.load(self.show_first_example, self.lab, **network, **private)
        gr.on(
            [control.input for control in self.lab], self.regularise, [self.session, *self.lab], meshes,
            trigger_mode="always_last", **QUIET,
        )  # fmt: skip
        for button, file, write in (
            (self.save_glb, self.glb_file, handlers.export_glb),
            (self.save_json, self.json_file, handlers.export_json),
        ):
            click = f"() => document.getElementById('{file.elem_id}').click()"
            button.click(self.save(write), self.session, file, **QUIET).success(None, js=click, **QUIET)

    def reconstruct(self, photo, average, iterations, strength, progress=gr.Progress()):  # noqa: B008
        """Reconstructs the person in a photo."""

        def work() -> Updates:
            if photo is None:
                raise ImageError(NO_PHOTO)
            progress(0.1, desc=WORKING)
            try:
                session = handlers.reconstruct(
                    self.predictor, Path(photo), None, Lab(average, iterations, strength)
                )
            finally:
                _forget(Path(photo), Path(self.photo.GRADIO_CACHE))
            progress(0.8, desc="Drawing")
            return self._all(session)

        return self._attempt(work)

    def repeat(self, photo, session, average, iterations, strength, progress=gr.Progress()):  # noqa: B008
        """Runs the networks once more on the photo that is shown."""

        def work() -> Updates:
            if photo is None or session is None:
                raise ImageError(NO_PHOTO)
            progress(0.1, desc=WORKING)
            # The upload was deleted once it was read; the session keeps the photo in memory.
            example = session.example
            source = session.prediction.image if example is None else example.photo
            return self._all(
                handlers.reconstruct(self.predictor, source, example, Lab(average, iterations, strength))
            )

        return self._attempt(work)

    def choose_person(self, session, average, iterations, strength, event: gr.SelectData):
        """Reconstructs whoever was clicked in the photo with the boxes, where several people were found."""

        def work() -> Updates:
            lab = Lab(average, iterations, strength)
            chosen = None if session is None else handlers.choose(self.predictor, session, event.index, lab)
            return {self.session: gr.skip()} if chosen is None else self._all(chosen)

        return self._attempt(work)

    def pick_example(self, average, iterations, strength, event: gr.SelectData):
        """Reconstructs the person in the example that was clicked."""
        return self._show_example(event.index, Lab(average, iterations, strength))

    def show_first_example(self, average, iterations, strength):
        """Fills the page for a visitor who has not given it a photo yet."""
        return self._show_example(0, Lab(average, iterations, strength))

    def regularise(self, session, average, iterations, strength):
        """Applies the regulariser to the last prediction; the networks do not run."""
        if session is None:
            yield {self.roughness: gr.skip()}
            return
        session = handlers.regularise(self.predictor, session, Lab(average, iterations, strength))
        # The 3D view first: it follows the slider, while the picture takes the renderer a moment.
        yield self._views(session)
        yield {self.pictures["mesh"]: handlers.mesh_panel(session, self.body)}

    def save(self, write: Callable[..., Path]) -> Callable[[Session | None], Any]:
        """A listener that writes a file of the session, in Gradio's cache and so for a short while."""

        def saved(session):
            if session is None:
                raise gr.Error(NOTHING_TO_SAVE, print_exception=False)
            folder = Path(self.glb_file.GRADIO_CACHE) / token_hex(16)
            folder.mkdir(parents=True)
            return str(write(session, self.body, folder))

        return saved

    def _show_example(self, index: int, lab: Lab) -> Updates:
        def work() -> Updates:
            example = self.examples[index]
            session = handlers.reconstruct(self.predictor, example.photo, example, lab)
            return {**self._all(session), self.photo: str(example.photo)}

        return self._attempt(work)

    def _attempt(self, work: Callable[[], Updates]) -> Updates:
        """The work's updates; for a user's mistake a notice with its one sentence.

        A photo that gave no result leaves the input, so that what stands there is what the panels show.
        """
        try:
            return work()
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            return {self.photo: None}

    def _all(self, session: Session) -> Updates:
        return {
            **self._views(session),
            self.pictures["mesh"]: handlers.mesh_panel(session, self.body),
            self.pictures["photo"]: handlers.photo_panel(session),
            self.pictures["parts"]: handlers.parts_panel(session),
            self.pictures["joints"]: handlers.joints_panel(session, self.body),
            self.legend: handlers.parts_legend(session),
            self.status: handlers.status_line(session, self.predictor),
            self.people: handlers.people_line(session),
        }

    def _views(self, session: Session) -> Updates:
        return {
            self.session: session,
            self.view: viewer.drawing(session, handlers.heat(session, self.body), self.body),
            self.roughness: handlers.roughness_line(session, self.topology),
        }


def _html(content: str, elem_id: str | None = None) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False, elem_id=elem_id)


def _picture(name: str) -> gr.Image:
    """One panel: its title, a picture and the sentence that explains it."""
    title, sentence, alt_text = captions.PICTURES[name]
    with gr.Column(min_width=260, elem_classes="card"):
        _html(f"<h3>{title}</h3>")
        picture = gr.Image(
            label=title, show_label=False, container=False, interactive=False, format="jpeg",
            alt_text=alt_text, buttons=["download", "fullscreen"], elem_id=f"panel-{name}",
        )  # fmt: skip
        _html(f'<p class="caption">{sentence}</p>')
    return picture


def _forget(upload: Path, cache: Path) -> None:
    """Deletes an uploaded file in Gradio's cache, and nothing outside that cache."""
    if upload.resolve().is_relative_to(cache.resolve()):
        upload.unlink(missing_ok=True)


async def _serve_plotly(_request: Any) -> FileResponse:
    return FileResponse(viewer.PLOTLY_JS, headers={"Cache-Control": "public, max-age=86400"})
