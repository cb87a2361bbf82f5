"""Where the camera stands and what it takes in: near and far, whole people and close-ups.

The stage frame has its origin on the ground under the person's root: x to the camera's right, y up, z
away from the camera along the ground, metres; it is turned a little so that walls are seen askew.
"""

from dataclasses import dataclass

import numpy as np

from hmnet.body.template import load_body

NEAREST = 0.5
"""No part of a person comes nearer to the lens than this, m."""
FRAMINGS = {
    "whole": 0.66, "small": 0.05, "knees up": 0.1, "upper body": 0.07, "portrait": 0.025, "one side": 0.055,
    "feet cut": 0.04,
}  # fmt: skip
"""How often each framing is met."""
_UPPER = (
    "pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow",
)  # fmt: skip
_KEPT = {
    "knees up": (*_UPPER, "left_hip", "right_hip", "left_knee", "right_knee"),
    "upper body": _UPPER,
    "portrait": ("neck", "head", "left_shoulder", "right_shoulder"),
    "feet cut": (*_UPPER, "left_knee", "right_knee", "left_ankle", "right_ankle"),
}


@dataclass(frozen=True)
class View:
    """A camera and the ground it stands on.

    focal: px. centre: (2,) px, where the person's root appears. distance: m to the root. size: px of the
    square picture. axes: (3, 3) rows are the stage's x, y, z in the camera frame. ground: m, height of the
    ground above the root (negative). turn: rad that the stage is turned from facing the camera squarely.
    """

    focal: float
    centre: np.ndarray
    distance: float
    size: int
    axes: np.ndarray
    ground: float
    turn: float

    def project(self, points: np.ndarray, zoom: float = 1) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, 2) and depths (N,) m, both float32, of root-relative points in the camera frame."""
        depth = points[:, 2] + self.distance
        pixels = points[:, :2] * (self.focal * zoom / depth)[:, None] + (self.centre * zoom).astype(
            np.float32
        )
        return pixels.astype(np.float32), depth.astype(np.float32)

    def to_stage(self, points: np.ndarray) -> np.ndarray:
        """Root-relative camera-frame points (N, 3) in the stage frame."""
        return points @ self.axes.T - [0, self.ground, 0]

    def from_stage(self, points: np.ndarray) -> np.ndarray:
        """Stage points (N, 3) in the root-relative camera frame."""
        return points @ self.axes + self.ground * self.axes[1]

    @property
    def eye(self) -> np.ndarray:
        """Where the camera is on the stage, (3,) m."""
        return self.to_stage(np.array([[0.0, 0.0, -self.distance]]))[0]

    @property
    def rays(self) -> np.ndarray:
        """(3, 3) that turns a pixel (x, y, 1) into the stage direction gained per metre of depth."""
        x, y = self.centre
        lens = np.array(
            [[1 / self.focal, 0, -x / self.focal], [0, 1 / self.focal, -y / self.focal], [0, 0, 1]]
        )
        return self.axes @ lens


def stage_axes(up: np.ndarray, turn: float = 0.0) -> np.ndarray:
    """Rows x, y, z of the stage in the camera frame, for a unit up (3,) and a turn (rad) about it."""
    away = np.array([0.0, 0.0, 1.0]) - up[2] * up
    if np.linalg.norm(away) < 0.1:
        away = np.array([0.0, -1.0, 0.0]) + up[1] * up
    away /= np.linalg.norm(away)
    side = np.cross(-up, away)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([c * side - s * away, up, c * away + s * side])


def extent(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest (D,) of points (N, D): column by column, many times faster than over rows."""
    columns = [np.ascontiguousarray(points[:, k]) for k in range(points.shape[1])]
    return np.array([c.min() for c in columns]), np.array([c.max() for c in columns])


def choose_view(
    vertices: np.ndarray, joints: np.ndarray, up: np.ndarray, generator: np.random.Generator, size: int
) -> View:
    """A camera for a person with those vertices (N, 3) and joints (J, 3), root-relative camera frame."""
    distance = np.exp(generator.uniform(np.log(1.2), np.log(12)))
    distance = float(max(distance, NEAREST - vertices[:, 2].min()))
    framing = generator.choice(list(FRAMINGS), p=np.array(list(FRAMINGS.values())) / sum(FRAMINGS.values()))
    flat = vertices[:, :2] / (vertices[:, 2:] + distance)
    low, high = extent(flat)
    if framing in _KEPT:
        names = load_body().joint_names
        kept = joints[[names.index(name) for name in _KEPT[framing]]]
        kept = kept[:, :2] / (kept[:, 2:] + distance)
        around = generator.uniform(0.12, 0.3) / distance
        low, high = np.maximum(kept.min(0) - around, low), np.minimum(kept.max(0) + around, high)
    share = 0.6 + 0.36 * generator.beta(2.2, 1.4)
    if framing == "small":
        share = generator.uniform(0.28, 0.6)
    elif framing in _KEPT:
        share = generator.uniform(0.85, 1.1)
    focal = share * size / max((high - low).max(), 1e-3)
    middle, spare = (low + high) / 2, max(0.5 * (1 - share), 0.02) * size
    shift = np.clip(generator.normal(0, 0.45, 2), -1, 1) * spare
    if framing == "one side":
        # The frame's edge cuts off up to a third of the person.
        beyond = generator.uniform(0.08, 0.36) * (high - low)[0] * focal
        shift[0] = generator.choice([-1, 1]) * (size / 2 - (high - low)[0] * focal / 2 + beyond)
    turn = float(np.clip(generator.normal(0, 0.35), -0.75, 0.75))
    centre, ground = size / 2 - middle * focal + shift, float((vertices @ up.astype(np.float32)).min())
    return View(float(focal), centre, float(distance), size, stage_axes(up, turn), ground, turn)
