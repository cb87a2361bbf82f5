"""People in dense maps, the piece of a mask that is theirs, and boxes as callers give them."""

import numpy as np
import pytest
import torch
from red_segmenter import PLACES, RedFeatures

from hmnet.errors import BoxError
from hmnet.keypoints import middle_keypoints
from hmnet.person_box import (
    BoxSearch,
    Candidate,
    check_box,
    distinct,
    find_candidates,
    mask_box,
    person_mask,
)

SEARCH = BoxSearch()
SMALL, LARGE = (8, 20, 40, 84), (100, 12, 148, 108)


def dense_map(*patches: tuple[int, int, int, int]) -> torch.Tensor:
    """What the red features see of patches (x0, y0, x1, y1) in a picture of 192 x 128 px."""
    image = torch.full((1, 3, 128, 192), -0.1)
    for x0, y0, x1, y1 in patches:
        image[0, :, y0:y1, x0:x1] = torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    return RedFeatures().eval()(image)[-1][0]


def expected(patch: tuple[int, int, int, int]) -> np.ndarray:
    corner, size = np.array(patch[:2]), np.array(patch[2:]) - patch[:2]
    return corner + PLACES * size


def person(x: float = 0.0, y: float = 0.0, heat: float = 0.9) -> Candidate:
    return Candidate(expected(LARGE) + np.array([x, y]), np.full(17, heat))


def test_each_person_has_their_own_keypoints() -> None:
    found = find_candidates(dense_map(SMALL, LARGE), SEARCH)
    assert len(found) == 2
    for patch in (SMALL, LARGE):
        nearest = min(np.abs(one.keypoints - expected(patch)).max() for one in found)
        assert nearest <= 4
    assert find_candidates(dense_map(), SEARCH) == []


def test_unsure_centres_are_nobody() -> None:
    dense = dense_map(LARGE)
    dense[41].clamp_(max=-1.5)
    assert find_candidates(dense, SEARCH) == []
    assert len(find_candidates(dense, BoxSearch(least_centre=0.1))) == 1


def test_of_a_crowd_the_surest_few_are_looked_at() -> None:
    dense = torch.rand(76, 64, 64, generator=torch.Generator().manual_seed(0)) * 4
    found = find_candidates(dense, SEARCH)
    assert len(found) == SEARCH.most


def test_who_stands_in_the_middle_is_meant() -> None:
    middle = (72, 20, 120, 100)
    keypoints, _, _ = middle_keypoints(dense_map(SMALL, middle)[None])
    assert np.abs(keypoints[0].numpy() - expected(middle)).max() <= 4


def test_the_box_holds_the_sure_keypoints_and_a_little_more() -> None:
    one = person()
    x0, y0, x1, y1 = one.box(0.2)
    low, high = one.keypoints.min(0), one.keypoints.max(0)
    pad = 0.1 * (high - low).max()
    assert np.allclose([x0, y0, x1, y1], [*(low - pad), *(high + pad)])
    one.heats[-2:] = 0.05  # the ankles
    assert one.box(0.2)[3] < y1
    assert np.allclose(Candidate(one.keypoints, np.zeros(17)).box(0.2), [x0, y0, x1, y1])


def test_one_person_seen_twice_is_one_and_a_neighbour_is_not() -> None:
    sure, again, neighbour = person(), person(3, 2, heat=0.5), person(45, 0, heat=0.6)
    kept = distinct([again, neighbour, sure], SEARCH)
    assert [one is other for one, other in zip(kept, (sure, neighbour), strict=True)] == [True, True]


def test_a_person_in_another_picture() -> None:
    there = person().scaled(2.0, (10, 20))
    assert np.allclose(there.keypoints, person().keypoints * 2 + [10, 20])


def test_a_person_s_piece_of_the_mask_is_the_one_with_their_keypoints() -> None:
    mask = np.zeros((128, 192), bool)
    for x0, y0, x1, y1 in (SMALL, LARGE):
        mask[y0:y1, x0:x1] = True
    own = person_mask(mask, person(), SEARCH)
    assert mask_box(own).tolist() == list(LARGE)
    # A neighbour whom they touch is theirs only as far as their own reach goes.
    touching = mask.copy()
    touching[60:70, 40:100] = True
    x0, _, x1, _ = mask_box(person_mask(touching, person(), SEARCH))
    assert 75 < x0 < 100 and x1 == LARGE[2]
    assert not person_mask(mask, person(heat=0.1), SEARCH).any()
    assert not person_mask(np.zeros_like(mask), person(), SEARCH).any()
    # Keypoints beyond the picture, as of a person cut off by its edge, are no mistake.
    assert mask_box(person_mask(mask, person(60, 0), SEARCH) | own).tolist() == list(LARGE)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((10, 10, 10, 50), "no area"),
        ((10, 50, 40, 10), "no area"),
        ((200, 10, 260, 50), "outside"),
        ((-50, -60, 0, -1), "outside"),
        ((10, 10, 12, 50), "less than 8 px"),
        ((float("nan"), 10, 40, 50), "finite"),
        ((0, 0, float("inf"), 50), "finite"),
        ((10, 10, 40), "four"),
        ("abcd", "four"),
        ([[1, 2], [3]], "four"),
        # No float holds it: an OverflowError came through.
        ([10**400] * 4, "four"),
        # The sentence held all of it.
        (list(range(10_000)), "got .{,200}$"),
    ],
)
def test_bad_boxes(box: object, reason: str) -> None:
    with pytest.raises(BoxError, match=reason):
        check_box(box, (200, 120))


def test_a_box_is_cut_to_the_photo() -> None:
    assert check_box([-1e9, 10, 50, 1e9], (200, 120)).tolist() == [0, 10, 50, 120]
