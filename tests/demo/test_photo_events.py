"""What a browser sends of the pictures is checked before it is used."""

import pytest

from demo.photo_events import chosen_point, dragged_box
from hmnet.errors import BoxError

NOT_TWO_NUMBERS = (None, "1, 2", [1, 2], {}, {"x": 1}, {"x": "1", "y": "2"}, {"x": float("nan"), "y": 0},
                   {"x": 10**400, "y": 0}, {"x": [1], "y": [2]})  # fmt: skip


def test_points_and_boxes_are_taken() -> None:
    assert chosen_point({"x": 3, "y": 4.5}) == (3.0, 4.5)
    assert dragged_box({"box": [1, 2, 30, 40.5]}) == [1, 2, 30, 40.5]


@pytest.mark.parametrize("event", NOT_TWO_NUMBERS)
def test_what_is_no_point_is_refused(event: object) -> None:
    # Before, an AttributeError or a TypeError came through.
    with pytest.raises(BoxError, match="Expected a point"):
        chosen_point(event)


@pytest.mark.parametrize("box", [None, "box", [1, 2, 3], ["1"] * 4, [float("inf")] * 4, [[1, 2], [3]], {}])
def test_what_is_no_box_is_refused(box: object) -> None:
    for event in ({"box": box}, box):
        with pytest.raises(BoxError, match="Expected a box"):
            dragged_box(event)
