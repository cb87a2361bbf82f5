"""SMPL's shape and cost (Loper et al., SIGGRAPH Asia 2015) without its data: blend shapes and skinning."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

VERTICES, JOINTS, BETAS = 6890, 24, 10
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


class RandomSmpl(nn.Module):
    """Rotations (B, 24, 3, 3) and shapes (B, 10) to vertices (B, 6890, 3), by arrays of SMPL's sizes whose
    numbers are random. Nothing in it is learnt, so it has no parameters."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {
            "template": (VERTICES, 3), "shapes": (BETAS, VERTICES * 3),
            "poses": (9 * (JOINTS - 1), VERTICES * 3), "regressor": (JOINTS, VERTICES),
            "weights": (VERTICES, JOINTS),
        }  # fmt: skip
        for name, size in sizes.items():
            self.register_buffer(name, 0.01 * torch.randn(size), persistent=False)

    def forward(self, rotations: Tensor, betas: Tensor) -> Tensor:
        shaped = self.template + (betas @ self.shapes).unflatten(1, (VERTICES, 3))
        joints = self.regressor @ shaped
        features = (rotations[:, 1:] - torch.eye(3, device=rotations.device)).flatten(1)
        posed = shaped + (features @ self.poses).unflatten(1, (VERTICES, 3))
        turns, places = [rotations[:, 0]], [joints[:, 0]]
        for joint, parent in enumerate(PARENTS[1:], start=1):
            offset = joints[:, joint] - joints[:, parent]
            places.append(places[parent] + (turns[parent] @ offset[..., None])[..., 0])
            turns.append(turns[parent] @ rotations[:, joint])
        turns, places = torch.stack(turns, 1), torch.stack(places, 1)
        moves = places - (turns @ joints[..., None])[..., 0]
        blended = self.weights @ torch.cat([turns.flatten(2), moves], 2)
        turned = blended[..., :9].unflatten(2, (3, 3)) @ posed[..., None]
        return turned[..., 0] + blended[..., 9:]


def from_axis_angle(vectors: Tensor) -> Tensor:
    """Rotations (..., 3, 3) of axis-angle vectors (..., 3), by Rodrigues' formula."""
    angle = (vectors * vectors).sum(-1, keepdim=True).add(1e-12).sqrt()
    x, y, z = (vectors / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    sine, cosine = angle.sin()[..., None], angle.cos()[..., None]
    return torch.eye(3, device=vectors.device) + sine * cross + (1 - cosine) * (cross @ cross)


def from_six_numbers(numbers: Tensor) -> Tensor:
    """Rotations (..., 3, 3) of six numbers (..., 6) each (Zhou et al., CVPR 2019)."""
    first = F.normalize(numbers[..., :3], dim=-1)
    second = numbers[..., 3:]
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)
