"""The linked 3D view: up to four panes with a surface each, under one camera.

Python sends the template's vertices; the scripts in `viewer/` make the full surface from them and draw it
with WebGL2, so that the regulariser, the mesh, its colours and its vertices can be looked at without the
server. Everything is in the camera frame (y down, z away): the view's camera looks along +z with -y up, so no
vertex is converted.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.bodies import bones_of
from demo.figures import heat_stops
from hmnet.body import BodyTemplate

STYLE = Path(__file__).with_name("viewer.css")
SCRIPTS = ("mesh", "camera", "gl", "panes", "overlay", "inspect", "control", "page")
SCRIPT = "\n".join(
    Path(__file__).with_name("viewer").joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS
)
"""The component's `js_on_load`: the files one after the other, in one scope."""
MOST_PANES = 4
EMPTY_PANES = 3
"""How many empty cards stand there before the first value."""
TICKS = 5

BUTTONS = (
    ("Mesh", "mesh", (("full", "Full surface"), ("template", "Network mesh"))),
    ("Shading", "shading", (("smooth", "Smooth"), ("flat", "Flat"))),
    ("Colours", "colours", (("plain", "Plain"), ("parts", "Parts"), ("error", "Error"))),
    ("Show", "toggle", (("wireframe", "Wireframe"), ("neighbourhood", "Neighbourhood"))),
    (
        "Camera", "camera",
        (("front", "Front"), ("side", "Side"), ("back", "Back"), ("top", "Top"), ("reset", "Reset")),
    ),
    ("Motion", "toggle", (("turntable", "Turn"),)),
)  # fmt: skip
"""The toolbar's groups: label, what is chosen there, (value, title) of each button."""
HINT = (
    "Drag to turn, scroll to zoom, shift-drag to move. Point at the surface to read a vertex; a click, or "
    "Enter, keeps it and Escape lets go."
)


@dataclass(frozen=True)
class Skeleton:
    """Joints (J, 3) in metres, drawn over a pane's surface. colour: "#rrggbb"."""

    name: str
    colour: str
    joints: np.ndarray


@dataclass(frozen=True)
class Shade:
    """A value for each template vertex.

    values: (V,) mm. limit: mm at the colour bar's end. title: what it is, beside the bar.
    """

    values: np.ndarray
    limit: float
    title: str


@dataclass(frozen=True)
class Pane:
    """One surface and what is said about it.

    sentence: HTML. vertices: (V, 3) m, as shown. raw: (V, 3) m, the same before the regulariser, where its
    settings move this pane. colour: "#rrggbb". always_shaded: shaded whatever colours the visitor chose.
    opacity: 0..1 of the surface.
    """

    name: str
    title: str
    sentence: str
    vertices: np.ndarray
    raw: np.ndarray | None = None
    colour: str = "#8ecae6"
    shade: Shade | None = None
    always_shaded: bool = False
    skeletons: tuple[Skeleton, ...] = ()
    opacity: float = 1.0


@dataclass(frozen=True)
class Layout:
    """Panes that are seen side by side: one to four, by name."""

    name: str
    title: str
    panes: tuple[str, ...]


def page_markup() -> str:
    """The toolbar, the line that reads a vertex, and the empty cards; the scripts fill them."""
    groups = "".join(_group(*group) for group in BUTTONS)
    gradient = ", ".join(f"{colour} {100 * at:.0f}%" for at, colour in heat_stops())
    cards = "".join(_card(gradient, is_hidden=index >= EMPTY_PANES) for index in range(MOST_PANES))
    return (
        '<div class="viewer"><div class="viewer-bar" role="group" aria-label="Controls of the 3D view">'
        f'{groups}</div><p class="readout" aria-live="off">{HINT}</p>'
        f'<div class="panes with-bars" role="group" aria-label="3D view" data-count="{EMPTY_PANES}">'
        f"{cards}</div></div>"
    )


def surfaces(bodies: Mapping[str, BodyTemplate]) -> dict:
    """What never changes: the colour scale, and of each body, by the name that drawings call it, its surface.

    Before the first drawing the first body is taken.
    """
    return {
        "bodies": {name: _surface(body) for name, body in bodies.items()},
        "colour_scale": [list(stop) for stop in heat_stops()],
    }


def _surface(body: BodyTemplate) -> dict:
    """Triangles and parts of the full surface and of the network's mesh, how the one is made of the other,
    names and colours of the parts, bones as pairs of joints."""
    upsampling = body.upsampling
    rows, columns = upsampling.indices().numpy()
    return {
        "full": {
            "faces": _pack(body.full_faces.numpy(), np.uint16),
            "parts": _pack(body.full_vertex_parts.numpy(), np.uint8),
        },
        "template": {
            "faces": _pack(body.faces.numpy(), np.uint16),
            "parts": _pack(body.vertex_parts.numpy(), np.uint8),
        },
        "upsampling": {
            "counts": _pack(np.bincount(rows, minlength=upsampling.shape[0]), np.uint8),
            "columns": _pack(columns, np.uint16),
            "weights": _pack(upsampling.values().numpy(), np.float32),
        },
        "part_names": list(body.part_names),
        "part_colours": ["#{:02x}{:02x}{:02x}".format(*colour) for colour in body.part_colours],
        "bones": [[body.joint_index(name) for name in bone] for bone in bones_of(body)],
    }


def drawing(
    person: str, panes: Sequence[Pane], layouts: Sequence[Layout], lab: dict, body: str = "anny"
) -> dict:
    """What the scripts draw, the component's value.

    person: a token; with a new one the camera goes back to the front. lab: the regulariser's settings that
    the panes were computed under, {"enabled", "iterations", "strength", "operator"}. body: whose surface the
    panes show, as `surfaces` was given its name. Raises ValueError for a layout that cannot be shown.
    """
    names = [pane.name for pane in panes]
    for layout in layouts:
        if not 1 <= len(layout.panes) <= MOST_PANES:
            raise ValueError(
                f"Layout {layout.name!r} has {len(layout.panes)} panes: give it 1 to {MOST_PANES}."
            )
        unknown = [name for name in layout.panes if name not in names]
        if unknown:
            raise ValueError(f"Layout {layout.name!r} names {unknown[0]!r}: choose from {', '.join(names)}.")
    if not layouts:
        raise ValueError("There is no layout: give at least one.")
    return {
        "person": person,
        "body": body,
        "panes": [_packed_pane(pane) for pane in panes],
        "layouts": [{"name": one.name, "title": one.title, "panes": list(one.panes)} for one in layouts],
        "lab": {name: lab[name] for name in ("enabled", "iterations", "strength", "operator")},
    }


def _packed_pane(pane: Pane) -> dict:
    shade = pane.shade
    return {
        "name": pane.name,
        "title": pane.title,
        "sentence": pane.sentence,
        "vertices": _pack(pane.vertices, np.float32),
        "raw": None if pane.raw is None else _pack(pane.raw, np.float32),
        "colour": pane.colour,
        "opacity": pane.opacity,
        "always_shaded": pane.always_shaded,
        "shade": None if shade is None else {
            "values": _pack(shade.values, np.float32), "limit": float(shade.limit), "title": shade.title,
        },
        "skeletons": [
            {"name": one.name, "colour": one.colour, "joints": _pack(one.joints, np.float32)}
            for one in pane.skeletons
        ],
    }  # fmt: skip


def _group(label: str, kind: str, buttons: Sequence[tuple[str, str]]) -> str:
    # A camera button acts; all others stay pressed, until scripts say otherwise the first of a choice.
    def pressed(index: int) -> str:
        if kind == "camera":
            return ""
        return f' aria-pressed="{"true" if kind != "toggle" and index == 0 else "false"}"'

    inner = "".join(
        f'<button type="button" data-choice="{kind}" data-value="{value}"{pressed(index)}>{title}</button>'
        for index, (value, title) in enumerate(buttons)
    )
    return f'<div class="choices" role="group" aria-label="{label}">{inner}</div>'


def _card(gradient: str, is_hidden: bool) -> str:
    return (
        f'<figure class="card pane"{" hidden" if is_hidden else ""}><figcaption><h3></h3></figcaption>'
        '<div class="plot" tabindex="0" role="application" aria-label="3D view, empty"><canvas></canvas>'
        '<p class="hint">The surface will stand here.</p></div>'
        '<div class="colour-bar" role="img"><p class="bar-title"></p><div class="gradient" '
        f'style="background:linear-gradient(90deg, {gradient})"></div>'
        f'<div class="ticks">{"<span></span>" * TICKS}</div></div>'
        '<p class="caption"></p></figure>'
    )


def _pack(values: np.ndarray, dtype: type) -> str:
    """Base64 of the array's bytes, little-endian, row by row."""
    little_endian = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(little_endian.tobytes()).decode()
