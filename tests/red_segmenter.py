"""Features and a segmenter whose answers do not depend on weights, for tests of what stands around them."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from hmnet.movenet import KEYPOINT_NAMES, MoveNet
from hmnet.segmentation import PartSegmenter

STRIPES = (2, 24, 5, 10, 14, 17, 21, 4)
"""Torso, head, foot, upper and lower leg, upper and lower arm, hand."""
HEIGHTS = {"nose": 0.1, "eye": 0.08, "ear": 0.09, "shoulder": 0.2, "elbow": 0.35, "wrist": 0.48, "hip": 0.5,
           "knee": 0.73, "ankle": 0.95}  # fmt: skip
ASIDE = {"nose": 0.0, "eye": 0.06, "ear": 0.12, "shoulder": 0.3, "elbow": 0.38, "wrist": 0.42, "hip": 0.18,
         "knee": 0.2, "ankle": 0.22}  # fmt: skip


def _place(keypoint: str) -> tuple[float, float]:
    side, _, joint = keypoint.rpartition("_")
    return 0.5 + ASIDE[joint] * (-1 if side == "right" else 1), HEIGHTS[joint]


PLACES = np.array([_place(name) for name in KEYPOINT_NAMES])
"""Where in a red patch its 17 keypoints are, as shares of its width and height: somebody standing."""


class RedFeatures(MoveNet):
    """Each red patch is somebody, surely; the first map shows the picture itself at stride 4."""

    def forward(self, image: Tensor) -> list[Tensor]:
        small = torch.nn.functional.avg_pool2d(image, 4)
        dense = small.new_full((len(image), self.dense_channels, *small.shape[2:]), -8.0)
        dense[:, :3] = small
        for one, mask in zip(dense, (small[:, 0] - small[:, 1] > 0.5).cpu().numpy(), strict=True):
            for patch in ndimage.find_objects(ndimage.label(mask)[0]):
                self._mark(one, patch)
        strides = zip(self.pyramid_channels, (1, 2, 4, 8), strict=True)
        pyramid = [small.new_zeros(len(small), c, *(n // s for n in small.shape[2:])) for c, s in strides]
        pyramid[0][:, :3] = small
        return [*pyramid, dense]

    def _mark(self, dense: Tensor, patch: tuple[slice, slice]) -> None:
        top, left = (side.start for side in patch)
        height, width = (side.stop - side.start for side in patch)
        row, column = top + height // 2, left + width // 2
        dense[41, row, column] = 6
        for index, (x, y) in enumerate(PLACES):
            there = top + int(y * height), left + int(x * width)
            dense[(24 + index, *there)] = 6
            dense[42 + 2 * index, row, column] = there[0] - row
            dense[43 + 2 * index, row, column] = there[1] - column


class RedSegmenter(PartSegmenter):
    """Red is a person, surely, in stripes of all kinds of parts; anything else is background."""

    def decode(self, features: list[Tensor]) -> Tensor:
        red, green = features[0][:, 0], features[0][:, 1]
        logits = red.new_full((len(red), 25, *red.shape[1:]), -20.0)
        stripe = torch.arange(red.shape[1]) % len(STRIPES)
        for index, part in enumerate(STRIPES):
            logits[:, part] = 8 * (red - green) - 6 - 2.0 * (stripe != index)[:, None]
        logits[:, 0] = 0
        return logits
