"""The mesh as a graph, and the paper's regulariser on it: every vertex becomes the mean of its neighbours.

Source: HumanMeshNet (ICCV-W 2019), section 3, Eq. 3. Everything here works on any triangle mesh.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from hmnet.errors import TopologyError, told

PASS_BAND = 0.1
"""Of `taubin_smooth`, as an eigenvalue of the graph's Laplacian; Taubin's own choice."""


@dataclass(frozen=True, eq=False)
class MeshTopology:
    """Which vertices of a triangle mesh are joined; made by `from_faces`, which checks the faces.

    faces: (F, 3) int64. vertex_count: V, every vertex of which has at least one neighbour.
    """

    faces: torch.Tensor
    vertex_count: int

    @classmethod
    def from_faces(cls, faces: torch.Tensor | np.ndarray, vertex_count: int) -> "MeshTopology":
        """The topology of faces (F, 3) of any integer type over `vertex_count` vertices.

        Raises TopologyError when the faces are no (F, 3) integers, name a vertex that does not exist,
        or leave a vertex without a neighbour: its one-ring mean would be undefined.
        """
        # Copied: torch refuses an array that is read backwards, and warns of one that is read-only.
        faces = torch.as_tensor(faces.copy() if isinstance(faces, np.ndarray) else faces)
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise TopologyError(
                f"Expected triangles as an (F, 3) array, got shape {tuple(faces.shape)}: "
                "triangulate the mesh first."
            )
        if faces.is_floating_point() or faces.is_complex() or faces.dtype == torch.bool:
            raise TopologyError(f"Expected faces of whole numbers, got {faces.dtype}: pass vertex indices.")
        faces = faces.long()
        wrong = faces[(faces < 0) | (faces >= vertex_count)]
        if len(wrong):
            raise TopologyError(
                f"A face names vertex {int(wrong[0])} but the mesh has {vertex_count} vertices "
                f"(0 to {vertex_count - 1}): pass the faces that belong to these vertices."
            )
        topology = cls(faces, vertex_count)
        alone = torch.ones(vertex_count, dtype=torch.bool)
        alone[topology.edges.flatten()] = False
        if alone.any():
            first = ", ".join(str(int(i)) for i in alone.nonzero()[:5, 0])
            raise TopologyError(
                f"{int(alone.sum())} of {vertex_count} vertices have no neighbour because no face uses them "
                f"(first: {first}): remove unreferenced vertices before averaging."
            )
        return topology

    @cached_property
    def edges(self) -> torch.Tensor:
        """(E, 2) int64, each undirected edge once, smaller index first, sorted."""
        pairs = torch.cat([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        pairs = pairs[pairs[:, 0] != pairs[:, 1]].sort(1).values
        return pairs.unique(dim=0)

    @cached_property
    def neighbour_matrix(self) -> torch.Tensor:
        """(V, V) sparse float64, rows sum to 1: 1/degree for each neighbour, the vertex itself excluded."""
        rows, columns = torch.cat([self.edges, self.edges.flip(1)]).T
        degree = torch.bincount(rows, minlength=self.vertex_count)
        size = (self.vertex_count, self.vertex_count)
        # float64, so that a caller in float64 gets exact thirds; `neighbour_average` casts to the vertices.
        weights = (1.0 / degree.double())[rows]
        return torch.sparse_coo_tensor(
            torch.stack([rows, columns]), weights, size, check_invariants=True
        ).coalesce()


def neighbour_average(
    vertices: torch.Tensor, neighbour_matrix: torch.Tensor, iterations: int = 1, strength: float = 1.0
) -> torch.Tensor:
    """Eq. 3: each vertex moves to the mean of its one-ring, `iterations` times; differentiable.

    vertices: (..., V, 3) in any unit. neighbour_matrix: (V, V) of `MeshTopology`.
    strength: v <- (1 - strength) v + strength * mean of neighbours; 1 is the paper's operator.
    Returns the same shape; 0 iterations return the vertices as they are. Raises TopologyError when the
    matrix belongs to another mesh or the iterations are negative.
    """
    if iterations < 0:
        raise TopologyError(f"Expected 0 or more averaging iterations, got {iterations}.")
    for _ in range(iterations):
        mean = _ring_mean(vertices, neighbour_matrix)
        # At full strength the mean itself: one pass less over the vertices.
        vertices = mean if strength == 1 else torch.lerp(vertices, mean, strength)
    return vertices


def taubin_smooth(
    vertices: torch.Tensor, neighbour_matrix: torch.Tensor, iterations: int = 1, strength: float = 1.0
) -> torch.Tensor:
    """Averaging that does not shrink (Taubin, SIGGRAPH 1995): each iteration averages and then pushes back.

    Arguments and errors as in `neighbour_average`. The step towards the neighbours' mean is strength / 2, the
    step away from it the one that leaves spatial frequencies below PASS_BAND as they are.
    """
    towards = strength / 2
    away = towards / (PASS_BAND * towards - 1)
    if iterations < 0:
        raise TopologyError(f"Expected 0 or more averaging iterations, got {iterations}.")
    for _ in range(iterations):
        for step in (towards, away):
            vertices = torch.lerp(vertices, _ring_mean(vertices, neighbour_matrix), step)
    return vertices


def regularise(
    vertices: torch.Tensor,
    neighbour_matrix: torch.Tensor,
    iterations: int = 1,
    strength: float = 1.0,
    operator: str = "average",
) -> torch.Tensor:
    """Vertices after the operator of that name, one of OPERATORS; else as `neighbour_average`."""
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise TopologyError(f"Unknown operator {told(operator)!r}: choose one of {', '.join(OPERATORS)}.")
    return OPERATORS[operator](vertices, neighbour_matrix, iterations, strength)


OPERATORS = {"average": neighbour_average, "taubin": taubin_smooth}
"""The regulariser of the paper, and one that keeps the mesh's volume, to compare."""


def roughness(vertices: torch.Tensor, neighbour_matrix: torch.Tensor) -> torch.Tensor:
    """Mean distance (...,) of the vertices (..., V, 3) to their one-ring mean, in the vertices' unit."""
    return (vertices - _ring_mean(vertices, neighbour_matrix)).norm(dim=-1).mean(-1)


def vertex_normals(vertices: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
    """Unit normals (..., V, 3) of vertices (..., V, 3): the area-weighted sum of the faces' normals.

    They point to the side from which a face's corners (F, 3) run anticlockwise in a right-handed frame.
    A vertex whose faces have no area gets the zero vector.
    """
    corners = vertices[..., faces, :]
    a, b, c = corners.unbind(-2)
    face_normals = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for corner in range(3):
        normals = normals.index_add(-2, faces[:, corner], face_normals)
    return torch.nn.functional.normalize(normals, dim=-1)


def normal_deviation(
    vertices: torch.Tensor, faces: torch.Tensor, neighbour_matrix: torch.Tensor
) -> torch.Tensor:
    """Mean angle (...,) in degrees between a vertex's normal and the mean normal of its one-ring.

    vertices: (..., V, 3) in any unit. faces: (F, 3) int64 and neighbour_matrix: (V, V), of the same mesh. As
    `roughness` it is small on a smooth surface, but moving, turning or scaling the mesh changes nothing.
    A vertex without a normal (no area around it), or whose neighbours' normals cancel, counts as 0 degrees.
    Raises TopologyError when the matrix belongs to another mesh.
    Differs from the paper: Fig. 8 shows the effect of Eq. 3 in pictures alone; this is our figure for it.
    """
    normals = vertex_normals(vertices, faces)
    mean = _ring_mean(normals, neighbour_matrix)
    # Not the arc cosine, which in float32 takes angles below some 0.03 degrees for 0.
    sine = torch.linalg.cross(normals, mean).norm(dim=-1)
    return torch.atan2(sine, (normals * mean).sum(-1)).rad2deg().mean(-1)


def _ring_mean(vertices: torch.Tensor, neighbour_matrix: torch.Tensor) -> torch.Tensor:
    if vertices.ndim < 2 or vertices.shape[-2] != neighbour_matrix.shape[0]:
        raise TopologyError(
            f"Expected vertices of shape (..., {neighbour_matrix.shape[0]}, 3) for this neighbour matrix, "
            f"got {tuple(vertices.shape)}: use the matrix of the same mesh."
        )
    # One (V, V) @ (V, batch * 3) product: a batched sparse product would loop in Python.
    columns = vertices.movedim(-2, 0)
    flat = columns.reshape(len(columns), -1)
    return (neighbour_matrix.to(vertices) @ flat).reshape(columns.shape).movedim(0, -2)
