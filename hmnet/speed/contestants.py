"""What the benchmark compares: HMNet in its forms, and the peers, each as one module from picture to mesh."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hmnet.checkpoint import Checkpoint, load_checkpoint
from hmnet.config import ModelConfig, Preprocessing
from hmnet.engines.graphs import LabelGraph, PoseGraph, ViewGraph
from hmnet.mesh import MeshTopology
from hmnet.model import HMNet, build_hmnet
from hmnet.speed.peers import GraphCmr, Hmr, VitRegressor
from hmnet.variants import form_of

SIDE = 224
"""px of the pictures that HMR and GraphCMR take; HMNet is timed on them too."""
OWN_SIDE = Preprocessing().image_size
"""px of the crops that the shipped weights take."""


@dataclass(frozen=True)
class Contestant:
    """One network to be timed.

    title: for a person. size: (height, width) px of its pictures. build: makes the module, which takes what
    `inputs` gives and returns vertices. with_parts: whether it is given the part map beside the picture.
    peer: whether it is somebody else's.
    """

    title: str
    size: tuple[int, int]
    build: Callable[[], nn.Module]
    with_parts: bool = False
    peer: bool = False

    def inputs(self, batch: int) -> tuple[np.ndarray, ...]:
        """Pictures (B, H, W, 3) uint8, and part ids (B, H, W) uint8 where it is given them."""
        generator = np.random.default_rng(0)
        # Smooth, as photographs are: of noise an argmax is a tie everywhere.
        blocks = generator.integers(0, 256, (batch, self.size[0] // 32, self.size[1] // 32, 3), np.uint8)
        pictures = blocks.repeat(32, 1).repeat(32, 2)
        parts = (pictures[..., 0] // 11).astype(np.uint8)
        return (pictures, parts) if self.with_parts else (pictures,)


class RingAverage(nn.Module):
    """Eq. 3 as a gather of neighbours, which every runtime has."""

    def __init__(self, topology: MeshTopology) -> None:
        super().__init__()
        rows, columns = topology.neighbour_matrix.indices()
        degrees = torch.bincount(rows)
        places = torch.arange(len(rows)) - (degrees.cumsum(0) - degrees)[rows]
        # Shorter rings are filled up with vertex 0 at weight 0.
        neighbours = torch.zeros(len(degrees), int(degrees.max()), dtype=torch.long)
        weights = torch.zeros(neighbours.shape)
        neighbours[rows, places], weights[rows, places] = columns, 1 / degrees[rows].float()
        self.register_buffer("neighbours", neighbours, persistent=False)
        self.register_buffer("weights", weights[..., None], persistent=False)

    @classmethod
    def of(cls, model: HMNet) -> "RingAverage":
        """On the model's template."""
        return cls(MeshTopology.from_faces(model.body.faces, len(model.body.vertices)))

    def forward(self, vertices: Tensor) -> Tensor:
        return (vertices[:, self.neighbours] * self.weights).sum(2)


class WholeHmnet(nn.Module):
    """Pictures (B, S, S, 3) uint8 to regularised vertices (B, V, 3): parts, encoders, branches, Eq. 3."""

    def __init__(self, checkpoint: Checkpoint, mirror: bool, average: RingAverage | None = None) -> None:
        """average: Eq. 3 where the vertices are not those of the model's template."""
        super().__init__()
        self.view = ViewGraph(checkpoint.segmenter, checkpoint.model, checkpoint.preprocessing)
        self.labels = LabelGraph(checkpoint.segmenter, mirror)
        self.pose, self.mirror = PoseGraph(checkpoint.model, mirror), mirror
        self.average = average or RingAverage.of(checkpoint.model)

    def forward(self, pictures: Tensor) -> Tensor:
        if self.mirror:
            pictures = torch.cat([pictures, pictures.flip(2)])
        coarse, _, _, seen = self.view(pictures)
        return self.average(self.pose(seen, self.labels(coarse))[1])


class PaperHmnet(nn.Module):
    """The paper's own form: a ResNet-18 each for the picture and for the part map that is given, branches,
    Eq. 3; or another variant of it. Random weights."""

    def __init__(self, variant: str = "hmnet") -> None:
        super().__init__()
        body = form_of(variant).body
        self.model = build_hmnet(ModelConfig(variant=variant, body=body, rgb_input="pixels"))
        self.picture = Normalised(nn.Identity())
        self.average = RingAverage.of(self.model)

    def forward(self, pictures: Tensor, parts: Tensor) -> Tensor:
        return self.average(self.model(self.picture(pictures), parts.long()).vertices)


class Normalised(nn.Module):
    """A network behind the same step from pictures (B, H, W, 3) uint8 that all take."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network(((pictures.float() - 127.5) / 127.5).permute(0, 3, 1, 2))


CONTESTANTS = {
    "hmnet": Contestant("HMNet", (SIDE, SIDE), lambda: WholeHmnet(load_checkpoint(), False)),
    "hmnet-192": Contestant("HMNet at its own 192 px", (OWN_SIDE, OWN_SIDE),
                            lambda: WholeHmnet(load_checkpoint(), False)),
    "hmnet-two-views": Contestant("HMNet at 192 px, two views", (OWN_SIDE, OWN_SIDE),
                                  lambda: WholeHmnet(load_checkpoint(), True)),
    "paper": Contestant("HMNet, the paper's form, parts given", (SIDE, SIDE), PaperHmnet, with_parts=True),
    "paper-full": Contestant("the same, full template", (SIDE, SIDE), lambda: PaperHmnet("hmnet-full"),
                             with_parts=True),
    "baseline": Contestant("the paper's baseline, ResNet-50", (SIDE, SIDE), lambda: PaperHmnet("baseline"),
                           with_parts=True),
    "hmr": Contestant("HMR", (SIDE, SIDE), lambda: Normalised(Hmr()), peer=True),
    "graphcmr": Contestant("GraphCMR", (SIDE, SIDE), lambda: Normalised(GraphCmr()), peer=True),
    "vit-h": Contestant("ViT-H regressor", (256, 192), lambda: Normalised(VitRegressor()), peer=True),
}  # fmt: skip
"""By name. HMNet is the shipped one, from the picture to the regularised mesh, parts included."""


def built(contestant: Contestant) -> nn.Module:
    """The module, ready to answer; random weights are the same each time."""
    torch.manual_seed(0)
    return contestant.build().eval().requires_grad_(False)
