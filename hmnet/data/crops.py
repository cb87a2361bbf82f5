"""Person crops with predicted part maps, made once from shards and read as memory maps.

The pose network must learn from the maps that the segmenter really gives. Labelling costs more than
training on the labels, so it is done once a segmenter and kept beside the run.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hmnet.body import load_body
from hmnet.config import Preprocessing
from hmnet.data.augment import person_crop, photographic
from hmnet.data.crop import extract, extract_labels, normalise
from hmnet.data.shards import read_shards
from hmnet.errors import DataError
from hmnet.segmentation import PartSegmenter

THRESHOLDS = (0.3, 0.75)
"""Foreground thresholds are drawn from this range, so that the network bears any calibration."""


@dataclass(frozen=True)
class PersonCrops:
    """Arrays over N crops of side S, memory-mapped.

    images: (N, S, S, 3) uint8. true_maps, predicted_maps: (N, S, S) uint8. vertices: (N, V, 3) float16 m.
    joints: (N, J, 3) float16 m.
    """

    images: np.ndarray
    true_maps: np.ndarray
    predicted_maps: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def _files(folder: Path, mode: str, count: int, size: int) -> PersonCrops:
    body = load_body()
    shapes = {
        "images": ((count, size, size, 3), np.uint8),
        "true_maps": ((count, size, size), np.uint8),
        "predicted_maps": ((count, size, size), np.uint8),
        "vertices": ((count, len(body.vertices), 3), np.float16),
        "joints": ((count, len(body.joint_names), 3), np.float16),
    }
    return PersonCrops(
        **{n: np.memmap(folder / f"{n}.raw", d, mode, shape=s) for n, (s, d) in shapes.items()}
    )


def open_crops(folder: Path) -> PersonCrops:
    """Crops made by `make_crops`; DataError when there are none."""
    index = folder / "crops.json"
    if not index.is_file():
        raise DataError(f"No crops in {folder}: make them with `python -m hmnet train --stage crops`.")
    shape = json.loads(index.read_text())
    return _files(folder, "r", shape["count"], shape["size"])


def make_crops(
    shards: list[Path], output: Path, segmenter: PartSegmenter, preprocessing: Preprocessing, seed: int
) -> PersonCrops:
    """Crop and label every sample of the shards, with the predictor's margin and photographic changes."""
    from tqdm import tqdm

    samples = list(read_shards(shards))
    output.mkdir(parents=True, exist_ok=True)
    crops = _files(output, "w+", len(samples), preprocessing.image_size)
    generator = np.random.default_rng(seed)
    segmenter = segmenter.eval().to(memory_format=torch.channels_last)
    batch = 32
    with torch.inference_mode(), tqdm(total=len(samples), unit="image", desc="crops") as bar:
        for start in range(0, len(samples), batch):
            images = []
            for offset, sample in enumerate(samples[start : start + batch]):
                index = start + offset
                crop = person_crop(sample, preprocessing.crop_margin, generator)
                image = extract(sample.image, crop, preprocessing.image_size)
                crops.images[index] = image = photographic(image, generator)
                crops.true_maps[index] = extract_labels(sample.part_map, crop, preprocessing.image_size)
                crops.vertices[index], crops.joints[index] = sample.vertices, sample.joints
                images.append(image)
            logits = _logits(segmenter, np.stack(images), preprocessing)
            for offset in range(len(images)):
                labels = segmenter.label(logits[offset : offset + 1], generator.uniform(*THRESHOLDS))
                crops.predicted_maps[start + offset] = labels[0].numpy().astype(np.uint8)
            bar.update(len(images))
    (output / "crops.json").write_text(json.dumps({"count": len(samples), "size": preprocessing.image_size}))
    return crops


def _logits(segmenter, images: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    """Logits (B, 25, S, S) at the crops' own size, the segmenter working at its size."""
    pixels = normalise(images, preprocessing)
    side = preprocessing.segmenter_size
    if side != images.shape[1]:
        pixels = torch.nn.functional.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
    # Half precision labels four times as many crops a second on a CPU that has it.
    with torch.autocast("cpu", torch.bfloat16):
        coarse = segmenter.coarse_logits(pixels.contiguous(memory_format=torch.channels_last))
    return torch.nn.functional.interpolate(coarse.float(), images.shape[1:3], mode="bilinear")
