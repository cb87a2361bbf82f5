"""From a box round a hand to the window that shows it upright, by what `hmnet.handnet` sees in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hmnet.data.crop import Crop, extract, square_crop
from hmnet.data.hand_crop import hand_crop
from hmnet.hand_sightings import landmarks_of

Look = Callable[[np.ndarray], np.ndarray]
"""Pictures (B, S, S, 3) uint8 to the numbers (B, 128) of `hmnet.handnet.HandNet`."""
QUARTERS = np.radians([0.0, 90.0, 180.0, 270.0])
"""Turns at which a box is looked at."""
LOOKS = 2
"""So often a window is drawn anew around the landmarks that the last one shows."""
LEAST, MOST = 0.35, 3.0
"""A new window's side over the last one's; landmarks that ask for another are not believed."""


@dataclass(frozen=True)
class UprightHand:
    """crop: the window that shows it pointing up. presence: how surely it is a hand, and right: how surely a
    right one, in [0, 1]. keypoints: (21, 2) px of the photo, where its landmarks are seen."""

    crop: Crop
    presence: float
    right: float
    keypoints: np.ndarray


def upright_hands(
    look: Look, photos: Sequence[np.ndarray], boxes: Sequence[Sequence[float]], margin: float, size: int
) -> list[UprightHand]:
    """The hands in boxes (4,) px, one of each photo (H, W, 3) uint8, whichever way they point."""
    turned = [
        [Crop(square_crop(box, margin).box, float(turn)) for turn in QUARTERS] for box in boxes
    ]  # fmt: skip
    flat = [crop for crops in turned for crop in crops]
    seen = _seen(look, np.repeat(np.arange(len(photos)), len(QUARTERS)), photos, flat, size)
    starts = []
    for index in range(len(boxes)):
        quarters = slice(index * len(QUARTERS), (index + 1) * len(QUARTERS))
        best = index * len(QUARTERS) + int(seen[1][quarters].argmax())
        starts.append(_next(flat[best], seen[0][best], margin, size))
    return refined(look, photos, starts, margin, size)


def refined(
    look: Look, photos: Sequence[np.ndarray], crops: Sequence[Crop], margin: float, size: int
) -> list[UprightHand]:
    """The hands in windows that show them pointing up, nearly, one of each photo."""
    crops, order = list(crops), np.arange(len(photos))
    for _ in range(LOOKS - 1):
        places, *_ = _seen(look, order, photos, crops, size)
        crops = [_next(crop, points, margin, size) for crop, points in zip(crops, places, strict=True)]
    places, presence, right = _seen(look, order, photos, crops, size)
    keypoints = [crop.to_photo(points, size) for crop, points in zip(crops, places, strict=True)]
    return [
        UprightHand(*found) for found in zip(crops, presence.tolist(), right.tolist(), keypoints, strict=True)
    ]


def _seen(
    look: Look, order: np.ndarray, photos: Sequence[np.ndarray], crops: Sequence[Crop], size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Landmarks (B, 21, 2) px of the windows, presence (B,) and right (B,); order: each window's photo."""
    pictures = [extract(photos[place], crop, size) for place, crop in zip(order, crops, strict=True)]
    places, _, presence, right = landmarks_of(torch.from_numpy(look(np.stack(pictures))))
    return places[..., :2].double().numpy(), presence.numpy(), right.numpy()


def _next(crop: Crop, places: np.ndarray, margin: float, size: int) -> Crop:
    """The window around landmarks (21, 2) px of a window, or that window where they cannot be believed."""
    found = hand_crop(crop.to_photo(places, size), margin)
    return found if LEAST < found.side / crop.side < MOST else crop
