"""Everybody in a photo: looked for in the whole of it, then looked at from near."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from hmnet.data.crop import OUTSIDE, extract, square_crop
from hmnet.engines import Engine
from hmnet.person_box import (
    LEAST_SIDE,
    BoxSearch,
    Candidate,
    distinct,
    find_candidates,
    mask_box,
    person_mask,
)

STRIDE = 32
"""Sides of what the networks look at are multiples of this."""
LIKENESS_POWER = 1.5
"""How much likeness counts against size where a photo shows several people; from 0.8 to 2.1 the development
photos' own people come first."""


@dataclass(frozen=True)
class Person:
    """Somebody found in a photo. box: (4,) xyxy in its px. likeness: how surely it is a person, in [0, 1]."""

    box: np.ndarray
    likeness: float


def find_people(engine: Engine, photo: np.ndarray, search: BoxSearch, crop_size: int) -> list[Person]:
    """Everybody found in a photo (H, W, 3) uint8, the largest and surest first.

    The whole photo is looked at in several sizes, then a window of `crop_size` px around each that may be a
    person, so that they fill the networks' input; their box is that of their visible parts there.
    """
    first = [one for side in search.sides for one in _first_look(engine, photo, search, side)]
    candidates = distinct(first, search)[: search.looks]
    if not candidates:
        return []
    looks = _second_look(engine, photo, search, crop_size, candidates)
    kept = distinct([candidate for candidate, _ in looks], search)
    people = [
        Person(box.clip(0, [photo.shape[1], photo.shape[0]] * 2), candidate.likeness)
        for candidate, box in looks
        if any(candidate is one for one in kept) and candidate.likeness >= search.least_likeness
    ]
    # What lies beyond the photo's edge for the most part has no box that could be looked at.
    people = [one for one in people if (one.box[2:] - one.box[:2]).min() >= LEAST_SIDE]
    return sorted(people, key=_standing, reverse=True)


def _first_look(engine: Engine, photo: np.ndarray, search: BoxSearch, side: int) -> list[Candidate]:
    """Who may be a person in the whole photo at that size, in its px."""
    picture, scale = _shrink_whole(photo, side)
    dense = torch.from_numpy(engine.dense(picture[None])[0])
    return [candidate.scaled(1 / scale) for candidate in find_candidates(dense, search)]


def _second_look(
    engine: Engine, photo: np.ndarray, search: BoxSearch, size: int, candidates: list[Candidate]
) -> list[tuple[Candidate, np.ndarray]]:
    """Each again from near, with a better box (4,), both in px of the photo."""
    windows = [square_crop(one.box(search.least_heat), search.margin) for one in candidates]
    sight = engine.look(np.stack([extract(photo, window, size) for window in windows]), mirror=False)
    found = []
    for window, keypoints, heats, labels in zip(
        windows, sight.keypoints, sight.heats, sight.labels, strict=True
    ):
        person = Candidate(keypoints, heats)
        mask = person_mask(labels > 0, person, search)
        box = mask_box(mask) if mask.any() else person.box(search.least_heat)
        box = window.to_photo(box.reshape(2, 2), size).ravel()
        found.append((person.scaled(window.side / size, window.box[:2]), box))
    return found


def _shrink_whole(photo: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """The whole photo with its longer side at `side` px, on grey that fills up to multiples of STRIDE.

    Returns the canvas and its px per px of the photo.
    """
    scale = side / max(photo.shape[:2])
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    canvas = np.empty((-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), np.uint8)
    canvas[:] = OUTSIDE
    shrunk = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas[:height, :width] = shrunk
    return canvas, scale


def _standing(person: Person) -> float:
    """What a photo is of: rather what is large, and surely a person."""
    return person.likeness**LIKENESS_POWER * float(np.prod(person.box[2:] - person.box[:2])) ** 0.5
