"""From a box to the window that shows a hand upright, by a network that sees a hand of known landmarks."""

import numpy as np
import pytest

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.data.hand_crop import hand_crop, turn_of
from hmnet.upright_hand import refined, upright_hands

SIZE, MARGIN = 64, 0.4
WRIST, KNUCKLE = (HAND_JOINT_NAMES.index(name) for name in ("wrist", "middle1"))


def hand_at(turn: float) -> np.ndarray:
    """Keypoints (21, 2) px of a hand round (125, 120) that points where the turn says."""
    up = np.random.default_rng(0).uniform([-25, -60], [25, 20], (21, 2))
    up[WRIST], up[KNUCKLE] = [0, 30], [0, -20]
    cosine, sine = np.cos(turn), np.sin(turn)
    return up @ np.array([[cosine, sine], [-sine, cosine]]) + [125, 120]


class PlaceSeer:
    """Finds the hand in windows of a photo whose red and green say where a pixel lies.

    It is the surer that it sees one the more the hand points up; so the four quarters differ.
    """

    def __init__(self, keypoints: np.ndarray):
        self.keypoints, self.looks = keypoints, 0

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        self.looks += len(pictures)
        return np.stack([self._numbers(picture) for picture in pictures])

    def _numbers(self, picture: np.ndarray) -> np.ndarray:
        rows, columns = np.nonzero(picture[..., 2] > 250)
        # Where a place of the photo lies in the window: an affine map, by least squares.
        known = np.column_stack([picture[rows, columns, :2] + 0.5, np.ones(len(rows))])
        onto = np.linalg.lstsq(known, np.column_stack([columns + 0.5, rows + 0.5]), rcond=None)[0]
        seen = np.column_stack([self.keypoints, np.ones(21)]) @ onto
        numbers = np.zeros(128, np.float32)
        numbers[:63] = np.column_stack([seen, np.zeros(21)]).ravel()
        numbers[126:] = 4 * np.cos(turn_of(seen)), 1.0
        return numbers


def marked_photo() -> np.ndarray:
    """(240, 250, 3): red is x, green is y, and blue says that it is the photo and not what lies outside."""
    photo = np.full((240, 250, 3), 255, np.uint8)
    photo[..., 0], photo[..., 1] = np.arange(250), np.arange(240)[:, None]
    return photo


def box_of(keypoints: np.ndarray) -> tuple[float, ...]:
    return (*keypoints.min(0), *keypoints.max(0))


@pytest.mark.parametrize("turn", [0.2, 1.4, 3.0, -2.2])
def test_a_hand_is_turned_upright(turn):
    keypoints = hand_at(turn)
    (found,) = upright_hands(PlaceSeer(keypoints), [marked_photo()], [box_of(keypoints)], MARGIN, SIZE)
    expected = hand_crop(keypoints, MARGIN)
    assert np.cos(found.crop.turn - turn) > np.cos(0.05)
    assert found.crop.side == pytest.approx(expected.side, rel=0.05)
    np.testing.assert_allclose(found.crop.middle, expected.middle, atol=3)
    assert found.presence > 0.95 and 0.7 < found.right < 0.75


def test_hands_of_several_photos_are_looked_at_together():
    hands = [hand_at(turn) for turn in (0.2, 1.4)]
    seer = PlaceSeer(hands[0])
    alone = upright_hands(seer, [marked_photo()], [box_of(hands[0])], MARGIN, SIZE)
    assert seer.looks == 4 + 1 + 1
    both = upright_hands(seer, [marked_photo()] * 2, [box_of(hand) for hand in hands], MARGIN, SIZE)
    assert both[0].crop.turn == pytest.approx(alone[0].crop.turn) and len(both) == 2


def test_landmarks_beyond_belief_leave_the_window_as_it_is():
    keypoints = hand_at(0.0)
    start = hand_crop(keypoints, MARGIN)
    speck = PlaceSeer((keypoints - keypoints.mean(0)) * 0.1 + keypoints.mean(0))
    (found,) = refined(speck, [marked_photo()], [start], MARGIN, SIZE)
    assert found.crop == start
