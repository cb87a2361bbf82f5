"""Other networks for body meshes, built from their papers with random weights, to be timed beside HMNet.

Each takes normalised pictures and gives vertices (B, 6890, 3); accuracy means nothing here.
"""

import torch
from torch import Tensor, nn
from torchvision.models import resnet50

from hmnet.speed.skinning import BETAS, JOINTS, VERTICES, RandomSmpl, from_axis_angle, from_six_numbers

CAMERA = 3


class Hmr(nn.Module):
    """HMR (Kanazawa et al., CVPR 2018): a ResNet-50, three rounds of regression, SMPL.

    Pictures (B, 3, 224, 224). The regressor gives 85 numbers: camera, 24 axis-angle rotations, 10 shapes.
    """

    rounds = 3

    def __init__(self) -> None:
        super().__init__()
        self.encoder = resnet50()
        self.encoder.fc = nn.Identity()
        size = CAMERA + 3 * JOINTS + BETAS
        self.regressor = nn.Sequential(
            nn.Linear(2048 + size, 1024), nn.ReLU(), nn.Dropout(), nn.Linear(1024, 1024), nn.ReLU(),
            nn.Dropout(), nn.Linear(1024, size),
        )  # fmt: skip
        self.register_buffer("mean", torch.zeros(1, size), persistent=False)
        self.smpl = RandomSmpl()

    def forward(self, image: Tensor) -> Tensor:
        features = self.encoder(image)
        numbers = self.mean.expand(features.shape[0], -1)
        for _ in range(self.rounds):
            numbers = numbers + self.regressor(torch.cat([features, numbers], 1))
        _, pose, betas = numbers.split([CAMERA, 3 * JOINTS, BETAS], 1)
        return self.smpl(from_axis_angle(pose.unflatten(1, (JOINTS, 3))), betas)


class GraphCmr(nn.Module):
    """GraphCMR (Kolotouros et al., CVPR 2019): a ResNet-50, graph convolutions on a mesh of 1,723 vertices.

    Pictures (B, 3, 224, 224). Their network for SMPL's parameters, which needs the mesh first, is left out:
    it is not needed for vertices. The mesh's neighbours are random, seven a vertex as in a mesh.
    """

    nodes, width, blocks = 1723, 256, 5

    def __init__(self) -> None:
        super().__init__()
        self.encoder = resnet50()
        self.encoder.fc = nn.Identity()
        neighbours = torch.randint(self.nodes, (self.nodes, 7))
        width = self.width
        self.entry = nn.Linear(2048 + 3, 2 * width)
        self.body = nn.ModuleList(
            _GraphBlock(inputs, width, neighbours) for inputs in (2 * width, *[width] * self.blocks)
        )
        self.head = nn.ModuleList([_GraphBlock(width, 64, neighbours), _GraphBlock(64, 32, neighbours)])
        self.norm = nn.GroupNorm(4, 32)
        self.exit = nn.Linear(32, 3)
        self.register_buffer("template", torch.randn(1, self.nodes, 3), persistent=False)
        self.register_buffer("sources", torch.randint(self.nodes, (VERTICES, 3)), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        features = self.encoder(image)[:, None].expand(-1, self.nodes, -1)
        x = self.entry(torch.cat([self.template.expand(features.shape[0], -1, -1), features], 2))
        for block in (*self.body, *self.head):
            x = block(x)
        x = self.exit(_normed(self.norm, x).relu())
        return x[:, self.sources].mean(2)


class _GraphBlock(nn.Module):
    """Narrow, mix with the neighbours, widen; added to the input."""

    def __init__(self, inputs: int, outputs: int, neighbours: Tensor):
        super().__init__()
        half = outputs // 2
        self.narrow, self.mix, self.widen = (
            nn.Linear(inputs, half), nn.Linear(half, half), nn.Linear(half, outputs)
        )  # fmt: skip
        self.norms = nn.ModuleList(nn.GroupNorm(max(size // 8, 1), size) for size in (inputs, half, half))
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)
        self.register_buffer("neighbours", neighbours, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrow(_normed(self.norms[0], x).relu())
        y = self.mix(_normed(self.norms[1], y).relu())[:, self.neighbours].mean(2)
        return self.skip(x) + self.widen(_normed(self.norms[2], y).relu())


def _normed(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    """Group normalisation of (B, N, C), over nodes and the channels of a group."""
    return norm(x.transpose(1, 2)).transpose(1, 2)


class VitRegressor(nn.Module):
    """A regressor like HMR 2.0 (Goel et al., ICCV 2023): ViT-H/16, then one query to a decoder, SMPL.

    Pictures (B, 3, 256, 192). depth, width: of the encoder; the defaults are ViT-H's.
    """

    def __init__(self, depth: int = 32, width: int = 1280, decoder_depth: int = 6) -> None:
        super().__init__()
        size = CAMERA + 6 * JOINTS + BETAS
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.places = nn.Parameter(torch.zeros(1, 16 * 12, width))
        self.encoder = nn.ModuleList(_Block(width, 16, 4 * width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.query = nn.Parameter(torch.zeros(1, 1, 1024))
        self.decoder = nn.ModuleList(_Block(1024, 8, 1024, 64, width) for _ in range(decoder_depth))
        self.exit = nn.Linear(1024, size)
        self.smpl = RandomSmpl()

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2) + self.places
        for block in self.encoder:
            x = block(x)
        x = self.norm(x)
        query = self.query.expand(x.shape[0], -1, -1)
        for block in self.decoder:
            query = block(query, x)
        _, pose, betas = self.exit(query[:, 0]).split([CAMERA, 6 * JOINTS, BETAS], 1)
        return self.smpl(from_six_numbers(pose.unflatten(1, (JOINTS, 6))), betas)


class _Block(nn.Module):
    """A transformer's block: attention to itself, to a context where there is one, and two linear layers."""

    def __init__(self, width: int, heads: int, hidden: int, head: int | None = None, context: int = 0):
        super().__init__()
        head = head or width // heads
        self.own = _Attention(width, width, heads, head)
        self.other = _Attention(width, context, heads, head) if context else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if context else 2))
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        y = self.norms[0](x)
        x = x + self.own(y, y)
        if self.other is not None:
            x = x + self.other(self.norms[1](x), context)
        return x + self.layers(self.norms[-1](x))


class _Attention(nn.Module):
    def __init__(self, width: int, context: int, heads: int, head: int):
        super().__init__()
        self.heads, self.head = heads, head
        self.query = nn.Linear(width, heads * head)
        self.keys_values = nn.Linear(context, 2 * heads * head)
        self.exit = nn.Linear(heads * head, width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query = self.query(x).unflatten(2, (self.heads, self.head)).transpose(1, 2)
        keys, values = (
            part.unflatten(2, (self.heads, self.head)).transpose(1, 2)
            for part in self.keys_values(context).chunk(2, 2)
        )
        share = (query @ keys.transpose(2, 3) * self.head**-0.5).softmax(3)
        return self.exit((share @ values).transpose(1, 2).flatten(2))
