"""Bake MediaPipe's palm detector into the asset of `hmnet.palmnet`.

    pip download --no-deps mediapipe==0.10.21 && unzip mediapipe-*.whl 'mediapipe/modules/palm_detection/*'
    python -m hmnet.bake_palm mediapipe/modules/palm_detection/palm_detection_full.tflite

Writes assets/hands/palm.safetensors and config.json beside it, which says what it is.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from hmnet.errors import CheckpointError, told
from hmnet.palmnet import ASSET, CONFIG, PalmNet
from hmnet.weights_file import save_weights, write_file

ABOUT = {
    "network": "MediaPipe Hands' palm detector, full, 192 px (Google, 2021)",
    "source": "palm_detection_full.tflite of https://pypi.org/project/mediapipe/0.10.21/",
    "licence": "Apache-2.0",
}


def read_weights(path: Path) -> PalmNet:
    """The network of palm_detection_full.tflite, read by OpenVINO; CheckpointError for another file."""
    network = PalmNet()
    try:
        tensors = _tensors(path)
        network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))
    # OpenVINO raises RuntimeError for what it cannot read.
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{told(path)} is not MediaPipe's palm detector ({told(error)}): give palm_detection_full.tflite "
            "of the PyPI package mediapipe."
        ) from error
    return network.eval().requires_grad_(False)


def main() -> None:
    """Write the weights of a .tflite file, with their description."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tflite", type=Path, help="palm_detection_full.tflite")
    path = parser.parse_args().tflite
    network = read_weights(path)
    ASSET.parent.mkdir(parents=True, exist_ok=True)
    about = ABOUT | {"sha256_of_source": hashlib.sha256(path.read_bytes()).hexdigest()}
    about["sha256"] = save_weights(ASSET, network)
    write_file(ASSET.with_name(CONFIG), (json.dumps({ASSET.stem: about}, indent=1) + "\n").encode())
    print(f"{ASSET}: {ASSET.stat().st_size / 1e6:.1f} MB")


def _tensors(path: Path) -> list[torch.Tensor]:
    """Kernels, biases and slopes in the order in which the network applies them."""
    import openvino

    tensors = []
    for operation in openvino.Core().read_model(path).get_ordered_ops():
        kind = operation.get_type_name()
        if kind not in ("Convolution", "GroupConvolution", "PRelu", "Add"):
            continue
        values = _constant(operation.input(1).get_source_output().get_node())
        if values is None:
            # The sum of two maps.
            continue
        if kind == "GroupConvolution":
            # Kernels of depthwise layers are stored (1, height, width, channels).
            values = values.transpose(3, 0, 1, 2)
        elif kind != "Convolution":
            values = values.ravel()
        # Depthwise layers add a nought.
        if kind != "Add" or values.any():
            tensors.append(torch.from_numpy(values.astype(np.float32)))
    return tensors


def _constant(node) -> np.ndarray | None:
    """The constant behind changes of type and shape; None where there is none."""
    while node.get_type_name() in ("Convert", "Reshape", "Transpose", "Unsqueeze"):
        node = node.input(0).get_source_output().get_node()
    return np.array(node.data) if node.get_type_name() == "Constant" else None


if __name__ == "__main__":
    main()
