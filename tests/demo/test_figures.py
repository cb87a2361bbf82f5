"""Pictures of a prediction are drawn where and in the colours that they promise."""

import numpy as np
import pytest

from demo import figures
from hmnet.body import PART_COLOURS, PART_INDEX, load_body

GREY = np.full((120, 90, 3), 128, np.uint8)


def test_parts_take_their_colours_and_leave_the_rest():
    part_map = np.zeros((60, 45), np.uint8)  # half the picture's size
    part_map[10:20, 10:20] = PART_INDEX["left hand"]
    drawn = figures.draw_parts(GREY, part_map, opacity=1.0)
    assert tuple(drawn[30, 30]) == PART_COLOURS[PART_INDEX["left hand"]]
    outside = drawn[60:].reshape(-1, 3)
    assert (outside == outside[0]).all() and np.ptp(outside[0]) == 0


def test_part_maps_are_resized_without_new_labels():
    part_map = np.zeros((40, 30), np.uint8)
    part_map[:, 15:] = 24
    drawn = figures.draw_parts(GREY, part_map, opacity=1.0).reshape(-1, 3)
    assert len(np.unique(drawn, axis=0)) == 2


def test_skeleton_joins_all_of_the_bodys_joints():
    names = load_body("anny").joint_names
    joined = {name for bone in figures.SKELETON for name in bone}
    assert joined == set(names)
    assert len(figures.SKELETON) == len(names) - 1


def test_skeleton_shows_right_and_left_in_their_colours():
    names = load_body("anny").joint_names
    points = {name: np.array([45.0, 60.0]) for name in names}
    points |= {"left_knee": np.array([80.0, 100.0]), "left_ankle": np.array([80.0, 20.0])}
    drawn = figures.draw_skeleton(GREY, points)
    assert np.abs(drawn[60, 80].astype(int) - figures.LEFT).max() < 12


@pytest.mark.parametrize(("size", "expected"), [((50, 80), (50, 80)), ((3000, 1500), (960, 480))])
def test_only_large_pictures_shrink(size, expected):
    assert figures.shrink(np.zeros((*size, 3), np.uint8)).shape[:2] == expected


def test_heat_scale_grows_evenly_in_lightness():
    stops = figures.heat_stops()
    assert stops[0][0] == 0 and stops[-1][0] == 1
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in stops]) / 255
    luminance = (rgb**2.2) @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    steps = np.diff(lightness)
    assert (steps > 0).all() and steps.max() < 2 * steps.mean()
