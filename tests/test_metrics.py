"""Errors in millimetres, with and without alignment."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmnet.metrics import (
    joint_error,
    pa_joint_error,
    pa_surface_error,
    part_confusion,
    part_iou,
    similarity_align,
    surface_error,
)


def points(seed: int, batch: int = 3, count: int = 24) -> torch.Tensor:
    return torch.randn(batch, count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("metric", [surface_error, joint_error])
def test_errors_are_millimetres_per_body(metric) -> None:
    a = points(0)
    shift = torch.tensor([0.03, 0.0, 0.04]) * torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    torch.testing.assert_close(metric(a, a + shift), torch.tensor([0.0, 50.0, 100.0]).double())


@pytest.mark.parametrize("metric", [pa_surface_error, pa_joint_error])
def test_pa_error_is_zero_under_any_similarity(metric) -> None:
    a = points(1)
    rotation = torch.tensor(Rotation.random(3, rng=np.random.default_rng(0)).as_matrix())
    scale = torch.tensor([0.2, 1.0, 7.0])[:, None, None]
    moved = scale * a @ rotation.mT + torch.tensor([5.0, -2.0, 9.0])
    assert metric(a, moved).max() < 1e-9
    assert joint_error(a, moved).min() > 1000


def test_reflection_is_not_undone() -> None:
    a = points(2)
    assert pa_joint_error(a * torch.tensor([-1.0, 1.0, 1.0]), a).min() > 100


def test_alignment_beats_nearby_similarities() -> None:
    source, target = points(3), points(4)
    aligned = similarity_align(source, target)
    best = (aligned - target).square().sum((1, 2))
    turn = torch.tensor(Rotation.from_rotvec([0.02, -0.01, 0.03]).as_matrix())
    centre = aligned.mean(1, keepdim=True)
    for other in (aligned * 1.01, aligned + 0.01, (aligned - centre) @ turn + centre):
        assert (best < (other - target).square().sum((1, 2))).all()


def test_batch_equals_one_by_one() -> None:
    a, b = points(5), points(6)
    for i in range(3):
        torch.testing.assert_close(pa_joint_error(a, b)[i], pa_joint_error(a[i : i + 1], b[i : i + 1])[0])


def test_iou_of_a_known_confusion() -> None:
    true = torch.tensor([[0, 0, 1], [1, 2, 2]])
    predicted = torch.tensor([[0, 1, 1], [1, 2, 1]])
    mean_iou, person_iou = part_iou(part_confusion(predicted, true))
    assert person_iou == pytest.approx(4 / 5)
    assert mean_iou == pytest.approx((2 / 4 + 1 / 2) / 24)
