"""The files a visitor takes along."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from demo import exports
from demo.part_change import PartChange
from demo.session import Lab, break_parts, regularise
from hmnet.body import PART_COLOURS
from hmnet.camera import project
from hmnet.errors import OutputError
from hmnet.export import linear_colours


@pytest.mark.parametrize("kind", exports.FILES)
def test_each_kind_is_written_under_its_name(of_photo, body, tmp_path, kind):
    path = exports.write(of_photo, body, kind, tmp_path)
    assert path == tmp_path / f"humanmeshnet.{kind}" and path.stat().st_size > 500
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", exports.MESHES)
def test_the_mesh_is_the_full_surface_that_is_shown(models, of_photo, body, tmp_path, kind):
    shown = regularise(models, of_photo, Lab(iterations=4))
    mesh = trimesh.load(exports.write(shown, body, kind, tmp_path), force="mesh", process=False)
    expected = body.upsample(torch.as_tensor(shown.prediction.vertices)).numpy() * [1, -1, -1]
    np.testing.assert_allclose(mesh.vertices, expected, atol=1e-6)
    colours = np.array(PART_COLOURS, np.uint8)[body.full_vertex_parts.numpy()]
    np.testing.assert_array_equal(
        mesh.visual.vertex_colors[:, :3], linear_colours(colours) if kind == "glb" else colours
    )


def test_json_holds_the_numbers_and_the_settings(models, of_example, body, tmp_path):
    lab, change = Lab(iterations=3, operator="taubin"), PartChange(dropped=("left arm",), noise=0.25)
    session = break_parts(models, regularise(models, of_example, lab), change)
    content = json.loads(exports.write(session, body, "json", tmp_path).read_text())
    assert content["image"] == of_example.example.photo.name
    assert content["weights"]["source"] == "made-up body"
    np.testing.assert_allclose(list(content["joint_branch"].values()), session.prediction.joints, atol=6e-6)
    assert list(content["joint_branch"]) == list(body.joint_names)
    assert content["regulariser"] == {
        "enabled": True, "iterations": 3, "strength": 1.0, "operator": "taubin",
    }  # fmt: skip
    assert content["part_change"] == {
        "true_parts": False, "dropped": ["left arm"], "swapped": False, "noise": 0.25,
    }  # fmt: skip


def test_the_name_of_a_visitors_photo_is_not_kept(of_photo, body, tmp_path):
    assert json.loads(exports.write(of_photo, body, "json", tmp_path).read_text())["image"] == "photo"


def test_csv_has_a_row_for_each_joint(of_photo, body, tmp_path):
    prediction = of_photo.prediction
    moved = prediction.joints + np.float32([0.003, 0.0, 0.004])
    session = replace(of_photo, prediction=replace(prediction, joints=moved))
    session = replace(session, prediction=replace(session.prediction, regressed_joints=prediction.joints))
    with exports.write(session, body, "csv", tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == exports.COLUMNS
    assert [row["joint"] for row in rows] == list(body.joint_names)
    columns = np.array([[float(row[name]) for name in exports.COLUMNS[1:]] for row in rows])
    np.testing.assert_allclose(columns[:, :3], moved, atol=6e-6)
    np.testing.assert_allclose(columns[:, 3:6], prediction.joints, atol=6e-6)
    np.testing.assert_allclose(columns[:, 6:8], project(prediction.joints, prediction.camera), atol=6e-3)
    np.testing.assert_allclose(columns[:, 8], 5.0, atol=0.051)


def test_an_unknown_kind_and_a_missing_folder_are_told(of_photo, body, tmp_path):
    with pytest.raises(OutputError, match="Unknown kind of file 'bvh': choose one of glb, obj"):
        exports.write(of_photo, body, "bvh", tmp_path)
    for kind in ("json", "csv"):
        with pytest.raises(OutputError, match=rf"humanmeshnet\.{kind} cannot be written"):
            exports.write(of_photo, body, kind, tmp_path / "nowhere")
