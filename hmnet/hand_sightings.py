"""What `hmnet.handnet` sees of one hand: 21 landmarks, and what its maps show at them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hmnet.handnet import LANDMARKS, SIDE, HandNet

HAND_PLACES = 2 * 3 * LANDMARKS + 2
"""Length of a sighting's first part: landmarks in half windows (63), in decimetres (63), two logits."""
HAND_LOOKS = (
    HandNet.pyramid_channels[0] + HandNet.pyramid_channels[2]
) * LANDMARKS + HandNet.pyramid_channels[3]
"""Length of its second: the maps at stride 4 and 16 at the landmarks, the mean at stride 32."""
METRES = 10.0
LOGITS = 0.25
"""What lengths in m, and logits, are multiplied by, so that all numbers are about as large."""


def landmarks_of(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of the network's numbers (B, 128) the landmarks (B, 21, 3) in px of its picture, z from the wrist; the
    same (B, 21, 3) in m; and how likely it is a hand pointing up (B,), and a right one (B,)."""
    numbers = numbers.float()
    places, shape, flags = numbers.split([3 * LANDMARKS, 3 * LANDMARKS, 2], 1)
    presence, right = flags.sigmoid().unbind(1)
    return places.unflatten(1, (-1, 3)), shape.unflatten(1, (-1, 3)), presence, right


def hand_places(places: Tensor, shape: Tensor, flags: Tensor) -> Tensor:
    """The first part (B, HAND_PLACES) of landmarks (B, 21, 3) in px, in m (B, 21, 3), and logits (B, 2)."""
    half = SIDE / 2
    middle = places.new_tensor([1.0, 1.0, 0.0])
    parts = places / half - middle, METRES * shape, LOGITS * flags
    return torch.cat([part.flatten(1) for part in parts], 1)


def hand_sighting(features: list[Tensor]) -> Tensor:
    """All that is seen of hands, (B, HAND_PLACES + HAND_LOOKS) float32; features: of `HandNet`."""
    stride4, _, stride16, stride32, _, numbers = features
    places, shape, flags = numbers.float().split([3 * LANDMARKS, 3 * LANDMARKS, 2], 1)
    first = hand_places(places.unflatten(1, (-1, 3)), shape.unflatten(1, (-1, 3)), flags)
    where = first[:, : 3 * LANDMARKS].unflatten(1, (-1, 3))[:, None, :, :2].clamp(-1, 1)
    looks = [
        F.grid_sample(plane.float(), where, align_corners=False)[:, :, 0].flatten(1)
        for plane in (stride4, stride16)
    ]
    return torch.cat([first, *looks, stride32.float().mean((2, 3))], 1)


def turned(seen: np.ndarray, turn: np.ndarray, zoom: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Sightings (B, N) of windows turned by matrices (B, 2, 2), zoomed (B, 1, 1) and shifted (B, 1, 2)."""
    seen, count, span = seen.copy(), len(seen), 3 * LANDMARKS
    places, shape = (seen[:, k * span : (k + 1) * span].reshape(count, LANDMARKS, 3) for k in (0, 1))
    places = np.concatenate([places[..., :2] @ turn * zoom + shift, places[..., 2:] * zoom], 2)
    shape = np.concatenate([shape[..., :2] @ turn, shape[..., 2:]], 2)
    seen[:, : 2 * span] = np.concatenate([places, shape], 1).reshape(count, -1)
    return seen
