"""A photo of one's own for every visitor, and the mesh that must come of it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from demo.examples import FOLDER
from hmnet.predictor import Predictor

LARGEST_CUT = 0.12
"""Of a side, that is cut away so that photos of one example differ."""
TOLERANCE = 1.0
"""mm that the same mesh may differ by, rounded on its way or computed beside others."""


@dataclass(frozen=True)
class Photo:
    """content: a JPEG. vertices: (V, 3) and joints: (J, 3) of the joint branch, m, that the predictor gives
    for it by itself."""

    content: bytes
    vertices: np.ndarray
    joints: np.ndarray


def make_photos(predictor: Predictor, count: int, seed: int = 0) -> list[Photo]:
    """So many different photos: cuts of the examples, mirrored or not."""
    random, pictures = np.random.default_rng(seed), sorted(Path(FOLDER).glob("*.jpg"))
    photos = []
    for index in range(count):
        image = Image.open(pictures[index % len(pictures)]).convert("RGB")
        if index // len(pictures) % 2:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left, top, right, bottom = random.uniform(0, LARGEST_CUT, 4)
        width, height = image.size
        image = image.crop((left * width, top * height, width * (1 - right), height * (1 - bottom)))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=88)
        prediction = predictor.predict(file.getvalue())
        photos.append(Photo(file.getvalue(), prediction.raw_vertices, prediction.joints))
    return photos


def whose(vertices: np.ndarray, photos: list[Photo]) -> tuple[int, float]:
    """Which photo a mesh (V, 3) m is nearest to, and the mean distance to that one's in mm."""
    distances = [1000 * np.linalg.norm(vertices - one.vertices, axis=1).mean() for one in photos]
    nearest = int(np.argmin(distances))
    return nearest, float(distances[nearest])
