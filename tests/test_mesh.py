"""The regulariser of Eq. 3 on meshes whose averages are known exactly."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from hmnet.body import load_body
from hmnet.errors import TopologyError
from hmnet.mesh import (
    MeshTopology,
    neighbour_average,
    normal_deviation,
    regularise,
    roughness,
    taubin_smooth,
    vertex_normals,
)

SHARED = Path(os.environ.get("HMNET_SHARED", Path(__file__).parents[2] / "shared"))

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float)
TETRAHEDRON_FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
OCTAHEDRON = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
OCTAHEDRON_FACES = np.array(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
)


def topology_of(faces: np.ndarray) -> MeshTopology:
    return MeshTopology.from_faces(faces, int(faces.max()) + 1)


def slow_average(vertices: np.ndarray, faces: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """The oracle: Eq. 3 as its sentence reads, one vertex at a time."""
    neighbours: list[set[int]] = [set() for _ in vertices]
    for face in faces.tolist():
        for corner in range(3):
            neighbours[face[corner]].update(face[:corner] + face[corner + 1 :])
    out = np.empty_like(vertices)
    for index, ring in enumerate(neighbours):
        mean = sum(vertices[j] for j in ring) / len(ring)
        out[index] = (1 - strength) * vertices[index] + strength * mean
    return out


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([line[1:4] for line in lines if line[:1] == ["v"]], float)
    faces = np.array([[c.split("/")[0] for c in line[1:4]] for line in lines if line[:1] == ["f"]], int)
    return vertices, faces - 1


def test_tetrahedron_averages_to_minus_a_third() -> None:
    v = torch.tensor(TETRAHEDRON)
    averaged = neighbour_average(v, topology_of(TETRAHEDRON_FACES).neighbour_matrix)
    torch.testing.assert_close(averaged, -v / 3, rtol=0, atol=1e-15)


def test_octahedron_averages_to_the_origin() -> None:
    v = torch.tensor(OCTAHEDRON)
    averaged = neighbour_average(v, topology_of(OCTAHEDRON_FACES).neighbour_matrix)
    torch.testing.assert_close(averaged, torch.zeros_like(v), rtol=0, atol=1e-15)
    assert roughness(v, topology_of(OCTAHEDRON_FACES).neighbour_matrix).item() == pytest.approx(1.0)


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_average_equals_the_slow_loop(strength: float) -> None:
    body = load_body()
    faces = body.faces.numpy()
    v = np.random.default_rng(0).normal(size=(len(body.vertices), 3))
    expected = slow_average(slow_average(v, faces, strength), faces, strength)
    matrix = MeshTopology.from_faces(faces, len(v)).neighbour_matrix
    averaged = neighbour_average(torch.tensor(v), matrix, iterations=2, strength=strength)
    np.testing.assert_allclose(averaged.numpy(), expected, atol=1e-12)


def test_average_commutes_with_affine_maps() -> None:
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    linear, shift = torch.randn(2, 3, 3, generator=generator, dtype=torch.float64)
    matrix = topology_of(TETRAHEDRON_FACES).neighbour_matrix
    first = neighbour_average(v @ linear + shift[0], matrix, 3, 0.7)
    after = neighbour_average(v, matrix, 3, 0.7) @ linear + shift[0]
    torch.testing.assert_close(first, after)


def test_batch_equals_one_by_one() -> None:
    v = torch.randn(2, 5, 6, 3, generator=torch.Generator().manual_seed(1))
    matrix = topology_of(OCTAHEDRON_FACES).neighbour_matrix
    together = neighbour_average(v, matrix, 2, 0.5)
    rough = roughness(v, matrix)
    assert rough.shape == (2, 5)
    for i in range(2):
        for j in range(5):
            torch.testing.assert_close(together[i, j], neighbour_average(v[i, j], matrix, 2, 0.5))
            torch.testing.assert_close(rough[i, j], roughness(v[i, j], matrix))


def test_rows_sum_to_one_and_exclude_the_vertex() -> None:
    dense = topology_of(OCTAHEDRON_FACES).neighbour_matrix.to_dense()
    torch.testing.assert_close(dense.sum(1), torch.ones(6, dtype=torch.float64))
    assert (dense.diagonal() == 0).all()
    assert topology_of(OCTAHEDRON_FACES).edges.shape == (12, 2)


def test_zero_strength_and_zero_iterations_change_nothing() -> None:
    v = torch.tensor(TETRAHEDRON)
    matrix = topology_of(TETRAHEDRON_FACES).neighbour_matrix
    assert torch.equal(neighbour_average(v, matrix, 5, 0.0), v)
    assert torch.equal(neighbour_average(v, matrix, 0), v)


def test_taubin_s_steps_are_averages_forth_and_back() -> None:
    topology = topology_of(TETRAHEDRON_FACES)
    vertices, matrix = torch.from_numpy(TETRAHEDRON), topology.neighbour_matrix
    # On a centred tetrahedron the mean of the neighbours is -v / 3, so a step s scales by 1 - 4 s / 3.
    away = 0.5 / (0.1 * 0.5 - 1)
    scale = (1 - 4 * 0.5 / 3) * (1 - 4 * away / 3)
    torch.testing.assert_close(taubin_smooth(vertices, matrix, 2), vertices * scale**2)
    torch.testing.assert_close(taubin_smooth(vertices, matrix, 3, strength=0.0), vertices)


def test_taubin_smooths_and_keeps_the_volume_where_averaging_shrinks() -> None:
    body = load_body()
    topology = MeshTopology.from_faces(body.faces, len(body.vertices))
    matrix = topology.neighbour_matrix
    rough = body.vertices + 0.01 * torch.randn(
        body.vertices.shape, generator=torch.Generator().manual_seed(0)
    )

    def volume(vertices: torch.Tensor) -> float:
        a, b, c = vertices[body.faces].unbind(1)
        return float((torch.linalg.cross(a, b) * c).sum() / 6)

    averaged, kept = (regularise(rough, matrix, 10, 1.0, name) for name in ("average", "taubin"))
    assert roughness(kept, matrix) < 0.6 * roughness(rough, matrix)
    assert abs(volume(kept) / volume(body.vertices) - 1) < 0.05
    assert volume(averaged) / volume(body.vertices) < 0.85


def test_unknown_operators_are_answered_with_the_choices() -> None:
    topology = topology_of(OCTAHEDRON_FACES)
    with pytest.raises(TopologyError, match="average, taubin"):
        regularise(torch.from_numpy(OCTAHEDRON), topology.neighbour_matrix, operator="iron")
    with pytest.raises(TopologyError, match="0 or more"):
        taubin_smooth(torch.from_numpy(OCTAHEDRON), topology.neighbour_matrix, -1)


def test_gradients() -> None:
    v = torch.tensor(TETRAHEDRON)[None].repeat(2, 1, 1).requires_grad_()
    matrix = topology_of(TETRAHEDRON_FACES).neighbour_matrix
    assert torch.autograd.gradcheck(lambda x: neighbour_average(x, matrix, 2, 0.6), v)
    assert torch.autograd.gradcheck(lambda x: roughness(x, matrix), v)
    assert torch.autograd.gradcheck(lambda x: vertex_normals(x, torch.tensor(TETRAHEDRON_FACES)), v)


def test_normals_of_an_octahedron_point_outwards() -> None:
    normals = vertex_normals(torch.tensor(OCTAHEDRON) * 0.01, torch.tensor(OCTAHEDRON_FACES))
    torch.testing.assert_close(normals, torch.tensor(OCTAHEDRON))


def slow_normal_deviation(vertices: np.ndarray, faces: np.ndarray) -> float:
    """The oracle: the angle at each vertex by the arc cosine, one vertex at a time."""
    neighbours: list[set[int]] = [set() for _ in vertices]
    normals = np.zeros_like(vertices)
    for a, b, c in faces.tolist():
        normal = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
        for corner in (a, b, c):
            normals[corner] += normal
            neighbours[corner].update({a, b, c} - {corner})
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    angles = []
    for normal, ring in zip(normals, neighbours, strict=True):
        mean = sum(normals[j] for j in ring)
        angles.append(np.degrees(np.arccos(normal @ mean / np.linalg.norm(mean))))
    return float(np.mean(angles))


def test_normal_deviation_equals_the_slow_loop_in_batches() -> None:
    body = load_body()
    faces = body.faces.numpy()
    generator = np.random.default_rng(0)
    rough = body.vertices.double().numpy() + generator.normal(0, 0.008, (2, len(body.vertices), 3))
    matrix = topology_of(faces).neighbour_matrix
    found = normal_deviation(torch.from_numpy(rough), body.faces, matrix)
    np.testing.assert_allclose(found, [slow_normal_deviation(v, faces) for v in rough], rtol=1e-9)
    assert (found > normal_deviation(body.vertices, body.faces, matrix).item() + 5).all()


def test_normal_deviation_is_known_on_a_tetrahedron_and_keeps_under_similarity() -> None:
    matrix, faces = topology_of(TETRAHEDRON_FACES).neighbour_matrix, torch.tensor(TETRAHEDRON_FACES)
    # The three other normals' mean points exactly away.
    vertices = torch.tensor(TETRAHEDRON)
    assert normal_deviation(vertices, faces, matrix).item() == pytest.approx(180)
    body = load_body()
    matrix = topology_of(body.faces.numpy()).neighbour_matrix
    turned = 3 * body.vertices.double() @ torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]).double() + 7
    torch.testing.assert_close(
        normal_deviation(turned, body.faces, matrix),
        normal_deviation(body.vertices.double(), body.faces, matrix),
    )


def test_normal_deviation_of_an_octahedron_s_vertices_is_nothing() -> None:
    # The neighbours' normals cancel: no direction to deviate from.
    found = normal_deviation(
        torch.tensor(OCTAHEDRON),
        torch.tensor(OCTAHEDRON_FACES),
        topology_of(OCTAHEDRON_FACES).neighbour_matrix,
    )
    assert found.item() == 0


@pytest.mark.parametrize(
    ("faces", "count", "sentence"),
    [
        (TETRAHEDRON_FACES, 7, r"3 of 7 vertices .*first: 4, 5, 6.*remove"),
        (np.array([[0, 1, 2], [3, 3, 3]]), 4, "first: 3"),
        (TETRAHEDRON_FACES, 3, "names vertex 3 but the mesh has 3 vertices"),
        (TETRAHEDRON_FACES - 1, 4, "names vertex -1"),
        (np.array([[0, 1, 2, 3]]), 4, r"\(F, 3\) array, got shape \(1, 4\)"),
        (TETRAHEDRON_FACES.astype(float), 4, "whole numbers"),
    ],
)
def test_bad_topologies_are_named(faces: np.ndarray, count: int, sentence: str) -> None:
    with pytest.raises(TopologyError, match=sentence):
        MeshTopology.from_faces(faces, count)


def test_matrix_of_another_mesh_is_named() -> None:
    matrix = topology_of(TETRAHEDRON_FACES).neighbour_matrix
    with pytest.raises(TopologyError, match=r"\(\.\.\., 4, 3\).*got \(6, 3\)"):
        neighbour_average(torch.tensor(OCTAHEDRON), matrix)
    with pytest.raises(TopologyError, match="0 or more"):
        neighbour_average(torch.tensor(TETRAHEDRON), matrix, -1)


@pytest.mark.parametrize("name", ["84_gt.obj", "233_gt.obj"])
def test_smpl_sized_mesh(name: str) -> None:
    path = SHARED / "formats" / "smpl_topology" / name
    if not path.is_file():
        pytest.skip("shared sample meshes are not on this machine")
    vertices, faces = read_obj(path)
    assert vertices.shape == (6890, 3) and faces.shape == (13776, 3)
    topology = MeshTopology.from_faces(faces, len(vertices))
    # A closed surface of genus 0: Euler's V - E + F = 2.
    assert len(vertices) - len(topology.edges) + len(faces) == 2
    v = torch.tensor(vertices)
    averaged = neighbour_average(v, topology.neighbour_matrix)
    np.testing.assert_allclose(averaged.numpy(), slow_average(vertices, faces), atol=1e-12)
    assert roughness(averaged, topology.neighbour_matrix) < 0.7 * roughness(v, topology.neighbour_matrix)
