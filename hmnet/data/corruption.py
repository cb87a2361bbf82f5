"""Spoil true part maps the way a segmenter on photos would, after STRAPS (Sengupta et al., BMVC 2020).

Every function takes and returns part ids (H, W) uint8 and draws from the generator given.
"""

import numpy as np

from hmnet.body.parts import PART_COUNT, PART_INDEX, PART_NAMES

LIMBS = tuple(
    tuple(index for index, name in enumerate(PART_NAMES) if limb in name)
    for limb in ("left hand", "right hand", "left foot", "right foot", "left lower arm", "right lower arm",
                 "left upper arm", "right upper arm", "left lower leg", "right lower leg", "left upper leg",
                 "right upper leg", "head", "torso")
)  # fmt: skip
SWAPS = (
    (("left", "right"), "arm", 0.10),
    (("left", "right"), "leg", 0.12),
    (("left", "right"), "hand", 0.06),
    (("left", "right"), "foot", 0.10),
    (("left", "right"), "head", 0.10),
    (("front", "back"), "torso", 0.05),
    (("front", "back"), "leg", 0.08),
    (("inside", "outside"), "arm", 0.15),
)
"""Pairs of words, the parts they apply to, and how often those parts are exchanged."""


def corrupt(part_map: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """All corruptions below, each with its own chance."""
    spoilt = _exchange_names(part_map, generator)
    if generator.random() < 0.7:
        spoilt = _ragged(spoilt, generator)
    if generator.random() < 0.35:
        spoilt = _drop_parts(spoilt, generator)
    if generator.random() < 0.35:
        spoilt = _boxes(spoilt, generator)
    if generator.random() < 0.3:
        spoilt = _mixed_patches(spoilt, generator)
    if generator.random() < 0.2:
        spoilt = _clutter(spoilt, generator)
    return spoilt


def _exchange_names(part_map, generator):
    """Left for right, front for back, inside for outside: over a whole limb or on one half of it."""
    table = np.arange(PART_COUNT + 1, dtype=np.uint8)
    for (here, there), where, chance in SWAPS:
        if generator.random() >= chance:
            continue
        both = generator.random() < 0.5
        for index, name in enumerate(PART_NAMES):
            if where in name and here in name:
                other = PART_INDEX[name.replace(here, there)]
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


def _drop_parts(part_map, generator):
    """Lose one to three limbs altogether."""
    table = np.arange(PART_COUNT + 1, dtype=np.uint8)
    for limb in generator.choice(len(LIMBS) - 2, generator.integers(1, 4), replace=False):
        table[list(LIMBS[limb])] = 0
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


def _mixed_patches(part_map, generator):
    """Name some patches of the body wrongly."""
    size = part_map.shape[0]
    cells = int(generator.integers(8, 24))
    wrong = generator.integers(0, PART_COUNT + 1, (cells, cells)).astype(np.uint8)
    hit = generator.random((cells, cells)) < generator.uniform(0.02, 0.15)
    index = np.minimum(np.arange(size) * cells // size, cells - 1)
    wrong, hit = wrong[index][:, index], hit[index][:, index]
    return np.where(hit & (part_map > 0), wrong, part_map)


def _clutter(part_map, generator):
    """See body parts where there is background."""
    spoilt, size = part_map.copy(), part_map.shape[0]
    for _ in range(generator.integers(1, 4)):
        half = (np.exp(generator.uniform(-4.5, -2.5, 2)) * size).astype(int) + 1
        row, column = generator.integers(0, size, 2)
        block = spoilt[max(row - half[0], 0) : row + half[0], max(column - half[1], 0) : column + half[1]]
        block[block == 0] = generator.integers(1, PART_COUNT + 1)
    return spoilt
