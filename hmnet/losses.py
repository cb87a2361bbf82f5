"""The paper's losses, one function an equation (HumanMeshNet, section 3.3).

All take points in metres, (B, N, 3), and return a scalar: the Euclidean distance of corresponding points,
averaged over points and batch.
"""

import torch

SMOOTHING = 1e-8
"""m^2; rounds the norm's tip off within 0.1 mm of zero, so that the gradient exists at zero too."""


def surface_loss(pred_vertices: torch.Tensor, gt_vertices: torch.Tensor) -> torch.Tensor:
    """Eq. 1: regularised predicted vertices (B, V, 3) against the true ones."""
    return _mean_distance(pred_vertices, gt_vertices)


def joint_loss(pred_joints: torch.Tensor, gt_joints: torch.Tensor) -> torch.Tensor:
    """Eq. 2: the joint branch's output (B, J, 3) against the true joints."""
    return _mean_distance(pred_joints, gt_joints)


def surface_joint_loss(pred_joints: torch.Tensor, regressed_joints: torch.Tensor) -> torch.Tensor:
    """Eq. 4: the joint branch (B, J, 3) against the joints regressed from the predicted surface.

    Gradients flow into both, which is what makes the two branches agree.
    """
    return _mean_distance(pred_joints, regressed_joints)


def total_loss(
    pred_vertices: torch.Tensor,
    pred_joints: torch.Tensor,
    regressed_joints: torch.Tensor,
    gt_vertices: torch.Tensor,
    gt_joints: torch.Tensor,
    lambda1: float = 1.0,
    lambda2: float = 1.0,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Eq. 5: surface + lambda1 * joint + lambda2 * surface-joint; the total and its unweighted terms.

    pred_vertices, gt_vertices: (B, V, 3). pred_joints, regressed_joints, gt_joints: (B, J, 3). Metres.
    """
    terms = {
        "surface": surface_loss(pred_vertices, gt_vertices),
        "joint": joint_loss(pred_joints, gt_joints),
        "surface_joint": surface_joint_loss(pred_joints, regressed_joints),
    }
    return terms["surface"] + lambda1 * terms["joint"] + lambda2 * terms["surface_joint"], terms


def _mean_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    squared = (a - b).square().sum(-1)
    return (squared + SMOOTHING).sqrt().mean() - SMOOTHING**0.5
