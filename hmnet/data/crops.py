"""Crops of people or hands with predicted part maps, made once from shards and read as memory maps.

The pose network must learn from the maps that the segmenter really gives. Labelling costs more than
training on the labels, so it is done once a segmenter and kept beside the run.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from hmnet.body import load_body
from hmnet.config import HANDS, Preprocessing
from hmnet.data.augment import normalise_pixels, person_crop, photographic
from hmnet.data.crop import extract, extract_labels
from hmnet.data.folders import read_samples
from hmnet.data.hand_windows import OFF, near_hand, upright_points
from hmnet.data.shards import StoredSample
from hmnet.errors import DataError
from hmnet.hand_sightings import hand_sighting
from hmnet.keypoints import sighting
from hmnet.model import sighting_sizes
from hmnet.precision import half_precision
from hmnet.segmentation import PartSegmenter

THRESHOLDS = (0.3, 0.75)
"""Foreground thresholds are drawn from this range, so that the network bears any calibration."""


@dataclass(frozen=True)
class PersonCrops:
    """Arrays over N crops of side S, memory-mapped.

    images: (N, S, S, 3) uint8. true_maps, predicted_maps: (N, S, S) uint8. sightings: (N, 2, C) float16, what
    MoveNet sees of each picture and of its mirror image (see `hmnet.keypoints.sighting`); of hands (N, 1, C),
    of pictures alone (see `hmnet.hand_sightings`). vertices: (N, V, 3) and joints: (N, J, 3) float16 m, in
    the frame of the crop. body: whose they are, a name of `hmnet.body.load_body`.
    """

    images: np.ndarray
    true_maps: np.ndarray
    predicted_maps: np.ndarray
    sightings: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    body: str

    def __len__(self) -> int:
        return len(self.images)


def _files(folder: Path, mode: str, count: int, size: int, body_name: str) -> PersonCrops:
    body = load_body(body_name)
    shapes = {
        "images": ((count, size, size, 3), np.uint8),
        "true_maps": ((count, size, size), np.uint8),
        "predicted_maps": ((count, size, size), np.uint8),
        "sightings": ((count, 2 - body.one_sided, sum(sighting_sizes(body_name))), np.float16),
        "vertices": ((count, len(body.vertices), 3), np.float16),
        "joints": ((count, len(body.joint_names), 3), np.float16),
    }
    return PersonCrops(
        **{n: np.memmap(folder / f"{n}.raw", d, mode, shape=s) for n, (s, d) in shapes.items()},
        body=body_name,
    )


def open_crops(folder: Path) -> PersonCrops:
    """Crops made by `make_crops`; DataError when there are none."""
    index = folder / "crops.json"
    if not index.is_file():
        raise DataError(f"No crops in {folder}: make them with `python -m hmnet train --stage crops`.")
    shape = json.loads(index.read_text())
    # Crops of before there were hands say nothing of their body.
    return _files(folder, "r", shape["count"], shape["size"], shape.get("body", "anny"))


def make_crops(
    shards: list[Path],
    output: Path,
    segmenter: PartSegmenter,
    preprocessing: Preprocessing,
    seed: int,
    device: torch.device | str = "cpu",
    workers: int = 0,
    body: str = "anny",
) -> PersonCrops:
    """Crop and label every sample of the shards, with the predictor's margin and photographic changes.

    Sample i is cut and changed as (seed, i) say, whatever the device and the number of processes.
    """
    from tqdm import tqdm

    device = torch.device(device)
    samples = read_samples(shards, workers)
    output.mkdir(parents=True, exist_ok=True)
    index = output / "crops.json"
    # Written last: crops that are being made anew are not to be read.
    index.unlink(missing_ok=True)
    crops = _files(output, "w+", len(samples), preprocessing.image_size, body)
    segmenter = segmenter.eval().to(device, memory_format=torch.channels_last)
    batch = 32 if device.type == "cpu" else 256
    cuts = _Cuts(samples, batch, preprocessing, seed, body in HANDS)
    loader = DataLoader(
        cuts, batch_size=None, num_workers=workers,
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )  # fmt: skip
    with torch.inference_mode(), tqdm(total=len(samples), unit="image", desc="crops") as bar:
        for number, (images, true_maps, vertices, joints, thresholds) in enumerate(loader):
            span = slice(number * batch, number * batch + len(images))
            crops.images[span], crops.true_maps[span] = images.numpy(), true_maps.numpy()
            crops.vertices[span], crops.joints[span] = vertices.numpy(), joints.numpy()
            crops.sightings[span], logits = _looked_at(
                segmenter, images.to(device), preprocessing, body in HANDS
            )
            labels = [
                segmenter.label(one, threshold).byte()
                for one, threshold in zip(logits.split(1), thresholds.tolist(), strict=True)
            ]
            crops.predicted_maps[span] = torch.cat(labels).cpu().numpy()
            bar.update(len(images))
    about = {"count": len(samples), "size": preprocessing.image_size, "body": body}
    index.write_text(json.dumps(about))
    return crops


class _Cuts(Dataset):
    """Batch k: crops (B, S, S, 3) uint8, true maps (B, S, S) uint8, vertices (B, V, 3), joints (B, J, 3) m in
    the crop's frame, and foreground thresholds (B,)."""

    def __init__(self, samples: list[StoredSample], batch: int, preprocessing: Preprocessing, seed: int,
                 hands: bool):  # fmt: skip
        self.samples, self.batch, self.preprocessing, self.seed = samples, batch, preprocessing, seed
        self.hands = hands

    def __len__(self) -> int:
        return -(-len(self.samples) // self.batch)

    def __getitem__(self, number: int) -> tuple[np.ndarray, ...]:
        first, size = number * self.batch, self.preprocessing.image_size
        cuts = []
        for place, sample in enumerate(self.samples[first : first + self.batch], start=first):
            generator = np.random.default_rng([self.seed, place])
            if self.hands:
                crop = near_hand(sample.keypoints, generator, OFF)
            else:
                crop = person_crop(sample, self.preprocessing.crop_margin, generator)
            image = photographic(extract(sample.image, crop, size), generator)
            true_map = extract_labels(sample.part_map, crop, size)
            points = (upright_points(points, crop) for points in (sample.vertices, sample.joints))
            cuts.append((image, true_map, *points, generator.uniform(*THRESHOLDS)))
        return tuple(np.stack(column) for column in zip(*cuts, strict=True))


def _looked_at(
    segmenter: PartSegmenter, images: torch.Tensor, preprocessing: Preprocessing, hands: bool
) -> tuple[np.ndarray, torch.Tensor]:
    """Sightings (B, 2, C), of hands (B, 1, C), and logits (B, P + 1, S, S) of crops (B, S, S, 3) uint8."""
    pixels = normalise_pixels(images, preprocessing).contiguous(memory_format=torch.channels_last)
    # Half precision looks at more crops of people a second on a CPU that has it.
    with half_precision(images.device, depthwise=hands):
        features = segmenter.features(pixels)
        coarse = segmenter.decode(features)
        mirrored = None if hands else segmenter.features(pixels.flip(3))
    seen = [hand_sighting(features)] if hands else [sighting(features), sighting(mirrored)]
    seen = torch.stack(seen, 1)
    return seen.half().cpu().numpy(), segmenter.enlarge(coarse.float())
