"""New poses from given ones: blends with neighbours, limbs of other poses, mirror images, noise."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.poses.limits import clamp
from hmnet.data.synthetic.poses.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    joint_positions,
    mirror,
    rest_positions,
)


def _leg(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("hip", "knee", "ankle", "foot"))


def _arm(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("collar", "shoulder", "elbow", "wrist", "hand"))


TRUNK = ("spine1", "spine2", "spine3")
HIPS, KNEES = ("left_hip", "right_hip"), ("left_knee", "right_knee")


@dataclass(frozen=True)
class Exchange:
    """Joints that come from another pose together: how often in a mixed pose, of how many candidates the
    one is taken that agrees best in the context's joints."""

    joints: tuple[str, ...]
    share: float
    candidates: int
    context: tuple[str, ...]


EXCHANGES = (
    Exchange((*TRUNK, "neck", "head"), 0.3, 4, ("pelvis", "left_hip", "right_hip")),
    Exchange((*_leg("left"), *_leg("right")), 0.35, 10, ("pelvis", *KNEES, *HIPS)),
    Exchange(_leg("left"), 0.15, 10, ("pelvis", "right_hip", "right_knee", "left_hip")),
    Exchange(_leg("right"), 0.15, 10, ("pelvis", "left_hip", "left_knee", "right_hip")),
    Exchange((*_arm("left"), *_arm("right")), 0.3, 3, ("pelvis", *TRUNK)),
    Exchange(_arm("left"), 0.35, 3, ("pelvis", *TRUNK)),
    Exchange(_arm("right"), 0.35, 3, ("pelvis", *TRUNK)),
    Exchange(_arm("left")[2:], 0.15, 2, ("left_shoulder",)),
    Exchange(_arm("right")[2:], 0.15, 2, ("right_shoulder",)),
    Exchange(("neck", "head"), 0.3, 1, ()),
)
LIMBS = (_arm("left"), _arm("right"), (*_leg("left"), *_leg("right")), TRUNK, ("neck", "head"))
"""What moves towards another pose together; legs as a pair, so that they go on bearing the body."""
NOISE_DEGREES = {
    "pelvis": (4, 4, 4), "hip": (8, 6, 4.5), "knee": (9, 2, 2), "ankle": (8, 4, 3), "foot": (3, 3, 3),
    "spine1": (3.5, 3, 2.5), "spine2": (3.5, 3, 2.5), "spine3": (3.5, 3, 2.5), "neck": (5, 5, 5),
    "head": (7, 7, 7), "collar": (3, 3, 3), "shoulder": (11, 11, 11), "elbow": (13, 9, 2),
    "wrist": (9, 9, 9), "hand": (3, 3, 3),
}  # fmt: skip
"""How far noise turns a joint about x, y and z; an elbow about its hinge, along the forearm and across both.
Knees and elbows are hinges: they bend by much, and go aside by little."""
NEIGHBOURS = 24


def neighbours(poses: np.ndarray) -> np.ndarray:
    """Indices (N, K) of the poses nearest to each of (N, 24, 3) by joint positions, itself left out."""
    features = joint_positions(poses).reshape(len(poses), -1).astype(np.float32)
    norms = (features**2).sum(1)
    count = min(NEIGHBOURS, len(poses) - 1)
    nearest = np.empty((len(poses), count), np.int64)
    for start in range(0, len(poses), 512):
        rows = slice(start, start + 512)
        squared = norms[rows, None] + norms - 2 * features[rows] @ features.T
        squared[np.arange(len(squared)), np.arange(start, start + len(squared))] = np.inf
        nearest[rows] = np.argsort(squared, axis=1, kind="stable")[:, :count]
    return nearest


def blend(first: np.ndarray, second: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Poses (T, 24, 3) each the share (T,) of the way from the first to the second, joint by joint."""
    start, end = (Rotation.from_rotvec(poses.reshape(-1, 3)) for poses in (first, second))
    part = (start.inv() * end).as_rotvec() * np.repeat(shares, first.shape[1])[:, None]
    return (start * Rotation.from_rotvec(part)).as_rotvec().reshape(first.shape)


def exchange(
    generator: np.random.Generator, poses: np.ndarray, donors: np.ndarray, weights: np.ndarray, share: float
) -> np.ndarray:
    """A share of the poses (T, 24, 3) with groups of joints of donors (N, 24, 3), drawn by their weights.

    Of a few donors, or their mirror images, the one is taken that fits what the pose keeps.
    """
    out = poses.copy()
    mixed = generator.random(len(out)) < share
    for group in EXCHANGES:
        rows = np.flatnonzero(mixed & (generator.random(len(out)) < group.share))
        columns = [JOINT_INDEX[name] for name in group.joints]
        context = [JOINT_INDEX[name] for name in group.context]
        drawn = generator.choice(len(donors), (len(rows), group.candidates), p=weights)
        flipped = generator.random(drawn.shape) < 0.5
        offered = donors[drawn].astype(float)
        offered[flipped] = mirror(offered[flipped])
        gap = np.abs(offered[:, :, context] - out[rows][:, None, context]).sum((2, 3))
        best = offered[np.arange(len(rows)), gap.argmin(1)]
        out[np.ix_(rows, columns)] = best[:, columns]
    return out


def drifted(
    generator: np.random.Generator, poses: np.ndarray, others: np.ndarray, share: float, most: float
) -> np.ndarray:
    """Poses (T, 24, 3) of which a share of the limbs go part of the way, at most so far, to another pose.

    others: (L, T, 24, 3), for each of LIMBS the poses, or their mirror images, that it moves towards.
    """
    out = poses.copy()
    for limb, towards in zip(LIMBS, others, strict=True):
        rows = np.flatnonzero(generator.random(len(out)) < share)
        columns = [JOINT_INDEX[name] for name in limb]
        ends = towards[rows].astype(float)
        flipped = generator.random(len(rows)) < 0.5
        ends[flipped] = mirror(ends[flipped])
        shares = generator.uniform(0, most, len(rows))
        cells = np.ix_(rows, columns)
        out[cells] = blend(out[cells], ends[:, columns], shares)
    return out


@lru_cache(maxsize=1)
def _noise_axes() -> np.ndarray:
    """(24, 3, 3) radians: per joint the rotation vectors that noise is a normal mixture of."""
    rest, axes = rest_positions(), np.empty((len(JOINT_NAMES), 3, 3))
    for index, name in enumerate(JOINT_NAMES):
        kind = name.removeprefix("left_").removeprefix("right_")
        frame = np.eye(3)
        if kind == "elbow":
            side = name.split("_")[0]
            lower = rest[f"{side}_wrist"] - rest[name]
            hinge = np.cross(rest[name] - rest[f"{side}_shoulder"], lower)
            hinge, lower = hinge / np.linalg.norm(hinge), lower / np.linalg.norm(lower)
            frame = np.stack([hinge, lower, np.cross(hinge, lower)])
        axes[index] = np.radians(NOISE_DEGREES[kind])[:, None] * frame
    return axes


def noised(generator: np.random.Generator, poses: np.ndarray, least: float, most: float) -> np.ndarray:
    """The poses with each joint turned at random, by a strength of its own for every pose, within limits."""
    noise = np.einsum("tja,jac->tjc", generator.normal(0, 1, poses.shape), _noise_axes())
    noise *= generator.uniform(least, most, (len(poses), 1, 1))
    turned = Rotation.from_rotvec(poses.reshape(-1, 3)) * Rotation.from_rotvec(noise.reshape(-1, 3))
    return clamp(turned.as_rotvec().reshape(poses.shape))
