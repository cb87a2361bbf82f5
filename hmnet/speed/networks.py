"""Networks side by side: parameters, operations, memory, milliseconds in each runtime, and their ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hmnet.speed.contestants import CONTESTANTS, Contestant, built
from hmnet.speed.memory import peak_memory
from hmnet.speed.runtimes import prepared, runtimes
from hmnet.speed.stopwatch import Spread, in_rounds, ratio

HUGE = 300e6
"""Parameters from which on a network is timed at batch 1 alone, and in torch and the last runtime alone."""


@dataclass(frozen=True)
class Timing:
    """One network in one runtime: ms a call and peak MB at a batch; memory None where it was not measured."""

    name: str
    runtime: str
    batch: int
    milliseconds: Spread
    memory: float | None


@dataclass(frozen=True)
class Comparison:
    """parameters: by name. gigaflops: of one picture, by name; a multiplication with its addition is two.

    timings: every network in every runtime. ratios: how many times longer a peer takes than "hmnet" in the
    same runtime at batch 1, by (peer, runtime).
    """

    parameters: dict[str, int]
    gigaflops: dict[str, float]
    timings: list[Timing]
    ratios: dict[tuple[str, str], Spread]


def compare(names: Sequence[str], batches: Sequence[int], rounds: int, memory: bool = True) -> Comparison:
    """Times the contestants of these names, "hmnet" among them, in turn within each round."""
    modules = {name: built(CONTESTANTS[name]) for name in names}
    parameters = {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items()}
    gigaflops = {name: operations(module, CONTESTANTS[name]) for name, module in modules.items()}
    timings, ratios = [], {}
    for runtime in runtimes():
        for batch in batches:
            seconds = _times(modules, parameters, runtime, batch, rounds)
            timings += [
                Timing(name, runtime, batch, Spread.of(1000 * values),
                       peak_memory(name, runtime, batch) if memory else None)
                for name, values in seconds.items()
            ]  # fmt: skip
            if batch == 1 and "hmnet" in seconds:
                peers = [name for name in seconds if CONTESTANTS[name].peer]
                ratios |= {(name, runtime): ratio(seconds[name], seconds["hmnet"]) for name in peers}
    return Comparison(parameters, gigaflops, timings, ratios)


def _times(
    modules: dict[str, nn.Module], parameters: dict[str, int], runtime: str, batch: int, rounds: int
) -> dict[str, np.ndarray]:
    calls = {}
    for name, module in modules.items():
        if parameters[name] > HUGE and (batch > 1 or runtime not in (runtimes()[0], runtimes()[-1])):
            continue
        calls[name] = prepared(module, CONTESTANTS[name].inputs(batch), runtime)
    return in_rounds(calls, rounds)


def operations(module: nn.Module, contestant: Contestant) -> float:
    """Billions of floating-point operations (2 a multiply-add) of one picture, in layers and products."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module(*(torch.from_numpy(array) for array in contestant.inputs(1)))
    return counter.get_total_flops() / 1e9
