"""Clips with a truth: errors, jitter against the true movement, frames without anybody."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hmnet.body import load_body
from hmnet.figures import clip
from hmnet.figures.clip import CLIPS, WAYS, errors, jitter

BODY = load_body()


def frame(shift: float, box=(0, 0, 10, 20)) -> SimpleNamespace:
    """The template moved to the right by so many m; as a true frame and as a prediction alike."""
    vertices = BODY.vertices + torch.tensor([shift, 0, 0])
    joints = BODY.regress_joints(vertices).numpy()
    return SimpleNamespace(
        vertices=vertices.numpy(), joints=joints, regressed_joints=joints, box=np.array(box, float)
    )


def test_a_constant_offset_is_an_error_without_jitter():
    truth = [frame(0.01 * t) for t in range(6)]
    found = [frame(0.01 * t + 0.05, (0, 0, 10, 10)) for t in range(6)]
    row = errors(found, truth)
    assert row["surface"] == pytest.approx(50, abs=0.1) and row["PA surface"] == pytest.approx(0, abs=0.1)
    assert row["jitter"] == pytest.approx(0, abs=0.01)
    assert row["box overlap"] == pytest.approx(0.5) and row["lost"] == 0


def test_jitter_is_acceleration_beside_the_truth():
    truth = [frame(0.0) for _ in range(5)]
    found = [frame(0.01 * (t % 2)) for t in range(5)]
    # Second differences of 0, 10, 0, 10, 0 mm are 20 mm a frame squared.
    assert jitter(found, truth) == pytest.approx(20, abs=0.01)


def test_lost_frames_count_once():
    truth = [frame(0.0) for _ in range(5)]
    found = [frame(0.0), None, frame(0.0), frame(0.0), frame(0.0)]
    row = errors(found, truth)
    assert row["lost"] == 1 and row["surface"] == 0 and row["jitter"] == 0


def test_seeds_that_the_filter_was_set_by_are_not_reported():
    assert not {seed for _, seed in CLIPS} & {1, 2, 4, 5, 8}


def test_the_chart(monkeypatch):
    row = {"surface": 1.0, "PA surface": 1.0, "jitter": 2.0, "box overlap": 1.0, "lost": 0.0}
    heights = {way: np.zeros(4) for way in ("true", *WAYS)}
    figure = clip.draw({"ways": {way: row for way in WAYS}}, "waving", heights)
    assert (
        len(figure.axes[0].lines) == 4 and [bar.get_height() for bar in figure.axes[1].patches] == [2.0] * 3
    )
