"""What the page tells beside its demo: the method, the results, the model card, and a tour; no Gradio."""

from pathlib import Path

from demo.method import method_html
from hmnet.figure_sections import FIGURES
from hmnet.recorded import shown
from hmnet.results import NAME as RESULTS
from hmnet.variants import BASE

__all__ = ["TOUR", "card_markdown", "method_html", "results_markdown"]

ROOT = Path(__file__).parents[1]
NO_RESULTS = "RESULTS.md is not there: `python -m hmnet results` writes it."
NO_CARD = "These weights came without a model card (a README.md beside them)."
NO_LICENCES = "The list of licences, assets/README.md, is not there."
TOUR = [
    {
        "selector": "#photo-input",
        "title": "Give it a photo",
        "text": "Upload, paste or take one, or pick a rendered example. A photo is deleted once it was read.",
    },
    {
        "selector": "#pictures",
        "title": "Step by step",
        "text": "The person box, 24 body parts, 24 joints, and the mesh over the photo. Point at them to "
        "learn their names; drag the box to move it.",
    },
    {
        "selector": "#lessons",
        "title": "One question a tab",
        "text": "What averaging does, where the errors are, what becomes of the mesh when the part map "
        "breaks: all about the person above.",
    },
    {
        "selector": "#viewer",
        "title": "Look from all sides",
        "text": "Drag to turn: all views turn together. Point at a vertex to see its part, place and error.",
    },
    {
        "selector": "#exports",
        "title": "Take it away",
        "text": "The mesh for Blender, the joints as a table, a picture, a report, or a link to all this.",
    },
    {
        "selector": "#method-tab-button",
        "title": "How it works",
        "text": "The pipeline of the paper, drawn from your photo, with every equation. Results and model "
        "card are beside it.",
    },
]
"""Steps of the tour in `explain.js`: a CSS selector, a title, a text. One that is not shown is left out."""


def results_markdown() -> str:
    """RESULTS.md as it lies in the repository, or a sentence where it does not.

    Its pictures have the addresses at which Gradio serves them (`launch_options` allows their folder).
    """
    text = _read(ROOT / RESULTS) or NO_RESULTS
    return _below(text.replace(f"]({shown(FIGURES)}/", f"](gradio_api/file={FIGURES.as_posix()}/"))


def card_markdown(folder: Path | None) -> str:
    """The weights' model card and the licences of what is shipped.

    folder: of a checkpoint, or of several, whose BASE it then is; None for weights without a folder.
    """
    card = None
    for place in () if folder is None else (folder, folder / BASE):
        card = card or _read(place / "README.md")
    licences = _read(ROOT / "assets" / "README.md")
    return _below(_without_front_matter(card or NO_CARD) + "\n\n" + (licences or NO_LICENCES))


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _without_front_matter(text: str) -> str:
    """Markdown without the YAML between two lines of --- that a Hub's card begins with."""
    head, mark, rest = text.partition("\n---\n")
    return rest.lstrip() if mark and head.startswith("---\n") else text


def _below(text: str) -> str:
    """Markdown with its headings one level down: the page's own title stands above them."""
    lines, code = [], False
    for line in text.splitlines():
        code ^= line.startswith("```")
        lines.append("#" + line if line.startswith("#") and not code else line)
    return "\n".join(lines)
