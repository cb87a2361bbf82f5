"""Part maps damaged by a stated amount: limbs lost, left and right taken for each other, wrong patches.

Unlike `hmnet.data.corruption`, which draws how much it spoils, each function here is told. What less damage
does is part of what more of it does, so that curves over the amount show one thing growing.
"""

from functools import cache

import numpy as np

from hmnet.body.parts import MIRRORED_PART, PART_COUNT, PART_NAMES
from hmnet.data.corruption import LIMBS

LOSABLE = LIMBS[:-2]
"""Hands, feet and the halves of arms and legs; head and torso stay."""
SWAPPED = {
    "none": (),
    "arms": ("arm", "hand"),
    "legs": ("leg", "foot"),
    "both": ("arm", "hand", "leg", "foot"),
}
"""What can be swapped: the words in the names of its parts."""
PATCHES = 24
"""A map is cut into so many squares a side, each of which keeps its labels or gets a wrong one."""


def lose_limbs(part_map: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """The map (H, W) uint8 with `count` of the LOSABLE limbs that it shows made background, at random.

    All of them where it shows fewer. Equal generators lose the same limbs first.
    """
    shown = [limb for limb in LOSABLE if np.isin(part_map, limb).any()]
    lost = [part for index in generator.permutation(len(shown))[:count] for part in shown[index]]
    return np.where(np.isin(part_map, lost), 0, part_map).astype(np.uint8)


def swap_sides(part_map: np.ndarray, what: str) -> np.ndarray:
    """The map (H, W) uint8 with left and right exchanged on one of SWAPPED."""
    return _swapping(what)[part_map]


@cache
def _swapping(what: str) -> np.ndarray:
    return np.array(
        [
            MIRRORED_PART[index] if any(word in name for word in SWAPPED[what]) else index
            for index, name in enumerate(PART_NAMES)
        ],
        np.uint8,
    )


def wrong_patches(part_map: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """The map (S, S) uint8 with about that share of the person under squares of a wrong part or none.

    Equal generators damage the same squares first. The background stays.
    """
    index = np.arange(len(part_map)) * PATCHES // len(part_map)
    order = generator.random((PATCHES, PATCHES))[index][:, index]
    off = generator.integers(1, PART_COUNT + 1, (PATCHES, PATCHES))[index][:, index]
    # Any other of the 25 labels: never the right one.
    wrong = (part_map + off) % (PART_COUNT + 1)
    return np.where((order < share) & (part_map > 0), wrong, part_map).astype(np.uint8)
