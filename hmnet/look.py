"""What both networks answer to pictures, from one look at them, and from another in a mirror.

Differs from the paper: the answers to a picture and to its mirror image are averaged, which costs a second
view and lowers the errors by some 3 % (README has the figures).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmnet.body import MIRRORED_PART
from hmnet.model import HMNet, HMNetOutput
from hmnet.segmentation import PartSegmenter


@dataclass(frozen=True)
class Look:
    """B pictures as the networks take them, in one view each or in two: V is 1 or 2.

    image: (V B, 3, H, W), normalised, the mirror images behind all others. features: MoveNet's of them.
    mirrored: whether there are mirror images.
    """

    image: Tensor
    features: list[Tensor]
    mirrored: bool


def look_at(segmenter: PartSegmenter, image: Tensor, mirror: bool) -> Look:
    """A look at normalised pictures (B, 3, H, W) with sides that are multiples of 32."""
    if mirror:
        image = torch.cat([image, image.flip(3)])
    return Look(image, segmenter.features(image), mirror)


def part_logits(segmenter: PartSegmenter, look: Look) -> Tensor:
    """Logits (B, 25, H, W) of the parts; of two views the mean, so that probabilities are multiplied."""
    return segmenter.enlarge(merged(segmenter.decode(look.features), look.mirrored))


def merged(coarse: Tensor, mirrored: bool) -> Tensor:
    """Coarse logits (B, 25, H/4, W/4) of B pictures, the mean of both views where there are two.

    Before they are enlarged, a sixteenth of the work: enlarging is linear and knows no left and right.
    """
    if not mirrored:
        return coarse
    here, there = coarse.chunk(2)
    return (here + there.flip(3)[:, list(MIRRORED_PART)]) / 2


def reconstruct(model: HMNet, look: Look, part_map: Tensor) -> HMNetOutput:
    """Joints and raw vertices for pictures and their part ids (B, H, W); of two views the mean of both."""
    return answer(model, model.rgb_encoder.see(look.image, look.features), part_map, look.mirrored)


def answer(model: HMNet, seen: Tensor, part_map: Tensor, mirrored: bool) -> HMNetOutput:
    """As `reconstruct`, from what the RGB encoder sees (V B, ...) of the views."""
    if not mirrored:
        return model(seen, part_map)
    there = part_map.new_tensor(MIRRORED_PART)[part_map.flip(2)]
    output = model(seen, torch.cat([part_map, there]))
    flip = output.joints.new_tensor([-1.0, 1.0, 1.0])
    joints, other_joints = output.joints.chunk(2)
    vertices, other_vertices = output.vertices.chunk(2)
    other_joints = other_joints[:, model.body.mirrored_joints] * flip
    other_vertices = other_vertices[:, model.body.mirror.to(flip.device)] * flip
    return HMNetOutput((joints + other_joints) / 2, (vertices + other_vertices) / 2)
