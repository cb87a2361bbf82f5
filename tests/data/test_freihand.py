"""FreiHAND's loader: order of joints, frame and camera, the four pictures of a hand, what is missing told."""

import json
from pathlib import Path

import numpy as np
import pytest
from dataset_files import FREIHAND_CAMERA, posed_hands, shared_formats, use_fake_mano, write_freihand

from hmnet.body import load_body
from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.data.datasets import open_dataset
from hmnet.data.freihand import JOINTS, pixels_of
from hmnet.errors import BodyError, DataError

TRAINING_HANDS = 32560


def real_hands() -> tuple[dict, dict[int, np.ndarray], dict[int, list[float]]]:
    """Of real samples: the category, keypoints (21, 2) px by the picture's number, and boxes x y w h."""
    file = json.loads((shared_formats("freihand") / "test_freihand.json").read_text())
    keypoints = {a["image_id"]: np.reshape(a["keypoints"], (21, 3))[:, :2] for a in file["annotations"]}
    return file["categories"][0], keypoints, {a["image_id"]: a["bbox"] for a in file["annotations"]}


def test_joints_are_in_the_sets_order_and_so_are_ours() -> None:
    category, *_ = real_hands()
    assert tuple(JOINTS) == tuple(category["keypoints"])


def test_each_joint_has_the_name_it_has_in_hands_here() -> None:
    assert tuple(JOINTS.values()) == HAND_JOINT_NAMES
    assert JOINTS["forefinger1"] == "index1" and JOINTS["thumb4"] == "thumb_tip"


def test_real_keypoints_are_where_their_points_are_projected(tmp_path: Path) -> None:
    _, keypoints, boxes = real_hands()
    numbers = sorted(keypoints)[:2]
    sight = np.stack([np.column_stack([keypoints[n], np.ones(21)]) for n in numbers])
    depth = np.linspace(0.55, 0.7, 21)[:, None]
    points = sight @ np.linalg.inv(FREIHAND_CAMERA).T * depth
    write_freihand(tmp_path, vertices=np.tile(points, (1, 38, 1))[:, :778], joints=points)
    for number, sample in zip(numbers, open_dataset("freihand", tmp_path), strict=True):
        found = pixels_of(sample.joints + sample.wrist, sample.camera)
        np.testing.assert_allclose(found, keypoints[number], atol=0.01)
        x, y, width, height = boxes[number]
        assert (sample.box[:2] >= (x - 2, y - 2)).all() and (
            sample.box[2:] <= (x + width + 2, y + height + 2)
        ).all()


def test_real_pictures_of_a_hand_come_again_as_often_as_there_are_versions() -> None:
    _, keypoints, _ = real_hands()
    first = {number % TRAINING_HANDS for number in keypoints}
    assert len(keypoints) == 4 * len(first)
    for number in keypoints:
        np.testing.assert_array_equal(
            keypoints[number], keypoints[min(n for n in keypoints if (n - number) % TRAINING_HANDS == 0)]
        )


def test_a_sample_is_in_its_cameras_frame(tmp_path: Path) -> None:
    vertices, joints = posed_hands(2)
    write_freihand(tmp_path)
    samples = open_dataset("freihand", tmp_path)
    assert len(samples) == 2 and samples.joint_names == HAND_JOINT_NAMES
    for number, sample in enumerate(samples):
        assert sample.image.shape == (224, 224, 3) and sample.name == f"{number:08d}"
        np.testing.assert_allclose(sample.joints + sample.wrist, joints[number], atol=1e-6)
        np.testing.assert_allclose(sample.vertices + sample.wrist, vertices[number], atol=1e-6)
        assert not sample.joints[0].any() and sample.part_map is None
        first, second = (sample.joints[HAND_JOINT_NAMES.index(name)] for name in ("middle1", "middle2"))
        assert sample.bone == pytest.approx(np.linalg.norm(first - second), abs=1e-6)
        # What the picture shows brightly is where the points are projected, and what the box holds.
        bright = np.argwhere(sample.image[..., 0] > 120)[:, ::-1] + 0.5
        pixels = pixels_of(sample.vertices + sample.wrist, sample.camera)
        np.testing.assert_allclose([bright.min(0), bright.max(0)], [pixels.min(0), pixels.max(0)], atol=2.5)
        np.testing.assert_allclose(sample.box, np.concatenate([pixels.min(0), pixels.max(0)]), atol=1e-3)
    assert open_dataset("freihand", tmp_path, surfaces=False)[0].vertices is None


def test_a_hand_to_train_on_is_in_four_pictures(tmp_path: Path) -> None:
    write_freihand(tmp_path, "training", versions=4)
    samples = open_dataset("freihand", tmp_path, "train")
    assert len(samples) == 8
    for version in range(4):
        for hand in range(2):
            sample = samples[2 * version + hand]
            np.testing.assert_array_equal(sample.joints, samples[hand].joints)
            assert abs(int(sample.image[0, 0, 0]) - 40 * (1 + version)) < 8
    assert (samples[0].joints != samples[1].joints).any()


def test_true_parts_are_drawn_with_manos_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_freihand(tmp_path)
    monkeypatch.delenv("HMNET_BODIES", raising=False)
    with pytest.raises(BodyError, match="MANO's right hand is licensed"):
        open_dataset("freihand", tmp_path, part_maps=True)[0]
    use_fake_mano(tmp_path / "bodies", monkeypatch)
    hand = load_body("mano")
    # Its palm towards the camera, so that every finger is seen.
    upright = hand.vertices.double().numpy()[:, [0, 2, 1]] * [1, 1, -1] + [0.09, 0.0, 0.6]
    joints = hand.joint_regressor.to_dense().double().numpy() @ upright
    write_freihand(tmp_path, vertices=upright[None], joints=joints[None])
    sample = open_dataset("freihand", tmp_path, part_maps=True)[0]
    pixels = pixels_of(upright, FREIHAND_CAMERA)
    assert len(np.unique(sample.part_map)) > 10 and sample.part_map.max() <= 16
    for part in (4, 7, 10, 13, 16):
        own = pixels[hand.vertex_parts.numpy() == part]
        rows, columns = np.nonzero(sample.part_map == part)
        assert abs(columns.mean() - own[:, 0].mean()) < 4 and abs(rows.mean() - own[:, 1].mean()) < 4


@pytest.mark.parametrize("name", ["K", "xyz", "verts", "scale"])
def test_a_missing_list_is_told(name: str, tmp_path: Path) -> None:
    write_freihand(tmp_path)
    (tmp_path / f"evaluation_{name}.json").unlink()
    with pytest.raises(DataError, match=rf"evaluation_{name}.json is missing: FreiHAND comes from lmb"):
        open_dataset("freihand", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not one whole list"),
        ('{"xyz": []}', "not one whole list"),
        ("[]", "Expecting value"),
        ("[[[1, 2, 3]", "Expecting|delimiter"),
        ("POINTS POINTS", r"entry 0 \(another shape than \(21, 3\)"),
        ("[POINTS, POINTS] [1]", "not one whole list"),
        ("[POINTS, POINTS", "not one whole list"),
        ("[POINTS, [[1, 2, 3]]]", r"entry 1 \(another shape than \(21, 3\)"),
        ("[POINTS, [[1, 2, 3], [1, 2]]]", "entry 1"),
        ('[POINTS, "twenty-one joints"]', "entry 1"),
        ("[POINTS, NAN]", "entry 1 .*not finite"),
        ("[POINTS, " + 2000 * "[" + 2000 * "]" + "]", "entry 1"),
        ("[POINTS]", "is of 1 hands, but evaluation_K.json of 2"),
    ],
)  # fmt: skip
def test_a_damaged_list_is_told(text: str, said: str, tmp_path: Path) -> None:
    write_freihand(tmp_path)
    points = json.dumps(np.ones((21, 3)).tolist())
    file = tmp_path / "evaluation_xyz.json"
    file.write_text(text.replace("POINTS", points).replace("NAN", points.replace("1.0", "NaN")))
    with pytest.raises(DataError, match=said) as told:
        open_dataset("freihand", tmp_path)
    assert str(told.value).startswith(str(file)) and "--root" in str(told.value)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"evaluation_xyz.json cannot be read as a list"):
        open_dataset("freihand", tmp_path)


@pytest.mark.parametrize(
    ("name", "place"), [("K", (1, 1, 1)), ("xyz", (1, 4, 2)), ("verts", (0, 9, 2)), ("scale", 1)]
)
def test_hands_behind_their_cameras_are_told(name: str, place: int | tuple[int, ...], tmp_path: Path) -> None:
    write_freihand(tmp_path)
    file = tmp_path / f"evaluation_{name}.json"
    values = np.array(json.loads(file.read_text()))
    values[place] = -0.1
    file.write_text(json.dumps(values.tolist()))
    with pytest.raises(DataError, match=rf"evaluation_{name}.json: expected hands in front of their cameras"):
        open_dataset("freihand", tmp_path)


def test_missing_pictures_and_splits_are_told(tmp_path: Path) -> None:
    write_freihand(tmp_path)
    (tmp_path / "evaluation" / "rgb" / "00000001.jpg").unlink()
    samples = open_dataset("freihand", tmp_path)
    assert samples[0].name == "00000000"
    with pytest.raises(DataError, match=r"00000001.jpg is missing: FreiHAND comes from"):
        samples[1]
    with pytest.raises(IndexError):
        samples[2]
    with pytest.raises(DataError, match="no split 'test': choose one of train, evaluation"):
        open_dataset("freihand", tmp_path, "test")
