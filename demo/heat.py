"""The heatmap: how far each vertex is from another mesh, and where and how often it is far."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import torch

from demo import compare, plots, tables
from demo.figures import heat_stops
from demo.session import Session, topology_of
from demo.uploaded_mesh import template_vertices
from hmnet.body import BodyTemplate
from hmnet.errors import DataError
from hmnet.metrics import joint_error, pa_joint_error, pa_surface_error, similarity_align, surface_error
from hmnet.variants import form_of

AUTOMATIC, TRUTH, MOVED, UPLOAD = "auto", "truth", "moved", "upload"
BINS = 40
MEAN, MOST = "#ea580c", "#8b5cf6"
"""Colours of the histogram's marks; each has a contrast of 3 to 1 and more with light and with dark cards."""


@dataclass(frozen=True)
class HeatChoice:
    """What a visitor wants to see.

    against: AUTOMATIC (the truth, or without one MOVED), TRUTH, MOVED (the mesh before averaging), UPLOAD or
    a variant's name. align: by scale, rotation and place first. limit: mm at the colour bar's end, None for
    one that suits the values.
    """

    against: str = AUTOMATIC
    align: bool = False
    limit: float | None = None


@dataclass(frozen=True)
class Heat:
    """A heatmap over the V template vertices.

    kind: TRUTH, MOVED, UPLOAD or a variant's name. values: (V,) float32 mm. limit: mm at the colour bar's
    end. title: of the colour bar. sentence: what it shows. aligned: whether by similarity first.
    """

    kind: str
    values: np.ndarray
    limit: float
    title: str
    sentence: str
    aligned: bool


def heat_of(session: Session, choice: HeatChoice, body: BodyTemplate, uploaded: np.ndarray | None) -> Heat:
    """The heatmap of the shown mesh.

    uploaded: a mesh (V, 3) or (U, 3) of the visitor's, m, camera frame. Raises DataError where what is asked
    for is not to be had.
    """
    kind = choice.against
    if kind == AUTOMATIC:
        kind = MOVED if session.example is None else TRUTH
    shown = torch.as_tensor(session.prediction.vertices)[None]
    other = torch.as_tensor(_reference(session, kind, body, uploaded))[None]
    placed = similarity_align(shown, other) if choice.align else shown
    values = (1000 * (placed - other).norm(dim=-1))[0].numpy().astype(np.float32)
    title, sentence = _words(session, kind, choice.align, values, body)
    return Heat(kind, values, choice.limit or nice_limit(values), title, sentence, choice.align)


def available(session: Session, uploaded: np.ndarray | None) -> list[tuple[str, str]]:
    """Labels and values of what this session's mesh can be compared with."""
    choices = [("Automatic", AUTOMATIC)]
    if session.example is not None:
        choices.append(("Ground truth", TRUTH))
    choices.append(("Itself before averaging", MOVED))
    choices += [(form_of(name).title, name) for name in session.variants]
    if uploaded is not None:
        choices.append(("Your mesh", UPLOAD))
    return choices


def nice_limit(values: np.ndarray) -> float:
    """The 99th percentile rounded up to 1, 2 or 5 times a power of ten, at least 1 mm."""
    top = max(1.0, float(np.percentile(values, 99)))
    power = 10.0 ** np.floor(np.log10(top))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= top))


def worst(heat: Heat, body: BodyTemplate, count: int = 6) -> list[tuple[str, int, float]]:
    """Name, vertex and mm of the farthest vertex of each of the `count` parts where that is farthest."""
    parts = body.vertex_parts.numpy()
    farthest = [int(np.where(parts == part, heat.values, -1).argmax()) for part in np.unique(parts)]
    farthest.sort(key=lambda vertex: -heat.values[vertex])
    return [
        (body.part_names[parts[vertex]], vertex, float(heat.values[vertex])) for vertex in farthest[:count]
    ]


def worst_table(heat: Heat, body: BodyTemplate) -> str:
    """HTML table of `worst` with each part's mean, and the heatmap's sentence below."""
    parts = body.vertex_parts.numpy()
    rows = [
        (name, tables.number(heat.values[parts == parts[vertex]].mean()), tables.number(mm), str(vertex))
        for name, vertex, mm in worst(heat, body)
    ]
    return tables.table(("Part", "Mean, mm", "Largest, mm", "at vertex"), rows, heat.sentence)


def histogram(heat: Heat) -> go.Figure:
    """How many vertices are how far, in the heatmap's colours; mean and 95th percentile are marked."""
    top = max(heat.limit, float(heat.values.max()))
    counts, edges = np.histogram(heat.values, BINS, (0, top))
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(
        go.Bar(
            x=middles.tolist(), y=counts.tolist(), width=top / BINS, showlegend=False,
            marker={"color": middles.clip(0, heat.limit).tolist(), "cmin": 0, "cmax": heat.limit,
                    "colorscale": [list(stop) for stop in heat_stops()],
                    # Its dark end would not be seen on a dark card.
                    "line": {"width": 0.8, "color": plots.INK}},
            hoverinfo="text",
            hovertext=[
                f"{count} vertices from {low:.1f} to {high:.1f} mm"
                for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
            ],
        )
    )  # fmt: skip
    for name, mm, colour, dash in (
        ("mean", float(heat.values.mean()), MEAN, "solid"),
        ("95 % below", float(np.percentile(heat.values, 95)), MOST, "dash"),
    ):
        figure.add_trace(
            go.Scatter(
                x=[mm, mm], y=[0, int(counts.max())], mode="lines", name=plots.ink(f"{name} {mm:.1f} mm"),
                line={"color": colour, "width": 2, "dash": dash}, hoverinfo="skip",
            )
        )  # fmt: skip
    return plots.frame(
        figure, bargap=0, xaxis=plots.axis(heat.title, range=[0, top]), yaxis=plots.axis("Vertices"),
    )  # fmt: skip


def _reference(session: Session, kind: str, body: BodyTemplate, uploaded: np.ndarray | None) -> np.ndarray:
    """The mesh (V, 3) m that the shown one is compared with; DataError where there is none."""
    if kind == MOVED:
        return session.prediction.raw_vertices
    if kind == TRUTH:
        if session.example is None:
            raise DataError("A photo has no ground truth: compare with something else, or pick an example.")
        return session.example.vertices
    if kind == UPLOAD:
        if uploaded is None:
            raise DataError("There is no mesh of yours to compare with: upload one first.")
        return template_vertices(uploaded, body)
    if kind not in session.variants:
        names = ", ".join(value for _, value in available(session, uploaded))
        raise DataError(f"There is no answer of {kind!r} to compare with: choose one of {names}.")
    return compare.variant_meshes(session, topology_of(body))[kind][1]


def _words(
    session: Session, kind: str, aligned: bool, values: np.ndarray, body: BodyTemplate
) -> tuple[str, str]:
    """The title and the sentence of a heatmap of values (V,) mm."""
    farthest = int(values.argmax())
    largest = f"{values[farthest]:.0f} mm", body.part_names[int(body.vertex_parts[farthest])]
    mean = f"{values.mean():.1f} mm on average, {largest[0]} at most ({largest[1]})"
    after = " after alignment" if aligned else ""
    if kind == MOVED:
        if np.array_equal(session.prediction.vertices, session.prediction.raw_vertices):
            return f"Moved{after}, mm", "The regulariser is off: no vertex moved."
        why = ": a photo has no ground truth" if session.example is None else ""
        return f"Moved{after}, mm", (
            f"How far the regulariser moved each vertex{after}: {mean}. This is no error{why}."
        )
    if kind == TRUTH:
        return f"Error{after}, mm", _error_sentence(session, aligned, largest)
    name = "your mesh" if kind == UPLOAD else f"“{form_of(kind).title}”"
    own = "HMNet's mesh from the changed part map" if compare.is_changed(session) else "HMNet's mesh"
    whose = name if kind == UPLOAD else f"that of {name}"
    return f"Distance to {name}{after}, mm", f"Distance between {own} and {whose}{after}: {mean}."


def _error_sentence(session: Session, aligned: bool, largest: tuple[str, str]) -> str:
    """The paper's metrics of the shown mesh; largest: how far off the farthest vertex is, and its part."""
    # Joints from the mesh, not the joint branch, as the paper does.
    mesh, joints = (
        [torch.as_tensor(points)[None] for points in pair]
        for pair in (
            (session.prediction.vertices, session.example.vertices),
            (session.prediction.regressed_joints, session.example.joints),
        )
    )
    surface, pa_surface = float(surface_error(*mesh)), float(pa_surface_error(*mesh))
    joint, pa_joint = float(joint_error(*joints)), float(pa_joint_error(*joints))
    if aligned:
        return (
            f"Distance to this rendered example's ground truth after Procrustes alignment: surface error "
            f"{pa_surface:.0f} mm ({surface:.0f} mm before), joint error {pa_joint:.0f} mm ({joint:.0f} mm "
            f"before); largest {largest[0]} ({largest[1]})."
        )
    return (
        f"Distance to this rendered example's ground truth: surface error {surface:.0f} mm "
        f"({pa_surface:.0f} mm after Procrustes alignment), joint error {joint:.0f} mm; "
        f"largest {largest[0]} ({largest[1]})."
    )
