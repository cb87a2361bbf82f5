"""The benchmark's chart: networks beside each other, and how the cost grows."""

from typing import TYPE_CHECKING, Any

import numpy as np

from hmnet.figures.drawing import COLOURS, INK, MARKERS, new_figure, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(result: dict[str, Any]) -> "Figure":
    """The chart of what `hmnet.benchmark.measure` gives; a second row where it tells how the cost grows."""
    grown = result.get("growth")
    figure = new_figure(12, 9 if grown else 5)
    grid = figure.add_gridspec(2 if grown else 1, 3, height_ratios=[1.25, 1] if grown else [1])
    _networks(figure.add_subplot(grid[0, :]), result)
    if grown:
        _template(figure.add_subplot(grid[1, 0]), grown["template"])
        _people(figure.add_subplot(grid[1, 1]), grown["people"])
        _users(figure.add_subplot(grid[1, 2]), grown["users"])
    return figure


def _networks(axes: "Axes", result: dict[str, Any]) -> None:
    """Bars of milliseconds at batch 1, a colour a runtime."""
    rows = [row for row in result["networks"] if row["batch"] == 1]
    titles = list(dict.fromkeys(row["title"] for row in rows))
    runtimes = list(dict.fromkeys(row["runtime"] for row in rows))
    height = 0.8 / len(runtimes)
    for index, runtime in enumerate(runtimes):
        times = {row["title"]: row["milliseconds"]["median"] for row in rows if row["runtime"] == runtime}
        places = [titles.index(title) + height * (index - (len(runtimes) - 1) / 2) for title in times]
        bars = axes.barh(places, list(times.values()), 0.9 * height, color=COLOURS[index], label=runtime)
        axes.bar_label(bars, fmt="%.0f", fontsize=9, color=INK, padding=3)
    axes.set_yticks(np.arange(len(titles)), titles)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.08)
    where = result["machine"]
    style_axes(axes, f"One picture to a mesh ({where['processor']}, {where['cores']} cores)", "ms", "")
    axes.grid(axis="y", visible=False)
    axes.legend(fontsize=10, frameon=False, labelcolor=INK, loc="upper right")


def _template(axes: "Axes", grown: dict) -> None:
    counts = sorted(grown, key=int)
    for index, runtime in enumerate(grown[counts[0]]):
        times = [grown[count][runtime]["median"] for count in counts]
        axes.plot([int(count) for count in counts], times, color=COLOURS[index], marker=MARKERS[index],
                  label=runtime)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([int(count) for count in counts], [f"{int(count):,}" for count in counts])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    style_axes(axes, "Template", "vertices", "ms a picture")
    axes.legend(fontsize=9, frameon=False, labelcolor=INK)


def _people(axes: "Axes", grown: dict) -> None:
    counts = sorted(grown, key=int)
    for index, way in enumerate(grown[counts[0]]):
        times = [grown[count][way]["median"] for count in counts]
        axes.plot(
            [int(count) for count in counts], times, color=COLOURS[index], marker=MARKERS[index], label=way
        )
    axes.set_ylim(bottom=0)
    style_axes(axes, "People in a photo", "people", "ms a photo")
    axes.legend(fontsize=9, frameon=False, labelcolor=INK)


def _users(axes: "Axes", grown: dict) -> None:
    counts = sorted(grown, key=int)
    for index, (key, words) in enumerate((("median", "median wait"), ("p95", "95th percentile"))):
        waits = [grown[count][key] for count in counts]
        axes.plot(
            [int(count) for count in counts], waits, color=COLOURS[index], marker=MARKERS[index], label=words
        )
    axes.set_ylim(bottom=0)
    rates = [grown[count]["a second"] for count in counts]
    style_axes(axes, "Users at once", f"users ({min(rates):.0f} to {max(rates):.0f} photos a second)", "ms")
    axes.legend(fontsize=9, frameon=False, labelcolor=INK)
