"""How fast HMNet is on this machine, beside its peers: `python -m hmnet benchmark`.

Networks are timed in rounds, all of them in turn within each; ratios are taken round by round. The peers are
built here from their papers with random weights: their answers mean nothing, their time does. --json FILE
also draws FILE.png.
"""

import argparse
import json
import os
import platform
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import torch

from hmnet.checkpoint import load_checkpoint
from hmnet.errors import DataError, OutputError
from hmnet.figures.speed import draw
from hmnet.predictor import Predictor
from hmnet.speed.contestants import CONTESTANTS
from hmnet.speed.growth import by_people, by_template, by_users
from hmnet.speed.networks import Comparison, compare
from hmnet.speed.peak import matrix_peak
from hmnet.speed.pipeline import compare_engines
from hmnet.speed.runtimes import runtimes
from hmnet.speed.stopwatch import Spread

BATCHES = (1, 16)
ROUNDS, QUICK_ROUNDS = 7, 1
PEERS = {"hmnet_vs_hmr": "hmr", "hmnet_vs_graphcmr": "graphcmr", "hmnet_vs_vit_h": "vit-h"}
"""Name of a ratio -> the peer that HMNet is compared with, in the runtime that HMNet uses."""
USER_SECONDS = 4.0
ROW = "{:38}{:14}{:>6}{:>28}{:>7}{:>8}{:>8}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet benchmark`."""
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write everything to FILE, a chart beside it"
    )
    parser.add_argument(
        "--only", nargs="+", choices=sorted(CONTESTANTS), metavar="NAME",
        help=f"networks to time beside hmnet (default: all of {', '.join(CONTESTANTS)}; vit-h takes 6 GB)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS}; more take longer and say more")
    parser.add_argument(
        "--quick", action="store_true", help="one round, batch 1, no memory, nothing that grows: a trial"
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write what was asked for."""
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    if rounds < 1:
        raise DataError(f"Expected 1 or more --rounds, got {rounds}.")
    names = [name for name in CONTESTANTS if not options.only or name in {"hmnet", *options.only}]
    result = measure(names, rounds, options.quick)
    result["command"] = "python -m hmnet benchmark" + (" --quick" if options.quick else "")
    print(*lines(result), sep="\n")
    if options.json is not None:
        _write(options.json, result)


def measure(names: list[str], rounds: int, quick: bool) -> dict[str, Any]:
    """Everything, as it is written: ms, MB, GFLOPs; ratios are of times."""
    checkpoint = load_checkpoint()
    networks = compare(names, BATCHES[:1] if quick else BATCHES, rounds, memory=not quick)
    peaks = {runtime: matrix_peak(runtime, rounds) for runtime in runtimes()}
    pipeline, faster = compare_engines(checkpoint, rounds)
    result = {
        "machine": machine(),
        "networks": _rows(networks),
        "peak_gflops": peaks,
        "pipeline": {name: asdict(spread) for name, spread in pipeline.items()},
        **_ratios(networks, peaks, faster),
    }
    if not quick:
        predictor = Predictor(checkpoint)
        result["growth"] = {
            "template": _plain(by_template(checkpoint, rounds)),
            "people": _plain(by_people(predictor, rounds)),
            "users": by_users(predictor, USER_SECONDS),
        }
        result["engine"] = predictor.engine.words
    return result


def machine() -> dict[str, str | int]:
    """What was measured on."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines()
             if line.startswith("model name")] if info.is_file() else []  # fmt: skip
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }


def _rows(networks: Comparison) -> list[dict[str, Any]]:
    return [
        {
            **asdict(timing),
            "title": CONTESTANTS[timing.name].title,
            "parameters": networks.parameters[timing.name],
            "gigaflops": networks.gigaflops[timing.name],
        }
        for timing in networks.timings
    ]


def _ratios(networks: Comparison, peaks: dict[str, float], pipeline: Spread) -> dict[str, Any]:
    """ "ratios": medians by name; "spread": their 10th and 90th percentile. `pipeline`: against torch."""
    runtime = runtimes()[-1]
    found = {"pipeline_vs_torch_fp32": pipeline}
    found |= {
        name: networks.ratios[peer, runtime]
        for name, peer in PEERS.items()
        if (peer, runtime) in networks.ratios
    }
    times = {(timing.name, timing.runtime, timing.batch): timing.milliseconds for timing in networks.timings}
    own = times["hmnet", runtime, 1]
    speed = networks.gigaflops["hmnet"] * 1000 / peaks[runtime]
    # The longest time is the lowest share.
    found["share_of_peak"] = Spread(speed / own.median, speed / own.high, speed / own.low)
    return {
        "runtime": runtime,
        "ratios": {name: spread.median for name, spread in found.items()},
        "spread": {name: [spread.low, spread.high] for name, spread in found.items()},
        "ratios_by_runtime": [
            {"peer": peer, "runtime": where, **asdict(spread)}
            for (peer, where), spread in networks.ratios.items()
        ],
    }


def _plain(grown: dict[int, dict[str, Spread]]) -> dict[int, dict[str, dict[str, float]]]:
    return {count: {key: asdict(spread) for key, spread in row.items()} for count, row in grown.items()}


def lines(result: dict[str, Any]) -> list[str]:
    """The tables for a terminal."""
    where, peaks = result["machine"], result["peak_gflops"]
    return [
        f"{where['processor']}, {where['cores']} cores; torch {where['torch']}; {where['date']}",
        "",
        ROW.format("network", "runtime", "batch", "ms (10th to 90th)", "MB", "M par.", "GFLOPs"),
        *(_network_line(row) for row in result["networks"]),
        "",
        "photo in memory, box known, to mesh, full surface and camera:",
        *(f"  {name:38}{_span(time):>26} ms, {1000 / time['median']:.0f} a second"
          for name, time in result["pipeline"].items()),
        "",
        "matrix product, GFLOP/s: " + ", ".join(f"{name} {value:.0f}" for name, value in peaks.items()),
        "",
        f"ratios, in {result['runtime']}:",
        *(f"  {name:26}{value:8.2f} ({result['spread'][name][0]:.2f} to {result['spread'][name][1]:.2f})"
          for name, value in result["ratios"].items()),
    ]  # fmt: skip


def _network_line(row: dict[str, Any]) -> str:
    memory = "-" if row["memory"] is None else f"{row['memory']:.0f}"
    return ROW.format(
        row["title"], row["runtime"], row["batch"], _span(row["milliseconds"]), memory,
        f"{row['parameters'] / 1e6:.1f}", f"{row['gigaflops']:.2f}",
    )  # fmt: skip


def _span(time: dict[str, float]) -> str:
    return f"{time['median']:.1f} ({time['low']:.1f} to {time['high']:.1f})"


def _write(path: Path, result: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        draw(result).savefig(path.with_suffix(".png"))
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): choose another --json."
        ) from error
    print(f"{path} and {path.with_suffix('.png')} written.")
