"""Frames with a red patch, which the red segmenter takes for a person, on a grey ground."""

from collections.abc import Iterable

import numpy as np

SIZE = 240, 320
"""Height and width, px."""


def red_frame(box: Iterable[float] | None = None, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grey frame (H, W, 3) uint8 with a red patch, xyxy px."""
    frame = np.full((*size, 3), 125, np.uint8)
    if box is not None:
        x0, y0, x1, y1 = (max(round(edge), 0) for edge in box)
        frame[y0:y1, x0:x1] = (250, 20, 20)
    return frame
