"""Stage segmenter: the part decoder over MoveNet's frozen features, from rendered photographs."""

import argparse

import numpy as np
import torch
from torch import Tensor, nn

from hmnet.checkpoint import load_features
from hmnet.config import Preprocessing, SegmenterConfig
from hmnet.data.augment import normalise_pixels
from hmnet.data.folders import read_samples, training_shards
from hmnet.data.window_batches import HELD_OUT, WindowBatches, class_weights, person_windows
from hmnet.metrics import part_confusion, part_iou
from hmnet.precision import half_precision
from hmnet.segmentation import PartSegmenter
from hmnet.trainer import Trainer, feed, load_weights

CHUNK = 64


def train_segmenter(options: argparse.Namespace, device: torch.device) -> None:
    """Train the part segmenter on the shards of --data; see `hmnet.train` for the options."""
    workers = options.workers or 0
    samples = read_samples(training_shards(options.data, options.part, options.body), workers)
    held = samples[: min(HELD_OUT, len(samples) // 10)]
    batches = WindowBatches(samples[len(held) :], options.batch, options.size, options.seed)
    segmenter = PartSegmenter(load_features(options.features), SegmenterConfig())
    if options.initial:
        segmenter.load_state_dict(load_weights(options.initial))
    trainer = Trainer(segmenter, options, device=device)
    preprocessing = Preprocessing()
    weights = class_weights(samples, segmenter.part_count).to(device)

    def loss_of(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with half_precision(device):
            logits = segmenter.coarse_logits(normalise_pixels(images, preprocessing))
        return nn.functional.cross_entropy(logits.float(), labels.long(), weights), {}

    def validate() -> dict[str, float]:
        if not held:
            return {}
        images, labels = person_windows(held, options.size, np.random.default_rng(1))
        pixels = normalise_pixels(torch.from_numpy(images).to(device), preprocessing)
        found = torch.cat([segmenter.coarse_logits(chunk).argmax(1) for chunk in pixels.split(CHUNK)])
        confusion = part_confusion(found.cpu(), torch.from_numpy(labels).long(), segmenter.part_count)
        mean_iou, person_iou = part_iou(confusion)
        return {"mean_iou": mean_iou, "foreground_iou": person_iou}

    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)
