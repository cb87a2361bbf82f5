"""Noisy part maps: no damage is what `evaluate` measures, and damage reaches only networks that see parts."""

import numpy as np
import pytest
import torch

from hmnet import evaluate
from hmnet.checkpoint import load_variant
from hmnet.figures import noisy_parts
from hmnet.figures.noisy_parts import BASE, ORACLE, PHOTO_ALONE, SWEEPS

ENDS = {"missing limbs": (0, 12), "swapped sides": ("none", "both"), "wrong patches": (0.0, 1.0)}


@pytest.fixture(scope="module")
def made(checkpoint, shards):
    """The figure of no damage and of the most, to be done sooner."""
    ends = {sweep: {amount: steps[amount] for amount in ENDS[sweep]} for sweep, steps in SWEEPS.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noisy_parts, "SWEEPS", ends)
        patch.setattr(noisy_parts, "SHOWN", [(sweep, next(iter(steps))) for sweep, steps in ends.items()])
        yield noisy_parts.make(checkpoint, shards)


def test_no_damage_is_what_evaluate_measures(made, checkpoint, shards):
    result, _ = made
    true_parts = evaluate.pose_errors(checkpoint, shards, true_parts=True)["surface"].mean()
    for sweep in SWEEPS:
        assert result[sweep][BASE][0] == pytest.approx(true_parts, rel=1e-4)
    own = evaluate.pose_errors(checkpoint, shards)["surface"].mean()
    assert result["undamaged"][BASE] == pytest.approx(own, rel=1e-4)


def test_every_amount_is_measured_and_counts(made):
    result, _ = made
    for sweep, amounts in ENDS.items():
        assert result[sweep]["amounts"] == list(amounts)
        for name in (BASE, ORACLE):
            undamaged, damaged = result[sweep][name]
            assert undamaged != damaged
    assert result["undamaged"].keys() == {BASE, ORACLE, PHOTO_ALONE}


def test_the_photo_alone_is_given_no_parts(checkpoint, shards):
    """Else its line in the plot, the same for all damage, would be wrong."""
    network = load_variant(checkpoint, PHOTO_ALONE)
    maps = torch.zeros(1, 8, 8, dtype=torch.long)
    assert torch.equal(network.part_encoder(maps), network.part_encoder(maps + 3))


def test_a_picture_draws_the_same_damage_whatever_the_batch():
    maps = torch.from_numpy(np.random.default_rng(0).integers(0, 25, (3, 48, 48)))
    damage = SWEEPS["wrong patches"][0.3]
    together = noisy_parts.damaged(maps, damage, 5)
    for index in range(3):
        alone = noisy_parts.damaged(maps[index : index + 1], damage, 5 + index)
        assert torch.equal(alone[0], together[index])
    assert not torch.equal(together[0] == maps[0], together[1] == maps[1])


def test_the_figure_has_its_plots_and_pictures(made):
    _, figure = made
    pictures = [axes for axes in figure.axes if axes.images]
    assert len(figure.axes) == 3 + 9 and len(pictures) == 9
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["HMNet", "HMNet-Oracle", "photo alone, no part map", "HMNet, segmenter's map"]
