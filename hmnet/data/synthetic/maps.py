"""Part maps without pictures: thousands a minute, for the part encoder and the branches."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from hmnet.body.template import load_body
from hmnet.data.corruption import corrupt
from hmnet.data.synthetic.people.person import bodies
from hmnet.data.synthetic.poses.pose_library import PoseLibrary
from hmnet.data.synthetic.raster import labels_of, rasterise

COARSE = 64


def map_batches(
    library: PoseLibrary, generator: np.random.Generator, batch: int, size: int, margin: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Endless batches: corrupted part maps (B, S, S) uint8, vertices (B, V, 3) and joints (B, J, 3) in m.

    The crop is the box of what is seen, `margin` larger and a little off, as the predictor would take it.
    """
    while True:
        posed = bodies(library.sample(generator, batch)[0], generator, full=False)
        maps = [
            corrupt(_framed_map(vertices, generator, size, margin), generator)
            for vertices in posed["template"]
        ]
        yield np.stack(maps), posed["template"], posed["joints"]


def _framed_map(vertices, generator, size, margin) -> np.ndarray:
    """The part map (S, S) of template vertices in a crop around what the camera sees of them."""
    faces, face_parts = _faces()
    distance = max(np.exp(generator.uniform(np.log(1.8), np.log(9))), 0.6 - vertices[:, 2].min())
    depth = (vertices[:, 2] + distance).astype(np.float32)
    flat = (vertices[:, :2] / depth[:, None]).astype(np.float32)
    low, high = flat.min(0), flat.max(0)
    if generator.random() < 0.15:
        # The photo's edge cuts the person: mostly the legs, sometimes a side.
        side = generator.integers(0, 10)
        cut = generator.uniform(0.35, 0.9)
        if side < 7:
            high[1] = low[1] + cut * (high[1] - low[1])
        elif side == 7:
            low[1] = high[1] - cut * (high[1] - low[1])
        elif side == 8:
            high[0] = low[0] + cut * (high[0] - low[0])
        else:
            low[0] = high[0] - cut * (high[0] - low[0])
        low, high = _seen_box(flat, depth, faces, low, high)
    extent = (high - low).max() * (1 + margin) * np.exp(generator.normal(0.01, 0.05))
    corner = (low + high) / 2 - extent / 2 + generator.normal(0, 0.025, 2) * extent
    points = ((flat - corner) * (size / extent)).astype(np.float32)
    index, _, _ = rasterise(points, depth, faces, size, size)
    part_map = labels_of(index, face_parts)
    edge = ((np.stack([low, high]) - corner) * (size / extent)).round().astype(int)
    frame = np.zeros_like(part_map)
    left, top = np.maximum(edge[0], 0)
    frame[top : max(edge[1, 1], 0), left : max(edge[1, 0], 0)] = 1
    return part_map * frame


def _seen_box(flat, depth, faces, low, high) -> tuple[np.ndarray, np.ndarray]:
    """The box of what is visible inside the window from low to high."""
    extent = (high - low).max()
    index, _, _ = rasterise(
        ((flat - low) * (COARSE / extent)).astype(np.float32), depth, faces, COARSE, COARSE
    )
    inside = np.ceil((high - low) * (COARSE / extent)).astype(int)
    rows, columns = np.nonzero(index[: inside[1], : inside[0]] >= 0)
    if len(rows) < 20:
        return low, high
    cell = extent / COARSE
    return (
        low + np.array([columns.min(), rows.min()]) * cell,
        low + np.array([columns.max() + 1, rows.max() + 1]) * cell,
    )


@lru_cache(maxsize=1)
def _faces() -> tuple[np.ndarray, np.ndarray]:
    body = load_body()
    return body.faces.numpy().astype(np.int32), body.face_parts.numpy().astype(np.uint8)
