"""What following and smoothing do on clips that are rendered for it, whose truth is known.

Each clip three times: every frame alone, the person searched for in the whole of it; followed by the last
box; followed and smoothed by the one-euro filter.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint
from hmnet.data.synthetic.film import film
from hmnet.data.synthetic.scenes.photograph import Sample
from hmnet.errors import NoPersonFoundError
from hmnet.figures.drawing import COLOURS, INK, new_figure, style_axes
from hmnet.metrics import pa_point_errors, surface_error
from hmnet.predictor import Prediction, Predictor
from hmnet.video.smoothing import smoothed
from hmnet.video.tracking import Tracker, overlap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLIPS = (("walking", 7), ("walking", 9), ("waving", 7), ("waving", 9), ("exercising", 6), ("exercising", 9))
"""Movements and seeds that nothing was tuned on: the filter's settings come from seeds 1, 2, 4, 5 and 8."""
SECONDS, RATE, SIZE = 4, 25, 320
WAYS = ("every frame alone", "followed", "followed and smoothed")
SHOWN = ("exercising", "left_wrist")
"""The movement and the joint whose height is drawn."""

Track = list[Prediction | None]


def make(checkpoint: Checkpoint, limit: int | None = None) -> tuple[dict, "Figure"]:
    """The figure and its numbers on the first `limit` of CLIPS, or all.

    By way: "surface" and "PA surface" error, mm; "jitter", the mean length of what the joints' second
    differences have beside the true ones, mm a frame squared; "box overlap" with the true box (intersection
    over union); "lost", frames in which nobody was found.
    """
    predictor = Predictor(checkpoint)
    clips = CLIPS[:limit]
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    drawn = None
    for movement, seed in clips:
        frames = list(film(movement, SECONDS, RATE, seed, SIZE))
        tracks = dict(zip(WAYS, _tracks(predictor, frames), strict=True))
        for way, track in tracks.items():
            rows[way].append(errors(track, frames))
        if drawn is None or movement == SHOWN[0]:
            drawn = movement, _heights(tracks, frames)
    result = {
        "ways": {way: {key: float(np.mean([row[key] for row in found])) for key in found[0]}
                 for way, found in rows.items()},
        "clips": [f"{movement}, seed {seed}" for movement, seed in clips],
        "frames": len(clips) * SECONDS * RATE,
        "weights": {"variant": checkpoint.info.variant, "revision": checkpoint.info.revision},
        "engine": predictor.engine.words,
    }  # fmt: skip
    return result, draw(result, *drawn)


def _tracks(predictor: Predictor, frames: list[Sample]) -> Iterator[Track]:
    """The clip in each of WAYS."""
    yield [_alone(predictor, frame.image) for frame in frames]
    tracker = Tracker(predictor)
    followed = [tracker.follow(frame.image) for frame in frames]
    yield followed
    yield smoothed(predictor, followed, np.arange(len(frames)) / RATE)


def _alone(predictor: Predictor, image: np.ndarray) -> Prediction | None:
    try:
        return predictor.predict(image)
    except NoPersonFoundError:
        return None


def errors(track: Track, frames: list[Sample]) -> dict[str, float]:
    """The numbers of one clip; frames without anybody count as lost and nowhere else."""
    found = [(one, frame) for one, frame in zip(track, frames, strict=True) if one is not None]
    mesh, true = (torch.from_numpy(np.stack(meshes)).float() for meshes in (
        [one.vertices for one, _ in found], [frame.vertices for _, frame in found],
    ))  # fmt: skip
    return {
        "surface": float(surface_error(mesh, true).mean()),
        "PA surface": float(pa_point_errors(mesh, true).mean()),
        "jitter": jitter(track, frames),
        "box overlap": float(np.mean([overlap(one.box, frame.box) for one, frame in found])),
        "lost": float(len(frames) - len(found)),
    }


def jitter(track: Track, frames: list[Sample]) -> float:
    """Mean length of all joints' acceleration error, mm a frame squared (Kanazawa et al., CVPR 2019)."""
    off = []
    for start in range(len(frames) - 2):
        three = track[start : start + 3]
        if all(one is not None for one in three):
            own = np.diff([one.regressed_joints for one in three], 2, axis=0)[0]
            true = np.diff([frame.joints for frame in frames[start : start + 3]], 2, axis=0)[0]
            off.append(np.linalg.norm(own - true, axis=1).mean())
    return 1000 * float(np.mean(off)) if off else float("nan")


def _heights(tracks: dict[str, Track], frames: list[Sample]) -> dict[str, np.ndarray]:
    """How high over the pelvis the shown joint is, m, frame by frame; NaN where nobody was found."""
    joint = load_body().joint_index(SHOWN[1])
    heights = {"true": np.array([-frame.joints[joint, 1] for frame in frames])}
    for way, track in tracks.items():
        heights[way] = np.array([np.nan if one is None else -one.regressed_joints[joint, 1] for one in track])
    return heights


def draw(result: dict, movement: str, heights: dict[str, np.ndarray]) -> "Figure":
    """A joint's height over time, and bars of the jitter."""
    figure = new_figure(12, 4.2)
    over_time, bars = figure.subplots(1, 2, width_ratios=[2.4, 1])
    colours = dict(zip(("true", *WAYS), (INK, *COLOURS), strict=False))
    for way, values in heights.items():
        style = {"linestyle": "--", "linewidth": 2} if way == "true" else {"linewidth": 1.4}
        over_time.plot(np.arange(len(values)) / RATE, 100 * values, color=colours[way], label=way, **style)
    joint = SHOWN[1].replace("_", " ")
    style_axes(over_time, f"Height of the {joint} over the pelvis, {movement}", "seconds", "cm")
    over_time.legend(fontsize=9, frameon=False, labelcolor=INK)
    shown = bars.bar(range(len(WAYS)), [result["ways"][way]["jitter"] for way in WAYS],
                     color=[colours[way] for way in WAYS])  # fmt: skip
    bars.bar_label(shown, fmt="%.1f", fontsize=10, color=INK)
    bars.set_xticks(
        range(len(WAYS)), [way.replace(" and ", "\nand ").replace("frame ", "frame\n") for way in WAYS]
    )
    style_axes(bars, "Jitter", "", "mm a frame squared")
    bars.grid(axis="x", visible=False)
    return figure
