"""The paper's metrics (HumanMeshNet, section 4): metres in, millimetres out, one number a body."""

import torch


def surface_error(pred_vertices: torch.Tensor, gt_vertices: torch.Tensor) -> torch.Tensor:
    """Mean per-vertex distance (B,) in mm of vertices (B, V, 3) in metres."""
    return _mean_distance_mm(pred_vertices, gt_vertices)


def joint_error(pred_joints: torch.Tensor, gt_joints: torch.Tensor) -> torch.Tensor:
    """Mean per-joint distance, MPJPE, (B,) in mm of root-relative joints (B, J, 3) in metres."""
    return _mean_distance_mm(pred_joints, gt_joints)


def pa_surface_error(pred_vertices: torch.Tensor, gt_vertices: torch.Tensor) -> torch.Tensor:
    """`surface_error` after the prediction is laid over the truth by `similarity_align`."""
    return _mean_distance_mm(similarity_align(pred_vertices, gt_vertices), gt_vertices)


def pa_joint_error(pred_joints: torch.Tensor, gt_joints: torch.Tensor) -> torch.Tensor:
    """`joint_error` after the prediction is laid over the truth by `similarity_align` (PA-MPJPE)."""
    return _mean_distance_mm(similarity_align(pred_joints, gt_joints), gt_joints)


def similarity_align(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Source (B, N, 3) moved by the scale, rotation and translation that lay it closest to the target.

    Least squares in closed form (Umeyama 1991); a reflection is never used, so a mirrored body stays wrong.
    """
    source_mean = source.mean(-2, keepdim=True)
    target_mean = target.mean(-2, keepdim=True)
    centred, wanted = source - source_mean, target - target_mean
    u, singular, vh = torch.linalg.svd(wanted.mT @ centred)
    sign = torch.ones_like(singular)
    sign[..., -1] = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()
    rotation = (u * sign[..., None, :]) @ vh
    variance = centred.square().sum((-2, -1)).clamp(min=torch.finfo(source.dtype).tiny)
    scale = (singular * sign).sum(-1) / variance
    return scale[..., None, None] * centred @ rotation.mT + target_mean


def _mean_distance_mm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return 1000 * (a - b).norm(dim=-1).mean(-1)


def part_confusion(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Counts (25, 25) int64 of part ids of any equal shape: rows are true, columns predicted."""
    return torch.bincount(true.flatten() * 25 + predicted.flatten(), minlength=625).reshape(25, 25)


def part_iou(confusion: torch.Tensor) -> tuple[float, float]:
    """From counts (25, 25): mean IoU of the 24 parts, and IoU of person against background."""
    overlap = confusion.diag().double()
    union = confusion.sum(0) + confusion.sum(1) - overlap
    person = confusion[1:, 1:].sum().double()
    either = confusion.sum() - confusion[0, 0]
    return float((overlap / union.clamp(min=1))[1:].mean()), float(person / either.clamp(min=1))
