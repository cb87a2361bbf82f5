"""The wardrobe: every garment there is, and which of them one person wears together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hmnet.data.synthetic.people import headwear, tailor
from hmnet.data.synthetic.people.fitting import SLOTS, Garment, drape
from hmnet.data.synthetic.people.mhclo import load_clothes

__all__ = ["SLOTS", "Garment", "Wardrobe", "drape"]

TEST_SHARE = 5
"""One garment in so many is kept for the test split."""
PAINTED_SHARE = 0.35
"""How many people wear no modelled clothes: their tight ones are painted on the body."""
SHOD_SHARE = 0.88
"""How many wear modelled shoes: painted ones show the toes."""
CHILD_AGE = 0.5
"""The age phenotype below which few carry a bag."""
FEET = (5, 6)
UNDER_NO_COAT = ("top", "suit", "dress")
"""Looser than a coat in places, they would come through it: under one a top is painted."""


@lru_cache(maxsize=1)
def _procedural() -> tuple[Garment, ...]:
    return tuple(cut(name) for name, cut in (tailor.STYLES | headwear.STYLES).items())


def _hash(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)


@lru_cache(maxsize=1)
def _test_styles() -> frozenset[str]:
    """A fifth of the procedural styles, at least one a kind."""
    names = list(tailor.STYLES | headwear.STYLES)
    chosen: list[str] = []
    for kind in sorted({name.split(":")[0] for name in names}):
        ranked = sorted((name for name in names if name.startswith(kind + ":")), key=_hash)
        chosen += ranked[: max(1, round(len(ranked) / TEST_SHARE))]
    return frozenset(chosen)


def _is_test(name: str) -> bool:
    """Files are split by their name alone: whatever else lies in the folder, a garment stays on its side."""
    return _hash(name) % TEST_SHARE == 0 if name.startswith("mhclo:") else name in _test_styles()


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """Garments to choose from."""

    garments: tuple[Garment, ...]

    @classmethod
    def load(cls, folder: Path | None = None) -> "Wardrobe":
        """The procedural garments and, if a folder is given, the MakeHuman `.mhclo` ones in it.

        DataError when the folder is missing; files in it that cannot be read are left out with a warning.
        """
        return cls(_procedural() + (tuple(load_clothes(Path(folder))) if folder is not None else ()))

    def part(self, test: bool) -> "Wardrobe":
        """The fifth of the garments kept for the test split, or all the others; decided by name."""
        return Wardrobe(tuple(garment for garment in self.garments if _is_test(garment.name) == test))

    def choose(self, generator: np.random.Generator, gender: float, age: float) -> list[Garment]:
        """What one person wears together; often little or nothing.

        gender: 0 male, 1 female; age: Anny's phenotype, 1/3 a child, 2/3 young, 1 old.
        """
        rolls = generator.random(8)
        child = age < CHILD_AGE
        chosen: list[Garment | None] = []
        if rolls[0] > PAINTED_SHARE:
            for slot in _outfit(generator, gender):
                chosen.append(self._pick(generator, (slot,), gender))
        if rolls[1] < 0.25 and not any(g is not None and g.slot in UNDER_NO_COAT for g in chosen):
            chosen.append(self._pick(generator, ("coat",), gender))
        shod = any(g is not None and np.isin(g.face_parts, FEET).any() for g in chosen)
        if rolls[2] < SHOD_SHARE and not shod:
            chosen.append(self._pick(generator, ("shoes",), gender))
        if rolls[3] < 0.35 + 0.4 * gender:
            chosen.append(self._pick(generator, ("hair",), gender))
        if rolls[4] < 0.1:
            chosen.append(self._pick(generator, ("hat",), gender))
        if rolls[5] < (0.05 if child else 0.12):
            chosen.append(self._pick(generator, ("bag",), gender))
        worn = [garment for garment in chosen if garment is not None]
        crowns = {g.slot: g.vertices[:, 1].min() for g in worn if g.slot in ("hair", "hat")}
        if len(crowns) == 2 and crowns["hair"] < crowns["hat"]:
            # Hair that stands higher than the hat would come through it.
            worn = [garment for garment in worn if garment.slot != "hat"]
        return worn

    def _pick(self, generator: np.random.Generator, slots: Sequence[str], gender: float) -> Garment | None:
        """One of those slots, rarely one made for the other sex; None where there is none."""
        weights = np.array(
            [
                (garment.slot in slots)
                * (1.0 if garment.gender is None else 0.03 + _agreement(garment, gender))
                for garment in self.garments
            ]
        )
        roll = generator.random()
        if weights.sum() == 0:
            return None
        return self.garments[int(np.searchsorted(np.cumsum(weights) / weights.sum(), roll, side="right"))]


def _agreement(garment: Garment, gender: float) -> float:
    return max(0.0, 1 - 2 * abs(float(garment.gender or 0) - gender))


def _outfit(generator: np.random.Generator, gender: float) -> tuple[str, ...]:
    """The slots of an outfit that covers the trunk; what is left bare is painted on."""
    kinds = (("suit",), ("top", "bottom"), ("top",), ("bottom",), ("dress",), ("top", "skirt"), ("skirt",))
    # Only who looks like a woman wears dresses and skirts.
    woman = max(0.0, 1.7 * gender - 0.7)
    shares = np.array([0.22, 0.33, 0.17, 0.13, 0.001 + 0.2 * woman, 0.13 * woman, 0.07 * woman])
    return kinds[int(generator.choice(len(kinds), p=shares / shares.sum()))]
