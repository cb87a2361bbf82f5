"""The same module in different runtimes: torch, or compiled by OpenVINO in float32 or bfloat16."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from hmnet.engines import CompiledNetwork, best_precision

Call = Callable[[], object]


def runtimes() -> tuple[str, ...]:
    """Names of those that this machine has, plain torch first and the one that HMNet uses last."""
    compiled = ("openvino-f32",) if best_precision() == "f32" else ("openvino-f32", "openvino-bf16")
    return ("torch", *compiled)


def prepared(module: nn.Module, inputs: tuple[np.ndarray, ...], runtime: str) -> Call:
    """A call that computes the module's answer to these inputs anew each time; it was made once already."""
    if runtime == "torch":
        tensors = tuple(torch.from_numpy(array) for array in inputs)

        def call() -> object:
            with torch.inference_mode():
                return module(*tensors)

    else:
        network = CompiledNetwork(module, runtime.removeprefix("openvino-"))

        def call() -> object:
            return network(*inputs)

    call()
    return call
