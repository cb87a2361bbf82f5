"""Effect of the regulariser (Eq. 3, the paper's Fig. 8): trained with it or without, applied or not.

Differs from the paper: Fig. 8 shows meshes alone; here the surface error, the roughness and the deviation of
the normals are measured besides, for 0 to 10 iterations and for strengths from 0 to 1.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hmnet.body import PART_NAMES, BodyTemplate
from hmnet.checkpoint import Checkpoint, load_variant
from hmnet.data.shards import StoredSample
from hmnet.figures.drawing import (
    COLOURS,
    INK,
    MARKERS,
    WHITE,
    drawn_window,
    new_figure,
    show_picture,
    style_axes,
    trimmed,
)
from hmnet.figures.seen import clear_example, look_at_samples, origin, read_samples
from hmnet.look import reconstruct
from hmnet.mesh import MeshTopology, neighbour_average, normal_deviation, roughness
from hmnet.metrics import surface_error
from hmnet.model import HMNet
from hmnet.published import UNREGULARISED
from hmnet.render import view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAINED = {"with": "trained with Eq. 3", "without": "trained without Eq. 3"}
ITERATIONS = tuple(range(11))
STRENGTHS = tuple(round(0.1 * step, 1) for step in range(11))
MEASURES = {
    "surface": ("Surface error", "mm"),
    "roughness": ("Distance to one-ring mean", "mm"),
    "normal deviation": ("Angle to neighbours' normals", "degrees"),
}


def make(checkpoint: Checkpoint, data: Path, limit: int | None = None) -> tuple[dict, "Figure"]:
    """The figure and its numbers, on the first `limit` pictures of a test set.

    checkpoint: of HMNet, with the variant trained without Eq. 3 beside it, else CheckpointError.
    """
    networks = {"with": checkpoint.model.eval(), "without": load_variant(checkpoint, UNREGULARISED)}
    samples = read_samples(data, limit)
    result = origin(checkpoint, data, samples) | measure(checkpoint, networks, samples)
    example = raw_meshes(checkpoint, networks, clear_example(samples))
    return result, draw(result, example, checkpoint.model.body)


@torch.inference_mode()
def measure(checkpoint: Checkpoint, networks: dict[str, HMNet], samples: list[StoredSample]) -> dict:
    """Means over the samples: network of TRAINED -> "iterations" or "strength" -> measure -> 11 numbers.

    "truth" holds roughness and normal deviation of the true meshes as they are.
    """
    body = checkpoint.model.body
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    rows: dict[tuple[str, str], list[Tensor]] = {}
    truths = []
    for seen in look_at_samples(checkpoint, samples):
        truths.append(_measures(seen.vertices, seen.vertices, body, matrix))
        for name, network in networks.items():
            raw = reconstruct(network, seen.look, seen.labels).vertices
            for sweep, meshes in (("iterations", _iterated(raw, matrix)), ("strength", _graded(raw, matrix))):
                values = torch.stack([_measures(mesh, seen.vertices, body, matrix) for mesh in meshes])
                rows.setdefault((name, sweep), []).append(values)
    result: dict = {"iterations": list(ITERATIONS), "strengths": list(STRENGTHS)}
    for (name, sweep), batches in rows.items():
        means = torch.cat(batches, 2).double().mean(2).T.tolist()
        result.setdefault(name, {})[sweep] = dict(zip(MEASURES, means, strict=True))
    truth = torch.cat(truths, 1).double().mean(1).tolist()
    result["truth"] = {name: value for name, value in zip(MEASURES, truth, strict=True) if name != "surface"}
    return result


def _iterated(raw: Tensor, matrix: Tensor) -> Iterable[Tensor]:
    mesh = raw
    for _ in ITERATIONS:
        yield mesh
        mesh = neighbour_average(mesh, matrix)


def _graded(raw: Tensor, matrix: Tensor) -> Iterable[Tensor]:
    for strength in STRENGTHS:
        yield neighbour_average(raw, matrix, 1, strength)


def _measures(mesh: Tensor, truth: Tensor, body: BodyTemplate, matrix: Tensor) -> Tensor:
    """MEASURES (3, B) of meshes (B, V, 3)."""
    return torch.stack(
        [
            surface_error(mesh, truth),
            1000 * roughness(mesh, matrix),
            normal_deviation(mesh, body.faces, matrix),
        ]
    )


@torch.inference_mode()
def raw_meshes(
    checkpoint: Checkpoint, networks: dict[str, HMNet], sample: StoredSample
) -> dict[str, np.ndarray]:
    """Raw vertices (V, 3) m of one sample by each network."""
    (seen,) = look_at_samples(checkpoint, [sample])
    return {
        name: reconstruct(network, seen.look, seen.labels).vertices[0].numpy()
        for name, network in networks.items()
    }


def draw(result: dict, example: dict[str, np.ndarray], body: BodyTemplate) -> "Figure":
    """The curves over iterations and strength, and below them the example's four meshes.

    example: raw vertices (V, 3) m by the names of TRAINED.
    """
    figure = new_figure(12, 11)
    curves, meshes = figure.subfigures(2, 1, height_ratios=(2, 1.2))
    grid = curves.subplots(2, len(MEASURES))
    sweeps = (("iterations", ITERATIONS, "averaging iterations"), ("strength", STRENGTHS, "strength, once"))
    for row, (sweep, places, label) in zip(grid, sweeps, strict=True):
        for axes, (measure_name, (title, unit)) in zip(row, MEASURES.items(), strict=True):
            for network, colour, marker in zip(TRAINED, COLOURS, MARKERS, strict=False):
                values = result[network][sweep][measure_name]
                axes.plot(places, values, color=colour, marker=marker, markersize=5, label=TRAINED[network])
            if measure_name in result["truth"]:
                true = result["truth"][measure_name]
                axes.axhline(true, color=INK, linestyle="--", linewidth=1, label="true meshes")
            style_axes(axes, title, label, unit)
    grid[0, 1].legend(fontsize=10, frameon=False, labelcolor=INK, loc="center right")
    _draw_meshes(meshes, example, body)
    return figure


def _draw_meshes(figure, example: dict[str, np.ndarray], body: BodyTemplate) -> None:
    """Each network's mesh raw and averaged: all of it, and head and trunk from nearer."""
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    columns = iter(figure.subplots(1, 8, width_ratios=(1, 1.1) * 4))
    for name, words in TRAINED.items():
        raw = torch.from_numpy(example[name])
        for step, mesh in (("raw", raw), ("averaged once", neighbour_average(raw, matrix))):
            show_picture(next(columns), _whole(mesh, body), f"{words},\n{step}")
            show_picture(next(columns), _trunk(mesh, body), "")


def _whole(mesh: Tensor, body: BodyTemplate) -> np.ndarray:
    return trimmed(view(mesh, body.faces, size=600, background=WHITE))


def _trunk(mesh: Tensor, body: BodyTemplate) -> np.ndarray:
    """What is around head and torso, from nearer."""
    trunk = [i for i, name in enumerate(PART_NAMES) if "head" in name or "torso" in name]
    faces = body.faces[torch.isin(body.face_parts, torch.tensor(trunk))]
    window = drawn_window(view(mesh, faces, size=900, background=WHITE))
    return view(mesh, body.faces, size=900, background=WHITE)[window]
