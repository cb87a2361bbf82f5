"""A GPU that goes away while it runs. torch's "meta" device, whose tensors have no data, stands for one."""

import logging
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from fault_log import record_fault

from hmnet.checkpoint import EMBEDDED, Checkpoint, WeightsInfo, load_checkpoint
from hmnet.comparison import Comparison
from hmnet.engines import ENGINE_VARIABLE, FailoverEngine, TorchEngine, choose_engine
from hmnet.errors import HMNetError
from hmnet.predictor import Predictor

GONE = torch.device("meta")


class Removable(TorchEngine):
    """Computes until `remove`, which leaves nothing of the networks' weights."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint, torch.device("cpu"))
        self._networks, self.removed = (checkpoint.model, checkpoint.segmenter), False
        self.device = GONE

    def remove(self) -> None:
        for network in self._networks:
            network.to(GONE)
        self.removed = True

    def _here(self, array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        return tensor.to(GONE) if self.removed else tensor

    def _computing(self):
        return torch.inference_mode()


@pytest.fixture
def checkpoint(model, segmenter, preprocessing) -> Checkpoint:
    """Of its own, since its networks are moved about."""
    info = WeightsInfo("test", "hmnet", "0")
    return Checkpoint(deepcopy(model), deepcopy(segmenter), preprocessing, info)


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (2, 4, 4, 3), np.uint8).repeat(32, 1).repeat(32, 2)


def made(checkpoint: Checkpoint) -> tuple[FailoverEngine, Removable]:
    engine = FailoverEngine(checkpoint, Removable, lambda kept: choose_engine(kept, "cpu", "torch"))
    return engine, engine._engine


def test_the_call_in_which_the_gpu_goes_is_answered_by_the_cpu(checkpoint, pictures, caplog) -> None:
    caplog.set_level(logging.ERROR)
    expected = TorchEngine(replace(checkpoint), torch.device("cpu")).look(pictures, True)
    engine, gpu = made(checkpoint)
    assert engine.device == GONE
    np.testing.assert_array_equal(engine.look(pictures, True).labels, expected.labels)
    gpu.remove()
    sight = engine.look(pictures, True)
    np.testing.assert_array_equal(sight.labels, expected.labels)
    assert engine.device.type == "cpu" and "the meta failed" in engine.words
    joints, vertices = engine.reconstruct(sight.seen, sight.labels)
    again = engine.reconstruct(sight.seen, sight.labels)
    assert np.isfinite(joints).all() and np.isfinite(vertices).all()
    np.testing.assert_array_equal(vertices, again[1])
    record_fault("GPU removed", "its memory taken away between two photos", engine.words, True)


def test_full_memory_is_tried_once_more_and_is_no_reason_to_leave_the_gpu(checkpoint, pictures) -> None:
    engine, gpu = made(checkpoint)
    failures = [torch.OutOfMemoryError("full"), torch.OutOfMemoryError("full")]
    look = gpu.look

    def failing(pictures, mirror):
        if failures:
            raise failures.pop()
        return look(pictures, mirror)

    gpu.look = failing
    with pytest.raises(HMNetError, match="memory is full just now") as told:
        engine.look(pictures, False)
    failures.append(torch.OutOfMemoryError("full"))
    assert len(engine.look(pictures, False).labels) == 2 and engine.device == GONE
    record_fault("GPU's memory full", "two allocations in a row refused", str(told.value), True)


def test_an_error_on_the_cpu_is_an_error(checkpoint, pictures) -> None:
    engine, gpu = made(checkpoint)
    gpu.remove()
    engine.look(pictures, False)
    with pytest.raises(RuntimeError):
        engine.reconstruct(np.zeros((1, 3), np.float32), np.zeros((1, 8, 8), np.uint8))


@pytest.mark.skipif(not (EMBEDDED / "rgb-only").is_dir(), reason="no shipped weights")
def test_predictor_and_variants_go_on_after_it(monkeypatch) -> None:
    photo = EMBEDDED.parent / "examples" / "running.jpg"
    whole = Predictor(load_checkpoint(), "cpu", engine="torch")
    expected = whole.predict(photo)
    answers = Comparison(whole).answers(expected)
    monkeypatch.setattr("hmnet.engines.choose_device", lambda name=None: torch.device(name or GONE))
    monkeypatch.setattr(
        "hmnet.engines.TorchEngine",
        lambda moved, device: Removable(moved) if device == GONE else TorchEngine(moved, device),
    )
    monkeypatch.setenv(ENGINE_VARIABLE, "torch")
    predictor = Predictor(load_checkpoint())
    gpu = predictor.engine._engine
    # Variants share parts with HMNet, which must not go before all were made.
    gpu.device = torch.device("cpu")
    comparison = Comparison(predictor)
    gpu.device = comparison._device = GONE
    for network in comparison._networks.values():
        network.to(GONE)
    gpu.remove()
    prediction = predictor.predict(photo)
    np.testing.assert_allclose(prediction.raw_vertices, expected.raw_vertices, atol=1e-5)
    assert predictor.features(prediction)["photo"].shape == whole.features(expected)["photo"].shape
    for name, answer in comparison.answers(prediction).items():
        np.testing.assert_allclose(answer.raw_vertices, answers[name].raw_vertices, atol=1e-5)
