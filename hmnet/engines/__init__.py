"""What runs the networks: torch on any device, or a compiler for the CPU; chosen by itself unless told."""

import os

from hmnet.checkpoint import Checkpoint
from hmnet.device import choose_device
from hmnet.engines.engine import Engine, Sight
from hmnet.engines.failover import FailoverEngine
from hmnet.engines.openvino_engine import CompiledNetwork, OpenVinoEngine, best_precision
from hmnet.engines.torch_engine import TorchEngine
from hmnet.errors import HMNetError

__all__ = [
    "ENGINES", "ENGINE_VARIABLE", "CompiledNetwork", "Engine", "FailoverEngine", "OpenVinoEngine", "Sight",
    "TorchEngine", "best_precision", "choose_engine",
]  # fmt: skip

ENGINES = ("torch", "openvino")
ENGINE_VARIABLE = "HMNET_ENGINE"
"""Environment variable that names the engine where a program does not."""


def choose_engine(checkpoint: Checkpoint, device: str | None = None, name: str | None = None) -> Engine:
    """The engine of that name on that device; None each takes the fastest that there is.

    On the CPU that is OpenVINO where the package is installed and can take the networks, else torch, unless
    HMNET_ENGINE names another. A GPU that fails later on is replaced by the CPU. Raises HMNetError for a
    device or an engine that is unknown or not there.
    """
    name = name or os.environ.get(ENGINE_VARIABLE) or None
    if name is not None and name not in ENGINES:
        raise HMNetError(f"Unknown engine {name!r}: choose one of {', '.join(ENGINES)}.")
    if name == "openvino" and (device or "cpu") != "cpu":
        raise HMNetError(f"The engine openvino runs on the CPU, not on {device}: leave the device out.")
    chosen = choose_device("cpu" if name == "openvino" else device)
    if chosen.type != "cpu":
        return FailoverEngine(
            checkpoint, lambda moved: TorchEngine(moved, chosen), lambda kept: choose_engine(kept, "cpu")
        )
    if name == "torch":
        return TorchEngine(checkpoint, chosen)
    try:
        return OpenVinoEngine(checkpoint)
    except HMNetError as error:
        if name is not None:
            raise
        return TorchEngine(checkpoint, chosen, f" ({error})")
