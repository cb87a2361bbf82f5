"""One look for both networks, and the average with a look in a mirror."""

import pytest
import torch

from hmnet.body import MIRRORED_PART
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.model import HMNet
from hmnet.segmentation import PartSegmenter


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))


def answers(model: HMNet, segmenter: PartSegmenter, images: torch.Tensor, mirror: bool):
    with torch.inference_mode():
        look = look_at(segmenter, images, mirror)
        logits = part_logits(segmenter, look)
        return logits, reconstruct(model, look, segmenter.label(logits))


def test_without_a_mirror_the_networks_answer_as_they_are(model, segmenter, images) -> None:
    logits, output = answers(model, segmenter, images, mirror=False)
    with torch.inference_mode():
        assert torch.equal(logits, segmenter(images))
        seen = model.rgb_encoder.see(images, segmenter.features(images))
        assert torch.equal(output.vertices, model(seen, segmenter.label(logits)).vertices)


def test_a_mirrored_picture_gets_the_mirrored_answer(model, segmenter, images) -> None:
    logits, output = answers(model, segmenter, images, mirror=True)
    other, turned = answers(model, segmenter, images.flip(3), mirror=True)
    torch.testing.assert_close(other.flip(3)[:, list(MIRRORED_PART)], logits, atol=1e-4, rtol=1e-4)
    flip = torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(
        turned.vertices[:, model.body.mirror] * flip, output.vertices, atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        turned.joints[:, model.body.mirrored_joints] * flip, output.joints, atol=1e-4, rtol=0
    )
    plain, _ = answers(model, segmenter, images, mirror=False)
    assert not torch.allclose(plain.log_softmax(1), logits, atol=1e-3)
