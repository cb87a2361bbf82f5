"""The part segmenter: size, shapes, what is trained, and how logits become labels."""

import torch

from hmnet.config import SegmenterConfig
from hmnet.segmentation import build_segmenter


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


def test_training_changes_the_decoder_alone():
    segmenter = build_segmenter(SegmenterConfig())
    before = {name: value.clone() for name, value in segmenter.features.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in segmenter.parameters() if p.requires_grad], 0.1)
    segmenter.train()
    segmenter(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert segmenter.context.weight.grad.abs().sum() > 0 and segmenter.dense[1].weight.grad.abs().sum() > 0
    optimiser.step()
    assert all(torch.equal(value, before[name]) for name, value in segmenter.features.state_dict().items())


def test_the_place_in_the_window_counts():
    """Two people alike: only where they stand tells the one that is meant."""
    torch.manual_seed(0)
    segmenter = build_segmenter(SegmenterConfig()).eval()
    features = [
        torch.zeros(1, c, 16 // s, 16 // s) for c, s in zip((24, 32, 96, 1280), (1, 2, 4, 8), strict=True)
    ]
    features.append(torch.zeros(1, segmenter.features.dense_channels, 16, 16))
    with torch.inference_mode():
        logits = segmenter.decode(features)
    assert (logits[..., 8, 4] - logits[..., 8, 12]).abs().max() > 1e-4


def test_a_hand_s_segmenter_has_its_parts():
    segmenter = build_segmenter(SegmenterConfig(foreground_threshold=0.5), "hand").eval()
    with torch.inference_mode():
        assert segmenter.coarse_logits(torch.randn(1, 3, 64, 64)).shape == (1, 17, 16, 16)
    logits = torch.zeros(1, 17, 1, 2)
    logits[0, 16, 0, 0] = 5
    logits[0, 0, 0, 1] = 9
    assert segmenter.label(logits).tolist() == [[[16, 0]]]
