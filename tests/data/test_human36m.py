"""Human3.6M's loader: its joints on real files, Protocol 2's choice of pictures, what is missing told."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dataset_files import H36M_NAMES, RigidSMPL, shared_formats, write_human36m
from scipy.spatial.transform import Rotation

from hmnet.body.pickles import read_pickle
from hmnet.data.dataset_sample import SMPL_JOINTS, project
from hmnet.data.datasets import open_dataset
from hmnet.data.human36m import FROM_24, JOINTS
from hmnet.errors import DataError


def joint(name: str) -> int:
    return JOINTS.index(name)


def test_the_17_joints_of_a_real_file_stand_where_they_are_said_to_among_24() -> None:
    folder = shared_formats("human36m")
    of_24, of_17 = (np.load(folder / name)["S"] for name in ("test_h36m.npz", "test_h36m_body3d.npz"))
    np.testing.assert_allclose(of_24[:, list(FROM_24)], of_17, atol=1e-5)


def test_real_joints_are_in_the_frame_of_their_camera() -> None:
    folder = shared_formats("human36m")
    samples = open_dataset("human36m", folder, "train", surfaces=False)
    cameras, file = read_pickle(folder / "cameras.pkl"), np.load(folder / "test_h36m_body3d.npz")
    assert [row.action for row in samples.rows] == ["Directions", "SittingDown", "Greeting", "WalkDog"]
    for row, part in zip(samples.rows, file["part"], strict=True):
        camera = cameras[f"S{row.subject}", row.camera]
        pixels = project(row.joints, camera["f"].ravel(), camera["c"].ravel())
        # What is left over is the lens's distortion.
        assert np.linalg.norm(pixels - part[:, :2], axis=1).max() < 4
        assert (pixels > row.box[:2] - 15).all() and (pixels < row.box[2:] + 15).all()
        axes = Rotation.from_rotvec(row.pose[:3]).as_matrix()
        hips = row.joints[joint("left_hip")] - row.joints[joint("right_hip")]
        assert axes[:, 0] @ hips / np.linalg.norm(hips) > 0.98, "SMPL's pose is of the same frame"


@pytest.mark.parametrize("joints", [24, 17])
def test_protocol_2_and_its_training(joints: int, tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_human36m(tmp_path, joints)
    test, train = (open_dataset("human36m", tmp_path, split) for split in ("test", "train"))
    assert [row.picture for row in test.rows] == [H36M_NAMES[2], H36M_NAMES[5]]
    assert [row.picture for row in train.rows] == [H36M_NAMES[0], H36M_NAMES[1]]
    sample = test[0]
    assert (sample.action, sample.name, test.joint_names) == ("Posing", H36M_NAMES[2][:-4], JOINTS)
    assert sample.image.shape == (200, 190, 3) and sample.part_map is None
    np.testing.assert_allclose(sample.box, [35, 30, 155, 150])
    np.testing.assert_allclose(sample.joints[joint("pelvis")], 0)
    # Upright, facing the camera: the left is at +x, y points down.
    assert sample.joints[joint("left_wrist")][0] > 0.5 and sample.joints[joint("left_ankle")][1] > 0.5
    own = SMPL_JOINTS.index("left_wrist")
    around = sample.vertices[own::24].mean(0)
    np.testing.assert_allclose(around, sample.joints[joint("left_wrist")], atol=0.02)


def test_joints_are_known_without_poses(tmp_path: Path) -> None:
    write_human36m(tmp_path, poses=False)
    assert open_dataset("human36m", tmp_path, surfaces=False)[0].vertices is None
    with pytest.raises(DataError, match=r"no SMPL pose, .* --joint-loss-only"):
        open_dataset("human36m", tmp_path)[0]


def test_a_picture_in_two_files_counts_once_and_the_one_with_poses_is_taken(tmp_path: Path) -> None:
    write_human36m(tmp_path, poses=False, file="a.npz")
    write_human36m(tmp_path, file="b.npz")
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    samples = open_dataset("human36m", tmp_path)
    assert len(samples) == 2 and all(row.pose is not None for row in samples.rows)


def test_rows_that_lack_a_joint_are_counted_out(tmp_path: Path) -> None:
    write_human36m(tmp_path)
    arrays = dict(np.load(tmp_path / "h36m.npz"))
    arrays["S"][2, 0, 3] = 0
    np.savez(tmp_path / "h36m.npz", **arrays)
    samples = open_dataset("human36m", tmp_path, surfaces=False)
    assert [row.picture for row in samples.rows] == [H36M_NAMES[5]] and samples.left_out == 1


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no npz file with imgname, S, .* vision.imar.ro/human3.6m"):
        open_dataset("human36m", tmp_path)
    write_human36m(tmp_path, names=H36M_NAMES[:2])
    with pytest.raises(DataError, match=r"no picture of test \(subjects S9, S11\)"):
        open_dataset("human36m", tmp_path)
    with pytest.raises(DataError, match="no split 'val': choose one of train, test"):
        open_dataset("human36m", tmp_path, "val")
    samples = open_dataset("human36m", tmp_path, "train", surfaces=False)
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(DataError, match=r"images/S1_Walking_1.54138969_000001.jpg is missing"):
        samples[0]


def test_true_parts_need_the_cameras(tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_human36m(tmp_path)
    (tmp_path / "cameras.pkl").unlink()
    with pytest.raises(DataError, match=r"cameras.pkl is missing: true part maps need the cameras"):
        open_dataset("human36m", tmp_path, part_maps=True)[0]


def test_wrong_files_are_told(tmp_path: Path) -> None:
    write_human36m(tmp_path)
    arrays = dict(np.load(tmp_path / "h36m.npz"))
    np.savez(tmp_path / "h36m.npz", **(arrays | {"S": arrays["S"][:, :20]}))
    with pytest.raises(DataError, match=r"expected 'S' as \(6, 24, 4\), got \(6, 20, 4\)"):
        open_dataset("human36m", tmp_path)
    (tmp_path / "h36m.npz").write_bytes(b"no npz")
    with pytest.raises(DataError, match="cannot be read as npz arrays"):
        open_dataset("human36m", tmp_path)
