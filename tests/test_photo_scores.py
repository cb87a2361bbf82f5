"""Scores on photos: exact cases, one sentence for each bad reference, the shared scorer's numbers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from hmnet import evaluate
from hmnet.__main__ import main
from hmnet.checkpoint import Checkpoint
from hmnet.engines import ENGINE_VARIABLE
from hmnet.errors import DataError
from hmnet.photo_scores import JOINTS, Reference, read_reference, score_lines, score_photo
from hmnet.predictor import Predictor
from hmnet.report import summary

STANDING = {
    "shoulder": (0.2, 0.0, 0.0), "elbow": (0.3, 0.3, 0.05), "wrist": (0.35, 0.5, -0.1),
    "hip": (0.1, 0.5, 0.0), "knee": (0.12, 0.9, -0.1), "ankle": (0.1, 1.3, 0.1),
}  # fmt: skip
"""The left side of somebody, in m."""


def named(points: np.ndarray) -> dict[str, list[float]]:
    return dict(zip(JOINTS, np.asarray(points).tolist(), strict=True))


def standing() -> np.ndarray:
    """Joints (12, 3), left and right in turn, nothing symmetric about them."""
    sides = {"left": (1, 1, 1), "right": (-1, 1, 0.5)}
    points = [np.multiply(STANDING[name.split("_")[1]], sides[name.split("_")[0]]) for name in JOINTS]
    return np.array(points) * 2.5 + (3, 1, 2)


def pixels() -> np.ndarray:
    """Keypoints (12, 2), the torso 125 px long."""
    return standing()[:, :2] * 100


def entry(**changes) -> dict:
    """A valid entry of quality good, all joints seen."""
    return {
        "quality": "good",
        "joints3d": named(standing()),
        "visibility": dict.fromkeys(JOINTS, 1.0),
        "joints2d": named(pixels()),
    } | changes


def written(folder: Path, **entries) -> Path:
    path = folder / "reference.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    return read_reference(written(tmp_path, one=entry()), ["good"])["one"]


def test_a_turned_and_shrunk_body_is_right_but_turned(reference: Reference) -> None:
    turn = Rotation.from_euler("y", 90, degrees=True).as_matrix()
    score = score_photo("one", reference, named(0.1 * standing() @ turn.T - 4), named(pixels()))
    assert score.error == pytest.approx(0, abs=1e-6)
    assert (score.rotation, score.near) == (pytest.approx(90), 1)
    assert not score.missed


def test_the_reference_has_one_size_whatever_it_came_in(reference: Reference, tmp_path: Path) -> None:
    huge = read_reference(written(tmp_path, one=entry(joints3d=named(700 * standing()))), ["good"])["one"]
    np.testing.assert_allclose(huge.joints, reference.joints)
    by_name = dict(zip(JOINTS, reference.joints, strict=True))
    shoulders, hips = (
        (by_name[f"left_{limb}"] + by_name[f"right_{limb}"]) / 2 for limb in ("shoulder", "hip")
    )
    legs = [
        np.linalg.norm(by_name[f"{side}_{upper}"] - by_name[f"{side}_{lower}"])
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    assert np.linalg.norm(shoulders - hips) + sum(legs) / 2 == pytest.approx(1.28)


def test_a_mirrored_body_stays_wrong(reference: Reference) -> None:
    mirrored = score_photo("one", reference, named(standing() * (-1, 1, 1)), named(pixels()))
    assert mirrored.error > 50


def test_one_displaced_joint_counts_a_twelfth_of_all(reference: Reference) -> None:
    moved = reference.joints.copy()
    moved[5] += (0, 0, 0.01)
    score = score_photo("one", reference, named(moved), named(pixels()))
    # Alignment spreads a small displacement a little, never makes it larger in the squared mean.
    assert 10 / 12 * 0.7 < score.error < 10 / np.sqrt(12)


def test_what_is_not_seen_does_not_count(tmp_path: Path) -> None:
    unsure = dict.fromkeys(JOINTS, 1.0) | {"left_wrist": 0.49, "right_ankle": 0.5}
    partly = read_reference(written(tmp_path, one=entry(visibility=unsure)), ["good"])["one"]
    joints, keypoints = named(standing()), named(pixels())
    joints["left_wrist"], keypoints["left_wrist"] = [9, 9, 9], [0, 0]
    score = score_photo("one", partly, joints, keypoints)
    assert score.error == pytest.approx(0, abs=1e-6) and score.near == 1
    joints["right_ankle"], keypoints["right_ankle"] = [9, 9, 9], [0, 0]
    score = score_photo("one", partly, joints, keypoints)
    assert score.error > 100 and score.near == pytest.approx(10 / 11)


def test_keypoints_are_near_within_a_fifth_of_the_torso(reference: Reference) -> None:
    # The torso is 125 px long.
    for distance, expected in ((24.9, 1.0), (25.1, 11 / 12)):
        moved = pixels()
        moved[3, 0] += distance
        assert score_photo("one", reference, named(standing()), named(moved)).near == pytest.approx(expected)
    lacking = {name: point for name, point in named(pixels()).items() if name != "left_hip"}
    assert score_photo("one", reference, named(standing()), lacking).near == 0


@pytest.mark.parametrize("joints", [{}, named(standing()[:, :1].repeat(3, 1) * np.nan)], ids=["none", "nan"])
def test_nobody_is_a_miss(joints: dict, reference: Reference) -> None:
    score = score_photo("one", reference, joints, named(pixels()))
    assert (score.error, score.rotation, score.near, score.missed) == (300, 180, 0, True)


def test_a_joint_less_is_a_miss(reference: Reference) -> None:
    joints = named(standing())
    del joints["right_knee"]
    assert score_photo("one", reference, joints, {}).missed


def test_which_photos_are_used(tmp_path: Path) -> None:
    measured = {"gt_joints3d": named(standing()[::-1])}
    hidden = dict.fromkeys(JOINTS, 0.6) | {"left_hip": 0.1}
    path = written(
        tmp_path,
        good=entry(visibility=hidden),
        fair=entry(quality="fair"),
        measured=entry(quality="bad", visibility=hidden, **measured),
        empty={"quality": "good"},
    )
    assert list(read_reference(path, ["good"])) == ["good"]
    assert list(read_reference(path, ["fair", "good"])) == ["good", "fair"]
    assert list(read_reference(path, ["fair", "good"], only=["fair"])) == ["fair"]
    assert read_reference(path, ["good"])["good"].seen.sum() == 11
    truth = read_reference(path, ["good"], ground_truth=True)
    assert list(truth) == ["measured"] and truth["measured"].seen.all()
    assert np.abs(truth["measured"].joints - read_reference(path, ["bad"])["measured"].joints).max() > 0.1
    with pytest.raises(DataError, match="no photo of quality excellent"):
        read_reference(path, ["excellent"])
    with pytest.raises(DataError, match="no photo other, somebody"):
        read_reference(path, ["good"], only=["good", "somebody", "other"])


def without_a_knee() -> dict:
    joints = named(standing())
    del joints["left_knee"]
    return joints


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("[1, 2]", "no poses by photo"),
        ('{"one": "good"}', "no poses by photo"),
        (entry(joints3d=without_a_knee()), "12 finite points"),
        (entry(joints3d=None), "expected form"),
        (entry(joints3d=named(standing()[:, :2])), "expected form"),
        (entry(joints3d=named(standing() * np.inf)), "12 finite points"),
        (entry(joints3d=named(np.ones((12, 3)))), "in one place"),
        (entry(visibility=dict.fromkeys(JOINTS, 0.1)), "no joint is seen"),
        (entry(visibility={}), "left_shoulder"),
        (entry(visibility=dict.fromkeys(JOINTS)), "expected form"),
        (entry(joints2d={}), "12 finite points"),
        ({"joints3d": named(standing())}, "quality"),
    ],
)
def test_bad_references_are_one_sentence(content: str | bytes | dict, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    if isinstance(content, dict):
        content = json.dumps({"one": content})
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=reason) as caught:
        read_reference(path, ["good"])
    assert str(path) in str(caught.value) and str(caught.value).endswith(".")


def test_lines_are_in_order_and_end_with_the_medians(reference: Reference) -> None:
    body = standing()
    body[0] += 0.5
    scores = [
        score_photo("right", reference, named(standing()), named(pixels())),
        score_photo("nobody", reference, {}, {}),
        score_photo("near " + "x" * 80, reference, named(body), {}),
    ]
    lines = score_lines(scores)
    assert [line.split()[0] for line in lines] == ["nobody", "near", "right", "photos"]
    assert lines[0] == f"{'nobody':56s} pa  300.0 mm  rot  180 deg  pck 0.00  MISSED"
    assert lines[2] == f"{'right':56s} pa    0.0 mm  rot    0 deg  pck 1.00"
    assert lines[1].startswith("near " + "x" * 51 + " pa ")
    assert lines[3].startswith(f"photos 3  missed 1  median pa {scores[2].error:.1f} mm  median rot ")
    assert lines[3].endswith(" deg  mean pck 0.33")


def made_up_predictions(folder: Path, entries: dict) -> dict[str, dict]:
    """Files as `predict` writes them for most entries, right, nearly right, wrong and damaged; by stem."""
    generator = np.random.default_rng(0)
    predictions = {}
    for index, (name, about) in enumerate(entries.items()):
        if "joints3d" not in about or index % 7 == 3:
            continue
        joints = np.array([about["joints3d"][j] for j in JOINTS]) * generator.uniform(0.5, 2)
        joints = Rotation.random(rng=generator).apply(joints + generator.normal(0, 0.02 * index, (12, 3)))
        keypoints = np.array([about["joints2d"][j] for j in JOINTS])
        keypoints = keypoints + generator.normal(0, 10, (12, 2))
        if index % 7 == 4:
            joints *= (-1, 1, 1)
        if index % 7 == 5:
            joints[2, 1] = np.nan
        predictions[name] = {"joints": named(joints.round(5)), "keypoints_2d": named(keypoints.round(2))}
        if index % 7 == 6:
            del predictions[name]["keypoints_2d"]["left_knee"]
        predictions[name]["joints"]["nose"] = [0, 0, 0]
        (folder / f"{name}.json").write_text(json.dumps(predictions[name]))
    return predictions


@pytest.mark.parametrize("options", [["--quality", "good,fair"], ["--ground-truth"], ["--quality", "bad"]])
def test_equals_the_shared_scorer(options: list[str], shared_photo: Path, tmp_path: Path) -> None:
    shared = shared_photo.parents[1]
    predictions = made_up_predictions(tmp_path, json.loads((shared / "reference.json").read_text()))
    command = [sys.executable, str(shared / "score.py"), str(tmp_path), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    qualities = "" if "--ground-truth" in options else options[1]
    references = read_reference(shared / "reference.json", qualities.split(","), "--ground-truth" in options)
    nobody = {"joints": {}, "keypoints_2d": {}}
    scores = []
    for name, reference in references.items():
        found = predictions.get(name, nobody)
        scores.append(score_photo(name, reference, found["joints"], found["keypoints_2d"]))
    assert score_lines(scores) == printed.splitlines()
    assert len(scores) > 3


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos, of something red and of a meadow, and a file that is no photo."""
    folder = tmp_path / "photos"
    folder.mkdir()
    image = np.full((160, 120, 3), 125, np.uint8)
    image[30:140, 40:80] = (250, 20, 20)
    Image.fromarray(image).save(folder / "red.png")
    Image.new("RGB", (100, 100), (90, 120, 90)).save(folder / "meadow.jpg")
    (folder / "red.json").write_text("{}")
    return folder


def test_the_command_scores_what_predict_writes(
    photos: Path, red_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    monkeypatch.setattr(evaluate, "load_checkpoint", lambda *_: red_checkpoint)
    monkeypatch.setenv(ENGINE_VARIABLE, "torch")
    found = json.loads(json.dumps(summary(Predictor(red_checkpoint).predict(photos / "red.png"), "red.png")))
    right_place = entry(joints2d=found["keypoints_2d"])
    path = written(tmp_path, red=right_place, meadow=entry(quality="fair"), absent=entry(quality="bad"))
    command = ["evaluate", "--photos", str(photos), "--reference", str(path)]
    assert main([*command, "--quality", "good,fair"]) == 0
    references = read_reference(path, ["good", "fair"])
    expected = [
        score_photo("red", references["red"], found["joints"], found["keypoints_2d"]),
        score_photo("meadow", references["meadow"], {}, {}),
    ]
    weights, *lines = capsys.readouterr().out.splitlines()
    assert weights.startswith("weights: test") and lines == score_lines(expected)
    assert lines[0].endswith("MISSED") and lines[-1].startswith("photos 2  missed 1 ")
    assert expected[0].error > 50 and lines[-1].endswith("mean pck 0.50")

    assert main([*command, "--quality", "good,fair", "--only", "red"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == score_lines(expected[:1])
    assert main([*command, "--quality", "bad"]) == 2
    assert "No photo absent.*" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--reference", "reference.json"], "need --photos"),
        (["--masks", "masks"], "need --photos"),
        (["--photos", "photos"], "Nothing to evaluate"),
        (["--photos", "photos", "--reference", "absent.json"], "absent.json cannot be read"),
    ],
)
def test_what_is_missing_is_one_sentence(
    arguments: list[str], reason: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    # It is said before any weights are read.
    monkeypatch.setattr(evaluate, "load_checkpoint", None)
    assert main(["evaluate", *arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and reason in lines[0]
