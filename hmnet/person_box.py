"""Where the person is: boxes from the foreground that the part segmenter sees.

All boxes are (x0, y0, x1, y1), bounded by their edges, in px of the map or photo they belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hmnet.body.parts import PART_NAMES
from hmnet.errors import BoxError

GROUPS = ("head", "torso", "upper arm", "lower arm", "hand", "upper leg", "lower leg", "foot")
GROUP_OF_PART = np.array([next(i for i, g in enumerate(GROUPS) if g in n) for n in PART_NAMES[1:]])
LEAST_SIDE = 8
"""px; nobody can be recognised in a smaller box."""


@dataclass(frozen=True)
class BoxSearch:
    """How a person is looked for.

    sides: longer sides in px at which the whole photo is labelled, the next one only when the ones before
    showed nobody with likeness `sure`. looks: how many candidates get a second look. margin: by how much the
    window of the second look exceeds the first box, as a share of its longer side. gap: pieces closer than
    this share of the map's longer side are one person. speck: pieces smaller than this share of the largest
    are dropped.
    least_area: share of the map that a person covers at least. least_confidence: foreground probability
    that the surest tenth of a person's pixels reaches. least_likeness: what the second look must
    reach; of photos without people a quarter do, of photos of people nearly all.
    """

    sides: tuple[int, ...] = (320, 576)
    looks: int = 3
    sure: float = 0.4
    margin: float = 0.4
    gap: float = 0.025
    speck: float = 0.01
    least_area: float = 0.002
    least_confidence: float = 0.6
    least_likeness: float = 0.3


def find_people(foreground: np.ndarray, threshold: float, search: BoxSearch) -> list[np.ndarray]:
    """Masks (H, W) of the people in a map (H, W) of foreground probabilities, the largest first.

    threshold: a pixel is foreground when its probability exceeds this. Pieces that lie close together count
    as one person; what is too small or too unsure is left out.
    """
    pieces, count = ndimage.label(foreground > threshold, np.ones((3, 3)))
    if not count:
        return []
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    kept = (areas >= search.speck * areas.max()) & (areas > 0)
    mask = kept[pieces]
    reach = round(search.gap * max(foreground.shape) / 2)
    # Growing each piece by half the gap makes neighbours touch.
    groups, count = ndimage.label(ndimage.maximum_filter(mask, 2 * reach + 1), np.ones((3, 3)))
    groups *= mask
    people = [groups == group for group in range(1, count + 1)]
    people = [person for person in people if _is_person(foreground[person], foreground.size, search)]
    return sorted(people, key=np.count_nonzero, reverse=True)


def likeness(parts: np.ndarray) -> float:
    """How much pixels with these probabilities (N, 24) of their parts look like a person, in [0, 1].

    The share of GROUPS present, times how sure the parts are of themselves. A lawn may pass for a torso,
    but it has no head, arms and feet, and what a bush has of these is a guess.
    """
    if len(parts) == 0:
        return 0.0
    likeliest = parts.argmax(1)
    counts = np.bincount(GROUP_OF_PART[likeliest], minlength=len(GROUPS))
    certainty = parts[np.arange(len(parts)), likeliest].mean()
    return float((counts > 0.01 * len(parts)).mean() * certainty)


def mask_box(mask: np.ndarray) -> np.ndarray:
    """The box (4,) float64 around a mask (H, W) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def most_inside(people: list[np.ndarray], box: Sequence[float] | np.ndarray) -> np.ndarray | None:
    """The mask with most pixels in a box (in px of the masks); None if none has any."""
    x0, y0, x1, y1 = (max(0, round(float(edge))) for edge in box)
    counts = [np.count_nonzero(person[y0:y1, x0:x1]) for person in people]
    return people[int(np.argmax(counts))] if any(counts) else None


def check_box(box: Sequence[float] | np.ndarray, photo_size: tuple[int, int]) -> np.ndarray:
    """A caller's box (4,) float64 in px of a photo (width, height), cut to the photo.

    Raises BoxError when it is no four finite numbers, has no area, or shows (nearly) nothing of the photo.
    """
    width, height = photo_size
    try:
        numbers = np.asarray(box, np.float64)
    except (TypeError, ValueError) as error:
        raise BoxError(f"Expected a box of four numbers x0, y0, x1, y1 in px, got {box!r}.") from error
    if numbers.shape != (4,) or not np.isfinite(numbers).all():
        raise BoxError(f"Expected a box of four finite numbers x0, y0, x1, y1 in px, got {numbers.tolist()}.")
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


def _is_person(probabilities: np.ndarray, map_size: int, search: BoxSearch) -> bool:
    return (
        len(probabilities) >= search.least_area * map_size
        and np.quantile(probabilities, 0.9) >= search.least_confidence
    )
