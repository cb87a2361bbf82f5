"""The whole way from a photo to a mesh, by each engine: crop, parts, mesh, Eq. 3, full surface, camera."""

from collections.abc import Callable

import numpy as np
import torch

from hmnet.body import load_body
from hmnet.camera import project
from hmnet.checkpoint import Checkpoint
from hmnet.mesh import vertex_normals
from hmnet.predictor import Predictor
from hmnet.speed.stopwatch import Spread, in_rounds, ratio
from hmnet.zbuffer import rasterise

SIZE = (640, 480)
BOX = (130.0, 40.0, 350.0, 600.0)
"""px; around the person in `photo`."""


def photo() -> np.ndarray:
    """A picture (640, 480, 3) uint8 of the template on plain ground: photo enough to be timed."""
    body = load_body()
    picture = np.full((*SIZE, 3), (150, 165, 180), np.uint8)
    picture[480:] = (110, 120, 90)
    points = project(body.vertices.numpy(), np.array([300.0, 0.8, 0.92]))
    points = np.concatenate([points, body.vertices.numpy()[:, 2:]], 1)
    light = 0.4 + 0.6 * np.abs(vertex_normals(body.vertices, body.faces).numpy() @ [-0.4, -0.5, -0.77])
    # Without OpenGL, whose memory and start would be measured too.
    pixels, colours = rasterise(points, body.faces.numpy(), light[:, None] * [190, 150, 125], SIZE[::-1])
    picture.reshape(-1, 3)[pixels] = colours.clip(0, 255)
    return picture


def whole_pipeline(predictor: Predictor, picture: np.ndarray, box: np.ndarray) -> Callable[[], object]:
    """A call that makes everything of one person, the full surface included."""

    def call() -> object:
        prediction = predictor.predict(picture, box)
        return predictor.body.upsample(torch.from_numpy(prediction.vertices))

    return call


def compare_engines(checkpoint: Checkpoint, rounds: int) -> tuple[dict[str, Spread], Spread]:
    """Milliseconds a photo by each engine, by its words, the box known; how many times faster the last is."""
    picture, box = photo(), np.array(BOX)
    predictors = [Predictor(checkpoint, "cpu", engine=engine) for engine in ("torch", "openvino")]
    calls = {one.engine.words: whole_pipeline(one, picture, box) for one in predictors}
    seconds = in_rounds(calls, rounds)
    plain, compiled = seconds.values()
    return {name: Spread.of(1000 * values) for name, values in seconds.items()}, ratio(plain, compiled)
