"""Noisy part maps (the paper's Fig. 3 and 7): what becomes of the mesh as parts go missing or are wrong.

Differs from the paper: it shows single pictures; here the surface error is measured against the amount. All
damage is done to the true part map, so that its amount is known; what the networks make of the segmenter's
own map, and what the photo alone gives, is measured beside it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hmnet.body import PART_COLOURS, BodyTemplate
from hmnet.checkpoint import Checkpoint, load_variant
from hmnet.data.shards import StoredSample
from hmnet.figures.drawing import (
    COLOURS,
    INK,
    MARKERS,
    WHITE,
    colour_parts,
    drawn_window,
    new_figure,
    show_picture,
    style_axes,
    trimmed,
)
from hmnet.figures.part_damage import LOSABLE, SWAPPED, lose_limbs, swap_sides, wrong_patches
from hmnet.figures.seen import Seen, clear_example, look_at_samples, origin, read_samples
from hmnet.look import reconstruct
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import surface_error
from hmnet.model import HMNet
from hmnet.published import ORACLE, PHOTO_ALONE
from hmnet.render import view
from hmnet.variants import BASE, form_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = (0, 1, 2, 3, 4, 6, 8, 10, len(LOSABLE))
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
SEED = 6

Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]
SWEEPS: dict[str, dict[int | str | float, Damage]] = {
    "missing limbs": {n: lambda m, g, n=n: lose_limbs(m, n, g) for n in MISSING},
    "swapped sides": {what: lambda m, _, what=what: swap_sides(m, what) for what in SWAPPED},
    "wrong patches": {share: lambda m, g, share=share: wrong_patches(m, share, g) for share in SHARES},
}
"""Kind of damage -> its amount -> what does it to a part map (S, S)."""
SHOWN = (("missing limbs", 0), ("missing limbs", 4), ("missing limbs", 8), ("swapped sides", "legs"),
         ("swapped sides", "both"), ("wrong patches", 0.4))  # fmt: skip
"""The damage that is pictured, with the meshes of HMNet and HMNet-Oracle below it."""


def make(checkpoint: Checkpoint, data: Path, limit: int | None = None) -> tuple[dict, "Figure"]:
    """The figure and its numbers, on the first `limit` pictures of a test set.

    checkpoint: of HMNet, with HMNet-Oracle and the variant without parts beside it, else CheckpointError.
    """
    names = (ORACLE, PHOTO_ALONE)
    networks = {BASE: checkpoint.model.eval()} | {name: load_variant(checkpoint, name) for name in names}
    samples = read_samples(data, limit)
    result = origin(checkpoint, data, samples) | measure(checkpoint, networks, samples)
    example = pictured(checkpoint, networks, clear_example(samples))
    return result, draw(result, example, checkpoint.model.body)


@torch.inference_mode()
def measure(checkpoint: Checkpoint, networks: Mapping[str, HMNet], samples: list[StoredSample]) -> dict:
    """Mean surface errors in mm of averaged meshes.

    SWEEPS' name -> {"amounts", "hmnet", "hmnet-oracle"}, and "undamaged": the errors of the networks with the
    segmenter's own map, and of the one that is given none.
    """
    body = checkpoint.model.body
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    errors: dict[tuple, list[Tensor]] = {}

    def note(key: tuple, name: str, seen: Seen, maps: Tensor) -> None:
        mesh = neighbour_average(reconstruct(networks[name], seen.look, maps).vertices, matrix)
        errors.setdefault((*key, name), []).append(surface_error(mesh, seen.vertices))

    done = 0
    for seen in look_at_samples(checkpoint, samples):
        for name in networks:
            note(("undamaged",), name, seen, seen.labels)
        for sweep, steps in SWEEPS.items():
            for amount, damage in steps.items():
                maps = damaged(seen.true_labels, damage, done)
                for name in (BASE, ORACLE):
                    note((sweep, amount), name, seen, maps)
        done += len(seen.vertices)
    means = {key: torch.cat(values).double().mean().item() for key, values in errors.items()}
    result: dict = {"undamaged": {name: means["undamaged", name] for name in networks}}
    for sweep, steps in SWEEPS.items():
        result[sweep] = {"amounts": list(steps)}
        result[sweep] |= {name: [means[sweep, amount, name] for amount in steps] for name in (BASE, ORACLE)}
    return result


def damaged(maps: Tensor, damage: Damage, first: int) -> Tensor:
    """Part ids (B, S, S) after the damage; picture `first` + i always draws the same, whatever the amount."""
    changed = [
        damage(part_map.numpy().astype(np.uint8), np.random.default_rng([SEED, first + index]))
        for index, part_map in enumerate(maps)
    ]
    return torch.from_numpy(np.stack(changed)).long()


@torch.inference_mode()
def pictured(
    checkpoint: Checkpoint, networks: Mapping[str, HMNet], sample: StoredSample
) -> list[tuple[str, np.ndarray, list[np.ndarray]]]:
    """For each of SHOWN: words, the damaged part map (S, S), averaged vertices (V, 3) m of both networks."""
    body = checkpoint.model.body
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    (seen,) = look_at_samples(checkpoint, [sample])
    rows = []
    for sweep, amount in SHOWN:
        maps = damaged(seen.true_labels, SWEEPS[sweep][amount], 0)
        meshes = [
            neighbour_average(reconstruct(networks[name], seen.look, maps).vertices, matrix)[0].numpy()
            for name in (BASE, ORACLE)
        ]
        rows.append((_words(sweep, amount), maps[0].numpy(), meshes))
    return rows


def _words(sweep: str, amount: int | str | float) -> str:
    if sweep == "missing limbs":
        return f"{amount} limbs missing" if amount else "true part map"
    if sweep == "swapped sides":
        return {"both": "arms and legs swapped"}.get(str(amount), f"{amount} swapped")
    return f"{100 * float(amount):.0f} % wrong"


def draw(
    result: dict, example: list[tuple[str, np.ndarray, list[np.ndarray]]], body: BodyTemplate
) -> "Figure":
    """The error against each kind of damage, and below it part maps and meshes of one person."""
    figure = new_figure(12, 10.5)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.6))
    plots = top.subplots(1, 3, sharey=True)
    _draw_curves(plots[0], result, "missing limbs", 1, "limbs missing (of those in view)")
    _draw_bars(plots[1], result)
    _draw_curves(plots[2], result, "wrong patches", 100, "wrong labels, % of the person")
    for axes in plots:
        photo = result["undamaged"][PHOTO_ALONE]
        axes.axhline(photo, color=INK, linestyle=":", linewidth=1.4, label="photo alone, no part map")
        own = result["undamaged"][BASE]
        axes.axhline(own, color=COLOURS[0], linestyle="--", linewidth=1.2, label="HMNet, segmenter's map")
        axes.set_ylim(0)
    plots[0].legend(fontsize=10, frameon=False, labelcolor=INK, loc="lower right")
    colours = np.array(PART_COLOURS, np.uint8)[body.vertex_parts.numpy()]
    # Damage only takes away, so the first map's person has room for all.
    window = drawn_window(colour_parts(example[0][1]))
    columns = bottom.subplots(3, len(example)).T
    for place, (column, (words, labels, meshes)) in enumerate(zip(columns, example, strict=True)):
        show_picture(column[0], colour_parts(labels)[window], words)
        for axes, name, vertices in zip(column[1:], (BASE, ORACLE), meshes, strict=True):
            picture = view(vertices, body.faces, size=500, vertex_colours=colours, background=WHITE)
            show_picture(axes, trimmed(picture), form_of(name).title if place == 0 else "")
    return figure


def _draw_curves(axes: "Axes", result: dict, sweep: str, scale: float, label: str) -> None:
    amounts = scale * np.array(result[sweep]["amounts"])
    for name, colour, marker in zip((BASE, ORACLE), COLOURS, MARKERS, strict=False):
        title = form_of(name).title
        axes.plot(amounts, result[sweep][name], color=colour, marker=marker, markersize=5, label=title)
    style_axes(axes, sweep.capitalize(), label, "surface error, mm")


def _draw_bars(axes: "Axes", result: dict) -> None:
    sweep = result["swapped sides"]
    places = np.arange(len(sweep["amounts"]))
    for index, (name, colour) in enumerate(zip((BASE, ORACLE), COLOURS, strict=False)):
        axes.bar(places + 0.4 * (index - 0.5), sweep[name], 0.38, color=colour)
    axes.set_xticks(places, sweep["amounts"])
    style_axes(axes, "Left and right swapped", "on which limbs", "")
