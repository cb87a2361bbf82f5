"""A segmenter whose answers do not depend on weights, for tests of what stands around it."""

import torch
from torch import Tensor

from hmnet.segmentation import PartSegmenter

STRIPES = (2, 24, 5, 10, 14, 17, 21, 4)
"""Torso, head, foot, upper and lower leg, upper and lower arm, hand."""


class RedSegmenter(PartSegmenter):
    """Red is a person, surely, in stripes of all kinds of parts; anything else is background."""

    def coarse_logits(self, image: Tensor) -> Tensor:
        red, green, _ = torch.nn.functional.avg_pool2d(image, 4).unbind(1)
        logits = image.new_full((len(image), 25, *red.shape[1:]), -20.0)
        stripe = torch.arange(red.shape[1]) % len(STRIPES)
        for index, part in enumerate(STRIPES):
            logits[:, part] = 4 * (red - green) - 6 - 2.0 * (stripe != index)[:, None]
        logits[:, 0] = 0
        return logits
