"""The paper's metrics (HumanMeshNet, section 4): metres in, millimetres out, one number a body or a point."""

import numpy as np
import torch

PART_COUNT = 24
"""Parts of a whole body, where nothing else is said."""
RESAMPLES = 1000


def surface_error(pred_vertices: torch.Tensor, gt_vertices: torch.Tensor) -> torch.Tensor:
    """Mean per-vertex distance (B,) in mm of vertices (B, V, 3) in metres."""
    return point_errors(pred_vertices, gt_vertices).mean(-1)


def joint_error(pred_joints: torch.Tensor, gt_joints: torch.Tensor) -> torch.Tensor:
    """Mean per-joint distance, MPJPE, (B,) in mm of root-relative joints (B, J, 3) in metres."""
    return point_errors(pred_joints, gt_joints).mean(-1)


def pa_surface_error(pred_vertices: torch.Tensor, gt_vertices: torch.Tensor) -> torch.Tensor:
    """`surface_error` after the prediction is laid over the truth by `similarity_align`."""
    return pa_point_errors(pred_vertices, gt_vertices).mean(-1)


def pa_joint_error(pred_joints: torch.Tensor, gt_joints: torch.Tensor) -> torch.Tensor:
    """`joint_error` after the prediction is laid over the truth by `similarity_align` (PA-MPJPE)."""
    return pa_point_errors(pred_joints, gt_joints).mean(-1)


def point_errors(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Distance (B, N) in mm of each of the points (B, N, 3) in metres."""
    return 1000 * (predicted - true).norm(dim=-1)


def pa_point_errors(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """`point_errors` after all points of a body together are laid over the truth by `similarity_align`."""
    return point_errors(similarity_align(predicted, true), true)


def part_means(
    errors: torch.Tensor, vertex_parts: torch.Tensor, part_count: int = PART_COUNT
) -> torch.Tensor:
    """Means (B, P) over the vertices of each part, of errors (B, V) and part ids (V,) in 1..P.

    A part without a vertex is NaN. part_count: P, 24 for a whole body.
    """
    members = torch.nn.functional.one_hot(vertex_parts, part_count + 1)[:, 1:].to(errors)
    return errors @ members / members.sum(0)


def similarity_align(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Source (B, N, 3) moved by the scale, rotation and translation that lay it closest to the target.

    Least squares in closed form (Umeyama 1991); a reflection is never used, so a mirrored body stays wrong.
    """
    return similarity_fit(source, target)[0]


def similarity_fit(source: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`similarity_align`'s points (B, N, 3), and the rotations (B, 3, 3) that it turned the bodies by."""
    source_mean = source.mean(-2, keepdim=True)
    target_mean = target.mean(-2, keepdim=True)
    centred, wanted = source - source_mean, target - target_mean
    u, singular, vh = torch.linalg.svd(wanted.mT @ centred)
    sign = torch.ones_like(singular)
    sign[..., -1] = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()
    rotation = (u * sign[..., None, :]) @ vh
    variance = centred.square().sum((-2, -1)).clamp(min=torch.finfo(source.dtype).tiny)
    scale = (singular * sign).sum(-1) / variance
    return scale[..., None, None] * centred @ rotation.mT + target_mean, rotation


def part_confusion(predicted: torch.Tensor, true: torch.Tensor, part_count: int = PART_COUNT) -> torch.Tensor:
    """Counts (P + 1, P + 1) int64 of part ids of any equal shape: rows are true, columns predicted.

    part_count: P, 24 for a whole body.
    """
    ids = part_count + 1
    pairs = true.flatten() * ids + predicted.flatten()
    return torch.bincount(pairs, minlength=ids**2).reshape(ids, ids)


def each_part_iou(confusion: torch.Tensor) -> torch.Tensor:
    """IoU (24,) float64 of each part from counts (25, 25); 0 for a part that is neither there nor found."""
    overlap = confusion.diag().double()
    union = confusion.sum(0) + confusion.sum(1) - overlap
    return (overlap / union.clamp(min=1))[1:]


def part_iou(confusion: torch.Tensor) -> tuple[float, float]:
    """From counts (25, 25): mean IoU of the 24 parts, and IoU of person against background."""
    person = confusion[1:, 1:].sum().double()
    either = confusion.sum() - confusion[0, 0]
    return float(each_part_iou(confusion).mean()), float(person / either.clamp(min=1))


def bootstrap_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (K,) each of the 95 % interval of the means of values (N, K), the N bodies drawn anew.

    All columns see the same draws, which are the same in every call; N is at least 1.
    """
    count = len(values)
    # How often each body is drawn; so a resampled mean is a row of one matrix product.
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    low, high = np.percentile(draws @ values / count, [2.5, 97.5], axis=0)
    return low, high
