"""Training: balanced terms, states that come back whole, and a loss that stops being a number."""

import argparse

import numpy as np
import pytest
import torch

from hmnet import stage_pose, train
from hmnet.body import load_body
from hmnet.config import Preprocessing
from hmnet.data.augment import normalise_pixels, photographic
from hmnet.data.crop import normalise
from hmnet.errors import CheckpointError, DataError, HMNetError
from hmnet.model import HMNetOutput
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


def fit(trainer, points, target, steps):
    """Train for a number of steps by ending the supply of batches."""

    def loss_of(x, y):
        return (trainer.network(x) - y).square().mean(), {}

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


def test_a_budget_of_images_ends_the_run_and_shapes_the_rate(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path, images=16 * 400))
    rates = []

    def loss_of(x, y):
        rates.append(trainer.optimiser.param_groups[0]["lr"])
        return (network(x) - y).square().mean(), {}

    trainer.fit(iter([(points, target)] * 500), loss_of)
    assert (trainer.step, trainer.images, len(rates)) == (400, 6400, 400)
    # Halfway through, after the warm-up, the cosine stands at its middle; at the end near its foot.
    assert rates[200] == pytest.approx(1e-2 * 0.505, rel=1e-6) and rates[-1] < 1.1e-4
    assert load_state(tmp_path / "state.pt")["images"] == 6400


def test_minutes_or_images_but_not_both(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    given = ["--stage", "maps", "--output", str(tmp_path)]
    for wrong in (["--minutes", "1", "--images", "5"], ["--images", "0"], ["--minutes", "-1"]):
        with pytest.raises(SystemExit):
            parser.parse_args(given + wrong)
    assert "not allowed with" in capsys.readouterr().err
    assert parser.parse_args(given).minutes == 60
    both = parser.parse_args([*given, "--data", "a", "b", "--data", "c"])
    assert [str(folder) for folder in both.data] == ["a", "b", "c"]


def test_a_state_comes_back_whole_and_goes_on_alike(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path), balance={"surface": 0.3})
    fit(trainer, points, target, 20)
    trainer.balance["surface"] = 0.2
    trainer.save()
    other, _, _ = toy()
    balance = {"surface": 0.3}
    resumed = Trainer(other, options(tmp_path, resume=True), balance=balance)
    assert (resumed.step, resumed.images) == (trainer.step, trainer.images) == (20, 320)
    assert balance == {"surface": 0.2}, "restored in place, where the loss keeps it"
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

    def loss_of(x, y):
        return (network(x) - y).square().mean(), {}

    spoilt = [(points, target), (points, target * float("nan")), (points, target)]
    with pytest.raises(HMNetError, match=r"loss is nan at step 1; no state was saved yet: .* lower --rate"):
        trainer.fit(iter(spoilt), loss_of)
    trainer.save()
    with pytest.raises(HMNetError, match=r"loss is nan at step 2; .*state\.pt keeps the last good state"):
        trainer.fit(iter(spoilt), loss_of)
    state = load_state(tmp_path / "state.pt")
    assert state["step"] == 1 and all(torch.isfinite(v).all() for v in state["network"].values())


def test_a_gradient_that_is_no_number_does_not_reach_the_weights(tmp_path):
    network, points, target = toy()
    trainer = Trainer(network, options(tmp_path))
    # The root of nothing: the value is fine, its slope is not.
    with pytest.raises(HMNetError, match="gradient is nan at step 0"):
        trainer.fit(iter([(points, target)]), lambda x, y: ((network(x) * 0).square().sum().sqrt(), {}))
    assert all(torch.isfinite(v).all() for v in network.state_dict().values())


@pytest.mark.parametrize("content", [None, b"", b"no state"])
def test_a_missing_or_broken_state_is_one_sentence(tmp_path, content):
    path = tmp_path / "state.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="train that stage"):
        load_state(path)


def test_terms_come_to_contribute_equally():
    body = load_body()
    loss = stage_pose.PoseLoss(body)
    gt_vertices = body.vertices[None]
    gt_joints = body.regress_joints(gt_vertices)
    # A surface off by 20 cm and joints off by 10 cm: the joint term must be scaled up to the surface's.
    vertices, joints = gt_vertices + torch.tensor([0.2, 0, 0]), gt_joints + torch.tensor([0, 0.1, 0])
    for _ in range(800):
        total, terms = loss(HMNetOutput(joints, vertices), gt_vertices, gt_joints)
    assert terms["surface"].item() > 0.15 and terms["joint"].item() == pytest.approx(0.1, abs=1e-3)
    agreement = stage_pose.AGREEMENT * terms["surface_joint"].item()
    assert total.item() == pytest.approx(2 * terms["surface"].item() + agreement, rel=0.02)


def test_missing_data_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="generate"):
        train.run(options(tmp_path, stage="segmenter", data=None))
    with pytest.raises(DataError, match="generate"):
        train.run(options(tmp_path, stage="segmenter", data=[tmp_path]))


def test_a_device_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(HMNetError, match="abacus"):
        train.run(options(tmp_path, device="abacus"))


def test_windows_are_repeatable():
    image = np.random.default_rng(0).integers(0, 255, (48, 48, 3)).astype(np.uint8)
    for seed in range(12):
        one, two = (photographic(image, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert one.shape == image.shape and one.dtype == np.uint8


def test_pixels_normalised_on_the_device_equal_those_normalised_before():
    images = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3)).astype(np.uint8)
    expected = normalise(images, Preprocessing())
    there = normalise_pixels(torch.from_numpy(images), Preprocessing())
    assert torch.equal(there, expected) and there.stride() == expected.stride()
