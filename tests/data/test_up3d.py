"""UP-3D's loader in both layouts: its geometry on a real sample, what is missing told."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from dataset_files import (
    RigidSMPL,
    shared_formats,
    write_converted_up3d,
    write_published_up3d,
)
from scipy.io import loadmat, savemat

from hmnet.data import up3d
from hmnet.data.dataset_sample import SMPL_JOINTS, project
from hmnet.data.datasets import open_dataset
from hmnet.errors import BodyError, DataError


def real_samples(folder: Path) -> Path:
    """The real files as a set of two pictures, one of which lacks some."""
    shutil.copytree(shared_formats("up3d"), folder / "val")
    return folder


def test_the_real_sample_projects_onto_its_pixels(tmp_path: Path) -> None:
    samples = open_dataset("up3d", real_samples(tmp_path))
    sample = samples[0]
    assert len(samples) == 2 and sample.name == "00001"
    assert sample.image.shape == (201, 145, 3) and sample.vertices.shape == (6890, 3)
    stem = tmp_path / "val" / "00001"
    fit = up3d._converted_fit(stem, sample.image)
    pixels = project(fit.joints + fit.shift, fit.focal, fit.centre)
    # The stored ones count pixels by their centres: half a pixel less than here, where edges are counted.
    np.testing.assert_allclose(pixels - 0.5, loadmat(f"{stem}_info.mat")["joints2D"][:24], atol=0.05)
    np.testing.assert_allclose(sample.joints, fit.joints - fit.joints[0], atol=1e-6)
    np.testing.assert_allclose(sample.box, [22, 29, 116, 181])
    height = dict(zip(SMPL_JOINTS, sample.joints[:, 1], strict=True))
    assert height["head"] < -0.3 and height["left_ankle"] > 0.3, "y points down"


def test_a_real_sample_without_its_files_is_told(tmp_path: Path) -> None:
    samples = open_dataset("up3d", real_samples(tmp_path))
    with pytest.raises(DataError, match=r"01125_shape.mat is missing: UP-3D comes from .* as --root"):
        samples[1]


def test_both_layouts_give_the_same_body(tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_published_up3d(tmp_path / "published")
    write_converted_up3d(tmp_path / "converted")
    published, converted = (open_dataset("up3d", tmp_path / name)[0] for name in ("published", "converted"))
    np.testing.assert_allclose(published.vertices, converted.vertices, atol=1e-5)
    np.testing.assert_allclose(published.joints, converted.joints, atol=1e-5)
    assert published.image.shape == (160, 120, 3)
    np.testing.assert_allclose(converted.box, [30, 10, 80, 100])
    # Seen from t = (0.1, 0, 40) m at f = 1500 px, the crop's middle (65, 90) being the centre.
    points = published.vertices + rigid_smpl.joints[0] + (0.1, 0, 40.0)
    pixels = points[:, :2] / points[:, 2:] * 1500 + (65, 90)
    np.testing.assert_allclose(published.box, [*pixels.min(0), *pixels.max(0)], atol=1e-3)


def test_the_box_is_cut_at_the_rim(tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_published_up3d(tmp_path)
    path = tmp_path / "00001_body.pkl"
    fit = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(fit | {"t": np.array([0.1, 0, 4.0])}, protocol=2))
    np.testing.assert_allclose(open_dataset("up3d", tmp_path)[0].box, [0, 0, 120, 160])


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    write_published_up3d(tmp_path)
    (tmp_path / "00001_body.pkl").write_bytes(pickle.dumps({"pose": Evil()}, protocol=2))
    with pytest.raises(BodyError, match="nothing of it was executed"):
        open_dataset("up3d", tmp_path)[0]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"t": np.zeros(2)}, "expected 3 numbers as 't', got 2"), ({"betas": ["x"]}, "no numbers as 'betas'")],
)
def test_a_wrong_fit_is_told(change: dict, sentence: str, tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_published_up3d(tmp_path)
    path = tmp_path / "00001_body.pkl"
    path.write_bytes(pickle.dumps(pickle.loads(path.read_bytes()) | change, protocol=2))
    with pytest.raises(DataError, match=sentence):
        open_dataset("up3d", tmp_path)[0]


def test_a_wrong_crop_is_told(tmp_path: Path, rigid_smpl: RigidSMPL) -> None:
    write_published_up3d(tmp_path)
    path = tmp_path / "00001_fit_crop_info.txt"
    path.write_text("160 120 20")
    with pytest.raises(DataError, match="expected six whole numbers"):
        open_dataset("up3d", tmp_path)[0]
    path.write_text("120 160 20 160 10 120")
    with pytest.raises(DataError, match=r"picture of 120 x 160 px, but this one has 160 x 120"):
        open_dataset("up3d", tmp_path)[0]


def test_wrong_folders_and_shapes_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Neither .*val.txt nor the folder .*val is there"):
        open_dataset("up3d", tmp_path)
    (tmp_path / "val").mkdir()
    with pytest.raises(DataError, match="names no picture"):
        open_dataset("up3d", tmp_path)
    write_converted_up3d(tmp_path)
    savemat(
        tmp_path / "val" / "00001_shape.mat",
        {"points": np.zeros((10, 3)), "J_transformed": np.zeros((24, 3))},
    )
    with pytest.raises(DataError, match="expected 'points' of 6890 x 3, got 10 x 3"):
        open_dataset("up3d", tmp_path)[0]
