"""Crops, a step of joint training, and packing: from a shard to weights that answer."""

import argparse
import json

import numpy as np
import pytest
import torch

pytest.importorskip("numba", reason="training data need requirements-dev.txt")
pytest.importorskip("webdataset", reason="training data need requirements-dev.txt")

from hmnet import train
from hmnet.checkpoint import load_checkpoint
from hmnet.config import SegmenterConfig
from hmnet.data.crops import open_crops
from hmnet.data.shards import write_shard
from hmnet.data.synthetic.people import populate
from hmnet.data.synthetic.scene import Scenery, photograph
from hmnet.errors import DataError
from hmnet.segmentation import build_segmenter


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(list(arguments))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A shard of a dozen pictures and the state of an untrained segmenter."""
    folder = tmp_path_factory.mktemp("work")
    generator, scenery = np.random.default_rng(0), Scenery([])
    people = populate(generator.normal(0, 0.15, (16, 24, 3)), np.repeat("standing", 16), generator)
    made = [photograph(person, scenery, generator) for person in people]
    (folder / "shards").mkdir()
    write_shard(folder / "shards" / "00000.tar", [s for s in made if s is not None][:12], generator)
    segmenter = build_segmenter(SegmenterConfig())
    state = {"averaged": segmenter.state_dict(), "images": 5, "step": 1, "spent": 60.0}
    torch.save(state, folder / "segmenter.pt")
    return folder


def test_from_a_shard_to_weights(work):
    shards, crops, joint, packed = (str(work / n) for n in ("shards", "crops", "joint", "packed"))
    segmenter = str(work / "segmenter.pt")
    train.run(options("--stage", "crops", "--data", shards, "--segmenter", segmenter, "--output", crops,
                      "--size", "64"))  # fmt: skip
    made = open_crops(work / "crops")
    assert len(made) == 12 and made.images.shape == (12, 224, 224, 3)
    assert 0 < made.true_maps.max() <= 24 and made.predicted_maps.max() <= 24
    assert abs(made.joints[:, 0]).max() < 1e-3, "the pelvis is the root"
    train.run(options("--stage", "joint", "--data", crops, "--output", joint, "--minutes", "0.001",
                      "--batch", "8", "--pooling", "4"))  # fmt: skip
    (row,) = [json.loads(line) for line in (work / "joint" / "log.jsonl").read_text().splitlines()]
    assert row["images"] == 8 and row["surface_mm"] > 0 and row["map_alone_surface_mm"] > 0
    train.run(options("--stage", "pack", "--segmenter", segmenter, "--start", f"{joint}/state.pt",
                      "--data", shards, "--output", packed, "--pooling", "4", "--size", "64",
                      "--threshold", "0.4", "--revision", "abc1234"))  # fmt: skip
    checkpoint = load_checkpoint(packed)
    assert checkpoint.info.revision == "abc1234"
    assert checkpoint.segmenter.config.foreground_threshold == 0.4
    assert checkpoint.preprocessing.segmenter_size == 64
    config = json.loads((work / "packed" / "config.json").read_text())
    assert config["data"]["pictures"] == {"poses": [], "shards": 1}
    assert config["model"]["input_pooling"] == 4 and config["data"]["hmnet"]["images"] == 8


def test_maps_train_without_pictures_and_hand_over_to_the_joint_stage(work):
    maps = str(work / "maps")
    train.run(options("--stage", "maps", "--output", maps, "--minutes", "0.001", "--batch", "4"))
    (row,) = [json.loads(line) for line in (work / "maps" / "log.jsonl").read_text().splitlines()]
    # The branches start at the mean pose, so the first error is that of a constant.
    assert 100 < row["surface_mm"] < 600
    train.run(options("--stage", "joint", "--data", str(work / "crops"), "--start", f"{maps}/state.pt",
                      "--output", str(work / "joint2"), "--minutes", "0.001", "--batch", "8"))  # fmt: skip
    assert (work / "joint2" / "state.pt").is_file()


@pytest.mark.parametrize("stage", ["crops", "joint", "pack"])
def test_a_stage_without_its_input_says_what_it_needs(stage, tmp_path):
    with pytest.raises(DataError, match=r"--data|--segmenter"):
        train.run(options("--stage", stage, "--output", str(tmp_path)))


@pytest.mark.parametrize("part", ["2/2", "one/two", "1"])
def test_a_part_that_is_none_says_what_was_expected(part, work):
    with pytest.raises(DataError, match="K/N"):
        train.run(options("--stage", "segmenter", "--data", str(work / "shards"), "--part", part,
                          "--output", str(work / "part")))  # fmt: skip
