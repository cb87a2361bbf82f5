"""A public day in some minutes: many visitors at once before a fresh server, each with a photo of their own.

Counts refusals, errors and meshes that are not those of a visitor's own photo, takes times and memory, and
writes them as JSON, from which `python -m hmnet results` makes a section of RESULTS.md. Ends with 1 where
anything but the server's own refusal went wrong.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from hmnet.benchmark import machine
from hmnet.checkpoint import load_checkpoint
from hmnet.predictor import Predictor
from tests.load.photos import Photo, make_photos
from tests.load.protocol import Layout
from tests.load.server import resident_megabytes, served
from tests.load.visitor import LEAVES, THINKS, Tally, Visitor

SAMPLED = 5.0
"""Seconds between two looks at the server's memory."""


async def run(address: str, photos: list[Photo], visitors: int, seconds: float) -> dict:
    """The figures of so many visitors at once for so long, each with one of the photos."""
    tally, memory = Tally(), []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=60.0, limits=limits) as client:
        layout = Layout((await client.get("/config")).json())
        start = time.monotonic()
        watching = asyncio.create_task(_watch(client, memory, start))
        people = (Visitor(client, layout, photos, i % len(photos), tally) for i in range(visitors))
        await asyncio.gather(*(one.keep_visiting(start + seconds) for one in people))
        taken = time.monotonic() - start
        watching.cancel()
        ready = (await client.get("/readyz")).status_code == httpx.codes.OK
    return {
        "visitors": visitors,
        "seconds": round(taken, 1),
        "thinks": THINKS,
        "leaves": LEAVES,
        **{name: tally.counts[name] for name in ("visits", "refused", "left while waiting", "meshes checked",
                                                 "files checked")},
        "errors": dict(tally.errors),
        "times": {what: _summary(times) for what, times in tally.seconds.items()},
        "memory": memory,
        "ready afterwards": ready,
    }  # fmt: skip


async def _watch(client: httpx.AsyncClient, memory: list, start: float) -> None:
    while True:
        figures = (await client.get("/metrics")).text
        memory.append([round(time.monotonic() - start, 1), round(resident_megabytes(figures), 1)])
        await asyncio.sleep(SAMPLED)


def _summary(times: list[float]) -> dict:
    p50, p95, most = np.percentile(times, (50, 95, 100)).round(3).tolist()
    return {"count": len(times), "p50": p50, "p95": p95, "most": most}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=50, help="at once (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=5.0, help="default %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keep the server's log there")
    options = parser.parse_args(arguments)
    photos = make_photos(Predictor(load_checkpoint()), options.visitors)
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or Path(folder) / "server.log"
        with served(log=log) as (address, process):
            figures = asyncio.run(run(address, photos, options.visitors, 60 * options.minutes))
            figures["alive"] = process.poll() is None
    figures["machine"] = machine()
    text = json.dumps(figures, indent=1)
    if options.json:
        options.json.write_text(text + "\n")
    print(json.dumps({name: value for name, value in figures.items() if name != "memory"}, indent=1))
    fine = figures["alive"] and figures["ready afterwards"] and not figures["errors"]
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
