"""A hand through all stages: pictures, segmenter, crops, maps, joint, weights that answer, errors."""

import argparse
import json
import shutil

import numpy as np
import pytest
import torch

pytest.importorskip("numba", reason="training data need requirements-dev.txt")
pytest.importorskip("webdataset", reason="training data need requirements-dev.txt")

from hmnet import hand_results, packing, stage_hand, stage_pose, train
from hmnet.body import load_body
from hmnet.checkpoint import load_checkpoint, load_features, load_variant, save_difference
from hmnet.config import ModelConfig
from hmnet.data.crops import open_crops
from hmnet.data.shards import write_shard
from hmnet.data.synthetic.hands.hand_maps import bare_hands, hand_map_batch
from hmnet.data.synthetic.hands.hand_model import model_hands
from hmnet.data.synthetic.hands.hand_picture import photograph_hand
from hmnet.data.synthetic.hands.hand_poses import sample_poses
from hmnet.data.synthetic.scenes.photograph import Scenery
from hmnet.errors import CheckpointError, DataError
from hmnet.evaluate import print_hand_scores
from hmnet.hand_section import hand_section
from hmnet.hand_sightings import HAND_PLACES
from hmnet.handnet import HandNet
from hmnet.model import build_hmnet
from hmnet.pose_batches import JointBatches
from hmnet.pose_errors import pose_errors
from hmnet.pretrained import HumanMeshNet
from hmnet.trainer import load_weights
from hmnet.weights_file import read_weights

HAND = ("--body", "hand", "--pooling", "8", "--workers", "0")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few hands to start from, few held out, one thread."""
    for name, count in (("EXAMPLES", 30), ("HELD_OUT", 4)):
        monkeypatch.setattr(stage_pose, name, count)
    monkeypatch.setattr(stage_hand, "load_features", lambda *_: HandNet())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(stage: str, *arguments: str) -> None:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    train.run(parser.parse_args(["--stage", stage, *HAND, *arguments]))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Twelve pictures of hands."""
    folder, generator = tmp_path_factory.mktemp("hands"), np.random.default_rng(0)
    made = [photograph_hand(hand, Scenery([]), generator)
            for hand in model_hands(sample_poses(generator, 16), generator)]  # fmt: skip
    (folder / "shards").mkdir()
    write_shard(folder / "shards" / "00000.tar", [s for s in made if s is not None][:12], generator)
    (folder / "shards" / "recipe.json").write_text(json.dumps({"count": 12, "body": "hand"}))
    return folder


def test_from_pictures_of_hands_to_weights_and_their_errors(work, capsys):
    names = ("shards", "segmenter", "crops", "maps", "joint", "packed")
    shards, segmenter, crops, maps, joint, packed = (str(work / name) for name in names)
    few = ("--images", "8", "--batch", "8")
    run("segmenter", "--data", shards, "--output", segmenter, "--size", "64", *few)
    run("crops", "--data", shards, "--segmenter", f"{segmenter}/state.pt", "--output", crops)
    made = open_crops(work / "crops")
    assert made.body == "hand" and made.vertices.shape == (12, 778, 3) and made.joints.shape == (12, 21, 3)
    assert 10 < made.true_maps.max() <= 16 and made.predicted_maps.max() <= 16
    run("maps", "--output", maps, *few)
    run("joint", "--data", crops, "--initial", f"{maps}/state.pt", "--output", joint, *few)
    (row,) = [json.loads(line) for line in (work / "joint" / "log.jsonl").read_text().splitlines()]
    assert row["images"] == 8 and 0 < row["pa_surface_mm"] < row["surface_mm"] < 300
    run("pack", "--data", shards, "--segmenter", f"{segmenter}/state.pt", "--initial", f"{joint}/state.pt",
        "--output", packed, "--revision", "abc1234", "--eight-bits")  # fmt: skip
    checkpoint = load_checkpoint(packed)
    weights = sum(value.numel() for value in checkpoint.model.state_dict().values())
    assert (work / "packed" / "hmnet.safetensors").stat().st_size < 1.1 * weights, "8 bits a weight"
    assert checkpoint.info.variant == "hand" and checkpoint.model.body.name == "hand"
    assert checkpoint.segmenter.part_count == 16
    errors = pose_errors(checkpoint, work / "shards")
    assert errors["part surface"].shape == (12, 16) and errors["each joint"].shape == (12, 21)
    assert 0 <= errors["F@5"].mean() <= errors["F@15"].mean() < errors["PA F@15"].mean() <= 1
    print_hand_scores(errors)
    assert "AUC, PA each joint" in capsys.readouterr().out
    assert errors["part IoU"].shape == (1, 16) and np.isfinite(errors["surface"]).all()


@pytest.mark.parametrize(
    ("variant", "packed", "trained"),
    [
        ("hmnet-unregularised", "hand-unregularised", {"joint_branch", "surface_branch"}),
        ("single-task", "hand-single-task", {"surface_branch"}),
    ],
)
def test_a_variant_goes_on_from_the_hand_s_network(work, tmp_path, monkeypatch, variant, packed, trained):
    root = tmp_path / "weights"
    root.mkdir()
    (root / "hand").symlink_to(work / "packed")
    monkeypatch.setattr(packing, "EMBEDDED", root)
    # From the state, in which no weight is rounded as in the packed file.
    run("joint", "--variant", variant, "--data", str(work / "crops"), "--images", "16", "--batch", "8",
        "--initial", str(work / "joint" / "state.pt"), "--output", str(tmp_path / "run"))  # fmt: skip
    run("pack", "--variant", variant, "--initial", str(tmp_path / "run" / "state.pt"), "--data",
        str(work / "shards"), "--output", str(root / packed), "--revision", "abc1234")  # fmt: skip
    assert {name.split(".")[0] for name in read_weights(root / packed / "hmnet.safetensors")} == trained
    config = json.loads((root / packed / "config.json").read_text())
    assert (config["variant"], config["base"], config["data"]["variant"]["images"]) == (packed, "hand", 16)
    assert config["data"]["hmnet"]["images"] == 32, "8 of stage maps, 8 of the first joint stage, and its own"
    base, own = load_checkpoint(root, "hand"), load_checkpoint(root, packed)
    assert own.model.body.name == "hand" and own.segmenter.part_count == 16
    assert load_checkpoint(root / packed).info.variant == packed, "its own folder does as well"
    beside, pretrained = load_variant(base, packed), HumanMeshNet.from_pretrained(root, variant=packed)
    for network in (beside, pretrained.model):
        assert (network.joint_branch is None) == ("joint_branch" not in trained)
        for name, value in own.model.state_dict().items():
            assert torch.equal(value, network.state_dict()[name])
    assert beside.part_encoder is base.model.part_encoder
    different = (own.model.surface_branch[4].weight - base.model.surface_branch[4].weight).abs().max()
    assert different > 1e-5


def test_branches_alone_go_on_beside_encoders_that_stay(work, tmp_path):
    few = ("--data", str(work / "crops"), "--images", "16", "--batch", "8", "--output", str(tmp_path))
    run("joint", "--branches-only", "--initial", str(work / "joint" / "state.pt"), *few)
    before, after = (load_weights(folder / "state.pt") for folder in (work / "joint", tmp_path))
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"joint_branch", "surface_branch"}
    with pytest.raises(DataError, match="needs --initial"):
        run("joint", "--branches-only", *few)


def test_one_command_measures_all_variants_of_hands(work, tmp_path, capsys):
    root, output = tmp_path / "weights", tmp_path / "out"
    shutil.copytree(work / "packed", root / "hand")
    base = load_checkpoint(root)
    form = json.loads((root / "hand" / "config.json").read_text())["model"]
    config = ModelConfig(**form | {"variant": "hand-unregularised"})
    torch.manual_seed(0)
    network = build_hmnet(config)
    network.load_state_dict(base.model.state_dict())
    with torch.no_grad():
        network.surface_branch[4].bias.add_(0.01 * torch.randn(778 * 3))
    save_difference(root / config.variant, network, {}, model_config=config, base=root / "hand")
    given = ["--data", str(work / "shards"), "--output", str(output), "--limit", "6"]
    assert hand_results.main([*given, "--weights", str(root), "--record"]) == 0
    assert "hand-unregularised: surface" in capsys.readouterr().out
    result = json.loads((output / "hands.json").read_text())
    rows = {(row["variant"], row["mesh"]): row["errors"] for row in result["rows"]}
    assert list(rows) == [(n, m) for n in ("hand", "hand-unregularised") for m in ("averaged", "raw")]
    errors = pose_errors(base, work / "shards", 6)
    for mesh, prefix in (("averaged", ""), ("raw", "raw ")):
        for name, found in rows["hand", mesh].items():
            assert found["mean"] == pytest.approx(errors[prefix + name].mean(), abs=1e-3)
            assert found["low"] <= found["mean"] <= found["high"]
    changes = {change["what"]: change["errors"] for change in result["changes"]}
    smooth, rough = rows["hand", "averaged"]["roughness"], rows["hand", "raw"]["roughness"]
    averaging = changes["Averaging HMNet's mesh"]["roughness"]
    assert (
        averaging["mean"] == pytest.approx(smooth["mean"] - rough["mean"], abs=1e-3) and averaging["high"] < 0
    )
    assert "The joint branch" not in changes and len(changes) == 4
    assert result["images"] == 6 and result["weights"]["hand"]["images"] == 16
    (section,) = hand_section(output)
    assert "6 rendered hands" in section and "| not recorded |" in section
    for name in ("hand", "hand-unregularised"):
        metrics = json.loads((root / name / "config.json").read_text())["metrics"]
        assert metrics["surface"] == pytest.approx(rows[name, "averaged"]["surface"]["mean"], abs=1e-2)
        assert 0 <= metrics["AUC, each joint"] <= 1 and (root / name / "README.md").is_file()
    assert hand_results.main([*given, "--weights", str(root / config.variant)]) == 2
    assert "no weights of the variant hand in" in capsys.readouterr().err


def test_crops_of_hands_are_never_seen_in_a_mirror(work):
    batches = JointBatches(work / "crops", 0, (), 8, 0, "pixels")
    stored = open_crops(work / "crops")
    maps, vertices, *_ = batches[0]
    for own in vertices[: batches.count]:
        assert np.abs(stored.vertices.astype(np.float32) - own).max((1, 2)).min() == 0
    assert maps.max() <= 16 and vertices.shape == (8, 778, 3)


def test_fresh_maps_show_the_hands_that_come_with_them():
    body = load_body("hand")
    maps, vertices, joints, places = hand_map_batch(np.random.default_rng(1), 12, 96, corrupted=False)
    assert maps.shape == (12, 96, 96) and maps.max() <= 16 and places.shape == (12, HAND_PLACES)
    np.testing.assert_allclose(body.regress_joints(torch.from_numpy(vertices)).numpy(), joints, atol=1e-5)
    wrist, knuckle = body.joint_index("wrist"), body.joint_index("middle1")
    assert (joints[:, knuckle, 1] < joints[:, wrist, 1]).mean() > 0.9, "hands point up"
    noticed = places[:, :63].reshape(12, 21, 3)
    correlated = [_centred(a) @ _centred(b) / np.linalg.norm(_centred(a)) / np.linalg.norm(_centred(b))
                  for a, b in zip(noticed, joints, strict=True)]  # fmt: skip
    assert np.median(correlated) > 0.8, "landmarks lie as the joints do"
    for part_map, points in zip(maps, vertices, strict=True):
        # Where the parts' middles lie in the map and in the mesh, they lie alike.
        seen = [part for part in np.unique(part_map)[1:] if (part_map == part).sum() > 40]
        middles = np.array([np.argwhere(part_map == part).mean(0)[::-1] for part in seen])
        true = np.array([points[body.vertex_parts.numpy() == part, :2].mean(0) for part in seen])
        if len(seen) > 4:
            assert np.corrcoef(_centred(middles), _centred(true))[0, 1] > 0.8
    one, two = (bare_hands(np.random.default_rng(3), 4).template for _ in range(2))
    np.testing.assert_array_equal(one, two)


def _centred(points: np.ndarray) -> np.ndarray:
    """Points (N, 2) from their mean, as one row."""
    return (points - points.mean(0)).ravel()


def test_what_a_hand_cannot_have_is_said(work, tmp_path):
    with pytest.raises(DataError, match="hmnet-full is of whole bodies"):
        run("maps", "--output", str(tmp_path), "--images", "8", "--variant", "hmnet-full")
    with pytest.raises(DataError, match=r"are of body hand, not anny: give --body hand"):
        run("segmenter", "--data", str(work / "shards"), "--output", str(tmp_path), "--body", "anny")


def test_a_start_without_any_weights_of_hands_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("hmnet.checkpoint.variants_of", lambda _: {"hmnet": None})
    with pytest.raises(CheckpointError, match=r"give .*handlandmark-full\.json"):
        load_features(None, "hand")
