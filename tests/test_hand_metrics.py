"""AUC of PCK and F-scores against exact cases and a slow loop."""

import numpy as np
import pytest
import torch

from hmnet.hand_metrics import f_scores, pck_auc


def test_the_area_is_what_a_single_error_leaves() -> None:
    assert pck_auc(np.zeros((3, 21))) == pytest.approx(1)
    assert pck_auc(np.full((3, 21), 60.0)) == 0
    # All within from 20 mm on, up to half a step.
    assert pck_auc(np.full((3, 21), 20.0)) == pytest.approx(0.6, abs=0.006)
    halves = np.stack([np.full(21, 10.0), np.full(21, 30.0)])
    assert pck_auc(halves) == pytest.approx((0.8 + 0.4) / 2, abs=0.006)


def test_scores_of_a_shifted_line_of_points() -> None:
    true = torch.zeros(1, 10, 3)
    true[0, :, 0] = torch.arange(10) * 0.1
    for shift, expected in ((0.004, (1, 1)), (0.01, (0, 1)), (0.02, (0, 0))):
        scores = f_scores(true + torch.tensor([0, shift, 0]), true)
        assert (scores["F@5"].item(), scores["F@15"].item()) == pytest.approx(expected)


def test_scores_agree_with_a_slow_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, true = (0.02 * torch.randn(2, 40, 3, generator=generator) for _ in range(2))
    scores = f_scores(predicted, true)
    for row in range(2):
        for threshold in (5, 15):
            near = [min(float((p - t).norm()) for t in true[row]) for p in predicted[row]]
            back = [min(float((p - t).norm()) for p in predicted[row]) for t in true[row]]
            p, r = (sum(1000 * d <= threshold for d in side) / 40 for side in (near, back))
            assert scores[f"F@{threshold}"][row].item() == pytest.approx(
                2 * p * r / max(p + r, 1e-9), abs=1e-6
            )
