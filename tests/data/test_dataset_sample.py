"""What the loaders share: drawing parts, boxes, the crop, arrays from MATLAB files."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.io import savemat

from hmnet.body import load_body
from hmnet.config import Preprocessing
from hmnet.data import dataset_sample
from hmnet.data.dataset_sample import (
    SMPL_JOINTS,
    DatasetSample,
    cut,
    draw_parts,
    mask_box,
    on_template,
    points_box,
    project,
    read_mat,
    read_picture,
)
from hmnet.errors import DataError


def test_joints_are_named_as_the_template_names_them() -> None:
    assert load_body().joint_names == SMPL_JOINTS


def test_parts_are_drawn_where_the_camera_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    body = load_body()
    shown = SimpleNamespace(full_faces=body.faces, full_face_parts=body.face_parts)
    monkeypatch.setattr(dataset_sample, "load_body", lambda name: shown)
    points = body.vertices.numpy() + np.array([0.2, -0.1, 6.0])
    focal, centre = np.array([400.0, 420.0]), np.array([120.0, 100.0])
    part_map = draw_parts(points, focal, centre, (210, 250, 3))
    assert part_map.shape == (210, 250) and part_map.dtype == np.uint8
    assert set(np.unique(part_map)) <= set(range(25)) and (part_map > 0).sum() > 2000
    pixels = project(points, focal, centre)
    for part in (3, 4, 5, 6, 23, 24):
        own = pixels[body.vertex_parts.numpy() == part]
        rows, columns = np.nonzero(part_map == part)
        assert abs(columns.mean() - own[:, 0].mean()) < 5 and abs(rows.mean() - own[:, 1].mean()) < 8
    # Facing the camera: front before back.
    assert (part_map == 2).sum() > 5 * (part_map == 1).sum()
    assert not draw_parts(points - (0, 0, 20), focal, centre, (210, 250)).any(), "behind the camera"


def test_a_template_keeps_some_of_the_vertices() -> None:
    vertices = torch.randn(2, 6890, 3)
    small = SimpleNamespace(subset=torch.tensor([5, 0, 6889]))
    assert torch.equal(on_template(small, vertices), vertices[:, [5, 0, 6889]])


def test_boxes() -> None:
    mask = np.zeros((20, 30), bool)
    assert mask_box(mask) is None
    mask[4:9, 10:12] = True
    np.testing.assert_array_equal(mask_box(mask), [10, 4, 12, 9])
    points = np.array([[-5.0, 3], [12, 50]])
    np.testing.assert_array_equal(points_box(points, (20, 30, 3)), [0, 3, 12, 20])
    outside = points_box(points + 500, (20, 30))
    assert outside[0] < outside[2] and outside[1] < outside[3]


def test_the_crop_is_square_and_around_the_box() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[20:60, 90:110] = 250
    part_map = np.where(image[..., 0] > 0, np.uint8(7), np.uint8(0))
    sample = DatasetSample(image, np.array([90, 20, 110, 60.0]), None, np.zeros((24, 3)), part_map, "a")
    picture, parts = cut(sample, Preprocessing(image_size=64, crop_margin=0.0))
    assert picture.shape == (64, 64, 3) and parts.shape == (64, 64)
    assert (parts[:, 32] == 7).all() and (parts[:, :15] == 0).all() and set(np.unique(parts)) == {0, 7}
    assert picture[32, 32, 0] == 250 and picture[32, 3, 0] == 0
    without = DatasetSample(image, sample.box, None, sample.joints, None, "a")
    assert not cut(without, Preprocessing(image_size=64))[1].any()


def test_wrong_matlab_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "some.mat"
    with pytest.raises(DataError, match=r"some.mat is missing: from there"):
        read_mat(path, {"a": (2, None)}, "from there")
    savemat(path, {"a": np.ones((2, 5)), "b": np.ones((3, 1))})
    assert read_mat(path, {"a": (2, None)}, "")["a"].shape == (2, 5)
    with pytest.raises(DataError, match="holds no 'c': from there"):
        read_mat(path, {"c": (1, 1)}, "from there")
    with pytest.raises(DataError, match="expected 'b' of 2 x any, got 3 x 1: from there"):
        read_mat(path, {"b": (2, None)}, "from there")
    path.write_bytes(b"MATLAB?")
    with pytest.raises(DataError, match="cannot be read as a MATLAB file"):
        read_mat(path, {"a": (2, None)}, "from there")
    with pytest.raises(DataError, match=r"no.png is missing"):
        read_picture(tmp_path / "no.png", "")
