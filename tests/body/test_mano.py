"""MANO from a file: 21 joints in the usual order, parts by finger, posed as its paper says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fake_smpl import HAND_PARENTS, mano_arrays
from test_licensed import naive_skinning

from hmnet.body import load_body
from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, HAND_PART_NAMES
from hmnet.body.mano import TIP_VERTICES, load_mano, mano_template
from hmnet.errors import BodyError


def test_sizes_and_frame(licensed_bodies: Path) -> None:
    hand = load_body("mano")
    assert hand.vertices.shape == (778, 3) and hand.faces.shape == (1538, 3)
    assert hand.joint_names == hand.keypoint_names == HAND_JOINT_NAMES and len(HAND_JOINT_NAMES) == 21
    assert hand.joint_names[:6] == ("wrist", "thumb1", "thumb2", "thumb3", "thumb_tip", "index1")
    joints = dict(zip(hand.joint_names, hand.regress_joints(hand.vertices), strict=True))
    assert joints["wrist"].norm() < 1e-6
    # The right hand of a person who faces the viewer, arm stretched out: it points to the picture's left.
    assert joints["middle_tip"][0] < joints["middle1"][0] < 0
    assert joints["thumb1"][2] < joints["pinky1"][2]
    for finger, vertex in TIP_VERTICES.items():
        torch.testing.assert_close(joints[f"{finger}_tip"], hand.vertices[vertex])
        # A finger's joints follow each other outwards.
        reach = [joints[f"{finger}{place}"].norm() for place in ("1", "2", "3", "_tip")]
        assert reach == sorted(reach), finger


def test_operators(licensed_bodies: Path) -> None:
    hand = load_body("mano")
    for operator in (hand.joint_regressor, hand.keypoint_regressor, hand.upsampling):
        dense = operator.to_dense() if operator.is_sparse else operator
        torch.testing.assert_close(dense.sum(1), torch.ones(len(dense)), atol=1e-5, rtol=0)
    assert torch.equal(hand.upsample(hand.vertices), hand.vertices)
    assert torch.equal(hand.mirror[hand.mirror], torch.arange(778))


def test_every_bone_has_its_part(licensed_bodies: Path) -> None:
    hand = load_body("mano")
    counts = torch.bincount(hand.face_parts, minlength=len(HAND_PART_NAMES))
    assert counts[0] == 0 and (counts[1:] > 0).all() and len(counts) == 17
    # Each finger's end lies at its tip.
    centres = hand.vertices[hand.faces].mean(1)
    for finger in FINGERS:
        tip = hand.vertices[TIP_VERTICES[finger]]
        distances = torch.stack(
            [
                (centres[hand.face_parts == part] - tip).norm(dim=1).mean()
                for part, name in enumerate(HAND_PART_NAMES)
                if name.startswith(finger)
            ]
        )
        assert distances.argmin() == 2, finger


def test_the_left_hand_mirrors_the_right_one(licensed_folder: Path) -> None:
    left, right = (mano_template(side, licensed_folder) for side in ("left", "right"))
    torch.testing.assert_close(left.vertices, right.vertices * torch.tensor([-1.0, 1, 1]), atol=1e-6, rtol=0)
    with pytest.raises(BodyError, match="Unknown side 'both' of MANO: choose right or left"):
        mano_template("both", licensed_folder)


def test_posing_agrees_with_a_slow_loop(licensed_folder: Path) -> None:
    pytest.importorskip("body_models")
    hand = load_mano("right", licensed_folder)
    generator = torch.Generator().manual_seed(2)
    pose, shape = torch.randn(2, 48, generator=generator) * 0.3, torch.randn(2, 10, generator=generator)
    posed = hand.pose(pose, shape)
    assert posed.vertices.shape == (2, 778, 3) and posed.joints.shape == (2, 16, 3)
    vertices, joints = naive_skinning(mano_arrays(), HAND_PARENTS, pose[1].double().numpy(), shape[1].numpy())
    np.testing.assert_allclose(posed.vertices[1], vertices, atol=1e-5)
    np.testing.assert_allclose(posed.joints[1], joints, atol=1e-5)


def test_zeros_are_the_flat_hand_and_the_mean_pose_is_not(licensed_folder: Path) -> None:
    pytest.importorskip("body_models")
    hand = load_mano("right", licensed_folder)
    flat, _ = hand.pose(torch.zeros(1, 48))
    torch.testing.assert_close(flat[0], hand.rest_vertices, atol=1e-6, rtol=0)
    curled, _ = hand.pose(torch.cat([torch.zeros(3), hand.hand_mean])[None])
    assert (curled - flat).norm(dim=-1).mean() > 1e-3
    with pytest.raises(BodyError, match=r"Expected a pose \(B, 48\)"):
        hand.pose(torch.zeros(1, 45))
