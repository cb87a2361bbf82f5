"""Training: balanced terms, states that come back whole, and a loss that stops being a number."""

import argparse
import json
import multiprocessing
import re
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from hmnet import pose_loss, train, trainer
from hmnet.body import load_body
from hmnet.config import Preprocessing
from hmnet.data.augment import normalise_pixels, photographic
from hmnet.data.crop import normalise
from hmnet.errors import CheckpointError, DataError, HMNetError
from hmnet.model import HMNetOutput
from hmnet.trainer import Trainer, feed, load_state


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


def test_a_budget_of_minutes_ends_the_run_and_is_told_while_it_lasts(tmp_path, capsys):
    network, points, target = toy()
    run = Trainer(network, options(tmp_path, minutes=0.002))
    run.fit(iter([(points, target)] * 10**6), lambda x, y: ((network(x) - y).square().mean(), {}))
    assert 0.12 <= run.spent < 5 and re.search(r"images/s, loss \S+ 0.0 min left", capsys.readouterr().err)
    row = json.loads((tmp_path / "log.jsonl").read_text())
    assert row["images"] == run.images and row["learning_rate"] > 0
    assert 0 <= row["waiting"] < 1 < row["images_per_second"]


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


class Points(Dataset):
    """Batch k: four points, and what is to be learnt of them."""

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        points = np.random.default_rng(step).normal(0, 1, (4, 3)).astype(np.float32)
        return points, points.sum(1, keepdims=True)


def train_with_dropout(folder: Path, pause: float = 0, resume: bool = False) -> Trainer:
    """Sixty steps that need the random state, of batches that differ; a state is saved after each."""
    torch.set_num_threads(1)
    trainer.SAVE_SECONDS = -1
    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    run = Trainer(network, options(folder, images=60 * 4, resume=resume), balance={"mean": 1.0})

    def loss_of(points, target):
        time.sleep(pause)
        error = (network(points) - target).square().mean()
        run.balance["mean"] = 0.9 * run.balance["mean"] + 0.1 * error.item()
        return error * run.balance["mean"], {}

    run.fit(feed(Points(), run.step, 0, torch.device("cpu")), loss_of)
    return run


def test_a_run_killed_amid_a_step_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "SAVE_SECONDS", -1)
    threads, state_file = torch.get_num_threads(), tmp_path / "killed" / "state.pt"
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    start = partial(train_with_dropout, tmp_path / "killed", pause=0.05)
    process = multiprocessing.get_context("spawn").Process(target=start)
    process.start()
    while process.is_alive() and not (state_file.is_file() and load_state(state_file)["step"] >= 20):
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL and 20 <= load_state(state_file)["step"] < 60
    try:
        resumed = train_with_dropout(tmp_path / "killed", resume=True)
        whole = train_with_dropout(tmp_path / "whole")
    finally:
        torch.set_num_threads(threads)
    assert resumed.step == whole.step == 60 and resumed.balance == whole.balance
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])
        assert torch.equal(whole.averaged[name], resumed.averaged[name])
    states = [load_state(tmp_path / name / "state.pt") for name in ("whole", "killed")]
    assert torch.equal(*(state["random"] for state in states))
    for one, other in zip(*(state["optimiser"]["state"].values() for state in states), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("content", [None, b"", b"no state"])
def test_a_missing_or_broken_state_is_one_sentence(tmp_path, content):
    path = tmp_path / "state.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="train that stage"):
        load_state(path)


def test_terms_come_to_contribute_equally():
    body = load_body()
    loss = pose_loss.PoseLoss(body)
    gt_vertices = body.vertices[None]
    gt_joints = body.regress_joints(gt_vertices)
    # A surface off by 20 cm and joints off by 10 cm: the joint term must be scaled up to the surface's.
    vertices, joints = gt_vertices + torch.tensor([0.2, 0, 0]), gt_joints + torch.tensor([0, 0.1, 0])
    for _ in range(800):
        total, terms = loss(HMNetOutput(joints, vertices), gt_vertices, gt_joints)
    assert terms["surface"].item() > 0.15 and terms["joint"].item() == pytest.approx(0.1, abs=1e-3)
    small = pose_loss.AGREEMENT * terms["surface_joint"].item() + pose_loss.RAW * 0.2
    assert total.item() == pytest.approx(2 * terms["surface"].item() + small, rel=0.02)


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
