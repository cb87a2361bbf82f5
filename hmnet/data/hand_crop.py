"""The window of a photo that shows a hand upright: its middle finger's base above its wrist."""

import numpy as np

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.data.crop import Crop

WRIST, KNUCKLE = HAND_JOINT_NAMES.index("wrist"), HAND_JOINT_NAMES.index("middle1")


def turn_of(keypoints: np.ndarray) -> float:
    """Radians, as in `Crop.turn`, by which a hand with these keypoints (21, 2), px, is turned."""
    x, y = keypoints[KNUCKLE] - keypoints[WRIST]
    return float(np.arctan2(x, -y))


def turned_square(points: np.ndarray, turn: float, margin: float) -> Crop:
    """The square window, turned so, around points (N, 2) px; its side is the longer one times 1 + margin."""
    axes = Crop((0.0, 0.0, 1.0, 1.0), turn).axes
    seen = points @ axes.T
    low, high = seen.min(0), seen.max(0)
    x, y = ((low + high) / 2 @ axes).tolist()
    half = max(float((high - low).max()), 1.0) * (1 + margin) / 2
    return Crop((x - half, y - half, x + half, y + half), turn)


def hand_crop(keypoints: np.ndarray, margin: float) -> Crop:
    """The window around a hand's keypoints (21, 2), px of the photo, that shows it upright."""
    return turned_square(keypoints, turn_of(keypoints), margin)
