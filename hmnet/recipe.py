"""The whole training in one go: `python -m hmnet.recipe --plan gpu|small --runs DIR --data DIR --output DIR`.

    pictures ----> segmenter ----> crops ----> joint ----> weights ----> errors
    maps (meanwhile, needs none) ------------>
    test pictures ------------------------------------------------------>

Each step is one `python -m hmnet ...`, printed when it starts; its output goes to RUNS/logs. The first that
fails stops all. Started again with the same options, finished steps are left out and the one that was cut
short goes on.

Plan gpu is for one GPU and 16 cores in 25 minutes, with 30 GB of disk and 1 GB of /dev/shm. The times are an
estimate, not measured on a GPU: what one CPU core prepares a second was measured on one core, and a GPU such
as an H200 is taken to train faster than 13 cores can feed it, joint aside (5,000 a second).

    step        amount     a core prepares    cores   minutes
    pictures    80,000     22 to 28 a s       12      4.0 to 5.0
    maps        600,000    500 a s            4       5.0, at the same time
    segmenter   500,000    250 a s            13      2.8, with reading the pictures (1,600 a s and core)
    crops       80,000     270 a s            13      1.5, most of it writing 15 GB
    joint       900,000    650 a s            13      3.0
    others                                            3.0: starting, test pictures, packing, 1,500 test images
    sum                                               about 15

The log of a training stage says under "waiting" which share of the time it waited for its batches.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hmnet.errors import DataError, HMNetError

POLL_SECONDS = 0.2
PROGRAM = (sys.executable, "-m", "hmnet")
THRESHOLD = 0.3
"""Foreground threshold of the packed segmenter, for photos (rendered pictures prefer 0.5)."""


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    pictures, test_pictures: rendered. segmenter, maps, joint: images that each training sees. size: side of
    the segmenter's windows, px. averaging: decay of the averaged weights. pooling: of HMNet's inputs.
    """

    pictures: int
    test_pictures: int
    segmenter: int
    maps: int
    joint: int
    size: int
    batch: int
    rate: float
    averaging: float
    pooling: int


PLANS = {
    # Batches eight times those of two CPU cores, rates twice; some thousand steps, so averages are shorter.
    "gpu": Plan(80_000, 1_500, 500_000, 600_000, 900_000, 192, 256, 2e-3, 0.995, 2),
    "small": Plan(60, 12, 64, 64, 64, 64, 8, 1e-3, 0.9, 8),
}
COUNTS = ("pictures", "test_pictures", "segmenter", "maps", "joint")


@dataclass(frozen=True)
class Step:
    """One command: its name, the arguments of `python -m hmnet`, the names of the steps that it waits for,
    and the file or folder of its state, if it has one to resume from."""

    name: str
    arguments: tuple[str, ...]
    after: tuple[str, ...] = ()
    state: Path | None = None


def steps_of(plan: Plan, options: argparse.Namespace) -> list[Step]:
    """All steps, each after those that it waits for."""
    runs, workers = options.runs, options.workers
    # Rendering and maps share the cores; afterwards one step at a time has all but those that train.
    rendering, mapping = max(workers * 3 // 4, 1), max(workers // 4, 1)
    feeding = max(workers - 3, 1)
    poses = ["--poses", *options.poses] if options.poses else []
    sources = [*_given("--backgrounds", options.backgrounds), *_given("--clothes", options.clothes), *poses]
    data, test = options.data / "train", options.data / "test"
    device = _given("--device", options.device)
    batch = ["--batch", plan.batch, "--averaging", plan.averaging]
    form = ["--pooling", plan.pooling]

    def state(stage: str) -> Path:
        return runs / stage / "state.pt"

    def training(name: str, stage: str, images: int, *rest, after: tuple[str, ...] = (), rate: float = 1.0,
                 workers: int = feeding) -> Step:  # fmt: skip
        arguments = ["train", "--stage", stage, "--output", runs / name, "--images", images, *batch,
                     "--rate", plan.rate * rate, "--seed", options.seed, "--workers", workers, *device,
                     *rest]  # fmt: skip
        return Step(name, _texts(arguments), after, state(name))

    def rendering_of(name: str, folder: Path, count: int, *rest, after: tuple[str, ...] = ()) -> Step:
        arguments = ["generate", "--count", count, "--output", folder, "--seed", options.seed, "--workers",
                     rendering, *rest, *sources]  # fmt: skip
        return Step(name, _texts(arguments), after)

    segmenter = ["--segmenter", state("segmenter")]
    return [
        rendering_of("pictures", data, plan.pictures),
        rendering_of("test-pictures", test, plan.test_pictures, "--split", "test", after=("pictures",)),
        training("maps", "maps", plan.maps, *form, *poses, "--threads", mapping, workers=mapping),
        training("segmenter", "segmenter", plan.segmenter, "--data", data, "--size", plan.size,
                 after=("test-pictures", "maps")),
        Step("crops", _texts(["train", "--stage", "crops", "--data", data, *segmenter,
                              "--seed", options.seed, "--workers", feeding, *device,
                              "--output", runs / "crops"]), ("segmenter",)),
        training("joint", "joint", plan.joint, "--data", runs / "crops", "--initial", state("maps"), *form,
                 *poses, after=("crops", "maps"), rate=0.8),
        Step("weights", _texts(["train", "--stage", "pack", *segmenter, "--initial", state("joint"),
                                "--data", data, "--threshold", THRESHOLD, *form,
                                "--revision", options.revision, "--output", options.output]), ("joint",)),
        Step("errors", _texts(["evaluate", "--data", test, "--weights", options.output, "--record"]),
             ("weights", "test-pictures")),
    ]  # fmt: skip


def _given(name: str, value) -> list:
    return [] if value is None else [name, value]


def _texts(arguments: list) -> tuple[str, ...]:
    return tuple(str(argument) for argument in arguments)


class Runner:
    """Runs steps side by side, in the order that they wait for each other, and remembers what is done.

    runs: folder for the commands of steps that were begun and done (begun/NAME, done/NAME) and for
    logs/NAME.log.
    program: what the arguments of the steps are for.
    """

    def __init__(self, steps: list[Step], runs: Path, program: tuple[str, ...] = PROGRAM):
        self.steps, self.runs, self.program = steps, runs, program
        for name in ("begun", "done", "logs"):
            (runs / name).mkdir(parents=True, exist_ok=True)
        self.running: dict[str, tuple[subprocess.Popen, float]] = {}

    def run(self) -> None:
        """Run what is not done; HMNetError when a step fails, after stopping the others."""
        done = set(self._done())
        for name in sorted(done):
            print(f"[{name}] is done already", flush=True)
        for step in self.steps:
            if step.name not in done and self._mark(step).exists():
                self._forget(step)
        try:
            while len(done) < len(self.steps):
                for step in self.steps:
                    if step.name not in done | set(self.running) and done.issuperset(step.after):
                        self._start(step)
                time.sleep(POLL_SECONDS)
                done |= set(self._finished())
        finally:
            for process, _ in self.running.values():
                # With the processes that it started for itself.
                os.killpg(process.pid, signal.SIGTERM)
            for process, _ in self.running.values():
                process.wait()

    def _done(self) -> Iterator[str]:
        """Steps that were finished by the same command, after steps that are done too."""
        found: set[str] = set()
        for step in self.steps:
            mark = self._mark(step)
            if found.issuperset(step.after) and mark.is_file() and mark.read_text() == _command(step):
                found.add(step.name)
                yield step.name

    def _forget(self, step: Step) -> None:
        """What this step made belongs to another command or to other inputs: it starts anew."""
        self._mark(step).unlink()
        if step.state is not None:
            step.state.unlink(missing_ok=True)

    def _start(self, step: Step) -> None:
        arguments, begun = list(step.arguments), self.runs / "begun" / step.name
        if step.state is not None and step.state.is_file():
            if begun.is_file() and begun.read_text() == _command(step):
                arguments.append("--resume")
            else:
                # Of a run with other options: it must not be gone on with.
                step.state.unlink()
        begun.write_text(_command(step))
        print(f"[{step.name}] python -m hmnet {shlex.join(arguments)}", flush=True)
        with self._log(step.name).open("ab") as log:
            process = subprocess.Popen(
                [*self.program, *arguments], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.running[step.name] = process, time.perf_counter()

    def _finished(self) -> Iterator[str]:
        for step in self.steps:
            process, began = self.running.get(step.name, (None, 0.0))
            if process is None or process.poll() is None:
                continue
            del self.running[step.name]
            if process.returncode != 0:
                raise HMNetError(
                    f"Step {step.name} failed with exit code {process.returncode}; its last words in "
                    f"{self._log(step.name)}: {self._last_words(step.name)}"
                )
            self._mark(step).write_text(_command(step))
            print(f"[{step.name}] done in {time.perf_counter() - began:.0f} s", flush=True)
            yield step.name

    def _last_words(self, name: str) -> str:
        text = self._log(name).read_text(errors="replace").replace("\r", "\n")
        return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")

    def _mark(self, step: Step) -> Path:
        return self.runs / "done" / step.name

    def _log(self, name: str) -> Path:
        return self.runs / "logs" / f"{name}.log"


def _command(step: Step) -> str:
    return shlex.join(step.arguments)


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan by its name, with the counts that were given instead of its own."""
    given = {name: getattr(options, name) for name in COUNTS}
    return replace(PLANS[options.plan], **{name: value for name, value in given.items() if value is not None})


def main(arguments: list[str] | None = None) -> int:
    """Run a plan; returns the exit code (0, 2 for a mistake or a failed step, 130 when interrupted)."""
    parser = argparse.ArgumentParser(
        "python -m hmnet.recipe", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plan", choices=PLANS, required=True)
    for name, what in (("data", "the pictures"), ("runs", "states, logs and crops"),
                       ("output", "the finished weights")):  # fmt: skip
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=f"folder for {what}")
    for name in ("backgrounds", "clothes"):
        parser.add_argument(f"--{name}", metavar="DIR", help="see `python -m hmnet generate --help`")
    parser.add_argument("--poses", nargs="*", default=[], metavar="DIR", help="folders of motion clips")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="CPU cores to use")
    parser.add_argument("--device", help="where to train (default: cuda if it is there, else cpu)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--revision", default="unversioned", help="short commit of the code, for the weights")
    for name in COUNTS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, metavar="N", help="instead of the plan's"
        )
    options = parser.parse_args(arguments)
    # Whoever ends this ends the steps too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        plan = plan_of(options)
        if options.workers < 1 or min(getattr(plan, name) for name in COUNTS) < 1:
            raise DataError("--workers and all counts must be 1 or more.")
        began = time.perf_counter()
        Runner(steps_of(plan, options), options.runs).run()
    except HMNetError as error:
        print(f"hmnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hmnet: stopped; the same command goes on.", file=sys.stderr)
        return 130
    print(f"All done in {(time.perf_counter() - began) / 60:.1f} minutes: weights in {options.output}")
    print((options.runs / "logs" / "errors.log").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
