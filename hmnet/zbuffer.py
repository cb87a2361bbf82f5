"""Triangles to pixels in NumPy: a z-buffer for machines without OpenGL."""

import numpy as np

CHUNK = 2_000_000
"""Candidate pixels looked at together; bounds the memory at some 100 MB."""


def rasterise(
    points: np.ndarray, faces: np.ndarray, attributes: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels a mesh covers, and its attributes there, interpolated over the nearest triangle.

    points: (V, 3), x right and y down in px, z away. faces: (F, 3). attributes: (V, C).
    size: (width, height) px. Returns flat pixel indices (N,) int64 and values (N, C).
    """
    width, height = size
    corners = points[faces]
    low = np.ceil(corners[..., :2].min(1) - 0.5).clip(0).astype(np.int64)
    high = np.floor(corners[..., :2].max(1) - 0.5).clip(None, (width - 1, height - 1)).astype(np.int64)
    extent = (high - low + 1).clip(0)
    # Triangles are handled together with others of like size: each is tried on a square of pixels.
    side = 2 ** np.ceil(np.log2(extent.max(1).clip(1))).astype(np.int64)
    depth = np.full(width * height, np.inf)
    face_at = np.full(width * height, -1)
    for s in np.unique(side):
        same = np.flatnonzero((side == s) & (extent > 0).all(1))
        for start in range(0, len(same), max(1, CHUNK // s**2)):
            picked = same[start : start + max(1, CHUNK // s**2)]
            _draw_squares(picked, corners, low, int(s), size, depth, face_at)
    pixels = np.flatnonzero(face_at >= 0)
    drawn = face_at[pixels]
    weights = _barycentric(corners[drawn], pixels % width + 0.5, pixels // width + 0.5)
    return pixels, np.einsum("nk,nkc->nc", weights, attributes[faces[drawn]])


def _draw_squares(picked, corners, low, side, size, depth, face_at) -> None:
    width, height = size
    steps = np.arange(side)
    x = (low[picked, 0][:, None] + np.tile(steps, side)).ravel()
    y = (low[picked, 1][:, None] + np.repeat(steps, side)).ravel()
    face = np.repeat(picked, side * side)
    weights = _barycentric(corners[face], x + 0.5, y + 0.5)
    hit = (weights >= 0).all(1) & (x < width) & (y < height)
    face, pixel = face[hit], (y * width + x)[hit]
    z = (weights[hit] * corners[face, :, 2]).sum(1)
    np.minimum.at(depth, pixel, z)
    nearest = z == depth[pixel]
    face_at[pixel[nearest]] = face[nearest]


def _barycentric(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights (N, 3) of triangles (N, 3, 3) at pixel positions; negative where outside or without area."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        of_b = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
        of_c = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
    weights = np.stack([1 - of_b - of_c, of_b, of_c], 1)
    weights[area == 0] = -1
    return weights
