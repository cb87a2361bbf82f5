"""A mesh with fewer vertices, chosen among its own, and the way back to all of them.

The paper subsamples SMPL's 6,890 vertices by a factor of 4 (section 3.4), as Ranjan et al. (ECCV 2018) and
Kolotouros et al. (CVPR 2019) do: by the edge collapses that cost least in the quadric error of Garland and
Heckbert (SIGGRAPH 1997). Differs from them: left and right are collapsed together, so that the smaller mesh
is its own mirror image as the larger one is; and cheap collapses that do not touch each other are made in one
round, so that NumPy does the work.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from hmnet.errors import BodyError

ROUND = 0.2
"""Largest share of the vertices that one round takes away."""
LENGTH = 1e-3
"""Weight of an edge's squared length, which decides between collapses of flat places."""
MOST_NEIGHBOURS, FEWEST_NEIGHBOURS = 9, 4
TURN = 0.3
"""Cosine of the angle by which a triangle may turn in one collapse."""


@dataclass(frozen=True)
class Decimated:
    """kept: (N,) the vertices that stay, ascending. faces: (G, 3) among those N.

    root: (V,) in 0..N-1, the one that each of all V vertices was collapsed into.
    """

    kept: np.ndarray
    faces: np.ndarray
    root: np.ndarray


def decimate(
    vertices: np.ndarray, faces: np.ndarray, mirror: np.ndarray, count: int, fixed: np.ndarray | None = None
) -> Decimated:
    """`count` of the vertices (V, 3) of a closed mesh of faces (F, 3), its own image under mirror (V,).

    mirror: 0..V-1 for a mesh that need not be its own image. fixed: (V,) bool, vertices that must stay.
    Raises BodyError when no further collapse would leave a sound, symmetric mesh.
    """
    size, faces = len(vertices), faces.astype(np.int64)
    fixed = np.zeros(size, bool) if fixed is None else fixed
    quadrics = _quadrics(vertices, faces)
    root, alive = np.arange(size), np.ones(size, bool)
    while (surplus := int(alive.sum()) - count) > 0:
        edges = _Collapses.of(vertices, faces, mirror, quadrics, fixed)
        into = edges.chosen(surplus, mirror)
        gone = np.flatnonzero(into != np.arange(size))
        if not len(gone):
            raise BodyError(f"The mesh of {size} vertices cannot be decimated to {count}: ask for more.")
        np.add.at(quadrics, into[gone], quadrics[gone])
        alive[gone] = False
        root, faces = into[root], into[faces]
        faces = faces[(faces != np.roll(faces, 1, axis=1)).all(1)]
    number = np.cumsum(alive) - 1
    return Decimated(np.flatnonzero(alive), number[faces], number[root])


def upsampling_of(vertices: np.ndarray, small: Decimated) -> sparse.csr_matrix:
    """(V, N), rows sum to 1 and are not negative: all vertices (V, 3) from those of the decimated mesh.

    Each lies at the nearest point of the triangles around the vertex it was collapsed into: no other finger's
    or lip's triangle is ever taken, however near.
    """
    from trimesh.triangles import closest_point, points_to_barycentric

    corners = sparse.csr_matrix(
        (np.ones(small.faces.size), (small.faces.ravel(), np.repeat(np.arange(len(small.faces)), 3)))
    )
    pairs = corners[small.root].tocoo()
    vertex, face = pairs.row, pairs.col
    triangles = vertices[small.kept][small.faces]
    points = closest_point(triangles[face], vertices[vertex])
    order = np.lexsort((np.linalg.norm(points - vertices[vertex], axis=1), vertex))
    nearest = order[np.unique(vertex[order], return_index=True)[1]]
    weights = points_to_barycentric(triangles[face[nearest]], points[nearest]).clip(0, 1)
    # Rounding aside, a vertex that stays is itself.
    weights[small.kept] = np.round(weights[small.kept])
    weights /= weights.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(vertices)), 3)
    matrix = sparse.csr_matrix((weights.ravel(), (rows, small.faces[face[nearest]].ravel())))
    matrix.eliminate_zeros()
    return matrix


@dataclass(frozen=True)
class _Collapses:
    """Edges (E, 2) whose first vertex may go into the second, cheapest first, and who neighbours whom."""

    edges: np.ndarray
    neighbours: sparse.csr_matrix

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray, mirror: np.ndarray, quadrics: np.ndarray, fixed):
        size = len(vertices)
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        opposite = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
        neighbours = sparse.csr_matrix((np.ones(len(edges)), edges.T), (size, size))
        third = sparse.csr_matrix((opposite, edges.T), (size, size))
        degree = np.bincount(faces.ravel(), minlength=size)
        paths = neighbours @ neighbours
        gone, stays = edges.T
        # The two triangles of the edge vanish, and nothing else may: its ends share these neighbours alone.
        allowed = (_at(paths, gone, stays) == 2) & ~fixed[gone]
        for wing in (opposite, _at(third, stays, gone).astype(np.int64)):
            allowed &= degree[wing] > FEWEST_NEIGHBOURS
        after = degree[gone] + degree[stays] - 4
        allowed &= (after >= FEWEST_NEIGHBOURS) & (after <= MOST_NEIGHBOURS)
        # The midline stays on itself, and a vertex does not share neighbours with its mirror image.
        central = mirror[gone] == gone
        apart = _at(neighbours, gone, mirror[gone]) + _at(paths, gone, mirror[gone]) == 0
        allowed &= np.where(central, mirror[stays] == stays, apart)
        edges = edges[allowed]
        edges = edges[~_folds(edges, vertices, faces)]
        cost = _cost(edges, vertices, quadrics)
        return cls(edges[np.argsort(cost, kind="stable")], neighbours)

    def chosen(self, surplus: int, mirror: np.ndarray) -> np.ndarray:
        """(V,) where each vertex goes: collapses that share no neighbourhood, `surplus` vertices at most.

        Only the cheaper half of the collapses is asked, so that dear ones wait for the next round. Collapses
        beside the midline take two vertices. So those on it must make an odd surplus even, and keep it even:
        one goes first where it is odd, and one too many is taken back.
        """
        into = np.arange(len(mirror))
        blocked = np.zeros(len(mirror), bool)
        starts, rings = self.neighbours.indptr, self.neighbours.indices
        central = mirror[self.edges[:, 0]] == self.edges[:, 0]
        first = self.edges[central][: surplus % 2]
        quota, taken_back = min(surplus, int(ROUND * np.count_nonzero(np.diff(starts))) + 1), None
        for gone, stays in np.concatenate([first, self.edges[: len(self.edges) // 2]]).tolist():
            pair = {gone, mirror[gone]}
            if blocked[gone] or len(pair) > quota:
                continue
            ring = rings[starts[gone] : starts[gone + 1]]
            around = np.concatenate([[gone, mirror[gone]], ring, mirror[ring]])
            if blocked[around].any():
                continue
            blocked[around] = True
            into[gone], into[mirror[gone]] = stays, mirror[stays]
            quota, surplus = quota - len(pair), surplus - len(pair)
            taken_back = gone if len(pair) == 1 else taken_back
        if surplus % 2 and taken_back is not None:
            into[taken_back] = taken_back
        return into


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 4, 4): the squared distances to the planes of each vertex's triangles, weighted by area."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    area = np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    planes = np.concatenate([normals / area, -(normals / area * a).sum(1, keepdims=True)], 1)
    quadrics = np.zeros((len(vertices), 4, 4))
    for corner in faces.T:
        np.add.at(quadrics, corner, area[:, None] * planes[:, :, None] * planes[:, None])
    return quadrics


def _cost(edges: np.ndarray, vertices: np.ndarray, quadrics: np.ndarray) -> np.ndarray:
    gone, stays = edges.T
    at = np.concatenate([vertices[stays], np.ones((len(edges), 1))], 1)
    error = np.einsum("ni,nij,nj->n", at, quadrics[gone] + quadrics[stays], at)
    length = ((vertices[gone] - vertices[stays]) ** 2).sum(1)
    return error + LENGTH * length * np.trace(quadrics[gone, :3, :3], axis1=1, axis2=2)


def _folds(edges: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(E,) whether a collapse would turn one of the triangles that remain too far."""
    of_vertex = sparse.csr_matrix(
        (np.ones(faces.size), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))),
        (len(vertices), len(faces)),
    )
    pairs = of_vertex[edges[:, 0]].tocoo()
    edge, before = pairs.row, faces[pairs.col]
    gone, stays = edges[edge, 0][:, None], edges[edge, 1][:, None]
    remains = (before != stays).all(1)
    after = np.where(before == gone, stays, before)
    turned = (_normals(vertices[before]) * _normals(vertices[after])).sum(1) < TURN
    folds = np.zeros(len(edges), bool)
    folds[edge[remains & turned]] = True
    return folds


def _normals(triangles: np.ndarray) -> np.ndarray:
    a, b, c = triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)


def _at(matrix: sparse.csr_matrix, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.asarray(matrix[rows, columns]).ravel()
