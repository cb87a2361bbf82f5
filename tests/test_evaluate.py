"""Evaluation: figures of a set whose answer is known, and one sentence for what is missing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from hmnet import evaluate
from hmnet.__main__ import main
from hmnet.body import PART_INDEX, load_body
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import Preprocessing
from hmnet.data.shards import write_shard
from hmnet.errors import DataError
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.model import HMNetOutput

pytest.importorskip("webdataset", reason="shards need webdataset (requirements-dev.txt)")


HEAD = [PART_INDEX["right head"] - 1, PART_INDEX["left head"] - 1]


class Standing(torch.nn.Module):
    """A network that always answers with the template, moved aside, and from the joint branch with zeros."""

    def __init__(self, offset, body=None):
        super().__init__()
        self.body, self.offset = body or load_body(), torch.tensor(offset)
        self.part_maps = []

    @property
    def rgb_encoder(self):
        return self

    def see(self, image, features):
        return image - features[-1]

    def forward(self, seen, part_map):
        # The dense map is the picture itself, see `Bright`.
        assert not seen.any()
        self.part_maps.append(part_map)
        vertices = (self.body.vertices + self.offset).expand(len(seen), -1, -1)
        return HMNetOutput(torch.zeros(len(seen), 24, 3), vertices)


class Bright(torch.nn.Module):
    """A segmenter that calls every bright pixel a torso; its features are the picture, at full size."""

    looks = 0

    def forward(self, image):
        return self.enlarge(self.decode(self.features(image)))

    def features(self, image):
        self.looks += len(image)
        return [torch.zeros(1), image]

    def enlarge(self, logits):
        return logits

    def decode(self, features):
        image = features[-1]
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
        # Copied, since the template is everybody's.
        self.vertices = body.vertices.numpy().copy()
        self.joints = body.regress_joints(body.vertices).numpy()
        self.camera, self.box = np.ones(3, np.float32), np.array([60, 60, 200, 200], np.float32)
        self.kind, self.tags, self.keypoints = "standing", ("truncated",), None


@pytest.fixture
def checkpoint():
    info = WeightsInfo("test", "hmnet", "none")
    return Checkpoint(Standing([0.03, 0.0, 0.04]), Bright(), Preprocessing(), info)


def test_a_known_offset_comes_out_in_mm(checkpoint, tmp_path):
    write_shard(tmp_path / "00000.tar", [Shown(), Shown()], np.random.default_rng(0))
    errors = evaluate.pose_errors(checkpoint, tmp_path, mirror=False)
    assert errors["raw surface"].shape == (2,)
    np.testing.assert_allclose(errors["raw surface"], 50, atol=0.3)
    np.testing.assert_allclose(errors["raw joint"], 50, atol=0.3)
    np.testing.assert_allclose(errors["raw PA surface"], 0, atol=0.3)
    # Averaging the template moves it: more error, less roughness.
    assert (errors["PA surface"] > 3).all() and (errors["roughness"] < errors["raw roughness"]).all()
    assert errors["person IoU"] > 0.97 and errors["part IoU"][0, 1] > 0.97
    assert errors["part IoU"].sum() == errors["part IoU"][0, 1]
    # The true joints are the branch's errors where it answers with zeros.
    true = 1000 * np.linalg.norm(Shown().joints, axis=1).mean()
    np.testing.assert_allclose(errors["joint branch"], true, rtol=1e-3)
    assert checkpoint.segmenter.looks == 2, "each of the two pictures once"
    assert len(evaluate.pose_errors(checkpoint, tmp_path, limit=1)["surface"]) == 1
    with pytest.raises(DataError, match="no sample"):
        evaluate.pose_errors(checkpoint, tmp_path, limit=0)


def test_templates_are_compared_on_the_full_surface(checkpoint, tmp_path):
    write_shard(tmp_path / "00000.tar", [Shown()], np.random.default_rng(0))
    full_body = load_body("anny-full")
    full = replace(checkpoint, model=Standing([0.03, 0.0, 0.04], full_body))
    own, finer = (evaluate.pose_errors(network, tmp_path, mirror=False) for network in (checkpoint, full))
    # Truth is stored on the small template; upsampled it is some mm from the full one at rest.
    assert finer["raw surface"] == pytest.approx(50, abs=5) and finer["raw joint"] == pytest.approx(50, abs=5)
    assert finer["full surface"] == pytest.approx(finer["surface"])
    assert own["full surface"] != pytest.approx(own["surface"], abs=0.1)
    body = load_body()
    ring = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    answer = neighbour_average(body.vertices + torch.tensor([0.03, 0.0, 0.04]), ring)
    distances = (body.upsample(answer) - body.upsample(body.vertices)).norm(dim=-1)
    assert own["full surface"] == pytest.approx(1000 * distances.mean().item(), abs=0.3)
    assert 0 < own["normal deviation"] < own["raw normal deviation"] < 90
    other = replace(checkpoint, model=Standing([0.0, 0.0, 0.0], replace(full_body, name="other")))
    with pytest.raises(DataError, match="1229 vertices, but the network's body other has 13718"):
        evaluate.pose_errors(other, tmp_path, mirror=False)


def test_parts_and_joints_are_told_apart(checkpoint, tmp_path):
    body, plain, moved = checkpoint.model.body, Shown(), Shown()
    head = torch.isin(body.vertex_parts, torch.tensor(HEAD) + 1).numpy()
    ankle = body.joint_index("left_ankle")
    # One truth is the answer itself, the other has its head and its left ankle elsewhere.
    for shown in (plain, moved):
        shown.vertices += (0.03, 0, 0.04)
        shown.joints += (0.03, 0, 0.04)
    moved.vertices[head] += (0, -0.5, 0)
    moved.joints[ankle] += (0, 0, 2)
    write_shard(tmp_path / "00000.tar", [plain, moved], np.random.default_rng(0))
    errors = evaluate.pose_errors(checkpoint, tmp_path, mirror=False)
    assert errors["raw joint"] == pytest.approx([0, 2000 / 24], abs=1)
    parts = errors["part surface"]
    assert (parts[0] < 40).all() and (parts[1, HEAD] > 450).all()
    np.testing.assert_allclose(np.delete(parts[1], HEAD), np.delete(parts[0], HEAD))
    assert (errors["PA part surface"][1, HEAD] < parts[1, HEAD]).all()
    others = np.arange(24) != ankle
    assert errors["each joint"][1, ankle] > 1500
    np.testing.assert_allclose(errors["each joint"][1, others], errors["each joint"][0, others])
    # Weighted by their vertices the parts are the whole, and so are the joints.
    counts = np.bincount(body.vertex_parts.numpy(), minlength=25)[1:]
    for name, part_name in (("surface", "part surface"), ("PA surface", "PA part surface")):
        whole = errors[part_name] @ counts / counts.sum()
        np.testing.assert_allclose(whole, errors[name], rtol=1e-5)
    np.testing.assert_allclose(errors["PA each joint"].mean(1), errors["PA joint"], rtol=1e-5)


def test_hmnet_sees_the_parts_it_is_told_to(checkpoint, tmp_path):
    shown = Shown()
    shown.part_map = np.where(shown.part_map > 0, 7, 0).astype(np.uint8)
    write_shard(tmp_path / "00000.tar", [shown], np.random.default_rng(0))
    assert evaluate.pose_errors(checkpoint, tmp_path, mirror=False)["part IoU"][0, 6] == 0
    assert evaluate.pose_errors(checkpoint, tmp_path, true_parts=True, mirror=False)["part IoU"][0, 6] == 1
    found, true = (set(maps.unique().tolist()) for maps in checkpoint.model.part_maps)
    assert found == {0, 2} and true == {0, 7}


def test_a_real_untrained_checkpoint_is_measured(model, segmenter, preprocessing, tmp_path):
    write_shard(tmp_path / "00000.tar", [Shown()] * 3, np.random.default_rng(0))
    untrained = Checkpoint(model, segmenter, preprocessing, WeightsInfo("test", "hmnet", "none"))
    errors = evaluate.pose_errors(untrained, tmp_path)
    assert all(np.isfinite(values).all() for values in errors.values())
    assert errors["part surface"].shape == errors["PA each joint"].shape == (3, 24)


def test_masks_are_compared_at_every_threshold(checkpoint, tmp_path):
    shown = Shown()
    for folder, picture in (("photos", shown.image), ("masks", (shown.part_map > 0).astype(np.uint8) * 255)):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "one.png")
    scores = dict(evaluate.mask_scores(checkpoint, tmp_path / "photos", tmp_path / "masks"))
    # The segmenter gives white 0.12 background and black 0.88: only the thresholds between tell them apart.
    assert scores[0.1] == 0 and scores[0.5] > 0.97 and scores[0.9] < 0.9


def made_up_errors():
    """Errors of three images: 20 mm in the mean, 30 raw; the joint branch 40."""
    three = np.array([10.0, 20.0, 30.0])
    errors = {name: three for name in evaluate.MESH_ERRORS}
    errors |= {f"raw {name}": three + 10 for name in evaluate.MESH_ERRORS}
    errors["full surface"] = three - 5
    errors |= {name: three + 20 for name in evaluate.BRANCH_ERRORS}
    by_name = three[:, None] + 100 * np.arange(24)
    errors |= {
        "part surface": by_name,
        "PA part surface": by_name + 1,
        "part IoU": np.arange(24.0)[None] / 100,
    }
    errors |= {"each joint": by_name + 2, "PA each joint": by_name + 3}
    return errors | {"part mean IoU": np.array([0.25]), "person IoU": np.array([0.5])}


def test_the_tables_print_means_and_intervals(capsys):
    evaluate.print_errors(made_up_errors(), load_body())
    first, parts, joints = (table.splitlines() for table in capsys.readouterr().out.split("\n\n"))
    assert first[0].startswith("3 test images")
    rows = {row[:22].strip(): row[22:].split("]") for row in first[2:]}
    for name in evaluate.MESH_ERRORS:
        assert [cell.split("[")[0].strip() for cell in rows[name]] == ["20.0", "30.0", ""]
    assert rows["full surface"][0].split()[0] == "15.0" and rows["full surface"][1].split()[-1] == "-"
    assert rows["PA joint branch"][0].split() == ["-", "40.0", "[", *rows["PA joint branch"][0].split()[3:]]
    low, high = (float(bound) for bound in rows["surface"][0].split("[")[1].split(","))
    # Three images of 10, 20 and 30: the same one drawn thrice bounds the mean.
    assert 10 <= low < 15 and 25 < high <= 30
    columns = [row[22:].replace("[", "]").split("]") for row in (parts[1], parts[-1], joints[3])]
    shown = [[float(cell) for cell in row[::2] if cell] for row in columns]
    assert shown == [[20, 21, 0], [2320, 2321, 0.23], [222, 223]]
    assert parts[1].startswith("torso back ") and joints[3].startswith("right_hip ")
    # One width for every row: the columns stand below each other.
    assert len({len(row.rstrip("0123456789")) for row in parts[1:11]}) == 1
    evaluate.print_iou(made_up_errors())
    assert capsys.readouterr().out.split() == ["part", "mean", "IoU", "0.250", "person", "IoU", "0.500"]


def test_hard_slices_have_rows_of_their_own(capsys):
    errors = {name: np.array([10.0, 20.0, 60.0]) for name in ("surface", "joint", "PA surface", "PA joint")}
    evaluate.print_slices(errors, [("seated", "occluded"), (), ("seated",)])
    rows = {row[:16].strip(): row[16:].split() for row in capsys.readouterr().out.splitlines()[2:]}
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
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "one.png")
    Image.new("L", (20, 20)).save(tmp_path / "one.png")
    with pytest.raises(DataError, match="masks nobody"):
        evaluate.mask_scores(checkpoint, tmp_path / "photos", tmp_path)


def test_a_table_is_printed_without_measuring_or_after_it(checkpoint, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(evaluate, "load_checkpoint", lambda *_: checkpoint)
    write_shard(tmp_path / "00000.tar", [Shown()], np.random.default_rng(0))
    assert main(["evaluate", "--table", "3"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("## Table 3: Human3.6M") and checkpoint.segmenter.looks == 0
    assert main(["evaluate", "--data", str(tmp_path), "--table", "3"]) == 0
    measured = capsys.readouterr().out
    assert measured.endswith(table) and "1 test images" in measured
    assert main(["evaluate"]) == 2
    assert "--table N" in capsys.readouterr().err


def test_means_are_recorded_beside_the_weights(tmp_path):
    (tmp_path / "config.json").write_text('{"variant": "hmnet", "model": {"body": "anny"}}')
    evaluate.record(tmp_path, made_up_errors())
    config = json.loads((tmp_path / "config.json").read_text())
    names = ("surface", "joint", "PA surface", "PA joint", "roughness", "normal deviation")
    expected = dict.fromkeys(names, 20.0) | {f"raw {name}": 30.0 for name in names}
    expected |= {"full surface": 15.0}
    expected |= {"joint branch": 40.0, "PA joint branch": 40.0, "part mean IoU": 0.25, "person IoU": 0.5}
    assert config["variant"] == "hmnet" and config["metrics"] == expected
    assert "| surface | 20 |" in (tmp_path / "README.md").read_text()
    with pytest.raises(DataError, match="--weights"):
        evaluate.record(tmp_path / "nowhere", {})


@pytest.mark.parametrize("option", [[], ["--one-view"]])
def test_one_view_leaves_the_mirror_image_out(option, checkpoint, monkeypatch, tmp_path):
    write_shard(tmp_path / "00000.tar", [Shown()], np.random.default_rng(0))
    monkeypatch.setattr(evaluate, "load_checkpoint", lambda *_: checkpoint)
    assert main(["evaluate", "--data", str(tmp_path), *option]) == 0
    # A look at the picture, and one at its mirror image.
    assert checkpoint.segmenter.looks == (1 if option else 2)
