"""Anny's hand: sizes and frame as MANO's, exact operators, a sound mesh, the left the right one's mirror."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from trimesh import Trimesh

from hmnet.body import load_body
from hmnet.body.bake_hand import BONES, _frames
from hmnet.body.hand import BONE_PARENTS, HandBody, hand_template, load_hand, mirrored, rotation_matrices
from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, HAND_PART_NAMES, TURNING_JOINTS
from hmnet.body.template import load_anny
from hmnet.errors import BodyError

TEMPLATE = load_body("hand")
RIM = 20
"""Edges around the open wrist."""


@pytest.fixture(scope="module")
def hands() -> tuple[HandBody, dict[str, torch.Tensor]]:
    """Parameters of 40 random hands that no fit has seen, fingers bent up to 70 degrees."""
    generator = np.random.default_rng(2024)
    vectors = generator.normal(0, 0.1, (40, 16, 3))
    vectors[:, 1:, 2] -= generator.uniform(-0.1, 1.2, (40, 15))
    given = {"pose": vectors.reshape(40, -1), "shape": generator.normal(0, 1, (40, 10)),
             "arm": generator.normal(0, 0.3, (40, 6))}  # fmt: skip
    return load_hand(), {name: torch.tensor(value).float() for name, value in given.items()}


def test_sizes_and_frame_are_as_mano_s() -> None:
    assert TEMPLATE.name == "hand" and TEMPLATE.vertices.shape == (778, 3)
    assert TEMPLATE.upsampling.shape == (1609, 778) and TEMPLATE.full_faces.shape == (3196, 3)
    assert TEMPLATE.joint_names == TEMPLATE.keypoint_names == HAND_JOINT_NAMES
    joints = dict(zip(TEMPLATE.joint_names, TEMPLATE.regress_joints(TEMPLATE.vertices), strict=True))
    assert joints["wrist"].norm() < 1e-6
    # The right hand of a person who faces the viewer, arm stretched out, palm down.
    assert joints["middle_tip"][0] < joints["middle1"][0] < -0.08
    assert joints["thumb1"][2] < joints["pinky1"][2]
    assert joints["middle_tip"][1] > joints["middle1"][1] and 0.15 < joints["middle_tip"].norm() < 0.2
    for finger in FINGERS:
        reach = [joints[f"{finger}{place}"].norm() for place in ("1", "2", "3", "_tip")]
        assert reach == sorted(reach), finger


def test_every_operator_is_a_partition_of_unity() -> None:
    for operator in (TEMPLATE.joint_regressor, TEMPLATE.keypoint_regressor, TEMPLATE.upsampling):
        dense = operator.to_dense() if operator.is_sparse else operator
        torch.testing.assert_close(dense.sum(1), torch.ones(len(dense)), atol=1e-5, rtol=0)
        # Else a predicted mesh's noise would grow.
        assert dense.norm(dim=1).max() < 1.2
    weights = load_hand().skinning_weights
    torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)), atol=1e-5, rtol=0)
    assert weights.min() >= 0


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("surface", ["template", "full"])
def test_the_mesh_is_sound_and_open_at_the_wrist_only(side: str, surface: str) -> None:
    hand = hand_template(side)
    vertices, faces = hand.vertices, hand.faces
    if surface == "full":
        vertices, faces = hand.upsample(vertices), hand.full_faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist()
    directed = {tuple(edge) for edge in edges}
    # Each edge is met at most once in each direction: a manifold whose faces all turn alike.
    assert len(directed) == len(edges)
    rim = [edge for edge in directed if edge[::-1] not in directed]
    assert len(rim) == RIM
    joints = hand.regress_joints(hand.vertices)
    wrist, middle = joints[0], joints[hand.joint_index("middle1")]
    assert max(abs(vertices[a, 0] - wrist[0]) for a, _ in rim) < 0.15 * abs(middle[0] - wrist[0])
    lid = [[b, a, len(vertices)] for a, b in rim]
    closed = Trimesh(np.vstack([vertices, vertices[[a for a, _ in rim]].mean(0)]), np.vstack([faces, lid]))
    assert closed.is_watertight and closed.euler_number == 2
    assert 1e-4 < closed.volume < 6e-4
    # The wrist itself lies in the opening.
    assert np.linalg.norm(closed.vertices[-1] - joints[0].numpy()) < 0.01
    inner = joints.numpy()[[name != "wrist" and not name.endswith("_tip") for name in HAND_JOINT_NAMES]]
    np.testing.assert_allclose(windings(closed, inner), 1, atol=1e-3)


def windings(mesh: Trimesh, points: np.ndarray) -> np.ndarray:
    """How often a closed mesh goes round each point (N,): 1 inside, 0 outside."""
    a, b, c = (mesh.triangles[None, :, k] - points[:, None] for k in range(3))
    x, y, z = (np.linalg.norm(side, axis=2) for side in (a, b, c))
    above = (a * np.cross(b, c)).sum(2)
    below = x * y * z + (a * b).sum(2) * z + (b * c).sum(2) * x + (c * a).sum(2) * y
    return np.arctan2(above, below).sum(1) / (2 * np.pi)


def test_finger_wise_parts() -> None:
    counts = torch.bincount(TEMPLATE.face_parts, minlength=len(HAND_PART_NAMES))
    assert len(counts) == 17 and counts[0] == 0 and counts[1:].min() >= 20
    joints = dict(zip(TEMPLATE.joint_names, TEMPLATE.regress_joints(TEMPLATE.vertices), strict=True))
    centres = TEMPLATE.vertices[TEMPLATE.faces].mean(1)
    for number, name in enumerate(HAND_PART_NAMES[2:], start=2):
        finger, place = name.split()
        places = {"base": ("1", "2"), "middle": ("2", "3"), "end": ("3", "_tip")}[place]
        bone = (joints[finger + places[0]] + joints[finger + places[1]]) / 2
        assert (centres[TEMPLATE.face_parts == number].mean(0) - bone).norm() < 0.014, name


def test_joints_and_full_surface_of_unseen_hands(hands) -> None:
    hand, given = hands
    template, full = hand.pose(**given, surface="template"), hand.pose(**given)
    torch.testing.assert_close(template.joints, full.joints)
    error = 1000 * (TEMPLATE.regress_joints(template.vertices) - full.joints).norm(dim=-1)
    assert error.mean() < 0.9 and error.mean(0).max() < 1.8
    error = 1000 * (TEMPLATE.upsample(template.vertices) - full.vertices).norm(dim=-1)
    assert error.mean() < 0.7 and error.mean(0).max() < 3.5
    assert torch.equal(full.vertices[:, hand.subset], template.vertices)


def test_the_left_hand_mirrors_the_right_one() -> None:
    left = hand_template("left")
    torch.testing.assert_close(left.vertices, TEMPLATE.vertices * torch.tensor([-1.0, 1, 1]))
    assert torch.equal(left.faces.flip(1), TEMPLATE.faces) and torch.equal(
        left.face_parts, TEMPLATE.face_parts
    )
    joints = left.regress_joints(left.vertices)
    torch.testing.assert_close(joints, mirrored(TEMPLATE.regress_joints(TEMPLATE.vertices)))
    with pytest.raises(BodyError, match="Unknown side 'both' of a hand: choose right or left"):
        hand_template("both")


def test_posing_agrees_with_a_slow_loop(hands) -> None:
    hand, given = hands
    posed = hand.pose(**given, surface="arm")
    shape = given["shape"][3].double().numpy()
    arrays = {name: value.double().numpy() for name, value in hand.arrays.items()}
    scaled = arrays["shapes"] * arrays["shape_scales"][:, None, None]
    rest = arrays["vertices"] + np.tensordot(shape, scaled, 1)
    joints = arrays["joints"] + np.tensordot(shape, arrays["joint_shapes"], 1)
    turns = Rotation.from_rotvec(
        torch.cat([given["pose"][3], given["arm"][3]]).view(-1, 3).numpy()
    ).as_matrix()
    world = np.tile(np.eye(4), (18, 1, 1))
    for bone, parent in enumerate(BONE_PARENTS):
        world[bone, :3, :3], world[bone, :3, 3] = turns[bone], joints[bone] - joints[max(parent, 0)]
        world[bone] = world[bone] if parent < 0 else world[parent] @ world[bone]
    expected = np.zeros_like(rest)
    for bone in range(18):
        moved = (rest - joints[bone]) @ world[bone, :3, :3].T + world[bone, :3, 3]
        expected += hand.skinning_weights[:, bone, None].numpy() * moved
    np.testing.assert_allclose(posed.vertices[3], expected, atol=2e-6)
    heads = posed.joints[3][[name in TURNING_JOINTS for name in HAND_JOINT_NAMES]]
    np.testing.assert_allclose(heads, world[:16, :3, 3], atol=2e-6)


def test_it_bends_as_the_hand_of_the_whole_body_does() -> None:
    hand, anny, generator = load_hand(), load_anny(), np.random.default_rng(5)
    bones = [anny.bone_names.index(f"{bone}.R") for bone in BONES]
    phenotypes = torch.full((1, 6), 0.5)
    rest, heads = anny.rest(phenotypes)
    frame = _frames(heads[:, bones[:16]].double().numpy())[0]

    def laid(points: torch.Tensor, wrist: torch.Tensor) -> np.ndarray:
        return (points[hand.arrays["anny_index"].long()] - wrist).double().numpy() @ frame.T

    # Of all shapes the one that this person's hand at rest has.
    own = laid(rest[0], heads[0, bones[0]])
    shapes = (hand.arrays["shapes"].double() * hand.arrays["shape_scales"].double()[:, None, None])[:, :1609]
    given = own[:1609] - hand.arrays["vertices"][:1609].double().numpy()
    shape = np.linalg.lstsq(shapes.flatten(1).numpy().T, given.ravel(), rcond=None)[0]
    # Fingers bend, and so does the wrist, which leaves the forearm where it is.
    vectors = generator.normal(0, 0.15, (16, 3))
    vectors[1:, 2] -= generator.uniform(0, 1, 15)
    turns = Rotation.from_rotvec(vectors).as_matrix()
    rotations = torch.eye(3).repeat(1, len(anny.bone_names), 1, 1)
    rotations[0, bones[:16]] = torch.from_numpy(frame.T @ turns @ frame).float()
    body = anny.pose(phenotypes, rotations)
    arm = torch.zeros(1, 6)
    arm[0, :3] = torch.from_numpy(-vectors[0])
    posed = hand.pose(torch.from_numpy(vectors.reshape(1, -1)), torch.from_numpy(shape)[None], arm, "arm")
    expected = laid(body.vertices[0], body.bone_heads[0, bones[0]])
    error = 1000 * np.linalg.norm(posed.vertices[0].numpy() - expected, axis=1)
    assert error[:1609].mean() < 0.4 and error[:1609].max() < 1.5
    # The arm follows from the shape of the hand alone.
    assert error[1609:].mean() < 15


def test_zeros_are_the_mean_hand_and_gradients_flow() -> None:
    hand = load_hand()
    posed = hand.pose(torch.zeros(2, 48), surface="template")
    torch.testing.assert_close(posed.vertices[0], hand.arrays["vertices"][hand.subset], atol=1e-6, rtol=0)
    pose = torch.zeros(1, 48, requires_grad=True)
    hand.pose(pose).joints[0, HAND_JOINT_NAMES.index("index_tip"), 1].backward()
    # A finger that bends about -z goes to the palm's side.
    assert pose.grad.view(16, 3)[TURNING_JOINTS.index("index1"), 2] < -0.05


def test_people_differ_as_people_do() -> None:
    hand, generator = load_hand(), torch.Generator().manual_seed(1)
    joints = hand.pose(torch.zeros(400, 48), torch.randn(400, 10, generator=generator)).joints
    length = joints[:, HAND_JOINT_NAMES.index("middle_tip")].norm(dim=1)
    assert 0.17 < length.quantile(0.25) < length.quantile(0.75) < 0.215
    assert length.std() > 0.008


def test_wrong_parameters_are_named() -> None:
    hand = load_hand()
    with pytest.raises(BodyError, match=r"Expected a pose \(B, 48\), .* got \(1, 45\)"):
        hand.pose(torch.zeros(1, 45))
    with pytest.raises(
        BodyError, match="Unknown surface 'glove' of a hand: choose one of template, full, arm"
    ):
        hand.pose(torch.zeros(1, 48), surface="glove")


def test_rotation_matrices() -> None:
    vectors = np.random.default_rng(0).normal(0, 1, (20, 3))
    found = rotation_matrices(torch.tensor(vectors))
    np.testing.assert_allclose(found, Rotation.from_rotvec(vectors).as_matrix(), atol=1e-9)
