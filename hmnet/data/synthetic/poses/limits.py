"""What a body can do: how far each joint turns."""

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.poses.skeleton import JOINT_NAMES, rest_positions

BOX_DEGREES = {
    "spine1": ((-20, 35), (-20, 20), (-20, 20)),
    "spine2": ((-20, 35), (-20, 20), (-20, 20)),
    "spine3": ((-20, 35), (-20, 20), (-20, 20)),
    "neck": ((-30, 35), (-40, 40), (-25, 25)),
    "head": ((-30, 35), (-40, 40), (-25, 25)),
    "hip": ((-150, 60), (-80, 80), (-80, 80)),
    "ankle": ((-35, 65), (-30, 30), (-25, 25)),
    "foot": ((-10, 10), (-5, 5), (-5, 5)),
    "hand": ((-10, 10), (-10, 10), (-10, 10)),
}
"""Bounds on each component of a joint's rotation vector; + about x bends the spine forward,
a hip back and an ankle down."""
MOST_DEGREES = {"collar": 32, "shoulder": 150, "wrist": 85}
"""Bounds on the whole angle of joints that turn every way."""
KNEE_BEND_DEGREES, KNEE_ASIDE_DEGREES = (-10, 150), 14
ELBOW_BEND_DEGREES, ELBOW_ROLL_DEGREES, ELBOW_ASIDE_DEGREES = (-46, 108), 75, 8
"""Measured from the rest pose, whose knees are bent by 8 degrees and whose elbows by 42."""


def clamp(poses: np.ndarray) -> np.ndarray:
    """The poses (T, 24, 3) with every joint within its limits; the pelvis turns freely."""
    out = poses.copy()
    for index, name in enumerate(JOINT_NAMES):
        kind = name.removeprefix("left_").removeprefix("right_")
        if kind in BOX_DEGREES:
            low, high = np.radians(np.array(BOX_DEGREES[kind], float)).T
            out[:, index] = np.clip(out[:, index], low, high)
        elif kind in MOST_DEGREES:
            angle = np.linalg.norm(out[:, index], axis=-1, keepdims=True)
            out[:, index] *= np.minimum(1, np.radians(MOST_DEGREES[kind]) / np.maximum(angle, 1e-9))
        elif kind in ("knee", "elbow"):
            out[:, index] = _hinged(out[:, index], name, kind)
    return out


def _hinged(rotations: np.ndarray, name: str, kind: str) -> np.ndarray:
    """Bend, roll and sideways parts of a hinge's rotation vectors (T, 3), each within its bounds."""
    rest = rest_positions()
    side = name.split("_")[0]
    if kind == "knee":
        axis, along = np.array([1.0, 0.0, 0.0]), rest[f"{side}_ankle"] - rest[name]
        bend, roll, aside = KNEE_BEND_DEGREES, KNEE_ASIDE_DEGREES, KNEE_ASIDE_DEGREES
    else:
        along = rest[f"{side}_wrist"] - rest[name]
        axis = np.cross(rest[name] - rest[f"{side}_shoulder"], along)
        bend, roll, aside = ELBOW_BEND_DEGREES, ELBOW_ROLL_DEGREES, ELBOW_ASIDE_DEGREES
    axis = axis / np.linalg.norm(axis)
    along = along - axis * (along @ axis)
    along = along / np.linalg.norm(along)
    axes = np.stack([axis, along, np.cross(axis, along)])
    # Hinge first, then roll about the lower bone: a forearm that turns over does not change its bend.
    quaternion = Rotation.from_rotvec(rotations).as_quat()
    angle = 2 * np.arctan2(quaternion[:, :3] @ axis, quaternion[:, 3])
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    hinge = Rotation.from_rotvec(angle[:, None] * axis)
    other = (hinge.inv() * Rotation.from_rotvec(rotations)).as_rotvec() @ axes.T
    bounds = np.radians([1.0, roll, aside])
    other = np.clip(other, -bounds, bounds) @ axes
    hinge = Rotation.from_rotvec(np.clip(angle, *np.radians(bend))[:, None] * axis)
    return (hinge * Rotation.from_rotvec(other)).as_rotvec()
