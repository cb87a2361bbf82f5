"""A visitor's mesh as vertices of the template, so that it can be compared vertex by vertex."""

from functools import lru_cache

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import SuperLU, splu

from demo.bodies import words_of
from hmnet.body import BodyTemplate
from hmnet.errors import DataError


def template_vertices(mesh: np.ndarray, body: BodyTemplate) -> np.ndarray:
    """Vertices (V, 3) float32 m, the root at the origin, of a mesh (V, 3) or of a full surface (U, 3).

    A full surface is reduced to the template vertices whose own full surface, by `body.upsampling`, lies
    closest to it in least squares: exact for what was upsampled from a template, and no vertex of the full
    surface is taken for one of the template's. Raises DataError for another number of vertices.
    """
    full, own = body.upsampling.shape
    if len(mesh) == full:
        upsampling, factor = _factored(body.upsampling)
        mesh = factor.solve(upsampling.T @ mesh.astype(np.float64))
    elif len(mesh) != own:
        raise DataError(f"Expected a mesh of {own:,} or {full:,} vertices, got {len(mesh):,}.")
    vertices = torch.as_tensor(mesh.astype(np.float32))
    root = body.regress_joints(vertices)[body.joint_index(words_of(body).root)]
    return (vertices - root).numpy()


@lru_cache(maxsize=4)
def _factored(upsampling: torch.Tensor) -> tuple[csr_matrix, SuperLU]:
    """The operator (U, V) and the factors of its normal equations; 0.3 s, once."""
    rows, columns = upsampling.indices().numpy()
    operator = csr_matrix((upsampling.values().double().numpy(), (rows, columns)), upsampling.shape)
    return operator, splu((operator.T @ operator).tocsc())
