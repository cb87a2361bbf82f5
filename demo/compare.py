"""What the paper's other variants say of the same person, and what a broken part map does."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from demo import tables
from demo.session import Session
from hmnet.body import BodyTemplate
from hmnet.mesh import MeshTopology, neighbour_average, regularise, roughness
from hmnet.metrics import joint_error, pa_joint_error, pa_surface_error, surface_error
from hmnet.variants import BASE, form_of, hand_name

UNREGULARISED = "hmnet-unregularised"
ERRORS = ("Surface", "Joint", "PA surface", "PA joint")
"""Columns where the truth is known."""
SAME_TERMS = (
    "All in mm, on the segmenter’s part map and under the settings of the regulariser; joints are regressed "  # noqa: RUF001
    "from the mesh."
)
PA = " The Oracle alone is given the true part map. PA: after Procrustes alignment."
SQUARE = (
    "Averaged once by Eq. 3, whatever the regulariser’s settings. Both networks have the same encoders; the "  # noqa: RUF001
    "second went on from the first’s weights with the surface loss on the raw mesh."  # noqa: RUF001
)
NO_SQUARE = "The weights trained without Eq. 3 do not lie beside these: only half of the square can be shown."


@dataclass(frozen=True)
class Corner:
    """One of the four of Fig. 8.

    vertices: (V, 3) m. roughness: mm. surface: error in mm, None where the truth is not known.
    """

    title: str
    vertices: np.ndarray
    roughness: float
    surface: float | None


def variant_meshes(session: Session, topology: MeshTopology) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each variant, HMNet first, the raw mesh (V, 3) m and the same under the lab's settings.

    All answer the part map as the segmenter gave it (the Oracle: the true one), whatever is changed of it.
    """
    raw = {_named(BASE, session): session.untouched.raw_vertices}
    raw |= {name: answer.raw_vertices for name, answer in session.variants.items()}
    lab = session.lab
    iterations = lab.iterations if lab.enabled else 0
    meshes = torch.from_numpy(np.stack(list(raw.values())))
    smooth = regularise(meshes, topology.neighbour_matrix, iterations, lab.strength, lab.operator).numpy()
    return {name: (raw[name], mesh) for name, mesh in zip(raw, smooth, strict=True)}


def variant_table(session: Session, body: BodyTemplate, topology: MeshTopology) -> str:
    """HTML table of the variants: their errors where the truth is known, else how far they are from HMNet."""
    named = variant_meshes(session, topology)
    meshes = torch.from_numpy(np.stack([mesh for _, mesh in named.values()]))
    rough = 1000 * roughness(meshes, topology.neighbour_matrix)
    if session.example is None:
        head = ["From HMNet’s mesh"]  # noqa: RUF001
        columns = [surface_error(meshes, meshes[:1])]
        caption = SAME_TERMS
    else:
        head, caption = ERRORS, SAME_TERMS + PA
        columns = _errors(meshes, body.regress_joints(meshes), session)
    columns = [[tables.number(value) for value in column] for column in (*columns, rough)]
    titles = [form_of(name).title for name in named]
    return tables.table(["Variant", *head, "Roughness"], zip(titles, *columns, strict=True), caption)


def square(session: Session, topology: MeshTopology) -> dict[str, Corner]:
    """The paper's Fig. 8: trained with and without Eq. 3, each raw and averaged by Eq. 3 once.

    By the panes' names, "square-with-off" to "square-without-on". The lab's settings do not count here.
    Where the variant's weights are not there only the first two.
    """
    raw = {"with": session.untouched.raw_vertices}
    without = session.variants.get(_named(UNREGULARISED, session))
    if without is not None:
        raw["without"] = without.raw_vertices
    corners = {}
    for trained, vertices in raw.items():
        start = torch.as_tensor(vertices)
        for state, mesh in (("off", start), ("on", neighbour_average(start, topology.neighbour_matrix))):
            title = f"Trained {trained} Eq. 3, averaging {state}"
            corners[f"square-{trained}-{state}"] = _corner(title, mesh, session, topology)
    return corners


def is_changed(session: Session) -> bool:
    """Whether HMNet was given another part map than the segmenter's."""
    return not np.array_equal(session.untouched.labels, session.prediction.labels)


def square_table(session: Session, topology: MeshTopology) -> str:
    """HTML table of `square`: roughness, and the surface error where the truth is known."""
    known = session.example is not None
    rows = [
        (corner.title, tables.number(corner.roughness), *([tables.number(corner.surface)] if known else []))
        for corner in square(session, topology).values()
    ]
    head = ["In mm", "Roughness", *(["Surface error"] if known else [])]
    return tables.table(
        head, rows, SQUARE if _named(UNREGULARISED, session) in session.variants else NO_SQUARE
    )


def parts_sentence(session: Session, body: BodyTemplate) -> str:
    """What the change of the part map did to the mesh; empty when nothing was changed."""
    if not is_changed(session):
        return ""
    before, after = session.untouched, session.prediction
    moved = 1000 * np.linalg.norm(after.vertices - before.vertices, axis=1)
    worst = int(moved.argmax())
    sentence = (
        f"The mesh moved by {moved.mean():.1f} mm on average (largest: "
        f"{body.part_names[int(body.vertex_parts[worst])]}, {moved[worst]:.0f} mm)"
    )
    if session.example is None:
        return f"{sentence}."
    was, now = (_surface(torch.as_tensor(one.vertices), session) for one in (before, after))
    return f"{sentence}; surface error {was:.1f} → {now:.1f} mm."


def _named(variant: str, session: Session) -> str:
    """What that variant's weights for the body that is shown are called."""
    return hand_name(variant) if session.body.one_sided else variant


def _corner(title: str, mesh: Tensor, session: Session, topology: MeshTopology) -> Corner:
    rough = 1000 * float(roughness(mesh, topology.neighbour_matrix))
    error = None if session.example is None else _surface(mesh, session)
    return Corner(title, mesh.numpy(), rough, error)


def _surface(mesh: Tensor, session: Session) -> float:
    """Surface error in mm of a mesh (V, 3) where the truth is known."""
    return float(surface_error(mesh[None], torch.as_tensor(session.example.vertices)[None]))


def _errors(meshes: Tensor, joints: Tensor, session: Session) -> list[Tensor]:
    """ERRORS of meshes (B, V, 3) with joints (B, J, 3), (B,) each."""
    true_mesh = torch.as_tensor(session.example.vertices).expand_as(meshes)
    true_joints = torch.as_tensor(session.example.joints).expand_as(joints)
    return [
        surface_error(meshes, true_mesh), joint_error(joints, true_joints),
        pa_surface_error(meshes, true_mesh), pa_joint_error(joints, true_joints),
    ]  # fmt: skip
