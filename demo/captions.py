# ruff: noqa: RUF001 (equations use the signs that look like letters)
"""What the page says: title, and for each panel one sentence with the equation behind it.

Equations are numbered as in the paper; f_J and f_S are the joint and the surface branch, φ_I and φ_P the
encoders of the image and of the part map, ⊕ joins their features.
"""

from hmnet.body import BodyTemplate
from hmnet.variants import form_of

MASTHEAD = """<header class="masthead"><h1>HumanMeshNet</h1>
<p>One photo in, a 3D human mesh out, and every step in between: body parts, joints, raw surface,
regularised surface.</p><button type="button" id="start-tour">Take the tour</button></header>"""

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

HAND_PICTURES = {
    "photo": (
        "Photo and box",
        "The hand’s box (solid) is found by itself, others are thin: click one to change; the networks see "
        "the square crop (dashed), turned so that the hand points up, "
        "<var>I ∈ ℝ<sup>224×224×3</sup></var>.",
        "The photo with the hand box and the square crop",
    ),
    "parts": (
        "Parts of the hand",
        "Phase 1 gives each pixel <var>p</var> one of 16 parts or the background: "
        "<var>P(p) = argmax<sub>k</sub> Pr(k | I, p)</var>.",
        "The photo with each part of the hand in its own colour",
    ),
    "joints": (
        "Joints",
        "The joint branch’s 21 joints <var>Ĵ = f<sub>J</sub>(φ<sub>I</sub> ⊕ φ<sub>P</sub>)</var>, trained "
        "by <var>‖Ĵ − J‖</var> (Eq. 2): a colour a finger.",
        "The photo with the predicted skeleton drawn over it",
    ),
    "mesh": (
        "Mesh over the photo",
        "The regularised surface, laid over the hand by the camera solved for this photo: "
        "<var>(u, v) = s · (x + t<sub>x</sub>, y + t<sub>y</sub>)</var>.",
        "The photo with the predicted mesh rendered over it",
    ),
}
"""The same of a hand."""

PANES = {
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
    "joints": (
        "Two sets of joints",
        "The joint branch’s Ĵ (orange) and the joints regressed from the surface, <var>W V̂</var> (blue): "
        "<var>L<sub>JS</sub> = ‖Ĵ − W V̂‖</var> (Eq. 4) draws them together in training.",
    ),
    "truth": ("Ground truth", "The mesh that this example was rendered from."),
    "true-joints": (
        "Against the true joints",
        "The joint branch’s Ĵ (orange) and the true joints <var>J</var> (green): "
        "<var>L<sub>J</sub> = ‖Ĵ − J‖</var> (Eq. 2).",
    ),
    "before": ("Before", "The mesh from the part map as the segmenter gave it."),
    "after": ("After", "The mesh from the changed part map: the same weights, the same photo."),
    "change": (
        "Moved by the change",
        "Nothing is changed yet: take a limb away, swap sides or add noise above.",
    ),
}
"""Pane of the 3D view: title, sentence (HTML)."""

LESSONS = {
    "regulariser": (
        "Regulariser",
        "What the paper adds to a plain regression of vertices: averaging each with its neighbours. Move the "
        "sliders and watch; the networks do not run again.",
    ),
    "square": (
        "With and without (Fig. 8)",
        "The same encoders, trained with and without the regulariser, each shown with averaging off and on.",
    ),
    "error": (
        "Heatmap",
        "How far each vertex is from another mesh: the truth of a rendered example, a variant’s answer, a "
        "mesh of yours in this topology, or itself before averaging.",
    ),
    "parts": (
        "Break the parts",
        "HMNet sees the person as a photo and as a map of 24 parts. Spoil the map (Fig. 3 and 7) and see how "
        "much of the body it decides.",
    ),
    "joints": (
        "Joints",
        "Two branches answer: one gives joints, the other a surface from which joints follow. Where they "
        "disagree, neither is sure.",
    ),
    "variants": (
        "Variants",
        "The paper’s other networks on the same photo under the same camera, and under the same settings of "
        "the regulariser.",
    ),
}
"""Lesson: title, sentence."""

HAND_LESSONS = {
    "parts": "HMNet sees the hand as a photo and as a map of 16 parts. Spoil the map and see how much of the "
    "hand it decides.",
}
"""Lesson: the sentence of a hand, where it is another one."""
HAND_UNCHANGED = "Nothing is changed yet: take a finger away or add noise above."

LAYOUTS = {
    "regulariser": ("Regulariser", ("raw", "regularised", "heat")),
    "square": ("With and without", ("square-with-off", "square-with-on", "square-without-off",
                                    "square-without-on")),
    "error": ("Heatmap", ("truth", "regularised", "heat")),
    "parts": ("Break the parts", ("before", "after", "change")),
    "joints": ("Joints", ("joints", "true-joints")),
    "variants": ("Variants", ("variant-hmnet", "variant-hmnet-oracle", "variant-rgb-only",
                              "variant-hmnet-unregularised", "variant-hand",
                              "variant-hand-unregularised", "variant-hand-single-task")),
}  # fmt: skip
"""Lesson: title, and the panes that it shows where they are there."""

BRANCH, REGRESSED, TRUE = "Joint branch", "Regressed from the surface", "True joints"
ERROR = "Error, mm"

WAITING = '<p class="waiting" role="status"></p>'

EXPORTS = "<h2>Take it away</h2>"

EXAMPLES = (
    "<h2>Rendered examples</h2>"
    '<p class="caption">Their true mesh is known, so the heatmap shows the error.</p>'
)


def pictures_of(body: BodyTemplate) -> dict[str, tuple[str, str, str]]:
    """The panels of a body, as PICTURES."""
    return HAND_PICTURES if body.one_sided else PICTURES


def lead(lesson: str, body: BodyTemplate) -> str:
    """What a lesson begins with: its sentence (HTML)."""
    sentence = LESSONS[lesson][1]
    return f'<p class="caption lead">{HAND_LESSONS.get(lesson, sentence) if body.one_sided else sentence}</p>'


def variant(name: str) -> tuple[str, str]:
    """Title and sentence of a variant."""
    form = form_of(name)
    return form.title, form.sentence
