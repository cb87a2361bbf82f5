"""Stage segmenter: the part decoder over MoveNet's frozen features, from rendered photographs."""

import argparse
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from hmnet.checkpoint import load_features
from hmnet.config import Preprocessing, SegmenterConfig
from hmnet.data.augment import normalise_pixels, segmenter_window
from hmnet.data.folders import read_samples, training_shards
from hmnet.data.shards import StoredSample
from hmnet.errors import DataError
from hmnet.metrics import part_confusion, part_iou
from hmnet.precision import half_precision
from hmnet.segmentation import PartSegmenter
from hmnet.trainer import Trainer, feed, load_weights

HELD_OUT, CHUNK = 256, 64


def train_segmenter(options: argparse.Namespace, device: torch.device) -> None:
    """Train the part segmenter on the shards of --data; see `hmnet.train` for the options."""
    workers = options.workers or 0
    samples = read_samples(training_shards(options.data, options.part, options.body), workers)
    held = samples[: min(HELD_OUT, len(samples) // 10)]
    batches = WindowBatches(samples[len(held) :], options.batch, options.size, options.seed)
    segmenter = PartSegmenter(load_features(options.features), SegmenterConfig())
    if options.initial:
        segmenter.load_state_dict(load_weights(options.initial))
    trainer = Trainer(segmenter, options, device=device)
    preprocessing = Preprocessing()
    weights = class_weights(samples, segmenter.part_count).to(device)

    def loss_of(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with half_precision(device):
            logits = segmenter.coarse_logits(normalise_pixels(images, preprocessing))
        return nn.functional.cross_entropy(logits.float(), labels.long(), weights), {}

    def validate() -> dict[str, float]:
        if not held:
            return {}
        images, labels = _windows(held, options.size, np.random.default_rng(1))
        pixels = normalise_pixels(torch.from_numpy(images).to(device), preprocessing)
        found = torch.cat([segmenter.coarse_logits(chunk).argmax(1) for chunk in pixels.split(CHUNK)])
        confusion = part_confusion(found.cpu(), torch.from_numpy(labels).long(), segmenter.part_count)
        mean_iou, person_iou = part_iou(confusion)
        return {"mean_iou": mean_iou, "foreground_iou": person_iou}

    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)


def _windows(
    samples: list[StoredSample], size: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    windows = [segmenter_window(sample, size, generator) for sample in samples]
    # The decoder's own resolution: the pixel nearest to the middle of each square of four by four.
    return np.stack([image for image, _ in windows]), np.stack([labels[2::4, 2::4] for _, labels in windows])


class WindowBatches(Dataset):
    """Batch k: windows (B, S, S, 3) uint8 and the part ids (B, S/4, S/4) uint8 of every fourth pixel.

    Each pass over the samples has an order of its own; DataError when they do not fill one batch.
    """

    def __init__(self, samples: list[StoredSample], batch: int, size: int, seed: int,
                 windows: Callable[..., tuple[np.ndarray, ...]] = _windows):  # fmt: skip
        """windows: makes the arrays of a batch from its samples, the size and a generator."""
        if len(samples) < batch:
            raise DataError(
                f"{len(samples)} pictures to train on do not fill a batch of {batch}: generate more or lower "
                "--batch."
            )
        self.samples, self.batch, self.size, self.seed = samples, batch, size, seed
        self.windows = windows

    def picks(self, step: int) -> np.ndarray:
        """Which samples (B,) make up that batch."""
        epoch, place = divmod(step, len(self.samples) // self.batch)
        order = _order(self.seed, epoch, len(self.samples))
        return order[place * self.batch : (place + 1) * self.batch]

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng([self.seed, step])
        return self.windows([self.samples[pick] for pick in self.picks(step)], self.size, generator)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    # The last number keeps this stream apart from those of the batches.
    return np.random.default_rng([seed, epoch, 1]).permutation(count)


def class_weights(samples: list[StoredSample], part_count: int) -> Tensor:
    """(P + 1,): rare parts count more: the inverse square root of their share of pixels, at most 6 to 1."""
    counts = sum(np.bincount(s.part_map.ravel(), minlength=part_count + 1) for s in samples[:400])
    weights = (counts / counts.sum() + 1e-6) ** -0.5
    return torch.tensor((weights / weights[0]).clip(1, 6) / 2, dtype=torch.float32)
