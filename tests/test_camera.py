"""A camera that is known must be found again from the part map it produces."""

import math

import numpy as np
import pytest
import torch

from hmnet.body import PART_INDEX, load_body
from hmnet.body.template import load_anny
from hmnet.camera import fit_camera, project, solve_camera
from hmnet.errors import NoPersonFoundError

SHAPE = (480, 640)
CAMERA = np.array([200.0, 1.6, 1.25])
BODY = load_body()


def turn(axis: int, degrees: float) -> torch.Tensor:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = torch.eye(3)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


@pytest.fixture(scope="module", params=["striding", "turned away", "sitting"])
def vertices(request) -> np.ndarray:
    anny = load_anny()
    pose = {
        "striding": {"root": turn(1, 35), "upperleg01.L": turn(0, -40), "lowerarm01.R": turn(0, -80)},
        "turned away": {"root": turn(1, 160), "upperarm01.L": turn(2, 70), "spine03": turn(0, 20)},
        "sitting": {"upperleg01.L": turn(0, -85), "upperleg01.R": turn(0, -80), "lowerleg01.L": turn(0, 80)},
    }[request.param]
    rotations = torch.eye(3).repeat(1, len(anny.bone_names), 1, 1)
    for bone, rotation in pose.items():
        rotations[0, anny.bone_names.index(bone)] = rotation
    posed = anny.pose(torch.tensor([[0.5, 0.67, 0.5, 0.5, 0.5, 0.5]]), rotations, "template").vertices
    return posed[0].numpy()


def splat(vertices: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """The part map (H, W) by a plain point splat, finer than a pixel, far to near."""
    count = 16
    corners = [(i, j, count - i - j) for i in range(count + 1) for j in range(count + 1 - i)]
    points = np.einsum("kc,fcx->fkx", np.array(corners) / count, vertices[BODY.faces.numpy()])
    parts = BODY.face_parts.numpy()[:, None].repeat(len(corners), 1).ravel()
    points = points.reshape(-1, 3)
    order = np.argsort(-points[:, 2], kind="stable")
    columns, rows = np.floor(project(points, camera)[order]).astype(int).T
    inside = (columns >= 0) & (columns < SHAPE[1]) & (rows >= 0) & (rows < SHAPE[0])
    out = np.zeros(SHAPE, np.uint8)
    out[rows[inside], columns[inside]] = parts[order][inside]
    return out


def pixels_off(vertices: np.ndarray, part_map: np.ndarray, camera: np.ndarray = CAMERA) -> float:
    """Mean distance in px between the vertices under the solved and under the true camera."""
    parts = None if part_map.dtype == bool else BODY.face_parts
    solved = solve_camera(vertices, BODY.faces, part_map, parts)
    return float(np.linalg.norm(project(vertices, solved) - project(vertices, camera), axis=-1).mean())


def test_project_is_scale_after_shift() -> None:
    points = torch.tensor([[[1.0, 2.0, 9.0]], [[0.0, -1.0, 3.0]]])
    cameras = torch.tensor([[100.0, 0.5, 0.0], [10.0, 0.0, 1.0]])
    expected = torch.tensor([[[150.0, 200.0]], [[0.0, 0.0]]])
    torch.testing.assert_close(project(points, cameras), expected)
    np.testing.assert_allclose(project(points.numpy(), cameras.numpy()), expected)


# A person of 1.7 m is 340 px tall here; the search's own grid is 2 to 3 px.


def test_known_camera_is_found(vertices: np.ndarray) -> None:
    assert pixels_off(vertices, splat(vertices, CAMERA)) < 4


def test_a_bare_mask_is_enough(vertices: np.ndarray) -> None:
    assert pixels_off(vertices, splat(vertices, CAMERA) > 0) < 4


def test_a_missing_limb_does_not_pull(vertices: np.ndarray) -> None:
    part_map = splat(vertices, CAMERA)
    arm = [i for name, i in PART_INDEX.items() if name.startswith(("right upper arm", "right lower arm"))]
    legs = [i for name, i in PART_INDEX.items() if "leg" in name or "foot" in name]
    for limb in (arm, legs):
        missing = np.where(np.isin(part_map, limb), 0, part_map).astype(np.uint8)
        assert pixels_off(vertices, missing) < 8


def test_noise_does_not_pull(vertices: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    part_map = splat(vertices, CAMERA)
    chance = generator.random(SHAPE)
    part_map[chance < 0.03] = generator.integers(0, 25, (chance < 0.03).sum())
    part_map[chance > 0.85] = 0
    assert pixels_off(vertices, part_map) < 5
    assert pixels_off(vertices, part_map > 0) < 10


def test_a_person_cut_off_by_the_photo(vertices: np.ndarray) -> None:
    close = np.array([330.0, 1.0, 1.15 * SHAPE[0] / 330.0 - vertices[:, 1].max()])
    part_map = splat(vertices, close)
    assert (part_map[-1] > 0).any()
    assert pixels_off(vertices, part_map, close) < 12


@pytest.mark.parametrize("factor", [0.2, 3.0])
def test_scale_of_the_photo_does_not_matter(factor: float) -> None:
    vertices = BODY.vertices.numpy()
    camera = CAMERA * [factor, 1, 1]
    rows, columns = (((np.arange(n * factor) + 0.5) / factor).astype(int) for n in SHAPE)
    part_map = splat(vertices, CAMERA)[rows][:, columns]
    assert pixels_off(vertices, part_map, camera) < 4 * max(factor, 0.5)


def test_tensors_do_too_and_the_answer_is_repeatable() -> None:
    part_map = splat(BODY.vertices.numpy(), CAMERA)
    first = solve_camera(BODY.vertices, BODY.faces, part_map, BODY.face_parts)
    again = solve_camera(BODY.vertices.numpy(), BODY.faces.numpy(), part_map, BODY.face_parts.numpy())
    np.testing.assert_array_equal(first, again)


def test_an_empty_part_map_is_named() -> None:
    with pytest.raises(NoPersonFoundError, match="shows no person"):
        solve_camera(BODY.vertices, BODY.faces, np.zeros(SHAPE, bool))


def test_keypoints_give_the_camera_back() -> None:
    generator = np.random.default_rng(3)
    points, camera = generator.normal(0, 0.5, (17, 3)), np.array([180.0, 0.9, 0.7])
    keypoints = project(points, camera)
    np.testing.assert_allclose(fit_camera(points, keypoints, np.ones(17)), camera, rtol=1e-6)
    # A limb taken for the other must not pull, nor what has no weight.
    keypoints[3], keypoints[7] = keypoints[7].copy(), keypoints[3].copy()
    fitted = fit_camera(points, keypoints, np.ones(17))
    assert np.abs(project(points, fitted) - project(points, camera)).max() < 5
    keypoints[[3, 7]] = 1e4
    weights = np.ones(17)
    weights[[3, 7]] = 0
    np.testing.assert_allclose(fit_camera(points, keypoints, weights), camera, rtol=1e-6)
