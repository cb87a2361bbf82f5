"""Crops of stored pictures for training: random windows, flips and photographic changes.

All take NumPy pictures and a generator, so that a run can be repeated.
"""

import io

import numpy as np
import torch
from PIL import Image, ImageFilter

from hmnet.body.parts import MIRRORED_PART
from hmnet.config import Preprocessing
from hmnet.data.crop import Crop, extract, extract_labels
from hmnet.data.shards import StoredSample

MIRROR = np.array(MIRRORED_PART, np.uint8)


def flip(image: np.ndarray, part_map: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) and its part ids (H, W) seen in a mirror."""
    return image[:, ::-1], mirrored_map(part_map)


def mirrored_map(part_map: np.ndarray) -> np.ndarray:
    """Part ids (H, W) seen in a mirror: left parts become right ones."""
    return MIRROR[part_map[:, ::-1]]


def normalise_pixels(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """`hmnet.data.crop.normalise` for pictures (B, H, W, 3) uint8 that are on the device already.

    Bytes travel to it four times faster than the numbers they become.
    """
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=images.device) * 255
        for values in (preprocessing.mean, preprocessing.std)
    )
    return ((images - mean) / std).permute(0, 3, 1, 2)


def segmenter_window(
    sample: StoredSample, size: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A window for the part segmenter: mostly around the person, from tight to the whole picture."""
    image, part_map = sample.image, sample.part_map
    x0, y0, x1, y1 = sample.box
    longer = max(x1 - x0, y1 - y0)
    side = longer * np.exp(generator.uniform(np.log(0.85), np.log(1.8)))
    if generator.random() < 0.12:
        side = 256 * generator.uniform(0.8, 1.1)
    middle = np.array([x0 + x1, y0 + y1]) / 2 + generator.normal(0, 0.1, 2) * longer
    corner = middle - side / 2
    crop = Crop((corner[0], corner[1], corner[0] + side, corner[1] + side))
    image, part_map = extract(image, crop, size), extract_labels(part_map, crop, size)
    if generator.random() < 0.5:
        image, part_map = flip(image, part_map)
    return photographic(image, generator), part_map


def person_crop(sample: StoredSample, margin: float, generator: np.random.Generator) -> Crop:
    """The predictor's crop of the person, a little off as a found box would be."""
    x0, y0, x1, y1 = sample.box
    side = max(x1 - x0, y1 - y0) * (1 + margin) * np.exp(generator.normal(0.01, 0.05))
    middle = np.array([x0 + x1, y0 + y1]) / 2 + generator.normal(0, 0.025, 2) * side
    corner = middle - side / 2
    return Crop((corner[0], corner[1], corner[0] + side, corner[1] + side))


def photographic(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Tone, colour, focus and compression of another camera; (H, W, 3) uint8 in and out."""
    picture = image.astype(np.float32)
    if generator.random() < 0.8:
        picture = (picture - 128) * generator.uniform(0.6, 1.4) + 128 + generator.normal(0, 20)
    if generator.random() < 0.5:
        grey = picture.mean(-1, keepdims=True)
        picture = grey + (picture - grey) * generator.uniform(0, 1.7)
    if generator.random() < 0.5:
        picture = picture * (1 + generator.normal(0, 0.1, 3).astype(np.float32))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if generator.random() < 0.3:
        picture = 255 * (picture / np.float32(255)) ** np.float32(np.exp(generator.normal(0, 0.35)))
        picture = picture.astype(np.uint8)
    chance = generator.random()
    if chance < 0.25:
        blurred = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 1.8)))
        picture = np.asarray(blurred)
    elif chance < 0.4:
        stored = io.BytesIO()
        Image.fromarray(picture).save(stored, "JPEG", quality=int(generator.integers(15, 70)))
        picture = np.asarray(Image.open(stored))
    return picture
