"""Breaking the part map: which labels change, and which stay."""

import numpy as np
import pytest

from demo.bodies import LIMBS, limbs_of
from demo.part_change import PartChange, change_parts
from hmnet.body import PART_COUNT, PART_INDEX, load_body

SIDE = 192
BODY = load_body()


def parts_of(limb: str) -> list[int]:
    return list(limbs_of(BODY)[limb])


@pytest.fixture(scope="module")
def labels():
    """A person-like block with all parts in stripes, on background."""
    made = np.zeros((SIDE, SIDE), np.uint8)
    rows = np.arange(24, 168) // 6 - 3
    made[24:168, 60:132] = rows[:, None]
    assert set(np.unique(made)) == set(range(PART_COUNT + 1))
    return made


def test_no_change_changes_nothing_and_returns_a_copy(labels):
    same = change_parts(labels, None, PartChange(), BODY)
    np.testing.assert_array_equal(same, labels)
    assert not np.shares_memory(same, labels)


def test_limbs_share_out_all_parts():
    assert sorted(part for limb in LIMBS for part in parts_of(limb)) == list(range(1, PART_COUNT + 1))
    assert parts_of("left arm") == [PART_INDEX[name] for name in (
        "left hand", "left upper arm inside", "left upper arm outside", "left lower arm inside",
        "left lower arm outside")]  # fmt: skip


def test_dropped_limbs_become_background_and_nothing_else(labels):
    changed = change_parts(labels, None, PartChange(dropped=("left arm", "head")), BODY)
    gone = np.isin(labels, parts_of("left arm") + parts_of("head"))
    assert gone.any() and not changed[gone].any()
    np.testing.assert_array_equal(changed[~gone], labels[~gone])


def test_swapping_takes_each_side_for_the_other_and_undoes_itself(labels):
    swapped = change_parts(labels, None, PartChange(swapped=True), BODY)
    for one, other in (
        ("left hand", "right hand"),
        ("torso front", "torso front"),
        ("right head", "left head"),
    ):
        np.testing.assert_array_equal(swapped == PART_INDEX[one], labels == PART_INDEX[other])
    np.testing.assert_array_equal(change_parts(swapped, None, PartChange(swapped=True), BODY), labels)


def test_the_true_map_is_taken_where_it_is_known(labels):
    truth = np.roll(labels, 5, axis=1)
    change = PartChange(true_parts=True)
    np.testing.assert_array_equal(change_parts(labels, truth, change, BODY), truth)
    np.testing.assert_array_equal(change_parts(labels, None, change, BODY), labels)
    # The other changes act on it.
    dropped = change_parts(labels, truth, PartChange(true_parts=True, dropped=("torso",)), BODY)
    np.testing.assert_array_equal(dropped, np.where(np.isin(truth, parts_of("torso")), 0, truth))


def test_noise_is_the_same_each_time_stays_on_the_person_and_grows(labels):
    person = labels > 0
    wrong = []
    for noise in (0.05, 0.3, 1.0):
        noisy = change_parts(labels, None, PartChange(noise=noise), BODY)
        np.testing.assert_array_equal(noisy, change_parts(labels, None, PartChange(noise=noise), BODY))
        assert noisy.dtype == np.uint8 and noisy.max() <= PART_COUNT
        np.testing.assert_array_equal(noisy[~person], 0)
        wrong.append(float((noisy != labels)[person].mean()))
    assert 0 < wrong[0] < wrong[1] < wrong[2]
    # Both kinds of damage are there: holes, and wrong parts.
    assert (noisy[person] == 0).any() and ((noisy != labels) & (noisy > 0)).any()


def test_a_slider_s_next_step_keeps_the_damage_of_the_last(labels):
    fewer, more = (change_parts(labels, None, PartChange(noise=noise), BODY) for noise in (0.1, 0.15))
    damaged = fewer != labels
    # A later patch may lie over an earlier one, but hardly mends it.
    assert (more != labels)[damaged].mean() > 0.95


def test_noise_on_an_empty_map_is_an_empty_map():
    empty = np.zeros((SIDE, SIDE), np.uint8)
    np.testing.assert_array_equal(change_parts(empty, None, PartChange(noise=1.0), BODY), empty)
