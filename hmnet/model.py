"""Phases 2 and 3: two encoders, one joint embedding, two branches.

Section 3 of the paper: a ResNet-18 each for the RGB image and the part map gives a 1000-vector; the two
are concatenated; a joint branch and a surface branch of fully connected layers regress 3D joints and
template vertices in the camera frame. The regulariser (Eq. 3) is `hmnet.mesh.neighbour_average`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from hmnet.body import PART_COUNT, PART_NAMES, BodyTemplate, load_body
from hmnet.config import ModelConfig


@dataclass(frozen=True)
class HMNetOutput:
    """joints: (B, J, 3) m, of the joint branch. vertices: (B, V, 3) m, raw; both root-relative."""

    joints: Tensor
    vertices: Tensor


class PartCode(nn.Module):
    """Part ids (B, H, W) to channels (B, C, H, W) by a fixed table, one row a part.

    "label": the paper's label image, one channel in [0, 1]. "one-hot": a channel a part. "code": seven
    channels that say what a part is: person or not, its side, its facing, torso, head, how far out on an
    arm, how far down on a leg.
    Differs from the paper by default ("code"): a label image orders the parts on one axis, which means
    nothing, and a one-hot map triples the cost of the first convolution.
    """

    def __init__(self, encoding: str):
        super().__init__()
        tables = {
            "label": _label_table,
            "one-hot": lambda: torch.eye(PART_COUNT + 1)[:, 1:],
            "code": _code_table,
        }
        self.register_buffer("table", tables[encoding](), persistent=False)

    @property
    def channels(self) -> int:
        """C, the number of channels."""
        return self.table.shape[1]

    def forward(self, part_map: Tensor) -> Tensor:
        # Gathering rows gives channels last, the layout that convolutions on the CPU like best.
        return self.table[part_map].permute(0, 3, 1, 2)


def _label_table() -> Tensor:
    return torch.arange(PART_COUNT + 1)[:, None] / PART_COUNT


def _code_table() -> Tensor:
    words = {
        "left": (1, 1.0), "right": (1, -1.0), "front": (2, 1.0), "inside": (2, 1.0), "back": (2, -1.0),
        "outside": (2, -1.0), "torso": (3, 1.0), "head": (4, 1.0),
    }  # fmt: skip
    limbs = {"upper arm": (5, 1 / 3), "lower arm": (5, 2 / 3), "hand": (5, 1.0),
             "upper leg": (6, 1 / 3), "lower leg": (6, 2 / 3), "foot": (6, 1.0)}  # fmt: skip
    table = torch.zeros(PART_COUNT + 1, 7)
    for part, name in enumerate(PART_NAMES[1:], start=1):
        table[part, 0] = 1
        for word in name.split():
            if word in words:
                channel, value = words[word]
                table[part, channel] = value
        for limb, (channel, value) in limbs.items():
            if limb in name:
                table[part, channel] = value
    return table


class RGBEncoder(nn.Module):
    """Normalised image (B, 3, H, W) to a feature vector (B, feature_size).

    Differs from the paper in the shipped weights: their inputs of 224 px are averaged over 4 x 4 squares
    before the ResNet, here and for the part map, because they were trained on two CPU cores, which so saw
    several times the images in the same time. `pooling=1` is the paper's form.
    """

    def __init__(self, feature_size: int, pooling: int = 1):
        super().__init__()
        self.pooling = nn.AvgPool2d(pooling)
        self.network = resnet18(num_classes=feature_size)

    def forward(self, image: Tensor) -> Tensor:
        return self.network(self.pooling(image))


class PartEncoder(nn.Module):
    """Part ids (B, H, W) to a feature vector (B, feature_size)."""

    def __init__(self, entry: PartCode, feature_size: int, pooling: int = 1):
        super().__init__()
        self.entry = entry
        self.pooling = nn.AvgPool2d(pooling)
        self.network = resnet18(num_classes=feature_size)
        self.network.conv1 = nn.Conv2d(entry.channels, 64, 7, 2, 3, bias=False)

    def forward(self, part_map: Tensor) -> Tensor:
        return self.network(self.pooling(self.entry(part_map)))


class Branch(nn.Sequential):
    """Two fully connected layers and an output layer: (B, inputs) to points (B, N, 3), metres."""

    def __init__(self, inputs: int, hidden: int, points: int):
        super().__init__(
            nn.Linear(inputs, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, points * 3),
            nn.Unflatten(1, (points, 3)),
        )

    @torch.no_grad()
    def start_from(self, mean: Tensor, directions: Tensor) -> None:
        """Begin at the mean (N, 3) of the training points with their principal directions (K, N, 3).

        The first 2 K hidden units drive one direction each, forth or back, since a unit is never negative;
        so the first gradients already move whole limbs. The rest of the output layer starts near zero.
        """
        for layer in (self[0], self[2]):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        output = self[4]
        output.weight.mul_(0.01)
        count = min(len(directions), output.in_features // 2)
        if count:
            flat = directions[:count].flatten(1).T
            output.weight[:, : 2 * count] += torch.cat([flat, -flat], 1)
        output.bias.copy_(mean.flatten())


class HMNet(nn.Module):
    """RGB image and part map to 3D joints and raw template vertices."""

    def __init__(self, body: BodyTemplate, rgb_encoder: nn.Module, part_encoder: nn.Module,
                 joint_branch: Branch, surface_branch: Branch):  # fmt: skip
        super().__init__()
        self.body = body
        self.rgb_encoder = rgb_encoder
        self.part_encoder = part_encoder
        self.joint_branch = joint_branch
        self.surface_branch = surface_branch

    def forward(self, image: Tensor, part_map: Tensor) -> HMNetOutput:
        """Joints and vertices for a normalised image (B, 3, S, S) and part ids (B, S, S)."""
        return self.decode(self.rgb_encoder(image), self.part_encoder(part_map))

    def decode(self, rgb_features: Tensor, part_features: Tensor) -> HMNetOutput:
        """Joints and vertices from the two feature vectors (B, 1000)."""
        embedding = torch.cat([rgb_features, part_features], 1)
        return HMNetOutput(self.joint_branch(embedding), self.surface_branch(embedding))


def build_hmnet(config: ModelConfig) -> HMNet:
    """An HMNet of that configuration with random weights, its branches starting at the template."""
    body = load_body(config.body)
    size = config.feature_size
    entry = PartCode(config.part_encoding)
    joint_branch = Branch(2 * size, size, len(body.joint_names))
    surface_branch = Branch(2 * size, size, len(body.vertices))
    no_directions = torch.zeros(0, 1, 3)
    joint_branch.start_from(body.regress_joints(body.vertices), no_directions)
    surface_branch.start_from(body.vertices, no_directions)
    rgb_encoder = RGBEncoder(size, config.input_pooling)
    part_encoder = PartEncoder(entry, size, config.input_pooling)
    return HMNet(body, rgb_encoder, part_encoder, joint_branch, surface_branch)
