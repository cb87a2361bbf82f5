"""What one visitor looks at, and what turns one such state into the next; without Gradio."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from secrets import token_hex

import numpy as np

from demo.bodies import surface_name
from demo.examples import Example
from demo.part_change import PartChange, change_parts
from hmnet.body import BodyTemplate
from hmnet.comparison import Answer, Comparison
from hmnet.data.crop import extract_labels
from hmnet.mesh import MeshTopology
from hmnet.person_box import check_box
from hmnet.predictor import Prediction, Predictor

NO_CHANGE = PartChange()


@dataclass(frozen=True)
class Models:
    """The networks behind the page: HMNet with its segmenter, and the paper's other variants."""

    predictor: Predictor
    comparison: Comparison


@dataclass(frozen=True)
class Lab:
    """Settings of the regulariser: on or off, how often, how strongly (0..1), which of OPERATORS."""

    enabled: bool = True
    iterations: int = 1
    strength: float = 1.0
    operator: str = "average"


@dataclass(frozen=True)
class Session:
    """The person, or the hand, that a visitor looks at.

    prediction: what is shown, with the lab's settings and the change of the part map. untouched: the same
    with the lab's settings alone. example: of a rendered photo, its truth. true_labels: (S, S) uint8, the
    true part ids over the crop, where they are known. variants: the other variants' answers, by name, to the
    untouched part map. token: another one for another person.
    """

    prediction: Prediction
    untouched: Prediction
    example: Example | None
    true_labels: np.ndarray | None
    variants: dict[str, Answer]
    lab: Lab = Lab()
    change: PartChange = NO_CHANGE
    token: str = field(default_factory=lambda: token_hex(4))

    @property
    def body(self) -> BodyTemplate:
        """The template of what is shown."""
        return self.prediction.body

    @property
    def side(self) -> str | None:
        """Of a hand "left" or "right", of a person None."""
        return self.prediction.side

    @property
    def body_name(self) -> str:
        """What the page calls the shown surface, see `demo.bodies.surface_name`."""
        return surface_name(self.body, self.side)

    @property
    def topology(self) -> MeshTopology:
        """Of the body's template."""
        return topology_of(self.body)


@lru_cache(maxsize=8)
def topology_of(body: BodyTemplate) -> MeshTopology:
    """The body's edges and neighbours, made once."""
    return MeshTopology.from_faces(body.faces, len(body.vertices))


def reconstruct(
    models: Models,
    photo: Path | np.ndarray,
    example: Example | None = None,
    lab: Lab = Lab(),
    box: Sequence[float] | np.ndarray | None = None,
    side: str | None = None,
) -> Session:
    """Runs the networks on a photo. Raises HMNetError for what is not a usable photo of a person.

    side: "left" or "right", of a hand that is to be taken for such a one.
    """
    return _begin(models, predict(models, photo, box, side), example, lab)


def predict(
    models: Models,
    photo: Path | np.ndarray,
    box: Sequence[float] | np.ndarray | None = None,
    side: str | None = None,
) -> Prediction:
    """What the networks say of a photo; only those of hands may be told a side."""
    said = {} if side is None else {"side": side}
    return models.predictor.predict(photo, box, **said)


def choose(models: Models, session: Session, point: tuple[float, float]) -> Session | None:
    """Runs the networks on the person at a point, in px of the upright photo; None where nobody else is.

    Of several boxes around the point the smallest counts.
    """
    prediction = session.prediction
    x, y = point
    around = [p for p in prediction.people if p.box[0] <= x <= p.box[2] and p.box[1] <= y <= p.box[3]]
    if not around:
        return None
    box = min(around, key=lambda person: np.prod(person.box[2:] - person.box[:2])).box
    return None if np.allclose(box, prediction.box, atol=1) else move_box(models, session, box)


def move_box(
    models: Models, session: Session, box: Sequence[float] | np.ndarray, side: str | None = None
) -> Session:
    """Runs the networks on another box, (4,) xyxy in px of the upright photo; the people found are kept.

    An example's truth is kept where the box still holds most of its person. Raises BoxError and
    NoPersonFoundError.
    """
    prediction = session.prediction
    # The session keeps a large photo at a smaller size: from here on that is the photo.
    scale = prediction.image.shape[1] / prediction.photo_size[0]
    box = check_box(box, prediction.photo_size)
    found = predict(models, prediction.image, box * scale, side)
    people = tuple(replace(person, box=person.box * scale) for person in prediction.people)
    example = session.example
    if example is not None and _share_inside(example.part_map > 0, box) < 0.5:
        example = None
    return _begin(models, replace(found, people=people), example, session.lab)


def again(models: Models, session: Session, side: str | None = None) -> Session:
    """Runs the networks once more on what is shown."""
    if session.example is not None:
        return reconstruct(models, session.example.photo, session.example, session.lab, side=side)
    return move_box(models, session, session.prediction.box, side)


def switch(models: Models, session: Session, side: str | None = None) -> Session:
    """Runs the networks of the other kind, of hands or of people, on the photo that is shown."""
    return reconstruct(models, session.prediction.image, None, session.lab, side=side)


def regularise(models: Models, session: Session, lab: Lab) -> Session:
    """The session under other settings of the regulariser; the networks do not run."""
    prediction, untouched = (
        _regularised(models, one, lab) for one in (session.prediction, session.untouched)
    )
    return replace(session, prediction=prediction, untouched=untouched, lab=lab)


def break_parts(models: Models, session: Session, change: PartChange) -> Session:
    """The session with another change of the part map; HMNet runs on it, the segmenter does not."""
    labels = change_parts(session.untouched.labels, session.true_labels, change, session.body)
    if np.array_equal(labels, session.untouched.labels):
        return replace(session, prediction=session.untouched, change=change)
    changed = models.predictor.with_parts(session.untouched, labels)
    return replace(session, prediction=_regularised(models, changed, session.lab), change=change)


def _begin(models: Models, prediction: Prediction, example: Example | None, lab: Lab) -> Session:
    true_labels = None
    if example is not None:
        scale = example.part_map.shape[1] / prediction.photo_size[0]
        crop = replace(prediction.crop, box=tuple(edge * scale for edge in prediction.crop.box))
        true_labels = extract_labels(example.part_map, crop, len(prediction.labels))
    variants = models.comparison.answers(prediction, true_labels)
    prediction = _regularised(models, prediction, lab)
    return Session(prediction, prediction, example, true_labels, variants, lab)


def _regularised(models: Models, prediction: Prediction, lab: Lab) -> Prediction:
    iterations = lab.iterations if lab.enabled else 0
    return models.predictor.regularise(prediction, iterations, lab.strength, lab.operator)


def _share_inside(mask: np.ndarray, box: np.ndarray) -> float:
    """Of a mask's pixels the share inside a box xyxy."""
    x0, y0, x1, y1 = box.round().astype(int).clip(0)
    return float(mask[y0:y1, x0:x1].sum() / max(mask.sum(), 1))
