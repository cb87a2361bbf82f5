"""Windows that are turned: points, pictures and labels go there and back, and agree with each other."""

import numpy as np
import pytest
from PIL import Image

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.data.crop import OUTSIDE, Crop, extract, extract_labels, in_photo, restore_labels
from hmnet.data.hand_crop import hand_crop, turn_of
from hmnet.data.hand_windows import upright_points

BOX = (40.0, 30.0, 140.0, 130.0)


def smooth(height: int = 160, width: int = 180) -> np.ndarray:
    """A picture (H, W, 3) without fine detail, so that drawing it anew costs next to nothing."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    return np.array(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("in_mirror", [False, True])
@pytest.mark.parametrize("turn", [0.0, 0.3, -2.0, np.pi])
def test_points_come_back(turn, in_mirror):
    crop, points = Crop(BOX, turn, in_mirror), np.random.default_rng(1).uniform(0, 200, (5, 2))
    np.testing.assert_allclose(crop.to_photo(crop.to_crop(points, 64), 64), points, atol=1e-9)
    np.testing.assert_allclose(crop.to_crop(crop.middle, 64), [32, 32], atol=1e-9)


def test_up_is_where_the_turn_says():
    crop = Crop(BOX, 0.5)
    top = crop.to_photo(np.array([32.0, 0.0]), 64) - crop.middle
    np.testing.assert_allclose(top, 50 * np.array([np.sin(0.5), -np.cos(0.5)]), atol=1e-9)


@pytest.mark.parametrize(("turn", "quarters"), [(np.pi / 2, 1), (np.pi, 2), (-np.pi / 2, -1)])
def test_quarter_turns_are_those_of_the_array(turn, quarters):
    picture = smooth()
    straight = extract(picture, Crop(BOX), 100)
    turned = extract(picture, Crop(BOX, turn), 100)
    assert np.abs(turned.astype(int) - np.rot90(straight, quarters)).max() <= 2
    labels = np.arange(160 * 180).reshape(160, 180)
    np.testing.assert_array_equal(
        extract_labels(labels, Crop(BOX, turn), 100),
        np.rot90(extract_labels(labels, Crop(BOX), 100), quarters),
    )


def test_a_picture_shows_what_lies_at_its_points():
    picture, crop = smooth(), Crop(BOX, 0.7)
    shown = extract(picture, crop, 100)
    places = crop.to_photo(np.array([[50.5, 50.5], [20.5, 70.5], [80.5, 40.5]]), 100)
    for (x, y), seen in zip(places, (shown[50, 50], shown[70, 20], shown[40, 80]), strict=True):
        assert np.abs(picture[int(y), int(x)].astype(int) - seen).max() <= 12


def test_outside_the_photo_is_grey_and_unlabelled():
    crop = Crop((-100.0, -100.0, 0.0, 0.0), 0.8)
    assert (extract(smooth(), crop, 32)[:10, :10] == OUTSIDE).all()
    assert not extract_labels(np.ones((160, 180), int), Crop((300.0, 0.0, 400.0, 100.0), 0.8), 32).any()


def test_labels_are_laid_back_where_they_were():
    labels = np.zeros((160, 180), np.uint8)
    labels[60:90, 70:110] = 5
    crop = Crop(BOX, -0.9)
    back = restore_labels(extract_labels(labels, crop, 400), crop, labels.shape)
    assert set(np.unique(back)) == {0, 5}
    assert np.count_nonzero(back != labels) < 0.03 * np.count_nonzero(labels)


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_a_window_in_a_mirror_has_left_and_right_exchanged(turn):
    picture, plain, mirrored = smooth(), Crop(BOX, turn), Crop(BOX, turn, in_mirror=True)
    np.testing.assert_array_equal(extract(picture, mirrored, 50), extract(picture, plain, 50)[:, ::-1])
    labels = np.arange(160 * 180).reshape(160, 180)
    shown = extract_labels(labels, mirrored, 50)
    np.testing.assert_array_equal(shown, extract_labels(labels, plain, 50)[:, ::-1])
    restored = restore_labels(shown, mirrored, labels.shape)
    np.testing.assert_array_equal(restored, restore_labels(shown[:, ::-1], plain, labels.shape))
    np.testing.assert_allclose(mirrored.to_photo([10.0, 30.0], 50), plain.to_photo([40.0, 30.0], 50))


@pytest.mark.parametrize("crop", [Crop(BOX), Crop(BOX, 0.7), Crop(BOX, -2.0, True), Crop(BOX, 0.0, True)])
def test_points_of_the_window_lie_in_the_photo_as_the_windows_pixels_do(crop):
    points = np.random.default_rng(1).normal(0, 1, (5, 3)).astype(np.float32)
    found = in_photo(points, crop)
    assert found.dtype == np.float32 and np.array_equal(found[:, 2], points[:, 2])
    pixels = crop.to_photo(points[:, :2], 1) - crop.to_photo([0.0, 0.0], 1)
    np.testing.assert_allclose(found[:, :2] * crop.side, pixels, atol=1e-4)
    np.testing.assert_allclose(upright_points(found, crop), points, atol=1e-6)
    if crop == Crop(BOX):
        assert found is points


def test_a_hand_points_up_in_its_window():
    points = np.random.default_rng(2).uniform(0, 60, (21, 2))
    wrist, knuckle = (HAND_JOINT_NAMES.index(name) for name in ("wrist", "middle1"))
    points[wrist], points[knuckle] = [30, 30], [50, 30]
    assert turn_of(points) == pytest.approx(np.pi / 2)
    crop = hand_crop(points, 0.4)
    seen = crop.to_crop(points, 1)
    assert seen[wrist, 1] > seen[knuckle, 1] and seen[wrist, 0] == pytest.approx(seen[knuckle, 0])
    # The longer side fills the window but for the margin, and the points lie in its middle.
    low, high = seen.min(0), seen.max(0)
    assert (high - low).max() == pytest.approx(1 / 1.4)
    np.testing.assert_allclose(low + high, 1, atol=1e-9)
