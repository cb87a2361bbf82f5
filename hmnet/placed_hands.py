"""Hands of a dataset's pictures as a network sees them, placed before the pictures' own cameras.

A network says how a hand is shaped and turned; how large it is and where, a picture alone does not. FreiHAND
gives every entrant the camera's matrix and the length of one bone: with the length the hand has its size, and
the landmarks that the hand's segmenter sees then say where it must be to be seen there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hmnet.checkpoint import Checkpoint
from hmnet.data.crop import extract, extract_labels, normalise
from hmnet.data.freihand import HandSample
from hmnet.hand_sightings import landmarks_of
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.pose_errors import crops_of

BONE = ("middle1", "middle2")
"""The joints at the ends of the bone whose length is given."""
NEAREST = 0.1
"""m; no hand is placed nearer to the camera."""


class PlacedHands(NamedTuple):
    """joints: (B, 21, 3) float32 m, camera frame, regressed from the regularised mesh. vertices: (B, U, 3)
    likewise, of the body's full surface."""

    joints: Tensor
    vertices: Tensor


@torch.inference_mode()
def placed_hands(
    checkpoint: Checkpoint, samples: Sequence[HandSample], true_parts: bool = False
) -> PlacedHands:
    """The hands in the samples' boxes by a hand's checkpoint; true_parts: with the samples' part maps."""
    model, segmenter, size = checkpoint.model, checkpoint.segmenter, checkpoint.preprocessing.image_size
    crops = crops_of(samples, checkpoint)
    pictures = [extract(s.image, crop, size) for s, crop in zip(samples, crops, strict=True)]
    look = look_at(segmenter, normalise(np.stack(pictures), checkpoint.preprocessing), mirror=False)
    if true_parts:
        maps = [extract_labels(s.part_map, crop, size) for s, crop in zip(samples, crops, strict=True)]
        part_map = torch.from_numpy(np.stack(maps)).long()
    else:
        part_map = segmenter.label(part_logits(segmenter, look))
    body = model.body
    neighbours = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    mesh = neighbour_average(reconstruct(model, look, part_map).vertices, neighbours)
    hands = torch.cat([body.regress_joints(mesh), body.upsample(mesh)], 1).double().numpy()
    landmarks = landmarks_of(look.features[-1])[0][..., :2].double().numpy()
    ends, count = [body.joint_index(name) for name in BONE], len(body.joint_names)
    for hand, seen, crop, sample in zip(hands, landmarks, crops, samples, strict=True):
        hand[:, :2] = hand[:, :2] @ crop.axes
        hand *= sample.bone / np.linalg.norm(hand[ends[0]] - hand[ends[1]])
        hand += translation(hand[:count], crop.to_photo(seen, size), sample.camera)
    joints, vertices = torch.from_numpy(hands).float().split([count, hands.shape[1] - count], 1)
    return PlacedHands(joints, vertices)


def translation(points: np.ndarray, pixels: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """The move (3,) m that brings points (N, 3) m to where a camera's matrix (3, 3) sees pixels (N, 2).

    Least squares of x + tx = x' (z + tz), and likewise of y, where (x', y', 1) is a pixel's line of sight.
    """
    sight = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(camera).T
    sight = sight[:, :2] / sight[:, 2:]
    unknowns = np.zeros((len(points), 2, 3))
    unknowns[:, 0, 0] = unknowns[:, 1, 1] = 1
    unknowns[:, :, 2] = -sight
    known = sight * points[:, 2:] - points[:, :2]
    move = np.linalg.lstsq(unknowns.reshape(-1, 3), known.ravel(), rcond=None)[0]
    move[2] = max(move[2], NEAREST)
    return move
