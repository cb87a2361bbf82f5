"""What MoveNet's features say of one person: 17 keypoints, how sure each is, and what is seen around them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from hmnet.movenet import KEYPOINT_NAMES, MoveNet

CELL = 4
"""px; side of the dense map's cells."""
NEAR = 1.8
"""Cells; so far from where it is expected a keypoint's heat counts half. MoveNet weighs it so itself."""
COUNT = len(KEYPOINT_NAMES)
PLACES_SIZE = 5 * COUNT
"""Length of a sighting's first part: keypoints (34), heats (17), where the centre expects them (34)."""
LOOKS_SIZE = (MoveNet.pyramid_channels[2] + 24) * COUNT + MoveNet.pyramid_channels[3]
"""Length of its second: the maps at stride 16 and 4 at the keypoints (120 x 17), the mean at stride 32."""


def heats_and_centres(dense: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities of keypoints (B, 17, H, W) and people's centres (B, H, W) in dense maps (B, 76, H, W)."""
    dense = dense.float()
    return dense[:, 24:41].sigmoid(), dense[:, 41].sigmoid()


def middle_cells(centres: Tensor) -> Tensor:
    """The cell (B, 2), row and column, where the person in the middle of each window is centred."""
    height, width = centres.shape[1:]
    rows, columns = _grid(centres)
    away = ((rows - height / 2) ** 2 + (columns - width / 2) ** 2).sqrt()
    place = (centres / (away + 0.1 * height)).flatten(1).argmax(1)
    return torch.stack([place // width, place % width], 1)


def keypoints_of(dense: Tensor, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The people with their centres in those cells (B, 2) of dense maps (B, 76, H, W).

    Returns keypoints (B, 17, 2), x and y in px of the picture, each at the hottest place near where it is
    expected; their heats (B, 17); and where the centres expect them (B, 17, 2).
    """
    heats, _ = heats_and_centres(dense)
    people = torch.arange(dense.shape[0], device=dense.device)
    offsets = dense[people, 42:, cells[:, 0], cells[:, 1]].float().unflatten(1, (COUNT, 2))
    expected = cells[:, None] + offsets
    rows, columns = _grid(heats)
    away = ((rows - expected[..., :1, None]) ** 2 + (columns - expected[..., 1:, None]) ** 2).sqrt()
    place = (heats / (away + NEAR)).flatten(2).argmax(2)
    row, column = place // heats.shape[3], place % heats.shape[3]
    heat = heats.flatten(2).gather(2, place[..., None])[..., 0]
    # Between the cells: the middle of the heat in the nine around the hottest.
    near = (
        heats * ((rows - row[..., None, None]).abs() <= 1) * ((columns - column[..., None, None]).abs() <= 1)
    )
    total = near.sum((2, 3)).clamp(min=1e-9)
    found = torch.stack([(near * axis).sum((2, 3)) / total for axis in (columns, rows)], 2)
    return (found + 0.5) * CELL, heat, (expected.flip(2) + 0.5) * CELL


def middle_keypoints(dense: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As `keypoints_of`, of whoever is likeliest to be in the middle of each window."""
    return keypoints_of(dense, middle_cells(heats_and_centres(dense)[1]))


def sighting(features: list[Tensor]) -> Tensor:
    """All that is seen of the person in the middle of each window, (B, PLACES_SIZE + LOOKS_SIZE) float32.

    features: of `hmnet.movenet.MoveNet`. Places are in units of half the window, from its middle.
    """
    *_, stride16, stride32, dense = features
    keypoints, heats, expected = middle_keypoints(dense)
    half = dense.shape[3] * CELL / 2
    places, expected = ((points / half - 1).float() for points in (keypoints, expected))
    looks = [
        F.grid_sample(plane.float(), places[:, None].clamp(-1, 1), align_corners=False)[:, :, 0].flatten(1)
        for plane in (stride16, dense[:, :24])
    ]
    context = stride32.float().mean((2, 3))
    return torch.cat([places.flatten(1), heats, expected.clamp(-3, 3).flatten(1), *looks, context], 1)


def _grid(like: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (H, 1) and columns (W,) of maps (..., H, W)."""
    height, width = like.shape[-2:]
    return torch.arange(height, device=like.device)[:, None], torch.arange(width, device=like.device)
