"""Damage to part maps: as much as was asked for, and more of it holds what less of it did."""

import numpy as np
import pytest

from hmnet.body import PART_INDEX
from hmnet.figures.part_damage import LOSABLE, SWAPPED, lose_limbs, swap_sides, wrong_patches

MAP = np.zeros((96, 96), np.uint8)
MAP[:, 12:84] = 1 + np.arange(72) * 24 // 72


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def test_limbs_are_lost_one_after_the_other():
    before = set(np.unique(MAP))
    for count in range(len(LOSABLE) + 1):
        left = set(np.unique(lose_limbs(MAP, count, generator())))
        gone = {limb for limb in LOSABLE if not left & set(limb)}
        assert len(gone) == count and left <= before
        before = left
    heads_and_torso = {PART_INDEX[f"{side} head"] for side in ("left", "right")} | {1, 2}
    assert before == heads_and_torso | {0}


def test_only_limbs_in_view_count():
    hand = np.where(PART_INDEX["left hand"] == MAP, MAP, 0)
    assert not lose_limbs(hand, 1, generator()).any()
    assert not lose_limbs(hand, 5, generator()).any()


@pytest.mark.parametrize("what", SWAPPED)
def test_swapping_twice_changes_nothing(what):
    once = swap_sides(MAP, what)
    np.testing.assert_array_equal(swap_sides(once, what), MAP)
    assert (once == MAP).all() == (what == "none")


def test_swapped_arms_leave_the_legs():
    swapped = swap_sides(MAP, "arms")
    assert (swapped[PART_INDEX["left hand"] == MAP] == PART_INDEX["right hand"]).all()
    for part in ("left foot", "right upper leg back", "left head", "torso front"):
        assert (swapped[PART_INDEX[part] == MAP] == PART_INDEX[part]).all()


def test_wrong_patches_cover_the_share_and_grow():
    changed = np.zeros_like(MAP, bool)
    for share in (0.0, 0.1, 0.4, 0.7, 1.0):
        damaged = wrong_patches(MAP, share, generator())
        now = damaged != MAP
        assert abs(now[MAP > 0].mean() - share) < 0.06
        assert not now[MAP == 0].any() and now[changed].all() and damaged.max() <= 24
        changed = now
    np.testing.assert_array_equal(wrong_patches(MAP, 0.4, generator()),
                                  wrong_patches(MAP, 0.4, generator()))  # fmt: skip
