"""Noisy ground truth (the paper's Fig. 4): what true joints are worth where the meshes to learn from are bad.

Nothing is measured here: the errors are those recorded with four networks of equal budget, HMNet and the
single task (no joint branch, so no L_J), each trained on true meshes and on badly fitted ones with true
joints.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hmnet.checkpoint import CONFIG
from hmnet.errors import DataError
from hmnet.figures.drawing import COLOURS, INK, new_figure, style_axes
from hmnet.recorded import EXPERIMENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORKS = {
    "HMNet (with L_J)": ("hmnet", "hmnet-noisy"),
    "Single task (without)": ("single-task", "single-task-noisy"),
}
"""Title -> the variants trained on true and on badly fitted meshes."""
ERRORS = ("surface", "joint", "PA surface")


def make(experiments: Path) -> tuple[dict, "Figure"]:
    """The figure and its numbers, from the variants' config.json; DataError says which are not recorded."""
    result = read_errors(experiments)
    return result, draw(result)


def read_errors(experiments: Path) -> dict:
    """Recorded errors, mm, and what bad meshes cost.

    "errors": variant -> ERRORS. "cost of bad meshes": title of NETWORKS -> what they add to each. Raises
    DataError where a variant's errors are not recorded.
    """
    names = [name for pair in NETWORKS.values() for name in pair]
    errors = {name: _recorded(experiments / name / CONFIG) for name in names}
    missing = [name for name, row in errors.items() if row is None]
    if missing:
        raise DataError(
            f"This figure needs recorded errors of {', '.join(names)}, and there are none of "
            f"{', '.join(missing)}: make each by `{EXPERIMENT.format(name='NAME')}`."
        )
    cost = {
        title: {key: errors[noisy][key] - errors[clean][key] for key in ERRORS}
        for title, (clean, noisy) in NETWORKS.items()
    }
    return {"errors": errors, "cost of bad meshes": cost}


def _recorded(path: Path) -> dict[str, float] | None:
    """ERRORS of one config.json; None where it is not there or lacks one."""
    try:
        metrics = json.loads(path.read_text()).get("metrics", {}) if path.is_file() else {}
    except ValueError as error:
        raise DataError(f"{path.parent.name}/{path.name} is no JSON ({error}): record it anew.") from error
    return {key: metrics[key] for key in ERRORS} if metrics.keys() >= set(ERRORS) else None


def draw(result: dict) -> "Figure":
    """A plot an error: both networks, bars for true and for badly fitted meshes, with their numbers."""
    figure = new_figure(12, 4.6)
    places = np.arange(len(NETWORKS))
    for axes, key in zip(figure.subplots(1, len(ERRORS)), ERRORS, strict=True):
        for index, kind in enumerate(("true meshes", "badly fitted meshes")):
            values = [result["errors"][pair[index]][key] for pair in NETWORKS.values()]
            bars = axes.bar(places + 0.4 * (index - 0.5), values, 0.38, color=COLOURS[index], label=kind)
            axes.bar_label(bars, fmt="%.0f", fontsize=10, color=INK)
        axes.set_xticks(places, NETWORKS)
        axes.margins(y=0.4)
        style_axes(axes, f"{key[0].upper()}{key[1:]} error", "", "mm")
        axes.grid(axis="x", visible=False)
    figure.axes[0].legend(fontsize=10, frameon=False, labelcolor=INK, loc="upper left", title="trained on")
    return figure
