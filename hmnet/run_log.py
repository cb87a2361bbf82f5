"""What a training run tells: rows in log.jsonl, curves for TensorBoard and a progress bar."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from hmnet.parallel import rank

POINT_STEPS = 50
"""Steps from one point of a curve to the next; about as many weigh in a running mean."""


class RunLog:
    """The record of a run and its progress bar, all of which may be absent.

    bar: of tqdm. rows: the log. curves: TensorBoard's writer. step, images: how far the run is.
    """

    def __init__(self, bar: Any, rows: TextIO | None, curves: Any, step: int, images: int):
        self.bar, self.rows, self.curves, self.step, self.images = bar, rows, curves, step, images
        self.means: dict[str, float] = {}
        self.count, self.rate = 0, 0.0

    def trained(self, images: int, figures: dict[str, float], rate: float, seconds: float, waited: float,
                left: str = "") -> None:  # fmt: skip
        """One step on so many images.

        figures: the loss and its terms. rate: the learning rate. seconds: what the step took, and how many
        of them it waited for its batch. left: the time left in words, where the bar cannot know it.
        """
        self.count += 1
        self.step += 1
        self.images += images
        self.rate = rate
        # A plain mean at first, so that a slow first step is soon forgotten.
        weight = max(1 / POINT_STEPS, 1 / self.count)
        for name, value in (figures | {"seconds": seconds / images, "waited": waited / images}).items():
            mean = self.means.get(name, value)
            self.means[name] = mean + weight * (value - mean)
        terms = " ".join(f"{name} {self.means[name]:.4f}" for name in figures)
        self.bar.set_postfix_str(f"{terms} {left}".rstrip(), refresh=False)
        self.bar.update(images)
        if self.step % POINT_STEPS == 0:
            self._draw("training", self.running())

    def running(self) -> dict[str, float]:
        """The means of loss and terms, the learning rate, images a second and the share of time waited."""
        figures = dict(self.means)
        seconds, waited = max(figures.pop("seconds"), 1e-9), figures.pop("waited")
        # Waiting is near 1 when the processes that make the batches cannot keep up with the network.
        return figures | {
            "learning_rate": self.rate, "images_per_second": 1 / seconds, "waiting": waited / seconds
        }  # fmt: skip

    def validated(self, minutes: float, figures: dict[str, float]) -> None:
        """A row for the log, and points for the curves, with the figures of a validation."""
        running = self.running()
        row = {"step": self.step, "images": self.images, "minutes": minutes, **running, **figures}
        if self.rows:
            print(json.dumps(row), file=self.rows, flush=True)
        if self.step % POINT_STEPS:
            self._draw("training", running)
        self._draw("validation", figures)

    def _draw(self, group: str, values: dict[str, float]) -> None:
        if self.curves is None:
            return
        for name, value in values.items():
            self.curves.add_scalar(f"{group}/{name}", value, self.step)
        # A run that is killed has all points before its last state.
        self.curves.flush()


@contextlib.contextmanager
def open_log(folder: Path, step: int, images: int, total: int | None) -> Iterator[RunLog]:
    """The log of a run that stands at that step and number of images; of several processes the first tells.

    A resumed run appends its rows, and its curves go on from its step. total: the images to train on, if
    that is known.
    """
    from tqdm import tqdm

    first = rank() == 0
    with contextlib.ExitStack() as stack:
        # With a total the bar tells the time left by itself.
        bar = tqdm(unit=" images", total=total, initial=images, mininterval=10, disable=not first)
        stack.enter_context(bar)
        rows = stack.enter_context((folder / "log.jsonl").open("a")) if first else None
        curves = _open_curves(folder, step) if first else None
        if curves is not None:
            stack.enter_context(curves)
        yield RunLog(bar, rows, curves, step, images)


def _open_curves(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("hmnet: no curves for TensorBoard: `pip install tensorboard` adds them.", file=sys.stderr)
        return None
    # What a killed run drew after its last state is drawn anew.
    return SummaryWriter(folder, purge_step=step + 1)
