"""The whole way from a photo to a mesh, by each engine: crop, parts, mesh, Eq. 3, full surface, camera."""

from collections.abc import Callable

import numpy as np
import torch

from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint
from hmnet.predictor import Predictor
from hmnet.render import overlay
from hmnet.speed.stopwatch import Spread, in_rounds, ratio

SIZE = (640, 480)
BOX = (130.0, 40.0, 350.0, 600.0)
"""px; around the person in `photo`."""


def photo() -> np.ndarray:
    """A picture (640, 480, 3) uint8 of the template on plain ground: photo enough to be timed."""
    body = load_body()
    picture = np.full((*SIZE, 3), (150, 165, 180), np.uint8)
    picture[480:] = (110, 120, 90)
    colours = np.full((len(body.vertices), 3), (190, 150, 125), np.uint8)
    return overlay(picture, body.vertices, body.faces, np.array([300.0, 0.8, 0.92]), vertex_colours=colours)


def whole_pipeline(predictor: Predictor, picture: np.ndarray, box: np.ndarray) -> Callable[[], object]:
    """A call that makes everything of one person, the full surface included."""

    def call() -> object:
        prediction = predictor.predict(picture, box)
        return predictor.body.upsample(torch.from_numpy(prediction.vertices))

    return call


def compare_engines(checkpoint: Checkpoint, rounds: int) -> tuple[dict[str, Spread], dict[str, Spread]]:
    """Milliseconds a photo by each engine, by its words, and how many times faster than torch each is.

    Two views and one ("one view" in the name), the box known.
    """
    picture, box, calls = photo(), np.array(BOX), {}
    for engine in ("torch", "openvino"):
        for mirror in (True, False):
            predictor = Predictor(checkpoint, "cpu", engine=engine, mirror=mirror)
            name = predictor.engine.words + ("" if mirror else ", one view")
            calls[name] = whole_pipeline(predictor, picture, box)
    seconds = in_rounds(calls, rounds)
    plain, plain_single, *others = seconds
    ratios = {
        name: ratio(seconds[plain_single if "one view" in name else plain], seconds[name]) for name in others
    }
    return {name: Spread.of(1000 * values) for name, values in seconds.items()}, ratios
