"""Training on the paper's datasets: from files of their structure to a checkpoint measured on them."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_files import use_fake_smpl, write_clip, write_converted_up3d, write_human36m

pytest.importorskip("tqdm", reason="training needs requirements-dev.txt")
pytest.importorskip("body_models", reason="posing SMPL needs the extra `licensed`")

from hmnet import stage_dataset, train
from hmnet.__main__ import main
from hmnet.body import load_body
from hmnet.checkpoint import CONFIG, load_checkpoint
from hmnet.config import Preprocessing
from hmnet.data.augment import normalise_pixels
from hmnet.data.datasets import open_dataset, shared_joints
from hmnet.data.human36m import JOINTS
from hmnet.errors import CheckpointError, DataError
from hmnet.metrics import surface_error
from hmnet.model import HMNetOutput
from hmnet.pose_loss import PoseLoss
from hmnet.stage_dataset import SampleBatches, joints_alone, use_preset
from hmnet.trainer import load_state


@pytest.fixture(scope="module", autouse=True)
def fake_smpl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """SMPL of our own; small crops and network, one thread: what is tested needs no more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_fake_smpl(tmp_path_factory.mktemp("bodies"), monkeypatch)
        config = stage_dataset.model_config
        monkeypatch.setattr(
            stage_dataset, "model_config", lambda given: replace(config(given), feature_size=64)
        )
        monkeypatch.setattr(stage_dataset, "Preprocessing", lambda: Preprocessing(image_size=96))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three datasets, a few pictures each."""
    folder = tmp_path_factory.mktemp("sets")
    for split in ("train", "val"):
        write_clip(folder / "surreal", split, frames=16, video=False)
        write_converted_up3d(folder / "up3d", ("00001", "00002"), split)
    write_human36m(folder / "human36m")
    write_human36m(folder / "joints", joints=17, poses=False)
    return folder


@pytest.fixture(scope="module")
def run(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HMNet trained on SURREAL for a few steps."""
    output = tmp_path_factory.mktemp("run")
    given = ["--batch", "2", "--images", "60", "--rate", "3e-3", "--averaging", "0.5"]
    train.run(options("surreal", sets / "surreal", output, *given))
    return output


def options(dataset: str, root: Path, output: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    where = ["--stage", "dataset", "--dataset", dataset, "--root", str(root), "--output", str(output)]
    return parser.parse_args([*where, "--threads", "1", *more])


def batches_of(name: str, root: Path, **wanted: bool) -> SampleBatches:
    samples = open_dataset(name, root, "train", **wanted)
    return SampleBatches(samples, 0, 3, 5, Preprocessing(), load_body("smpl-1723"))


@pytest.mark.parametrize(("dataset", "batch"), [("surreal", 64), ("up3d", 16), ("human36m", 64)])
def test_the_preset_holds_unless_told_otherwise(dataset: str, batch: int, tmp_path: Path) -> None:
    given = options(dataset, tmp_path, tmp_path)
    use_preset(given)
    assert (given.batch, given.rate) == (batch, 1e-4)
    given = options(dataset, tmp_path, tmp_path, "--batch", "8", "--rate", "0.5")
    use_preset(given)
    assert (given.batch, given.rate) == (8, 0.5)


def test_training_by_adam_lowers_the_loss(run: Path, sets: Path) -> None:
    images, _, vertices, _ = map(torch.from_numpy, batches_of("surreal", sets / "surreal")[0])
    at_first = surface_error(load_body("smpl-1723").vertices, vertices).mean()
    trained = load_checkpoint(run)
    # So few steps leave the running statistics behind: those of the batch, as in training.
    network = trained.model.train()
    pixels = normalise_pixels(images, trained.preprocessing)
    with torch.no_grad():
        output = stage_dataset._answer(network, trained.segmenter, pixels, None)
    meshes, _ = PoseLoss(network.body).regularised(output)
    assert surface_error(meshes, vertices).mean() < 0.8 * at_first
    state = load_state(run / "state.pt")
    assert state["step"] == 30
    group = state["optimiser"]["param_groups"][0]
    assert group["weight_decay"] == 0 and not group["decoupled_weight_decay"]


def test_the_output_is_a_checkpoint_of_smpls_template(run: Path) -> None:
    checkpoint = load_checkpoint(run)
    assert checkpoint.model.body.name == "smpl-1723"
    assert checkpoint.model.surface_branch[4].out_features == 3 * 1723
    made_of = json.loads((run / CONFIG).read_text())["data"]["hmnet"]
    assert made_of == {"dataset": "SURREAL", "images": 60, "steps": 30}


def test_the_checkpoint_is_measured_on_the_set(
    run: Path, sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["evaluate", "--data", "surreal", "--root", str(sets / "surreal"), "--weights", str(run)]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "SURREAL, split val (each fifth frame of run0" in shown and "4 images" in shown
    rows = shown.split("[95 % interval]\n")[1].splitlines()
    errors = {row[:16].strip(): float(row[16:].split()[0]) for row in rows}
    assert {"surface", "PA surface", "full surface", "joint", "PA joint"} <= errors.keys()
    assert errors["PA joint"] < errors["joint"] and errors["PA surface"] < errors["surface"] < 1500
    assert main([*asked, "--split", "train", "--limit", "1"]) == 0
    assert "1 images" in capsys.readouterr().out


def test_going_on_with_the_joints_alone(run: Path, sets: Path, tmp_path: Path) -> None:
    given = ["--joint-loss-only", "--initial", str(run / "state.pt"), "--images", "8", "--batch", "2"]
    train.run(options("human36m", sets / "joints", tmp_path, *given))
    before, after = (load_state(folder / "state.pt")["averaged"] for folder in (run, tmp_path))
    assert before.keys() == after.keys()
    for branch in ("joint_branch", "surface_branch"):
        assert not torch.equal(before[f"{branch}.4.bias"], after[f"{branch}.4.bias"]), f"{branch} learns"
    assert load_checkpoint(tmp_path).model.body.name == "smpl-1723"


def test_the_oracle_is_given_true_maps(sets: Path, tmp_path: Path) -> None:
    images, maps, vertices, joints = batches_of("surreal", sets / "surreal", part_maps=True)[0]
    assert images.shape == (3, 192, 192, 3) and vertices.shape == (3, 1723, 3) and joints.shape == (3, 24, 3)
    assert all(len(np.unique(one)) > 12 for one in maps) and maps.max() <= 24
    assert not batches_of("surreal", sets / "surreal")[0][1].any()
    given = ["--variant", "hmnet-oracle", "--images", "2", "--batch", "2"]
    train.run(options("surreal", sets / "surreal", tmp_path, *given))
    assert load_checkpoint(tmp_path).info.variant == "hmnet-oracle"


def test_where_a_set_lacks_the_bodys_joints_the_surface_gives_them(sets: Path) -> None:
    body = load_body("smpl-1723")
    _, _, vertices, joints = batches_of("human36m", sets / "human36m")[0]
    assert joints.shape == (3, 24, 3)
    np.testing.assert_allclose(joints, body.regress_joints(torch.from_numpy(vertices)).numpy(), atol=1e-6)
    _, _, vertices, joints = batches_of("human36m", sets / "joints", surfaces=False)[0]
    assert joints.shape == (3, 17, 3) and vertices.shape == (3, 0, 3)


def test_batches_are_drawn_by_seed_and_number_alone(sets: Path) -> None:
    batches = batches_of("up3d", sets / "up3d")
    first, again = batches[3], batches[3]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_joints_alone_is_the_distance_of_the_shared_joints() -> None:
    body = load_body("smpl-1723")
    loss, names = PoseLoss(body), shared_joints(JOINTS, body.joint_names)
    vertices = body.vertices[None].clone().requires_grad_(True)
    output = HMNetOutput(torch.zeros(1, 24, 3), vertices)
    truth = torch.full((1, 17, 3), 9.0)
    truth[:, names[0]] = loss.regularised(output)[1][:, names[1]].detach() + torch.tensor([0, 0.3, 0.4])
    total, terms = joints_alone(loss, output, truth, names)
    assert terms["mesh_joint"].item() == pytest.approx(0.5, abs=2e-4)
    own = truth[:, names[0]].norm(dim=-1).mean().item()
    assert terms["joint"].item() == pytest.approx(own, abs=2e-4)
    assert total.item() == pytest.approx(0.5 + own, abs=4e-4)
    total.backward()
    assert vertices.grad.abs().sum() > 0


def test_what_does_not_fit_is_told(sets: Path, run: Path, tmp_path: Path) -> None:
    nameless = options("up3d", sets / "up3d", tmp_path)
    nameless.root = None
    with pytest.raises(DataError, match=r"needs --dataset surreal.up3d.human36m and --root DIR"):
        train.run(nameless)
    with pytest.raises(DataError, match=r"FreiHAND's surfaces are MANO's .* one of surreal, up3d, human36m"):
        train.run(options("freihand", tmp_path, tmp_path))
    for given, sentence in (
        (["--joint-loss-only"], "give their state as --initial"),
        (["--variant", "hmnet-noisy"], "trained on rendered pictures alone"),
    ):
        with pytest.raises(DataError, match=sentence):
            train.run(options("up3d", sets / "up3d", tmp_path, *given))
    other = ["--initial", str(run / "state.pt"), "--variant", "single-task", "--images", "2"]
    with pytest.raises(CheckpointError, match="does not fit"):
        train.run(options("up3d", sets / "up3d", tmp_path, *other))
