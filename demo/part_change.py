"""Breaking the part map on purpose, to see what the mesh makes of it (the paper's Fig. 3 and 7)."""

from dataclasses import dataclass

import numpy as np

from demo.bodies import limbs_of
from hmnet.body import MIRRORED_PART, BodyTemplate

PATCHES = 60
"""Patches of wrong labels at full noise."""


@dataclass(frozen=True)
class PartChange:
    """What is done to the part map before HMNet is given it.

    true_parts: the true map is taken first, where it is known. dropped: names of limbs, made background;
    those that the body has not are passed over. swapped: a person's left and right are taken for each other.
    noise: 0 to 1, how much of the map wrong labels and holes cover.
    """

    true_parts: bool = False
    dropped: tuple[str, ...] = ()
    swapped: bool = False
    noise: float = 0.0


def change_parts(
    labels: np.ndarray, true_labels: np.ndarray | None, change: PartChange, body: BodyTemplate
) -> np.ndarray:
    """The body's part ids (S, S) uint8 after the change; equal inputs give equal outputs."""
    labels = true_labels if change.true_parts and true_labels is not None else labels
    labels, limbs = labels.copy(), limbs_of(body)
    for limb in change.dropped:
        labels[np.isin(labels, limbs.get(limb, ()))] = 0
    if change.swapped and not body.one_sided:
        labels = np.asarray(MIRRORED_PART, np.uint8)[labels]
    return _with_noise(labels, change.noise, len(body.part_names)) if change.noise > 0 else labels


def _with_noise(labels: np.ndarray, noise: float, part_count: int) -> np.ndarray:
    """Round patches on the person that carry a wrong part or none, more and larger ones with more noise.

    The patches of less noise are among those of more, so that a slider shows one thing growing.
    """
    generator = np.random.default_rng(0)
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return labels
    size = len(labels)
    y, x = np.mgrid[:size, :size]
    for number in range(round(PATCHES * noise)):
        pick, part = generator.random(), generator.integers(0, part_count)
        radius = size * generator.uniform(0.015, 0.05)
        at = int(pick * len(rows))
        patch = (y - rows[at]) ** 2 + (x - columns[at]) ** 2 < radius**2
        # Every third is a hole; none reaches beyond the person.
        labels = np.where(patch & (labels > 0), 0 if number % 3 == 0 else part, labels)
    return labels.astype(np.uint8)
