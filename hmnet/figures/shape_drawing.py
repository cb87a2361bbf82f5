"""How `hmnet.figures.shape_range` is drawn: errors, recovered against true, and some of the people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.data.crop import extract, square_crop
from hmnet.figures.drawing import COLOURS, INK, MARKERS, WHITE, new_figure, show_picture, style_axes
from hmnet.figures.shape_people import LEVELS, YEARS_SHOWN, Shaped
from hmnet.render import overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MESH_SIZE, MESH_REACH = (300, 150), 2.6
"""px and m: every mesh below the plots is drawn in so large a window."""
ANSWERED = ("stature", "waist", "hips")
"""Measures whose response to each phenotype is drawn."""
GREYS = ("#222222", "#777777", "#bbbbbb")
"""Their bars; COLOURS are the phenotypes'."""


def draw(result: dict, people: Sequence[Shaped], meshes: Tensor, body: BodyTemplate) -> "Figure":
    """The plots of a result, and below them the first scene's people at both ends of each phenotype.

    meshes: (N, V, 3) m, recovered of the N people.
    """
    figure = new_figure(13, 12.5)
    top, bottom = figure.subfigures(2, 1, height_ratios=(2, 1.7))
    grid = top.subplots(2, 4).ravel()
    _draw_errors(grid[0], result)
    for axes, name in zip(grid[1:5], result["scattered"], strict=True):
        _draw_scatter(axes, name, result)
    _draw_response(grid[5], result)
    _draw_sex(grid[6], result)
    lines, names = grid[0].get_legend_handles_labels()
    grid[7].axis("off")
    grid[7].legend(lines, names, title="what differs", fontsize=12, title_fontsize=12, frameon=False,
                   labelcolor=INK, loc="center")  # fmt: skip
    _draw_people(bottom, people, meshes, body)
    return figure


def _draw_errors(axes: "Axes", result: dict) -> None:
    for name, colour, marker in zip(LEVELS, COLOURS, MARKERS, strict=False):
        values = result["errors"][name]["surface"]
        axes.plot(range(len(values)), values, color=colour, marker=marker, markersize=5, label=name)
    axes.set_xticks(range(5), ["lowest", "", "middle", "", "highest"])
    style_axes(axes, "Surface error\n", "phenotype", "mm")
    axes.set_ylim(0)


def _draw_scatter(axes: "Axes", name: str, result: dict) -> None:
    agreement, varied = result["measures"][name], np.array(result["varied"])
    true, found = (np.asarray(values) for values in result["scattered"][name])
    for phenotype, colour, marker in zip(LEVELS, COLOURS, MARKERS, strict=False):
        of = varied == phenotype
        axes.scatter(true[of], found[of], 14, color=colour, marker=marker, alpha=0.6, linewidths=0)
    low, high = min(true.min(), found.min()), max(true.max(), found.max())
    axes.plot([low, high], [low, high], color=INK, linewidth=1)
    axes.set_aspect("equal", adjustable="datalim")
    off = f"r = {agreement['correlation']:.2f}, off by {agreement['mean absolute error']:.0f} mm"
    style_axes(axes, f"{name.capitalize()}\n{off}", "true, mm", "recovered, mm")


def _draw_response(axes: "Axes", result: dict) -> None:
    width = 0.8 / len(ANSWERED)
    for index, name in enumerate(ANSWERED):
        values = [result["response"][phenotype][name] for phenotype in LEVELS]
        places = np.arange(len(values)) + width * (index - (len(ANSWERED) - 1) / 2)
        heights = [0 if value is None else value for value in values]
        axes.bar(places, heights, 0.9 * width, color=GREYS[index], label=name)
    axes.set_xticks(range(len(LEVELS)), LEVELS, rotation=30)
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_ylim(top=1)
    axes.legend(fontsize=10, frameon=False, labelcolor=INK)
    style_axes(axes, "Response\nhow much of a change comes back", "what differs", "recovered / true change")


def _draw_sex(axes: "Axes", result: dict) -> None:
    sex = result["sex"]
    levels = np.unique(sex["true"])
    read = [np.asarray(sex["recovered"])[np.asarray(sex["true"]) == level] for level in levels]
    boxes = axes.boxplot(read, positions=levels, widths=0.14, patch_artist=True, showfliers=False)
    for box in boxes["boxes"]:
        box.set(facecolor=COLOURS[5], alpha=0.6)
    axes.axhline(0.5, color=INK, linewidth=1)
    axes.set_xlim(-0.15, 1.15)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    title = f"Sex\n{100 * sex['right']:.0f} % read rightly, chance 50 %"
    style_axes(axes, title, "true (0 male, 1 female)", "read from the mesh")


def _draw_people(figure: "SubFigure", people: Sequence[Shaped], meshes: Tensor, body: BodyTemplate) -> None:
    """The first scene: picture, true mesh and recovered mesh, at both ends of each phenotype."""
    first = people[0].scene
    ends = [(index, one) for index, one in enumerate(people) if one.scene == first and one.level in (0, 4)]
    columns = figure.subplots(3, len(ends), squeeze=False, height_ratios=(1, 1.5, 1.5)).T
    for place, (column, (index, one)) in enumerate(zip(columns, ends, strict=True)):
        name = f"{YEARS_SHOWN[one.level]} years" if one.varied == "age" else one.varied
        words = name if one.varied == "age" else f"{name} {LEVELS[one.varied][one.level]:g}"
        titles = (words, *(("true", "recovered") if place == 0 else ("", "")))
        seen = extract(one.sample.image, square_crop(one.sample.box, 0.1), 160)
        pictures = [seen] + [_to_scale(mesh, body) for mesh in (one.sample.vertices, meshes[index])]
        for axes, picture, title in zip(column, pictures, titles, strict=True):
            show_picture(axes, picture, title)


def _to_scale(vertices: np.ndarray | Tensor, body: BodyTemplate) -> np.ndarray:
    """A mesh (V, 3) m drawn so that the statures of several can be compared, (H, W, 3) uint8."""
    height, width = MESH_SIZE
    scale = height / MESH_REACH
    camera = np.array([scale, width / 2 / scale, 0.45 * MESH_REACH])
    return overlay(np.full((height, width, 3), WHITE, np.uint8), vertices, body.faces, camera)
