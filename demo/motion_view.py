"""The view of somebody who moves: the frame with the mesh over it, the mesh from another side, a time line.

The scripts in `motion/` do everything that needs no network: they draw, apply Eq. 3, smooth, and play.
"""

import json
from pathlib import Path

from demo.motion import MOST_RATE, MOST_SECONDS
from hmnet.body import BodyTemplate
from hmnet.video.smoothing import Smoothing

FOLDER = Path(__file__).with_name("motion")
SCRIPTS = ("filter", "draw", "track", "stage", "player", "camera", "page")
SCRIPT = "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
"""The component's `js_on_load`: the files one after the other, in one scope."""
TOGGLES = (
    ("regularised", "Regularised (Eq. 3)", True),
    ("smooth", "Smoothed over time", True),
    ("parts", "Part colours", False),
    ("mirrored", "Mirrored", False),
)
SPEEDS = ("0.25", "0.5", "1")


def page_markup() -> str:
    """The canvases and their controls; the scripts fill them."""
    toggles = "".join(
        f'<button type="button" data-toggle="{name}" aria-pressed="{str(is_on).lower()}">{title}</button>'
        for name, title, is_on in TOGGLES
    )
    speeds = "".join(f'<option value="{s}"{" selected" if s == "1" else ""}>{s} x</option>' for s in SPEEDS)
    return (
        '<div class="motion-view"><div class="motion-bar" role="group" aria-label="Controls of the view">'
        '<button type="button" class="primary" data-act="camera">Start camera</button>'
        f'{toggles}<label class="opacity">Mesh <input type="range" min="0" max="100" value="85" '
        'aria-label="Opacity of the mesh"></label></div>'
        '<p class="motion-say" role="status" aria-live="polite"></p>'
        '<div class="motion-stage">'
        '<figure class="card"><figcaption><h3>Mesh over the picture</h3></figcaption>'
        '<div class="frame"><canvas data-view="picture" role="img" aria-label="Nothing is shown yet">'
        "</canvas>"
        '<p class="hint">Choose a clip, or start the camera.</p></div></figure>'
        '<figure class="card"><figcaption><h3>From the side</h3></figcaption>'
        '<div class="frame"><canvas data-view="side" tabindex="0" role="img" '
        'aria-label="The mesh from another side: drag, or use the arrow keys, to turn it"></canvas></div>'
        "</figure></div>"
        '<div class="motion-time" hidden><div class="motion-bar">'
        '<button type="button" data-act="back" aria-label="One frame back">&#9664;&#xFE0E;</button>'
        '<button type="button" data-act="play">Play</button>'
        '<button type="button" data-act="on" aria-label="One frame on">&#9654;&#xFE0E;</button>'
        f'<label>Speed <select aria-label="Speed">{speeds}</select></label>'
        '<button type="button" data-toggle="loop" aria-pressed="true">Loop</button>'
        '<output class="motion-now"></output></div>'
        '<div class="motion-track"><canvas data-view="track" aria-hidden="true"></canvas>'
        '<input type="range" min="0" max="0" value="0" step="1" aria-label="Frame"></div>'
        '<p class="caption">The line: how far the joints move from frame to frame, as they come (thin) and '
        "smoothed (thick); red: nobody was found.</p></div></div>"
    )


def settings(body: BodyTemplate) -> dict:
    """What the scripts need beside the values: the limits, the filter's numbers, where the joints are."""
    joints = body.joint_regressor.to_dense().numpy()
    # A few vertices make a joint: indices and weights of those that count.
    rows = [[[int(v), round(float(row[v]), 5)] for v in row.nonzero()[0]] for row in joints]
    smoothing = Smoothing()
    return {
        "most_seconds": MOST_SECONDS,
        "most_rate": MOST_RATE,
        "filter": [smoothing.min_cutoff, smoothing.beta, smoothing.d_cutoff],
        # As text: Gradio copies every number of a page's settings, one by one, for each who opens it.
        "joints": json.dumps(rows),
    }
