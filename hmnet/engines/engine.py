"""What an engine is: pictures in, what the networks answer out, as NumPy arrays, whatever computes them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Sight:
    """What is seen in B person crops of S px, or in as many of right hands that point up.

    labels: (B, S, S) uint8 part ids. keypoints: (B, 17, 2) px of the crop, of whoever is in its middle, in
    MoveNet's order; of hands (B, 21, 2). heats: (B, 17) or (B, 21) in [0, 1], how sure each is.
    seen: what the RGB encoder is given, (B, ...) or, of two views, (2 B, ...).
    """

    labels: np.ndarray
    keypoints: np.ndarray
    heats: np.ndarray
    seen: np.ndarray


class Engine(ABC):
    """Runs a checkpoint's networks. name: one of ENGINES. words: the same for people, with its device and
    precision. Threads may share it."""

    name: str
    words: str
    device: torch.device

    @abstractmethod
    def dense(self, pictures: np.ndarray) -> np.ndarray:
        """MoveNet's dense maps (B, 76, H/4, W/4) of pictures (B, H, W, 3) uint8, sides multiples of 32.

        Of hands the numbers (B, 128) of `hmnet.handnet.HandNet`, for pictures of its side.
        """

    @abstractmethod
    def look(self, pictures: np.ndarray, mirror: bool) -> Sight:
        """What is seen in person crops (B, S, S, 3) uint8, with their mirror images or without.

        Of hands always without: HMNet knows right ones alone.
        """

    @abstractmethod
    def reconstruct(self, seen: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints (B, J, 3) and raw vertices (B, V, 3), m, for a `Sight.seen` and part ids (B, S, S) uint8."""
