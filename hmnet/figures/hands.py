"""A contact sheet of hands in photos of one's own: a row a photo, whatever comes out.

The photo with the window that the networks saw (its thick edge is what they were shown as up; thin: other
hands that were found), the parts and the mesh over it, the mesh from the side, and what was found.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from hmnet.data.crop import Crop, extract
from hmnet.errors import HMNetError, ImageError, NoPersonFoundError
from hmnet.figures.drawing import WHITE
from hmnet.figures.gallery import INK, SIDE, photo_files
from hmnet.hand_predictor import HandPredictor
from hmnet.image import read_image
from hmnet.prediction import Prediction
from hmnet.render import overlay, view

TILE, GAP, TEXT = 192, 4, 250
"""px; TEXT is the width of the words beside a row."""
LETTERS, LINE = 36, 17
"""Letters that such a line takes, and its height in px."""
OPACITY = 0.6
"""Of the parts over the photo."""
OWN, OTHERS = (255, 64, 0), (0, 114, 178)


def make(predictor: HandPredictor, photos: Path, limit: int | None = None) -> tuple[np.ndarray, list[str]]:
    """The sheet as a picture (H, W, 3) uint8, and the words of each row.

    photos: a folder. limit: the first N photos only. Raises DataError where there is none.
    """
    rows = [_row(predictor, file) for file in photo_files(photos)[:limit]]
    return sheet(rows), [words for _, words in rows]


def _row(predictor: HandPredictor, file: Path) -> tuple[list[np.ndarray], str]:
    """The tiles of a photo, fewer where no hand was found, and the words beside them."""
    try:
        prediction = predictor.predict(file)
    except (ImageError, NoPersonFoundError) as error:
        return _photo_alone(file), f"{file.name}: {error}"
    others = len(prediction.people) - 1
    words = f"{file.name}: {prediction.side} hand, likeness {prediction.people[0].likeness:.2f}"
    return tiles(prediction), words + (f", and {others} more found" if others else "")


def _photo_alone(file: Path) -> list[np.ndarray]:
    try:
        return [_fitted(read_image(file))]
    except HMNetError:
        return []


def tiles(prediction: Prediction) -> list[np.ndarray]:
    """Photo with windows, parts, mesh, mesh from the side: (TILE, TILE, 3) uint8 each."""
    body, image = prediction.body, prediction.image
    # Large photos are kept scaled down; window and camera are in px of the photo as it came.
    scale = image.shape[1] / prediction.photo_size[0]
    around = prediction.crop.upright()
    window = Crop(tuple(edge * scale for edge in around.box))
    colours = np.array(body.part_colours)[prediction.part_map]
    mixed = np.rint((1 - OPACITY) * image + OPACITY * colours).astype(np.uint8)
    parts = np.where(prediction.part_map[..., None] > 0, mixed, image)
    surface = body.upsample(torch.from_numpy(prediction.vertices))
    over = overlay(image, surface, body.full_faces, prediction.camera * [scale, 1, 1])
    return [
        _with_windows(prediction),
        extract(parts, window, TILE),
        extract(over, window, TILE),
        view(surface, body.full_faces, yaw=SIDE, size=TILE, background=WHITE),
    ]


def _with_windows(prediction: Prediction) -> np.ndarray:
    """The whole photo with the windows of all hands, the one that was taken last."""
    page = Image.fromarray(_fitted(prediction.image))
    width, height = prediction.photo_size
    scale = TILE / max(width, height)
    offset = (TILE - np.array([width, height]) * scale) / 2
    pen = ImageDraw.Draw(page)
    others = [(hand.crop, OTHERS, 1) for hand in prediction.people[1:]]
    for crop, colour, thickness in (*others, (prediction.crop, OWN, 2)):
        corners = replace(crop, in_mirror=False).to_photo(np.array([[0, 0], [1, 0], [1, 1], [0, 1]]), 1)
        points = [tuple(corner) for corner in corners * scale + offset]
        pen.line([*points[1:], points[0]], colour, thickness)
        pen.line(points[:2], colour, 2 * thickness + 1)
    return np.asarray(page)


def _fitted(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) uint8 in the middle of a white tile."""
    page, photo = Image.new("RGB", (TILE, TILE), WHITE), Image.fromarray(image)
    scale = TILE / max(photo.size)
    photo = photo.resize([max(round(side * scale), 1) for side in photo.size], Image.Resampling.BOX)
    page.paste(photo, ((TILE - photo.width) // 2, (TILE - photo.height) // 2))
    return np.asarray(page)


def sheet(rows: Sequence[tuple[Sequence[np.ndarray], str]]) -> np.ndarray:
    """Rows of up to four tiles (TILE, TILE, 3) uint8 with words beside, as one picture (H, W, 3) uint8."""
    step = TILE + GAP
    page = Image.new("RGB", (4 * step + TEXT, len(rows) * step - GAP), WHITE)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    for number, (pictures, words) in enumerate(rows):
        for column, picture in enumerate(pictures):
            page.paste(Image.fromarray(picture), (column * step, number * step))
        for line, text in enumerate(textwrap.wrap(words, LETTERS)):
            pen.text((4 * step + GAP, number * step + GAP + line * LINE), text, INK, font)
    return np.asarray(page)
