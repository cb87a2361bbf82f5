"""A mesh's mirror image is found from its triangles alone."""

import numpy as np
import pytest

from hmnet.body import load_body
from hmnet.body.symmetry import mirror_of
from hmnet.errors import BodyError


def test_anny_s_mirror_is_found_without_its_coordinates() -> None:
    body = load_body()
    np.testing.assert_array_equal(mirror_of(body.faces.numpy(), len(body.vertices)), body.mirror)


def test_numbering_does_not_matter() -> None:
    body = load_body()
    order = np.random.default_rng(0).permutation(len(body.vertices))
    mirror = mirror_of(np.argsort(order)[body.faces.numpy()], len(order))
    np.testing.assert_array_equal(order[mirror], body.mirror[order])


def test_smpl_s_own_topology(smpl_meshes) -> None:
    bodies, faces = smpl_meshes
    mirror = mirror_of(faces, 6890)
    assert (mirror[mirror] == np.arange(6890)).all() and (mirror == np.arange(6890)).sum() == 134
    # Both are people: lengths on the left equal those on the right, however the person is posed.
    edges = np.unique(np.sort(np.concatenate([faces[:, :2], faces[:, 1:]]), axis=1), axis=0)
    for vertices in bodies:
        lengths, mirrored = (
            np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1)
            for pairs in (edges, mirror[edges])
        )
        assert np.median(np.abs(lengths - mirrored) / lengths) < 0.15


def test_a_mesh_without_a_mirror_image_is_refused() -> None:
    faces = load_body().faces.numpy().copy()
    # One edge between two triangles, turned the other way.
    a, b, c = faces[0]
    other = next(i for i, face in enumerate(faces) if {a, b} <= set(face) and c not in face)
    d = (set(faces[other]) - {a, b}).pop()
    faces[0], faces[other] = (a, d, c), (d, b, c)
    with pytest.raises(BodyError, match="has no mirror image in itself: expected a body's closed surface"):
        mirror_of(faces, faces.max() + 1)
