"""What a tailor would measure of a posed mesh: stature, girths, and which sex they speak for.

All are lengths along the body, so that bending a joint changes them little: a person's measures are those of
the posed mesh, and a prediction's are compared with those of the true mesh in the same pose.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from hmnet.body import PART_NAMES, BodyTemplate

GIRTHS = {"chest": ("spine3", "spine3"), "waist": ("spine1", "spine2"), "hips": ("left_hip", "right_hip")}
"""The tape runs level through the middle of these two joints of the template."""
TRUNK = ("torso", "upper leg")
SPINE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
LEG = ("hip", "knee", "ankle")
ARM = ("shoulder", "elbow", "wrist")
CROWN = 5
"""Vertices at the top of the template's head whose mean is the crown."""
MEASURES = ("stature", *GIRTHS, "leg", "arm", "shoulder width", "hip width", "head")


@dataclass(frozen=True)
class Tape:
    """A closed line round a mesh: T straight pieces, one in each triangle that it crosses.

    edges: (T, 2, 2) vertex indices, the two edges of the triangle that are cut. place: (T, 2) in [0, 1], how
    far along them.
    """

    edges: np.ndarray
    place: np.ndarray

    def length(self, vertices: Tensor) -> Tensor:
        """Length (...,) of the tape on a deformed mesh (..., V, 3), in its unit."""
        place = torch.from_numpy(self.place).to(vertices)[..., None]
        first, second = (vertices[..., torch.from_numpy(self.edges[..., end]), :] for end in (0, 1))
        points = torch.lerp(first, second, place)
        return (points[..., 0, :] - points[..., 1, :]).norm(dim=-1).sum(-1)


def level_tape(vertices: np.ndarray, faces: np.ndarray, height: float) -> Tape:
    """The tape in the plane y = height of a mesh (V, 3), over those of its faces (F, 3) that are given."""
    above = vertices[faces, 1] < height
    crossed = faces[above.any(1) & ~above.all(1)]
    sides = np.stack([crossed, np.roll(crossed, -1, 1)], -1)
    y = vertices[sides, 1]
    cut = (y[..., 0] < height) != (y[..., 1] < height)
    # A triangle that the plane crosses has exactly two edges that it cuts.
    edges = sides[cut].reshape(-1, 2, 2)
    y = vertices[edges, 1]
    return Tape(edges, (height - y[..., 0]) / (y[..., 1] - y[..., 0]))


class Tailor:
    """Takes the MEASURES of meshes of one body template."""

    def __init__(self, body: BodyTemplate) -> None:
        self.body = body

    @cached_property
    def tapes(self) -> dict[str, Tape]:
        """One of each of GIRTHS."""
        body = self.body
        trunk = [i for i, name in enumerate(PART_NAMES) if any(word in name for word in TRUNK)]
        faces = body.faces[torch.isin(body.face_parts, torch.tensor(trunk))].numpy()
        vertices = body.vertices.numpy()
        joints = body.regress_joints(body.vertices).numpy()
        heights = {
            name: np.mean([joints[body.joint_index(joint), 1] for joint in pair])
            for name, pair in GIRTHS.items()
        }
        return {name: level_tape(vertices, faces, float(y)) for name, y in heights.items()}

    @cached_property
    def _crown(self) -> Tensor:
        return self.body.vertices[:, 1].argsort()[:CROWN]

    def measure(self, vertices: Tensor) -> Tensor:
        """MEASURES (B, M) in metres of vertices (B, V, 3) in metres.

        stature: heel to ankle, knee and hip (the mean of both sides), up the spine to the crown; it is the
        length of the path, so a little more than a standing person's height.
        """
        joints = self.body.regress_joints(vertices)
        heels = [
            self.body.regress_keypoints(vertices)[:, self.body.keypoint_index(f"{side}_heel")]
            for side in ("left", "right")
        ]
        at = {name: joints[:, index] for index, name in enumerate(self.body.joint_names)}
        crown = vertices[:, self._crown].mean(1)
        leg, arm = (
            (_path(at, [f"left_{j}" for j in limb]) + _path(at, [f"right_{j}" for j in limb])) / 2
            for limb in (LEG, ARM)
        )
        foot = (_length(heels[0], at["left_ankle"]) + _length(heels[1], at["right_ankle"])) / 2
        head = _length(at["neck"], at["head"]) + _length(at["head"], crown)
        stature = foot + leg + _path(at, SPINE) + _length(at["head"], crown)
        girths = [tape.length(vertices) for tape in self.tapes.values()]
        shoulders, hips = (_length(at[f"left_{j}"], at[f"right_{j}"]) for j in ("shoulder", "hip"))
        return torch.stack([stature, *girths, leg, arm, shoulders, hips, head], 1)


@dataclass(frozen=True)
class SexFromMeasures:
    """Anny's gender, 0 male to 1 female, as a linear function of the logarithms of MEASURES.

    weights: (M + 1,), the constant last. Logarithms, so that proportions count whatever the person's size.
    """

    weights: np.ndarray

    @classmethod
    def fit(cls, measures: Tensor, gender: np.ndarray) -> "SexFromMeasures":
        """Least squares over bodies with known gender: measures (N, M) m, gender (N,) in [0, 1]."""
        return cls(np.linalg.lstsq(_terms(measures), gender, rcond=None)[0])

    def __call__(self, measures: Tensor) -> np.ndarray:
        """Gender (N,) of measures (N, M) m; above 0.5 speaks for a woman."""
        return _terms(measures) @ self.weights


def _terms(measures: Tensor) -> np.ndarray:
    logarithms = measures.double().log().numpy()
    return np.concatenate([logarithms, np.ones((len(logarithms), 1))], 1)


def _path(at: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    return sum(_length(at[a], at[b]) for a, b in itertools.pairwise(names))


def _length(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).norm(dim=-1)
