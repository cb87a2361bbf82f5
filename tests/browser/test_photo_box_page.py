# ruff: noqa: RUF001 (a box's size has the sign that looks like a letter)
"""The box over the photo: dragged, drawn, moved by keys; another person chosen."""

import numpy as np
import pytest
from photo_app import (
    GREY,
    MESH,
    card,
    colour,
    drag,
    is_like,
    open_page,
    place,
    readout,
    serve,
    show_scene,
    told,
)

pytestmark = pytest.mark.browser


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


def test_edges_corners_and_the_whole_box_can_be_dragged(page):
    drag(page, place(page, "photo", 400, 400), place(page, "photo", 500, 420))
    assert np.allclose(told(page)["box"], [100, 100, 500, 700], atol=2)
    green = colour(page, "photo", 500, 250)
    assert green[1] > green[0] + 60, "the box is drawn where it was dragged to"
    page.get_by_role("button", name="Put box back").click()
    drag(page, place(page, "photo", 100, 100), place(page, "photo", 60, 150))
    page.wait_for_function("!document.querySelector('#told textarea').value.includes('500')")
    assert np.allclose(told(page)["box"], [60, 150, 400, 700], atol=2)
    page.get_by_role("button", name="Put box back").click()
    # Dragged far beyond the photo, the box stays within it and keeps its size.
    drag(page, place(page, "photo", 250, 300), place(page, "photo", 700, 200))
    page.wait_for_function("document.querySelector('#told textarea').value.includes('600')")
    assert np.allclose(told(page)["box"], [300, 0, 600, 600], atol=2)


@pytest.mark.parametrize(
    ("x", "y", "cursor"),
    [(250, 300, "move"), (100, 300, "ew-resize"), (250, 700, "ns-resize"), (400, 700, "nwse-resize"),
     (400, 100, "nesw-resize"), (500, 300, "pointer"), (500, 700, "default")],
)  # fmt: skip
def test_the_cursor_says_what_a_drag_does(page, x, y, cursor):
    page.mouse.move(*place(page, "photo", x, y))
    assert card(page, "photo").locator("canvas").evaluate("canvas => canvas.style.cursor") == cursor


def test_a_new_box_is_drawn_with_shift(page):
    drag(page, place(page, "photo", 550, 780), place(page, "photo", 450, 300), shift=True)
    assert np.allclose(told(page)["box"], [450, 300, 550, 780], atol=2)


def test_the_box_follows_the_keyboard(page):
    layer = page.locator(".box-layer")
    layer.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert "300 × 608 px at (108, 100)" in readout(page, "photo")
    assert page.locator("#told textarea").input_value() == "", "sent before Enter"
    page.keyboard.press("Enter")
    assert told(page) == {"box": [108, 100, 408, 708]}
    page.keyboard.press("Escape")
    assert "Drag the box" in readout(page, "photo")
    assert page.get_by_role("button", name="Put box back").is_disabled()


def test_a_click_chooses_another_person_and_none_else(page):
    page.mouse.click(*place(page, "photo", 250, 300))  # the person who is shown
    page.mouse.click(*place(page, "photo", 500, 750))  # nobody
    page.wait_for_timeout(500)
    assert page.locator("#told textarea").input_value() == ""
    page.mouse.click(*place(page, "photo", 500, 400))
    assert np.allclose([told(page)["x"], told(page)["y"]], [500, 400], atol=2)


def test_another_person_is_chosen_by_keyboard(page):
    people = page.get_by_role("group", name="Other people in the photo").get_by_role("button")
    assert [one.get_attribute("aria-label") for one in people.all()] == [
        "Person 2: reconstruct this one", "Person 3: reconstruct this one",
    ]  # fmt: skip
    people.nth(1).focus()
    page.keyboard.press("Enter")
    assert told(page) == {"x": 50, "y": 35}


def test_a_new_mesh_keeps_the_box_that_is_being_edited(page):
    page.locator(".box-layer").focus()
    page.keyboard.press("ArrowRight")
    show_scene(page, "smoother")
    assert "at (108, 100)" in readout(page, "photo")
    assert is_like(colour(page, "mesh", 300, 50), MESH) and is_like(colour(page, "mesh", 300, 300), GREY)
    show_scene(page, "other")
    assert "Drag the box" in readout(page, "photo")


def test_a_finger_drags_an_edge_and_scrolls_elsewhere(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page = open_page(context, address)
    wire = context.new_cdp_session(page)

    def swipe_finger(start, end) -> float:
        """Moves a finger; by how many px the page was scrolled."""
        before = page.evaluate("scrollY")
        for kind, at in [("touchStart", start)] + [
            ("touchMove", [a + (b - a) * t / 5 for a, b in zip(start, end, strict=True)]) for t in range(1, 6)
        ]:
            wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}]})
            page.wait_for_timeout(30)
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(400)
        return page.evaluate("scrollY") - before

    start = place(page, "photo", 250, 400)
    assert swipe_finger(start, (start[0], start[1] - 60)) > 30
    assert page.locator("#told textarea").input_value() == ""
    assert swipe_finger(place(page, "photo", 250, 700), place(page, "photo", 250, 600)) == 0
    assert np.allclose(told(page)["box"], [100, 100, 400, 600], atol=4)
    page.touchscreen.tap(*place(page, "parts", 300, 300))
    assert readout(page, "parts").strip() == "right head (true: right head)"
    assert page.problems == []
    context.close()
