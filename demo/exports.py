"""What a visitor can take along: the mesh for 3D programs, the numbers as JSON and as a table."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from demo.session import Session
from hmnet.body import BodyTemplate
from hmnet.camera import project
from hmnet.errors import OutputError
from hmnet.export import save, write_glb, write_obj, write_ply
from hmnet.report import METRE_DIGITS, PIXEL_DIGITS, summary

FILES = {
    "glb": ("Mesh (GLB)", "humanmeshnet.glb"),
    "obj": ("Mesh (OBJ)", "humanmeshnet.obj"),
    "ply": ("Mesh (PLY)", "humanmeshnet.ply"),
    "json": ("Numbers (JSON)", "humanmeshnet.json"),
    "csv": ("Joints (CSV)", "humanmeshnet.csv"),
}
"""Kind: label, file name."""
COLUMNS = (
    "joint", "branch_x_m", "branch_y_m", "branch_z_m", "regressed_x_m", "regressed_y_m", "regressed_z_m",
    "keypoint_u_px", "keypoint_v_px", "distance_mm",
)  # fmt: skip
"""Of the table of joints: the joint branch's point, that of the surface, the latter's keypoint in the upright
photo, and how far the two points are apart."""
MESHES = {"glb": write_glb, "obj": write_obj, "ply": write_ply}


def write(session: Session, body: BodyTemplate, kind: str, folder: Path) -> Path:
    """Writes the session as one of FILES into a folder and returns the path. Raises OutputError."""
    if kind not in FILES:
        raise OutputError(f"Unknown kind of file {kind!r}: choose one of {', '.join(FILES)}.")
    path = Path(folder) / FILES[kind][1]
    if kind in MESHES:
        vertices = body.upsample(torch.as_tensor(session.prediction.vertices))
        colours = np.asarray(body.part_colours, np.uint8)[body.full_vertex_parts.numpy()]
        return MESHES[kind](path, vertices, body.full_faces, colours)
    if kind == "json":
        return save(path, json.dumps(numbers(session, body), indent=1).encode())
    return save(path, joint_table(session, body).encode())


def photo_name(session: Session) -> str:
    """What files call the photo: an example's file name; a visitor's own is not kept."""
    return "photo" if session.example is None else session.example.photo.name


def numbers(session: Session, body: BodyTemplate) -> dict:
    """What `python -m hmnet predict` writes as NAME.json, the joint branch's joints, the page's settings."""
    joints = session.prediction.joints.astype(np.float64).round(METRE_DIGITS).tolist()
    return {
        **summary(session.prediction, photo_name(session)),
        "joint_branch": dict(zip(body.joint_names, joints, strict=True)),
        "regulariser": asdict(session.lab),
        "part_change": asdict(session.change),
    }


def joint_table(session: Session, body: BodyTemplate) -> str:
    """CSV with a header of COLUMNS and one row a joint; points in m, camera frame, the root at the origin."""
    prediction = session.prediction
    keypoints = project(prediction.regressed_joints, prediction.camera)
    distances = 1000 * np.linalg.norm(prediction.joints - prediction.regressed_joints, axis=-1)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in zip(
        body.joint_names, prediction.joints, prediction.regressed_joints, keypoints, distances, strict=True
    ):
        name, branch, regressed, keypoint, distance = row
        metres = [f"{value:.{METRE_DIGITS}f}" for value in (*branch, *regressed)]
        pixels = [f"{value:.{PIXEL_DIGITS}f}" for value in keypoint]
        table.writerow([name, *metres, *pixels, f"{distance:.1f}"])
    return text.getvalue()
