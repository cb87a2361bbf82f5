"""SURREAL's loader: its geometry on real files, pictures turned out of the mirror, what is missing told."""

from pathlib import Path

import numpy as np
import pytest
from dataset_files import LEFT_HAND, RigidSMPL, shared_formats, write_clip
from scipy.io import loadmat, savemat
from scipy.spatial.transform import Rotation

from hmnet.data import surreal
from hmnet.data.dataset_sample import SMPL_JOINTS, project
from hmnet.data.datasets import open_dataset
from hmnet.errors import DataError

REAL = ("03_01_c0008", "40_02_c0010")


@pytest.mark.parametrize("name", REAL)
def test_real_joints_project_onto_their_rounded_pixels(name: str) -> None:
    info = surreal.read_info(shared_formats("surreal") / f"{name}_info.mat")
    points = surreal.to_camera(info["joints3D"], info["camLoc"])
    assert points.shape == (100, 24, 3) and (points[..., 2] > 3).all()
    pixels = project(points, surreal.FOCAL, surreal.CENTRE)
    # The stored pictures are mirrored, the loader's are not.
    stored = np.stack([surreal.WIDTH - pixels[..., 0], pixels[..., 1]], -1)
    np.testing.assert_array_equal(stored.round(), info["joints2D"])
    assert abs(pixels - info["joints2D"]).max() > 50, "without turning the picture round they do not fit"


def test_the_loaders_camera_is_no_mirror_but_the_stored_one_is() -> None:
    assert np.linalg.det(surreal.TO_CAMERA) == pytest.approx(1)
    assert np.linalg.det(np.diag([-1.0, 1, 1]) @ surreal.TO_CAMERA) == pytest.approx(-1)


@pytest.mark.parametrize("name", REAL)
def test_the_real_pelvis_is_turned_as_its_hips_and_spine_lie(name: str) -> None:
    info = surreal.read_info(shared_formats("surreal") / f"{name}_info.mat")
    points = surreal.to_camera(info["joints3D"], info["camLoc"])
    left, right, spine = (SMPL_JOINTS.index(joint) for joint in ("left_hip", "right_hip", "spine1"))
    hips = points[:, left] - points[:, right]
    back = points[:, spine] - (points[:, left] + points[:, right]) / 2
    for frame in range(0, 100, 9):
        turned = surreal.global_rotation(info["pose"][frame, :3], info["zrot"][frame])
        axes = Rotation.from_rotvec(turned).as_matrix()
        # SMPL at rest has its left at +x, its back up at +y.
        assert axes[:, 0] @ hips[frame] / np.linalg.norm(hips[frame]) > 0.995
        assert axes[:, 1] @ back[frame] / np.linalg.norm(back[frame]) > 0.9


def test_a_clip_of_one_frame_gets_matlabs_last_axis_back(tmp_path: Path) -> None:
    stem = write_clip(tmp_path, frames=1, video=False)
    assert loadmat(f"{stem}_info.mat")["joints3D"].shape == (3, 24, 1)
    whole = loadmat(f"{stem}_info.mat")
    # MATLAB keeps two axes at least.
    squeezed = {key: whole[key][..., 0] if whole[key].ndim == 3 else whole[key] for key in surreal.INFO}
    savemat(f"{stem}_info.mat", squeezed)
    info = surreal.read_info(Path(f"{stem}_info.mat"))
    assert info["joints3D"].shape == (1, 24, 3) and info["pose"].shape == (1, 72)
    assert info["zrot"].shape == info["gender"].shape == (1,) and info["camLoc"].shape == (3,)
    np.testing.assert_array_equal(info["joints3D"][0], whole["joints3D"][..., 0].T)


@pytest.mark.parametrize("video", [True, False])
def test_samples_agree_with_their_pictures(video: bool, tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_clip(tmp_path, frames=7, video=video)
    samples = open_dataset("surreal", tmp_path)
    assert len(samples) == 2 and samples.joint_names == SMPL_JOINTS
    info = surreal.read_info(tmp_path / "cmu" / "val" / "run0" / "01_01" / "01_01_c0001_info.mat")
    for sample, frame in zip(samples, (0, 5), strict=True):
        assert sample.name == f"run0/01_01_c0001/{frame}" and sample.part_map is None
        assert sample.image.shape == (240, 320, 3) and sample.image.dtype == np.uint8
        points = surreal.to_camera(info["joints3D"][frame], info["camLoc"])
        x, y = project(points, surreal.FOCAL, surreal.CENTRE)[LEFT_HAND].astype(int)
        red, green, blue = sample.image[y, x].astype(int)
        assert red > 150 and green < 100 and blue < 100, "the hand that is red in the picture is the left one"
        np.testing.assert_allclose(sample.joints, points - points[0], atol=1e-5)
        # The stand-in's vertices lie around its joints, so posing it must bring them to the set's.
        clusters = np.stack([sample.vertices[joint::24].mean(0) for joint in range(24)])
        assert np.linalg.norm(clusters - sample.joints, axis=1).max() < 0.02
        x0, y0, x1, y1 = sample.box
        pixels = project(points, surreal.FOCAL, surreal.CENTRE)
        assert (pixels >= (x0 - 1, y0 - 1)).all() and (pixels <= (x1 + 1, y1 + 1)).all()
        # Tight: the squares at the joints reach 5 px beyond them.
        assert abs(np.array([x0, y0]) - pixels.min(0)).max() < 8 and abs((x1, y1) - pixels.max(0)).max() < 8


def test_joints_alone_need_no_smpl(tmp_path: Path) -> None:
    write_clip(tmp_path, video=False)
    assert open_dataset("surreal", tmp_path, surfaces=False)[0].vertices is None


def test_which_frames_are_taken(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_clip(tmp_path, "test", number=number, frames=7, video=False)
    write_clip(tmp_path, "test", sequence="02_01", frames=4, video=False)
    names = [f"{clip.name} {frame}" for clip, frame in open_dataset("surreal", tmp_path, "test").frames]
    assert names == ["01_01_c0002 3", "02_01_c0001 2"]
    every = open_dataset("surreal", tmp_path, "test", every=3)
    assert [frame for clip, frame in every.frames if clip.name == "01_01_c0001"] == [0, 3, 6]
    assert len(every) == 3 * 3 + 2


def test_frames_without_the_person_are_counted_out(tmp_path: Path) -> None:
    stem = write_clip(tmp_path, frames=11, video=False)
    info = {key: loadmat(f"{stem}_info.mat")[key] for key in surreal.INFO}
    info["joints2D"][:, :, 5] = -40
    savemat(f"{stem}_info.mat", info)
    samples = open_dataset("surreal", tmp_path, surfaces=False)
    assert [frame for _, frame in samples.frames] == [0, 10] and samples.left_out == 1


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [("_segm.mat", "_segm.mat is missing"), (".mp4", "c0001.mp4 is missing")],
)
def test_a_missing_file_is_named(ending: str, sentence: str, tmp_path: Path) -> None:
    stem = write_clip(tmp_path)
    samples = open_dataset("surreal", tmp_path, surfaces=False)
    stem.with_name(stem.name + ending).unlink()
    with pytest.raises(DataError, match=sentence) as caught:
        samples[0]
    assert "www.di.ens.fr/willow/research/surreal" in str(caught.value)


def test_wrong_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cmu.val.run0 is missing"):
        open_dataset("surreal", tmp_path)
    stem = write_clip(tmp_path, video=False)
    path = Path(f"{stem}_info.mat")
    whole = {key: loadmat(path)[key] for key in surreal.INFO}
    savemat(path, {key: value for key, value in whole.items() if key != "joints2D"})
    with pytest.raises(DataError, match="holds no 'joints2D'"):
        open_dataset("surreal", tmp_path)
    savemat(path, whole | {"pose": whole["pose"][:60]})
    with pytest.raises(DataError, match=r"expected 'pose' of \(72,\) x frames"):
        open_dataset("surreal", tmp_path, surfaces=False)[0]
    savemat(path, whole | {"zrot": whole["zrot"][:2]})
    with pytest.raises(DataError, match="different numbers of frames"):
        open_dataset("surreal", tmp_path, surfaces=False)[0]
    path.write_bytes(b"no matlab")
    with pytest.raises(DataError, match="cannot be read as a MATLAB file"):
        open_dataset("surreal", tmp_path)


def test_a_broken_or_short_video_is_told(tmp_path: Path) -> None:
    pytest.importorskip("av")
    stem = write_clip(tmp_path, frames=6)
    other = write_clip(tmp_path / "other", frames=2)
    video = stem.with_name(stem.name + ".mp4")
    samples = open_dataset("surreal", tmp_path, surfaces=False)
    video.write_bytes(other.with_name(other.name + ".mp4").read_bytes())
    with pytest.raises(DataError, match="has 2 frames, expected more than 5"):
        samples[1]
    surreal._decoded.cache_clear()
    video.write_bytes(b"no video")
    with pytest.raises(DataError, match="cannot be read as a video"):
        samples[0]
