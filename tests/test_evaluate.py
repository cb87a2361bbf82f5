"""Evaluation: figures of a set whose answer is known, and one sentence for what is missing."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from hmnet import evaluate
from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import Preprocessing
from hmnet.data.shards import write_shard
from hmnet.errors import DataError
from hmnet.model import HMNetOutput

pytest.importorskip("webdataset", reason="shards need webdataset (requirements-dev.txt)")


class Standing(torch.nn.Module):
    """A network that always answers with the template, moved aside."""

    def __init__(self, offset):
        super().__init__()
        self.body, self.offset = load_body(), torch.tensor(offset)

    def forward(self, image, part_map):
        vertices = (self.body.vertices + self.offset).expand(len(image), -1, -1)
        return HMNetOutput(self.body.regress_joints(vertices), vertices)


class Bright(torch.nn.Module):
    """A segmenter that calls every bright pixel a torso."""

    def forward(self, image):
        logits = torch.zeros(len(image), 25, *image.shape[-2:])
        logits[:, 2] = torch.where(image.mean(1) > 0, 2.0, -2.0)
        logits[:, 3:] = logits[:, 1:2] = -20.0
        return logits

    def label(self, logits, foreground_threshold=None):
        background = logits.softmax(1)[:, 0]
        return 2 * (background < (foreground_threshold or 0.5)).long()


class Shown:
    """A sample: a white square person on black."""

    def __init__(self):
        body = load_body()
        self.part_map = np.zeros((256, 256), np.uint8)
        self.part_map[60:200, 60:200] = 2
        self.image = np.where(self.part_map[..., None] > 0, 255, 0).repeat(3, -1).astype(np.uint8)
        self.vertices, self.joints = body.vertices.numpy(), body.regress_joints(body.vertices).numpy()
        self.camera, self.box = np.ones(3, np.float32), np.array([60, 60, 200, 200], np.float32)
        self.kind, self.tags = "standing", ("truncated",)


@pytest.fixture
def checkpoint():
    info = WeightsInfo("test", "hmnet", "none")
    return Checkpoint(Standing([0.03, 0.0, 0.04]), Bright(), Preprocessing(), info)


def test_a_known_offset_comes_out_in_mm(checkpoint, tmp_path):
    write_shard(tmp_path / "00000.tar", [Shown(), Shown()], np.random.default_rng(0))
    errors = evaluate.pose_errors(checkpoint, tmp_path)
    assert errors["raw surface"].shape == (2,)
    np.testing.assert_allclose(errors["raw surface"], 50, atol=0.3)
    np.testing.assert_allclose(errors["raw joint"], 50, atol=0.3)
    np.testing.assert_allclose(errors["raw PA surface"], 0, atol=0.3)
    # Averaging the template moves it: more error, less roughness.
    assert (errors["PA surface"] > 3).all() and (errors["roughness"] < errors["raw roughness"]).all()
    assert errors["person IoU"] > 0.97
    assert len(evaluate.pose_errors(checkpoint, tmp_path, limit=1)["surface"]) == 1


def test_masks_are_compared_at_every_threshold(checkpoint, tmp_path):
    shown = Shown()
    for folder, picture in (("photos", shown.image), ("masks", (shown.part_map > 0).astype(np.uint8) * 255)):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "one.png")
    scores = dict(evaluate.mask_scores(checkpoint, tmp_path / "photos", tmp_path / "masks"))
    # The segmenter gives white 0.12 background and black 0.88: only the thresholds between tell them apart.
    assert scores[0.1] == 0 and scores[0.5] > 0.97 and scores[0.9] < 0.9


def test_the_table_prints_means_and_intervals(capsys):
    evaluate.print_table({"surface": np.array([10.0, 20.0, 30.0]), "person IoU": np.array([0.5])})
    printed = capsys.readouterr().out
    assert "3 test images" in printed and "20.0 mm" in printed and "person IoU       0.500" in printed


def test_hard_slices_have_rows_of_their_own(capsys):
    errors = {name: np.array([10.0, 20.0, 60.0]) for name in ("surface", "joint", "PA surface", "PA joint")}
    evaluate.print_slices(errors, [("seated", "occluded"), (), ("seated",)])
    rows = {row[:16].strip(): row[16:].split() for row in capsys.readouterr().out.splitlines()[1:]}
    assert rows["seated"] == ["2", *["35.0"] * 4] and rows["occluded"] == ["1", *["10.0"] * 4]
    assert rows["none of these"] == ["1", *["20.0"] * 4]
    evaluate.print_slices(errors, [(), (), ()])
    assert capsys.readouterr().out == ""


def test_missing_masks_and_photos_are_one_sentence(checkpoint, tmp_path):
    with pytest.raises(DataError, match="No mask"):
        evaluate.mask_scores(checkpoint, tmp_path, tmp_path)
    Image.new("L", (20, 20), 255).save(tmp_path / "one.png")
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r"No photo one\.\*"):
        evaluate.mask_scores(checkpoint, tmp_path / "photos", tmp_path)


def test_means_are_recorded_beside_the_weights(tmp_path):
    (tmp_path / "config.json").write_text('{"variant": "hmnet", "model": {"body": "anny"}}')
    evaluate.record(tmp_path, {"surface": np.array([10.0, 20.0])})
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["variant"] == "hmnet" and config["metrics"] == {"surface": 15.0}
    assert "| surface | 15 |" in (tmp_path / "README.md").read_text()
    with pytest.raises(DataError, match="--weights"):
        evaluate.record(tmp_path / "nowhere", {})
