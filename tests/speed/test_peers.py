"""The peers have their papers' sizes and give meshes; the skinning is SMPL's."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmnet.speed.peers import GraphCmr, Hmr, VitRegressor
from hmnet.speed.skinning import JOINTS, RandomSmpl, from_axis_angle, from_six_numbers


@pytest.mark.parametrize(
    ("peer", "millions"),
    # HMR: ResNet-50 without its classifier (23.5) and the regressor (3.3). HMR 2.0: published as 670 M.
    [(Hmr, 26.8), (GraphCmr, 25.3), (VitRegressor, 670.5)],
)
def test_parameters(peer, millions):
    with torch.device("meta"):
        network = peer()
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def small_vit() -> VitRegressor:
    return VitRegressor(depth=1, width=64, decoder_depth=1)


@pytest.mark.parametrize(("peer", "size"), [(Hmr, (64, 64)), (GraphCmr, (64, 64)), (small_vit, (256, 192))])
def test_each_picture_gets_a_mesh_of_its_own(peer, size):
    torch.manual_seed(0)
    network = peer().eval()
    pictures = torch.randn(2, 3, *size)
    with torch.inference_mode():
        both = network(pictures)
        alone = network(pictures[1:])
    assert both.shape == (2, 6890, 3) and both.isfinite().all()
    assert not torch.allclose(both[0], both[1])
    torch.testing.assert_close(both[1:], alone, atol=1e-4, rtol=1e-3)


def test_rotations_are_rotations():
    vectors = torch.randn(5, 3)
    expected = Rotation.from_rotvec(vectors.numpy()).as_matrix()
    np.testing.assert_allclose(from_axis_angle(vectors).numpy(), expected, atol=1e-5)
    turned = from_six_numbers(torch.randn(5, 6))
    torch.testing.assert_close(
        turned @ turned.transpose(1, 2), torch.eye(3).expand(5, 3, 3), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(torch.linalg.det(turned), torch.ones(5), atol=1e-5, rtol=0)


def test_a_turn_of_the_root_turns_the_whole_body():
    torch.manual_seed(1)
    smpl, still = RandomSmpl(), torch.eye(3).expand(1, JOINTS, 3, 3).clone()
    # What blends belong to no joint alone; weights of a vertex add up to one.
    smpl.weights.copy_(smpl.weights.softmax(1))
    betas = torch.randn(1, 10)
    rest = smpl(still, betas)
    torch.testing.assert_close(rest[0], smpl.template + (betas @ smpl.shapes).view(-1, 3), atol=1e-5, rtol=0)
    turn = from_axis_angle(torch.tensor([0.2, 0.4, -0.3]))
    turned = still.clone()
    turned[:, 0] = turn
    root = (smpl.regressor @ rest[0])[0]
    torch.testing.assert_close(smpl(turned, betas)[0], (rest[0] - root) @ turn.T + root, atol=1e-4, rtol=0)
