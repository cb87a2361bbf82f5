"""Keypoints as a detector would notice them: sure and near where they are seen, unsure where they are not."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="training data need requirements-dev.txt")

from hmnet.body.parts import PART_INDEX
from hmnet.data.synthetic.maps import SHOWN_BY, noticed
from hmnet.keypoints import COUNT, PLACES_SIZE
from hmnet.movenet import KEYPOINT_NAMES


def test_what_shows_a_keypoint() -> None:
    shown = dict(zip(KEYPOINT_NAMES, SHOWN_BY, strict=True))
    assert {PART_INDEX["left head"], PART_INDEX["right head"]} == set(shown["nose"]) == set(shown["left_ear"])
    assert PART_INDEX["left hand"] in shown["left_wrist"]
    assert PART_INDEX["right hand"] not in shown["left_wrist"]
    assert PART_INDEX["torso back"] in shown["right_shoulder"]


def test_seen_keypoints_are_sure_and_near_and_hidden_ones_are_not() -> None:
    keypoints = np.full((COUNT, 2), 96.0)
    left = np.array([name.startswith("left") for name in KEYPOINT_NAMES])
    keypoints[left, 0], keypoints[~left, 0] = 40.0, 150.0
    part_map = np.zeros((192, 192), np.uint8)
    part_map[80:112, 24:56] = PART_INDEX["left lower arm inside"]
    generator = np.random.default_rng(0)
    places = np.stack([noticed(part_map, keypoints, generator) for _ in range(200)])
    assert places.shape == (200, PLACES_SIZE) and places.dtype == np.float32
    found = (places[:, : 2 * COUNT].reshape(200, COUNT, 2) + 1) * 96
    heats = places[:, 2 * COUNT : 3 * COUNT]
    off = np.median(np.linalg.norm(found - keypoints, axis=2), axis=0)
    seen, hidden = KEYPOINT_NAMES.index("left_wrist"), KEYPOINT_NAMES.index("left_knee")
    assert heats[:, seen].mean() > 0.6 > 0.3 > heats[:, hidden].mean()
    assert off[seen] < 5 < off[hidden]
