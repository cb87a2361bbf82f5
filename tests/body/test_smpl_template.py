"""SMPL as a template: whole and subsampled, and HMNet on it."""

from pathlib import Path

import pytest
import torch

from hmnet.body import MIRRORED_PART, BodyTemplate, load_body
from hmnet.body.smpl_template import KEYPOINT_NAMES, KEYPOINT_VERTICES, smpl_template
from hmnet.config import ModelConfig
from hmnet.mesh import MeshTopology
from hmnet.model import build_hmnet
from hmnet.pose_loss import PoseLoss


@pytest.fixture(scope="module", params=["smpl", "smpl-1723"])
def body(request, licensed_folder: Path) -> BodyTemplate:
    return smpl_template(request.param, licensed_folder)


@pytest.fixture(scope="module")
def whole(licensed_folder: Path) -> BodyTemplate:
    return smpl_template("smpl", licensed_folder)


def test_sizes_names_and_frame(body: BodyTemplate, licensed_bodies: Path) -> None:
    count = {"smpl": 6890, "smpl-1723": 1723}[body.name]
    assert body.vertices.shape == (count, 3) and body.faces.shape == (2 * count - 4, 3)
    assert body.upsampling.shape == (6890, count) and body.full_faces.shape == (13776, 3)
    assert body.joint_names == load_body().joint_names
    assert body.keypoint_names == KEYPOINT_NAMES == load_body().keypoint_names
    assert load_body(body.name) is body
    joints = dict(zip(body.joint_names, body.regress_joints(body.vertices), strict=True))
    assert joints["pelvis"].norm() < (1e-6 if body.name == "smpl" else 2e-3)
    # x right, y down, z away; the body faces the viewer.
    assert joints["left_wrist"][0] > 0.3 > -0.3 > joints["right_wrist"][0]
    assert joints["head"][1] < -0.5 and joints["left_ankle"][1] > 0.5
    assert joints["left_foot"][2] < joints["left_ankle"][2] - 0.05


def test_the_mesh_is_one_closed_surface_facing_outwards(body: BodyTemplate) -> None:
    topology = MeshTopology.from_faces(body.faces, len(body.vertices))
    assert len(body.vertices) - len(topology.edges) + len(body.faces) == 2
    a, b, c = body.vertices[body.faces].unbind(1)
    assert 0.05 < (a * torch.linalg.cross(b, c)).sum() / 6 < 0.1


def test_rows_of_the_operators_sum_to_one(body: BodyTemplate) -> None:
    for operator in (body.joint_regressor, body.keypoint_regressor, body.upsampling):
        dense = operator.to_dense() if operator.is_sparse else operator
        torch.testing.assert_close(dense.sum(1), torch.ones(len(dense)), atol=1e-4, rtol=0)


def test_every_part_is_there_on_both_sides(body: BodyTemplate) -> None:
    counts = torch.bincount(body.face_parts, minlength=25)
    assert counts[0] == 0 and (counts[1:] >= 20).all()
    assert (counts - counts[list(MIRRORED_PART)]).abs().max() <= 2
    assert set(body.vertex_parts.tolist()) == set(range(1, 25))
    assert torch.equal(body.full_vertex_parts.unique(), torch.arange(1, 25))


def test_mirror_is_an_involution_that_swaps_sides(body: BodyTemplate) -> None:
    assert torch.equal(body.mirror[body.mirror], torch.arange(len(body.vertices)))
    flipped = body.vertices[body.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(flipped, body.vertices, atol=1e-4, rtol=0)
    # Faces too become faces, so the regulariser knows no side.
    faces = {frozenset(face) for face in body.faces.tolist()}
    assert {frozenset(face) for face in body.mirror[body.faces].tolist()} == faces


def test_keypoints_lie_where_smpl_has_them(body: BodyTemplate, whole: BodyTemplate) -> None:
    keypoints = body.regress_keypoints(body.vertices)
    for name, vertex in KEYPOINT_VERTICES.items():
        assert (keypoints[body.keypoint_index(name)] - whole.vertices[vertex]).norm() < 0.01, name
    knee = body.regress_joints(body.vertices)[body.joint_index("left_knee")]
    torch.testing.assert_close(keypoints[body.keypoint_index("left_knee")], knee, atol=1e-5, rtol=0)
    nose, ear = (keypoints[body.keypoint_index(name)] for name in ("nose", "left_ear"))
    assert nose[2] < ear[2] - 0.05


def test_the_subset_is_kept_and_the_rest_is_near(licensed_folder: Path, whole: BodyTemplate) -> None:
    small = smpl_template("smpl-1723", licensed_folder)
    assert torch.equal(small.vertices, whole.vertices[small.subset])
    upsampled = small.upsample(small.vertices)
    torch.testing.assert_close(upsampled[small.subset], small.vertices, atol=1e-6, rtol=0)
    distance = 1000 * (upsampled - whole.vertices).norm(dim=1)
    assert distance.mean() < 1 and distance.max() < 15
    joints = small.regress_joints(small.vertices) - whole.regress_joints(whole.vertices)
    assert 1000 * joints.norm(dim=1).max() < 5


def test_hmnet_builds_on_smpl_and_learns(licensed_bodies: Path) -> None:
    """20,670 outputs; the loss of one batch falls."""
    torch.manual_seed(0)
    network = build_hmnet(ModelConfig(body="smpl", feature_size=32, rgb_input="pixels", input_pooling=4))
    body = network.body
    pictures, maps = torch.randn(4, 3, 64, 64), torch.randint(0, 25, (4, 64, 64))
    assert network(pictures, maps).vertices[0].shape == (6890, 3)
    assert network.surface_branch[4].out_features == 20_670
    # Each sample is a body turned by some 30 degrees.
    turns = torch.linalg.svd(torch.eye(3) + torch.randn(4, 3, 3) * 0.3)
    truth = body.vertices @ (turns.U @ turns.Vh)
    joints, loss_of = body.regress_joints(truth), PoseLoss(body)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(8):
        loss, _ = loss_of(network(pictures, maps), truth, joints)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0], losses
