"""Every hand in a photo: palms found in several sizes of it, and the box of the hand that each belongs to."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hmnet.palmnet import KEYPOINT_NAMES, STRIDE, Palms, find_palms, load_palm_detector

WRIST, MIDDLE = KEYPOINT_NAMES.index("wrist"), KEYPOINT_NAMES.index("middle")


@dataclass(frozen=True)
class HandSearch:
    """How hands are looked for.

    sides: longer sides in px at which the whole photo is looked at; those that would enlarge it by more
    than `enlarged` are left out, but for the first. least_likeness: of a palm, for it to count, as MediaPipe
    has it. overlap: palms whose intersection is more than this share of their union are one, as MediaPipe
    has it. ahead: how far the hand's middle lies from the palm's towards the fingers, in sides of the palm.
    across, along: the hand's half width and half length, likewise; it is taken for an ellipse. alike: two
    hands at one place may differ in size by this factor; of those that differ more, one is a part of the
    other hand, or something round it, that was taken for a hand, and the surer one is kept.
    """

    sides: tuple[int, ...] = (64, 96, 128, 192, 288, 432, 648)
    enlarged: float = 1.1
    least_likeness: float = 0.5
    overlap: float = 0.3
    ahead: float = 0.27
    across: float = 0.69
    along: float = 1.06
    alike: float = 1.5


@dataclass(frozen=True)
class FoundHand:
    """A hand found in a photo.

    box: (4,) float64 xyxy px of the whole hand, which may reach beyond the photo. turn: radians, as in
    `hmnet.data.crop.Crop`; the base of the middle finger lies from the wrist in the photo's direction
    (sin turn, -cos turn). likeness: how surely it is a hand, in [0, 1].
    """

    box: np.ndarray
    turn: float
    likeness: float

    @property
    def middle(self) -> np.ndarray:
        """Of the box, (2,) px."""
        return (self.box[:2] + self.box[2:]) / 2

    @property
    def side(self) -> float:
        """px, of the square with the box's area."""
        return float(np.prod(self.box[2:] - self.box[:2])) ** 0.5


def find_hands(photo: np.ndarray, search: HandSearch = HandSearch()) -> list[FoundHand]:
    """Every hand found in a photo (H, W, 3) uint8, the largest and surest first."""
    palms = distinct(joined([_look(photo, side, search) for side in _sides(photo, search)]), search.overlap)
    hands = [
        _hand(box, points, float(likeness), search)
        for likeness, box, points in zip(palms.likenesses, palms.boxes, palms.keypoints, strict=True)
    ]
    return sorted(_without_parts(hands, search.alike), key=_standing, reverse=True)


def distinct(palms: Palms, overlap: float) -> Palms:
    """Palms without repetition, the surest first: those that overlap a surer one that much join it.

    Box and keypoints become their mean, weighted by their likenesses; the likeness remains the surest one's.
    """
    order = np.argsort(-palms.likenesses, kind="stable")
    found = []
    while len(order):
        same = _overlap(palms.boxes[order[0]], palms.boxes[order]) > overlap
        # A box without area overlaps nothing, not even itself.
        same[0] = True
        members, order = order[same], order[~same]
        found.append(_mean(palms, members))
    return joined(found)


def joined(palms: list[Palms]) -> Palms:
    """All in one, in that order."""
    if not palms:
        return Palms(np.zeros(0), np.zeros((0, 4)), np.zeros((0, len(KEYPOINT_NAMES), 2)))
    return Palms(
        np.concatenate([one.likenesses for one in palms]),
        np.concatenate([one.boxes for one in palms]),
        np.concatenate([one.keypoints for one in palms]),
    )


def letterbox(photo: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole photo with its longer side at `side` px, on black that fills up to multiples of STRIDE.

    Returns the canvas, the photo in its corner, and its px per px of the photo across and down, (2,).
    """
    scale = side / max(photo.shape[:2])
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    # Hands at the very edge are found better with some black behind it.
    canvas = np.zeros(((height // STRIDE + 1) * STRIDE, (width // STRIDE + 1) * STRIDE, 3), np.uint8)
    shrunk = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas[:height, :width] = shrunk
    return canvas, np.array([width / photo.shape[1], height / photo.shape[0]])


def _sides(photo: np.ndarray, search: HandSearch) -> list[int]:
    most = search.enlarged * max(photo.shape[:2])
    return [side for side in search.sides if side <= most or side == search.sides[0]]


def _look(photo: np.ndarray, side: int, search: HandSearch) -> Palms:
    """What may be palms in the photo at that size, in its own px."""
    canvas, scale = letterbox(photo, side)
    palms = find_palms(load_palm_detector(), canvas[None], search.least_likeness)[0]
    return Palms(palms.likenesses, palms.boxes / np.tile(scale, 2), palms.keypoints / scale)


def _mean(palms: Palms, members: np.ndarray) -> Palms:
    weights = palms.likenesses[members] / palms.likenesses[members].sum()
    return Palms(
        palms.likenesses[members[:1]],
        np.tensordot(weights, palms.boxes[members], 1)[None],
        np.tensordot(weights, palms.keypoints[members], 1)[None],
    )


def _overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box (4,) with each of boxes (N, 4); 0 for those without area."""
    both = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(0).prod(1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1) - both
    return np.divide(both, union, out=np.zeros(len(boxes)), where=union > 0)


def _hand(box: np.ndarray, keypoints: np.ndarray, likeness: float, search: HandSearch) -> FoundHand:
    """The hand of a palm's box (4,) and keypoints (7, 2)."""
    across, down = keypoints[MIDDLE] - keypoints[WRIST]
    turn = float(np.arctan2(across, -down))
    side = (box[2:] - box[:2]).max()
    up = np.array([np.sin(turn), -np.cos(turn)])
    middle = (box[:2] + box[2:]) / 2 + search.ahead * side * up
    # The box around a turned ellipse.
    half = side * np.hypot(search.across * up[::-1], search.along * up)
    return FoundHand(np.concatenate([middle - half, middle + half]), turn, likeness)


def _without_parts(hands: list[FoundHand], alike: float) -> list[FoundHand]:
    """Hands, the surest first, without those of another size at the place of a surer one."""
    kept: list[FoundHand] = []
    for hand in hands:
        if not any(_at_one_place(hand, other) and _unlike(hand, other, alike) for other in kept):
            kept.append(hand)
    return kept


def _at_one_place(one: FoundHand, other: FoundHand) -> bool:
    """Whether the middle of either lies in the other's box."""
    return any(
        bool((a.box[:2] <= b.middle).all() and (b.middle <= a.box[2:]).all())
        for a, b in ((one, other), (other, one))
    )


def _unlike(one: FoundHand, other: FoundHand, alike: float) -> bool:
    smaller, larger = sorted((one.side, other.side))
    return larger > alike * smaller


def _standing(hand: FoundHand) -> float:
    """What a photo is of: rather what is large, and surely a hand."""
    return hand.likeness * hand.side
