"""People who differ in one thing: bodies along each phenotype, in the same pose and place.

Rendered by us in upright poses and garments of the test split, where the average person is seen whole and
from the front, with nothing before them and nobody beside: pictures that show what shape there is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.people.garments import Wardrobe
from hmnet.data.synthetic.people.person import bodies, populate
from hmnet.data.synthetic.people.phenotypes import AGES, YEARS, sample_phenotypes
from hmnet.data.synthetic.poses.pose_library import PoseLibrary
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery, photograph
from hmnet.figures.body_measures import SexFromMeasures, Tailor

SEED = 9
EVEN = (0.0, 0.25, 0.5, 0.75, 1.0)
YEARS_SHOWN = (4, 11, 18, 40, 80)
LEVELS = {
    "gender": EVEN,
    "age": tuple(float(np.interp(years, YEARS, AGES)) for years in YEARS_SHOWN),
    "weight": EVEN,
    "height": EVEN,
    "muscle": EVEN,
}
"""Phenotype -> what it is set to, one at a time; nobody in the training pictures is under 3 years."""
AVERAGE = {"age": float(np.interp(35, YEARS, AGES)), "height": 0.39}
"""What is not varied: 35 years, of the height phenotype's mean in the population; 0.5 of all others."""
COMMON = {"height": (0.25,)}
"""Levels of LEVELS that a training population holds, of a phenotype whose other levels it does not."""
UPRIGHT = ("standing", "gesture", "walking")
POPULATION = 1500
"""Bodies from which the reading of the sex is learnt."""


@dataclass(frozen=True)
class Shaped:
    """One picture. sample: what was rendered. scene: its number. gender: Anny's, 0 male to 1 female.

    varied, level: the phenotype of LEVELS that differs from the scene's person, and the index of its value.
    """

    sample: Sample
    scene: int
    gender: float
    varied: str
    level: int

    @property
    def common(self) -> bool:
        """Whether training has seen bodies so tall or short."""
        values = COMMON.get(self.varied)
        return values is None or LEVELS[self.varied][self.level] in values


def shaped_people(scenes: int) -> Iterator[Shaped]:
    """In each of `scenes` places a person with each of LEVELS, all else equal: men and women by turns.

    A picture in which too little of the person would be seen is left out.
    """
    library, wardrobe = _library().part(True), Wardrobe.load(None).part(True)
    upright = np.flatnonzero(np.isin(library.kinds, UPRIGHT))
    order = np.random.default_rng(SEED)
    gender = load_anny().phenotype_names.index("gender")
    scene, seed = 0, 0
    while scene < scenes:
        seed, chosen = seed + 1, order.choice(upright, 1)
        pose, kind = library.poses[chosen], library.kinds[chosen]
        average = _rendered(pose, kind, person_of(scene % 2), wardrobe, seed)
        if average is None or average.tags:
            continue
        for varied, levels in LEVELS.items():
            for level, value in enumerate(levels):
                phenotypes = person_of(scene % 2, **{varied: value})
                sample = _rendered(pose, kind, phenotypes, wardrobe, seed)
                if sample is not None:
                    yield Shaped(sample, scene, float(phenotypes[gender]), varied, level)
        scene += 1


def _rendered(
    pose: np.ndarray, kind: np.ndarray, phenotypes: np.ndarray, wardrobe: Wardrobe, seed: int
) -> Sample | None:
    """One body in a pose (1, 24, 3). An equal seed gives an equal view, place and light to all bodies; what
    they wear hangs on sex and age."""
    (person,) = populate(
        pose, kind, np.random.default_rng([SEED, seed]), wardrobe, phenotypes=phenotypes[None]
    )
    return photograph(person, Scenery([], occluded=0), np.random.default_rng([SEED, seed, 1]))


def person_of(sex: float, **changed: float) -> np.ndarray:
    """Phenotypes (6,) of an average adult of that sex, 0 male or 1 female, but for what is changed."""
    values = {"gender": float(sex)} | AVERAGE | changed
    return np.array([values.get(name, 0.5) for name in load_anny().phenotype_names])


@lru_cache(maxsize=1)
def _library() -> PoseLibrary:
    return PoseLibrary.build([], SEED, wheel=False)


@lru_cache(maxsize=1)
def learn_sex() -> SexFromMeasures:
    """How MEASURES speak for a sex, from a population in the poses that training uses; no picture is seen."""
    generator = np.random.default_rng(SEED)
    poses, _ = _library().part(False).sample(generator, POPULATION)
    phenotypes = sample_phenotypes(generator, POPULATION)
    posed = bodies(poses, generator, full=False, phenotypes=phenotypes)
    measures = Tailor(load_body()).measure(torch.from_numpy(posed["template"]))
    return SexFromMeasures.fit(measures, posed["person"][:, 0])
