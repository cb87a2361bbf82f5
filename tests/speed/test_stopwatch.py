"""Rounds, medians, ratios by rounds."""

import numpy as np
import pytest

from hmnet.speed import stopwatch
from hmnet.speed.stopwatch import Spread, in_rounds, ratio


def test_spreads():
    spread = Spread.of(np.arange(101.0))
    assert spread == Spread(50, 10, 90)


def test_ratios_are_taken_round_by_round():
    # The machine was half as fast in the second round: the ratio does not care.
    assert ratio(np.array([4.0, 8.0, 4.0]), np.array([2.0, 4.0, 2.0])) == Spread(2, 2, 2)


def test_each_has_a_turn_in_each_round(monkeypatch):
    now, order = [0.0], []
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stopwatch.time, "sleep", lambda seconds: None)

    def contestant(name, seconds):
        def call():
            order.append(name)
            now[0] += seconds

        return call

    times = in_rounds({"slow": contestant("slow", 0.4), "fast": contestant("fast", 0.1)}, 2, turn=0.3)
    np.testing.assert_allclose(times["slow"], [0.4, 0.4])
    np.testing.assert_allclose(times["fast"], [0.1, 0.1])
    # Once uncounted, then as often as fits into a turn, once at least.
    one_round = ["slow"] * 2 + ["fast"] * 4
    assert order[:2] == ["slow", "slow"] and order == one_round * 2


def test_a_turn_gives_its_median(monkeypatch):
    laps = iter([9.0, 1.0, 2.0, 30.0])
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stopwatch.time, "sleep", lambda seconds: None)

    def call():
        now[0] += next(laps)

    assert in_rounds({"": call}, 1, turn=20)[""] == pytest.approx([2.0])
