"""What stages maps and joint learn from: fresh part maps without pictures, and crops of pictures."""

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from hmnet.body import load_body
from hmnet.config import preprocessing_of
from hmnet.data.augment import mirrored_map
from hmnet.data.corruption import BODY_MISTAKES, HAND_MISTAKES, corrupt
from hmnet.data.crops import PersonCrops, open_crops
from hmnet.data.misfit import misfit
from hmnet.hand_sightings import turned
from hmnet.keypoints import COUNT
from hmnet.model import sighting_sizes
from hmnet.variants import BASE, VARIANTS, Variant

LIFTS = 2
"""How many sightings without a map a batch has for each of its maps: they cost next to nothing."""
TURN, ZOOM, SHIFT, JITTER = 0.2, 0.06, 0.04, 0.01
"""How these are varied, as standard deviations: radians, log scale, and half windows."""


class MapBatches(Dataset):
    """Batch k: part maps (B, S, S) uint8, corrupted or true, vertices (B, V, 3) and joints (B, J, 3) float32
    in m, and places (B, P) float32, the first part of what is seen of them."""

    def __init__(
        self, poses: tuple[Path, ...], batch: int, seed: int, corrupted: bool = True, body: str = "anny"
    ):
        """poses: folders of motion clips for people. body: "anny" or "hand"."""
        self.poses, self.batch, self.seed, self.corrupted = poses, batch, seed, corrupted
        self.body = body

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        from hmnet.data.synthetic.hands.hand_maps import hand_map_batch
        from hmnet.data.synthetic.maps import map_batches

        generator, preprocessing = np.random.default_rng([self.seed, step]), preprocessing_of(self.body)
        size, margin = preprocessing.image_size, preprocessing.crop_margin
        if self.body == "hand":
            return hand_map_batch(generator, self.batch, size, self.corrupted)
        poses = training_poses(self.poses)
        return next(map_batches(poses, generator, self.batch, size, margin, self.corrupted))


@lru_cache(maxsize=1)
def training_poses(folders: tuple[Path, ...]):
    """The poses that training may use, of the program and of folders of motion clips."""
    from hmnet.data.synthetic.poses.pose_library import PoseLibrary

    return PoseLibrary.build(list(folders), 0).part(False)


def moved(
    seen: np.ndarray,
    vertices: np.ndarray,
    joints: np.ndarray,
    generator: np.random.Generator,
    one_sided: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sightings (B, N), vertices (B, V, 3) and joints (B, J, 3) of windows a little turned and displaced.

    The body turns with the window; what is seen at the keypoints stays as it was. one_sided: of hands.
    """
    count = len(seen)
    angle = generator.normal(0, TURN, count)
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], 1).reshape(-1, 2, 2)
    turn = turn.astype(np.float32)
    zoom = np.exp(generator.normal(0, ZOOM, (count, 1, 1))).astype(np.float32)
    shift = generator.normal(0, SHIFT, (count, 1, 2)).astype(np.float32)
    vertices, joints = vertices.copy(), joints.copy()
    if one_sided:
        seen = turned(seen, turn, zoom, shift)
    else:
        seen = seen.copy()
        for first in (0, 3 * COUNT):
            span = slice(first, first + 2 * COUNT)
            places = seen[:, span].reshape(count, COUNT, 2) @ turn * zoom + shift
            seen[:, span] = (places + generator.normal(0, JITTER, places.shape)).reshape(count, -1)
    for points in (vertices, joints):
        points[..., :2] = points[..., :2] @ turn
    return seen, vertices, joints


class JointBatches(Dataset):
    """Three quarters crops and a quarter fresh maps; and LIFTS times as many sightings without a map.

    A crop comes with its predicted map, that map corrupted, or the true one corrupted; for a variant with
    true parts, with its true one always. For one that learns from noisy meshes, with a misfit of its own.
    Batch k: maps (B, S, S) uint8, vertices and joints float32; of the crops, which come first, the sightings
    (C, N) float32 or the pictures (C, S, S, 3) uint8; of the fresh maps the places (B - C, P) float32; and,
    unless pictures are asked for, further sightings, vertices and joints of crops. The first `held` crops are
    left out. pictures_only: no fresh maps, B - C is 0.
    """

    def __init__(
        self,
        folder: Path,
        held: int,
        poses: tuple[Path, ...],
        batch: int,
        seed: int,
        rgb_input: str,
        form: Variant = VARIANTS[BASE],
        pictures_only: bool = False,
    ):
        self.folder, self.held, self.seed, self.pixels = folder, held, seed, rgb_input == "pixels"
        self.true_parts, self.true_meshes = form.parts == "true", form.true_meshes
        self.batch, self.count = batch, batch if pictures_only else batch - batch // 4
        # A stream of its own: at equal seeds stage maps has seen [seed, k] already.
        self.body = load_body(open_crops(folder).body)
        self.mistakes = HAND_MISTAKES if self.body.one_sided else BODY_MISTAKES
        self.fresh = MapBatches(
            poses, batch - self.count, seed + 1, not self.true_parts, open_crops(folder).body
        )

    @cached_property
    def crops(self) -> PersonCrops:
        """The crops, opened by each process for itself."""
        return open_crops(self.folder)

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        generator = np.random.default_rng([self.seed, step])
        picks = generator.integers(self.held, len(self.crops), self.count)
        mirrored = self._mirrored(self.count, generator)
        part_maps = [self._map(*crop, generator) for crop in zip(picks, mirrored, strict=True)]
        seen, vertices, joints = self._seen(picks, mirrored)
        maps, places = np.stack(part_maps), np.zeros((0, sighting_sizes(self.body.name)[0]), np.float32)
        if self.count < self.batch:
            new_maps, new_vertices, new_joints, places = self.fresh[step]
            maps = np.concatenate([maps, new_maps])
            vertices = np.concatenate([vertices, new_vertices.astype(np.float32)])
            joints = np.concatenate([joints, new_joints.astype(np.float32)])
        batch = maps, vertices, joints, seen, places
        if self.pixels:
            return batch
        more = LIFTS * self.batch
        picks = np.sort(generator.integers(self.held, len(self.crops), more))
        return *batch, *moved(
            *self._seen(picks, self._mirrored(more, generator)), generator, self.body.one_sided
        )

    def _mirrored(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Which of so many crops (count,) are seen in a mirror: none of a body that has no image there."""
        return (generator.random(count) < 0.5) & (not self.body.one_sided)

    def _map(self, pick: int, mirrored: bool, generator: np.random.Generator) -> np.ndarray:
        if self.true_parts:
            part_map = self.crops.true_maps[pick]
            return mirrored_map(part_map) if mirrored else part_map
        chance = generator.random()
        part_map = self.crops.true_maps[pick] if chance > 0.85 else self.crops.predicted_maps[pick]
        part_map = corrupt(part_map, generator, self.mistakes) if chance > 0.65 else part_map
        return mirrored_map(part_map) if mirrored else part_map

    def _seen(self, picks: np.ndarray, mirrored: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is seen of crops, their vertices and their joints, float32; those marked as in a mirror."""
        crops, body = self.crops, self.body
        vertices, joints = (points[picks].astype(np.float32) for points in (crops.vertices, crops.joints))
        if not self.true_meshes:
            vertices = misfit(vertices, joints, picks)
        vertices[mirrored] = vertices[mirrored][:, body.mirror.numpy()] * np.float32([-1, 1, 1])
        joints[mirrored] = joints[mirrored][:, body.mirrored_joints] * np.float32([-1, 1, 1])
        if self.pixels:
            pictures = crops.images[picks]
            pictures[mirrored] = pictures[mirrored][:, :, ::-1]
            return pictures, vertices, joints
        return crops.sightings[picks, mirrored.astype(int)].astype(np.float32), vertices, joints
