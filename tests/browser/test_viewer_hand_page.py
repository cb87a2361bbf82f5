"""The 3D view in a visitor's hands: camera by mouse, touch and keys, the turntable, reading a vertex."""

import re

import numpy as np
import pytest
import torch
from viewer_app import (
    BODY,
    LAB,
    RAW,
    TOPOLOGY,
    call,
    camera,
    data,
    open_page,
    pixels,
    plot,
    press,
    projected,
    regularised,
    serve,
    settle,
    show_value,
    values,
)

from hmnet.body import PART_NAMES

pytestmark = pytest.mark.browser
MINUS = "\N{MINUS SIGN}"
SMOOTH = regularised(RAW, LAB)
FULL = BODY.upsample(torch.as_tensor(SMOOTH)).numpy()


@pytest.fixture(scope="module")
def address():
    with serve() as url:
        yield url


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = open_page(context, address)
    yield page
    assert page.problems == []
    context.close()


def size(page, pane: str) -> tuple[float, float]:
    box = plot(page, pane).bounding_box()
    return box["width"], box["height"]


def middle(page, pane: str) -> tuple[float, float]:
    plot(page, pane).scroll_into_view_if_needed()
    box = plot(page, pane).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def readout(page) -> str:
    settle(page)
    return page.locator(".readout").inner_text()


def read_vertex(page) -> int:
    return int(re.search(r"vertex ([\d,]+) of", readout(page))[1].replace(",", ""))


def point_at(page, pane: str, place: np.ndarray) -> None:
    """Moves the mouse over where the camera sees a place (3,) in m."""
    x, y, _ = projected(page, place[None], size(page, pane))[0]
    box = plot(page, pane).bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    settle(page)


def fits(page, pane: str) -> bool:
    seen = projected(page, FULL, size(page, pane))[:, :2]
    return bool((seen > 0).all() and (seen < size(page, pane)).all())


def test_whole_person_is_seen_from_every_standpoint_in_every_layout(page):
    for name, pane in (("three", "smooth"), ("one", "bones"), ("four", "smooth")):
        call(page, "layout", name)
        for standpoint, yaw, pitch in (
            ("side", np.pi / 2, 0), ("back", np.pi, 0), ("top", 0, 1.55), ("front", 0, 0),
        ):  # fmt: skip
            press(page, standpoint)
            np.testing.assert_allclose(camera(page)[:2], (yaw, pitch))
            assert fits(page, pane)
        seen = projected(page, FULL, size(page, pane))
        reach = np.ptp(seen[:, :2], 0) / size(page, pane)
        assert reach.max() > 0.85, "and not from needlessly far away"


def test_mouse_turns_moves_and_zooms(page):
    start = camera(page)
    x, y = middle(page, "smooth")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10, steps=5)
    page.mouse.up()
    turned = camera(page)
    np.testing.assert_allclose(turned[:2], [-0.6, 0.1], atol=0.011)
    np.testing.assert_allclose(turned[2:], start[2:])
    page.mouse.wheel(0, 300)
    page.wait_for_function("distance => hmnetViewer.state().camera[2] > distance", arg=turned[2] * 1.3)
    zoomed = camera(page)
    np.testing.assert_allclose(zoomed[2], turned[2] * np.exp(0.36))
    place = zoomed[3:]
    before = projected(page, place[None], size(page, "smooth"))[0, :2]
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x + 100, y + 30, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    moved = projected(page, place[None], size(page, "smooth"))[0, :2] - before
    np.testing.assert_allclose(moved, [40, 20], atol=0.5, err_msg="the surface follows the mouse")
    press(page, "side")
    np.testing.assert_allclose(camera(page)[2], zoomed[2], err_msg="a standpoint keeps the zoom")
    press(page, "reset")
    np.testing.assert_allclose(camera(page), start)


def test_keys_do_it_too(page):
    start = camera(page)
    view = plot(page, "heat")
    view.focus()
    for key, index, change in (
        ("ArrowRight", 0, 0.15), ("ArrowLeft", 0, -0.15), ("ArrowUp", 1, 0.15), ("ArrowDown", 1, -0.15),
    ):  # fmt: skip
        before = camera(page)
        view.press(key)
        assert camera(page)[index] - before[index] == pytest.approx(change)
    view.press("+")
    assert camera(page)[2] == pytest.approx(0.87 * start[2])
    view.press("-")
    assert camera(page)[2] == pytest.approx(0.87 * 1.15 * start[2])
    for _ in range(30):
        view.press("ArrowUp")
    assert camera(page)[1] == pytest.approx(1.55), "not over the top"
    view.press("Home")
    np.testing.assert_allclose(camera(page), start)


def test_two_fingers_zoom_and_one_finger_turns(browser, address):
    context = browser.new_context(viewport={"width": 800, "height": 900}, has_touch=True)
    page = open_page(context, address)
    start = camera(page)
    x, y = middle(page, "smooth")
    touch = context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": a, "y": b, "id": index} for index, (a, b) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 11):
        fingers("touchMove", (x - 30 - 3 * step, y), (x + 30 + 3 * step, y))
    fingers("touchEnd")
    pinched = camera(page)
    assert pinched[2] == pytest.approx(start[2] / 2, rel=0.15)
    np.testing.assert_allclose(pinched[3:], start[3:], atol=0.02)
    fingers("touchStart", (x, y))
    for step in range(1, 11):
        fingers("touchMove", (x + 5 * step, y))
    fingers("touchEnd")
    assert camera(page)[0] == pytest.approx(-0.5, abs=0.25)
    assert page.problems == []
    context.close()


def test_camera_goes_back_for_another_person_alone(page):
    call(page, "restore", {"camera": [1, 0.2, 1.5, 0, 0.1, 0]})
    show_value(page, "moved")
    np.testing.assert_allclose(camera(page), [1, 0.2, 1.5, 0, 0.1, 0])
    show_value(page, "other")
    assert tuple(camera(page)[:2]) == (0, 0)


def test_turntable_turns_until_the_visitor_does(page):
    press(page, "turntable")
    button = page.locator("[data-value=turntable]")
    assert button.get_attribute("aria-pressed") == "true"
    page.wait_for_function("hmnetViewer.state().camera[0] > 0.05")
    plot(page, "raw").press("ArrowLeft")
    assert button.get_attribute("aria-pressed") == "false"
    stopped, frames = camera(page), data(page, "frames")
    page.wait_for_timeout(400)
    np.testing.assert_array_equal(camera(page), stopped)
    assert data(page, "frames") == frames


def test_turntable_takes_single_steps_where_motion_is_not_wanted(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = open_page(context, address)
    press(page, "turntable")
    assert camera(page)[0] == pytest.approx(np.pi / 6)
    page.wait_for_timeout(400)
    assert camera(page)[0] == pytest.approx(np.pi / 6)
    context.close()


def vertex_before(seen: np.ndarray, faces: np.ndarray, place: np.ndarray) -> int | None:
    """Of the foremost face at a place of a pane, px, the nearest corner: a plain solve for each face."""
    corners = seen[faces]
    matrices = np.concatenate([corners[..., :2].transpose(0, 2, 1), np.ones((len(faces), 1, 3))], 1)
    matrices[np.abs(np.linalg.det(matrices)) < 1e-9] = np.eye(3)
    weights = np.linalg.solve(matrices, np.array([*place, 1.0])[None, :, None])[..., 0]
    depths = 1 / (weights / corners[..., 2]).sum(1)
    around = np.flatnonzero((weights >= 0).all(1))
    if not len(around):
        return None
    foremost = faces[around[depths[around].argmin()]]
    return int(foremost[np.linalg.norm(seen[foremost, :2] - place, axis=1).argmin()])


@pytest.mark.parametrize("mesh", ["full", "template"])
def test_pointer_reads_the_vertex_that_lies_before_it(page, mesh):
    press(page, mesh)
    call(page, "restore", {"camera": [0.4, 0.1, 1.6, 0.0, 0.0, 0.0]})
    points, faces, parts = {
        "full": (FULL, BODY.full_faces, BODY.full_vertex_parts),
        "template": (SMOOTH, BODY.faces, BODY.vertex_parts),
    }[mesh]
    width, height = size(page, "smooth")
    seen = projected(page, points, (width, height))
    corner = np.array(middle(page, "smooth")) - np.array([width, height]) / 2
    hits = 0
    for place in np.random.default_rng(3).uniform([0.2, 0.02], [0.8, 0.98], (14, 2)) * [width, height]:
        # The pointer is in whole pixels of the window.
        pointer = np.floor(corner + place)
        expected = vertex_before(seen, faces.numpy(), pointer - corner)
        page.mouse.move(*pointer)
        text = readout(page)
        if expected is None:
            assert text.startswith("Drag to turn")
            continue
        hits += 1
        assert read_vertex(page) == expected
        assert text.startswith(PART_NAMES[parts[expected]])
    assert 4 <= hits < 14


def test_line_tells_part_place_value_and_step(page):
    press(page, "template")
    point_at(page, "smooth", SMOOTH[SMOOTH[:, 2].argmin()])
    found = read_vertex(page)
    x, y, z = SMOOTH[found]
    ring = (TOPOLOGY.neighbour_matrix.float() @ torch.as_tensor(SMOOTH)).numpy()[found]
    text = readout(page).replace(MINUS, "-")
    assert f"x {x:.3f}, y {y:.3f}, z {z:.3f} m in Regularised surface" in text
    assert f"{1000 * np.linalg.norm(ring - SMOOTH[found]):.1f} mm from its neighbours" in text
    value = values(page, "heat")[found]
    assert f"Regularised surface: {value:.1f} mm" in text and f"Error of the surface: {value:.1f} mm" in text


def test_vertex_is_marked_in_every_pane_and_kept_by_a_click(page):
    blank = {name: pixels(page, name) for name in ("raw", "smooth", "heat")}
    x, y = middle(page, "smooth")
    page.mouse.move(x, y - 60)
    marked = readout(page)
    assert "vertex" in marked and page.locator(".readout").get_attribute("aria-live") == "off"
    for name, picture in blank.items():
        changed = np.argwhere((pixels(page, name) != picture).any(-1))
        assert 20 < len(changed) < 600, "one small mark"
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(x, y - 20)
    assert readout(page) == marked and page.locator(".readout").get_attribute("aria-live") == "polite"
    page.mouse.move(5, 5)
    show_value(page, "again")
    assert read_vertex(page) == int(re.search(r"vertex ([\d,]+)", marked)[1].replace(",", ""))
    plot(page, "raw").press("Escape")
    assert readout(page).startswith("Drag to turn")


def test_hovered_vertex_goes_with_the_pointer(page):
    x, y = middle(page, "smooth")
    page.mouse.move(x, y - 60)
    assert "vertex" in readout(page)
    page.mouse.move(5, 5)
    assert readout(page).startswith("Drag to turn")


def test_enter_reads_the_vertex_in_the_middle(page):
    plot(page, "raw").focus()
    plot(page, "raw").press("Enter")
    assert page.locator(".readout").get_attribute("aria-live") == "polite"
    seen = projected(page, BODY.upsample(torch.as_tensor(RAW)).numpy(), size(page, "raw"))
    offset = seen[read_vertex(page), :2] - np.array(size(page, "raw")) / 2
    assert np.linalg.norm(offset) < 12


@pytest.mark.parametrize("mesh", ["full", "template"])
def test_neighbourhood_is_the_networks_and_tells_its_formula(page, mesh):
    press(page, mesh)
    press(page, "neighbourhood")
    before = pixels(page, "raw")
    point_at(page, "smooth", SMOOTH[SMOOTH[:, 2].argmin()])
    found = read_vertex(page)
    assert " of 1,229" in readout(page)
    members = TOPOLOGY.neighbour_matrix.to_dense()[found].nonzero()
    assert f"with {len(members)} neighbours" in readout(page)
    call(page, "regularise", {"enabled": True, "iterations": 1, "strength": 0.25, "operator": "average"})
    assert " = 0.25: once more would move it" in readout(page)
    call(page, "regularise", {"enabled": True, "iterations": 1, "strength": 1, "operator": "taubin"})
    assert re.search(f" = 0.50, then back with . = {MINUS}0.53:", readout(page))
    assert (pixels(page, "raw") != before).any(-1).sum() > 60
