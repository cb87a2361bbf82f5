"""Windows of pictures of hands, for the segmenter and its features: parts, landmarks, is it a hand at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hmnet.config import preprocessing_of
from hmnet.data.augment import photographic
from hmnet.data.crop import Crop, extract, extract_labels
from hmnet.data.hand_crop import turn_of, turned_square
from hmnet.data.shards import StoredSample
from hmnet.handnet import LANDMARKS

ASTRAY, ELSEWHERE = 0.15, 0.05
"""Shares of the windows that show a hand which does not point up, and none."""
WRONG = np.radians(65.0)
"""From this turn on a hand does not point up."""
TURN, ZOOM, SHIFT = 0.25, 0.12, 0.06
"""How windows differ from the right one, as deviations: radians, log scale and share of the side."""
OFF = 0.5
"""How far the crops that HMNet learns from are off, as a share of that: landmarks place them."""


@dataclass(frozen=True)
class HandWindow:
    """image: (S, S, 3) uint8. labels: (S/4, S/4) uint8 part ids. places: (21, 3) px of the window, z from the
    wrist. shape: (21, 3) m about the joints' middle. present: whether it is a hand pointing up. right:
    whether it is a right one."""

    image: np.ndarray
    labels: np.ndarray
    places: np.ndarray
    shape: np.ndarray
    present: bool
    right: bool


def hand_window(sample: StoredSample, size: int, generator: np.random.Generator) -> HandWindow:
    """A window of a picture, mostly of its hand pointing up; half of them in a mirror, as a left hand."""
    kind = generator.random()
    crop, present = near_hand(sample.keypoints, generator), True
    if kind < ASTRAY:
        turn = crop.turn + generator.uniform(WRONG, 2 * np.pi - WRONG)
        crop, present = Crop(crop.box, turn), False
    elif kind < ASTRAY + ELSEWHERE:
        away = _away(sample, generator)
        crop, present = (crop, True) if away is None else (away, False)
    # The decoder's own resolution.
    image, labels = extract(sample.image, crop, size), extract_labels(sample.part_map, crop, size // 4)
    scale = size / crop.side
    depth = (sample.joints[:, 2:] - sample.joints[:1, 2:]) * sample.camera[0] * scale
    places = np.concatenate([crop.to_crop(sample.keypoints, size), depth], 1)
    shape = upright_points(sample.joints, crop)
    shape = shape - shape.mean(0)
    right = bool(generator.random() < 0.5)
    if not right:
        image, labels = image[:, ::-1], labels[:, ::-1]
        places[:, 0] = size - places[:, 0]
        shape[:, 0] *= -1
    image = photographic(np.ascontiguousarray(image), generator)
    return HandWindow(image, labels, places.astype(np.float32), shape.astype(np.float32), present, right)


def upright_points(points: np.ndarray, crop: Crop) -> np.ndarray:
    """Points (..., 3) of the camera's frame in the window's, which is turned about the line of sight, and
    mirrored with it; `hmnet.data.crop.in_photo` is the way back."""
    if crop.is_plain:
        return points
    return np.concatenate([points[..., :2] @ crop.axes.T, points[..., 2:]], -1)


def stacked(windows: Sequence[HandWindow]) -> tuple[np.ndarray, ...]:
    """Arrays of B windows: images; labels (B, S/4, S/4); places, shapes (B, 21, 3); present and
    right (B, 2) float32."""
    flags = np.array([(window.present, window.right) for window in windows], np.float32)
    return (
        np.stack([window.image for window in windows]),
        np.stack([window.labels for window in windows]),
        np.stack([window.places for window in windows]),
        np.stack([window.shape for window in windows]),
        flags,
    )


def near_hand(keypoints: np.ndarray, generator: np.random.Generator, ease: float = 1.0) -> Crop:
    """The right window of keypoints (21, 2), a little off; ease: how far off, 1 as in training."""
    margin = preprocessing_of("hand").crop_margin
    crop = turned_square(keypoints, turn_of(keypoints) + ease * generator.normal(0, TURN), margin)
    side = crop.side * np.exp(ease * generator.normal(0, ZOOM))
    x, y = crop.middle + ease * generator.normal(0, SHIFT, 2) * side
    return Crop((x - side / 2, y - side / 2, x + side / 2, y + side / 2), crop.turn)


def _away(sample: StoredSample, generator: np.random.Generator) -> Crop | None:
    """A window of the picture that shows (nearly) nothing of the hand, if one is found soon."""
    size = len(sample.image)
    for _ in range(10):
        side = generator.uniform(0.25, 0.6) * size
        x, y = generator.uniform(0, size - side, 2)
        crop = Crop((x, y, x + side, y + side), generator.uniform(-np.pi, np.pi))
        inside = crop.to_crop(sample.keypoints, 1)
        if np.count_nonzero(((inside > 0) & (inside < 1)).all(1)) <= LANDMARKS // 7:
            return crop
    return None
