"""What both networks answer to pictures, from one look at them, and from another in a mirror.

Differs from the paper: the answers to a picture and to its mirror image are averaged, which costs a second
pass and lowers the errors by some 3 % (README has the figures).
"""

from dataclasses import dataclass

from torch import Tensor

from hmnet.body import MIRRORED_PART
from hmnet.model import HMNet, HMNetOutput
from hmnet.segmentation import PartSegmenter


@dataclass(frozen=True)
class Look:
    """Pictures as the networks take them.

    image: (B, 3, H, W), normalised. features: MoveNet's of it. mirrored: the same of the mirror images.
    """

    image: Tensor
    features: list[Tensor]
    mirrored: "Look | None" = None


def look_at(segmenter: PartSegmenter, image: Tensor, mirror: bool) -> Look:
    """A look at normalised pictures (B, 3, H, W) with sides that are multiples of 32."""
    mirrored = look_at(segmenter, image.flip(3), False) if mirror else None
    return Look(image, segmenter.features(image), mirrored)


def part_logits(segmenter: PartSegmenter, look: Look) -> Tensor:
    """Logits (B, 25, H, W) of the parts; of two views the mean of both log-probabilities."""
    logits = segmenter.enlarge(segmenter.decode(look.features))
    if look.mirrored is None:
        return logits
    other = part_logits(segmenter, look.mirrored).flip(3)[:, list(MIRRORED_PART)]
    return (logits.log_softmax(1) + other.log_softmax(1)) / 2


def reconstruct(model: HMNet, look: Look, part_map: Tensor) -> HMNetOutput:
    """Joints and raw vertices for pictures and their part ids (B, H, W); of two views the mean of both."""
    output = model(model.rgb_encoder.see(look.image, look.features), part_map)
    if look.mirrored is None:
        return output
    there = part_map.new_tensor(MIRRORED_PART)[part_map.flip(2)]
    other = reconstruct(model, look.mirrored, there)
    flip = output.joints.new_tensor([-1.0, 1.0, 1.0])
    joints = other.joints[:, model.body.mirrored_joints] * flip
    vertices = other.vertices[:, model.body.mirror.to(flip.device)] * flip
    return HMNetOutput((output.joints + joints) / 2, (output.vertices + vertices) / 2)
