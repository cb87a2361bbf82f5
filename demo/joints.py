"""The joint branch's joints and those regressed from the surface: against each other and the truth."""

from typing import NamedTuple

import numpy as np

from demo import tables
from demo.session import Session
from hmnet.body import BodyTemplate


class JointRow(NamedTuple):
    """A joint's name in words; mm between its two places; each one's error in mm, None without the truth."""

    name: str
    distance: float
    branch_error: float | None
    surface_error: float | None


def joint_rows(session: Session, body: BodyTemplate) -> list[JointRow]:
    """All joints, those first whose two places are farthest apart."""
    prediction = session.prediction
    nothing = [None] * len(body.joint_names)
    branch = surface = nothing
    if session.example is not None:
        true = session.example.joints
        branch, surface = _distances(prediction.joints, true), _distances(prediction.regressed_joints, true)
    distances = _distances(prediction.joints, prediction.regressed_joints)
    names = [name.replace("_", " ") for name in body.joint_names]
    rows = [JointRow(*row) for row in zip(names, distances, branch, surface, strict=True)]
    return sorted(rows, key=lambda row: -row.distance)


def joint_table(session: Session, body: BodyTemplate) -> str:
    """HTML table of `joint_rows` with `joint_sentence` below."""
    head, count = ["Joint", "Apart, mm"], 1
    if session.example is not None:
        head, count = [*head, "Error of the joint branch, mm", "Error from the surface, mm"], 3
    rows = [(row.name, *map(tables.number, row[1 : 1 + count])) for row in joint_rows(session, body)]
    return tables.table(head, rows, joint_sentence(session, body))


def joint_sentence(session: Session, body: BodyTemplate) -> str:
    """HTML: how far the two sets are apart (Eq. 4), and both mean errors where they are known."""
    rows = joint_rows(session, body)
    mean = np.mean([row.distance for row in rows])
    sentence = (
        f"<var>L<sub>JS</sub></var>: the two sets of joints are {mean:.1f} mm apart on average (largest: "
        f"{rows[0].name}, {rows[0].distance:.0f} mm)."
    )
    if session.example is None:
        return sentence
    branch, surface = (
        np.mean([getattr(row, column) for row in rows]) for column in ("branch_error", "surface_error")
    )
    return f"{sentence} Mean error of the joint branch {branch:.0f} mm, from the surface {surface:.0f} mm."


def _distances(some: np.ndarray, others: np.ndarray) -> list[float]:
    """mm between the points (J, 3) m of two sets."""
    return (1000 * np.linalg.norm(some.astype(np.float64) - others, axis=-1)).tolist()
