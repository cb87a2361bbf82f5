"""Errors in millimetres, with and without alignment."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmnet.metrics import (
    bootstrap_interval,
    each_part_iou,
    joint_error,
    pa_joint_error,
    pa_point_errors,
    pa_surface_error,
    part_confusion,
    part_iou,
    part_means,
    point_errors,
    similarity_align,
    similarity_fit,
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


def test_errors_of_points_are_what_the_mean_is_taken_of() -> None:
    a, b = points(7), points(8)
    assert point_errors(a, b).shape == (3, 24)
    expected = 1000 * np.linalg.norm((a - b).numpy(), axis=-1)
    np.testing.assert_allclose(point_errors(a, b), expected, rtol=1e-12)
    torch.testing.assert_close(pa_point_errors(a, b).mean(1), pa_joint_error(a, b))
    assert (pa_joint_error(a, b) < joint_error(a, b)).all()


def test_part_means_equal_a_slow_loop() -> None:
    generator = np.random.default_rng(9)
    parts = torch.from_numpy(generator.integers(1, 24, 200))
    errors = torch.from_numpy(generator.random((3, 200)))
    means = part_means(errors, parts)
    for part in range(1, 24):
        torch.testing.assert_close(means[:, part - 1], errors[:, parts == part].mean(1))
    # Part 24 has no vertex here.
    assert means.shape == (3, 24) and means[:, 23].isnan().all()


def test_the_rotation_that_was_undone_is_given_back() -> None:
    a = points(10)
    turns = Rotation.random(3, rng=np.random.default_rng(1))
    aligned, rotation = similarity_fit(a, 3 * a @ torch.tensor(turns.as_matrix()).mT + 1)
    np.testing.assert_allclose(rotation, turns.as_matrix(), atol=1e-12)
    torch.testing.assert_close(aligned, 3 * a @ rotation.mT + 1)


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
    torch.testing.assert_close(
        each_part_iou(part_confusion(predicted, true)), torch.tensor([2 / 4, 1 / 2, *[0.0] * 22]).double()
    )


def test_bootstrap_interval_has_the_width_that_theory_gives() -> None:
    values = np.random.default_rng(0).normal([100.0, 7.0], [20.0, 0.0], (400, 2))
    low, high = bootstrap_interval(values)
    assert low[0] < values[:, 0].mean() < high[0]
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * 20 / np.sqrt(400), rel=0.1)
    assert low[1] == high[1] == pytest.approx(7)
    # A column's interval does not depend on what stands beside it.
    np.testing.assert_allclose(bootstrap_interval(values[:, :1]), (low[:1], high[:1]))
