"""The square window of a photo that the networks see, and the way back to the photo's pixels.

Pixel coordinates are continuous: pixel i covers [i, i + 1), its centre is at i + 0.5, and a box (x0, y0,
x1, y1) is bounded by its edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from hmnet.config import Preprocessing
from hmnet.errors import BoxError

OUTSIDE = (124, 116, 104)
"""sRGB, ImageNet's mean: the networks' zero after normalisation."""


@dataclass(frozen=True)
class Crop:
    """A square window of a photo; parts of it may lie outside the photo.

    box: (x0, y0, x1, y1) in px of the photo, x1 - x0 == y1 - y0 > 0, of the window before it is turned about
    its middle. turn: radians; what is up in the window lies in the photo's direction (sin turn, -cos turn).
    in_mirror: whether left and right of the window are exchanged then.
    """

    box: tuple[float, float, float, float]
    turn: float = 0.0
    in_mirror: bool = False

    @property
    def side(self) -> float:
        """The window's side in px of the photo."""
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> np.ndarray:
        """(2,) px of the photo."""
        return np.array([self.box[0] + self.box[2], self.box[1] + self.box[3]]) / 2

    @property
    def axes(self) -> np.ndarray:
        """(2, 2): the window's x and y axes in the photo, one a row."""
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        across = -1 if self.in_mirror else 1
        return np.array([[across * cosine, across * sine], [-sine, cosine]])

    @property
    def is_plain(self) -> bool:
        """Whether its axes are the photo's."""
        return not self.turn and not self.in_mirror

    def to_crop(self, points: np.ndarray, size: int) -> np.ndarray:
        """Points (..., 2) in px of the photo as px of the `size` x `size` crop."""
        if not self.is_plain:
            return (np.asarray(points) - self.middle) @ self.axes.T * (size / self.side) + size / 2
        return (np.asarray(points) - np.array(self.box[:2])) * (size / self.side)

    def to_photo(self, points: np.ndarray, size: int) -> np.ndarray:
        """Points (..., 2) in px of the `size` x `size` crop as px of the photo."""
        if not self.is_plain:
            return (np.asarray(points) - size / 2) * (self.side / size) @ self.axes + self.middle
        return np.asarray(points) * (self.side / size) + np.array(self.box[:2])

    def upright(self) -> "Crop":
        """The smallest window that is not turned and holds this one."""
        half = self.side / 2 * float(np.abs(self.axes[0]).sum())
        x, y = self.middle.tolist()
        return Crop((x - half, y - half, x + half, y + half))


def square_crop(box: Sequence[float], margin: float = 0.0) -> Crop:
    """The square around a box (x0, y0, x1, y1) with the same centre.

    Its side is the box's longer side times 1 + margin. Raises BoxError for a box without area.
    """
    box = np.asarray(box, np.float64)
    if box.shape != (4,) or not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
        raise BoxError(
            f"Expected a box x0 y0 x1 y1 in px with x0 < x1 and y0 < y1, got {box.tolist()}: "
            "mark the person anew."
        )
    half = max(box[2] - box[0], box[3] - box[1]) * (1 + margin) / 2
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    return Crop((x - half, y - half, x + half, y + half))


def extract(image: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """The window of an image (H, W, 3) uint8 as (size, size, 3) uint8.

    Shrinking averages over all pixels that fall into one; what lies outside the photo is mid-grey.
    """
    if crop.in_mirror:
        return np.ascontiguousarray(extract(image, replace(crop, in_mirror=False), size)[:, ::-1])
    if crop.turn:
        return _extract_turned(image, crop, size)
    height, width = image.shape[:2]
    # Two pixels more than the window, so that the filter at its rim sees the photo's own pixels.
    x0, y0 = (int(np.floor(v)) - 2 for v in crop.box[:2])
    x1, y1 = (int(np.ceil(v)) + 2 for v in crop.box[2:])
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    canvas = image[top:bottom, left:right]
    if (left, top, right, bottom) != (x0, y0, x1, y1):
        seen = canvas
        canvas = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
        # Row by row, ten times as fast as pixel by pixel.
        canvas[:] = np.tile(np.array(OUTSIDE, np.uint8), (x1 - x0, 1))
        if left < right and top < bottom:
            canvas[top - y0 : bottom - y0, left - x0 : right - x0] = seen
    window = tuple(edge - origin for edge, origin in zip(crop.box, (x0, y0, x0, y0), strict=True))
    picture = Image.fromarray(canvas).resize(
        (size, size), Image.Resampling.BILINEAR, box=window, reducing_gap=3.0
    )
    return np.array(picture)


def extract_labels(labels: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """The window of a label map (H, W) as (size, size) of the same type; 0 outside the photo.

    Each pixel takes the label under its centre, so that no label comes out that did not go in.
    """
    if not crop.is_plain:
        return _pick(labels, crop.to_photo(_pixel_centres(size, size), size))
    centres = (np.arange(size) + 0.5) * crop.side / size
    return _nearest(labels, np.floor(centres + crop.box[0]), np.floor(centres + crop.box[1]))


def restore_labels(labels: np.ndarray, crop: Crop, shape: tuple[int, int]) -> np.ndarray:
    """A crop's label map (size, size) laid back into a photo of shape (H, W); 0 outside the crop."""
    if not crop.is_plain:
        return _restore_turned(labels, crop, shape)
    scale = len(labels) / crop.side
    columns = np.floor((np.arange(shape[1]) + 0.5 - crop.box[0]) * scale)
    rows = np.floor((np.arange(shape[0]) + 0.5 - crop.box[1]) * scale)
    return _nearest(labels, columns, rows)


def in_photo(points: np.ndarray, crop: Crop) -> np.ndarray:
    """Points (..., 3) of the frame of a window, turned and mirrored with it, in the photo's camera frame.

    In their own type, and themselves where the window is upright.
    """
    if crop.is_plain:
        return points
    return np.concatenate([points[..., :2] @ crop.axes.astype(points.dtype), points[..., 2:]], -1)


def normalise(images: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    """Pictures (B, H, W, 3) uint8 as the networks' input (B, 3, H, W) float32, channels last in memory."""
    mean = np.asarray(preprocessing.mean, np.float32) * 255
    std = np.asarray(preprocessing.std, np.float32) * 255
    return torch.from_numpy((images - mean) / std).permute(0, 3, 1, 2)


def _extract_turned(image: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """First the upright window around it at the same scale, which shrinks well, then that one turned."""
    upright = crop.upright()
    larger = max(int(np.ceil(size * upright.side / crop.side)), 1)
    picture = extract(image, upright, larger)
    # Where the turned window's first two axes and its corner lie in that picture.
    corner, right, down = upright.to_crop(crop.to_photo(np.array([[0, 0], [1, 0], [0, 1]]), size), larger)
    across, along = right - corner, down - corner
    turned = Image.fromarray(picture).transform(
        (size, size), Image.Transform.AFFINE,
        (across[0], along[0], corner[0], across[1], along[1], corner[1]), Image.Resampling.BILINEAR,
        fillcolor=OUTSIDE,
    )  # fmt: skip
    return np.array(turned)


def _restore_turned(labels: np.ndarray, crop: Crop, shape: tuple[int, int]) -> np.ndarray:
    """As `restore_labels`; only the pixels of the upright window around it are looked at."""
    limits = np.array([shape[1], shape[0]] * 2)
    around = np.array(crop.upright().box) + np.array([-1, -1, 1, 1])
    left, top, right, bottom = np.floor(around).clip(0, limits).astype(int).tolist()
    places = _pixel_centres(bottom - top, right - left) + np.array([left, top])
    restored = np.zeros(shape, labels.dtype)
    restored[top:bottom, left:right] = _pick(labels, crop.to_crop(places, len(labels)))
    return restored


def _pixel_centres(height: int, width: int) -> np.ndarray:
    """(H, W, 2): x and y of the middle of each pixel."""
    return np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)


def _pick(labels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The labels of a map (H, W) under places (..., 2) px, 0 outside."""
    columns, rows = np.moveaxis(np.floor(places).astype(np.int64), -1, 0)
    inside = (columns >= 0) & (columns < labels.shape[1]) & (rows >= 0) & (rows < labels.shape[0])
    picked = np.zeros(columns.shape, labels.dtype)
    picked[inside] = labels[rows[inside], columns[inside]]
    return picked


def _nearest(labels: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    height, width = labels.shape
    columns, rows = columns.astype(np.int64), rows.astype(np.int64)
    picked = np.zeros((len(rows), len(columns)), labels.dtype)
    inside, across = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    # Rows and columns ascend, so what lies inside is one rectangle: the rest is not touched.
    (top, bottom), (left, right) = (_span(mask) for mask in (inside, across))
    picked[top:bottom, left:right] = labels[rows[top:bottom]].take(columns[left:right], 1)
    return picked


def _span(mask: np.ndarray) -> tuple[int, int]:
    """Start and end of the True values, which lie together."""
    there = np.flatnonzero(mask)
    return (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 0)
