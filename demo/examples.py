"""The example gallery: rendered photos whose true mesh is known.

An example NAME is three files in one folder:
- NAME.jpg, the photo;
- NAME.safetensors with vertices (V, 3) and joints (24, 3), metres, camera frame, relative to the pelvis;
  part_map (H, W) uint8, ids as in `hmnet.body.PART_NAMES`; camera (3,), weak perspective in photo pixels;
- NAME.json with "title", a few words, and "place" in the gallery, a whole number (else it comes last).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from hmnet.errors import DataError

FOLDER = Path(__file__).parents[1] / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """A rendered photo with its ground truth.

    photo: path of the picture. title: a few words. place: in the gallery.
    vertices: (V, 3) and joints: (24, 3), float32, metres, camera frame, root-relative.
    part_map: (H, W) uint8.
    """

    photo: Path
    title: str
    place: float
    vertices: np.ndarray
    joints: np.ndarray
    part_map: np.ndarray


def load_examples(folder: Path = FOLDER) -> tuple[Example, ...]:
    """All examples of a folder by their places, then names; none when the folder is empty or missing.

    Raises DataError when a photo's ground truth is missing or unreadable.
    """
    examples = [load_example(photo) for photo in sorted(folder.glob("*.jpg"))]
    return tuple(sorted(examples, key=lambda example: example.place))


def load_example(photo: Path) -> Example:
    """The example whose picture is `photo`; DataError when its other two files do not fit."""
    try:
        arrays = load_file(photo.with_suffix(".safetensors"))
        description = json.loads(photo.with_suffix(".json").read_text(encoding="utf-8"))
        return Example(
            photo=photo,
            title=description["title"],
            place=float(description.get("place", "inf")),
            vertices=arrays["vertices"].astype(np.float32),
            joints=arrays["joints"].astype(np.float32),
            part_map=arrays["part_map"],
        )
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DataError(
            f"The example {photo.name} lacks a readable ground truth ({error}): restore its .json and "
            ".safetensors from the repository, or remove the picture."
        ) from error
