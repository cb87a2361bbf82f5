"""Spoil true part maps the way a segmenter on photos would, after STRAPS (Sengupta et al., BMVC 2020).

Every function takes and returns part ids (H, W) uint8 and draws from the generator given.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hmnet.body.hand_names import FINGERS, HAND_PART_NAMES
from hmnet.body.parts import PART_NAMES


def _parts_with(words: tuple[str, ...], names: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """For each of the words, the parts whose names have it."""
    return tuple(tuple(index for index, name in enumerate(names) if word in name) for word in words)


LIMBS = _parts_with(
    ("left hand", "right hand", "left foot", "right foot", "left lower arm", "right lower arm",
     "left upper arm", "right upper arm", "left lower leg", "right lower leg", "left upper leg",
     "right upper leg", "head", "torso"), PART_NAMES,
)  # fmt: skip


@dataclass(frozen=True)
class Mistakes:
    """What a segmenter takes for what.

    names: of the parts, the background first. limbs: the parts (ids) of each limb that it may miss. swaps:
    pairs of words, what else is in the names of the parts they apply to, and how often those are exchanged.
    """

    names: tuple[str, ...]
    limbs: tuple[tuple[int, ...], ...]
    swaps: tuple[tuple[tuple[str, str], str, float], ...]


BODY_MISTAKES = Mistakes(
    PART_NAMES,
    LIMBS[:-2],
    (
        (("left", "right"), "arm", 0.10),
        (("left", "right"), "leg", 0.12),
        (("left", "right"), "hand", 0.06),
        (("left", "right"), "foot", 0.10),
        (("left", "right"), "head", 0.10),
        (("front", "back"), "torso", 0.05),
        (("front", "back"), "leg", 0.08),
        (("inside", "outside"), "arm", 0.15),
    ),
)
_FINGER_WORDS = tuple(f"{finger} " for finger in FINGERS)
HAND_MISTAKES = Mistakes(
    HAND_PART_NAMES,
    _parts_with(_FINGER_WORDS, HAND_PART_NAMES),
    (
        *((pair, "", 0.07) for pair in pairwise(_FINGER_WORDS[1:])),
        (("index ", "pinky "), "", 0.04),
        (("thumb ", "index "), "", 0.03),
        ((" base", " middle"), "", 0.05),
    ),
)
"""Fingers are taken for their neighbours, and of a hand seen from the other side for one another."""


def corrupt(
    part_map: np.ndarray, generator: np.random.Generator, mistakes: Mistakes = BODY_MISTAKES
) -> np.ndarray:
    """All corruptions below, each with its own chance."""
    part_count = len(mistakes.names) - 1
    spoilt = _exchange_names(part_map, generator, mistakes)
    if generator.random() < 0.7:
        spoilt = _ragged(spoilt, generator)
    if generator.random() < 0.35:
        spoilt = _drop_parts(spoilt, generator, mistakes)
    if generator.random() < 0.35:
        spoilt = _boxes(spoilt, generator)
    if generator.random() < 0.3:
        spoilt = _mixed_patches(spoilt, generator, part_count)
    if generator.random() < 0.2:
        spoilt = _clutter(spoilt, generator, part_count)
    return spoilt


def _exchange_names(part_map, generator, mistakes):
    """Left for right, front for back, inside for outside: over a whole limb or on one half of it."""
    names = mistakes.names
    table = np.arange(len(names), dtype=np.uint8)
    for (here, there), where, chance in mistakes.swaps:
        if generator.random() >= chance:
            continue
        both = generator.random() < 0.5
        for index, name in enumerate(names):
            if where in name and here in name:
                other = names.index(name.replace(here, there))
                table[index] = other
                if both:
                    table[other] = index
    return table[part_map]


def _ragged(part_map, generator):
    """Bend all borders by a smooth random displacement of a few pixels."""
    size = part_map.shape[0]
    cells = int(generator.integers(6, 28))
    strength = generator.uniform(0.004, 0.022) * size
    coarse = generator.standard_normal((2, cells, cells), dtype=np.float32) * strength
    index = np.minimum(np.arange(size) * cells // size, cells - 1)
    offset = coarse[:, index][:, :, index]
    y, x = np.mgrid[0:size, 0:size]
    y = np.clip(y + offset[0], 0, size - 1).astype(np.int32)
    x = np.clip(x + offset[1], 0, size - 1).astype(np.int32)
    return part_map[y, x]


def _drop_parts(part_map, generator, mistakes):
    """Lose one to three limbs altogether."""
    table = np.arange(len(mistakes.names), dtype=np.uint8)
    for limb in generator.choice(len(mistakes.limbs), generator.integers(1, 4), replace=False):
        table[list(mistakes.limbs[limb])] = 0
    return table[part_map]


def _boxes(part_map, generator):
    """Blank out one or two boxes on the body."""
    spoilt, size = part_map.copy(), part_map.shape[0]
    rows, columns = np.nonzero(part_map)
    for _ in range(generator.integers(1, 3)):
        if len(rows) == 0:
            break
        pick = generator.integers(len(rows))
        half = (generator.uniform(0.03, 0.13, 2) * size).astype(int)
        spoilt[max(rows[pick] - half[0], 0) : rows[pick] + half[0],
               max(columns[pick] - half[1], 0) : columns[pick] + half[1]] = 0  # fmt: skip
    return spoilt


def _mixed_patches(part_map, generator, part_count):
    """Name some patches of the body wrongly."""
    size = part_map.shape[0]
    cells = int(generator.integers(8, 24))
    wrong = generator.integers(0, part_count + 1, (cells, cells)).astype(np.uint8)
    hit = generator.random((cells, cells)) < generator.uniform(0.02, 0.15)
    index = np.minimum(np.arange(size) * cells // size, cells - 1)
    wrong, hit = wrong[index][:, index], hit[index][:, index]
    return np.where(hit & (part_map > 0), wrong, part_map)


def _clutter(part_map, generator, part_count):
    """See body parts where there is background."""
    spoilt, size = part_map.copy(), part_map.shape[0]
    for _ in range(generator.integers(1, 4)):
        half = (np.exp(generator.uniform(-4.5, -2.5, 2)) * size).astype(int) + 1
        row, column = generator.integers(0, size, 2)
        block = spoilt[max(row - half[0], 0) : row + half[0], max(column - half[1], 0) : column + half[1]]
        block[block == 0] = generator.integers(1, part_count + 1)
    return spoilt
