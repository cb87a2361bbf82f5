"""Times that can be compared on a machine that others use too: in rounds, each with everybody in turn."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

REST = 0.25
"""Seconds before each turn: torch's threads keep the cores busy for a while after they have nothing to do."""
LOW, HIGH = 10, 90
"""Percentiles that a spread is given by."""


@dataclass(frozen=True)
class Spread:
    """A median and the spread around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray) -> "Spread":
        """The median with the 10th and the 90th percentile."""
        low, median, high = np.percentile(values, [LOW, 50, HIGH])
        return cls(float(median), float(low), float(high))


def in_rounds(
    calls: Mapping[str, Callable[[], object]], rounds: int, turn: float = 0.15, rest: float = REST
) -> dict[str, np.ndarray]:
    """Seconds a call, (rounds,) by name: of each round the median of as many calls as fit into a turn.

    turn: seconds that one contestant has in a round; it calls once at least, and once before, uncounted.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            time.sleep(rest)
            call()
            times[name].append(_median_of_turn(call, turn))
    return {name: np.array(values) for name, values in times.items()}


def _median_of_turn(call: Callable[[], object], turn: float) -> float:
    laps: list[float] = []
    end = time.perf_counter() + turn
    while not laps or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        laps.append(time.perf_counter() - start)
    return float(np.median(laps))


def ratio(slower: np.ndarray, faster: np.ndarray) -> Spread:
    """How many times faster, round by round: (rounds,) seconds of each."""
    return Spread.of(slower / faster)
