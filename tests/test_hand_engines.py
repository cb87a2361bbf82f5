"""Both engines run the networks of a hand alike: a real HandNet and an untrained decoder, on a drawn hand."""

import numpy as np
import pytest
import torch
from drawn_hand import HAND_CONFIG, draw_hand

from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import SegmenterConfig, preprocessing_of
from hmnet.data.crop import normalise
from hmnet.engines import OpenVinoEngine, TorchEngine
from hmnet.hand_sightings import landmarks_of
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.model import build_hmnet
from hmnet.segmentation import build_segmenter


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    model, segmenter = (
        build_hmnet(HAND_CONFIG).eval(),
        build_segmenter(SegmenterConfig(width=16), "hand").eval(),
    )
    with torch.no_grad():
        # Untrained, all landmarks would lie near the corner, where nothing is seen.
        segmenter.features.places.bias.copy_(torch.linspace(20, 200, 63))
    return Checkpoint(model, segmenter, preprocessing_of("hand"), WeightsInfo("test", "hand", "0"))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.stack([draw_hand((224, 224), (112, 112), 150, turn)[0] for turn in (0.0, 0.4, -0.3)])


@pytest.mark.parametrize("kind", ["torch", "openvino"])
def test_the_answers_are_those_of_the_modules(
    kind: str, checkpoint: Checkpoint, pictures: np.ndarray
) -> None:
    engine = TorchEngine(checkpoint, torch.device("cpu")) if kind == "torch" else OpenVinoEngine(checkpoint)
    assert engine.words.endswith("float32"), "in bfloat16 landmarks would be whole pixels"
    segmenter = checkpoint.segmenter
    with torch.inference_mode():
        look = look_at(segmenter, normalise(pictures, checkpoint.preprocessing), mirror=False)
        labels = segmenter.label(part_logits(segmenter, look))
        output = reconstruct(checkpoint.model, look, labels)
    numbers = look.features[-1]
    for count in (1, 3):
        np.testing.assert_allclose(engine.dense(pictures[:count]), numbers[:count].numpy(), atol=2e-3)
        sight = engine.look(pictures[:count], mirror=False)
        assert sight.labels.shape == (count, 224, 224) and sight.labels.dtype == np.uint8
        assert (sight.labels == labels[:count].numpy()).mean() > 0.995
        places, _, presence, _ = landmarks_of(numbers[:count])
        np.testing.assert_allclose(sight.keypoints, places[..., :2].numpy(), atol=2e-3)
        np.testing.assert_allclose(sight.heats, presence[:, None].expand(-1, 21).numpy(), atol=1e-4)
        joints, vertices = engine.reconstruct(sight.seen, labels[:count].numpy().astype(np.uint8))
        np.testing.assert_allclose(joints, output.joints[:count].numpy(), atol=1e-4)
        np.testing.assert_allclose(vertices, output.vertices[:count].numpy(), atol=1e-4)
