"""What programs may ask: typed endpoints, which are also the tools of the app's MCP server.

Gradio makes the descriptions from the type hints and from the "Args:" of the docstrings.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import Literal

import gradio as gr
import numpy as np
import torch
from gradio.utils import get_upload_folder

from demo.compare import variant_meshes
from demo.hands import BODY, HAND, Networks, checked_side
from demo.link import MOST_ITERATIONS
from demo.session import Models, predict, topology_of
from demo.session import reconstruct as look_at
from demo.uploads import read_once, sent_file
from hmnet.errors import BoxError, DataError, HMNetError, told
from hmnet.finite import finite_array
from hmnet.mesh import MeshTopology, roughness
from hmnet.mesh import regularise as smooth
from hmnet.mesh_file import FARTHEST
from hmnet.report import summary
from hmnet.variants import form_of

VERTEX_DIGITS = 4
"""Of a coordinate in metres behind the point: 0.1 mm."""
LENGTH_DIGITS = 2
"""Of a length in mm."""


def endpoints(networks: Networks) -> dict[str, Callable[..., dict]]:
    """The endpoints by name, each for `gr.api(function, api_name=name)`.

    `reconstruct` and `compare` run the networks, `regularise` does not. Bad input raises `gr.Error` with one
    sentence.
    """
    people = networks.people
    topology = topology_of(people.predictor.body)

    def reconstruct(
        photo: gr.FileData,
        box: list[float] | None = None,
        regularised: bool = True,
        body: Literal["body", "hand"] = BODY,
        side: Literal["found", "left", "right"] = "found",
    ) -> dict:
        """Reconstruct the person in a photo as a 3D mesh with 24 joints, or a hand as one with 21.

        Points are in metres, camera frame (x right, y down, z away), relative to the pelvis, or to the wrist.

        Args:
            photo: The photo, a file or an address, with a whole person in view. Deleted once it was read.
            box: The person, [x0, y0, x1, y1] in px of the upright photo. Without it one is searched for.
            regularised: Whether each vertex is averaged with its neighbours (Eq. 3). False: the raw mesh.
            body: "body" for a person, "hand" for a hand.
            side: Which hand it is, "left" or "right"; "found" for what it looks like. Of hands only.

        Returns:
            photo_size and box in px, joints, keypoints_2d in px, camera (s, tx, ty), timings_ms, weights,
            vertices, vertex_count and face_count.
        """
        with _received(photo) as path:
            prediction = predict(_asked(networks, body), path, _checked_box(box), _asked_side(body, side))
        return {
            **summary(prediction, path.name),
            "vertices": _rows(prediction.vertices if regularised else prediction.raw_vertices),
            "vertex_count": len(prediction.vertices),
            "face_count": len(prediction.body.faces),
        }

    def regularise(
        vertices: list[list[float]],
        iterations: int = 1,
        strength: float = 1.0,
        operator: Literal["average", "taubin"] = "average",
    ) -> dict:
        """Smooth a mesh by moving every vertex towards the mean of its neighbours, the paper's Eq. 3.

        Args:
            vertices: The mesh's vertices in metres, each [x, y, z], as reconstruct gives them.
            iterations: How often, 0 to 10.
            strength: How far towards the neighbours' mean each time, 0 to 1. 1 is the paper's.
            operator: "average" is the paper's operator, "taubin" also keeps the volume.

        Returns:
            vertices, roughness_before_mm and roughness_after_mm, the mean distance to the neighbours' mean.
        """
        mesh = _mesh_of(vertices, networks)
        before = _checked_vertices(vertices, mesh.vertex_count)
        _check_settings(iterations, strength)
        after = smooth(before, mesh.neighbour_matrix, iterations, strength, operator)
        return {
            "vertices": _rows(after.numpy()),
            "roughness_before_mm": _millimetres(roughness(before, mesh.neighbour_matrix)),
            "roughness_after_mm": _millimetres(roughness(after, mesh.neighbour_matrix)),
        }

    def compare(photo: gr.FileData) -> dict:
        """Reconstruct the person in a photo with each variant of HMNet and compare the meshes.

        Args:
            photo: The photo, a file or an address, with a whole person in view. Deleted once it was read.

        Returns:
            For each variant its title, a sentence that says what it is, roughness_mm of its regularised and
            raw_roughness_mm of its raw mesh, and distance_mm, the mean distance of its vertices to HMNet's.
        """
        with _received(photo) as path:
            meshes = variant_meshes(look_at(people, path), topology)
        return _compared(meshes, topology.neighbour_matrix)

    return {function.__name__: _told(function) for function in (reconstruct, regularise, compare)}


def _compared(meshes: dict[str, tuple[np.ndarray, np.ndarray]], neighbours: torch.Tensor) -> dict[str, dict]:
    """What `compare` answers, from each variant's raw and regularised vertices (V, 3) in m, HMNet's first."""
    own = next(iter(meshes.values()))[1]
    answer = {}
    for name, (raw, regularised) in meshes.items():
        form = form_of(name)
        before, after = (roughness(torch.from_numpy(mesh), neighbours) for mesh in (raw, regularised))
        answer[name] = {
            "title": form.title,
            "sentence": form.sentence,
            "roughness_mm": _millimetres(after),
            "raw_roughness_mm": _millimetres(before),
            "distance_mm": _millimetres(np.linalg.norm(regularised - own, axis=1).mean()),
        }
    return answer


def _told(endpoint: Callable[..., dict]) -> Callable[..., dict]:
    """The endpoint, whose caller is told his mistake in one sentence."""

    @wraps(endpoint)
    def answered(*arguments: object, **named: object) -> dict:
        try:
            return endpoint(*arguments, **named)
        except HMNetError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return answered


def _received(photo: object) -> AbstractContextManager[Path]:
    """A photo that was sent, as a path to read once."""
    cache = Path(get_upload_folder())
    return read_once(sent_file(photo, cache), cache)


def _asked(networks: Networks, body: object) -> Models:
    """The networks that a program asks for."""
    if body not in (BODY, HAND):
        raise DataError(f"Unknown body {told(repr(body))}: choose {BODY} or {HAND}.")
    return networks.of(body)


def _asked_side(body: str, side: object) -> str | None:
    """The side that a program says a hand is of, or None."""
    checked = checked_side(side)
    if checked and body != HAND:
        raise DataError('A side is of hands only: pass body="hand" too, or leave the side out.')
    return checked


def _mesh_of(vertices: object, networks: Networks) -> MeshTopology:
    """The topology of the body that has so many vertices, a person's for any other number."""
    count = len(vertices) if isinstance(vertices, list) else 0
    known = {len(body.vertices): body for body in reversed(networks.bodies.values())}
    return topology_of(known.get(count, networks.people.predictor.body))


def _checked_box(box: object) -> np.ndarray | None:
    """The box (4,) xyxy, or None; `predict` checks that it lies in the photo."""
    if box is None:
        return None
    checked = finite_array(box, (4,))
    if checked is None:
        raise BoxError("Expected the box as four numbers [x0, y0, x1, y1] in px of the upright photo.")
    return checked


def _checked_vertices(vertices: object, count: int) -> torch.Tensor:
    """Vertices (V, 3) float64 that a program sent."""
    checked = finite_array(vertices, (count, 3))
    if checked is None or np.abs(checked).max() > FARTHEST:
        raise DataError(
            f"Expected {count} vertices of three numbers each, in m: pass those that reconstruct gives."
        )
    return torch.from_numpy(checked)


def _check_settings(iterations: object, strength: object) -> None:
    if type(iterations) is not int or not 0 <= iterations <= MOST_ITERATIONS:
        raise DataError(
            f"Expected iterations as a whole number from 0 to {MOST_ITERATIONS}, got "
            f"{told(repr(iterations))}."
        )
    if type(strength) not in (int, float) or not 0 <= strength <= 1:
        raise DataError(f"Expected strength as a number from 0 to 1, got {told(repr(strength))}.")


def _rows(vertices: np.ndarray) -> list[list[float]]:
    return vertices.astype(np.float64).round(VERTEX_DIGITS).tolist()


def _millimetres(metres: float | torch.Tensor) -> float:
    return round(1000 * float(metres), LENGTH_DIGITS)
