"""What the plots share: colours, axes, and the two files that a figure is kept in."""

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from hmnet.body import PART_COLOURS
from hmnet.errors import OutputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, told apart with any colour vision; first those of most contrast on white."""
MARKERS = ("o", "s", "^", "D", "v", "P")
"""One for each of COLOURS, so that no line is known by its colour alone."""
INK, GRID = "#333333", "#dddddd"
WHITE = (255, 255, 255)
"""Behind meshes that stand in a figure."""
DPI = 100
"""A figure 12 inches wide has 1,200 px: sharp, and legible when it is shown at 900."""
PALETTE = 96
"""Colours kept in a PNG: plots and grey meshes need no more, and the files stay small."""
JPEG_QUALITY = 82


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that size in inches; it belongs to no window, so any thread may draw it."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")


def style_axes(axes: "Axes", title: str, x_label: str, y_label: str) -> None:
    """A plot's words and grid; the labels name the units."""
    axes.set_title(title, fontsize=12, color=INK, loc="left")
    axes.set_xlabel(x_label, fontsize=11, color=INK)
    axes.set_ylabel(y_label, fontsize=11, color=INK)
    axes.tick_params(labelsize=10, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def show_picture(axes: "Axes", picture: np.ndarray, title: str) -> None:
    """A picture (H, W, 3) uint8 with a line of text over it and no axes."""
    axes.imshow(picture, interpolation="lanczos")
    axes.set_title(title, fontsize=11, color=INK)
    axes.axis("off")


def colour_parts(labels: np.ndarray) -> np.ndarray:
    """Part ids (H, W) as a picture (H, W, 3) uint8 in the parts' colours, the background white."""
    colours = np.array(PART_COLOURS, np.uint8)
    colours[0] = 255
    return colours[labels]


def drawn_window(picture: np.ndarray, rim: int = 6) -> tuple[slice, slice]:
    """The rows and columns of a picture (H, W, 3) uint8 that are not white alone, and a rim in px."""
    rows, columns = np.nonzero((picture < 250).any(-1))
    if not len(rows):
        return slice(None), slice(None)
    top, left = max(rows.min() - rim, 0), max(columns.min() - rim, 0)
    return slice(top, rows.max() + rim + 1), slice(left, columns.max() + rim + 1)


def trimmed(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 without the white around what is drawn."""
    return picture[drawn_window(picture)]


def write_figure(folder: Path, name: str, result: dict, figure: "Figure | np.ndarray") -> list[Path]:
    """NAME.json with everything that was measured, and NAME.png of the figure; returns both.

    Pictures of photos, (H, W, 3) uint8, become NAME.jpg instead.

    Raises OutputError when the folder cannot be written.
    """
    numbers, picture = write_numbers(folder, name, result), folder / f"{name}.png"
    try:
        if isinstance(figure, np.ndarray):
            picture = picture.with_suffix(".jpg")
            Image.fromarray(figure).save(picture, quality=JPEG_QUALITY, optimize=True)
        else:
            _drawn(figure).save(picture, optimize=True)
    except OSError as error:
        raise OutputError(
            f"The figure cannot be written to {folder} ({error.strerror or error}): choose another --output."
        ) from error
    return [numbers, picture]


def write_picture(path: Path, picture: np.ndarray) -> None:
    """A picture (H, W, 3) uint8 as the kind of file that the path ends in.

    Raises OutputError when it cannot be written.
    """
    try:
        Image.fromarray(picture).save(path, quality=JPEG_QUALITY, optimize=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): choose another --output."
        ) from error


def write_numbers(folder: Path, name: str, result: dict) -> Path:
    """NAME.json alone. Raises OutputError when the folder cannot be written."""
    path = folder / f"{name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(result))
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written to {folder} ({error.strerror or error}): choose another --output."
        ) from error
    return path


def _drawn(figure: "Figure") -> Image.Image:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    picture = Image.open(drawn).convert("RGB")
    # The lines' few pixels would lose their colours to a photo's many, so these have a place of their own.
    own = [WHITE, *(tuple(bytes.fromhex(colour[1:])) for colour in (*COLOURS, INK, GRID))]
    found = picture.quantize(PALETTE - len(own), dither=Image.Dither.NONE).getpalette()
    palette = np.concatenate([np.array(own), np.reshape(found, (-1, 3))]).astype(np.int32)
    # Not Pillow's own search, which rounds: white must stay white.
    colours, place = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_inverse=True)
    nearest = ((colours[:, None].astype(np.int32) - palette) ** 2).sum(-1).argmin(1).astype(np.uint8)
    kept = Image.fromarray(nearest[place].reshape(picture.height, picture.width), "P")
    kept.putpalette(palette.astype(np.uint8).ravel().tolist())
    return kept


def _text(result: dict) -> str:
    """JSON with a list of numbers on one line."""
    text = json.dumps(_rounded(result), indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda listed: re.sub(r"\s+", " ", listed[0]), text) + "\n"


def _rounded(value):
    """The same with plain numbers of four decimals at most, so that a file can be read and compared."""
    if isinstance(value, dict):
        return {str(key): _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 4)
    return int(value) if isinstance(value, np.integer) else value
