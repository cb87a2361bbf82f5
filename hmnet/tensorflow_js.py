"""Reads the weights of networks in TensorFlow.js files."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a model's .json file and of the .bin files beside it, float32, by their names.

    Kernels come as torch has them: (outputs, inputs, height, width), those of depthwise layers (channels, 1,
    height, width), those of fully connected layers (outputs, inputs). Raises OSError, ValueError, LookupError
    or TypeError for files that are something else.
    """
    manifest = json.loads(path.read_text())["weightsManifest"][0]
    data = b"".join((path.parent / name).read_bytes() for name in manifest["paths"])
    tensors, offset = {}, 0
    for entry in manifest["weights"]:
        stored = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
        values = np.frombuffer(data, stored, int(np.prod(entry["shape"])), offset).reshape(entry["shape"])
        offset += values.nbytes
        if values.ndim == 4:
            # Kernels are stored (height, width, inputs, outputs); those of depthwise layers with one output.
            depthwise = values.shape[0] > 1 and values.shape[3] == 1
            values = values.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        elif values.ndim == 2:
            values = values.T
        tensors[entry["name"]] = torch.from_numpy(values.astype(np.float32))
    return tensors
