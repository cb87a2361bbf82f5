"""People in foreground maps, and boxes as callers give them."""

import numpy as np
import pytest

from hmnet.errors import BoxError
from hmnet.person_box import BoxSearch, check_box, find_people, likeness, mask_box, most_inside

SEARCH = BoxSearch()


def drawn(*boxes: tuple[int, int, int, int], probability: float = 0.9) -> np.ndarray:
    foreground = np.full((120, 200), 0.05, np.float32)
    for x0, y0, x1, y1 in boxes:
        foreground[y0:y1, x0:x1] = probability
    return foreground


def found(foreground: np.ndarray, threshold: float = 0.5) -> list[list[float]]:
    return [mask_box(mask).tolist() for mask in find_people(foreground, threshold, SEARCH)]


def test_the_largest_person_comes_first() -> None:
    small, large = (10, 20, 30, 60), (100, 10, 150, 110)
    assert found(drawn(small, large)) == [list(large), list(small)]


def test_pieces_of_one_person_are_joined_and_far_ones_are_not() -> None:
    # The gap is 2.5 % of 200 px: 5 px.
    assert found(drawn((50, 10, 80, 50), (50, 53, 80, 90))) == [[50, 10, 80, 90]]
    assert len(found(drawn((50, 10, 80, 50), (50, 62, 80, 90)))) == 2


def test_a_speck_beside_a_person_does_not_widen_the_box() -> None:
    assert found(drawn((50, 10, 80, 90), (82, 30, 84, 33))) == [[50, 10, 80, 90]]


def test_nobody_is_found_where_nothing_is_sure_or_large_enough() -> None:
    assert found(drawn()) == []
    assert found(drawn((50, 10, 80, 90), probability=0.55)) == []
    assert found(drawn((50, 10, 55, 15))) == []


def test_the_threshold_decides_what_is_foreground() -> None:
    foreground = drawn((50, 10, 80, 90))
    foreground[10:90, 80:100] = 0.35
    assert found(foreground) == [[50, 10, 80, 90]]
    assert found(foreground, 0.3) == [[50, 10, 100, 90]]


def test_most_inside() -> None:
    people = find_people(drawn((0, 0, 60, 120), (90, 50, 110, 70)), 0.5, SEARCH)
    assert mask_box(most_inside(people, (50, -9, 120, 300))).tolist() == [0, 0, 60, 120]
    assert mask_box(most_inside(people, (58, 40, 120, 60))).tolist() == [90, 50, 110, 70]
    assert most_inside(people, (150, 0, 190, 120)) is None
    assert most_inside([], (0, 0, 200, 120)) is None


def test_a_person_has_more_kinds_of_parts_than_a_lawn_and_surer_ones_than_a_bush() -> None:
    lawn = np.eye(24)[[0] * 900 + [1] * 95 + [6] * 5]
    person = np.eye(24)[np.repeat(np.arange(24), 40)]
    bush = 0.3 * person + 0.7 / 24
    assert likeness(lawn) == pytest.approx(1 / 8)
    assert likeness(person) == pytest.approx(1)
    assert likeness(bush) == pytest.approx(0.3 + 0.7 / 24)
    assert likeness(np.zeros((0, 24))) == 0


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
    ],
)
def test_bad_boxes(box: object, reason: str) -> None:
    with pytest.raises(BoxError, match=reason):
        check_box(box, (200, 120))


def test_a_box_is_cut_to_the_photo() -> None:
    assert check_box([-1e9, 10, 50, 1e9], (200, 120)).tolist() == [0, 10, 50, 120]
