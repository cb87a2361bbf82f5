# ruff: noqa: RUF001 (equations use the signs that look like letters)
"""What the page says: title, and for each panel one sentence with the equation behind it.

Equations are numbered as in the paper; f_J and f_S are the joint and the surface branch, φ_I and φ_P the
encoders of the image and of the part map, ⊕ joins their features.
"""

MASTHEAD = """<header class="masthead"><h1>HumanMeshNet</h1>
<p>One photo in, a 3D human mesh out, and every step in between: body parts, joints, raw surface,
regularised surface.</p></header>"""

PICTURES = {
    "photo": (
        "Photo and box",
        "The person box (solid) is found by itself, others are thin: click one to change; the networks see "
        "the square crop (dashed), <var>I ∈ ℝ<sup>192×192×3</sup></var>.",
        "The photo with the person box and the square crop",
    ),
    "parts": (
        "Body parts",
        "Phase 1 gives each pixel <var>p</var> one of 24 parts or the background: "
        "<var>P(p) = argmax<sub>k</sub> Pr(k | I, p)</var>.",
        "The photo with each body part in its own colour",
    ),
    "joints": (
        "Joints",
        "The joint branch’s 24 joints <var>Ĵ = f<sub>J</sub>(φ<sub>I</sub> ⊕ φ<sub>P</sub>)</var>, trained "
        "by <var>‖Ĵ − J‖</var> (Eq. 2): the person’s right is warm, the left is cool.",
        "The photo with the predicted skeleton drawn over it",
    ),
    "mesh": (
        "Mesh over the photo",
        "The regularised surface, laid over the person by the camera solved for this photo: "
        "<var>(u, v) = s · (x + t<sub>x</sub>, y + t<sub>y</sub>)</var>.",
        "The photo with the predicted mesh rendered over it",
    ),
}
"""Panel: title, sentence (HTML), alternative text."""

VIEWS = {
    "raw": (
        "Raw surface",
        "The surface branch regresses every vertex on its own, <var>V = f<sub>S</sub>(φ<sub>I</sub> ⊕ "
        "φ<sub>P</sub>)</var>, hence the ripples; training scores the averaged mesh (Eq. 1), and the raw one "
        "only a little.",
    ),
    "regularised": (
        "Regularised surface",
        "Each vertex moves to the mean of its neighbours, <var>v̂<sub>i</sub> = (1 − α) v<sub>i</sub> + "
        "α · mean<sub>j∈N(i)</sub> v<sub>j</sub></var> (Eq. 3 is α = 1, once).",
    ),
    "heat": ("Heatmap", "The distance shown for each vertex, in millimetres, appears here."),
}
"""View: title, sentence (HTML); the heatmap's are replaced by what it shows."""

LAB = "<h2>Mesh regulariser</h2><p>Acts at once on the last result: the networks do not run again.</p>"

EXAMPLES = (
    "<h2>Rendered examples</h2>"
    '<p class="caption">Their true mesh is known, so the heatmap shows the error.</p>'
)
