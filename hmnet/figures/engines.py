"""What other arithmetic does to the answers: OpenVINO in float32 and bfloat16 beside torch in float32.

And, for scale, what half a pixel does: the same crops moved by so much, in torch.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from hmnet.checkpoint import Checkpoint
from hmnet.data.crop import Crop, extract, square_crop
from hmnet.data.shards import StoredSample
from hmnet.engines import Engine, OpenVinoEngine, TorchEngine, best_precision
from hmnet.figures.drawing import COLOURS, new_figure, style_axes
from hmnet.figures.seen import origin, read_samples
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import pa_point_errors, surface_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REFERENCE = "torch, float32"
MOVED = "torch, crop moved by half a pixel"
SHIFT = 0.5
"""px of the crop."""


def make(checkpoint: Checkpoint, data: Path, limit: int | None = None) -> tuple[dict, "Figure"]:
    """The figure and its numbers on the first `limit` test pictures, or all, in their true boxes' crops.

    By row: "surface" and "PA surface" error, mm; and of the vertices' distances to the reference's mesh, mm,
    "mean", "median of largest" and "95th percentile of largest" over the pictures, and "largest". Raises
    DataError where there is no sample.
    """
    samples = read_samples(data, limit)
    true = torch.from_numpy(np.stack([sample.vertices for sample in samples])).float()
    meshes = {name: _meshes(engine, samples, checkpoint, shift)
              for name, engine, shift in _rows(checkpoint)}  # fmt: skip
    distances = {
        name: 1000 * (mesh - meshes[REFERENCE]).norm(dim=-1).numpy()
        for name, mesh in meshes.items()
        if name != REFERENCE
    }
    rows = {
        name: {
            "surface": float(surface_error(mesh, true).mean()),
            "PA surface": float(pa_point_errors(mesh, true).mean()),
            **(_spread(distances[name]) if name in distances else {}),
        }
        for name, mesh in meshes.items()
    }
    result = {"rows": rows, "computes bfloat16": best_precision() == "bf16"}
    return result | origin(checkpoint, data, samples), draw(distances)


def _rows(checkpoint: Checkpoint) -> Iterator[tuple[str, Engine, float]]:
    """Name, engine, and by how many px the crop is moved."""
    plain = TorchEngine(checkpoint, torch.device("cpu"))
    yield REFERENCE, plain, 0.0
    yield "OpenVINO, float32", OpenVinoEngine(checkpoint, "f32"), 0.0
    if best_precision() == "bf16":
        yield "OpenVINO, bfloat16", OpenVinoEngine(checkpoint, "bf16"), 0.0
    yield MOVED, plain, SHIFT


def _meshes(
    engine: Engine, samples: list[StoredSample], checkpoint: Checkpoint, shift: float
) -> torch.Tensor:
    """Regularised vertices (N, V, 3) m, of two views."""
    body, preprocessing = checkpoint.model.body, checkpoint.preprocessing
    raw = []
    for sample in samples:
        crop = square_crop(sample.box, preprocessing.crop_margin)
        aside = shift * crop.side / preprocessing.image_size
        x0, y0, x1, y1 = crop.box
        picture = extract(sample.image, Crop((x0 + aside, y0, x1 + aside, y1)), preprocessing.image_size)
        sight = engine.look(picture[None], mirror=True)
        raw.append(engine.reconstruct(sight.seen, sight.labels)[1][0])
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    return neighbour_average(torch.from_numpy(np.stack(raw)), matrix)


def _spread(distances: np.ndarray) -> dict[str, float]:
    """Of distances (N, V), mm."""
    largest = distances.max(1)
    return {
        "mean": float(distances.mean()),
        "median of largest": float(np.median(largest)),
        "95th percentile of largest": float(np.percentile(largest, 95)),
        "largest": float(largest.max()),
    }


def draw(distances: dict[str, np.ndarray]) -> "Figure":
    """The share of pictures whose mesh moves by less than so much, a line a row; distances (N, V), mm."""
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    for index, (name, values) in enumerate(distances.items()):
        means = np.sort(values.mean(1))
        shares = np.arange(1, len(means) + 1) / len(means)
        axes.plot(means.clip(1e-4), 100 * shares, color=COLOURS[index], label=name)
    axes.set_xscale("log")
    style_axes(
        axes, "How far other arithmetic moves a mesh", "mean distance to torch's mesh, mm", "% of pictures"
    )
    axes.legend(fontsize=10, frameon=False)
    return figure
