"""The weak-perspective camera: how root-relative metres become pixels of the photo.

A camera is (s, tx, ty): keypoint = s * ((x, y) + (tx, ty)), s in px per metre, tx and ty in metres. The
camera frame has x right, y down and z away from the viewer, so depth is simply dropped.
"""

from itertools import product
from typing import TypeVar

import numpy as np
import torch

from hmnet.errors import NoPersonFoundError

CELLS = 128
"""Cells along the body's longer side when its own part map is drawn: 14 mm for an adult."""
STRIDE = 2
"""The search looks at every second cell: a coarser drawing would fatten the body's outline instead."""
MAP_SIDE = 160
"""Cells along the person's longer side in the photo's part map that the search looks at."""
START_SCALES = (0.6, 0.77, 1.0, 1.3, 1.7)
MOVES = np.array(list(product((-1, 0, 1), repeat=3)), float)
REWEIGHTINGS = 8
NEAR = 0.03
"""m; keypoints nearer than this to their points count by the square of their distance."""
LEAST_SHARE = 0.002
"""A part that covers less of the person than this counts as not seen."""

Points = TypeVar("Points", np.ndarray, torch.Tensor)


def project(points: Points, camera: Points) -> Points:
    """Points (..., N, 3) in metres through cameras (..., 3) to (..., N, 2) px; both torch or both numpy."""
    return camera[..., None, :1] * (points[..., :2] + camera[..., None, 1:])


def solve_camera(
    vertices: np.ndarray | torch.Tensor,
    faces: np.ndarray | torch.Tensor,
    part_map: np.ndarray,
    face_parts: np.ndarray | torch.Tensor | None = None,
) -> np.ndarray:
    """The camera (3,) float64 that lays a mesh over the person in a photo.

    vertices: (V, 3) m, camera frame. faces: (F, 3). part_map: (H, W), part ids with 0 for background; a
    person mask of bool does too. face_parts: (F,) ids, needed for the parts to guide the fit.

    Maximises the overlap (intersection over union, half by silhouette and half by equal parts) of the mesh's
    part map and the photo's, by a pattern search from the closed-form fits of part centroids and of second
    moments. What the photo cannot show does not pull: parts of the mesh outside the photo, or missing in
    the part map (a hidden or undetected limb), cost nothing where they find no person.
    Raises NoPersonFoundError when the part map is all background.
    """
    person = part_map > 0
    rows, columns = np.flatnonzero(person.any(1)), np.flatnonzero(person.any(0))
    if not len(rows):
        raise NoPersonFoundError(
            "The part map shows no person to lay the mesh over: choose another photo or another box."
        )
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    step = max(1, round(max(box[2:] - box[:2]) / MAP_SIDE))
    seen = part_map[box[1] : box[3] : step, box[0] : box[2] : step]
    if face_parts is None:
        seen = (seen > 0).astype(np.uint8)
        face_parts = np.ones(len(faces), np.int64)
    cells, labels, cell = _visible_cells(np.asarray(vertices), np.asarray(faces), np.asarray(face_parts))
    overlap = _Overlap(cells, labels, cell, seen, box[:2], step, part_map.shape)
    return _search(overlap, _starts(cells, labels, seen, box[:2], step), step)


class _Overlap:
    """Scores cameras by the overlap of the mesh's cells with the photo's part map."""

    def __init__(
        self,
        cells: np.ndarray,
        labels: np.ndarray,
        cell: float,
        seen: np.ndarray,
        origin: np.ndarray,
        step: int,
        photo_shape: tuple[int, int],
    ):
        # A frame of background stands for everything beyond the person's box.
        self.seen = np.pad(seen, 1).astype(np.int16)
        self.cells, self.labels, self.cell = cells.astype(np.float32), labels.astype(np.int16), cell
        self.origin, self.step, self.limit = origin, step, photo_shape[::-1]
        self.area = np.count_nonzero(seen)
        counts = np.bincount(seen.ravel(), minlength=int(labels.max()) + 1)
        self.expected = counts[labels] > LEAST_SHARE * self.area

    def __call__(self, cameras: np.ndarray) -> np.ndarray:
        """Scores (K,) in 0..1 of cameras (K, 3)."""
        # One axis at a time and in float32: a trailing axis of two doubles the time of the whole search.
        scale, *shift = cameras.astype(np.float32).T[..., None]
        counted = self.expected[None]
        index = 0
        for axis in (1, 0):
            pixels = scale * (self.cells[:, axis] + shift[axis])
            counted = counted & (pixels >= 0) & (pixels < self.limit[axis])
            place = (pixels - self.origin[axis]) * (1 / self.step) + 1
            index = index * self.seen.shape[1] + place.clip(0, self.seen.shape[1 - axis] - 1).astype(np.int32)
        found = self.seen.ravel()[index]
        covered = found > 0
        cell_area = (cameras[:, 0] * self.cell / self.step) ** 2
        common = np.count_nonzero(covered, axis=1) * cell_area
        same = np.count_nonzero(found == self.labels, axis=1) * cell_area
        union = self.area + np.count_nonzero(covered | counted, axis=1) * cell_area - common
        return (common + same) / (2 * union)


def _visible_cells(
    vertices: np.ndarray, faces: np.ndarray, face_parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The mesh's own part map as seen along z: centres (N, 2) in m, labels (N,), and the cell's side in m.

    Triangles are splatted as points, nearest wins: at this size that equals filling them.
    """
    splits = int(np.clip(np.sqrt(24_000 / len(faces)), 1, 4))
    # The centroids of a triangle's splits^2 equal pieces, upright ones and those upside down between them.
    corners = product(range(splits), range(splits), (1 / 3, 2 / 3))
    steps = [((i + k) / splits, (j + k) / splits) for i, j, k in corners if i + j + 2 * k < splits]
    weights = np.array([(a, b, 1 - a - b) for a, b in steps])
    points = np.einsum("kc,fcx->fkx", weights, vertices[faces].astype(np.float64)).reshape(-1, 3)
    labels = np.repeat(face_parts, len(weights))
    low = points[:, :2].min(0)
    cell = max(np.ptp(points[:, :2], axis=0).max() / CELLS, 1e-6)
    columns, rows = ((points[:, :2] - low) / cell).astype(np.int64).T
    index = rows * (CELLS + 1) + columns
    depth = np.full((CELLS + 1) ** 2, np.inf)
    np.minimum.at(depth, index, points[:, 2])
    nearest = points[:, 2] == depth[index]
    grid = np.zeros(len(depth), np.int64)
    grid[index[nearest]] = labels[nearest]
    grid = grid.reshape(CELLS + 1, CELLS + 1)[::STRIDE, ::STRIDE]
    rows, columns = np.nonzero(grid)
    centres = np.stack([columns, rows], 1) * STRIDE + 0.5
    return centres * cell + low, grid[rows, columns], STRIDE * cell


def _starts(
    cells: np.ndarray, labels: np.ndarray, seen: np.ndarray, origin: np.ndarray, step: int
) -> np.ndarray:
    """Cameras (K, 3) to start from: part centroids and second moments, each at several scales."""
    rows, columns = np.nonzero(seen)
    found = seen[rows, columns]
    pixels = (np.stack([columns, rows], 1) + 0.5) * step + origin
    scale = np.sqrt(pixels.var(0).sum() / max(cells.var(0).sum(), 1e-12))
    starts = [_camera(scale, cells.mean(0), pixels.mean(0))]
    count = max(int(labels.max()), int(seen.max())) + 1
    mesh_area, photo_area = np.bincount(labels, minlength=count), np.bincount(found, minlength=count)
    both = (mesh_area > 0) & (photo_area > LEAST_SHARE * len(found))
    if both.sum() >= 2:
        here = _centroids(labels, cells, count)[both]
        there = _centroids(found, pixels, count)[both]
        # A part's centroid is as sure as the part is large in the view where it is smaller.
        weight = np.sqrt(np.minimum(mesh_area / len(cells), photo_area / len(found))[both])[:, None]
        centre_here, centre_there = ((weight * c).sum(0) / weight.sum() for c in (here, there))
        spread = (weight * (here - centre_here) ** 2).sum()
        scale = (weight * (here - centre_here) * (there - centre_there)).sum() / max(spread, 1e-12)
        if scale > 0.3 * starts[0][0]:
            starts.append(_camera(scale, centre_here, centre_there))
    return np.array([_zoomed(start, cells.mean(0), zoom) for start in starts for zoom in START_SCALES])


def _search(overlap: _Overlap, starts: np.ndarray, step: float) -> np.ndarray:
    """The best of the starts, improved by moves in scale, x and y whose size is halved when none helps."""
    scores = overlap(starts)
    best, score = starts[scores.argmax()], scores.max()
    centre = overlap.cells.mean(0)
    reach, zoom = 0.08 * np.sqrt(overlap.area) * step, 0.1
    while reach > 0.25 * step:
        around = np.array([_zoomed(best, centre, 1 + zoom * move) for move in MOVES[:, 0]])
        around[:, 1:] += MOVES[:, 1:] * reach / around[:, :1]
        scores = overlap(around)
        if scores.max() > score + 1e-9:
            best, score = around[scores.argmax()], scores.max()
        else:
            reach, zoom = reach / 2, zoom / 2
    return best


def _centroids(labels: np.ndarray, points: np.ndarray, count: int) -> np.ndarray:
    sums = np.stack([np.bincount(labels, points[:, axis], count) for axis in (0, 1)], 1)
    return sums / np.bincount(labels, minlength=count).clip(1)[:, None]


def _camera(scale: float, point: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """The camera of that scale which puts a point (2,) in m on a pixel (2,)."""
    return np.array([scale, *(pixel / scale - point)])


def _zoomed(camera: np.ndarray, point: np.ndarray, zoom: float) -> np.ndarray:
    """The camera with its scale changed, the point's pixel staying where it is."""
    return _camera(camera[0] * zoom, point, camera[0] * (point + camera[1:]))


def fit_camera(points: np.ndarray, keypoints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The camera (3,) float64 bringing points (N, 3) m nearest to keypoints (N, 2) px of weights (N,) >= 0.

    Weighted least squares, weighing anew so that single keypoints far off (a limb taken for the other) count
    by their distance, not its square. Needs two points apart, of positive weight.
    """
    flat, trust = points[:, :2].astype(np.float64), weights.astype(np.float64)
    for _ in range(REWEIGHTINGS):
        share = trust[:, None] / trust.sum()
        middle, target = (share * flat).sum(0), (share * keypoints).sum(0)
        spread = (share * (flat - middle) ** 2).sum()
        scale = max((share * (flat - middle) * (keypoints - target)).sum(), 1e-9) / max(spread, 1e-12)
        camera = _camera(scale, middle, target)
        off = np.linalg.norm(project(flat, camera) - keypoints, axis=1)
        trust = weights / np.maximum(off, NEAR * scale)
    return camera
