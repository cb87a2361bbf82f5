"""The linked 3D view: raw mesh, regularised mesh and heatmap under one camera.

plotly.js comes from the pip package `plotly` and is served by this app itself; `viewer.js` draws with it.
Everything is in the camera frame (y down, z away): the view's camera looks along +z with -y up, so no
vertex is converted.
"""

import base64
from pathlib import Path

import numpy as np
import plotly
import torch

from demo.captions import VIEWS
from demo.figures import heat_stops
from demo.handlers import Heat, Session
from hmnet.body import PART_NAMES, BodyTemplate

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPT = Path(__file__).with_name("viewer.js").read_text(encoding="utf-8")
TICKS = 5
MARGIN = 1.1
"""Side of the shown cube over the mesh's longest side."""


def page_markup() -> str:
    """The three cards, their camera buttons and the colour bar; filled by viewer.js."""
    gradient = ", ".join(f"{colour} {100 * at:.0f}%" for at, colour in heat_stops())
    cards = []
    for name, (title, sentence) in VIEWS.items():
        bar = ""
        if name == "heat":
            bar = (
                '<div class="colour-bar" role="img" aria-label="Colour bar in millimetres">'
                f'<div class="gradient" style="background:linear-gradient(90deg, {gradient})"></div>'
                f'<div class="ticks">{"<span></span>" * TICKS}</div></div>'
            )
        cards.append(
            f'<figure class="card view" data-view="{name}"><figcaption><h3>{title}</h3></figcaption>'
            f'<div class="plot" tabindex="0" role="application" aria-label="{title} in 3D: arrow keys turn, '
            f'plus and minus zoom, Home resets"></div>{bar}'
            f'<p class="caption">{sentence}</p></figure>'
        )
    cameras = "".join(
        f'<button type="button" data-camera="{name}">{name.capitalize()}</button>'
        for name in ("front", "side", "back", "top")
    )
    meshes = "".join(
        f'<button type="button" data-mesh="{name}" aria-pressed="{pressed}">{title}</button>'
        for name, title, pressed in (("full", "Full surface", "true"), ("template", "Network mesh", "false"))
    )
    return (
        '<div class="viewer-bar"><h2>In 3D</h2>'
        f'<div class="choices" role="group" aria-label="Mesh">{meshes}</div>'
        f'<div class="choices" role="group" aria-label="Camera">{cameras}</div>'
        "<p>One camera for all three: drag to turn, scroll to zoom, shift-drag to move.</p></div>"
        f'<div class="views">{"".join(cards)}</div>'
    )


def surfaces(body: BodyTemplate) -> dict:
    """What never changes: triangles and parts of the full surface and of the network's mesh, the colours."""
    return {
        "full": {
            "faces": _pack(body.full_faces.numpy().T, np.uint16),
            "parts": _pack(body.full_vertex_parts.numpy(), np.uint8),
        },
        "template": {
            "faces": _pack(body.faces.numpy().T, np.uint16),
            "parts": _pack(body.vertex_parts.numpy(), np.uint8),
        },
        "part_names": list(PART_NAMES),
        "colour_scale": [list(stop) for stop in heat_stops()],
    }


def drawing(session: Session, heat: Heat, body: BodyTemplate) -> dict:
    """What viewer.js draws: raw and regularised vertices (3, V) in metres and the heat (V,) in mm, each for
    the full surface and for the network's own mesh, and the cube to show."""
    raw = torch.as_tensor(session.prediction.raw_vertices)
    regularised = torch.as_tensor(session.prediction.vertices)
    values = torch.as_tensor(heat.values)[:, None]
    # The cube follows the raw mesh, which no control changes: the picture does not jump under a slider.
    low, high = raw.min(0).values, raw.max(0).values
    side = float((high - low).max())
    return {
        "full": _packed_mesh(body.upsample(raw), body.upsample(regularised), _spread(values, body)),
        "template": _packed_mesh(raw, regularised, values),
        "limit": heat.limit,
        "kind": heat.kind,
        "sentence": heat.sentence,
        "centre": ((low + high) / 2).tolist(),
        "extent": ((high - low) / (MARGIN * side)).tolist(),
        "half": MARGIN * side / 2,
    }


def _spread(values: torch.Tensor, body: BodyTemplate) -> torch.Tensor:
    """Values (V, 1) on the full surface (U, 1), never beyond their range as vertices may be."""
    upsampling = body.upsampling
    weights = torch.sparse_coo_tensor(
        upsampling.indices(), upsampling.values().abs(), upsampling.shape, check_invariants=True
    )
    return (weights @ values) / (weights @ torch.ones_like(values))


def _packed_mesh(raw: torch.Tensor, regularised: torch.Tensor, heat: torch.Tensor) -> dict:
    return {
        "raw": _pack(raw.numpy().T, np.float32),
        "regularised": _pack(regularised.numpy().T, np.float32),
        "heat": _pack(heat.numpy()[:, 0], np.float32),
    }


def _pack(values: np.ndarray, dtype: type) -> str:
    """Base64 of the array's bytes, little-endian, row by row."""
    little_endian = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(little_endian.tobytes()).decode()
