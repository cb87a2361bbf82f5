"""Phase 1: label 24 body parts in a photo, or the 16 of a hand.

A decoder of our own over the features of MoveNet, which know people in photographs, or of MediaPipe Hands,
which know hands; so what is learnt from renderings need not learn what photographs look like.
Differs from the paper: it takes its part maps from DensePose; these cannot be had here, and a network of
three million parameters runs on any laptop.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hmnet.body.parts import PART_COUNT, part_names_of
from hmnet.config import HANDS, SegmenterConfig
from hmnet.handnet import HandNet
from hmnet.movenet import MoveNet


class PartSegmenter(nn.Module):
    """Image to P + 1 logits a pixel, background and P parts: 25 with DensePose's 24 parts."""

    def __init__(self, features: MoveNet | HandNet, config: SegmenterConfig,
                 part_count: int = PART_COUNT):  # fmt: skip
        super().__init__()
        self.part_count = part_count
        self.register_buffer("not_background", torch.tensor([-1e9] + [0.0] * part_count), persistent=False)
        self.register_buffer("countdown", torch.arange(part_count + 1.0, 0, -1), persistent=False)
        self.config = config
        self.features = features.requires_grad_(False)
        width, channels = config.width, features.pyramid_channels
        self.context = nn.Conv2d(channels[-1], width, 1)
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        dense = features.dense_channels + 2
        self.dense = nn.Sequential(nn.BatchNorm2d(dense), nn.Conv2d(dense, width, 1))
        self.merge = nn.ModuleList(_block(width) for _ in channels)
        self.finish = _block(width)
        self.classifier = nn.Conv2d(width, part_count + 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, 25, H, W) for a normalised RGB image (B, 3, H, W), H and W multiples of 32."""
        return self.enlarge(self.coarse_logits(image))

    def enlarge(self, coarse: Tensor) -> Tensor:
        """Logits (B, 25, H, W) from coarse ones (B, 25, H/4, W/4)."""
        return F.interpolate(coarse, scale_factor=4, mode="bilinear", align_corners=False)

    def coarse_logits(self, image: Tensor) -> Tensor:
        """Logits (B, 25, H/4, W/4), the resolution that the network works at."""
        return self.decode(self.features(image))

    def decode(self, features: list[Tensor]) -> Tensor:
        """Logits (B, 25, H/4, W/4) for what `features` gave."""
        *pyramid, dense = features[: len(self.lateral) + 1]
        x = self.context(pyramid[-1].mean((2, 3), keepdim=True))
        for stride, lateral, merge in zip(
            reversed(pyramid), reversed(self.lateral), reversed(self.merge), strict=True
        ):
            x = merge(lateral(stride) + F.interpolate(x, stride.shape[-2:], mode="nearest"))
        # Where a pixel stands in the window tells the person meant, in the middle, from others.
        dense = torch.cat([dense, _places(dense)], 1)
        return self.classifier(self.finish(x + self.dense(dense)))

    def label(self, logits: Tensor, foreground_threshold: float | None = None) -> Tensor:
        """Part ids (B, H, W) int64 for logits (B, 25, H, W).

        A pixel is the person's when its background probability is below the threshold (the
        configuration's by default), and then takes its likeliest part.
        """
        if foreground_threshold is None:
            foreground_threshold = self.config.foreground_threshold
        # Neither argmax nor softmax: as plain sums and maxima the same takes a quarter of their time.
        logits = logits.float().movedim(1, -1)
        background, parts = logits[..., :1], logits + self.not_background
        is_likeliest = parts >= parts.amax(-1, keepdim=True)
        first = self.part_count + 1 - (is_likeliest * self.countdown).amax(-1)
        return (first * (1 / (logits - background).exp().sum(-1) < foreground_threshold)).long()


def _block(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


def _places(like: Tensor) -> Tensor:
    """Where each cell is, x and y from -1 to 1, as two channels (B, 2, H, W)."""
    rows, columns = (
        torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device) for side in like.shape[2:]
    )
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
    return grid.expand(like.shape[0], -1, -1, -1)


def segmenter_config(body: str) -> SegmenterConfig:
    """The form in which a body's segmenter is trained: a hand alone in a picture needs half the channels."""
    return SegmenterConfig(width=32) if body in HANDS else SegmenterConfig()


def build_segmenter(config: SegmenterConfig, body: str = "anny") -> PartSegmenter:
    """A segmenter with random weights, of the parts of the body of that name."""
    features = HandNet() if body in HANDS else MoveNet()
    return PartSegmenter(features, config, len(part_names_of(body)) - 1)
