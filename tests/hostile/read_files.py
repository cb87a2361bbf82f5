"""Photos, meshes and clips, read as the page reads them; what was read is looked at."""

from pathlib import Path

import numpy as np

from demo import motion
from hmnet.image import read_image
from hmnet.mesh_file import read_mesh
from hmnet.video.clip import open_clip

from . import seeds_mesh

COUNTS = (seeds_mesh.COUNT, 1229, 13718)
"""Of a mesh's vertices: small ones', and those of the template and of the full surface."""
FRAMES = 20
"""Of a clip, that are read; the page shows after each how far it is."""


def photo(data: bytes, folder: Path) -> None:
    image = read_image(data)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or max(image.shape) > 2048:
        raise AssertionError(f"read as {image.dtype} {image.shape}")


def obj(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.obj")


def ply(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.ply")


def glb(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.glb")


def _mesh(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    vertices = read_mesh(path, COUNTS)
    if vertices.shape not in {(count, 3) for count in COUNTS} or not np.isfinite(vertices).all():
        raise AssertionError(f"read as {vertices.shape}, finite: {np.isfinite(vertices).all()}")


def clip(data: bytes, folder: Path) -> None:
    opened = open_clip(
        data, fps=motion.MOST_RATE, longest=motion.SHOWN_SIDE, most_seconds=motion.MOST_SECONDS
    )
    for number, frame in enumerate(opened, 1):
        if frame.image.shape[1::-1] != opened.size or max(opened.size) > motion.SHOWN_SIDE:
            raise AssertionError(f"frames of {frame.image.shape} in a clip of {opened.size}")
        if number == FRAMES:
            break
