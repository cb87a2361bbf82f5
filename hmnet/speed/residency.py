"""How much memory this process holds, and whether it grows from photo to photo."""

from collections.abc import Callable

import numpy as np

from hmnet.speed.memory import peak, status_of


def resident() -> float:
    """MB that this process has in memory now; where the system does not say, the most that it had."""
    told = status_of("VmRSS")
    return peak() if told is None else told


def growth(call: Callable[[int], object], count: int) -> dict[str, float]:
    """MB while `call` is made for 0 to count - 1: "at first", "at last", "peak", and "per hundred", the slope
    over the second half by least squares."""
    held = [resident()]
    for index in range(count):
        call(index)
        held.append(resident())
    half = np.array(held[len(held) // 2 :])
    slope = np.polyfit(np.arange(len(half)), half, 1)[0] if len(half) > 1 else 0.0
    return {"at first": held[1], "at last": held[-1], "peak": peak(), "per hundred": 100 * float(slope)}
