"""The full surface without the creases that upsampling leaves.

The operator from the template's surface to the full one was fitted to bodies as they are. A network's mesh
is not one of them: where averaging pulls its vertices together, neighbours that rest on different template
vertices come apart, as a crease across the belly. Averaging the full surface a little takes it away, but for
hands, feet and head, whose features are as small; that is linear too, so it is part of the operator.
"""

import numpy as np
import torch
from scipy import sparse

from hmnet.body.parts import PART_NAMES
from hmnet.mesh import MeshTopology

PASSES, STRENGTH = 2, 0.5
FINE = ("hand", "foot", "head")
MARGIN = 6
"""Rings of vertices around the fine parts over which averaging sets in."""
LEAST_WEIGHT = 0.006
"""Smaller weights are left out: they move a vertex by some hundredths of a millimetre."""


def softened(upsampling: torch.Tensor, faces: torch.Tensor, vertex_parts: torch.Tensor) -> torch.Tensor:
    """The operator (U, V), sparse with rows that sum to 1, followed by averaging on the full surface.

    faces: (G, 3) and vertex_parts: (U,) of the full surface.
    """
    operator = _csr(upsampling)
    neighbours = _csr(MeshTopology.from_faces(faces, operator.shape[0]).neighbour_matrix)
    fine = np.array([any(word in name for word in FINE) for name in PART_NAMES])[vertex_parts.numpy()]
    amount = 1.0 - fine
    for _ in range(MARGIN):
        amount = np.minimum(amount, neighbours @ amount)
    towards_mean = sparse.diags(STRENGTH * amount)
    for _ in range(PASSES):
        operator = operator + towards_mean @ (neighbours @ operator - operator)
    operator.data[np.abs(operator.data) < LEAST_WEIGHT] = 0
    operator.eliminate_zeros()
    sums = np.asarray(operator.sum(1)).ravel()
    operator = (sparse.diags(1 / sums) @ operator).tocoo()
    indices = torch.from_numpy(np.stack([operator.row, operator.col]).astype(np.int64))
    values = torch.from_numpy(operator.data.astype(np.float32))
    return torch.sparse_coo_tensor(indices, values, operator.shape, check_invariants=True).coalesce()


def _csr(matrix: torch.Tensor) -> sparse.csr_matrix:
    matrix = matrix.coalesce()
    return sparse.csr_matrix(
        (matrix.values().double().numpy(), tuple(matrix.indices().numpy())), matrix.shape
    )
