"""What a training run tells: its progress, the rows of its log, and curves that a resumed run continues."""

import json
import re
import sys

import pytest

from hmnet import run_log
from hmnet.run_log import open_log

KEYS = ("loss", "term", "learning_rate", "images_per_second", "waiting")


def tell(folder, first: int, last: int, total: int | None = None, left: str = "") -> None:
    """Steps of eight images that take half a second each, the half of it waiting; the last one validates."""
    with open_log(folder, first, 8 * first, total) as log:
        for step in range(first + 1, last + 1):
            log.trained(8, {"loss": 1 / step, "term": 2.0}, 1e-3 * step, 0.5, 0.25, left)
        log.validated(1.5, {"mean_iou": 0.1 * last})


def test_a_row_has_what_was_trained_and_what_was_measured(tmp_path):
    tell(tmp_path, 0, 2)
    (row,) = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert row == {
        "step": 2, "images": 16, "minutes": 1.5, "loss": pytest.approx(0.75), "term": 2.0,
        "learning_rate": pytest.approx(2e-3), "images_per_second": pytest.approx(16),
        "waiting": pytest.approx(0.5), "mean_iou": pytest.approx(0.2),
    }  # fmt: skip


@pytest.mark.parametrize(
    "total, left, expected",
    [
        (32, "", r"16/32 \[00:00<00:00, +\S+ images/s, loss 0.7500 term 2.0000\]"),
        (None, "3.5 min left", r"16 images \[00:00, +\S+ images/s, loss 0.7500 term 2.0000 3.5 min left\]"),
    ],
)  # fmt: skip
def test_progress_shows_images_a_second_and_the_time_left(total, left, expected, tmp_path, capsys):
    tell(tmp_path, 0, 2, total, left)
    assert re.search(expected, capsys.readouterr().err)


def test_curves_of_a_run_that_was_killed_and_resumed_have_each_point_once(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard", reason="curves need requirements-dev.txt")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setattr(run_log, "POINT_STEPS", 2)
    # The first run drew up to step 7, but its last state is that of step 4.
    tell(tmp_path, 0, 7)
    tell(tmp_path, 4, 10)
    curves = EventAccumulator(str(tmp_path)).Reload()
    for name in KEYS:
        assert [point.step for point in curves.Scalars(f"training/{name}")] == [2, 4, 6, 8, 10]
    assert [(p.step, round(p.value, 3)) for p in curves.Scalars("validation/mean_iou")] == [(10, 1.0)]
    assert curves.Scalars("training/learning_rate")[2].value == pytest.approx(6e-3)


def test_without_tensorboard_the_run_says_so_once_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    tell(tmp_path, 0, 60)
    assert capsys.readouterr().err.count("no curves for TensorBoard: `pip install tensorboard`") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]
