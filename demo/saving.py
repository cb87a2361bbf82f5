"""Taking it away: files of the session, the panels as a picture, a report, a link."""

import base64
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import gradio as gr

from demo import captions, exports, link, report_page
from demo.heat import Heat
from demo.lessons import Lessons
from demo.session import Session
from hmnet.errors import DataError, HMNetError

NOTHING_TO_SAVE = "There is nothing to save yet: give the page a photo first."
ONLY_EXAMPLES = (
    "A link can show a rendered example only, since your photo is not kept: pick an example first."
)
PRIVATE = {"show_progress": "hidden", "api_visibility": "private"}
CLICK = "() => document.querySelector('#saved-file').click()"
"""Starts the download once the file is there."""


class Saving:
    """Lays out the buttons; `wire` makes them work."""

    def __init__(self, html: Callable[..., gr.HTML]):
        with gr.Column(elem_id="exports"):
            html(captions.EXPORTS)
            with gr.Row(elem_classes="buttons"):
                self.files = {
                    kind: gr.Button(label, size="sm", min_width=0, elem_id=f"save-{kind}")
                    for kind, (label, _) in exports.FILES.items()
                }
            with gr.Row(elem_classes="buttons"):
                self.picture = gr.Button("Panels (PNG)", size="sm", min_width=0, elem_id="save-png")
                self.report = gr.Button("Report (HTML)", size="sm", min_width=0, elem_id="save-report")
                self.share = gr.Button("Copy link", size="sm", min_width=0, elem_id="copy-link")
            self.file = gr.DownloadButton(visible="hidden", elem_id="saved-file")
            # What only the browser knows comes to the server through these.
            self.pictures = [gr.Textbox(visible="hidden") for _ in ("photos", "viewer")]
            self.view = gr.Textbox(visible="hidden")
            self.link = gr.Textbox(visible="hidden", elem_id="link")

    def wire(
        self,
        session: gr.State,
        context: list,
        lessons: Lessons,
        heat: Callable[[Session, object, tuple], Heat],
    ) -> None:
        """context: the session, the uploaded mesh and the lessons' controls. heat: the heatmap for these."""
        for kind, button in self.files.items():
            button.click(self._save(kind), session, self.file, **PRIVATE).success(None, js=CLICK, **PRIVATE)
        self.picture.click(None, js="() => window.hmnetPage.savePicture()", **PRIVATE)

        def report(session, uploaded, *values):
            *values, photos, views = values
            session, values = _present(session), tuple(values)
            tables = lessons.tables(session, heat(session, uploaded, values))
            try:
                pngs = [picture_of(picture) for picture in (photos, views)]
                page = report_page.report(session, *pngs, tables)
            except HMNetError as error:
                raise gr.Error(str(error), print_exception=False) from error
            file = self._new_folder() / "humanmeshnet.html"
            file.write_text(page, encoding="utf-8")
            return str(file)

        def query(session, uploaded, *values):
            *values, view = values
            if session is None or session.example is None:
                raise gr.Error(ONLY_EXAMPLES, print_exception=False)
            state = link.view_state(view)
            mode = "hand" if session.body.one_sided else "body"
            return link.query(lessons.linked(tuple(values), mode, session.example.photo.stem, state))

        self.report.click(
            report, [*context, *self.pictures], self.file,
            js="(...all) => window.hmnetPage.withPictures(all)", **PRIVATE,
        ).success(None, js=CLICK, **PRIVATE)  # fmt: skip
        self.share.click(
            query,
            [*context, self.view],
            self.link,
            js="(...all) => window.hmnetPage.withView(all)",
            **PRIVATE,
        ).success(None, self.link, js="(query) => window.hmnetPage.copy(query)", **PRIVATE)

    def _save(self, kind: str) -> Callable[[Session | None], str]:
        """A listener that writes a file of the session, in Gradio's cache and so for a short while."""

        def saved(session):
            session = _present(session)
            return str(exports.write(session, session.body, kind, self._new_folder()))

        return saved

    def _new_folder(self) -> Path:
        folder = Path(self.file.GRADIO_CACHE) / token_hex(16)
        folder.mkdir(parents=True)
        return folder


def _present(session: Session | None) -> Session:
    if session is None:
        raise gr.Error(NOTHING_TO_SAVE, print_exception=False)
    return session


def picture_of(data_url: object) -> bytes | None:
    """The picture in a data URL of a PNG, None for anything else; DataError where it did not arrive whole."""
    head, _, data = (data_url if isinstance(data_url, str) else "").partition("base64,")
    try:
        return base64.b64decode(data, validate=True) if head == "data:image/png;" else None
    # A binascii.Error is one; another tells of signs that are not even ASCII.
    except ValueError as error:
        raise DataError("The panels' picture did not arrive whole: reload the page and try again.") from error
