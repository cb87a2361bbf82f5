"""Training: balanced terms, states that come back whole, and a loss that stops being a number."""

import argparse

import numpy as np
import pytest
import torch

from hmnet import train
from hmnet.config import ModelConfig
from hmnet.errors import CheckpointError, DataError, HMNetError
from hmnet.model import build_hmnet
from hmnet.trainer import Trainer, load_state


def options(folder, **changed) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    values = parser.parse_args(["--stage", "maps", "--output", str(folder)])
    vars(values).update({"rate": 1e-2, **changed})
    return values


def toy():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    points = torch.randn(16, 3)
    return network, points, points.sum(1, keepdim=True)


def fit(trainer, points, target, steps, loss_scale=1.0):
    """Train for a number of steps by ending the supply of batches."""

    def loss_of(x, y):
        return loss_scale * (trainer.network(x) - y).square().mean(), {}

    with pytest.raises(StopIteration):
        trainer.fit(iter([(points, target)] * steps), loss_of)


def test_training_lowers_the_loss_and_averages_the_weights(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path))
    before = (network(points) - target).square().mean().item()
    fit(trainer, points, target, 150)
    assert (network(points) - target).square().mean().item() < 0.5 * before
    now, averaged = network.state_dict(), trainer.averaged
    assert any(not torch.equal(now[name], averaged[name]) for name in now)


def test_a_state_comes_back_whole_and_goes_on_alike(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path))
    fit(trainer, points, target, 20)
    trainer.save()
    other, _, _ = toy()
    resumed = Trainer(other, options(tmp_path, resume=True))
    assert (resumed.step, resumed.images) == (trainer.step, trainer.images) == (20, 320)
    for one in (trainer, resumed):
        one.spent = 0.0
        one._schedule = lambda share: None
        fit(one, points, target, 10)
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
        assert torch.equal(trainer.averaged[name], resumed.averaged[name])


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path))
    trainer.save()
    with pytest.raises(HMNetError, match="nan at step 0"):
        trainer.fit(iter([(points, target * float("nan"))]), lambda x, y: ((network(x) - y).mean(), {}))
    assert all(torch.isfinite(v).all() for v in load_state(tmp_path / "state.pt")["network"].values())


@pytest.mark.parametrize("content", [None, b"", b"no state"])
def test_a_missing_or_broken_state_is_one_sentence(tmp_path, content):
    path = tmp_path / "state.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="train that stage"):
        load_state(path)


def test_terms_come_to_contribute_equally():
    network = build_hmnet(ModelConfig(feature_size=8))
    loss = train.PoseLoss(network)
    gt_vertices = network.body.vertices[None]
    gt_joints = network.body.regress_joints(gt_vertices)
    # A surface off by 20 cm and joints off by 10 cm: the joint term must be scaled up to the surface's.
    vertices, joints = gt_vertices + torch.tensor([0.2, 0, 0]), gt_joints + torch.tensor([0, 0.1, 0])
    for _ in range(800):
        total, terms = loss(joints, vertices, gt_joints, gt_vertices)
    assert terms["surface"].item() > 0.15 and terms["joint"].item() == pytest.approx(0.1, abs=1e-3)
    agreement = train.AGREEMENT * terms["surface_joint"].item()
    assert total.item() == pytest.approx(2 * terms["surface"].item() + agreement, rel=0.02)


def test_missing_data_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="generate"):
        train.run(options(tmp_path, stage="segmenter", data=None))
    with pytest.raises(DataError, match="generate"):
        train.run(options(tmp_path, stage="segmenter", data=tmp_path))


def test_windows_are_repeatable():
    pytest.importorskip("numba", reason="generation needs numba (requirements-dev.txt)")
    from hmnet.data.augment import photographic

    image = np.random.default_rng(0).integers(0, 255, (48, 48, 3)).astype(np.uint8)
    for seed in range(12):
        one, two = (photographic(image, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert one.shape == image.shape and one.dtype == np.uint8
