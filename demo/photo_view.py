"""The four pictures of a person or of a hand: photo and box, body parts, joints, mesh over the photo.

Python sends the photo and what lies over it once; the scripts in `photo_view/` draw it in the browser, so
that opacity, swiping, pointing and dragging take no time and no network. Two things come back as events:
"choose" {x, y}, a point inside another person's box, and "box" {box: [x0, y0, x1, y1]}, a box that the
visitor dragged, all in px of the upright photo.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from demo import figures
from demo.bodies import bones_of, joint_colours, words_of
from demo.captions import BRANCH, PICTURES, REGRESSED, pictures_of
from hmnet.body import PART_COLOURS, PART_NAMES, BodyTemplate
from hmnet.person_box import LEAST_SIDE

STYLE = Path(__file__).with_name("photo_view.css")
SCRIPTS = ("frame", "boxes", "drag", "parts", "legend", "joints", "overlay", "page")
SCRIPT = "\n".join(
    Path(__file__).with_name("photo_view").joinpath(f"{name}.js").read_text(encoding="utf-8")
    for name in SCRIPTS
)
"""The component's `js_on_load`: the files one after the other, in one scope."""
JPEG_QUALITY = 88
OPACITY = {"parts": 72, "mesh": 100}
"""Per cent, before the visitor moves a slider."""
HINTS = {
    "photo": "The person box will stand here.",
    "parts": "The 24 body parts will lie here.",
    "joints": "The skeletons will stand here.",
    "mesh": "The mesh will lie here.",
}


@dataclass(frozen=True)
class Figure2D:
    """One skeleton over the photo. colour: "#rrggbb". keypoints: (J, 2) px of the upright photo."""

    name: str
    colour: str
    keypoints: np.ndarray


@dataclass(frozen=True)
class PhotoScene:
    """What the four pictures show. All pixel values are in px of the upright photo as it came.

    image: (H, W, 3) uint8, the photo, perhaps smaller. photo_size: (width, height) of the upright photo.
    box, crop: (4,) xyxy, the person and the square that the networks saw. people: boxes of everybody else.
    labels: (S, S) uint8 part ids over the crop. true_labels: the same, true, where they are known.
    figures: skeletons, the joint branch's first, then the one regressed from the surface.
    overlay: (h, w, 4) uint8 RGBA of straight alpha, the mesh at the size of `shown(image)`.
    body: the name of the body shown, as `settings` was given it. turn: radians by which the square is turned
    about its middle, as in `hmnet.data.crop.Crop`.
    """

    image: np.ndarray
    photo_size: tuple[int, int]
    box: np.ndarray
    crop: np.ndarray
    people: tuple[np.ndarray, ...]
    labels: np.ndarray
    true_labels: np.ndarray | None
    figures: tuple[Figure2D, ...]
    overlay: np.ndarray | None
    body: str = "anny"
    turn: float = 0.0


def shown(image: np.ndarray) -> np.ndarray:
    """The photo (H, W, 3) uint8 at the size in which it is sent to the page."""
    return figures.shrink(image)


def page_markup() -> str:
    """The four cards and the legend, still empty; the scripts fill them."""
    cards = "".join(_card(name) for name in PICTURES)
    return f'<div class="photo-view"><div class="photo-cards">{cards}</div>{_legend()}</div>'


def settings(bodies: Mapping[str, BodyTemplate]) -> dict:
    """What never changes: of each body, by the name that scenes call it, names and colours of parts and
    joints, bones as pairs of joints, and the page's words; the least box; which skeletons will come.

    Before the first scene the first body is shown.
    """
    return {
        "bodies": {name: _body_settings(body) for name, body in bodies.items()},
        "figure_names": [BRANCH, REGRESSED],
        "least_side": LEAST_SIDE,
    }


def _body_settings(body: BodyTemplate) -> dict:
    words = words_of(body)
    return {
        "part_names": list(body.part_names),
        "part_colours": [_hex(colour) for colour in body.part_colours],
        "joint_names": list(body.joint_names),
        "joint_colours": [_hex(colour) for colour in joint_colours(body).values()],
        "bones": [[body.joint_index(name) for name in bone] for bone in bones_of(body)],
        "one": words.one,
        "many": words.many,
        "parts": words.parts,
        "captions": {name: [title, sentence] for name, (title, sentence, _) in pictures_of(body).items()},
    }


def drawing(scene: PhotoScene) -> dict:
    """What the scripts draw, the component's value: pictures as data URLs, labels as base64, points in px."""
    return {
        "photo": _jpeg(shown(scene.image)),
        "size": list(scene.photo_size),
        "box": _numbers(scene.box),
        "crop": _numbers(scene.crop),
        "turn": float(scene.turn),
        "body": scene.body,
        "people": [_numbers(box) for box in scene.people],
        "side": len(scene.labels),
        "labels": _pack(scene.labels),
        "true_labels": None if scene.true_labels is None else _pack(scene.true_labels),
        "figures": [
            {"name": figure.name, "colour": figure.colour, "points": _numbers(figure.keypoints)}
            for figure in scene.figures
        ],
        "overlay": None if scene.overlay is None else _window(scene.overlay, scene.photo_size),
    }


def _card(name: str) -> str:
    title, sentence, alternative = PICTURES[name]
    return (
        f'<figure class="card photo-card" data-picture="{name}"><figcaption><h3>{title}</h3></figcaption>'
        f'<div class="frame"><canvas role="img" aria-label="{escape(alternative)}: nothing yet"></canvas>'
        f'<p class="hint">{HINTS[name]}</p>{_layers(name)}</div>'
        f'<p class="readout" aria-live="polite"></p><div class="photo-controls">{_controls(name)}</div>'
        f'<p class="caption">{sentence}</p></figure>'
    )


def _layers(name: str) -> str:
    """What lies over a picture's canvas to be reached by keyboard."""
    if name == "photo":
        return (
            '<div class="box-layer" role="application" tabindex="0" hidden aria-label="Person box: '
            "arrow keys move it, shift and arrow keys resize it, Enter reconstructs from it, Escape puts it "
            'back"></div><div class="people" role="group" aria-label="Other people in the photo"></div>'
        )
    if name == "joints":
        return (
            '<div class="joint-layer" role="application" tabindex="0" hidden '
            'aria-label="Joints: arrow keys step from one to the next, Escape leaves them"></div>'
        )
    if name == "mesh":
        return (
            '<div class="swipe" role="slider" tabindex="0" hidden aria-orientation="horizontal" '
            'aria-label="Photo left of the line, mesh right of it" aria-valuemin="0" aria-valuemax="100" '
            'aria-valuenow="0"><i></i></div>'
        )
    return ""


def _controls(name: str) -> str:
    if name == "photo":
        return (
            '<div class="choices"><button type="button" data-do="revert" disabled>Put box back</button></div>'
        )
    if name == "joints":
        return '<div class="figure-choices" role="group" aria-label="Skeletons"></div>'
    title = "Opacity of the parts" if name == "parts" else "Opacity of the mesh"
    slider = (
        f'<label class="opacity"><span>Opacity</span><input type="range" min="0" max="100" step="1" '
        f'value="{OPACITY[name]}" aria-label="{title}, per cent"><output>{OPACITY[name]}%</output></label>'
    )
    if name == "mesh":
        return slider
    buttons = "".join(
        f'<button type="button" data-labels="{choice}" aria-pressed="{pressed}">'
        f"{choice.capitalize()}</button>"
        for choice, pressed in (("predicted", "true"), ("true", "false"), ("difference", "false"))
    )
    return slider + f'<div class="choices" role="group" aria-label="Labels" hidden>{buttons}</div>'


def _legend() -> str:
    rows = "".join(
        f'<li role="option" aria-selected="false" data-part="{part}" tabindex="{0 if part == 1 else -1}">'
        f'<i style="background:{_hex(PART_COLOURS[part])}"></i><span>{escape(name)}</span><b></b></li>'
        for part, name in enumerate(PART_NAMES)
        if part
    )
    return (
        '<ul class="part-legend" role="listbox" aria-label="Body parts and their share of the person: '
        f'the chosen one lights up in the picture">{rows}</ul><p class="caption shares"></p>'
    )


def _window(overlay: np.ndarray, photo_size: tuple[int, int]) -> dict | None:
    """The overlay (h, w, 4) cut to what it covers, and where that lies, xyxy in px of the photo."""
    rows, columns = (np.flatnonzero(overlay[..., 3].any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
    unit = np.array(photo_size) / overlay.shape[1::-1]
    return {
        "picture": _png(overlay[low[1] : high[1], low[0] : high[0]]),
        "window": _numbers(np.concatenate([low * unit, high * unit])),
    }


def _jpeg(image: np.ndarray) -> str:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _png(image: np.ndarray) -> str:
    buffer = BytesIO()
    # The least compression: it is drawn anew at every step of a slider.
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _pack(labels: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(labels, np.uint8).tobytes()).decode()


def _numbers(values: np.ndarray) -> list:
    return np.asarray(values, np.float64).round(2).tolist()


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
