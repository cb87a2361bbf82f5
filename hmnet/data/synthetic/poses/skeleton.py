"""The 24 posed joints of the body as a plain NumPy skeleton: names, tree, rest positions, kinematics.

Everything is in the camera frame (x right, y down, z away, metres); at rest the body faces the viewer,
so its left is +x. A pose is (..., 24, 3): axis-angle per joint, relative to the parent joint, in the
axes of the rest pose. The pelvis' row turns the whole body.
"""

from functools import lru_cache

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from hmnet.body.bake import JOINT_BONES
from hmnet.body.template import load_anny

JOINT_NAMES = tuple(JOINT_BONES)
JOINT_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}
PARENT_NAMES = {
    "left_hip": "pelvis", "right_hip": "pelvis", "spine1": "pelvis", "left_knee": "left_hip",
    "right_knee": "right_hip", "spine2": "spine1", "left_ankle": "left_knee", "right_ankle": "right_knee",
    "spine3": "spine2", "left_foot": "left_ankle", "right_foot": "right_ankle", "neck": "spine3",
    "left_collar": "spine3", "right_collar": "spine3", "head": "neck", "left_shoulder": "left_collar",
    "right_shoulder": "right_collar", "left_elbow": "left_shoulder", "right_elbow": "right_shoulder",
    "left_wrist": "left_elbow", "right_wrist": "right_elbow", "left_hand": "left_wrist",
    "right_hand": "right_wrist",
}  # fmt: skip
PARENTS = tuple(JOINT_INDEX[PARENT_NAMES[name]] if name in PARENT_NAMES else -1 for name in JOINT_NAMES)
MIRRORED = tuple(
    JOINT_INDEX[name.replace("left", "*").replace("right", "left").replace("*", "right")]
    for name in JOINT_NAMES
)
LIMB_JOINTS = tuple(
    f"{side}_{limb}"
    for limb in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
MARKER_BONES = {
    "left_eye": "eye.L", "right_eye": "eye.R", "left_index": "finger2-1.L", "right_index": "finger2-1.R",
    "left_little": "finger5-1.L", "right_little": "finger5-1.R",
}  # fmt: skip


@lru_cache(maxsize=1)
def rest_positions() -> dict[str, np.ndarray]:
    """Rest position (3,) in metres, root at the origin, of every joint and of a few markers.

    The markers are what an orientation is read from: the eyes and the knuckles of index and little finger.
    """
    body = load_anny()
    phenotypes = torch.full((1, len(body.phenotype_names)), 0.5)
    phenotypes[:, body.phenotype_names.index("age")] = 2 / 3
    heads = body.rest(phenotypes, "template")[1][0].double().numpy()
    heads = heads - heads[0]
    return {name: heads[body.bone_names.index(bone)] for name, bone in (JOINT_BONES | MARKER_BONES).items()}


def joint_rotations(poses: np.ndarray) -> np.ndarray:
    """World rotations (T, 24, 3, 3) of the joints of poses (T, 24, 3)."""
    world = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(-1, len(JOINT_NAMES), 3, 3)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        world[:, joint] = world[:, parent] @ world[:, joint]
    return world


def joint_positions(poses: np.ndarray) -> np.ndarray:
    """Joint positions (..., 24, 3) in metres, pelvis at the origin, of poses (..., 24, 3)."""
    world = joint_rotations(poses.reshape(-1, len(JOINT_NAMES), 3))
    rest = np.stack([rest_positions()[name] for name in JOINT_NAMES])
    positions = np.zeros(world.shape[:3])
    for joint, parent in enumerate(PARENTS[1:], start=1):
        positions[:, joint] = positions[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
    return positions.reshape(poses.shape)


def bone_rotations(poses: np.ndarray) -> np.ndarray:
    """Rotations (T, N, 3, 3) float32 of all bones for `AnnyBody.pose`: bones in between stay at rest."""
    names = load_anny().bone_names
    out = np.tile(np.eye(3, dtype=np.float32), (len(poses), len(names), 1, 1))
    columns = [names.index(bone) for bone in JOINT_BONES.values()]
    out[:, columns] = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(len(poses), -1, 3, 3)
    return out


def mirror(poses: np.ndarray) -> np.ndarray:
    """The poses (..., 24, 3) of the bodies' mirror images across x = 0."""
    return poses[..., MIRRORED, :] * np.array([1.0, -1.0, -1.0])


def remove_heading(poses: np.ndarray) -> np.ndarray:
    """The poses with their turn about the vertical undone, so that the body faces the viewer."""
    quaternion = Rotation.from_rotvec(poses[..., 0, :].reshape(-1, 3)).as_quat()
    # Swing-twist: the part of the rotation about y, to be undone on the outside.
    heading = 2 * np.arctan2(quaternion[:, 1], quaternion[:, 3])
    turn = Rotation.from_rotvec(np.outer(-heading, [0.0, 1.0, 0.0]))
    out = poses.copy()
    out[..., 0, :] = (turn * Rotation.from_quat(quaternion)).as_rotvec().reshape((*poses.shape[:-2], 3))
    return out
