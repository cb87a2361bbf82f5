"""Test pictures as the networks take them: looked at once, so that many meshes can be asked of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from hmnet.checkpoint import Checkpoint
from hmnet.data import testset
from hmnet.data.shards import StoredSample, read_recipe
from hmnet.errors import DataError
from hmnet.look import Look, look_at, part_logits
from hmnet.pose_errors import batches, samples


@dataclass(frozen=True)
class Seen:
    """A batch of B pictures in the crops of their true boxes, as in the paper.

    look: what the networks see, and of the mirror images. labels: (B, S, S) int64 part ids as the segmenter
    has them. true_labels: (B, S, S) int64. vertices: (B, V, 3) m, true, root-relative, camera frame.
    """

    look: Look
    labels: Tensor
    true_labels: Tensor
    vertices: Tensor


def read_samples(data: Path, limit: int | None) -> list[StoredSample]:
    """The first `limit` samples of a folder of shards, or all; DataError where there is none."""
    found = list(samples(data, limit))
    if not found:
        raise DataError(f"There is no sample to measure in {data}: give other shards, or a larger --limit.")
    return found


def look_at_samples(checkpoint: Checkpoint, chosen: list[StoredSample]) -> Iterator[Seen]:
    """The samples in batches, both networks' view of them with the mean of two views as in `hmnet.look`."""
    segmenter = checkpoint.segmenter.eval()
    for images, true_labels, vertices, _ in batches(chosen, checkpoint):
        look = look_at(segmenter, images, mirror=True)
        labels = segmenter.label(part_logits(segmenter, look)).long()
        yield Seen(look, labels, true_labels, vertices)


def clear_example(chosen: list[StoredSample]) -> StoredSample:
    """One that a figure can show: of those that nothing makes hard, the first that shows most parts."""
    easy = [sample for sample in chosen if not sample.tags] or chosen
    return max(easy, key=lambda sample: len(np.unique(sample.part_map)))


def named_set(data: Path) -> str:
    """Which of the fixed test sets a folder holds, in words where its bytes are those of none."""
    name, recipe = testset.name_of(data, testset.read_record()), read_recipe(data)
    if name is None and (recipe.get("seed"), recipe.get("split")) == (testset.SEED, "test"):
        return "the fixed sets' recipe, other checksums"
    return name or "none of the fixed ones"


def origin(checkpoint: Checkpoint, data: Path, chosen: list[StoredSample]) -> dict:
    """What a figure's numbers are of: the weights, the test set (its name, where it has one), the images."""
    info = checkpoint.info
    return {
        "weights": {"variant": info.variant, "revision": info.revision},
        "test set": named_set(data),
        "images": len(chosen),
    }
