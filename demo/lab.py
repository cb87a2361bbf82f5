"""What the regulariser does to the mesh, in numbers: against the iterations, and raw beside now."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from demo import plots, tables
from demo.session import Session
from hmnet.body import BodyTemplate
from hmnet.mesh import MeshTopology, regularise, roughness
from hmnet.metrics import joint_error, pa_surface_error, surface_error

MAX_ITERATIONS = 10
"""As far as the page's slider goes."""
ROUGHNESS, SURFACE, ALIGNED = "#0d9488", "#ea580c", "#8b5cf6"
"""Colours of the curves; each has a contrast of 3 to 1 and more with light and with dark cards."""


@dataclass(frozen=True)
class LabCurves:
    """Numbers after 0 to MAX_ITERATIONS iterations, mm, float32 (11,) each.

    iterations: int. surface, pa_surface: errors, None where the truth is not known.
    """

    iterations: np.ndarray
    roughness: np.ndarray
    surface: np.ndarray | None
    pa_surface: np.ndarray | None


def curves(session: Session, body: BodyTemplate, topology: MeshTopology) -> LabCurves:
    """The curves under the lab's strength and operator, whether the regulariser is on or off."""
    lab, neighbours = session.lab, topology.neighbour_matrix
    steps = [torch.as_tensor(session.prediction.raw_vertices)]
    # Each from the last one: a tenth of the work of starting anew from the raw mesh.
    for _ in range(MAX_ITERATIONS):
        steps.append(regularise(steps[-1], neighbours, 1, lab.strength, lab.operator))
    meshes = torch.stack(steps)
    surface = aligned = None
    if session.example is not None:
        truth = torch.as_tensor(session.example.vertices).expand_as(meshes)
        surface, aligned = surface_error(meshes, truth).numpy(), pa_surface_error(meshes, truth).numpy()
    rough = 1000 * roughness(meshes, neighbours).numpy()
    return LabCurves(np.arange(MAX_ITERATIONS + 1), rough, surface, aligned)


def curve_figure(shown: LabCurves, current: int) -> go.Figure:
    """The curves against the iterations: roughness on the left axis, errors on the right one.

    current: the iterations that are set, marked.
    """
    figure = go.Figure(_curve("Roughness", shown.iterations, shown.roughness, ROUGHNESS, current))
    if shown.surface is not None:
        for name, values, colour in (
            ("Surface error", shown.surface, SURFACE),
            ("PA surface error", shown.pa_surface, ALIGNED),
        ):
            figure.add_trace(_curve(name, shown.iterations, values, colour, current, axis="y2"))
    figure.add_vline(current, line={"color": plots.INK, "width": 1, "dash": "dot"})
    right = plots.axis("Error, mm", overlaying="y", side="right", showgrid=False, rangemode="tozero")
    return plots.frame(
        figure,
        xaxis=plots.axis("Iterations", dtick=1, range=[-0.3, MAX_ITERATIONS + 0.3]),
        yaxis=plots.axis("Roughness, mm", rangemode="tozero"),
        **({} if shown.surface is None else {"yaxis2": right, "right": 56}),
    )


def lab_table(session: Session, body: BodyTemplate, topology: MeshTopology) -> str:
    """HTML table of the raw mesh beside the one under the lab's settings."""
    meshes = _raw_and_now(session)
    rows: list[tuple[str, np.ndarray | Tensor, int]] = [
        ("Roughness, mm", _roughness_mm(session, topology), 1)
    ]
    if session.example is not None:
        truth = torch.as_tensor(session.example.vertices).expand_as(meshes)
        joints = torch.as_tensor(session.example.joints)[None]
        rows += [
            ("Surface error, mm", surface_error(meshes, truth), 1),
            ("PA surface error, mm", pa_surface_error(meshes, truth), 1),
            # From the mesh, not the joint branch, as the paper does.
            ("Joint error, mm", joint_error(body.regress_joints(meshes), joints), 1),
        ]
    volumes = signed_volume(meshes, topology.faces)
    rows += [
        ("Change of volume, %", 100 * (volumes / volumes[0] - 1), 2),
        ("Angle between neighbouring faces, °", face_angle(meshes, topology), 1),
    ]
    cells = [(name, *(tables.number(value, digits) for value in values)) for name, values, digits in rows]
    return tables.table(("", "Raw", "Now"), cells)


def signed_volume(vertices: Tensor, faces: Tensor) -> Tensor:
    """Volume (...,) that closed meshes (..., V, 3) enclose, in the cube of their unit.

    Positive where the corners of the faces (F, 3) run anticlockwise seen from outside.
    """
    a, b, c = vertices[..., faces, :].double().unbind(-2)
    return (a * torch.linalg.cross(b, c)).sum((-2, -1)) / 6


def face_angle(vertices: Tensor, topology: MeshTopology) -> Tensor:
    """Mean angle (...,) in degrees between the normals of faces that share an edge, of (..., V, 3)."""
    a, b, c = vertices[..., topology.faces, :].double().unbind(-2)
    normals = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
    one, other = normals[..., _face_pairs(topology), :].unbind(-2)
    # By both sine and cosine: a cosine alone says little of small angles.
    sine = torch.linalg.cross(one, other).norm(dim=-1)
    return torch.rad2deg(torch.atan2(sine, (one * other).sum(-1))).mean(-1)


@lru_cache(maxsize=4)
def _face_pairs(topology: MeshTopology) -> Tensor:
    """Pairs (P, 2) int64 of faces that share an edge; an edge of one or of three faces makes no pair."""
    faces = topology.faces
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(1).values
    _, edge, uses = edges.unique(dim=0, return_inverse=True, return_counts=True)
    owners = torch.arange(len(faces)).repeat(3)
    shared = (uses[edge] == 2).nonzero()[:, 0]
    return owners[shared[edge[shared].argsort(stable=True)]].reshape(-1, 2)


def _raw_and_now(session: Session) -> Tensor:
    """The raw mesh and the one under the lab's settings, (2, V, 3) m."""
    prediction = session.prediction
    return torch.from_numpy(np.stack([prediction.raw_vertices, prediction.vertices]))


def _roughness_mm(session: Session, topology: MeshTopology) -> Tensor:
    return 1000 * roughness(_raw_and_now(session), topology.neighbour_matrix)


def _curve(
    name: str, iterations: np.ndarray, values: np.ndarray, colour: str, current: int, axis: str = "y"
) -> go.Scatter:
    """A curve whose point at the current iteration is larger."""
    sizes = np.where(iterations == current, 11, 5)
    return go.Scatter(
        x=iterations.tolist(), y=values.round(2).tolist(), yaxis=axis, name=plots.ink(name),
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dash" if colour == ALIGNED else "solid"},
        marker={"size": sizes.tolist(), "color": colour, "line": {"width": 0}},
        hoverinfo="text", hovertext=[f"{name} after {i}: {mm:.1f} mm" for i, mm in enumerate(values)],
    )  # fmt: skip
