"""Motion clips of three file forms, read as world positions of named points.

DeepMimic text clips (the `pybullet` wheel carries some), BVH on the Character Creator rig (as the CMU
clips were converted) or MakeHuman's rig, and the JSON clips of Mesh2Motion. Every clip comes back in the
camera frame (x right, y down, z away), with the rig's own upright pose beside it for `retarget`.
"""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.errors import DataError


@dataclass(frozen=True)
class Clip:
    """One clip of T frames.

    positions: name -> (T, 3), camera frame, the clip's own unit. rest: name -> (3,), the rig upright.
    """

    name: str
    positions: dict[str, np.ndarray]
    rest: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.positions["neck"])


def pybullet_motions() -> Path | None:
    """The folder of DeepMimic clips in the `pybullet` package, which is only located, never imported."""
    spec = importlib.util.find_spec("pybullet_data")
    places = spec.submodule_search_locations or [] if spec else []
    folders = [Path(place) / "data" / "motions" for place in places]
    return next((folder for folder in folders if folder.is_dir()), None)


def motion_files(folder: Path) -> list[Path]:
    """Every clip file below a folder, in order; DataError when the folder is missing or holds none."""
    if not folder.is_dir():
        raise DataError(f"The pose folder {folder} does not exist: give a folder of clips.")
    files = [*folder.rglob("*.bvh"), *folder.rglob("*.json"), *folder.rglob("humanoid3d_*.txt")]
    if not files:
        raise DataError(f"The pose folder {folder} holds no .bvh, .json or humanoid3d_*.txt clip.")
    return sorted(files)


def read_clip(path: Path) -> Clip:
    """The clip in a file, told by its ending.

    Raises DataError, naming the file and what was expected, when it cannot be read or its rig is unknown.
    """
    readers = {".bvh": _read_bvh, ".json": _read_mesh2motion, ".txt": _read_deepmimic}
    if path.suffix not in readers:
        raise DataError(f"{path}: expected a .bvh, .json or .txt clip.")
    try:
        text = path.read_text()
        return readers[path.suffix](path.stem, text)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
        raise DataError(
            f"{path}: expected a complete clip of the form {path.suffix[1:].upper()}; "
            f"reading stopped with {type(error).__name__}: {error}."
        ) from error


def _in_camera(name: str, positions: dict[str, np.ndarray], rest: dict[str, np.ndarray]) -> Clip:
    """Turn a rig's axes to the camera frame, read off its upright pose: up, left, and the rest follows."""
    up = rest["neck"] - (rest["left_ankle"] + rest["right_ankle"]) / 2
    down = np.zeros(3)
    down[np.abs(up).argmax()] = -np.sign(up[np.abs(up).argmax()])
    left = rest["left_hip"] - rest["right_hip"]
    left = left - down * (left @ down)
    left = left / np.linalg.norm(left)
    axes = np.stack([left, down, np.cross(left, down)])
    if not all(np.isfinite(value).all() for value in positions.values()):
        raise DataError("expected finite numbers in every frame.")
    return Clip(name, {k: v @ axes.T for k, v in positions.items()}, {k: v @ axes.T for k, v in rest.items()})


# --- DeepMimic ------------------------------------------------------------------------------------------

# The skeleton of DeepMimic's humanoid3d (Peng et al. 2018): x forward, y up, z to the right, metres.
# name: parent, offset from it, numbers it takes of a frame's row (4: quaternion wxyz, 1: angle about z).
DEEPMIMIC_JOINTS = {
    "root": (None, (0, 0, 0), 4),
    "chest": ("root", (0, 0.236151, 0), 4),
    "neck": ("chest", (0, 0.223894, 0), 4),
    "right_hip": ("root", (0, 0, 0.084887), 4),
    "right_knee": ("right_hip", (0, -0.421546, 0), 1),
    "right_ankle": ("right_knee", (0, -0.409870, 0), 4),
    "right_shoulder": ("chest", (-0.024050, 0.243500, 0.183110), 4),
    "right_elbow": ("right_shoulder", (0, -0.274788, 0), 1),
    "left_hip": ("root", (0, 0, -0.084887), 4),
    "left_knee": ("left_hip", (0, -0.421546, 0), 1),
    "left_ankle": ("left_knee", (0, -0.409870, 0), 4),
    "left_shoulder": ("chest", (-0.024050, 0.243500, -0.183110), 4),
    "left_elbow": ("left_shoulder", (0, -0.274788, 0), 1),
}
# Points without a joint of their own, fixed to one: wrists, the balls of the feet, the head and its eyes.
DEEPMIMIC_POINTS = {
    "right_wrist": ("right_elbow", (0, -0.258947, 0)),
    "left_wrist": ("left_elbow", (0, -0.258947, 0)),
    "right_foot": ("right_ankle", (0.15, -0.05, 0)),
    "left_foot": ("left_ankle", (0.15, -0.05, 0)),
    "head": ("neck", (0, 0.1, 0)),
    "right_eye": ("neck", (0.1, 0.16, 0.03)),
    "left_eye": ("neck", (0.1, 0.16, -0.03)),
}
DEEPMIMIC_ROW = 8 + sum(size for _, _, size in DEEPMIMIC_JOINTS.values()) - 4


def _read_deepmimic(name: str, text: str) -> Clip:
    frames = np.array(json.loads(text)["Frames"], float)
    if frames.ndim != 2 or frames.shape[1] != DEEPMIMIC_ROW:
        raise DataError(f"expected DeepMimic frames of {DEEPMIMIC_ROW} numbers, got shape {frames.shape}.")
    rest = np.zeros((1, DEEPMIMIC_ROW))
    column = 4
    for _, _, size in DEEPMIMIC_JOINTS.values():
        rest[0, column] = float(size == 4)
        column += size
    upright = {k: v[0] for k, v in _deepmimic_positions(rest).items()}
    return _in_camera(name, _deepmimic_positions(frames), upright)


def _deepmimic_positions(frames: np.ndarray) -> dict[str, np.ndarray]:
    world: dict[str, Rotation] = {}
    positions: dict[str, np.ndarray] = {}
    column = 4
    for joint, (parent, offset, size) in DEEPMIMIC_JOINTS.items():
        row = frames[:, column : column + size]
        column += size
        if size == 4:
            local = Rotation.from_quat(row[:, [1, 2, 3, 0]])
        else:
            local = Rotation.from_rotvec(row * np.array([0.0, 0.0, 1.0]))
        if parent is None:
            world[joint], positions[joint] = local, np.zeros((len(frames), 3))
        else:
            world[joint] = world[parent] * local
            positions[joint] = positions[parent] + world[parent].apply(offset)
    for point, (parent, offset) in DEEPMIMIC_POINTS.items():
        positions[point] = positions[parent] + world[parent].apply(offset)
    return positions


# --- BVH ------------------------------------------------------------------------------------------------


def _sided(names: dict[str, str], left: str, right: str) -> dict[str, str]:
    out = {}
    for point, bone in names.items():
        if "?" in bone:
            out[f"left_{point}"] = bone.replace("?", left)
            out[f"right_{point}"] = bone.replace("?", right)
        else:
            out[point] = bone
    return out


CHARACTER_CREATOR = _sided(
    {
        "hip": "CC_Base_?_Thigh", "knee": "CC_Base_?_Calf", "ankle": "CC_Base_?_Foot",
        "foot": "CC_Base_?_ToeBase", "shoulder": "CC_Base_?_Upperarm", "elbow": "CC_Base_?_Forearm",
        "wrist": "CC_Base_?_Hand", "hand": "CC_Base_?_Mid1", "index": "CC_Base_?_Index1",
        "little": "CC_Base_?_Pinky1", "eye": "CC_Base_?_Eye", "head": "CC_Base_Head",
        "neck": "CC_Base_NeckTwist01", "chest": "CC_Base_Spine01",
    },
    "L", "R",
)  # fmt: skip
MAKEHUMAN = _sided(
    {
        "hip": "upperleg01.?", "knee": "lowerleg01.?", "ankle": "foot.?", "foot": "toe2-1.?",
        "shoulder": "upperarm01.?", "elbow": "lowerarm01.?", "wrist": "wrist.?", "hand": "finger3-1.?",
        "index": "finger2-1.?", "little": "finger5-1.?", "eye": "eye.?", "head": "head",
        "neck": "neck01", "chest": "spine02",
    },
    "L", "R",
)  # fmt: skip


CHARACTER_CREATOR_UPRIGHT = {
    name: np.array([x, up, -back]) / 100
    for name, (x, back, up) in {
        "left_hip": (10, 0, 0), "right_hip": (-10, 0, 0), "left_ankle": (10, 0, -97),
        "right_ankle": (-10, 0, -97), "left_foot": (11, -13, -100), "right_foot": (-11, -13, -100),
        "left_shoulder": (18, 5, 49), "right_shoulder": (-18, 5, 49), "chest": (0, -5, 14),
        "neck": (0, 4, 55), "head": (0, 2, 63), "left_eye": (3, -7, 71), "right_eye": (-3, -7, 71),
    }.items()
}  # fmt: skip
"""Measured on the clips that begin with a T pose; in cm to the left, back and up;
in metres, Y up, facing +Z."""


@dataclass
class _BvhJoint:
    name: str
    parent: int
    offset: list[float]
    channels: list[str]


def _read_bvh(name: str, text: str) -> Clip:
    joints, words = _bvh_hierarchy(iter(text.split()))
    names = [joint.name for joint in joints]
    rig = next((r for r in (CHARACTER_CREATOR, MAKEHUMAN) if set(r.values()) <= set(names)), None)
    if rig is None:
        raise DataError(
            "expected the bones of the Character Creator rig (CC_Base_...) or of MakeHuman's "
            f"(upperleg01.L, ...), found {', '.join(names[:4])}, ..."
        )
    frame_count = int(_after(words, "Frames:"))
    _after(words, "Time:")
    numbers = np.array(list(words), float)
    width = sum(len(joint.channels) for joint in joints)
    if frame_count < 1 or len(numbers) != frame_count * width:
        raise DataError(f"expected {frame_count} frames of {width} numbers, found {len(numbers)} numbers.")
    motion = numbers.reshape(frame_count, width)
    all_positions = _bvh_positions(joints, motion)
    positions = {point: all_positions[:, names.index(bone)] for point, bone in rig.items()}
    if rig is MAKEHUMAN:
        # Zero channels are MakeHuman's rest pose.
        upright = _bvh_positions(joints, np.zeros((1, width)))
        rest = {point: upright[0, names.index(bone)] for point, bone in rig.items()}
        return _in_camera(name, positions, rest)
    # Its bones mean nothing at zero channels: the upright pose is a table. The first frame is often a T pose.
    if frame_count > 1:
        positions = {point: value[1:] for point, value in positions.items()}
    return _in_camera(name, positions, CHARACTER_CREATOR_UPRIGHT)


def _after(words: Iterator[str], marker: str) -> str:
    for word in words:
        if word == marker:
            return next(words)
    raise DataError(f"expected {marker!r} after the hierarchy.")


def _bvh_hierarchy(words: Iterator[str]) -> tuple[list[_BvhJoint], Iterator[str]]:
    """The joints, parents first, and the words that follow MOTION."""
    joints: list[_BvhJoint] = []
    stack: list[int] = []
    if next(words, "") != "HIERARCHY":
        raise DataError("expected a BVH file, which begins with HIERARCHY.")
    for word in words:
        if word in ("ROOT", "JOINT"):
            joints.append(_BvhJoint(next(words), stack[-1] if stack else -1, [0.0] * 3, []))
            stack.append(len(joints) - 1)
        elif word == "End":
            stack.append(-1)
        elif word == "OFFSET":
            offset = [float(next(words)) for _ in range(3)]
            if stack[-1] >= 0:
                joints[stack[-1]].offset = offset
        elif word == "CHANNELS":
            joints[stack[-1]].channels = [next(words) for _ in range(int(next(words)))]
        elif word == "}":
            stack.pop()
        elif word == "MOTION":
            return joints, words
    raise DataError("expected MOTION after the hierarchy.")


def _bvh_positions(joints: list[_BvhJoint], motion: np.ndarray) -> np.ndarray:
    """World positions (T, joints, 3) of every joint's head."""
    positions = np.zeros((len(motion), len(joints), 3))
    world: list[Rotation] = []
    column = 0
    for index, joint in enumerate(joints):
        offset = np.tile(joint.offset, (len(motion), 1))
        local = Rotation.identity(len(motion))
        for channel in joint.channels:
            values, axis = motion[:, column], "XYZ".index(channel[0])
            column += 1
            if channel.endswith("position"):
                offset[:, axis] += values
            else:
                local = local * Rotation.from_rotvec(np.outer(np.radians(values), np.eye(3)[axis]))
        if joint.parent < 0:
            world.append(local)
            positions[:, index] = offset
        else:
            world.append(world[joint.parent] * local)
            positions[:, index] = positions[:, joint.parent] + world[joint.parent].apply(offset)
    return positions


# --- Mesh2Motion ----------------------------------------------------------------------------------------

MESH2MOTION = _sided(
    {"hip": "thigh_?", "knee": "calf_?", "ankle": "foot_?", "foot": "ball_?", "shoulder": "upperarm_?",
     "elbow": "lowerarm_?", "wrist": "hand_?", "head": "head", "neck": "neck_01", "chest": "spine_02"},
    "l", "r",
)  # fmt: skip
# Points that the rig lacks, fixed to a bone: bone and offset from its head in the rest pose (T pose, palms
# down, Z up, facing -Y; the left hand points to +X).
MESH2MOTION_POINTS = {
    "left_eye": ("head", (0.03, -0.1, 0.06)),
    "right_eye": ("head", (-0.03, -0.1, 0.06)),
    "left_hand": ("hand_l", (0.1, 0, 0)),
    "right_hand": ("hand_r", (-0.1, 0, 0)),
    "left_index": ("hand_l", (0.1, -0.03, 0)),
    "right_index": ("hand_r", (-0.1, -0.03, 0)),
    "left_little": ("hand_l", (0.1, 0.03, 0)),
    "right_little": ("hand_r", (-0.1, 0.03, 0)),
}


def _read_mesh2motion(name: str, text: str) -> Clip:
    clip = json.loads(text)
    if not isinstance(clip, dict) or not {"bones", "rest", "frames"} <= clip.keys():
        raise DataError("expected a Mesh2Motion clip with bones, rest and frames.")
    bones, rest = list(clip["bones"]), np.array(clip["rest"], float)
    frames = np.array(clip["frames"], float)
    missing = sorted(set(MESH2MOTION.values()) - set(bones))
    if missing or frames.ndim != 3 or frames.shape[1:] != (len(bones), 10) or rest.shape != frames.shape[1:]:
        raise DataError(f"expected Mesh2Motion's bones with 10 numbers each; missing: {', '.join(missing)}.")

    def positions(rows: np.ndarray) -> dict[str, np.ndarray]:
        out = {point: rows[:, bones.index(bone), :3] for point, bone in MESH2MOTION.items()}
        for point, (bone, offset) in MESH2MOTION_POINTS.items():
            now = Rotation.from_quat(rows[:, bones.index(bone), [7, 8, 9, 6]])
            then = Rotation.from_quat(rest[bones.index(bone), [7, 8, 9, 6]])
            out[point] = rows[:, bones.index(bone), :3] + (now * then.inv()).apply(offset)
        return out

    return _in_camera(name, positions(frames), {k: v[0] for k, v in positions(rest[None]).items()})
