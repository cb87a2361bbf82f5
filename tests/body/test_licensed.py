"""SMPL from a file: posed as its paper says, by a package that never sees the user's pickle."""

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_smpl import PARENTS, SIZES, smpl_arrays
from scipy.spatial.transform import Rotation

from hmnet.body import load_body
from hmnet.body.licensed import JOINT_NAMES, LicensedBody, SMPLBody, load_smpl
from hmnet.errors import BodyError


@pytest.fixture(scope="module")
def smpl(licensed_folder: Path) -> SMPLBody:
    pytest.importorskip("body_models")
    return load_smpl("neutral", licensed_folder)


@pytest.fixture(scope="module")
def parameters() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 72, generator=generator) * 0.4, torch.randn(3, 10, generator=generator)


def naive_skinning(
    arrays: dict[str, np.ndarray], parents: tuple[int, ...], pose: np.ndarray, shape: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and joints (J, 3) of one pose (3 J,) and shape (10,), vertex by vertex."""
    count = len(parents)
    shaped = arrays["v_template"].astype(float) + arrays["shapedirs"].astype(float) @ shape
    joints = arrays["J_regressor"].astype(float) @ shaped
    rotations = Rotation.from_rotvec(pose.reshape(count, 3)).as_matrix()
    correctives = (rotations[1:] - np.eye(3)).ravel()
    shaped = shaped + arrays["posedirs"].astype(float) @ correctives
    world, posed = [], []
    for joint, parent in enumerate(parents):
        if parent < 0:
            world.append(rotations[joint])
            posed.append(joints[joint])
        else:
            world.append(world[parent] @ rotations[joint])
            posed.append(posed[parent] + world[parent] @ (joints[joint] - joints[parent]))
    vertices = np.zeros_like(shaped)
    for vertex, weights in enumerate(arrays["weights"].astype(float)):
        for joint in np.flatnonzero(weights):
            moved = world[joint] @ (shaped[vertex] - joints[joint]) + posed[joint]
            vertices[vertex] += weights[joint] * moved
    return vertices, np.array(posed)


def test_posing_agrees_with_a_slow_loop(smpl: SMPLBody, parameters) -> None:
    pose, shape = parameters
    posed = smpl.pose(pose, shape)
    assert posed.vertices.shape == (3, 6890, 3) and posed.joints.shape == (3, 24, 3)
    vertices, joints = naive_skinning(smpl_arrays(), PARENTS, pose[0].double().numpy(), shape[0].numpy())
    np.testing.assert_allclose(posed.vertices[0], vertices, atol=1e-5)
    np.testing.assert_allclose(posed.joints[0], joints, atol=1e-5)
    # The pose is nowhere near the rest: this could not pass by accident.
    assert np.linalg.norm(vertices - smpl.rest_vertices.numpy(), axis=1).mean() > 0.1


def test_batched_equals_one_by_one(smpl: SMPLBody, parameters) -> None:
    pose, shape = parameters
    together = smpl.pose(pose, shape)
    for i in range(3):
        alone = smpl.pose(pose[i : i + 1], shape[i : i + 1])
        torch.testing.assert_close(together.vertices[i], alone.vertices[0], atol=1e-6, rtol=0)


def test_no_rotation_is_the_rest_shape_and_nothing_is_flipped(smpl: SMPLBody) -> None:
    vertices, joints = smpl.pose(torch.zeros(1, 72))
    torch.testing.assert_close(vertices[0], smpl.rest_vertices, atol=1e-6, rtol=0)
    torch.testing.assert_close(joints[0], smpl.joint_regressor @ smpl.rest_vertices, atol=1e-5, rtol=0)
    # y up, facing +z: the head is above the feet and the toes before the ankles.
    place = dict(zip(JOINT_NAMES, joints[0], strict=True))
    assert place["head"][1] > place["pelvis"][1] > place["left_ankle"][1]
    assert place["left_foot"][2] > place["left_ankle"][2] and place["left_hip"][0] > place["right_hip"][0]


def test_the_global_rotation_turns_all_about_the_pelvis(smpl: SMPLBody, parameters) -> None:
    pose, shape = parameters
    turn = Rotation.from_euler("xyz", [170, 20, -40], degrees=True)
    turned = pose.clone()
    own = Rotation.from_rotvec(pose[:, :3].numpy())
    turned[:, :3] = torch.from_numpy((turn * own).as_rotvec()).float()
    before, after = smpl.pose(pose, shape), smpl.pose(turned, shape)
    pelvis, matrix = before.joints[:, :1], torch.from_numpy(turn.as_matrix()).float()
    torch.testing.assert_close(
        after.vertices - pelvis, (before.vertices - pelvis) @ matrix.T, atol=1e-5, rtol=0
    )


def test_gradients_reach_pose_and_shape(smpl: SMPLBody, parameters) -> None:
    pose, shape = (given[:1].clone().requires_grad_() for given in parameters)
    with torch.inference_mode():
        smpl.pose(pose, shape)
    posed = smpl.pose(pose, shape)
    (posed.vertices.square().sum() + posed.joints.square().sum()).backward()
    assert (shape.grad.abs() > 0).all() and pose.grad.isfinite().all()
    assert (pose.grad.abs() > 0).float().mean() > 0.8


def test_each_gender_has_its_own_file(licensed_folder: Path) -> None:
    heights = {
        gender: float(np.ptp(load_smpl(gender, licensed_folder).rest_vertices[:, 1].numpy()))
        for gender in SIZES
    }
    for gender, size in SIZES.items():
        assert heights[gender] == pytest.approx(size * heights["neutral"], rel=1e-5)
    with pytest.raises(BodyError, match="Unknown gender 'm' of SMPL: choose one of neutral, male, female"):
        load_smpl("m", licensed_folder)
    assert load_smpl("male", licensed_folder) is load_smpl("male", str(licensed_folder))


def test_joints_are_named_as_the_template_s() -> None:
    assert load_body().joint_names == JOINT_NAMES


def test_wrong_sizes_are_told(smpl: SMPLBody) -> None:
    for pose, shape in (((1, 69), (1, 10)), ((2, 72), (1, 10)), ((1, 72), (1, 16))):
        with pytest.raises(BodyError, match=r"Expected a pose \(B, 72\).* and a shape \(B, 10\), got"):
            smpl.pose(torch.zeros(pose), torch.zeros(shape))


def test_without_the_package_only_posing_fails(
    licensed_bodies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "body_models.smpl.torch", None)
    arrays = smpl_arrays() | {"f": smpl_arrays()["f"].astype(np.int64)}
    with pytest.raises(BodyError, match=r"needs the package body-models.*pip install"):
        SMPLBody("smpl-neutral", arrays).pose(torch.zeros(1, 72))
    assert len(load_body("smpl").vertices) == 6890


def test_the_package_gets_plain_arrays_and_never_the_user_s_file(
    smpl: SMPLBody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def model(model_path: Path) -> torch.nn.Module:
        with np.load(model_path, allow_pickle=False) as file:
            seen.append({name: file[name].dtype.kind for name in file.files})
        return torch.nn.Module()

    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(smpl_arrays(), 2))
    body = load_smpl("neutral", tmp_path)
    assert isinstance(body, LicensedBody)
    body._of_plain_arrays(model)
    assert set(seen[0].values()) <= {"f", "i"} and set(seen[0]) >= {"v_template", "posedirs", "weights"}


def test_a_hostile_file_in_smpl_s_place_is_not_executed(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {tmp_path / 'mark'}",)

    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(pickle.dumps(smpl_arrays() | {"J": Attack()}, 2))
    with pytest.raises(BodyError, match=r"SMPL_NEUTRAL\.pkl was not read: it asks for \w+\.system"):
        load_smpl("neutral", tmp_path)
    assert not (tmp_path / "mark").exists()
