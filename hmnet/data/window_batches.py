"""Batches of windows that segmenters learn from, each pass over the pictures in an order of its own."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hmnet.data.augment import segmenter_window
from hmnet.data.shards import StoredSample
from hmnet.errors import DataError

HELD_OUT = 256
"""So many pictures at most are kept from training, to watch it by."""


def person_windows(
    samples: list[StoredSample], size: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A window of each sample, see `hmnet.data.augment.segmenter_window`."""
    windows = [segmenter_window(sample, size, generator) for sample in samples]
    # The decoder's own resolution: the pixel nearest to the middle of each square of four by four.
    return np.stack([image for image, _ in windows]), np.stack([labels[2::4, 2::4] for _, labels in windows])


class WindowBatches(Dataset):
    """Batch k: windows (B, S, S, 3) uint8 and the part ids (B, S/4, S/4) uint8 of every fourth pixel.

    Each pass over the samples has an order of its own; DataError when they do not fill one batch.
    """

    def __init__(self, samples: list[StoredSample], batch: int, size: int, seed: int,
                 windows: Callable[..., tuple[np.ndarray, ...]] = person_windows):  # fmt: skip
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
