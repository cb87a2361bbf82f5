"""Poses of the body from the world positions of named points, whatever rig they come from.

Only directions are used, never lengths: the torso from the hip line, the shoulder line and the spine,
the head from neck and eyes, each limb from its two directions, its twist from the plane that elbow or
knee bend in. Works in the camera frame of `skeleton`.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.poses.skeleton import JOINT_INDEX, JOINT_NAMES, LIMB_JOINTS, PARENTS, rest_positions
from hmnet.errors import DataError

REQUIRED = (*LIMB_JOINTS, "neck")
ELBOW_TRUSTED_DEGREES, KNEE_TRUSTED_DEGREES = (10.0, 30.0), (20.0, 55.0)
"""Below the first bend a limb's plane is noise, above the second it is believed entirely."""
CLAVICLE_SHARE, CLAVICLE_LIMIT_DEGREES = 0.22, 25.0


def pose_from_positions(
    positions: dict[str, np.ndarray], rest: dict[str, np.ndarray] | None = None
) -> np.ndarray:
    """Axis-angle pose (T, 24, 3) that points the body's bones as the given points do.

    positions: name -> (T, 3), any unit, camera frame. Needed: left_/right_ hip, knee, ankle, shoulder,
    elbow, wrist, and neck. Used where given: chest (the middle of the spine), head with left_eye and
    right_eye, and per side foot (the ball), hand (the middle knuckle), index and little (knuckles).
    rest: the same names -> (3,) for the source rig standing upright, facing the viewer; it says what
    "level" means for its torso, head and feet. None: this body's own rest.
    Raises DataError when a needed point is missing.
    """
    missing = [name for name in REQUIRED if name not in positions]
    if missing:
        raise DataError(f"Expected the points {', '.join(REQUIRED)}; missing: {', '.join(missing)}.")
    points = {name: np.asarray(value, float) for name, value in positions.items()}
    own = _with_chest(dict(rest_positions()))
    upright = own if rest is None else _with_chest(dict(rest))
    world = _torso_and_head(_with_chest(points), upright, own)
    for side in ("left", "right"):
        _leg(points, upright, own, world, side)
        _arm(points, own, world, side)
    return _local(world)


def _with_chest(points: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    points["hips"] = (points["left_hip"] + points["right_hip"]) / 2
    shoulders = (points["left_shoulder"] + points["right_shoulder"]) / 2
    if "chest" not in points:
        points["chest"] = points.get("spine2", (points["hips"] + shoulders) / 2)
    return points


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Right-handed axes (..., 3, 3) as columns: first, then second made perpendicular to it."""
    x = _unit(first)
    z = _unit(np.cross(x, second))
    return np.stack([x, np.cross(z, x), z], -1)


def _turn(
    first: np.ndarray, second: np.ndarray, rest_first: np.ndarray, rest_second: np.ndarray
) -> np.ndarray:
    """Rotations (T, 3, 3) that carry the rest pair of directions to the given one."""
    return _frame(first, second) @ np.swapaxes(_frame(rest_first, rest_second), -1, -2)


def _swing(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Smallest rotations (T, 3, 3) that carry the directions source to target, both (T, 3)."""
    source, target = _unit(source), _unit(target)
    axis = np.cross(source, target)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine, (source * target).sum(-1, keepdims=True))
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-9) * angle).as_matrix()


def _share(rotations: np.ndarray, share: float) -> np.ndarray:
    return Rotation.from_rotvec(Rotation.from_matrix(rotations).as_rotvec() * share).as_matrix()


def _transposed(rotations: np.ndarray) -> np.ndarray:
    return np.swapaxes(rotations, -1, -2)


def _torso_and_head(points, upright, own) -> dict[str, np.ndarray]:
    """World rotations of pelvis, spine, neck and head."""

    def line(p, name):
        return p[f"left_{name}"] - p[f"right_{name}"]

    pelvis = _turn(
        line(points, "hip"), points["chest"] - points["hips"],
        line(upright, "hip"), upright["chest"] - upright["hips"],
    )  # fmt: skip
    # A raised arm drags its shoulder along, so the hip line keeps a say in where the chest looks.
    across = _unit(line(points, "shoulder")) + 0.25 * _unit(line(points, "hip"))
    chest = _turn(
        points["neck"] - points["chest"], across,
        upright["neck"] - upright["chest"], np.array([1.0, 0.0, 0.0]),
    )  # fmt: skip
    step = _share(_transposed(pelvis) @ chest, 1 / 3)
    world = {"pelvis": pelvis, "spine1": pelvis @ step, "spine2": pelvis @ step @ step, "spine3": chest}
    head = chest
    if "left_eye" in points and "head" in points:
        looking = (points["left_eye"] + points["right_eye"]) / 2 - points["head"]
        rest_looking = (upright["left_eye"] + upright["right_eye"]) / 2 - upright["head"]
        head = _turn(line(points, "eye"), looking, line(upright, "eye"), rest_looking)
    elif "head" in points:
        up = np.broadcast_to(upright["head"] - upright["neck"], points["neck"].shape)
        head = _swing((chest @ up[..., None])[..., 0], points["head"] - points["neck"]) @ chest
    world["neck"] = chest @ _share(_transposed(chest) @ head, 0.5)
    world["head"] = head
    return world


def _hinge(upper, lower, fallback, trusted_degrees):
    """Unit normals (T, 3) of the plane a limb bends in; the fallback where it is nearly straight."""
    normal = np.cross(_unit(upper), _unit(lower))
    bend = np.degrees(np.arctan2(np.linalg.norm(normal, axis=-1), (_unit(upper) * _unit(lower)).sum(-1)))
    low, high = trusted_degrees
    trust = np.clip((bend - low) / (high - low), 0, 1)[:, None]
    fallback = _unit(fallback - _unit(upper) * (fallback * _unit(upper)).sum(-1, keepdims=True))
    return trust, _unit(trust * _unit(normal) + (1 - trust) * fallback), fallback


def _leg(points, upright, own, world, side) -> None:
    hip, knee, ankle = (points[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    rest = {name: own[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot")}
    upper, lower = knee - hip, ankle - knee
    rest_upper, rest_lower = rest["knee"] - rest["hip"], rest["ankle"] - rest["knee"]
    across = np.array([1.0, 0.0, 0.0])
    foot = points.get(f"{side}_foot")
    swung = _swing((world["pelvis"] @ np.broadcast_to(rest_upper, upper.shape)[..., None])[..., 0], upper)
    fallback = (swung @ world["pelvis"] @ across[:, None])[..., 0]
    if foot is not None:
        # A straight leg points its knee where the foot points: the axis is across both.
        fallback = 0.3 * fallback + _unit(np.cross(foot - ankle, lower))
    trust, normal, fallback = _hinge(upper, lower, fallback, KNEE_TRUSTED_DEGREES)
    # Knees bend one way only: a plane that says otherwise comes from a locked knee.
    wrong = ((normal * fallback).sum(-1, keepdims=True) < -0.2) & (trust < 1)
    normal = np.where(wrong, fallback, normal)
    world[f"{side}_hip"] = _turn(upper, normal, rest_upper, across)
    world[f"{side}_knee"] = _turn(lower, normal, rest_lower, across)
    world[f"{side}_ankle"] = world[f"{side}_knee"]
    if foot is not None:
        rest_foot = upright[f"{side}_foot"] - upright[f"{side}_ankle"]
        rest_foot = rest_foot * np.array([0.0, 1.0, 1.0])
        world[f"{side}_ankle"] = _turn(foot - ankle, normal, rest_foot, across)


def _arm(points, own, world, side) -> None:
    shoulder, elbow, wrist = (points[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    upper, lower = elbow - shoulder, wrist - elbow
    rest_upper = own[f"{side}_elbow"] - own[f"{side}_shoulder"]
    rest_lower = own[f"{side}_wrist"] - own[f"{side}_elbow"]
    rest_normal = _unit(np.cross(rest_upper, rest_lower))
    chest = world["spine3"]
    swing = _swing((chest @ np.broadcast_to(rest_upper, upper.shape)[..., None])[..., 0], upper)
    # The collar bone follows the arm a little, up and forward.
    follow = Rotation.from_matrix(_transposed(chest) @ swing @ chest).as_rotvec() * CLAVICLE_SHARE
    size = np.linalg.norm(follow, axis=-1, keepdims=True)
    limit = np.radians(CLAVICLE_LIMIT_DEGREES)
    follow *= np.minimum(1, limit / np.maximum(size, 1e-9))
    lowered = np.degrees(np.arcsin(np.clip((_transposed(chest) @ _unit(upper)[..., None])[:, 1, 0], -1, 1)))
    follow *= np.where(lowered > 45, 0.4, 1.0)[:, None]
    world[f"{side}_collar"] = chest @ Rotation.from_rotvec(follow).as_matrix()
    fallback = (swing @ chest @ rest_normal[:, None])[..., 0]
    _, normal, _ = _hinge(upper, lower, fallback, ELBOW_TRUSTED_DEGREES)
    world[f"{side}_shoulder"] = _turn(upper, normal, rest_upper, rest_normal)
    forearm = _turn(lower, normal, rest_lower, rest_normal)
    world[f"{side}_elbow"] = world[f"{side}_wrist"] = forearm
    if f"{side}_hand" not in points:
        return
    hand = points[f"{side}_hand"] - wrist
    rest_hand = own[f"{side}_hand"] - own[f"{side}_wrist"]
    if f"{side}_index" in points:
        across = points[f"{side}_index"] - points[f"{side}_little"]
        target = _turn(hand, across, rest_hand, own[f"{side}_index"] - own[f"{side}_little"])
    else:
        target = _swing((forearm @ np.broadcast_to(rest_hand, hand.shape)[..., None])[..., 0], hand) @ forearm
    # The forearm's skin twists along its length: half of the hand's roll is given to it.
    relative = Rotation.from_matrix(_transposed(forearm) @ target).as_rotvec()
    axis = _unit(rest_lower)
    roll = np.clip((relative @ axis) * 0.5, -1.2, 1.2)
    world[f"{side}_elbow"] = forearm @ Rotation.from_rotvec(roll[:, None] * axis).as_matrix()
    world[f"{side}_wrist"] = target


def _local(world: dict[str, np.ndarray]) -> np.ndarray:
    """World rotations by name to the pose; joints that carry none (toes, fingers) stay at rest."""
    count = len(world["pelvis"])
    out = np.zeros((count, len(JOINT_NAMES), 3))
    for name, rotation in world.items():
        parent = PARENTS[JOINT_INDEX[name]]
        if parent >= 0:
            rotation = _transposed(world[JOINT_NAMES[parent]]) @ rotation
        out[:, JOINT_INDEX[name]] = Rotation.from_matrix(rotation).as_rotvec()
    return out
