"""The 24 parts on SMPL's surface, made as Anny's are: by skinning weights, then by the side of the bone."""

import numpy as np

from hmnet.body.parts import PART_INDEX

GROUPS = {
    "torso": ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    "head": ("neck", "head"),
    "hand": ("wrist", "hand"),
    "foot": ("ankle", "foot"),
    "upper leg": ("hip",),
    "lower leg": ("knee",),
    "upper arm": ("shoulder",),
    "lower arm": ("elbow",),
}
"""The joints whose skin a part is; those of limbs without their side."""
BONES = {
    "upper leg": ("hip", "knee"), "lower leg": ("knee", "ankle"), "upper arm": ("shoulder", "elbow"),
    "lower arm": ("elbow", "wrist"),
}  # fmt: skip
FRONT, DOWN = np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0])
SLICE = (0.08, 0.03)
"""m across and up: half the size of the column in which the torso's middle is sought."""


def smpl_face_parts(
    vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray, joints: dict[str, np.ndarray]
) -> np.ndarray:
    """(F,) part in 1..24 of each face (F, 3) of SMPL at rest.

    vertices: (V, 3) and joints: name to (3,), camera frame, m. weights: (V, J), columns in the order of
    `joints`. A face goes with the group of joints that moves it most. Legs and torso have front and back; the
    inside of an arm is what looks down in SMPL's rest pose, arms stretched out and palms down.
    """
    names = list(joints)
    columns = {
        (group, side): [names.index(name) for name in names if _belongs(name, group, side)]
        for group in GROUPS
        for side in ("left", "right", "")
    }
    columns = {key: chosen for key, chosen in columns.items() if chosen}
    by_group = np.stack([weights[:, chosen].sum(1) for chosen in columns.values()], 1)
    group_of_face = by_group[faces].sum(1).argmax(1)
    centres = vertices[faces].mean(1)
    parts = np.zeros(len(faces), np.int64)
    for index, (group, side) in enumerate(columns):
        chosen = np.flatnonzero(group_of_face == index)
        parts[chosen] = [PART_INDEX[name] for name in _names(group, side, centres[chosen], joints)]
    return parts


def _belongs(joint: str, group: str, side: str) -> bool:
    if group in ("torso", "head"):
        return not side and joint in GROUPS[group]
    return bool(side) and joint in tuple(f"{side}_{name}" for name in GROUPS[group])


def _names(group: str, side: str, points: np.ndarray, joints: dict[str, np.ndarray]) -> list[str]:
    """The part's name for each point (N, 3) of a group."""
    if group == "head":
        return ["left head" if x > 0 else "right head" for x in points[:, 0]]
    if group in ("hand", "foot"):
        return [f"{side} {group}"] * len(points)
    if group == "torso":
        return [f"torso {'front' if z < 0 else 'back'}" for z in points[:, 2] - _middle(points)]
    start, end = (joints[f"{side}_{name}"] for name in BONES[group])
    axis = (end - start) / np.linalg.norm(end - start)
    towards = DOWN if "arm" in group else FRONT
    facing = (points - start) @ (towards - axis * (towards @ axis))
    words = ("inside", "outside") if "arm" in group else ("front", "back")
    return [f"{side} {group} {words[0] if amount > 0 else words[1]}" for amount in facing]


def _middle(points: np.ndarray) -> np.ndarray:
    """(N,) halfway between the foremost and the rearmost of the points (N, 3) in each one's column."""
    middle = np.zeros(len(points))
    for row, point in enumerate(points):
        near = (np.abs(points[:, :2] - point[:2]) < SLICE).all(1)
        middle[row] = (points[near, 2].min() + points[near, 2].max()) / 2
    return middle
