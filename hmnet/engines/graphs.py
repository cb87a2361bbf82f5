"""What the networks do with pictures, as three modules that any runtime can take: tensors in, tensors out."""

import torch
from torch import Tensor, nn

from hmnet.config import Preprocessing
from hmnet.hand_sightings import landmarks_of
from hmnet.keypoints import middle_keypoints
from hmnet.look import answer, merged
from hmnet.model import HMNet
from hmnet.segmentation import PartSegmenter


class DenseGraph(nn.Module):
    """Pictures (B, H, W, 3) uint8, sides multiples of 32, to MoveNet's dense maps (B, 76, H/4, W/4).

    Of hands, whose pictures have the crops' side, to the numbers (B, 128) of `hmnet.handnet`.
    """

    def __init__(self, segmenter: PartSegmenter, preprocessing: Preprocessing):
        super().__init__()
        self.segmenter = segmenter
        self.normalise = _Normalise(preprocessing)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.segmenter.features(self.normalise(pictures))[-1].float()


class ViewGraph(nn.Module):
    """Person crops (B, S, S, 3) uint8 to what is seen in each view of them by itself.

    Coarse part logits (B, 25, S/4, S/4); the keypoints (B, 17, 2), px of the crop, of whoever is in its
    middle, and their heats (B, 17); what the RGB encoder is given, (B, ...). Of hands there are 17 logits and
    21 landmarks, whose heats all say how surely it is a hand.
    """

    def __init__(self, segmenter: PartSegmenter, model: HMNet, preprocessing: Preprocessing):
        super().__init__()
        self.segmenter, self.rgb_encoder = segmenter, model.rgb_encoder
        self.normalise = _Normalise(preprocessing)
        self.keypoints = _landmarks if model.body.one_sided else middle_keypoints

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        image = self.normalise(pictures)
        features = self.segmenter.features(image)
        coarse = self.segmenter.decode(features)
        keypoints, heats, _ = self.keypoints(features[-1])
        return coarse.float(), keypoints, heats, self.rgb_encoder.see(image, features)


class LabelGraph(nn.Module):
    """Coarse logits (B, 25, S/4, S/4), or (2 B, ...) of two views, to part ids (B, S, S) uint8."""

    def __init__(self, segmenter: PartSegmenter, mirrored: bool):
        super().__init__()
        self.segmenter, self.mirrored = segmenter, mirrored

    def forward(self, coarse: Tensor) -> Tensor:
        logits = self.segmenter.enlarge(merged(coarse, self.mirrored))
        return self.segmenter.label(logits).to(torch.uint8)


class PoseGraph(nn.Module):
    """What the RGB encoder is given (V B, ...), part ids (B, S, S) uint8, to joints and raw vertices, m."""

    def __init__(self, model: HMNet, mirrored: bool):
        super().__init__()
        self.model, self.mirrored = model, mirrored

    def forward(self, seen: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        output = answer(self.model, seen, labels.long(), self.mirrored)
        return output.joints.float(), output.vertices.float()


def _landmarks(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As `middle_keypoints`, of a hand's numbers (B, 128): landmarks, how surely there is a hand, which."""
    places, _, presence, right = landmarks_of(numbers)
    return places[..., :2], presence[:, None].expand(-1, places.shape[1]), right


class _Normalise(nn.Module):
    """Pictures (B, H, W, 3) uint8 as the networks' input (B, 3, H, W), channels last in memory."""

    def __init__(self, preprocessing: Preprocessing):
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(preprocessing.mean), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(preprocessing.std), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return ((pictures.float() - self.mean) / self.std).permute(0, 3, 1, 2)
