"""Where the people are: from MoveNet's dense map of a photo, and from the parts that are seen near them.

Boxes are (x0, y0, x1, y1), bounded by their edges, and keypoints (x, y), in px of the map's picture or of the
photo they belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from hmnet.errors import BoxError, told
from hmnet.finite import finite_array
from hmnet.keypoints import CELL, heats_and_centres, keypoints_of

LEAST_SIDE = 8
"""px; nobody can be recognised in a smaller box."""


@dataclass(frozen=True)
class BoxSearch:
    """How people are looked for.

    sides: longer sides in px at which the whole photo is looked at. most: how many candidates one such look
    may give; a crowd would take minutes. looks: how many of all candidates get a second look. margin: by
    how much the window of the second look exceeds the first box, as a share of its longer side.
    least_centre: how sure MoveNet must be of a person's centre at the first look. least_heat: of a
    keypoint, for it to count. least_likeness: of all keypoints together at the second look. reach: how far
    beyond the box of the keypoints a person's mask may go, as a share of its longer side. same: candidates
    whose keypoints lie closer together than this share of the larger one's side are one person.
    """

    sides: tuple[int, ...] = (192, 320, 512)
    most: int = 20
    looks: int = 6
    margin: float = 0.25
    least_centre: float = 0.2
    least_heat: float = 0.2
    least_likeness: float = 0.3
    reach: float = 0.08
    same: float = 0.12


@dataclass(frozen=True)
class Candidate:
    """Somebody. keypoints: (17, 2) px, in MoveNet's order. heats: (17,) in [0, 1], how sure each is."""

    keypoints: np.ndarray
    heats: np.ndarray

    @property
    def likeness(self) -> float:
        """How sure all keypoints together are, in [0, 1]."""
        return float(self.heats.mean())

    def box(self, least_heat: float) -> np.ndarray:
        """The box (4,) around the keypoints surer than this, widened to hold head, hands and feet."""
        sure = self.keypoints[self.heats >= least_heat]
        if len(sure) < 2:
            sure = self.keypoints
        low, high = sure.min(0), sure.max(0)
        pad = 0.1 * max(*(high - low), CELL)
        return np.concatenate([low - pad, high + pad])

    def scaled(self, scale: float, corner: Sequence[float] = (0.0, 0.0)) -> "Candidate":
        """The same person in a picture of `scale` px per px of this one, whose corner lies at `corner`."""
        return Candidate(self.keypoints * scale + np.asarray(corner), self.heats)


def find_candidates(dense: torch.Tensor, search: BoxSearch) -> list[Candidate]:
    """The surest few people in a dense map (76, H, W), in px of its picture, the surest centre first."""
    _, centres = heats_and_centres(dense[None])
    highest = torch.nn.functional.max_pool2d(centres, 5, 1, 2)
    cells = torch.nonzero(((centres == highest) & (centres >= search.least_centre))[0])
    surest = centres[0, cells[:, 0], cells[:, 1]].argsort(descending=True)[: search.most]
    return _candidates(dense.expand(len(surest), -1, -1, -1), cells[surest])


def distinct(candidates: list[Candidate], search: BoxSearch) -> list[Candidate]:
    """Without those who are somebody surer already; the surest first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: -one.likeness):
        if not any(_same(candidate, other, search) for other in kept):
            kept.append(candidate)
    return kept


def person_mask(foreground: np.ndarray, candidate: Candidate, search: BoxSearch) -> np.ndarray:
    """What of a foreground (H, W) bool is the person, in its px: near the keypoints, and joined to one.

    May be empty. Somebody touching them belongs to the same piece, but is not that near.
    """
    x0, y0, x1, y1 = candidate.box(search.least_heat)
    reach = search.reach * max(x1 - x0, y1 - y0)
    near = np.zeros_like(foreground)
    top, left = (int(max(edge - reach, 0)) for edge in (y0, x0))
    near[top : int(max(y1 + reach, 0)) + 1, left : int(max(x1 + reach, 0)) + 1] = True
    pieces, _ = ndimage.label(foreground & near, np.ones((3, 3)))
    sure = candidate.keypoints[candidate.heats >= search.least_heat].astype(int)
    height, width = foreground.shape
    inside = sure[(sure >= 0).all(1) & (sure[:, 0] < width) & (sure[:, 1] < height)]
    held = np.unique(pieces[inside[:, 1], inside[:, 0]])
    return np.isin(pieces, held[held > 0])


def mask_box(mask: np.ndarray) -> np.ndarray:
    """The box (4,) float64 around a mask (H, W) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def check_box(box: Sequence[float] | np.ndarray, photo_size: tuple[int, int]) -> np.ndarray:
    """A caller's box (4,) float64 in px of a photo (width, height), cut to the photo.

    Raises BoxError when it is no four finite numbers, has no area, or shows (nearly) nothing of the photo.
    """
    width, height = photo_size
    numbers = finite_array(box, (4,))
    if numbers is None:
        raise BoxError(f"Expected a box of four finite numbers x0, y0, x1, y1 in px, got {told(box)}.")
    x0, y0, x1, y1 = numbers.tolist()
    shown = f"The box {x0:g}, {y0:g}, {x1:g}, {y1:g}"
    if x1 <= x0 or y1 <= y0:
        raise BoxError(f"{shown} has no area: expected x0 < x1 and y0 < y1, in px of the photo.")
    inside = numbers.clip(0, [width, height, width, height])
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        raise BoxError(f"{shown} lies outside the photo of {width} x {height} px: give a box within it.")
    if min(inside[2] - inside[0], inside[3] - inside[1]) < LEAST_SIDE:
        raise BoxError(
            f"{shown} shows less than {LEAST_SIDE} px of the photo of {width} x {height} px: enlarge it."
        )
    return inside


def _candidates(dense: torch.Tensor, cells: torch.Tensor) -> list[Candidate]:
    keypoints, heats, _ = (found.cpu().double().numpy() for found in keypoints_of(dense, cells))
    return [Candidate(points, heat) for points, heat in zip(keypoints, heats, strict=True)]


def _same(one: Candidate, other: Candidate, search: BoxSearch) -> bool:
    both = (one.heats >= search.least_heat) & (other.heats >= search.least_heat)
    if not both.any():
        return False
    apart = np.linalg.norm(one.keypoints - other.keypoints, axis=1)[both].mean()
    side = max(
        np.ptp(candidate.box(search.least_heat).reshape(2, 2), axis=0).max() for candidate in (one, other)
    )
    return bool(apart < search.same * side)
