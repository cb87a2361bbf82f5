"""The report: one HTML file with the pictures, the numbers and a 3D view that still turns, for any browser.

It asks no host: styles, scripts and pictures are in it, and its policy forbids the browser everything else.
The photo is in it because the visitor asked for that; the server keeps neither.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from html import escape
from pathlib import Path

import numpy as np

from demo import captions, viewer
from demo.bodies import words_of
from demo.exports import photo_name
from demo.part_change import PartChange
from demo.session import Lab, Session
from hmnet.errors import DataError
from hmnet.predictor import Prediction

STYLES = ("report_page.css", "viewer.css")
POLICY = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {"raw": "#d9a282", "regularised": "#8ecae6"}
"""Of the two meshes, as on the page."""
OPERATORS = {"average": "mean of neighbours (Eq. 3)", "taubin": "Taubin's operator, which keeps the volume"}
REPAINT = """for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => window.dispatchEvent(new Event("resize")));
}"""
"""The view draws itself anew with the window's size; here colours change with these."""
FOOTER = (
    "This file holds everything it shows and asks no other computer. Points are in metres, in the camera's "
    "frame: x right, y down, z away, the {root} at the origin."
)


def report(
    session: Session,
    photos_png: bytes | None,
    viewer_png: bytes | None,
    tables_html: Sequence[tuple[str, str]],
    written: datetime | None = None,
) -> str:
    """The report on a session as one self-contained HTML file.

    photos_png, viewer_png: pictures of the page's panels, made in the browser. tables_html: (title, HTML), as
    the page shows it. written: the date in it, now by default. Raises DataError for a picture that is no PNG.
    """
    written = (written or datetime.now(timezone.utc)).astimezone(timezone.utc)
    words = words_of(session.body)
    pictures = [
        picture(png, text)
        for png, text in (
            (photos_png, f"The photo with the box, the {words.parts}, the joints and the mesh over it"),
            (viewer_png, "The meshes as the 3D view on the page showed them"),
        )
        if png is not None
    ]
    return "\n".join(
        [
            _head(),
            f"<header><h1>HumanMeshNet: report</h1><p>{written.day} {written:%B %Y, %H:%M} UTC</p></header>",
            _settings(session),
            _section("Pictures", "".join(pictures), "panels"),
            _section("In 3D", _live(session), "live"),
            _section("Numbers", "".join(_table(*table) for table in tables_html), "tables"),
            f"<footer><p>{FOOTER.format(root=words.root)}</p></footer></body></html>",
        ]
    )


def lab_words(lab: Lab) -> str:
    """The regulariser's settings in words."""
    if not lab.enabled or not lab.iterations:
        return "off"
    times = "once" if lab.iterations == 1 else f"{lab.iterations} times"
    return f"{OPERATORS[lab.operator]}, {times}, strength {lab.strength:g}"


def change_words(change: PartChange) -> str:
    """What was done to the part map, in words."""
    words = ["the true parts" if change.true_parts else "as the segmenter gave it"]
    words += [f"without {', '.join(change.dropped)}"] if change.dropped else []
    words += ["left and right swapped"] if change.swapped else []
    words += [f"noise {100 * change.noise:.0f}%"] if change.noise else []
    return ", ".join(words)


def _head() -> str:
    styles = "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in STYLES)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>HumanMeshNet: report</title>\n<style>\n{styles}</style></head><body>"
    )


def _settings(session: Session) -> str:
    prediction, one = session.prediction, words_of(session.body).one
    weights = prediction.weights
    width, height = prediction.photo_size
    photo = "the visitor's own" if session.example is None else f"rendered example {photo_name(session)}"
    facts = {
        "Photo": f"{photo}, {width} × {height} px",  # noqa: RUF001 (the sign between two sides)
        f"{one.capitalize()} box": ", ".join(f"{edge:.0f}" for edge in prediction.box) + " px",
        "Weights": f"{weights.source}, variant {weights.variant}, revision {weights.revision}",
        "Regulariser": lab_words(session.lab),
        "Part map": change_words(session.change),
    }
    if session.side is not None:
        facts["Side"] = session.side
    if weights.notice:
        facts["Notice"] = weights.notice
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items())
    return f'<dl class="settings">{rows}</dl>'


def picture(png: bytes, text: str) -> str:
    """A PNG as an element, text for who cannot see it; DataError where it is none."""
    if not png.startswith(PNG_SIGNATURE):
        raise DataError("Expected the panels' picture as a PNG file: reload the page and try again.")
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _table(title: str, table: str) -> str:
    # Reached by the keyboard, so that a table wider than a telephone can be scrolled.
    frame = f'class="card table-card" role="region" tabindex="0" aria-label="{escape(title)}"'
    return f"<div {frame}><h3>{escape(title)}</h3>{table}</div>"


def _section(title: str, content: str, name: str) -> str:
    """A part of the report, its content in an element of that class; nothing where there is no content."""
    if not content:
        return ""
    return f'<section><h2>{escape(title)}</h2><div class="{name}">{content}</div></section>'


def _live(session: Session) -> str:
    """The page's own 3D view of both meshes, outside of Gradio: what that gives the script is given here."""
    panes = [
        viewer.Pane(name, *captions.PANES[name], vertices=vertices, colour=COLOURS[name])
        for name, vertices in _meshes(session.prediction).items()
    ]
    layouts = [viewer.Layout("report", "Raw and regularised", tuple(COLOURS))]
    value = viewer.drawing(session.token, panes, layouts, asdict(session.lab), session.body_name)
    props = _json({"value": value, "surfaces": viewer.surfaces({session.body_name: session.body})})
    return (
        f'<div id="viewer">{viewer.page_markup()}</div><script>\n(() => {{\n'
        'const element = document.getElementById("viewer");\n'
        f"const props = {props};\nconst watch = () => {{}};\nconst trigger = () => {{}};\n"
        f"{viewer.SCRIPT}\n{REPAINT}\n}})();\n</script>"
    )


def _meshes(prediction: Prediction) -> dict[str, np.ndarray]:
    return {"raw": prediction.raw_vertices, "regularised": prediction.vertices}


def _json(value: object) -> str:
    """JSON that may stand in a script: it closes no element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
