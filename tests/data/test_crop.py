"""Square windows of a photo: pixels, labels and points go there and back."""

import numpy as np
import pytest

from hmnet.data.crop import OUTSIDE, Crop, extract, extract_labels, restore_labels, square_crop
from hmnet.errors import BoxError


def test_square_keeps_the_centre_and_the_longer_side() -> None:
    assert square_crop((10, 20, 30, 60)).box == (0, 20, 40, 60)
    assert square_crop((10, 20, 30, 60), margin=0.5).box == (-10, 10, 50, 70)


@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (5, 9, 8, 2), (0, 0, np.nan, 4), (0, 0, np.inf, 4), (1, 2, 3), ()]
)
def test_a_box_without_area_is_named(box: tuple[float, ...]) -> None:
    with pytest.raises(BoxError, match="x0 < x1"):
        square_crop(box)


def test_whole_pixels_are_copied() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    np.testing.assert_array_equal(extract(image, Crop((10, 5, 30, 25)), 20), image[5:25, 10:30])


def test_outside_is_grey_or_background() -> None:
    image = np.full((20, 30, 3), 250, np.uint8)
    crop = extract(image, Crop((-10, -10, 40, 40)), 50)
    assert (crop[12:28, 12:38] == 250).all()
    for outside in (crop[:8], crop[32:], crop[:, :8], crop[:, 42:]):
        assert (outside == OUTSIDE).all()
    assert (extract(image, Crop((100, 100, 120, 120)), 8) == OUTSIDE).all()
    labels = extract_labels(np.full((20, 30), 7, np.uint8), Crop((-10, -10, 40, 40)), 50)
    assert (labels[10:30, 10:40] == 7).all() and labels.sum() == 7 * 20 * 30


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    # A chessboard of single pixels: picking pixels would give black, white or moire.
    image = np.indices((400, 400)).sum(0) % 2 * 255
    image = image[..., None].repeat(3, 2).astype(np.uint8)
    small = extract(image, Crop((30.3, 40.6, 360.3, 370.6)), 47).astype(int)
    assert np.abs(small - 127.5).max() < 8


def test_labels_are_never_invented() -> None:
    labels = np.random.default_rng(1).choice(np.array([0, 3, 24], np.uint8), (50, 70))
    for side in (7.3, 33.3, 90.0):
        crop = Crop((3.7, -5.2, 3.7 + side, -5.2 + side))
        for size in (5, 64, 224):
            resized = extract_labels(labels, crop, size)
            assert resized.dtype == np.uint8 and set(np.unique(resized)) <= {0, 3, 24}
            assert set(np.unique(restore_labels(resized, crop, labels.shape))) <= {0, 3, 24}


def test_labels_return_to_their_place() -> None:
    labels = np.zeros((60, 80), np.uint8)
    labels[20:40, 30:50] = 5
    crop = Crop((10.0, 5.0, 60.0, 55.0))
    enlarged = extract_labels(labels, crop, 200)
    assert (enlarged[60:140, 80:160] == 5).all() and (enlarged == 5).sum() == 80 * 80
    np.testing.assert_array_equal(restore_labels(enlarged, crop, labels.shape), labels)


def test_labels_lie_where_the_picture_does() -> None:
    image = np.zeros((90, 120, 3), np.uint8)
    image[30:70, 41:83] = 255
    crop = Crop((-7.4, 3.1, 112.6, 123.1))
    white = extract(image, crop, 64)[..., 0] > 127
    labels = extract_labels((image[..., 0] > 0).astype(np.uint8), crop, 64) > 0
    assert (white & labels).sum() / (white | labels).sum() > 0.97


def test_points_go_there_and_back() -> None:
    crop = Crop((-10.0, 20.0, 90.0, 120.0))
    points = np.random.default_rng(2).normal(50, 30, (4, 17, 2))
    np.testing.assert_allclose(crop.to_photo(crop.to_crop(points, 224), 224), points)
    np.testing.assert_allclose(crop.to_crop([[-10, 20], [90, 120]], 224), [[0, 0], [224, 224]])


def test_a_point_stays_on_its_pixel() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:44, 60:64] = 255
    crop = Crop((30.0, 10.0, 94.0, 74.0))
    small = extract(image, crop, 32)[..., 0]
    row, column = np.unravel_index(small.argmax(), small.shape)
    x, y = crop.to_crop(np.array([62.0, 42.0]), 32)
    assert abs(column + 0.5 - x) <= 1 and abs(row + 0.5 - y) <= 1
