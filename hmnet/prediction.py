"""What a predictor answers about one person, or one hand, in one photo."""

from dataclasses import dataclass, field, fields

import numpy as np

from hmnet.body import BodyTemplate, load_body
from hmnet.body.hand import sided_template
from hmnet.checkpoint import WeightsInfo
from hmnet.data.crop import Crop
from hmnet.people_search import Person
from hmnet.person_box import Candidate


@dataclass(frozen=True)
class Prediction:
    """What was found in one photo. Points: metres, camera frame, relative to the pelvis, or to the wrist.

    image: (H, W, 3) uint8, the upright photo, scaled down when very large. photo_size: (width, height) of the
    upright photo as it came; all other pixel values are in its pixels.
    box: (4,) xyxy, the person. crop: the square that the networks saw; a hand's is turned so that the hand
    points up, and a left hand's shown in a mirror.
    part_map: (H, W) uint8 over `image`, 0 outside the crop. labels: (S, S) uint8, the same over the crop, as
    HMNet was given it.
    joints: (J, 3) of the joint branch. regressed_joints: (J, 3) of the regularised mesh.
    raw_vertices: (V, 3) of the surface branch. vertices: (V, 3), regularised.
    camera: (3,) weak perspective s, tx, ty. named_joints: the regressed joints by name, and the body's
    keypoints whose names are not among them, (3,) each. keypoints_2d: their projections, (2,) px each.
    person: the keypoints that MoveNet sees in the crop, px of the upright photo; of a hand the landmarks that
    `hmnet.handnet` sees. seen: what HMNet's RGB encoder was given, (1, ...) or, of two views, (2, ...).
    timings: ms a stage. weights: which weights answered. people: everybody found, boxes in px of the upright
    photo; nobody where the box was given. Of hands they are `hmnet.hand_predictor.Hand`.
    body: the template that the vertices belong to; a left hand's is the right one in a mirror. side: "left"
    or "right" of a hand, None of a person.

    The template is pickled by its name and side.
    """

    image: np.ndarray
    photo_size: tuple[int, int]
    box: np.ndarray
    crop: Crop
    part_map: np.ndarray
    labels: np.ndarray
    joints: np.ndarray
    regressed_joints: np.ndarray
    raw_vertices: np.ndarray
    vertices: np.ndarray
    camera: np.ndarray
    named_joints: dict[str, np.ndarray]
    keypoints_2d: dict[str, np.ndarray]
    person: Candidate
    seen: np.ndarray
    timings: dict[str, float]
    weights: WeightsInfo
    people: tuple[Person, ...] = ()
    body: BodyTemplate = field(default_factory=load_body, repr=False)
    side: str | None = None

    @property
    def body_name(self) -> str:
        """The template's name, as `hmnet.body.load_body` takes it: "anny", "hand" and so on."""
        return self.body.name

    def __getstate__(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"body": self.body.name}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, body=sided_template(state["body"], state["side"]))
