"""Where time and memory go: `python -m hmnet profile`.

Start-up of a fresh process, the stages of a photo with each engine, the files that are written for it, and
the memory over many photos. --operators adds the most expensive operators of the torch engine.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hmnet.body import PART_COLOURS
from hmnet.checkpoint import Checkpoint, load_checkpoint
from hmnet.errors import DataError, OutputError
from hmnet.export import write_glb
from hmnet.predictor import Predictor
from hmnet.render import overlay, renderer_name
from hmnet.report import summary
from hmnet.speed.pipeline import BOX, photo
from hmnet.speed.residency import growth
from hmnet.speed.startup import startup
from hmnet.speed.stopwatch import Spread

STARTS, REPEATS, PHOTOS = 3, 40, 100
SIZES = (0.5, 0.8, 1.0, 1.3, 2.0)
"""By which the sides of the photos differ that the memory is watched over."""
OPERATORS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet profile`."""
    parser.add_argument(
        "--photos", type=int, default=PHOTOS, help="to watch the memory (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of each stage (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=STARTS, help="of a process (default: %(default)s)")
    parser.add_argument("--operators", action="store_true", help="also torch's most expensive operators")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to FILE")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write what was asked for."""
    for name in ("photos", "repeats", "starts"):
        if getattr(options, name) < 1:
            raise DataError(f"Expected 1 or more --{name}, got {getattr(options, name)}.")
    result = measure(options.starts, options.repeats, options.photos)
    print(*lines(result), sep="\n")
    if options.operators:
        print(operators())
    if options.json is not None:
        try:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{options.json} cannot be written ({error.strerror}): choose another --json."
            ) from error


def measure(starts: int, repeats: int, photos: int) -> dict[str, Any]:
    """ "startup": seconds; "stages": ms by engine; "files": ms; "memory": MB."""
    laps = [startup() for _ in range(starts)]
    checkpoint = load_checkpoint()
    fastest = Predictor(checkpoint)
    # Before anything else has filled the memory.
    memory = {"photos": photos, **_memory(fastest, photos)}
    return {
        "startup": {step: float(np.median([lap[step] for lap in laps])) for step in laps[0]},
        "memory": memory,
        "stages": _stages(checkpoint, fastest, repeats),
        "files": _files(fastest, repeats),
        "renderer": renderer_name(),
    }


def _memory(predictor: Predictor, photos: int) -> dict[str, float]:
    """Over photos of several sizes, the person searched for in each."""
    picture = torch.from_numpy(photo()).permute(2, 0, 1)[None].float()
    shown = [
        torch.nn.functional.interpolate(picture, scale_factor=size, mode="area")[0].permute(1, 2, 0)
        for size in SIZES
    ]
    pictures = [image.round().to(torch.uint8).numpy() for image in shown]
    return growth(lambda index: predictor.predict(pictures[index % len(pictures)]), photos)


def _stages(checkpoint: Checkpoint, fastest: Predictor, repeats: int) -> dict[str, dict[str, float]]:
    """Median ms of each stage: with the person searched for, and in the box, by each engine."""
    plain = Predictor(checkpoint, "cpu", engine="torch")
    predictors = {one.engine.words: one for one in (fastest, plain)}
    picture = photo()
    return {
        f"{words}, {how}": _medians(lambda one=one, box=box: one.predict(picture, box).timings, repeats)
        for words, one in predictors.items()
        for how, box in (("person searched for", None), ("box known", BOX))
    }


def _files(predictor: Predictor, repeats: int) -> dict[str, float]:
    """Median ms of what follows a prediction where files are written."""
    prediction = predictor.predict(photo(), BOX)
    body = predictor.body
    colours = np.asarray(PART_COLOURS, np.uint8)[body.full_vertex_parts.numpy()]

    def once() -> dict[str, float]:
        steps: dict[str, Callable[[], object]] = {
            "full surface": lambda: body.upsample(torch.from_numpy(prediction.vertices)),
            "overlay": lambda: overlay(prediction.image, surface, body.full_faces, prediction.camera),
            "glb": lambda: write_glb(folder / "mesh.glb", surface, body.full_faces, colours),
            "json": lambda: json.dumps(summary(prediction, "photo"), indent=1),
        }
        return {name: _milliseconds(step) for name, step in steps.items()}

    surface = body.upsample(torch.from_numpy(prediction.vertices)).numpy()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        return _medians(once, repeats)


def _medians(call: Callable[[], dict[str, float]], repeats: int) -> dict[str, float]:
    """Medians of what the calls give by name, after one that does not count."""
    call()
    rows = [call() for _ in range(repeats)]
    return {name: Spread.of([row[name] for row in rows]).median for name in rows[0]}


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def lines(result: dict[str, Any]) -> list[str]:
    """The figures for a terminal."""
    text = ["start of a process to its first prediction, seconds:"]
    text += [f"  {step:24}{seconds:8.2f}" for step, seconds in result["startup"].items()]
    for title, stages in result["stages"].items():
        text += ["", f"a photo, {title}, ms:"]
        text += [f"  {stage:24}{ms:8.2f}" for stage, ms in stages.items()]
        text.append(f"  {'together':24}{sum(stages.values()):8.2f}")
    text += ["", f"files of a photo, ms ({result['renderer']}):"]
    text += [f"  {name:24}{ms:8.2f}" for name, ms in result["files"].items()]
    memory = result["memory"]
    text += [
        "",
        f"memory over {memory['photos']:,} photos, MB: {memory['at first']:.0f} after the first, "
        f"{memory['at last']:.0f} after the last, {memory['peak']:.0f} at the peak; "
        f"{memory['per hundred']:+.2f} per hundred photos in the second half",
    ]
    return text


def operators() -> str:
    """The most expensive operators of a photo in the torch engine, as torch.profiler tells them."""
    predictor, picture = Predictor(load_checkpoint(), "cpu", engine="torch"), photo()
    predictor.predict(picture, BOX)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        predictor.predict(picture, BOX)
    return profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=OPERATORS)
