"""Corrupted part maps stay part maps, change, and can be repeated."""

import numpy as np

from hmnet.body import MIRRORED_PART, PART_NAMES
from hmnet.body.hand_names import FINGERS, HAND_PART_NAMES
from hmnet.data import corruption
from hmnet.data.augment import flip
from hmnet.data.corruption import BODY_MISTAKES, HAND_MISTAKES


def part_map() -> np.ndarray:
    """A figure of blocks with all 24 parts."""
    labels = np.zeros((96, 96), np.uint8)
    for part in range(1, 25):
        row, column = divmod(part - 1, 4)
        labels[8 + 13 * row : 20 + 13 * row, 20 + 14 * column : 33 + 14 * column] = part
    return labels


def test_corruptions_keep_the_alphabet_and_are_repeatable():
    labels = part_map()
    changed = 0
    for seed in range(40):
        spoilt = corruption.corrupt(labels, np.random.default_rng(seed))
        again = corruption.corrupt(labels, np.random.default_rng(seed))
        assert spoilt.dtype == np.uint8 and spoilt.shape == labels.shape and spoilt.max() <= 24
        np.testing.assert_array_equal(spoilt, again)
        changed += (spoilt != labels).any()
    assert changed > 30
    np.testing.assert_array_equal(labels, part_map())


def test_exchanged_names_are_pairs_of_the_same_limb():
    labels = part_map()
    for seed in range(60):
        spoilt = corruption._exchange_names(labels, np.random.default_rng(seed), BODY_MISTAKES)
        for part in range(1, 25):
            (other,) = np.unique(spoilt[labels == part])
            before = set(PART_NAMES[part].split()) - {"left", "right", "front", "back", "inside", "outside"}
            after = set(PART_NAMES[other].split()) - {"left", "right", "front", "back", "inside", "outside"}
            assert before == after


def test_dropped_parts_are_whole_limbs():
    labels = part_map()
    spoilt = corruption._drop_parts(labels, np.random.default_rng(3), BODY_MISTAKES)
    lost = {int(p) for p in np.unique(labels[spoilt == 0])} - {0}
    assert lost and all((spoilt[labels == part] == 0).all() for part in lost)
    assert (spoilt[spoilt > 0] == labels[spoilt > 0]).all()


def test_fingers_are_taken_for_whole_fingers():
    names = HAND_PART_NAMES
    labels = np.arange(17, dtype=np.uint8).repeat(3)[None].repeat(51, 0)
    taken = set()
    for seed in range(200):
        spoilt = corruption._exchange_names(labels, np.random.default_rng(seed), HAND_MISTAKES)
        for part in range(17):
            (other,) = np.unique(spoilt[labels == part])
            if other != part:
                (finger, place), (as_finger, as_place) = names[part].split(), names[other].split()
                taken.add((finger, as_finger) if finger != as_finger else (place, as_place))
    assert {("middle", "ring"), ("index", "pinky"), ("base", "middle")} <= taken
    assert not any("palm" in pair for pair in taken)
    lost = corruption._drop_parts(labels, np.random.default_rng(1), HAND_MISTAKES)
    missing = {names[part].split()[0] for part in set(range(1, 17)) - set(np.unique(lost).tolist())}
    assert missing and missing <= set(FINGERS)
    assert corruption.corrupt(labels, np.random.default_rng(1), HAND_MISTAKES).max() <= 16


def test_flipping_twice_is_the_identity_and_swaps_sides():
    labels, image = part_map(), np.random.default_rng(0).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    once = flip(image, labels)
    twice = flip(*once)
    np.testing.assert_array_equal(twice[0], image)
    np.testing.assert_array_equal(twice[1], labels)
    left = PART_NAMES.index("left hand")
    column = np.nonzero(labels == left)[1].mean()
    mirrored = np.nonzero(once[1] == MIRRORED_PART[left])[1].mean()
    assert abs((95 - column) - mirrored) < 1e-9
