"""The palm detector of MediaPipe Hands (Google, 2021; Apache License 2.0) in torch.

A single-shot detector of palms, which are stiffer and squarer than hands (Zhang et al., "MediaPipe Hands:
On-device Real-time Hand Tracking", 2020). The weights are those of its authors, unchanged: `hmnet.bake_palm`
took them from palm_detection_full.tflite of PyPI's mediapipe.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hmnet.errors import CheckpointError, told
from hmnet.mobile_blocks import SameConv2d
from hmnet.weights_file import fill, read_weights

ASSET = Path(__file__).parents[1] / "assets" / "hands" / "palm.safetensors"
CONFIG = "config.json"
STRIDE = 32
"""px; sides of pictures are multiples of this. The original's pictures have 192 x 192 px."""
KEYPOINT_NAMES = ("wrist", "index", "middle", "ring", "pinky", "thumb_base", "thumb")
"""The knuckles where fingers begin; of the thumb also the joint at the wrist."""
STAGES = ((32, 1, 4), (64, 2, 5), (128, 2, 5), (256, 2, 5), (256, 2, 5))
"""Channels, stride of the first block, blocks; behind a convolution of stride 2."""
ANCHORS = ((8, 2), (16, 6))
"""Stride of a map of guesses in px, and how many guesses a cell of it makes."""
LOGIT_LIMIT = 100.0
"""Logits are cut to this before they become likenesses."""


@dataclass(frozen=True)
class Palms:
    """What may be palms in one picture; N of them.

    likenesses: (N,) float64 in [0, 1]. boxes: (N, 4) float64 xyxy px of the palm, not of the whole hand.
    keypoints: (N, 7, 2) float64 px, as KEYPOINT_NAMES.
    """

    likenesses: np.ndarray
    boxes: np.ndarray
    keypoints: np.ndarray


class PalmBlock(nn.Module):
    """Filter each channel, mix them by 1x1; added to the input, which is shrunk and widened where needed."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.depthwise = SameConv2d(inputs, inputs, 5, stride, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)
        self.activation = nn.PReLU(outputs)
        self.stride, self.widening = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        shortcut = F.max_pool2d(x, self.stride) if self.stride > 1 else x
        # New channels have nothing to be added to.
        shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.widening))
        return self.activation(shortcut + self.pointwise(self.depthwise(x)))


class PalmNet(nn.Module):
    """Pictures to guesses of where palms are."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv2d(3, 32, 5, 2), nn.PReLU(32))
        stages, inputs = [], 32
        for outputs, stride, count in STAGES:
            first = PalmBlock(inputs, outputs, stride)
            stages.append(nn.Sequential(first, *(PalmBlock(outputs, outputs) for _ in range(count - 1))))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.lateral16, self.merge16 = _lateral(256, 256), _blocks(256)
        self.lateral8, self.merge8 = _lateral(256, 128), _blocks(128)
        self.logits = nn.ModuleList([nn.Conv2d(128, 2, 1), nn.Conv2d(256, 6, 1)])
        self.places = nn.ModuleList([nn.Conv2d(128, 2 * 18, 1), nn.Conv2d(256, 6 * 18, 1)])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, N) of guesses being palms and their places (B, N, 18), of RGB (B, 3, H, W) in [0, 1].

        Places are px from the guess's anchor: x, y of the box's middle, its width and height, then x, y of
        seven keypoints; width and height are just px. N is 2,016 for pictures of 192 x 192 px.
        """
        x, maps = self.stem(image), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        _, _, stride8, stride16, stride32 = maps
        x16 = self.merge16(self.lateral16(_doubled(stride32)) + stride16)
        x8 = self.merge8(self.lateral8(_doubled(x16)) + stride8)
        logits = [_by_guess(head(x), 1) for head, x in zip(self.logits, (x8, x16), strict=True)]
        places = [_by_guess(head(x), 18) for head, x in zip(self.places, (x8, x16), strict=True)]
        return torch.cat(logits, 1)[..., 0], torch.cat(places, 1)


def anchors(height: int, width: int) -> np.ndarray:
    """Where the guesses in a picture of that size start from, (N, 2) px, in the order of the outputs."""
    found = []
    for stride, count in ANCHORS:
        columns, rows = ((np.arange(side // stride) + 0.5) * stride for side in (width, height))
        cells = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
        found.append(np.repeat(cells, count, axis=0))
    return np.concatenate(found)


def find_palms(network: PalmNet, pictures: np.ndarray, least: float) -> list[Palms]:
    """The guesses that are at least that likely, in each of pictures (B, H, W, 3) uint8.

    Several guesses are about the same palm.
    """
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        logits, places = network(images)
    likenesses = logits.clamp(-LOGIT_LIMIT, LOGIT_LIMIT).double().sigmoid().numpy()
    start = anchors(*pictures.shape[1:3])
    return [
        _decoded(likely, place, start, least)
        for likely, place in zip(likenesses, places.double().numpy(), strict=True)
    ]


@functools.cache
def load_palm_detector() -> PalmNet:
    """The shipped network in float32 on the CPU, in eval mode; CheckpointError when its files are damaged."""
    return read_palm_detector(ASSET)


def read_palm_detector(path: Path) -> PalmNet:
    """The network of a file that config.json beside it describes; CheckpointError when one is damaged."""
    config = path.with_name(CONFIG)
    try:
        sha256 = json.loads(config.read_text())[path.stem]["sha256"]
        missing = not path.is_file()
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CheckpointError(
            f"{told(config)} does not say the SHA-256 sum of {told(path.name)}: restore assets/hands from "
            "the repository."
        ) from error
    if missing:
        raise CheckpointError(f"{told(path)} is missing: restore assets/hands from the repository.")
    network = PalmNet()
    fill(network, read_weights(path, sha256), path)
    # Channels last in memory, as pictures have them, is half as fast again.
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _decoded(likenesses: np.ndarray, places: np.ndarray, start: np.ndarray, least: float) -> Palms:
    kept = likenesses >= least
    points = places[kept].reshape(-1, 9, 2)
    half = points[:, 1] / 2
    points = points + start[kept][:, None]
    middle = points[:, 0]
    return Palms(likenesses[kept], np.concatenate([middle - half, middle + half], 1), points[:, 2:])


def _lateral(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.PReLU(outputs))


def _blocks(channels: int) -> nn.Sequential:
    return nn.Sequential(PalmBlock(channels, channels), PalmBlock(channels, channels))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _by_guess(x: Tensor, numbers: int) -> Tensor:
    """A map (B, guesses of a cell * numbers, H, W) as (B, guesses, numbers), cell by cell."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, numbers)
