"""Part maps and keypoints without pictures: thousands a minute, for the encoders and the branches."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from hmnet.body.parts import PART_NAMES
from hmnet.body.template import load_body
from hmnet.data.corruption import corrupt
from hmnet.data.synthetic.people.person import bodies
from hmnet.data.synthetic.poses.pose_library import PoseLibrary
from hmnet.data.synthetic.raster import labels_of, rasterise
from hmnet.movenet import KEYPOINT_NAMES

COARSE = 64
REACH = 4
"""px around a keypoint in which a part of it must show for it to be seen."""
MISTAKEN = 0.03
"""How often a pair of keypoints is taken for each other."""
LIMBS = {
    "shoulder": ("upper arm", "torso"),
    "elbow": ("upper arm", "lower arm"),
    "wrist": ("lower arm", "hand"),
    "hip": ("upper leg", "torso"),
    "knee": ("upper leg", "lower leg"),
    "ankle": ("lower leg", "foot"),
}
"""What is seen where a keypoint is seen; at those of the face the head is."""


def _shown_by(keypoint: str) -> list[int]:
    """The parts any of which, seen at a keypoint, shows it."""
    side, _, joint = keypoint.partition("_")
    kinds = LIMBS.get(joint, ("head",))
    return [
        index for index, part in enumerate(PART_NAMES)
        if any(kind in part for kind in kinds) and (side in part or "torso" in part or "head" in part)
    ]  # fmt: skip


SHOWN_BY = [_shown_by(name) for name in KEYPOINT_NAMES]


def map_batches(
    library: PoseLibrary,
    generator: np.random.Generator,
    batch: int,
    size: int,
    margin: float,
    corrupted: bool = True,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Endless batches: part maps (B, S, S) uint8, vertices (B, V, 3) m, joints (B, J, 3) m, places.

    corrupted: with the mistakes that a segmenter makes. The crop is the box of what is seen, `margin` larger
    and a little off, as the predictor would take it.
    Places are as in `hmnet.keypoints.sighting`, as wrong and unsure as MoveNet would be.
    """
    while True:
        posed = bodies(library.sample(generator, batch)[0], generator, full=False)
        maps, places = [], []
        for vertices in posed["template"]:
            part_map, keypoints = _framed(vertices, generator, size, margin)
            places.append(noticed(part_map, keypoints, generator))
            maps.append(corrupt(part_map, generator) if corrupted else part_map)
        yield np.stack(maps), posed["template"], posed["joints"], np.stack(places)


def noticed(part_map: np.ndarray, keypoints: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Places (85,) float32 of keypoints (17, 2) px in a part map (S, S), with a detector's mistakes."""
    size = len(part_map)
    middle = keypoints.round().astype(int)
    seen = np.empty(len(keypoints), bool)
    for index, (x, y) in enumerate(middle):
        around = part_map[
            max(y - REACH, 0) : max(y + REACH + 1, 0), max(x - REACH, 0) : max(x + REACH + 1, 0)
        ]
        seen[index] = np.isin(around, SHOWN_BY[index]).any()
    blurred = generator.normal(0, 1, keypoints.shape) * np.where(seen, 0.012, 0.05)[:, None] * size
    blurred *= np.exp(generator.normal(0, 0.5, (len(keypoints), 1)))
    heats = np.where(seen, generator.beta(5, 2.5, len(seen)), generator.beta(1.2, 5, len(seen)))
    found = (keypoints + blurred).clip(0, size)
    expected = keypoints + generator.normal(0, 0.03 * size, keypoints.shape)
    for left in range(1, len(keypoints), 2):
        if generator.random() < MISTAKEN:
            found[[left, left + 1]] = found[[left + 1, left]]
    half = size / 2
    return np.concatenate(
        [(found / half - 1).ravel(), heats, (expected / half - 1).clip(-3, 3).ravel()]
    ).astype(np.float32)


def _framed(vertices, generator, size, margin) -> tuple[np.ndarray, np.ndarray]:
    """The part map (S, S) and keypoints (17, 2) px of template vertices in a crop around what is seen."""
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
    joints = load_body().regress_keypoints(torch.from_numpy(vertices)).numpy()[_keypoint_order()]
    keypoints = joints[:, :2] / (joints[:, 2:] + distance)
    return part_map * frame, (keypoints - corner) * (size / extent)


@lru_cache(maxsize=1)
def _keypoint_order() -> list[int]:
    return [load_body().keypoint_index(name) for name in KEYPOINT_NAMES]


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
