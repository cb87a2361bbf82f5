"""Eq. 1, 2, 4 and 5."""

import pytest
import torch

from hmnet.losses import joint_loss, surface_joint_loss, surface_loss, total_loss

LOSSES = [surface_loss, joint_loss, surface_joint_loss]


def points(seed: int, count: int = 5) -> torch.Tensor:
    return torch.randn(2, count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_the_mean_distance(loss) -> None:
    a, b = points(0), points(1)
    expected = sum((a[i, j] - b[i, j]).norm() for i in range(2) for j in range(5)) / 10
    assert loss(a, b).item() == pytest.approx(expected.item(), abs=1e-4)
    assert loss(a, a + torch.tensor([0.0, 3.0, 4.0])).item() == pytest.approx(5, abs=1e-4)
    assert loss(a, a).item() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_reach_both_sides(loss) -> None:
    assert torch.autograd.gradcheck(loss, (points(0).requires_grad_(), points(1).requires_grad_()))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_finite_where_prediction_equals_truth(loss) -> None:
    a = points(0).requires_grad_()
    loss(a, a.detach()).backward()
    assert torch.equal(a.grad, torch.zeros_like(a))


def test_total_is_the_weighted_sum_of_its_terms() -> None:
    vertices, joints, regressed, gt_vertices, gt_joints = (points(i) for i in range(5))
    total, terms = total_loss(vertices, joints, regressed, gt_vertices, gt_joints, lambda1=0.5, lambda2=2.0)
    assert terms["surface"] == surface_loss(vertices, gt_vertices)
    assert terms["joint"] == joint_loss(joints, gt_joints)
    assert terms["surface_joint"] == surface_joint_loss(joints, regressed)
    assert total == terms["surface"] + 0.5 * terms["joint"] + 2 * terms["surface_joint"]
    inputs = tuple(points(i).requires_grad_() for i in range(5))
    assert torch.autograd.gradcheck(lambda *x: total_loss(*x, lambda1=0.5, lambda2=2.0)[0], inputs)
