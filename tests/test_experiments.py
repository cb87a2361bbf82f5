"""The equal-budget experiments from crops to a recorded config.json."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="training data need requirements-dev.txt")
pytest.importorskip("webdataset", reason="training data need requirements-dev.txt")

from hmnet import experiments, stage_pose, train
from hmnet.checkpoint import load_checkpoint
from hmnet.data.crops import make_crops
from hmnet.data.shards import write_shard
from hmnet.data.synthetic.people.person import populate
from hmnet.data.synthetic.scenes.photograph import Scenery, photograph


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Eight pictures as shards, and as crops labelled by the embedded segmenter."""
    folder, generator = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    people = populate(generator.normal(0, 0.15, (12, 24, 3)), np.repeat("standing", 12), generator)
    made = [sample for person in people if (sample := photograph(person, Scenery([]), generator)) is not None]
    (folder / "shards").mkdir()
    write_shard(folder / "shards" / "00000.tar", made[:8], generator)
    checkpoint = load_checkpoint()
    make_crops([folder / "shards" / "00000.tar"], folder / "crops", checkpoint.segmenter,
               checkpoint.preprocessing, 0)  # fmt: skip
    return folder


def test_one_command_trains_measures_and_records_a_variant(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stage_pose, "EXAMPLES", 8)
    monkeypatch.setattr(experiments, "BATCH", 4)
    given = ["--crops", str(pictures / "crops"), "--data", str(pictures / "shards"), "--runs",
             str(tmp_path / "runs"), "--output", str(tmp_path / "out"), "--images", "8", "--threads", "1",
             "--revision", "abc1234"]  # fmt: skip
    assert experiments.main([*given, "--variant", "single-task", "baseline"]) == 0
    assert "single-task: surface" in capsys.readouterr().out
    for name in ("single-task", "baseline"):
        config = json.loads((tmp_path / "out" / name / "config.json").read_text())
        assert config["variant"] == name and config["revision"] == "abc1234"
        assert config["metrics"]["surface"] > 0 and config["data"]["hmnet"]["images"] == 8
        assert config["data"]["crops"] == 8 and config["model"]["rgb_input"] == "pixels"
    again = []
    monkeypatch.setattr(train, "run", again.append)
    assert experiments.main([*given, "--variant", "single-task"]) == 0 and not again


def test_crops_that_are_not_there_are_said_in_one_sentence(tmp_path, capsys):
    given = ["--crops", str(tmp_path), "--data", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert experiments.main([*given, "--variant", "hmnet"]) == 2
    assert capsys.readouterr().err.startswith("hmnet: No crops in")
