"""Anny's full surface as a template of its own: the paper's network that is not subsampled (section 3.4)."""

import dataclasses

import numpy as np
import torch
from scipy.spatial import KDTree

from hmnet.body.template import BodyTemplate, load_body

NEAREST = 16
"""Vertices of the full surface that stand for one of the subsampled template: more would blur fingers."""
EVEN = 1e-4
"""How strongly their weights are drawn to equality, against an error of (10 cm)^2."""


def full_template(body: BodyTemplate, rest: torch.Tensor) -> BodyTemplate:
    """The body whose template is the full surface of `body`, with its rest shape (U, 3), symmetric in x.

    Joints and keypoints are regressed as there, from the points on the full surface where the vertices of
    `body` lie at rest: 2.5 mm from those of `body` itself on posed bodies.
    """
    lowering = _lowering(rest.double().numpy(), body.vertices.double().numpy())
    joints = body.joint_regressor.to_dense().double() @ lowering
    everywhere = torch.arange(len(rest))
    return dataclasses.replace(
        body,
        name="anny-full",
        vertices=rest,
        faces=body.full_faces,
        face_parts=body.full_face_parts,
        vertex_parts=body.full_vertex_parts,
        joint_regressor=joints.float().to_sparse(),
        keypoint_regressor=(body.keypoint_regressor.double() @ lowering).float(),
        mirror=torch.from_numpy(KDTree(rest.numpy()).query(rest.numpy() * [-1, 1, 1])[1]),
        upsampling=torch.sparse_coo_tensor(
            torch.stack([everywhere, everywhere]), torch.ones(len(rest)), check_invariants=True
        ).coalesce(),
    )


def on_surface_of(body: BodyTemplate, vertices: torch.Tensor) -> torch.Tensor:
    """Anny's template vertices (..., V, 3) on a body's own surface: upsampled for "anny-full", else as given.

    Truth is stored on the template; the full one is 1.8 mm from what Anny itself would give.
    """
    return load_body().upsample(vertices) if body.name == "anny-full" else vertices


def _lowering(full: np.ndarray, template: np.ndarray) -> torch.Tensor:
    """(V, U) float64, rows sum to 1: template points (V, 3) from points (U, 3) of the full surface.

    Each from its NEAREST, with the weights nearest to equal ones that put it where it is.
    """
    nearest = KDTree(full).query(template, NEAREST)[1]
    matrix = np.zeros((len(template), len(full)))
    for row, (chosen, point) in enumerate(zip(nearest, template, strict=True)):
        conditions = np.vstack([10 * full[chosen].T, np.ones(NEAREST)])
        missing = np.append(10 * point, 1) - conditions.mean(1)
        solved = np.linalg.solve(conditions @ conditions.T + EVEN * np.eye(4), missing)
        weights = 1 / NEAREST + conditions.T @ solved
        matrix[row, chosen] = weights / weights.sum()
    return torch.from_numpy(matrix)
