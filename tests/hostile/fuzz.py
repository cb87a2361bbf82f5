"""Give every reader thousands of mutated and hostile files: `python -m tests.hostile.fuzz --count 10000`.

Each is read, or refused in one sentence; a crash, a hang, any other error and too much memory count as
failed. Exits with 1 where something failed.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from .corpus import KINDS, cases
from .pool import Pool
from .worker import FAILED, READ, REFUSED, USUAL, Limits, Outcome

PACKAGES = ("pillow", "trimesh", "av", "numpy", "safetensors", "torch", "gradio")
ENTRANCES = f"{__package__}.entrances"


def fuzzed(count: int, seed: int, workers: int = 2, limits: Limits = USUAL) -> Iterator[Outcome]:
    """What comes of so many cases."""
    with Pool(ENTRANCES, limits, workers) as pool:
        yield from pool.run(cases(count, seed))


def report(outcomes: Iterable[Outcome], seed: int, limits: Limits = USUAL) -> dict:
    """What the JSON holds: counts by kind, the slowest case, the peak of memory, the versions."""
    outcomes = list(outcomes)
    by_kind = {kind: Counter(one.verdict for one in outcomes if one.case.kind == kind) for kind in KINDS}
    slowest = max(outcomes, key=lambda one: one.seconds)
    largest = max(outcomes, key=lambda one: one.memory)
    return {
        "date": date.today().isoformat(),
        "seed": seed,
        "cases": len(outcomes),
        "limits": {"seconds": limits.seconds, "memory": limits.memory},
        "kinds": {
            kind: {verdict: counts[verdict] for verdict in (READ, REFUSED, FAILED)}
            for kind, counts in by_kind.items()
        },
        "slowest": {
            "kind": slowest.case.kind,
            "case": slowest.case.name,
            "seconds": round(slowest.seconds, 2),
        },
        "largest": {"kind": largest.case.kind, "case": largest.case.name, "memory": round(largest.memory)},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def keep(folder: Path, outcome: Outcome) -> Path:
    """Write a case that failed, and beside it what happened; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(outcome.case.data).hexdigest()[:12]
    path = folder / f"{outcome.case.kind.replace(' ', '-')}-{mark}"
    path.write_bytes(outcome.case.data)
    path.with_name(path.name + ".txt").write_text(f"{outcome.case.name}\n{outcome.words}\n", encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="cases (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal cases")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the report")
    parser.add_argument("--keep", type=Path, help="folder for the cases that failed")
    options = parser.parse_args(arguments)
    start, outcomes = time.monotonic(), []
    for outcome in fuzzed(options.count, options.seed, options.workers):
        outcomes.append(outcome)
        if outcome.verdict == FAILED:
            kept = keep(options.keep, outcome) if options.keep else ""
            print(f"{outcome.case.kind}, {outcome.case.name}: {outcome.words} {kept}", flush=True)
        elif len(outcomes) % 1000 == 0:
            print(f"{len(outcomes)} cases, {time.monotonic() - start:.0f} s", flush=True)
    told = {**report(outcomes, options.seed), "seconds": round(time.monotonic() - start)}
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(told["kinds"], indent=1),
        told["slowest"],
        told["largest"],
        f"{told['seconds']} s",
        sep="\n",
    )
    return int(any(outcome.verdict == FAILED for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
