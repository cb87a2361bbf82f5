"""Phases 2 and 3: two encoders, one joint embedding, two branches.

Section 3 of the paper: a ResNet-18 each for the RGB image and the part map gives a 1000-vector; the two
are concatenated; a joint branch and a surface branch of fully connected layers regress 3D joints and
template vertices in the camera frame. The regulariser (Eq. 3) is `hmnet.mesh.neighbour_average`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet18, resnet50

from hmnet.body import BodyTemplate, load_body
from hmnet.body.hand_names import FINGERS
from hmnet.body.parts import part_names_of
from hmnet.config import HANDS, ModelConfig
from hmnet.hand_sightings import HAND_LOOKS, HAND_PLACES, hand_sighting
from hmnet.keypoints import LOOKS_SIZE, PLACES_SIZE, sighting
from hmnet.variants import Variant, form_of

LOOKS_LEFT_OUT = 0.25
"""Share of the sightings whose looks are withheld in training."""


@dataclass(frozen=True)
class HMNetOutput:
    """joints: (B, J, 3) m, of the joint branch. vertices: (B, V, 3) m, raw; both root-relative."""

    joints: Tensor
    vertices: Tensor


class PartCode(nn.Module):
    """Part ids (B, H, W) to channels (B, C, H, W) by a fixed table, one row a part.

    "label": the paper's label image, one channel in [0, 1]. "one-hot": a channel a part. "code": seven
    channels that say what a part is: person or not, its side, its facing, torso, head, how far out on an
    arm, how far down on a leg; of a hand: hand or not, which of the five fingers, how far out on it.
    Differs from the paper by default ("code"): a label image orders the parts on one axis, which means
    nothing, and a one-hot map triples the cost of the first convolution.
    """

    def __init__(self, encoding: str, body: str = "anny"):
        """body: whose parts they are, a name of `hmnet.body.load_body`."""
        super().__init__()
        names = part_names_of(body)
        tables = {
            "label": lambda: torch.arange(len(names))[:, None] / (len(names) - 1),
            "one-hot": lambda: torch.eye(len(names))[:, 1:],
            "code": lambda: _hand_code_table(names) if body in HANDS else _code_table(names),
        }
        self.register_buffer("table", tables[encoding](), persistent=False)

    @property
    def channels(self) -> int:
        """C, the number of channels."""
        return self.table.shape[1]

    def forward(self, part_map: Tensor) -> Tensor:
        # Gathering rows gives channels last, the layout that convolutions on the CPU like best.
        return self.table[part_map].permute(0, 3, 1, 2)


def _hand_code_table(names: tuple[str, ...]) -> Tensor:
    places = {"base": 1 / 3, "middle": 2 / 3, "end": 1.0}
    table = torch.zeros(len(names), 2 + len(FINGERS))
    table[1:, 0] = 1
    for part, name in enumerate(names):
        finger, _, place = name.partition(" ")
        if finger in FINGERS:
            table[part, 1 + FINGERS.index(finger)] = 1
            table[part, -1] = places[place]
    return table


def _code_table(names: tuple[str, ...]) -> Tensor:
    words = {
        "left": (1, 1.0), "right": (1, -1.0), "front": (2, 1.0), "inside": (2, 1.0), "back": (2, -1.0),
        "outside": (2, -1.0), "torso": (3, 1.0), "head": (4, 1.0),
    }  # fmt: skip
    limbs = {"upper arm": (5, 1 / 3), "lower arm": (5, 2 / 3), "hand": (5, 1.0),
             "upper leg": (6, 1 / 3), "lower leg": (6, 2 / 3), "foot": (6, 1.0)}  # fmt: skip
    table = torch.zeros(len(names), 7)
    for part, name in enumerate(names[1:], start=1):
        table[part, 0] = 1
        for word in name.split():
            if word in words:
                channel, value = words[word]
                table[part, channel] = value
        for limb, (channel, value) in limbs.items():
            if limb in name:
                table[part, channel] = value
    return table


class PixelEncoder(nn.Module):
    """A normalised picture (B, 3, S, S), averaged over squares of `pooling` px, to (B, feature_size).

    The paper's form at `pooling` 1: a ResNet-18, or the baseline's ResNet-50.
    """

    def __init__(self, feature_size: int, pooling: int = 1, backbone: str = "resnet18"):
        super().__init__()
        self.pooling = nn.AvgPool2d(pooling)
        self.network = {"resnet18": resnet18, "resnet50": resnet50}[backbone](num_classes=feature_size)

    def see(self, image: Tensor, features: list[Tensor]) -> Tensor:
        """What `forward` takes, of a picture and the segmenter's features of it."""
        return image

    def forward(self, seen: Tensor) -> Tensor:
        return self.network(self.pooling(seen))


class SightingEncoder(nn.Module):
    """What MoveNet sees of the person in a picture, or `hmnet.handnet` of a hand, to a vector (B,
    feature_size).

    Differs from the paper, by default: a ResNet-18 of the picture, begun with random weights, learns next to
    nothing from some ten thousand renderings, and what it learns of pixels does not hold on photographs.
    The fully connected layers here (after Martinez et al., ICCV 2017) lift the keypoints, and what the maps
    show at them. Looks are left out at random in training, so that places must do alone too.
    """

    def __init__(self, feature_size: int, body: str = "anny"):
        """body: whose sightings they are, a name of `hmnet.body.load_body`."""
        super().__init__()
        self.sighting, self.sizes = hand_sighting if body in HANDS else sighting, sighting_sizes(body)
        places, looks = self.sizes
        self.places = nn.Sequential(nn.BatchNorm1d(places), nn.Linear(places, feature_size))
        self.looks = nn.Sequential(
            nn.BatchNorm1d(looks), nn.Dropout(0.4), nn.Linear(looks, feature_size, bias=False)
        )
        self.blocks = nn.ModuleList(_residual(feature_size) for _ in range(2))
        self.output = nn.Linear(feature_size, feature_size)

    def see(self, image: Tensor, features: list[Tensor]) -> Tensor:
        """What `forward` takes, of a picture and the segmenter's features of it."""
        return self.sighting(features)

    def forward(self, seen: Tensor, places_alone: Tensor | None = None) -> Tensor:
        """Vectors for sightings (B, places + looks), then for places (C, places) alone."""
        places, looks = seen.split(self.sizes, 1)
        looks = self.looks(looks)
        if self.training:
            looks = looks * (torch.rand(len(looks), 1, device=looks.device) > LOOKS_LEFT_OUT)
        if places_alone is not None:
            places = torch.cat([places, places_alone])
            looks = F.pad(looks, (0, 0, 0, len(places_alone)))
        return self._deepen(self.places(places) + looks)

    def lift(self, places: Tensor) -> Tensor:
        """Vectors (B, feature_size) for places (B, places) alone."""
        return self._deepen(self.places(places))

    def _deepen(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return self.output(x)


def sighting_sizes(body: str) -> tuple[int, int]:
    """Lengths of the two parts of a sighting of that body: places and looks."""
    return (HAND_PLACES, HAND_LOOKS) if body in HANDS else (PLACES_SIZE, LOOKS_SIZE)


def _residual(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(), nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(width, width), nn.BatchNorm1d(width),
    )  # fmt: skip


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


class NoEncoder(nn.Module):
    """Nothing (B, feature_size) of pictures or part maps (B, ...), for a variant that is given none."""

    def __init__(self, feature_size: int):
        super().__init__()
        self.feature_size = feature_size

    def see(self, image: Tensor, features: list[Tensor]) -> Tensor:
        """What `forward` takes in the place of a picture."""
        return image

    def forward(self, unseen: Tensor) -> Tensor:
        return torch.zeros(len(unseen), self.feature_size, device=unseen.device)


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
    """RGB image and part map to 3D joints and raw template vertices.

    joint_branch: None for the single-task variants, whose joints are those of the raw surface.
    """

    def __init__(self, body: BodyTemplate, rgb_encoder: PixelEncoder | SightingEncoder | NoEncoder,
                 part_encoder: nn.Module, joint_branch: Branch | None, surface_branch: Branch):  # fmt: skip
        super().__init__()
        self.body = body
        self.rgb_encoder = rgb_encoder
        self.part_encoder = part_encoder
        self.joint_branch = joint_branch
        self.surface_branch = surface_branch
        if joint_branch is None:
            # Dense, as any runtime can take it.
            regressor = body.joint_regressor.to_dense()
            self.register_buffer("joint_regressor", regressor, persistent=False)
        self.frozen: tuple[str, ...] = ()

    def freeze(self, *names: str) -> None:
        """Leave the weights and batch statistics of these modules as they are; dropout goes on."""
        self.frozen = names
        for name in names:
            getattr(self, name).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "HMNet":
        """As in `nn.Module`; batch statistics of frozen modules are never touched."""
        super().train(mode)
        for name in self.frozen:
            for module in getattr(self, name).modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, seen: Tensor, part_map: Tensor) -> HMNetOutput:
        """Joints and vertices for what the RGB encoder sees (by its `see`) and part ids (B, S, S)."""
        return self.decode(self.rgb_encoder(seen), self.part_encoder(part_map))

    def decode(self, rgb_features: Tensor, part_features: Tensor) -> HMNetOutput:
        """Joints and vertices from the two feature vectors (B, 1000)."""
        embedding = torch.cat([rgb_features, part_features], 1)
        vertices = self.surface_branch(embedding)
        if self.joint_branch is None:
            return HMNetOutput(self.joint_regressor @ vertices, vertices)
        return HMNetOutput(self.joint_branch(embedding), vertices)


def build_hmnet(config: ModelConfig) -> HMNet:
    """An HMNet of that configuration with random weights, its branches starting at the template.

    What it is made of is said by the variant's form (`hmnet.variants`); BodyError for an unknown body.
    """
    form, body, size = form_of(config.variant), load_body(config.body), config.feature_size
    no_directions = torch.zeros(0, 1, 3)
    joint_branch = None
    if form.joint_branch:
        joint_branch = Branch(2 * size, size, len(body.joint_names))
        joint_branch.start_from(body.regress_joints(body.vertices), no_directions)
    surface_branch = Branch(2 * size, size, len(body.vertices))
    surface_branch.start_from(body.vertices, no_directions)
    part_encoder: nn.Module = NoEncoder(size)
    if form.parts != "none":
        part_encoder = PartEncoder(PartCode(config.part_encoding, config.body), size, config.input_pooling)
    return HMNet(body, _rgb_encoder(config, form), part_encoder, joint_branch, surface_branch)


def _rgb_encoder(config: ModelConfig, form: Variant) -> PixelEncoder | SightingEncoder | NoEncoder:
    if form.rgb == "none":
        return NoEncoder(config.feature_size)
    if form.rgb == "resnet18" and config.rgb_input == "sighting":
        return SightingEncoder(config.feature_size, config.body)
    return PixelEncoder(config.feature_size, config.input_pooling, form.rgb)
