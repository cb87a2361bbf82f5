"""Small pictures of a prediction, the parts and the joints over the photo; colours and scales."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

from hmnet.body import PART_COLOURS

Colour = tuple[int, int, int]

MAX_SIDE = 960
"""px; pictures on the page are drawn no larger than this."""
SUPERSAMPLING = 2
"""Lines are drawn at twice the size and scaled down: PIL itself draws them jagged."""
HEAT_SCALE = "viridis"
"""Perceptually uniform and legible with any colour vision."""

MIDDLE, RIGHT, LEFT = (250, 204, 21), (251, 113, 70), (56, 189, 248)
"""Colours of the skeleton: warm on the person's right, cool on the left, as in the part palette."""
MESH_COLOUR = (142, 202, 230)

SKELETON = (
    ("pelvis", "left_hip"), ("pelvis", "right_hip"), ("pelvis", "spine1"), ("left_hip", "left_knee"),
    ("right_hip", "right_knee"), ("spine1", "spine2"), ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"), ("spine2", "spine3"), ("left_ankle", "left_foot"),
    ("right_ankle", "right_foot"), ("spine3", "neck"), ("spine3", "left_collar"),
    ("spine3", "right_collar"), ("neck", "head"), ("left_collar", "left_shoulder"),
    ("right_collar", "right_shoulder"), ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"), ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
    ("left_wrist", "left_hand"), ("right_wrist", "right_hand"),
)  # fmt: skip
"""The 23 bones between the 24 joints, by name."""


def shrink(image: np.ndarray, max_side: int = MAX_SIDE) -> np.ndarray:
    """An (H, W, 3) uint8 image scaled down to at most `max_side` px; itself when it is small enough."""
    scale = max_side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def draw_parts(
    image: np.ndarray,
    part_map: np.ndarray,
    opacity: float = 0.72,
    palette: Sequence[Colour] = PART_COLOURS,
) -> np.ndarray:
    """The part map (h, w) of part ids in the palette's colours over the (H, W, 3) image."""
    height, width = image.shape[:2]
    labels = np.asarray(Image.fromarray(part_map.astype(np.uint8)).resize((width, height), Image.NEAREST))
    colours = np.asarray(palette, np.float32)[labels]
    alpha = np.where(labels > 0, opacity, 0.0).astype(np.float32)[..., None]
    # The rest of the photo steps back a little, so that the person stands out.
    ground = np.where(labels[..., None] > 0, image, image * 0.8 + 30)
    return (ground * (1 - alpha) + colours * alpha).clip(0, 255).astype(np.uint8)


def draw_skeleton(
    image: np.ndarray,
    keypoints: dict[str, np.ndarray],
    bones: Sequence[tuple[str, str]] = SKELETON,
    colours: Mapping[str, Colour] | None = None,
) -> np.ndarray:
    """Bones and joints by name, keypoints (2,) in pixels of the image.

    colours: of the joints, else by their side.
    """
    colours = colours or {name: side_colour(name) for name in keypoints}
    canvas, pen, unit = _canvas(image)
    points = {name: tuple(float(v) * SUPERSAMPLING for v in point) for name, point in keypoints.items()}
    for parent, child in bones:
        pen.line([points[parent], points[child]], fill=(15, 23, 42), width=4 * unit)
    for parent, child in bones:
        pen.line([points[parent], points[child]], fill=colours[child], width=int(2.4 * unit))
    for name, (x, y) in points.items():
        radius = 2.6 * unit
        pen.ellipse(
            [x - radius, y - radius, x + radius, y + radius],
            fill=colours[name], outline=(15, 23, 42), width=max(1, unit // 2),
        )  # fmt: skip
    return _finish(canvas, image)


@lru_cache(maxsize=1)
def heat_stops(count: int = 33) -> tuple[tuple[float, str], ...]:
    """The heatmap's colour scale as (position in [0, 1], "#rrggbb") stops."""
    colours = matplotlib.colormaps[HEAT_SCALE](np.linspace(0, 1, count))
    return tuple((i / (count - 1), matplotlib.colors.to_hex(colour)) for i, colour in enumerate(colours))


def _canvas(image: np.ndarray) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """An enlarged copy, a pen on it, and a line width that suits the picture's size."""
    height, width = image.shape[:2]
    canvas = Image.fromarray(image).resize((width * SUPERSAMPLING, height * SUPERSAMPLING))
    return canvas, ImageDraw.Draw(canvas), max(2, round(SUPERSAMPLING * max(height, width) / 360))


def _finish(canvas: Image.Image, image: np.ndarray) -> np.ndarray:
    return np.asarray(canvas.resize((image.shape[1], image.shape[0]), Image.Resampling.BOX))


def side_colour(name: str) -> Colour:
    """A joint's colour by its name: warm on the person's right, cool on the left."""
    return LEFT if name.startswith("left_") else RIGHT if name.startswith("right_") else MIDDLE
