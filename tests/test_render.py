"""Both renderers, OpenGL where it is there and NumPy always, held to the same scenes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hmnet import render
from hmnet.body import load_body
from hmnet.camera import project
from hmnet.render import BACKGROUND, GLRenderer, SoftwareRenderer, cutout, overlay, view
from hmnet.zbuffer import rasterise

BODY = load_body()
GREY = np.full((240, 200, 3), 90, np.uint8)
CAMERA = np.array([110.0, 0.9, 1.1])
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


@pytest.fixture(scope="module")
def gl() -> GLRenderer:
    renderer = render._renderer()
    if not isinstance(renderer, GLRenderer):
        pytest.skip(f"no OpenGL here: {renderer.name}")
    return renderer


@pytest.fixture(params=["OpenGL", "software"])
def renderer(request, monkeypatch):
    chosen = request.getfixturevalue("gl") if request.param == "OpenGL" else SoftwareRenderer("test")
    monkeypatch.setattr(render, "_renderer", lambda: chosen)
    return chosen


def covered(image: np.ndarray, behind: np.ndarray | int = 90) -> np.ndarray:
    return (np.abs(image.astype(int) - behind) > 8).any(-1)


def test_overlay_lies_where_the_camera_projects(renderer) -> None:
    image = overlay(GREY, BODY.vertices, BODY.faces, CAMERA)
    assert image.shape == GREY.shape and image.dtype == np.uint8 and (GREY == 90).all()
    rows, columns = np.nonzero(covered(image))
    keypoints = project(BODY.vertices.numpy(), CAMERA)
    for pixels, axis in ((columns, 0), (rows, 1)):
        assert abs(pixels.min() - keypoints[:, axis].min()) < 2
        assert abs(pixels.max() + 1 - keypoints[:, axis].max()) < 2
    column, row = keypoints[:, :2].mean(0).astype(int)
    assert covered(image)[row, column]


def test_opacity_mixes(renderer) -> None:
    full = overlay(GREY, BODY.vertices, BODY.faces, CAMERA).astype(int)
    half = overlay(GREY, BODY.vertices, BODY.faces, CAMERA, opacity=0.5).astype(int)
    assert np.abs(half - (full + 90) / 2).max() <= 1
    np.testing.assert_array_equal(overlay(GREY, BODY.vertices, BODY.faces, CAMERA, opacity=0.0), GREY)


def test_a_mesh_across_or_beyond_the_border(renderer) -> None:
    shifted = CAMERA + np.array([0, 0.9, 0])
    wide = overlay(np.full((240, 400, 3), 90, np.uint8), BODY.vertices, BODY.faces, shifted)
    cut = overlay(GREY, BODY.vertices, BODY.faces, shifted)
    assert np.abs(cut.astype(int) - wide[:, :200]).max() <= 40
    assert np.abs(cut.astype(int) - wide[:, :200]).mean() < 0.1
    far = CAMERA + np.array([0, 50, 0])
    np.testing.assert_array_equal(overlay(GREY, BODY.vertices, BODY.faces, far), GREY)


@pytest.mark.parametrize("aside", [0.0, 0.9, 50.0], ids=["inside", "across the border", "beyond it"])
def test_a_photo_under_the_cutout_equals_the_overlay(renderer, aside: float) -> None:
    camera = CAMERA + np.array([0, aside, 0])
    photo = np.random.default_rng(0).integers(0, 256, GREY.shape, np.uint8)
    alone = cutout((200, 240), BODY.vertices, BODY.faces, camera, (250, 120, 40))
    assert alone.shape == (240, 200, 4) and alone.dtype == np.uint8
    alpha = alone[..., 3:] / 255.0
    laid = alpha * alone[..., :3] + (1 - alpha) * photo
    expected = overlay(photo, BODY.vertices, BODY.faces, camera, (250, 120, 40)).astype(int)
    assert np.abs(laid - expected).max() <= 2
    assert (alone[..., 3] > 0).any() == (aside < 10)
    assert not alone[alone[..., 3] == 0].any()
    # Straight, not premultiplied: an edge that is half covered is as bright as the surface beside it.
    edges = alone[(alone[..., 3] > 60) & (alone[..., 3] < 200)]
    assert (len(edges) > 20) == (aside < 10) and (edges[:, 0] > 100).all()


def test_nearer_surfaces_hide_farther_ones(renderer) -> None:
    two = np.concatenate([CUBE * 0.5 + [0, 0, 3], CUBE * 0.25])
    faces = np.concatenate([CUBE_FACES, CUBE_FACES + 8])
    colours = np.array([[255, 0, 0]] * 8 + [[0, 0, 255]] * 8, np.uint8)
    for order in (faces, faces[::-1]):
        image = overlay(GREY, two, order, np.array([100.0, 1.0, 1.2]), vertex_colours=colours)
        assert image[120, 100].argmax() == 2 and image[80, 100].argmax() == 0


def test_edges_are_smooth(renderer) -> None:
    image = overlay(GREY, BODY.vertices, BODY.faces, CAMERA, colour=(255, 255, 255)).astype(int)
    inside = image[covered(image)]
    between = ((image > 95) & (image < 130)).all(-1)
    assert between.sum() > 30 and len(inside) > 3000


def test_the_viewer_walks_round_to_the_right_and_up(renderer) -> None:
    # A red cube on the +x side, a green one on top (-y), a blue one behind (+z), a grey one between them;
    # two loose points keep the picture's centre there.
    centres = ((1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, 0))
    vertices = np.concatenate([CUBE * 0.2 + centre for centre in centres])
    vertices = np.concatenate([vertices, -np.ones((1, 3)), np.ones((1, 3))])
    faces = np.concatenate([CUBE_FACES + 8 * i for i in range(4)])
    colours = np.repeat([[250, 40, 40], [40, 250, 40], [40, 40, 250], [200, 200, 200], [0, 0, 0]], 8, 0)[:34]

    def place(channel: int, yaw: float, pitch: float) -> np.ndarray:
        image = view(vertices, faces, yaw, pitch, 200, vertex_colours=colours).astype(int)
        others = np.delete(image, channel, 2).max(-1)
        rows, columns = np.nonzero(image[..., channel] > others + 60)
        return np.array([columns.mean(), rows.mean()]) - 100 if len(rows) else np.zeros(2)

    red_front, green_front = place(0, 0, 0), place(1, 0, 0)
    assert red_front[0] > 40 and abs(red_front[1]) < 10 and green_front[1] < -40
    # From +x the far side (+z) is on the viewer's right; from behind +x is on the left.
    assert place(2, 90, 0)[0] > 40
    assert place(0, 180, 0)[0] < -40
    # From above, what is behind the body is at the top of the picture.
    assert place(2, 0, 90)[1] < -40
    assert place(0, 0, 90)[0] > 40


def test_view_is_plain_behind_and_brighter_towards_the_light(renderer) -> None:
    image = view(BODY.vertices, BODY.faces, size=256)
    assert image.shape == (256, 256, 3)
    assert (image[:5] == BACKGROUND).all() and (image[:, :5] == BACKGROUND).all()
    body = covered(image, np.array(BACKGROUND))
    assert 0.05 < body.mean() < 0.5
    shades = image[body].astype(int).mean(1)
    assert shades.max() > 190 and shades.std() > 8
    back = view(BODY.vertices, BODY.faces, yaw=180, size=256)
    mirrored = covered(back, np.array(BACKGROUND))[:, ::-1]
    assert (mirrored & body).sum() / (mirrored | body).sum() > 0.97


def test_both_renderers_agree(gl, monkeypatch) -> None:
    pictures = []
    for chosen in (gl, SoftwareRenderer("test")):
        monkeypatch.setattr(render, "_renderer", lambda chosen=chosen: chosen)
        pictures.append(view(BODY.vertices, BODY.faces, 30, 10, 300).astype(int))
    masks = [covered(picture, np.array(BACKGROUND)) for picture in pictures]
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.98
    both = masks[0] & masks[1]
    assert np.abs(pictures[0] - pictures[1])[both].mean() < 10


def test_many_threads_may_draw(gl) -> None:
    def draw(size: int) -> np.ndarray:
        return view(BODY.vertices, BODY.faces, size=size)

    sizes = [64, 96, 128, 64, 96, 128]
    with ThreadPoolExecutor(4) as pool:
        for size, picture in zip(sizes, pool.map(draw, sizes), strict=True):
            np.testing.assert_array_equal(picture, draw(size))


def test_without_opengl_the_page_still_draws() -> None:
    code = (
        "import torch; from hmnet.body import load_body; from hmnet.render import renderer_name, view\n"
        "body = load_body(); picture = view(body.vertices, body.faces, size=96)\n"
        "print(renderer_name(), picture.std() > 5)"
    )
    environment = os.environ | {"PYOPENGL_PLATFORM": "osmesa", "LIBGL_DRIVERS_PATH": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("software (no OpenGL: ") and done.stdout.strip().endswith("True")


def test_rasterise_equals_a_slow_loop() -> None:
    generator = np.random.default_rng(0)
    points = generator.uniform(-5, 35, (24, 3))
    faces = generator.permutation(24).reshape(8, 3)
    pixels, values = rasterise(points, faces, points, (32, 24))
    expected = {}
    for row in range(24):
        for column in range(32):
            hits = []
            for a, b, c in points[faces]:
                matrix = np.stack([np.stack([a, b, c])[:, 0], np.stack([a, b, c])[:, 1], np.ones(3)])
                weights = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1])
                if (weights >= 0).all():
                    hits.append(weights @ np.stack([a, b, c]))
            if hits:
                expected[row * 32 + column] = min(hits, key=lambda hit: hit[2])
    assert pixels.tolist() == list(expected)
    np.testing.assert_allclose(values, np.array(list(expected.values())), atol=1e-9)


def test_an_edge_shared_by_two_triangles_has_no_gap() -> None:
    square = np.array([[0, 0, 1], [20, 0, 1], [20, 20, 1], [0, 20, 1]], float)
    pixels, _ = rasterise(square, np.array([[0, 1, 2], [0, 2, 3]]), square, (20, 20))
    assert len(pixels) == 400
    degenerate, _ = rasterise(square, np.array([[0, 0, 2]]), square, (20, 20))
    assert len(degenerate) == 0
