"""The network's template: joints, upsampling, mirror image, and what a bad asset says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmnet.body import MIRRORED_PART, PART_NAMES, load_body
from hmnet.body.anny import AnnyBody
from hmnet.body.softening import FINE
from hmnet.body.template import ASSETS, load_anny, read_asset
from hmnet.errors import BodyError
from hmnet.mesh import MeshTopology, neighbour_average

BODY = load_body()
COCO_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
JOINT_BONES = {
    "pelvis": "root", "left_knee": "lowerleg01.L", "right_ankle": "foot.R", "neck": "neck01",
    "left_shoulder": "upperarm01.L", "right_elbow": "lowerarm01.R", "left_wrist": "wrist.L",
}  # fmt: skip


@pytest.fixture(scope="module")
def bodies() -> tuple[AnnyBody, torch.Tensor, torch.Tensor]:
    """Random bodies, from children up, with limbs turned by some 40 degrees; seen by no fit."""
    anny, generator = load_anny(), np.random.default_rng(2024)
    phenotypes = torch.tensor(generator.uniform(0, 1, (8, 6))).float()
    phenotypes[:, anny.phenotype_names.index("age")].clamp_(min=0.3)
    vectors = np.zeros((8, len(anny.bone_names), 3))
    for index, bone in enumerate(anny.bone_names):
        if bone.startswith(("upperarm01", "lowerarm01", "upperleg01", "lowerleg01", "spine0", "neck01")):
            vectors[:, index] = generator.normal(0, 0.4 if "leg" in bone or "arm" in bone else 0.15, (8, 3))
    rotations = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(8, -1, 3, 3)
    return anny, phenotypes, torch.tensor(rotations).float()


def test_sizes_and_frame() -> None:
    assert BODY.vertices.shape == (1229, 3) and BODY.faces.shape == (2454, 3)
    assert BODY.upsampling.shape == (13718, 1229) and BODY.full_face_parts.shape == BODY.full_faces.shape[:1]
    assert len(BODY.joint_names) == 24 and len(set(BODY.joint_names)) == 24
    assert 1.5 < np.ptp(BODY.vertices[:, 1].numpy()) < 2.0
    joints = dict(zip(BODY.joint_names, BODY.regress_joints(BODY.vertices), strict=True))
    assert joints["pelvis"].norm() < 1e-6
    # x right, y down, z away; the body faces the viewer, so its left is at +x and its toes at -z.
    assert joints["left_wrist"][0] > 0.3 > -0.3 > joints["right_wrist"][0]
    assert joints["head"][1] < -0.5 and joints["left_ankle"][1] > 0.5
    assert joints["left_foot"][2] < joints["left_ankle"][2] - 0.05


def test_the_mesh_is_one_closed_surface_facing_outwards() -> None:
    topology = MeshTopology.from_faces(BODY.faces, len(BODY.vertices))
    assert len(BODY.vertices) - len(topology.edges) + len(BODY.faces) == 2
    a, b, c = BODY.vertices[BODY.faces].unbind(1)
    volume = (a * torch.linalg.cross(b, c)).sum() / 6
    assert 0.05 < volume < 0.1


def test_regressor_rows_sum_to_one() -> None:
    for operator in (BODY.joint_regressor, BODY.keypoint_regressor, BODY.upsampling):
        dense = operator.to_dense() if operator.is_sparse else operator
        torch.testing.assert_close(dense.sum(1), torch.ones(len(dense)), atol=1e-5, rtol=0)


def test_operators_move_with_the_body_and_keep_the_batch() -> None:
    shift = torch.tensor([0.3, -0.2, 1.0])
    batch = torch.stack([BODY.vertices, BODY.vertices + shift])[None]
    for operator in (BODY.regress_joints, BODY.regress_keypoints, BODY.upsample):
        out = operator(batch)
        assert out.shape[:2] == (1, 2)
        torch.testing.assert_close(out[0, 1], operator(BODY.vertices) + shift, atol=1e-5, rtol=0)


def test_upsampling_and_joints_on_unseen_bodies(bodies) -> None:
    anny, phenotypes, rotations = bodies
    small = anny.pose(phenotypes, rotations, "template").vertices
    full = anny.pose(phenotypes, rotations, "full")
    assert (BODY.upsample(small) - full.vertices).norm(dim=-1).mean() < 4e-3
    joints = BODY.regress_joints(small)
    for name, bone in JOINT_BONES.items():
        truth = full.bone_heads[:, anny.bone_names.index(bone)]
        assert (joints[:, BODY.joint_index(name)] - truth).norm(dim=-1).mean() < 0.015, name


def test_keypoints_lie_near_their_joints() -> None:
    joints, keypoints = BODY.regress_joints(BODY.vertices), BODY.regress_keypoints(BODY.vertices)
    paired = [f"{side}_{name}" for name in COCO_PAIRS for side in ("left", "right")]
    assert BODY.keypoint_names[:17] == ("nose", *paired)
    for name in paired[4:]:
        here, there = keypoints[BODY.keypoint_index(name)], joints[BODY.joint_index(name)]
        assert (here - there).norm() < 0.05, name
    assert keypoints[BODY.keypoint_index("nose"), 2] < keypoints[BODY.keypoint_index("left_ear"), 2]


def test_mirror_is_an_involution_that_swaps_sides() -> None:
    assert torch.equal(BODY.mirror[BODY.mirror], torch.arange(len(BODY.vertices)))
    flipped = BODY.vertices[BODY.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(flipped, BODY.vertices, atol=1e-4, rtol=0)
    # A vertex on a seam may take its part from the other side of it.
    swapped = torch.tensor(MIRRORED_PART)[BODY.vertex_parts]
    assert (BODY.vertex_parts[BODY.mirror] == swapped).float().mean() > 0.95
    joints = BODY.mirrored_joints
    assert [joints[i] for i in joints] == list(range(24))
    assert joints[BODY.joint_index("left_knee")] == BODY.joint_index("right_knee")
    assert joints[BODY.joint_index("pelvis")] == BODY.joint_index("pelvis")


def test_unknown_names_are_answered_with_the_choices() -> None:
    with pytest.raises(BodyError, match=r"Unknown joint 'knee': choose one of pelvis, left_hip.*right_hand"):
        BODY.joint_index("knee")
    with pytest.raises(BodyError, match=r"Unknown keypoint 'tail': choose one of nose"):
        BODY.keypoint_index("tail")
    with pytest.raises(BodyError, match=r"Unknown body 'smurf': choose one of .*anny"):
        load_body("smurf")


def test_missing_or_corrupt_assets_are_named(tmp_path: Path) -> None:
    with pytest.raises(BodyError, match=r"anny\.safetensors is missing: restore it"):
        read_asset(tmp_path / "anny.safetensors")
    path = tmp_path / "anny.safetensors"
    for content in (b"", b"not a body", b"\xff" * 400):
        path.write_bytes(content)
        with pytest.raises(BodyError, match=r"anny\.safetensors cannot be read"):
            read_asset(path)


def as_fitted(vertices: torch.Tensor) -> torch.Tensor:
    """The full surface (B, U, 3) by the operator as it was fitted, before it was softened."""
    arrays, _ = read_asset(ASSETS / "body" / "anny.safetensors")
    index, weight = (torch.as_tensor(arrays[f"upsample.{name}"]) for name in ("index", "weight"))
    return (vertices[:, index.long()] * weight[..., None]).sum(2)


def test_an_averaged_mesh_s_full_surface_is_softened_where_nothing_is_fine(bodies) -> None:
    anny, phenotypes, rotations = bodies
    small = anny.pose(phenotypes, rotations, "template").vertices
    topology = MeshTopology.from_faces(BODY.faces, len(BODY.vertices))
    averaged = neighbour_average(small, topology.neighbour_matrix)
    matrix = MeshTopology.from_faces(BODY.full_faces, BODY.upsampling.shape[0]).neighbour_matrix.float()
    fine = torch.tensor([any(word in name for word in FINE) for name in PART_NAMES])[BODY.full_vertex_parts]
    before, after = (
        torch.stack([one - matrix @ one for one in surface]).norm(dim=-1)
        for surface in (as_fitted(averaged), BODY.upsample(averaged))
    )
    assert after[:, ~fine].mean() < 0.6 * before[:, ~fine].mean()
    # Fingers, toes and face keep their shape.
    moved = 1000 * (BODY.upsample(small) - as_fitted(small)).norm(dim=-1)
    assert moved[:, fine].mean() < 0.3 < moved[:, ~fine].mean() < 3
