"""Stage segmenter of hands: the part decoder, and the later layers of `hmnet.handnet` with its landmarks.

MediaPipe's network knows hands in photographs; what it says of depth is vague. From renderings, whose
landmarks are known exactly, it learns more, gently: its first layers stay as they are.
"""

import argparse
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hmnet.body.parts import part_names_of
from hmnet.checkpoint import load_features
from hmnet.config import preprocessing_of
from hmnet.data.augment import normalise_pixels
from hmnet.data.folders import read_samples, training_shards
from hmnet.data.hand_windows import hand_window, stacked
from hmnet.data.shards import StoredSample
from hmnet.data.window_batches import HELD_OUT, WindowBatches, class_weights
from hmnet.errors import DataError
from hmnet.hand_sightings import landmarks_of
from hmnet.handnet import SIDE
from hmnet.metrics import pa_joint_error, part_confusion, part_iou
from hmnet.precision import half_precision
from hmnet.segmentation import PartSegmenter, segmenter_config
from hmnet.trainer import DECAYING, Trainer, feed, load_weights

KEPT = 4
"""So many blocks, and the stem, keep MediaPipe's weights."""
GENTLE = 0.25
"""The rate of MediaPipe's other weights, as a share of the decoder's."""
LABELLED = 2
"""The parts of one window in so many are learnt: the decoder costs a third of a step."""
PLACES_WEIGHT, SHAPE_WEIGHT, FLAG_WEIGHT = 30.0, 200.0, 0.2
"""Of landmarks' errors in sides of the window and in m, and of the two flags, beside the parts' loss."""
DEPTH_WEIGHT = 0.3
"""Of a landmark's depth beside its place in the picture: it errs most, and the shape has it anyway."""


def train_hand_segmenter(options: argparse.Namespace, device: torch.device) -> None:
    """Train segmenter and features on the shards of --data; see `hmnet.train` for the options."""
    workers, body = options.workers or 0, options.body
    samples = read_samples(training_shards(options.data, options.part, body), workers)
    if any(sample.keypoints is None for sample in samples):
        raise DataError("The pictures have no keypoints: make them anew with `generate --body hand`.")
    held, part_count = samples[: min(HELD_OUT, len(samples) // 10)], len(part_names_of(body)) - 1
    batches = WindowBatches(samples[len(held) :], options.batch, SIDE, options.seed, hand_windows)
    segmenter = PartSegmenter(load_features(options.features, body), segmenter_config(body), part_count)
    if options.initial:
        segmenter.load_state_dict(load_weights(options.initial))
    segmenter.features.requires_grad_(True)
    for module in (segmenter.features.stem, *segmenter.features.blocks[:KEPT]):
        module.requires_grad_(False)
    trainer = Trainer(segmenter, options, device=device, optimiser=partial(_optimiser, segmenter))
    preprocessing, weights = preprocessing_of(body), class_weights(samples, part_count).to(device)

    def loss_of(images, labels, places, shapes, flags) -> tuple[Tensor, dict[str, Tensor]]:
        with half_precision(device, depthwise=True):
            features = segmenter.features(normalise_pixels(images, preprocessing))
            logits = segmenter.decode([each[::LABELLED] for each in features])
        parts = F.cross_entropy(logits.float(), labels[::LABELLED].long(), weights)
        terms = landmark_losses(features[-1], places, shapes, flags)
        total = parts + PLACES_WEIGHT * terms["places"] + SHAPE_WEIGHT * terms["shape"]
        return total + FLAG_WEIGHT * terms["flags"], {"parts": parts, **terms}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        return _scores(segmenter, held, device) if held else {}

    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)


def hand_windows(
    samples: list[StoredSample], size: int, generator: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """A window of each sample, see `hmnet.data.hand_windows.stacked`."""
    return stacked([hand_window(sample, size, generator) for sample in samples])


def landmark_losses(numbers: Tensor, places: Tensor, shapes: Tensor, flags: Tensor) -> dict[str, Tensor]:
    """Mean errors of landmarks, in sides of the window and in m, of hands that point up; and of both flags.

    numbers: of `HandNet`. places, shapes: (B, 21, 3) px and m. flags: (B, 2), present and right.
    """
    found, shape, _, _ = landmarks_of(numbers)
    present = flags[:, :1, None]
    count = present.sum().clamp(min=1) * places[0].numel()
    shape = shape - shape.mean(1, keepdim=True)
    axes = places.new_tensor([1.0, 1.0, DEPTH_WEIGHT])
    # Whether a hand that points elsewhere is a right one need not be known.
    each = F.binary_cross_entropy_with_logits(numbers[:, -2:].float(), flags, reduction="none")
    return {
        "places": ((found - places).abs() * axes * present).sum() / count / SIDE,
        "shape": ((shape - shapes).abs() * present).sum() / count,
        "flags": (each[:, 0] + each[:, 1] * flags[:, 0]).mean(),
    }


def _optimiser(segmenter: PartSegmenter, parameters, rate: float) -> torch.optim.Optimizer:
    """MediaPipe's weights gently, the decoder's at the full rate."""
    own = {id(parameter) for parameter in segmenter.features.parameters()}
    taught = [p for p in segmenter.features.parameters() if p.requires_grad]
    decoder = [p for p in segmenter.parameters() if id(p) not in own]
    return DECAYING(
        [{"params": taught, "lr": GENTLE * rate, "share": GENTLE}, {"params": decoder, "lr": rate}], rate
    )


def _scores(segmenter: PartSegmenter, held: list[StoredSample], device: torch.device) -> dict[str, float]:
    images, labels, _, shapes, flags = hand_windows(held, SIDE, np.random.default_rng(1))
    pixels = normalise_pixels(torch.from_numpy(images).to(device), preprocessing_of("hand"))
    features = [segmenter.features(chunk) for chunk in pixels.split(32)]
    found = torch.cat([segmenter.decode(one).argmax(1) for one in features])
    confusion = part_confusion(found.cpu(), torch.from_numpy(labels).long(), segmenter.part_count)
    mean_iou, hand_iou = part_iou(confusion)
    _, shape, presence, right = landmarks_of(torch.cat([one[-1] for one in features]).cpu())
    there = torch.from_numpy(flags[:, 0] > 0)
    return {
        "mean_iou": mean_iou,
        "foreground_iou": hand_iou,
        "pa_joint_mm": float(pa_joint_error(shape[there], torch.from_numpy(shapes)[there]).mean()),
        "presence": float(((presence > 0.5) == there).float().mean()),
        "handedness": float(((right > 0.5).numpy() == flags[:, 1])[there.numpy()].mean()),
    }
