"""Shape variation (the paper's Fig. 9): people across Anny's range, recovered against true.

Differs from the paper: Fig. 9 shows pictures; here stature, girths and sex are measured. One picture does not
tell how large a person is, only how they look; HMNet's metres are what people who look so have on average, so
that statures are drawn towards the mean (the slopes below 1 say how much).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.checkpoint import Checkpoint
from hmnet.figures.body_measures import GIRTHS, MEASURES, Tailor
from hmnet.figures.seen import look_at_samples
from hmnet.figures.shape_drawing import draw
from hmnet.figures.shape_people import LEVELS, Shaped, learn_sex, shaped_people
from hmnet.look import reconstruct
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import pa_surface_error, surface_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = 400
"""As many as are rendered without a limit."""
BODIES = sum(len(levels) for levels in LEVELS.values())
SCATTERED = ("stature", *GIRTHS)
LEAST_CHANGE = 0.02
"""A measure that a phenotype changes by less (relative deviation within a scene) has no response to it."""
FEMALE = 0.5
"""Anny's gender from which a body counts as a woman's."""


def make(checkpoint: Checkpoint, limit: int | None = None) -> tuple[dict, "Figure"]:
    """The figure and its numbers, on about `limit` pictures (at least one of each body) rendered for it."""
    people = list(shaped_people(max((limit or PICTURES) // BODIES, 1)))
    meshes = recovered(checkpoint, people)
    body = checkpoint.model.body
    info = checkpoint.info
    result = {
        "weights": {"variant": info.variant, "revision": info.revision},
        "images": len(people),
        "scenes": len({one.scene for one in people}),
    }
    result |= measure(body, people, meshes)
    return result, draw(result, people, meshes, body)


@torch.inference_mode()
def recovered(checkpoint: Checkpoint, people: Sequence[Shaped]) -> Tensor:
    """Averaged vertices (N, V, 3) m of HMNet for each picture, from the segmenter's own part maps."""
    body = checkpoint.model.body
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    meshes = [
        neighbour_average(reconstruct(checkpoint.model.eval(), seen.look, seen.labels).vertices, matrix)
        for seen in look_at_samples(checkpoint, [one.sample for one in people])
    ]
    return torch.cat(meshes)


def measure(body: BodyTemplate, people: Sequence[Shaped], meshes: Tensor) -> dict:
    """What meshes (N, V, 3) tell of the people: errors by phenotype and level, and how measures agree.

    "errors": phenotype -> "surface", "PA surface", mm a level.
    "measures": name -> how the recovered agree with the true (see `_agreement`), mm; "measures of common
    statures": the same of those pictures alone whose people are no taller or shorter than in training.
    "scattered": name of SCATTERED -> true and recovered, mm a picture.
    "response": phenotype -> name of SCATTERED -> how much of a change of the body comes back, all else equal:
    1 is all of it, 0 nothing; None where the phenotype does not change it.
    "sex": the agreement on Anny's gender as `SexFromMeasures` reads it where it alone differs, and which
    share of men and women is read rightly.
    """
    truth = torch.from_numpy(np.stack([one.sample.vertices for one in people])).float()
    errors = {"surface": surface_error(meshes, truth), "PA surface": pa_surface_error(meshes, truth)}
    tailor, read_sex = Tailor(body), learn_sex()
    true, found = tailor.measure(truth), tailor.measure(meshes)
    pairs = {name: (1000 * true[:, i].numpy(), 1000 * found[:, i].numpy()) for i, name in enumerate(MEASURES)}
    common = np.array([one.common for one in people])
    return {
        "varied": [one.varied for one in people],
        "level": [one.level for one in people],
        "errors": {name: _by_level(people, name, errors) for name in LEVELS},
        "measures": {name: _agreement(*pair) for name, pair in pairs.items()},
        "measures of common statures": {
            name: _agreement(*(values[common] for values in pair)) for name, pair in pairs.items()
        },
        "scattered": {name: pairs[name] for name in SCATTERED},
        "response": {
            varied: {name: _response(people, varied, *pairs[name]) for name in SCATTERED} for varied in LEVELS
        },
        "sex": _sex(people, read_sex(true), read_sex(found)),
    }


def _by_level(people: Sequence[Shaped], varied: str, errors: dict[str, Tensor]) -> dict[str, list[float]]:
    chosen = [
        torch.tensor([one.varied == varied and one.level == level for one in people])
        for level in range(len(LEVELS[varied]))
    ]
    return {name: [values[c].mean().item() for c in chosen] for name, values in errors.items()}


def _response(people: Sequence[Shaped], varied: str, true: np.ndarray, found: np.ndarray) -> float | None:
    """Slope of numbers (N,) found against the true ones within scenes, over what the phenotype changes."""
    true_change, found_change = [], []
    for scene in {one.scene for one in people}:
        of = np.array([one.varied == varied and one.scene == scene for one in people])
        true_change.append(true[of] / true[of].mean() - 1)
        found_change.append((found[of] - found[of].mean()) / true[of].mean())
    change, answer = np.concatenate(true_change), np.concatenate(found_change)
    if change.std() < LEAST_CHANGE:
        return None
    return float((change * answer).sum() / (change**2).sum())


def _agreement(true: np.ndarray, found: np.ndarray) -> dict:
    """How numbers (N,) found agree with the true ones.

    slope: of the line through the found against the true. spread: mean absolute deviation of the true from
    their mean, the error of always giving that.
    """
    varies = min(true.std(), found.std()) > 1e-6 * np.abs(true).max()
    return {
        "correlation": float(np.corrcoef(true, found)[0, 1]) if varies else None,
        "slope": float(np.polyfit(true, found, 1)[0]) if varies else None,
        "mean absolute error": float(np.abs(found - true).mean()),
        "bias": float((found - true).mean()),
        "spread": float(np.abs(true - true.mean()).mean()),
    }


def _sex(people: Sequence[Shaped], from_true: np.ndarray, from_found: np.ndarray) -> dict:
    """How Anny's gender is read, of the pictures in which it alone differs.

    Every scene then shows a man and a woman, so that what its pose or place is taken for counts for both.
    """
    gender = np.array([one.gender for one in people])
    of = np.array([one.varied == "gender" for one in people])
    unmixed = of & ((gender == 0) | (gender == 1))
    shares = {
        name: float(((read > FEMALE) == (gender > FEMALE))[unmixed].mean())
        for name, read in (("right", from_found), ("right from the true mesh", from_true))
    }
    return _agreement(gender[of], from_found[of]) | shares | {"true": gender[of], "recovered": from_found[of]}
