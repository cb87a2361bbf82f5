"""Finding hands in a photo: sizes, repetitions, boxes and turns."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from hmnet.hand_search import HandSearch, distinct, find_hands, joined, letterbox
from hmnet.palmnet import Palms

RECORDED = load_file(Path(__file__).parent / "palm_recorded.safetensors")
PICTURE = RECORDED["picture"].numpy()


def palms(*entries: tuple[float, float, float, float]) -> Palms:
    """Square palms of (likeness, middle x, middle y, side) whose keypoints all lie in the middle."""
    likenesses, x, y, side = np.array(entries, np.float64).T
    middle = np.stack([x, y], 1)
    half = side[:, None] / 2
    return Palms(likenesses, np.hstack([middle - half, middle + half]), np.repeat(middle[:, None], 7, axis=1))


def placed(height: int, width: int, left: int, top: int) -> np.ndarray:
    """The recorded picture on a black photo."""
    photo = np.zeros((height, width, 3), np.uint8)
    photo[top : top + len(PICTURE), left : left + PICTURE.shape[1]] = PICTURE
    return photo


def test_the_hand_is_found_with_its_box_and_turn():
    (hand,) = find_hands(PICTURE)
    truth = RECORDED["box"].double().numpy()
    both = (np.minimum(hand.box[2:], truth[2:]) - np.maximum(hand.box[:2], truth[:2])).clip(0).prod()
    union = hand.side**2 + (truth[2:] - truth[:2]).prod() - both
    assert both / union > 0.6
    x, y = RECORDED["knuckle"].tolist()
    assert abs(hand.turn - np.arctan2(x, -y)) < np.radians(15)
    assert 0.9 < hand.likeness <= 1


def test_boxes_and_turns_follow_a_turned_photo():
    (hand,) = find_hands(PICTURE)
    (quarter,) = find_hands(np.rot90(PICTURE, -1).copy())
    # Clockwise: what was up is right, and (x, y) comes to (height - y, x).
    difference = np.angle(np.exp(1j * (quarter.turn - hand.turn - np.pi / 2)))
    assert abs(difference) < np.radians(10)
    x, y = hand.middle
    assert np.linalg.norm(quarter.middle - [PICTURE.shape[0] - y, x]) < 0.15 * hand.side


def test_a_hand_found_in_several_sizes_is_one_and_lies_where_it_is():
    (alone,) = find_hands(PICTURE)
    (hand,) = find_hands(placed(401, 533, 300, 150))
    assert np.linalg.norm(hand.middle - alone.middle - [300, 150]) < 0.15 * alone.side
    assert hand.side == pytest.approx(alone.side, rel=0.25)


def test_two_hands_are_two_and_the_larger_comes_first():
    photo = placed(288, 400, 0, 96)
    photo[:96, 304:] = PICTURE[::2, ::2]
    hands = find_hands(photo, HandSearch(sides=(96, 192, 288)))
    assert len(hands) == 2
    assert hands[0].side > 1.5 * hands[1].side
    assert hands[0].middle[0] < 192 and hands[1].middle[0] > 304


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_picture_shows_no_hand(shade):
    assert find_hands(np.full((150, 211, 3), shade, np.uint8)) == []


@pytest.mark.parametrize("height, width", [(1, 1), (3, 700), (701, 2)])
def test_odd_photos_are_looked_at(height, width):
    assert find_hands(np.zeros((height, width, 3), np.uint8)) == []


def test_letterbox_is_exact_for_odd_sizes():
    photo = np.full((101, 333, 3), 200, np.uint8)
    canvas, scale = letterbox(photo, 192)
    assert canvas.shape == (64, 224, 3)
    assert (canvas[:58, :192] == 200).all()
    assert not canvas[58:].any() and not canvas[:, 192:].any()
    # The photo's far corner comes to the far corner of what shows it, although 101 * 192 / 333 is not whole.
    np.testing.assert_allclose(scale * [333, 101], [192, 58])
    canvas, scale = letterbox(photo[:32, :32], 32)
    assert canvas.shape == (64, 64, 3) and scale.tolist() == [1, 1]


def test_repetitions_become_their_weighted_mean():
    found = distinct(palms((0.5, 13, 10, 10), (0.9, 10, 10, 10), (0.6, 40, 10, 10)), 0.3)
    assert found.likenesses.tolist() == [0.9, 0.6]
    middle = (0.9 * 10 + 0.5 * 13) / 1.4
    np.testing.assert_allclose(found.boxes[0], [middle - 5, 5, middle + 5, 15])
    np.testing.assert_allclose(found.keypoints[0], np.tile([middle, 10], (7, 1)))


def test_palms_overlap_as_a_share_of_their_union():
    """Shifted by d of a side they share (1 - d) / (1 + d) of their union: 0.3 at 7 / 13."""
    for shift, count in ((5.2, 1), (5.6, 2)):
        assert len(distinct(palms((0.9, 0, 0, 10), (0.8, shift, 0, 10)), 0.3).likenesses) == count


def test_palms_without_area_and_no_palms_are_borne():
    assert len(distinct(palms((0.9, 0, 0, 0), (0.8, 0, 0, 0)), 0.3).likenesses) == 2
    assert len(distinct(joined([]), 0.3).likenesses) == 0


def test_of_hands_of_two_sizes_at_one_place_the_surer_one_is_kept(monkeypatch):
    """A fingertip taken for a palm goes, and all of a person; a clasped hand of the same size stays."""
    known = palms((0.9, 100, 100, 40), (0.7, 100, 70, 12), (0.8, 126, 100, 38), (0.6, 110, 110, 120))
    monkeypatch.setattr("hmnet.hand_search.find_palms", lambda *_: [known])
    hands = find_hands(np.zeros((192, 192, 3), np.uint8), HandSearch(sides=(192,)))
    assert [hand.likeness for hand in hands] == [0.9, 0.8]
