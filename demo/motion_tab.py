"""The tab of somebody who moves: a clip or the camera on the left, the view on the right."""

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import gradio as gr

from demo import motion, motion_view
from demo.motion_files import FILES, write
from demo.session import Models
from demo.uploads import read_once
from hmnet.errors import HMNetError

CLIP = Path(__file__).parents[1] / "assets" / "clips" / "walking.mp4"
"""Rendered by us; the tab works without it too."""
LIMITS = (
    f"At most {motion.MOST_SECONDS} seconds and 64 MB; up to {motion.MOST_RATE} frames a second are taken. "
    "A clip is deleted once it was read, a camera's pictures are never stored."
)
LEAD = (
    "One person is followed from frame to frame by the last box. The mesh is drawn in the browser: Eq. 3 "
    "and the smoothing over time (the one-euro filter) switch at once."
)
NOTHING_TO_SAVE = "There is nothing to save yet: give the page a clip first."
SECONDS = 3600
CLICK = "() => document.querySelector('#motion-file').click()"
PRIVATE = {"show_progress": "hidden", "api_visibility": "private"}


class MotionTab:
    """Lays out the tab and wires it. What a visitor has is in `film`, a state of his own."""

    def __init__(self, models: Models, network: dict[str, Any], html: Callable[..., gr.HTML]) -> None:
        """network: how events that run networks queue."""
        self.predictor, self.network = models.predictor, network
        self.film = gr.State(None, time_to_live=SECONDS)
        with gr.Row(elem_id="motion-stage"):
            with gr.Column(elem_id="motion-controls", scale=1, min_width=280):
                html(f'<p class="caption">{LEAD}</p>')
                # Gradio would send the file back to be shown: what is shown comes from our own view.
                self.clip = gr.File(
                    label="Your clip",
                    file_types=["video"],
                    type="filepath",
                    height=120,
                    elem_id="motion-clip",
                )
                html(f'<p class="caption">{LIMITS}</p>')
                with gr.Row(elem_classes="buttons"):
                    self.example = gr.Button(
                        "Rendered example", elem_id="motion-example", visible=CLIP.is_file(), min_width=0
                    )
                    self.cancel = gr.Button("Cancel", elem_id="motion-cancel", visible=False, min_width=0)
                self.progress = html("", "motion-progress")
                with gr.Row(elem_classes="buttons"):
                    self.files = {
                        kind: gr.Button(label, size="sm", min_width=0, elem_id=f"motion-{kind}")
                        for kind, (label, _) in FILES.items()
                    }
                self.file = gr.DownloadButton(visible="hidden", elem_id="motion-file")
            with gr.Column(scale=4, min_width=300):
                live = motion.Live(self.predictor)

                def answer(message: dict) -> dict:
                    return live.answer(message)

                self.view = gr.HTML(
                    None, html_template=motion_view.page_markup(), js_on_load=motion_view.SCRIPT,
                    elem_id="motion", apply_default_css=False,
                    settings=motion_view.settings(self.predictor.body), server_functions=[answer],
                )  # fmt: skip
        self._wire()

    def _wire(self) -> None:
        outputs = [self.film, self.view, self.progress, self.cancel, self.clip]
        network = {**self.network, **PRIVATE}
        events = [
            self.clip.upload(self.take_clip, self.clip, outputs, **network),
            self.example.click(self.take_example, None, outputs, **network),
        ]
        self.cancel.click(
            lambda: {self.cancel: gr.update(visible=False), self.progress: "", self.clip: None},
            None, [self.cancel, self.progress, self.clip], cancels=events, **PRIVATE,
        )  # fmt: skip
        for kind, button in self.files.items():
            button.click(self._save(kind), self.film, self.file, **network).success(None, js=CLICK, **PRIVATE)

    def take_clip(self, clip: str | None) -> Iterator[dict[Any, Any]]:
        """Follows the person in an uploaded clip."""
        if clip is None:
            return
        with read_once(Path(clip), Path(self.clip.GRADIO_CACHE)) as file:
            data = file.read_bytes()
        yield from self._follow(data)

    def take_example(self) -> Iterator[dict[Any, Any]]:
        """Follows the person in the clip that comes with the page."""
        yield from self._follow(CLIP)

    def _follow(self, clip: Path | bytes) -> Iterator[dict[Any, Any]]:
        yield {self.cancel: gr.update(visible=True), self.progress: motion.progress_line(0, None)}
        try:
            for done, total, film in motion.follow(self.predictor, clip):
                if film is not None:
                    yield {
                        self.film: film,
                        self.view: motion.drawing(film, token_hex(4)),
                        self.progress: motion.film_line(film),
                        self.cancel: gr.update(visible=False),
                        self.clip: None,
                    }
                elif done % 10 == 0:
                    yield {self.progress: motion.progress_line(done, total)}
        except HMNetError as error:
            gr.Warning(str(error), duration=12)
            yield {self.progress: "", self.cancel: gr.update(visible=False), self.clip: None}

    def _save(self, kind: str) -> Callable[[motion.Film | None], str]:
        """A listener that writes a file of the clip, in Gradio's cache and so for a short while."""

        def saved(film):
            if film is None:
                raise gr.Error(NOTHING_TO_SAVE, print_exception=False)
            folder = Path(self.file.GRADIO_CACHE) / token_hex(16)
            folder.mkdir(parents=True)
            return str(write(film, self.predictor, kind, folder))

        return saved
