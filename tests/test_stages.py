"""Crops, a step of joint training, and packing: from a shard to weights that answer."""

import argparse
import json

import numpy as np
import pytest
import torch

pytest.importorskip("numba", reason="training data need requirements-dev.txt")
pytest.importorskip("webdataset", reason="training data need requirements-dev.txt")

from hmnet import packing, pose_batches, stage_pose, train
from hmnet.body import load_body
from hmnet.checkpoint import load_checkpoint
from hmnet.config import SegmenterConfig
from hmnet.data.augment import mirrored_map
from hmnet.data.crops import open_crops
from hmnet.data.folders import read_samples, training_shards
from hmnet.data.shards import shard_paths, write_shard
from hmnet.data.synthetic.people.person import populate
from hmnet.data.synthetic.scenes.photograph import Scenery, photograph
from hmnet.data.window_batches import WindowBatches
from hmnet.errors import DataError
from hmnet.keypoints import COUNT, LOOKS_SIZE, PLACES_SIZE
from hmnet.losses import surface_loss
from hmnet.model import HMNetOutput, build_hmnet
from hmnet.pose_batches import JointBatches, MapBatches
from hmnet.pose_loss import PoseLoss
from hmnet.segmentation import build_segmenter
from hmnet.trainer import Trainer, feed, load_state
from hmnet.variants import VARIANTS
from hmnet.weights_file import read_weights


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few bodies to start from, few held out, one thread: what is tested does not need more."""
    for name, count in (("EXAMPLES", 40), ("HELD_OUT", 8)):
        monkeypatch.setattr(stage_pose, name, count)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(list(arguments))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Twelve pictures in two folders, as of two machines, and the state of an untrained segmenter."""
    folder = tmp_path_factory.mktemp("work")
    generator, scenery = np.random.default_rng(0), Scenery([])
    people = populate(generator.normal(0, 0.15, (16, 24, 3)), np.repeat("standing", 16), generator)
    made = [photograph(person, scenery, generator) for person in people]
    made = [sample for sample in made if sample is not None]
    for seed, name, samples in ((0, "shards", made[:8]), (1, "others", made[8:12])):
        (folder / name).mkdir()
        write_shard(folder / name / "00000.tar", samples, generator)
        (folder / name / "recipe.json").write_text(json.dumps({"count": len(samples), "seed": seed}))
    segmenter = build_segmenter(SegmenterConfig())
    state = {"averaged": segmenter.state_dict(), "images": 5, "step": 1, "spent": 60.0}
    torch.save(state, folder / "segmenter.pt")
    return folder


def test_from_a_shard_to_weights(work):
    shards, crops, joint, packed = (str(work / n) for n in ("shards", "crops", "joint", "packed"))
    segmenter = str(work / "segmenter.pt")
    train.run(options("--stage", "crops", "--data", shards, str(work / "others"), "--segmenter", segmenter,
                      "--output", crops))  # fmt: skip
    made = open_crops(work / "crops")
    assert len(made) == 12 and made.images.shape == (12, 192, 192, 3)
    stored = read_samples(training_shards([work / "shards", work / "others"]), workers=2)
    for row, sample in enumerate(stored):
        np.testing.assert_allclose(made.vertices[row], sample.vertices, atol=2e-3)
    assert 0 < made.true_maps.max() <= 24 and made.predicted_maps.max() <= 24
    assert abs(made.joints[:, 0]).max() < 1e-3, "the pelvis is the root"
    train.run(options("--stage", "joint", "--data", crops, "--output", joint, "--images", "8",
                      "--batch", "8", "--pooling", "4"))  # fmt: skip
    (row,) = [json.loads(line) for line in (work / "joint" / "log.jsonl").read_text().splitlines()]
    assert row["images"] == 8 and row["surface_mm"] > 0 and row["map_alone_surface_mm"] > 0
    train.run(options("--stage", "pack", "--segmenter", segmenter, "--initial", f"{joint}/state.pt",
                      "--data", shards, str(work / "others"), "--output", packed, "--pooling", "4",
                      "--threshold", "0.4", "--revision", "abc1234"))  # fmt: skip
    checkpoint = load_checkpoint(packed)
    assert checkpoint.info.revision == "abc1234"
    assert checkpoint.segmenter.config.foreground_threshold == 0.4
    config = json.loads((work / "packed" / "config.json").read_text())
    assert config["data"]["pictures"] == [
        {"count": 8, "seed": 0, "poses": [], "shards": 1}, {"count": 4, "seed": 1, "poses": [], "shards": 1}
    ]  # fmt: skip
    assert config["model"]["input_pooling"] == 4 and config["data"]["hmnet"]["images"] == 8


@pytest.mark.parametrize(
    ("variant", "trained"),
    [
        ("hmnet-oracle", {"part_encoder", "joint_branch", "surface_branch"}),
        ("hmnet-unregularised", {"joint_branch", "surface_branch"}),
        ("rgb-only", {"joint_branch", "surface_branch"}),
    ],
)
def test_a_variant_goes_on_from_hmnet_and_keeps_what_differs(work, tmp_path, monkeypatch, variant, trained):
    root = tmp_path / "weights"
    root.mkdir()
    (root / "hmnet").symlink_to(work / "packed")
    monkeypatch.setattr(packing, "EMBEDDED", root)
    form = ["--variant", variant, "--pooling", "4"]
    train.run(options("--stage", "joint", *form, "--data", str(work / "crops"), "--images", "16",
                      "--batch", "8", "--initial", str(work / "packed" / "hmnet.safetensors"), "--output",
                      str(tmp_path / "run")))  # fmt: skip
    train.run(options("--stage", "pack", *form, "--initial", str(tmp_path / "run" / "state.pt"), "--output",
                      str(root / variant), "--revision", "abc1234"))  # fmt: skip
    names = {name.split(".")[0] for name in read_weights(root / variant / "hmnet.safetensors")}
    assert names == trained
    loaded = load_checkpoint(root, variant)
    assert (loaded.info.variant, loaded.info.revision) == (variant, "abc1234")


def test_the_oracle_is_trained_on_true_maps_alone(work):
    batches = JointBatches(work / "crops", 0, (), 8, 0, "sighting", VARIANTS["hmnet-oracle"])
    true_maps = open_crops(work / "crops").true_maps
    known = [one for part_map in true_maps for one in (part_map, mirrored_map(part_map))]
    for part_map in batches[0][0][: batches.count]:
        assert any(np.array_equal(part_map, one) for one in known)


def test_without_the_regulariser_the_loss_scores_the_raw_mesh(work):
    body = load_body()
    truth = body.vertices[None]
    rough = truth + 0.02 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    output = HMNetOutput(body.regress_joints(truth), rough)
    with_eq3, without = (
        PoseLoss(body, form=VARIANTS[name])(output, truth, output.joints)[1]["surface"]
        for name in ("hmnet", "hmnet-unregularised")
    )
    torch.testing.assert_close(without, surface_loss(rough, truth))
    assert with_eq3 < 0.8 * without


def test_maps_train_without_pictures_and_hand_over_to_the_joint_stage(work):
    maps = str(work / "maps")
    train.run(options("--stage", "maps", "--output", maps, "--images", "4", "--batch", "4"))
    (row,) = [json.loads(line) for line in (work / "maps" / "log.jsonl").read_text().splitlines()]
    # The branches start at the mean pose, so the first error is that of a constant.
    assert 100 < row["surface_mm"] < 600
    train.run(options("--stage", "joint", "--data", str(work / "crops"), "--initial", f"{maps}/state.pt",
                      "--output", str(work / "joint2"), "--minutes", "0.001", "--batch", "8"))  # fmt: skip
    assert (work / "joint2" / "state.pt").is_file()


def arguments_of(stage: str, work, output) -> list[str]:
    """A run of five steps of four images."""
    given = ["--stage", stage, "--output", str(output), "--images", "20", "--batch", "4", "--seed", "3",
             "--pooling", "8", "--size", "64"]  # fmt: skip
    return [*given, "--data", str(work / "shards"), str(work / "others")] if stage == "segmenter" else given


@pytest.mark.parametrize("stage", ["segmenter", "maps"])
def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(stage, work, tmp_path, monkeypatch):
    train.run(options(*arguments_of(stage, work, tmp_path / "whole")))
    schedule = Trainer._schedule

    def killed(trainer, share):
        if trainer.step == 3:
            trainer.save()
            raise KeyboardInterrupt
        schedule(trainer, share)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_schedule", killed)
        train.run(options(*arguments_of(stage, work, tmp_path / "killed")))
    assert load_state(tmp_path / "killed" / "state.pt")["images"] == 12
    train.run(options(*arguments_of(stage, work, tmp_path / "killed"), "--resume"))
    whole, resumed = (load_state(tmp_path / name / "state.pt") for name in ("whole", "killed"))
    assert whole["images"] == resumed["images"] == 20
    assert whole["balance"] == resumed["balance"]
    for kind in ("network", "averaged"):
        assert all(torch.equal(value, resumed[kind][name]) for name, value in whole[kind].items())
    for one, other in zip(*(s["optimiser"]["state"].values() for s in (whole, resumed)), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("kind", ["windows", "maps", "sighting", "pixels"])
def test_batches_depend_on_neither_workers_nor_a_restart(kind, first, work):
    if kind == "windows":
        batches = WindowBatches(read_samples(shard_paths(work / "shards")), 3, 64, seed=5)
    elif kind == "maps":
        batches = MapBatches((), 3, seed=5)
    else:
        batches = JointBatches(work / "crops", 1, (), 4, seed=5, rgb_input=kind)
    alone, together = (feed(batches, first, workers, torch.device("cpu")) for workers in (0, 2))
    for step in range(first, first + 5):
        one, other, direct = next(alone), next(together), batches[step]
        for a, b, c in zip(one, other, direct, strict=True):
            assert torch.equal(a, b) and np.array_equal(a.numpy(), c)


def test_a_mirrored_crop_is_the_mirror_image_of_all_it_shows(work):
    body, picks = load_body(), np.array([1, 2])
    for rgb_input in ("sighting", "pixels"):
        batches = JointBatches(work / "crops", 1, (), 4, seed=5, rgb_input=rgb_input)
        seen, vertices, joints = batches._seen(picks, np.array([False, False]))
        other, mirrored, mirrored_joints = batches._seen(picks, np.array([False, True]))
        assert np.array_equal(seen[0], other[0]) and np.array_equal(vertices[0], mirrored[0])
        np.testing.assert_array_equal(mirrored[1], vertices[1][body.mirror.numpy()] * np.float32([-1, 1, 1]))
        left, right = (body.joint_index(f"{side}_wrist") for side in ("left", "right"))
        np.testing.assert_array_equal(mirrored_joints[1][left], joints[1][right] * np.float32([-1, 1, 1]))
        assert not np.array_equal(seen[1], other[1])
    np.testing.assert_array_equal(seen[1], other[1][:, ::-1])


def test_a_turned_window_turns_the_body_with_it(monkeypatch):
    monkeypatch.setattr(pose_batches, "JITTER", 0.0)
    generator = np.random.default_rng(0)
    joints = generator.normal(0, 0.3, (4, COUNT, 3)).astype(np.float32)
    seen = generator.normal(0, 1, (4, PLACES_SIZE + LOOKS_SIZE)).astype(np.float32)
    for first in (0, 3 * COUNT):
        seen[:, first : first + 2 * COUNT] = joints[..., :2].reshape(4, -1)
    after, vertices, turned = pose_batches.moved(seen, joints.copy(), joints, generator)
    np.testing.assert_array_equal(vertices, turned)
    np.testing.assert_array_equal(turned[..., 2], joints[..., 2])
    assert np.abs(turned - joints).max() > 0.01
    places = after[:, : 2 * COUNT].reshape(4, COUNT, 2)
    for place, points in zip(places, turned[..., :2], strict=True):
        # Equal but for zoom and shift, which the body does not follow.
        centred, own = place - place.mean(0), points - points.mean(0)
        zoom = (centred * own).sum() / (own * own).sum()
        np.testing.assert_allclose(centred, zoom * own, atol=1e-4)
        assert 0.7 < zoom < 1.4
    untouched = np.r_[2 * COUNT : 3 * COUNT, 5 * COUNT : seen.shape[1]]
    np.testing.assert_array_equal(after[:, untouched], seen[:, untouched])


def test_each_pass_over_the_pictures_has_them_all_in_another_order(work):
    samples = read_samples(shard_paths(work / "shards"))
    batches = WindowBatches(samples, 2, 64, seed=5)
    seen = [np.concatenate([batches.picks(4 * epoch + place) for place in range(4)]).tolist()
            for epoch in range(2)]  # fmt: skip
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(8)) and seen[0] != seen[1]
    with pytest.raises(DataError, match="do not fill a batch of 9"):
        WindowBatches(samples, 9, 64, seed=5)


def test_shards_of_two_machines_train_together_but_the_same_pictures_do_not(work, tmp_path):
    both = training_shards([work / "shards", work / "others"])
    assert [path.parent.name for path in both] == ["shards", "others"]
    assert training_shards([work / "shards", work / "others"], "1/2") == both[1:]
    (tmp_path / "copy").mkdir()
    for file in (work / "shards").iterdir():
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(DataError, match="the same pictures: generate"):
        training_shards([work / "shards", tmp_path / "copy"])


@pytest.mark.parametrize("stage", ["crops", "joint", "pack"])
def test_a_stage_without_its_input_says_what_it_needs(stage, tmp_path):
    with pytest.raises(DataError, match=r"--data|--segmenter"):
        train.run(options("--stage", stage, "--output", str(tmp_path)))


@pytest.mark.parametrize("part", ["2/2", "one/two", "1"])
def test_a_part_that_is_none_says_what_was_expected(part, work):
    with pytest.raises(DataError, match="K/N"):
        train.run(options("--stage", "segmenter", "--data", str(work / "shards"), "--part", part,
                          "--output", str(work / "part")))  # fmt: skip


def test_what_the_initial_weights_had_seen_counts_too(tmp_path):
    seen = {"data": {"hmnet": {"images": 5, "steps": 1, "minutes": 2.0}}}
    (tmp_path / "config.json").write_text(json.dumps(seen))
    (tmp_path / "hmnet.safetensors").touch()
    state = {
        "images": 3,
        "step": 2,
        "spent": 60.0,
        "options": {"initial": str(tmp_path / "hmnet.safetensors")},
    }
    assert packing._training_of(state) == {"images": 8, "steps": 3, "minutes": 3.0}
    torch.save(state, tmp_path / "state.pt")
    later = state | {"options": {"initial": str(tmp_path / "state.pt")}}
    assert packing._training_of(later)["images"] == 11
    assert packing._training_of(state | {"options": {"initial": "None"}})["images"] == 3


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "hmnet-full"])
def test_every_variant_trains_anew_from_pixels_in_its_own_form(name, work, tmp_path):
    form = VARIANTS[name]
    # Of what has no ResNet-18 for pictures this goes without saying.
    pixels = ["--rgb-input", "pixels"] if form.rgb == "resnet18" else []
    train.run(options("--stage", "joint", "--variant", name, "--data", str(work / "crops"), "--images", "8",
                      "--batch", "8", "--pooling", "8", *pixels, "--pictures-only", "--workers", "0",
                      "--output", str(tmp_path)))  # fmt: skip
    state = load_state(tmp_path / "state.pt")
    modules = {key.split(".")[0] for key in state["network"]}
    assert ("joint_branch" in modules) == form.joint_branch
    assert ("rgb_encoder" in modules) == (form.rgb != "none")
    assert ("part_encoder" in modules) == (form.parts != "none")
    # A bottleneck is what a ResNet-50 has and a ResNet-18 has not.
    assert any(".conv3." in key for key in state["network"]) == (form.rgb == "resnet50")
    assert state["images"] == 8


def test_the_losses_that_a_variant_goes_without_do_not_move_it():
    body = load_body()
    points = torch.randn(2, len(body.vertices), 3, generator=torch.Generator().manual_seed(0)) * 0.2
    truth, joints = body.vertices.expand(2, -1, -1), body.regress_joints(body.vertices).expand(2, -1, -1)

    def pulls_at_the_branch(name: str) -> tuple[bool, bool]:
        """Whether the true joints, and whether the surface, have a say in the joint branch's gradient."""

        def gradient(target: torch.Tensor, surface: torch.Tensor) -> torch.Tensor:
            branch = (joints + 0.1).requires_grad_()
            loss, _ = PoseLoss(body, form=VARIANTS[name])(HMNetOutput(branch, surface), truth, target)
            return torch.autograd.grad(loss, branch)[0]

        still = gradient(joints, points)
        moved = gradient(joints + 1, points), gradient(joints, points + 1)
        return tuple(not torch.allclose(one, still) for one in moved)

    assert pulls_at_the_branch("hmnet") == (True, True)
    assert pulls_at_the_branch("hmnet-no-joint-loss") == (False, True)
    assert pulls_at_the_branch("hmnet-no-agreement") == (True, False)
    assert pulls_at_the_branch("single-task") == (False, False)


def test_noisy_meshes_have_true_joints_and_the_same_misfit_each_time(work):
    given = (work / "crops", 0, (), 8, 0, "pixels")
    true, noisy = (JointBatches(*given, VARIANTS[name], True) for name in ("hmnet", "hmnet-noisy"))
    (_, meshes, joints, *_), (_, wrong, same, *_) = true[0], noisy[0]
    assert np.array_equal(joints, same) and np.array_equal(wrong, noisy[0][1])
    assert 0.01 < np.linalg.norm(wrong - meshes, axis=-1).mean() < 0.2


def test_pictures_only_leaves_the_fresh_maps_out(work):
    batches = JointBatches(work / "crops", 0, (), 8, 0, "pixels", pictures_only=True)
    maps, vertices, _, seen, places = batches[0]
    assert len(maps) == len(vertices) == len(seen) == 8 and len(places) == 0


def test_the_full_template_trains_on_the_upsampled_truth(work):
    given = options("--stage", "joint", "--variant", "hmnet-full", "--output", "x", "--pooling", "8")
    network = build_hmnet(stage_pose.model_config(given))
    crops = open_crops(work / "crops")
    vertices = torch.from_numpy(np.array(crops.vertices[:4])).float()
    stage_pose.start_branches(network, vertices, torch.from_numpy(np.array(crops.joints[:4])))
    mean = network.surface_branch[4].bias.detach().unflatten(0, (-1, 3))
    torch.testing.assert_close(mean, load_body().upsample(vertices).mean(0), atol=1e-4, rtol=0)
    assert len(mean) == 13718 and network.body.name == "anny-full"
