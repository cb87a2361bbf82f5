"""Poses that run through themselves: arms are eased out of the body, what stays inside is told apart.

The body is stood for by capsules on the skeleton, sized after the mesh of a middling adult: two along the
trunk, one a thigh and shank, one for the skull, two an arm.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.poses.limits import clamp
from hmnet.data.synthetic.poses.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    PARENTS,
    joint_positions,
    joint_rotations,
    rest_positions,
)

TRUNK_ASIDE_M, TRUNK_AHEAD_M, TRUNK_RADIUS_M = 0.072, 0.036, 0.102
SKULL_RADIUS_M = 0.095
THIGH_RADII_M, SHANK_RADII_M = (0.112, 0.072), (0.062, 0.040)
FOREARM_RADII_M, HAND_RADII_M = (0.036, 0.025), (0.024, 0.014)
HAND_POINTS = ("hand", "fingers", "index", "index_tip", "little", "little_tip")
ARM_THICKNESS_M = np.array([0.038, 0.036, 0.030, 0.030, 0.026, 0.018, 0.024, 0.018, 0.020, 0.016])
"""Half the thickness at elbow, middle forearm, wrist, middle hand, then HAND_POINTS."""
TOUCH_M = 0.006
"""How far soft parts may press into each other before a pose counts as implausible."""
ROUNDS, MOST_TURN = 5, 0.4

Points = dict[str, np.ndarray]


def eased(poses: np.ndarray) -> np.ndarray:
    """The poses (T, 24, 3) with arms that reach into the body turned out of it at the shoulder."""
    out = poses.astype(float)
    rows = np.arange(len(out))
    for _ in range(ROUNDS):
        pose = out[rows]
        at, world = _points(pose), joint_rotations(pose)
        moved = np.zeros(len(rows), bool)
        for side in ("left", "right"):
            depth, way, point, in_hand = _deepest(at, side)
            moved |= depth > 0
            for joint, chosen, share in (
                ("wrist", in_hand, 1.0),
                ("shoulder", ~in_hand, 1.1),
                ("shoulder", in_hand, 0.6),
            ):
                inside = np.flatnonzero((depth > 0) & chosen)
                lever = point[inside] - at[f"{side}_{joint}"][inside]
                turn = np.cross(lever, way[inside])
                turn *= (share * depth[inside] / np.maximum((lever**2).sum(1), 1e-4))[:, None]
                turn *= np.minimum(
                    1, MOST_TURN / np.maximum(np.linalg.norm(turn, axis=1, keepdims=True), 1e-9)
                )
                index = JOINT_INDEX[f"{side}_{joint}"]
                parent = Rotation.from_matrix(world[inside, PARENTS[index]])
                local = parent.inv() * Rotation.from_rotvec(turn) * parent
                local = local * Rotation.from_rotvec(pose[inside, index])
                out[rows[inside], index] = local.as_rotvec()
        rows = rows[moved]
        if len(rows) == 0:
            break
    return clamp(out)


def plausible(poses: np.ndarray) -> np.ndarray:
    """(T,) bool: no hand or forearm inside torso, head, leg or the other arm, no leg through another part."""
    at = _points(poses)
    good = np.ones(len(poses), bool)
    for side, other in (("left", "right"), ("right", "left")):
        good &= _deepest(at, side)[0] < TOUCH_M
        thigh = (at[f"{other}_hip"], at[f"{other}_knee"])
        shank = (at[f"{other}_knee"], at[f"{other}_ankle"])
        for share in (0.25, 0.5, 0.75, 1.0):
            lower = at[f"{side}_knee"] + share * (at[f"{side}_ankle"] - at[f"{side}_knee"])
            upper = at[f"{side}_hip"] + share * (at[f"{side}_knee"] - at[f"{side}_hip"])
            own = SHANK_RADII_M[0] + share * (SHANK_RADII_M[1] - SHANK_RADII_M[0])
            good &= _depth(lower, *shank, SHANK_RADII_M, own)[0] < TOUCH_M
            good &= _depth(lower, *thigh, THIGH_RADII_M, own - 0.01)[0] < TOUCH_M
            good &= _depth(upper, *thigh, (0.05, 0.05), 0.05)[0] < TOUCH_M
            good &= _depth(lower, at["spine1"], at["neck"], (0.11, 0.11), own)[0] < TOUCH_M
        ball = at[f"{side}_foot"]
        good &= _depth(ball, *shank, SHANK_RADII_M, 0.025)[0] < TOUCH_M
        good &= _depth(ball, *thigh, THIGH_RADII_M, 0.025)[0] < TOUCH_M
    return good


def _points(poses: np.ndarray) -> Points:
    at = {name: p for name, p in zip(JOINT_NAMES, np.moveaxis(joint_positions(poses), 1, 0), strict=True)}
    world, rest = joint_rotations(poses), rest_positions()
    at["skull"] = at["head"] + 0.45 * (at["head"] - at["neck"])
    hips, collars = at["left_hip"] - at["right_hip"], at["left_collar"] - at["right_collar"]
    for level, joint, across, end in (
        ("low", "pelvis", hips, "spine2"), ("waist", "spine1", hips + 2 * collars, "spine2"),
        ("chest", "spine3", collars, "neck"),
    ):  # fmt: skip
        aside = across / np.linalg.norm(across, axis=-1, keepdims=True)
        ahead = np.cross(aside, at[end] - at[joint])
        ahead /= np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-9)
        for side, sign in (("left", 1.0), ("right", -1.0)):
            at[f"{side}_{level}"] = at[joint] + TRUNK_AHEAD_M * ahead + sign * TRUNK_ASIDE_M * aside
    for side in ("left", "right"):
        hand, wrist = at[f"{side}_hand"], at[f"{side}_wrist"]
        at[f"{side}_fingers"] = hand + 0.6 * (hand - wrist)
        at[f"{side}_low"] = at[f"{side}_low"] + 0.3 * (at["pelvis"] - at["spine2"])
        for knuckle in (f"{side}_index", f"{side}_little"):
            along = world[:, JOINT_INDEX[f"{side}_wrist"]] @ (rest[knuckle] - rest[f"{side}_wrist"])
            at[knuckle] = wrist + along
            at[f"{knuckle}_tip"] = wrist + 1.6 * along
    return at


def _capsules(at: Points, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the arm of that side must stay out of: starts and ends (T, C, 3), radii (C, 2)."""
    trunk = (TRUNK_RADIUS_M, TRUNK_RADIUS_M)
    other = "right" if side == "left" else "left"
    capsules = [("left_chest", "right_chest", trunk), ("head", "skull", (0.075, SKULL_RADIUS_M))]
    for half in ("left", "right"):
        capsules += [
            (f"{half}_low", f"{half}_waist", trunk),
            (f"{half}_waist", f"{half}_chest", trunk),
            (f"{half}_hip", f"{half}_knee", THIGH_RADII_M),
            (f"{half}_knee", f"{half}_ankle", SHANK_RADII_M),
        ]
    capsules += [
        (f"{other}_elbow", f"{other}_wrist", FOREARM_RADII_M),
        (f"{other}_wrist", f"{other}_fingers", HAND_RADII_M),
    ]
    starts, ends, radii = zip(*capsules, strict=True)
    return np.stack([at[k] for k in starts], 1), np.stack([at[k] for k in ends], 1), np.array(radii)


def _deepest(at: Points, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How deep (T,) the arm reaches into something, the way out (T, 3), that point (T, 3), and whether it
    is one of the hand (T,)."""
    elbow, wrist, hand, *fingers = (at[f"{side}_{name}"] for name in ("elbow", "wrist", *HAND_POINTS))
    points = np.stack([elbow, (elbow + wrist) / 2, wrist, (wrist + hand) / 2, hand, *fingers], 1)
    start, end, radii = (value[..., None, :] for value in _capsules(at, side))
    deep, way = _depth(points[:, None], start, end, (radii[..., 0], radii[..., 1]), ARM_THICKNESS_M)
    rows, worst = np.arange(len(deep)), deep.reshape(len(deep), -1).argmax(1)
    capsule, point = np.divmod(worst, points.shape[1])
    return deep[rows, capsule, point], way[rows, capsule, point], points[rows, point], point > 2


def _depth(
    point: np.ndarray, start: np.ndarray, end: np.ndarray, radii: tuple, thickness: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How deep (...) in metres balls reach into tapered capsules, and the unit way out (..., 3)."""
    along = end - start
    share = np.clip(((point - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0, 1)
    apart = point - start - share[..., None] * along
    distance = np.sqrt((apart**2).sum(-1))
    deep = radii[0] + share * (radii[1] - radii[0]) + thickness - distance
    return deep, apart / np.maximum(distance, 1e-9)[..., None]
