"""ZeroGPU with a stand-in for `spaces`, which forks a process for every call and pickles what passes."""

import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from demo import zero_gpu
from hmnet.checkpoint import Checkpoint
from hmnet.errors import NoGPUError, NoPersonFoundError
from hmnet.predictor import Predictor

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds until a process that was forked is taken to hang."""


class Processes:
    """What `spaces` offers, on a machine whose CPU stands for the GPU."""

    @staticmethod
    def GPU(duration: int) -> Callable:
        def decorate(task: Callable) -> Callable:
            def handler(*arguments: object, **named: object) -> object:
                context = multiprocessing.get_context("fork")
                receiver, sender = context.Pipe(duplex=False)
                sent = pickle.dumps((arguments, named))

                def work() -> None:
                    arguments, named = pickle.loads(sent)
                    sender.send(task(*arguments, **named))

                process = context.Process(target=work)
                process.start()
                assert receiver.poll(PATIENCE), "the forked process hangs"
                answer = receiver.recv()
                process.join()
                return answer

            return handler

        return decorate


class Comparison:
    """Tells in which process it answers."""

    def answers(self, prediction: object, true_labels: object = None) -> tuple[int, bool]:
        return os.getpid(), true_labels is None


@pytest.fixture
def models(red_checkpoint: Checkpoint) -> SimpleNamespace:
    predictor = Predictor(red_checkpoint, device="cpu", engine="torch")
    return SimpleNamespace(predictor=predictor, comparison=Comparison())


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Something red, 160 x 120 px."""
    image = np.full((160, 120, 3), 125, np.uint8)
    image[30:140, 40:80] = (250, 20, 20)
    return image


def test_networks_run_in_the_process_with_the_gpu(
    models: SimpleNamespace, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = models.predictor
    here = predictor.predict(photo)
    monkeypatch.setattr(zero_gpu, "spaces", Processes)
    zero_gpu.lend(models)
    used = []
    look = predictor.engine.look
    monkeypatch.setattr(predictor.engine, "look", lambda *all: used.append(os.getpid()) or look(*all))
    there = predictor.predict(photo, box=here.box)
    assert used == [] and there.weights == here.weights
    np.testing.assert_allclose(there.raw_vertices, here.raw_vertices, atol=1e-4)
    changed = predictor.with_parts(there, np.zeros_like(there.labels))
    assert np.abs(changed.raw_vertices - there.raw_vertices).max() > 1e-3
    assert predictor.features(there)["photo"].ndim == 1
    process, without_truth = models.comparison.answers(there, true_labels=there.labels)
    assert process != os.getpid() and not without_truth


def test_sentences_arrive(
    models: SimpleNamespace, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zero_gpu, "spaces", Processes)
    zero_gpu.lend(models)
    with pytest.raises(NoPersonFoundError, match="No person was found in the photo"):
        models.predictor.predict(np.full_like(photo, 125))


def test_no_gpu_to_be_had_is_a_sentence(models: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise gr.Error("No GPU was available after 60s")

    monkeypatch.setattr(zero_gpu, "spaces", SimpleNamespace(GPU=lambda duration: lambda task: refuse))
    zero_gpu.lend(models)
    with pytest.raises(NoGPUError, match=r"gave no answer \(No GPU was available after 60s\): try again"):
        models.predictor.predict("photo.jpg")


def test_elsewhere_nothing_happens(models: SimpleNamespace) -> None:
    zero_gpu.lend(models)
    assert "predict" not in vars(models.predictor) and "answers" not in vars(models.comparison)


@pytest.mark.parametrize(("value", "expected"), [("true", "imported before torch"), ("", "not imported")])
def test_app_imports_spaces_before_torch(value: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "spaces.py").write_text(
        "import sys\nprint('imported after' if 'torch' in sys.modules else 'imported before', 'torch')\n"
        "sys.exit()\n"
    )
    # Stops where torch would be imported, which takes seconds.
    (tmp_path / "torch.py").write_text("import sys\nprint('not imported')\nsys.exit()\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "SPACES_ZERO_GPU": value}
    done = subprocess.run(
        [sys.executable, "-c", "import app"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
