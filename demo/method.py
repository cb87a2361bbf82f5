# ruff: noqa: RUF001 (equations use the signs that look like letters)
"""The Method tab: the paper's pipeline and its losses, drawn from the photo that is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape

import numpy as np
import torch

from demo.bodies import words_of
from demo.method_pictures import bars, data_url, pictures
from demo.session import Lab, Session
from hmnet.body import BodyTemplate
from hmnet.losses import total_loss
from hmnet.predictor import Prediction


@dataclass(frozen=True)
class Step:
    """A box of the pipeline.

    name: of its place in the style sheet's grid, and of its picture. equation, sentence: HTML. shown: what
    its picture shows. stages: of `Prediction.timings`, those that it took.
    """

    name: str
    title: str
    equation: str
    sentence: str
    shown: str
    stages: tuple[str, ...] = ()


FEATURES = "φ<sub>I</sub> ⊕ φ<sub>P</sub>"
STEPS = (
    Step("image", "The photo, cut square", "<var>I ∈ ℝ<sup>192×192×3</sup></var>",
         "A person is found, and the square around the box is all that the networks see.",
         "The square around the person", ("read", "find_person")),
    Step("parts", "Phase 1: body parts", "<var>P(p) = argmax<sub>k</sub> Pr(k | I, p)</var>",
         "The segmenter gives each pixel one of 24 parts, or the background.",
         "The square with each body part in its own colour", ("segment",)),
    Step("seen", "Phase 2: photo encoder", "<var>φ<sub>I</sub>(I) ∈ ℝ<sup>1000</sup></var>",
         "What is seen of the person, as a thousand numbers: a bar each.",
         "The encoder’s numbers for the photo as bars"),
    Step("felt", "Phase 2: parts encoder", "<var>φ<sub>P</sub>(P) ∈ ℝ<sup>1000</sup></var>",
         "A ResNet-18 of its own sums up the part map alike.",
         "The encoder’s numbers for the part map as bars"),
    Step("joints", "Phase 3: joint branch", f"<var>Ĵ = f<sub>J</sub>({FEATURES})</var>",
         "Fully connected layers give 24 joints in 3D, trained by <var>L<sub>J</sub></var> (Eq. 2).",
         "The square with the joint branch’s skeleton"),
    Step("raw", "Phase 3: surface branch", f"<var>V = f<sub>S</sub>({FEATURES})</var>",
         "Others give the template’s 1,229 vertices, each on its own: hence the ripples.",
         "The raw mesh"),
    Step("regularised", "Regulariser",
         "<var>v̂<sub>i</sub> = mean<sub>j∈N(i)</sub> v<sub>j</sub></var> (Eq. 3)",
         "Each vertex moves to the mean of its neighbours; <var>L<sub>S</sub></var> (Eq. 1) scores that.",
         "The regularised mesh", ("regularise",)),
    Step("overlay", "Over the photo", "<var>(u, v) = s · (x + t<sub>x</sub>, y + t<sub>y</sub>)</var>",
         "The camera is solved for at the end; no network answers it.",
         "The square with the mesh laid over the person", ("camera",)),
)  # fmt: skip
"""In reading order."""
OF_HANDS = {
    "image": {
        "equation": "<var>I ∈ ℝ<sup>224×224×3</sup></var>",
        "sentence": "A hand is found, and the square around it, turned so that it points up, is all that the "
        "networks see; a left hand is shown to them in a mirror.",
        "shown": "The square around the hand",
    },
    "parts": {
        "title": "Phase 1: parts of the hand",
        "sentence": "The segmenter gives each pixel one of 16 parts, or the background.",
        "shown": "The square with each part of the hand in its own colour",
    },
    "seen": {"sentence": "What is seen of the hand, as a thousand numbers: a bar each."},
    "joints": {
        "sentence": "Fully connected layers give 21 joints in 3D, trained by <var>L<sub>J</sub></var> "
        "(Eq. 2)."
    },
    "raw": {"sentence": "Others give the template’s 778 vertices, each on its own: hence the ripples."},
    "overlay": {"shown": "The square with the mesh laid over the hand"},
}
"""What is said otherwise of a hand, by the step's name."""
ARROW = '<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M1 6h25M20.5 1 26 6l-5.5 5"/></svg>'
BOTH_WAYS = (
    '<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M7.5 1 2 6l5.5 5M2 6h24M20.5 1 26 6l-5.5 5"/></svg>'
)
ARROWS = {
    "image": ("to-parts", ARROW, ""),
    "parts": ("to-seen", ARROW, ""),
    "seen": ("to-felt", ARROW, ""),
    "joints": ("agree", BOTH_WAYS, "<var>L<sub>JS</sub></var> (Eq. 4)"),
    "raw": ("to-regularised", ARROW, ""),
    "regularised": ("to-overlay", ARROW, ""),
}
"""By the step that they come after: place in the grid, picture, what is written beside it."""
LINES = (
    '<svg viewBox="0 0 100 400" preserveAspectRatio="none" aria-hidden="true">'
    '<path d="M0 100 50 200 0 300M100 100 50 200 100 300"/></svg>'
)
LOSSES = (
    ("surface", "Surface loss, Eq. 1", "<var>L<sub>S</sub> = mean<sub>i</sub> ‖v̂<sub>i</sub> − "
     "v<sup>∗</sup><sub>i</sub>‖</var>", "Distance of each regularised vertex to its true place."),
    ("joint", "Joint loss, Eq. 2", "<var>L<sub>J</sub> = mean<sub>k</sub> ‖Ĵ<sub>k</sub> − "
     "J<sup>∗</sup><sub>k</sub>‖</var>", "Distance of the joint branch’s joints to the true ones."),
    ("surface_joint", "Joint-surface loss, Eq. 4", "<var>L<sub>JS</sub> = mean<sub>k</sub> "
     "‖Ĵ<sub>k</sub> − (R v̂)<sub>k</sub>‖</var>",
     "Distance of the joint branch’s joints to those that <var>R</var> regresses from the surface: it needs "
     "no truth."),
    ("total", "Total, Eq. 5", "<var>L = L<sub>S</sub> + λ<sub>1</sub> L<sub>J</sub> + λ<sub>2</sub> "
     "L<sub>JS</sub></var>",
     "Here with <var>λ<sub>1</sub> = λ<sub>2</sub> = 1</var>. Training sets <var>λ<sub>1</sub></var> so that "
     "<var>L<sub>S</sub></var> and <var>L<sub>J</sub></var> count alike, and "
     "<var>λ<sub>2</sub> = 0.1</var>."),
)  # fmt: skip
"""Name, title, equation, sentence."""
NOBODY = "Give the page a photo: the boxes fill with what each step makes of it."
UNKNOWN = "needs the truth, known for rendered examples only"


def method_html(
    session: Session | None, body: BodyTemplate, features: Mapping[str, np.ndarray] | None = None
) -> str:
    """The pipeline box by box, then the losses of the person who is shown; the boxes are empty for None.

    features: the encoders' vectors, (1000,) each, by "photo" and "parts"; their boxes stay empty without.
    """
    steps = _steps(body)
    shown = {} if session is None else _pictures(session, features or {}, steps)
    timings = {} if session is None else session.prediction.timings
    notes = {} if session is None else _notes(session)
    boxes = []
    for step in steps:
        boxes.append(_box(step, shown.get(step.name), _time(step.stages, timings), notes.get(step.name, "")))
        if step.name in ARROWS:
            place, picture, words = ARROWS[step.name]
            boxes.append(
                f'<div class="arrow {place}" aria-hidden="{str(not words).lower()}">{picture}{words}</div>'
            )
        if step.name == "felt":
            boxes.append(_join(_time(("reconstruct",), timings)))
    whole = _time(tuple(timings), timings)
    lead = f"From photo to mesh in {whole}, {_settings(session.lab)}." if session else NOBODY
    return (
        f'<div class="method"><div><h2>The pipeline</h2><p class="caption">{lead}</p></div>'
        f'<div class="pipeline">{"".join(boxes)}</div>{_losses(session, body)}</div>'
    )


def _steps(body: BodyTemplate) -> tuple[Step, ...]:
    """The steps as they are told of that body."""
    return tuple(replace(step, **OF_HANDS.get(step.name, {})) if body.one_sided else step for step in STEPS)


def _pictures(
    session: Session, features: Mapping[str, np.ndarray], steps: tuple[Step, ...]
) -> dict[str, str]:
    """HTML of each step's picture, where there is one."""
    alternatives = {step.name: step.shown for step in steps}
    shown = {
        name: f'<img src="{data_url(picture)}" alt="{alternatives[name]}" width="256" height="256">'
        for name, picture in pictures(session).items()
    }
    for name, source in (("seen", "photo"), ("felt", "parts")):
        if source in features:
            values = np.asarray(features[source])
            words = f"{alternatives[name]}, from {values.min():.1f} to {values.max():.1f}"
            shown[name] = f'<div class="bars" role="img" aria-label="{words}">{bars(values)}</div>'
    return shown


def _notes(session: Session) -> dict[str, str]:
    """What each step came to for this person, in a few words."""
    prediction = session.prediction
    found = len(np.unique(prediction.labels[prediction.labels > 0]))
    moved = 1000 * np.linalg.norm(prediction.vertices - prediction.raw_vertices, axis=1).mean()
    changed = prediction.labels is not session.untouched.labels
    return {
        "parts": f"{found} of {len(session.body.part_names) - 1} parts found"
        + (", map changed by you" if changed else ""),
        "regularised": f"mean move {moved:.1f} mm",
    }


def _settings(lab: Lab) -> str:
    if not lab.enabled or not lab.iterations:
        return "the regulariser off"
    times = "once" if lab.iterations == 1 else f"{lab.iterations} times"
    operator = "averaged" if lab.operator == "average" else f"smoothed by {lab.operator.capitalize()}"
    return f"{operator} {times}" + (f" at strength {lab.strength:g}" if lab.strength != 1 else "")


def _box(step: Step, picture: str | None, time: str, note: str) -> str:
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in (note, time) if fact)
    return (
        f'<figure class="step {step.name}"><figcaption><h3>{step.title}</h3></figcaption>'
        f'<div class="frame">{picture or ""}</div><p class="equation">{step.equation}</p>'
        f'<p class="caption">{step.sentence}</p><p class="facts">{facts}</p></figure>'
    )


def _join(time: str) -> str:
    """Where the two vectors become one, between the encoders and the branches."""
    took = f"<span>{time} for encoders and branches</span>" if time else ""
    return f'<div class="join">{LINES}<b aria-hidden="true">⊕</b><p>joined: 2,000 numbers{took}</p></div>'


def _time(stages: tuple[str, ...], timings: Mapping[str, float]) -> str:
    """The ms that stages took together; empty where none was measured."""
    measured = [timings[stage] for stage in stages if stage in timings]
    total = sum(measured)
    return (f"{total:.1f} ms" if total < 10 else f"{total:,.0f} ms") if measured else ""


def _losses(session: Session | None, body: BodyTemplate) -> str:
    values = {} if session is None else loss_terms(session)
    cards = []
    for name, title, equation, sentence in LOSSES:
        value = "" if session is None else f"{values[name]:.1f} mm" if name in values else UNKNOWN
        kind = "value" if name in values else "value unknown"
        cards.append(
            f'<div class="loss"><h3>{title}</h3><p class="equation">{equation}</p>'
            f'<p class="{kind}">{value}</p><p class="caption">{sentence}</p></div>'
        )
    one = words_of(body).one
    return f'<h2>What training lessens, for this {one}</h2><div class="losses">{"".join(cards)}</div>'


def loss_terms(session: Session) -> dict[str, float]:
    """The losses of what is shown, in mm: "surface", "joint", "surface_joint" and their sum "total".

    Without the truth "surface_joint" alone, which compares the prediction with itself.
    """
    prediction, truth = session.prediction, session.example
    if truth is None:
        return {"surface_joint": _terms(prediction, prediction.vertices, prediction.joints)["surface_joint"]}
    return _terms(prediction, truth.vertices, truth.joints)


def _terms(prediction: Prediction, true_vertices: np.ndarray, true_joints: np.ndarray) -> dict[str, float]:
    points = (prediction.vertices, prediction.joints, prediction.regressed_joints, true_vertices, true_joints)
    total, terms = total_loss(*(torch.as_tensor(each)[None] for each in points))
    return {name: 1000 * float(value) for name, value in {**terms, "total": total}.items()}
