"""A GPU that fails while it runs: the CPU goes on in its place."""

import logging
import threading
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from hmnet.checkpoint import Checkpoint
from hmnet.engines.engine import Engine, Sight
from hmnet.errors import HMNetError

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class FailoverEngine(Engine):
    """An engine on a GPU until that fails; from then on one on the CPU, with weights that were kept there.

    The call in which it fails is answered too. Memory that is full is no such failure: the call is tried once
    more, and then raises HMNetError.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        on_gpu: Callable[[Checkpoint], Engine],
        on_cpu: Callable[[Checkpoint], Engine],
    ) -> None:
        """checkpoint: its networks still on the CPU. on_gpu, on_cpu: make the two engines."""
        self._checkpoint, self._on_cpu, self._lock = checkpoint, on_cpu, threading.Lock()
        # What lies in the memory of a device that failed cannot be read any more.
        self._spares = [(one, deepcopy(one)) for one in (checkpoint.model, checkpoint.segmenter)]
        self._engine = on_gpu(checkpoint)

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def words(self) -> str:
        return self._engine.words

    @property
    def device(self) -> torch.device:
        return self._engine.device

    def dense(self, pictures: np.ndarray) -> np.ndarray:
        return self._run(lambda engine: engine.dense(pictures))

    def look(self, pictures: np.ndarray, mirror: bool) -> Sight:
        return self._run(lambda engine: engine.look(pictures, mirror))

    def reconstruct(self, seen: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._run(lambda engine: engine.reconstruct(seen, labels))

    def _run(self, call: Callable[[Engine], Result]) -> Result:
        engine = self._engine
        try:
            return _with_room(call, engine)
        except HMNetError:
            raise
        except RuntimeError as error:  # what CUDA and MPS raise, a lost device among it
            if engine.device.type == "cpu":
                raise
            return call(self._replaced(engine, error))

    def _replaced(self, failed: Engine, error: RuntimeError) -> Engine:
        """The engine on the CPU, made by the first thread that needs it."""
        with self._lock:
            if self._engine is failed:
                reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
                log.error("The %s failed (%s): the CPU goes on.", failed.device, reason)
                for network, spare in self._spares:
                    _move_in(network, spare)
                engine = self._on_cpu(self._checkpoint)
                engine.words += f" (the {failed.device} failed: {reason})"
                self._engine = engine
            return self._engine


def _with_room(call: Callable[[Engine], Result], engine: Engine) -> Result:
    """The call, once more after memory was given back where there was too little."""
    try:
        return call(engine)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    try:
        return call(engine)
    except torch.OutOfMemoryError as error:
        raise HMNetError("The GPU's memory is full just now: try again in a moment.") from error


def _move_in(network: nn.Module, fresh: nn.Module) -> None:
    """Gives a network the weights and constants of another one like it, on whatever device either is."""
    for here, there in zip(network.modules(), fresh.modules(), strict=True):
        here._parameters.update(there._parameters)
        here._buffers.update(there._buffers)
