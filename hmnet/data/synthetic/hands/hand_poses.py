"""What a hand alone does in pictures: at rest, fists, pointing, counting, signs, grasps.

Angles are those of `hmnet.data.synthetic.people.hands`: four fingers from index to little with bends at
knuckle, middle and end joint and a spread, then the thumb's opposition, abduction and two bends; degrees.
"""

from dataclasses import dataclass

import numpy as np

from hmnet.data.synthetic.hands.contact import untangled
from hmnet.data.synthetic.people.hands import HANDS, HIGHEST, LOWEST, hand_angles


def _mixed(straight: str, thumb: list[float], spread: float = 4, curl: float = 74) -> np.ndarray:
    """The fingers of that pattern ("1" straight, "0" curled, index to little) and a thumb."""
    angles = [[0, 3, 2, 0] if up == "1" else [curl, 1.25 * curl, 0.75 * curl, 0] for up in straight]
    for angle, fan in zip(angles, (1, 0.2, -0.4, -1), strict=True):
        angle[3] = fan * spread if angle[0] == 0 else 0
    return np.concatenate([*angles, thumb])


TUCKED, OVER, OUT, UP = [44, -8, 34, 40], [38, -6, 30, 38], [-10, 16, -8, -10], [-14, 18, -12, -14]
"""Thumbs: across the palm, over curled fingers, to the side, and up."""
GRASPED = {"sphere": "grasp of a sphere", "cylinder": "grasp of a cylinder", "box": "grasp of a box"}
"""Kinds of poses that go round a thing of that form."""
ALONE = {
    "rest": {
        "relaxed": HANDS["relaxed"], "flat": HANDS["flat"], "spread": HANDS["spread"],
        "hanging": hand_angles([22, 28, 34, 38], -2, [12, 2, 10, 14]),
        "half closed": hand_angles([38, 44, 48, 50], -2, [20, 4, 14, 18]),
        "fanned": hand_angles([2, 0, 2, 6], 9, [-4, 18, 0, 2], 0.8, 0.5),
        "cupped": hand_angles([26, 28, 30, 32], -4, [22, -6, 6, 8], 0.8, 0.5),
        "typing": hand_angles([18, 20, 20, 16], 4, [8, 6, 6, 10], 1.9, 0.8),
    },
    "fist": {
        "fist": HANDS["fist"],
        "loose fist": hand_angles([62, 66, 68, 66], -2, [34, -4, 26, 32], 1.25, 0.8),
        "thumb inside": hand_angles([66, 70, 72, 70], -2, [50, -10, 36, 46], 1.15, 0.75),
        "hook": hand_angles([4, 4, 4, 6], -2, [4, 0, 6, 8], 22, 12),
    },
    "pointing": {
        "point": HANDS["point"], "thumbs up": HANDS["thumbs up"],
        "gun": _mixed("1000", UP), "easy point": hand_angles([4, 48, 54, 56], 2, [20, 2, 12, 16], 1.2, 0.7),
        "two fingers": _mixed("1100", OVER, -3), "thumb aside": _mixed("0000", OUT, curl=66),
    },
    "counting": {
        "victory": HANDS["victory"], "three": _mixed("1110", TUCKED, 8), "four": _mixed("1111", TUCKED, 8),
        "thumb and two": _mixed("1100", OUT, 8), "little": _mixed("0001", OVER),
        "three with thumb": _mixed("0111", [40, 6, 26, 30], 6, 50),
    },
    "sign": {
        "horns": _mixed("1001", OVER, 6), "call me": _mixed("0001", OUT, 8), "love": _mixed("1001", OUT, 6),
        "pinch": HANDS["pinch"], "claw": HANDS["claw"],
        "ring": np.array([50, 52, 30, 2, 16, 14, 8, 0, 8, 8, 6, -2, 2, 4, 4, -8, 34, 4, 16, 22]),
        "crossed": np.concatenate([[6, 10, 6, -6], [0, 4, 4, 7], *[[76, 95, 58, 0]] * 2, [44, -8, 34, 36]]),
        "beak": hand_angles([42, 44, 44, 42], -3, [38, -2, 6, 8], 0.55, 0.4),
        "salute": np.array([0, 2, 0, 4, 0, 2, 0, 3, 0, 2, 0, -9, 0, 2, 0, -10, -6, 18, -6, -8]),
    },
}  # fmt: skip
HOLDING = {
    GRASPED["cylinder"]: {
        "grip": hand_angles([46, 48, 49, 48], -1, [46, 12, 28, 24], 1.05, 0.6),
        "tube": hand_angles([26, 30, 34, 38], 3, [2, 28, 2, 10], 1.3, 0.7),
        "bottle": hand_angles([30, 32, 34, 36], 1, [4, 28, 2, 14], 1.2, 0.7),
        "handle": hand_angles([56, 58, 58, 56], -2, [46, 12, 30, 26], 1.05, 0.6),
        "glass": hand_angles([24, 26, 30, 34], 2, [4, 29, 2, 16], 1.25, 0.7),
        "stick": hand_angles([42, 54, 58, 60], -1, [44, 10, 26, 22], 1.1, 0.65),
    },
    GRASPED["sphere"]: {
        "ball": hand_angles([22, 22, 24, 28], 8, [22, 26, 10, 10], 1.25, 0.8),
        "apple": hand_angles([32, 34, 36, 38], 5, [24, 24, 8, 10], 1.1, 0.7),
        "large ball": hand_angles([8, 8, 10, 14], 11, [18, 22, 6, 10], 1.6, 1.0),
        "knob": hand_angles([34, 36, 38, 42], 4, [24, 27, 8, 8], 0.8, 0.5),
    },
    GRASPED["box"]: {
        "card": np.concatenate([[48, 40, 18, 2], *[[52, 44, 22, 0]] * 3, [36, 2, 6, 10]]),
        "packet": hand_angles([38, 38, 40, 42], 1, [42, 10, 2, 4], 0.5, 0.3),
        "book": hand_angles([44, 46, 46, 46], 2, [26, 14, -2, 0], 0.35, 0.25),
        "key": np.concatenate([[52, 60, 36, 2], *[[62, 74, 44, 0]] * 3, [20, -4, 8, 22]]),
        "two finger": np.concatenate([[44, 36, 16, 2], *[[18, 20, 12, 0]] * 3, [38, 4, 4, 8]]),
    },
}  # fmt: skip
TEST_POSES = frozenset({"half closed", "cupped", "loose fist", "easy point", "gun", "three", "thumb and two",
                        "call me", "ring", "glass", "stick", "apple", "packet", "two finger"})  # fmt: skip
"""Poses of the test split; all others are of the train split."""
KIND_SHARES = {"rest": 0.2, "fist": 0.1, "pointing": 0.12, "counting": 0.12, "sign": 0.12,
               "grasp of a cylinder": 0.14, "grasp of a sphere": 0.1, "grasp of a box": 0.1}  # fmt: skip
MIXED = 0.6
"""How often a pose is on its way to another one."""
COMPOSED = 0.4
"""How often, in the train split, each finger comes from a pose of its own: fingers in ways that no authored
pose combines, as the poses of the test split do, and those of photos."""
FINGERS = np.repeat(np.arange(5), 4)
"""Which finger each angle bends, the thumb last."""
NOISE = np.array([8, 9, 7, 3] * 4 + [7, 6, 8, 10], float)
"""Degrees, deviation of each angle about its pose; a pose has a strength of its own."""


@dataclass(frozen=True)
class HandPose:
    """angles: (20,) degrees, within limits and free of self-intersection. kind: a key of KIND_SHARES."""

    angles: np.ndarray
    kind: str


def poses_of(test: bool) -> dict[str, dict[str, np.ndarray]]:
    """Kind to name to angles (20,), the poses of that split."""
    return {
        kind: {name: angles for name, angles in poses.items() if (name in TEST_POSES) == test}
        for kind, poses in (ALONE | HOLDING).items()
    }


def sample_poses(generator: np.random.Generator, count: int, test: bool = False) -> list[HandPose]:
    """Poses of that split: drawn, mixed with others of it, stirred, and kept to what a hand can do; in the
    train split some are composed, finger by finger.

    A grasp is mixed with grasps of its kind only, else it would hold nothing.
    """
    poses = poses_of(test)
    kinds = generator.choice(list(KIND_SHARES), count, p=list(KIND_SHARES.values()))
    table = np.stack([angles for kind in ALONE for angles in poses[kind].values()])
    angles = np.empty((count, 20))
    for row, kind in enumerate(kinds):
        own = list(poses[kind].values())
        others = own if kind in HOLDING else table
        angles[row] = own[generator.integers(len(own))]
        if not test and generator.random() < COMPOSED:
            whose = generator.integers(len(others), size=5)[FINGERS]
            angles[row] = np.stack(others)[whose, np.arange(20)]
        if generator.random() < MIXED:
            share = 0.6 * generator.random() ** 1.5
            angles[row] += share * (others[generator.integers(len(others))] - angles[row])
    angles += generator.normal(0, 1, angles.shape) * NOISE * generator.uniform(0.2, 1, (count, 1))
    curl = generator.normal(0, 5, (count, 1, 1)) + generator.normal(0, 4, (count, 4, 1))
    angles[:, :16].reshape(count, 4, 4)[..., :2] += curl
    free = untangled(limited(angles))
    return [HandPose(*pair) for pair in zip(free, kinds.tolist(), strict=True)]


def limited(angles: np.ndarray) -> np.ndarray:
    """Angles (B, 20) within a hand's limits: an end joint bends with the middle one, most of it."""
    angles = np.clip(angles.astype(float), LOWEST, HIGHEST)
    fingers = angles[:, :16].reshape(-1, 4, 4)
    fingers[..., 2] = np.minimum(fingers[..., 2], 0.75 * np.maximum(fingers[..., 1], 0) + 12)
    # Bent knuckles hold fingers side by side.
    spread = np.interp(fingers[..., 0], [20, 70], [1, 0.3])
    fingers[..., 3] *= spread
    return np.concatenate([fingers.reshape(-1, 16), angles[:, 16:]], 1)
