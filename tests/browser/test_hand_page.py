"""The switch "Body | Hand" as a visitor uses it: the photo, examples, sides, the regulariser."""

import base64
import io
import shutil

import av
import numpy as np
import pytest
from chromium import launch_with_camera, write_film
from fake_hands import fake_hands, write_hand
from fake_predictor import fake_models, write_example
from PIL import Image
from reading import draws, fill, lesson, mesh, pictures, upload, wait_for_draw, wait_for_text

from demo.serving.limits import Limits
from demo.serving.start import launch
from demo.theme import launch_options
from demo.ui import build_app

pytestmark = pytest.mark.browser
HAND_VERTICES, BODY_VERTICES = 1609, 13_718


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """Two people, and beside them two hands."""
    folder = tmp_path_factory.mktemp("gallery")
    for seed, name in enumerate(("standing", "striding")):
        write_example(folder, name, seed, size=(360, 480))
    write_hand(folder / "hands", "a-right", 1)
    write_hand(folder / "hands", "b-left", 2, "left")
    return folder


@pytest.fixture(scope="module")
def hands(gallery):
    return fake_hands(gallery / "hands")


@pytest.fixture(scope="module")
def served(gallery, hands):
    app = build_app(fake_models(), gallery, hands=hands)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    url, _ = launch(app, Limits(at_once=1), **options, **launch_options(gallery))
    yield url
    app.close()


def switch_to(page, mode: str) -> None:
    drawn = draws(page)
    page.locator("#mode").get_by_text(mode, exact=True).click()
    wait_for_draw(page, drawn)


def shown(page) -> str:
    """The body in the 3D view."""
    return page.evaluate("window.hmnetViewer.body()")


def test_the_switch_brings_a_hand_and_takes_it_back(page):
    assert shown(page) == "anny" and len(mesh(page, "raw")) == BODY_VERTICES
    assert not page.locator("#side").is_visible()
    before = pictures(page)
    switch_to(page, "Hand")
    assert shown(page) == "hand" and len(mesh(page, "raw")) == HAND_VERTICES
    assert page.locator("#side").is_visible()
    after = pictures(page)
    assert all(before[name] != after[name] for name in before)
    legend = page.locator(".part-legend li span").all_inner_texts()
    assert len(legend) == 16 and legend[:2] == ["palm", "thumb base"]
    titles = page.locator(".photo-card h3").all_inner_texts()
    assert "Parts of the hand" in titles
    assert "surface error" in page.locator("#viewer").inner_text()
    switch_to(page, "Body")
    assert shown(page) == "anny" and len(mesh(page, "raw")) == BODY_VERTICES
    assert page.locator(".part-legend li").count() == 24
    assert "Body parts" in page.locator(".photo-card h3").all_inner_texts()
    assert page.problems == []


def test_the_left_hand_s_example_and_its_side(page, hands):
    switch_to(page, "Hand")
    drawn = draws(page)
    page.locator("#examples button").nth(1).click()
    wait_for_draw(page, drawn)
    page.wait_for_function("window.hmnetViewer.body() === 'left hand'")
    left = mesh(page, "raw")
    drawn = draws(page)
    page.locator("#side").get_by_text("Right", exact=True).click()
    wait_for_draw(page, drawn)
    assert shown(page) == "hand" and hands.models.predictor.sides[-1] == "right"
    assert np.abs(mesh(page, "raw") - left).max() > 0.01


def test_the_regulariser_moves_the_hand_s_surface(page):
    switch_to(page, "Hand")
    page.locator("#viewer button[data-value=template]").click()
    on, raw = mesh(page, "regularised"), mesh(page, "raw")
    assert len(raw) == 778 and np.abs(on - raw).max() > 1e-4
    page.locator("#enabled input").uncheck()
    page.wait_for_timeout(500)
    np.testing.assert_allclose(mesh(page, "regularised"), raw, atol=1e-6)
    page.locator("#enabled input").check()
    page.wait_for_timeout(500)
    np.testing.assert_allclose(mesh(page, "regularised"), on, atol=1e-6)
    # The server agrees with what the browser made of the sliders.
    drawn = draws(page)
    fill(page, "#iterations", "3")
    wait_for_draw(page, drawn)
    assert np.abs(mesh(page, "regularised") - on).max() > 1e-5


def test_fingers_can_be_taken_away(page):
    switch_to(page, "Hand")
    lesson(page, "Break the parts")
    assert not page.locator("#swapped").is_visible()
    before, drawn = mesh(page, "before"), draws(page)
    page.locator("#dropped").get_by_text("thumb").click()
    wait_for_draw(page, drawn)
    assert np.abs(mesh(page, "after") - before).max() > 1e-4
    wait_for_text(page, "#change-line", "The mesh moved by")


def test_a_visitor_s_photo_is_looked_at_both_ways(page, gallery, tmp_path):
    switch_to(page, "Hand")
    photo = shutil.copy(gallery / "hands" / "a-right.jpg", tmp_path / "mine.jpg")
    drawn = draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    assert shown(page) == "hand" and "no ground truth" in page.locator("#viewer").inner_text()
    assert "2 hands were found" in page.locator("#people").inner_text()
    switch_to(page, "Body")
    assert shown(page) == "anny"
    assert page.problems == []


def test_a_link_opens_the_page_with_the_hand(page, open_page):
    switch_to(page, "Hand")
    drawn = draws(page)
    page.locator("#examples button").nth(1).click()
    wait_for_draw(page, drawn)
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('mode=hand')")
    query = page.evaluate("location.search").removeprefix("?")
    assert "example=b-left" in query
    other = open_page(query)
    assert shown(other) == "left hand" and other.locator("#side").is_visible()
    assert other.locator("#mode input[value=hand]").is_checked()


def test_a_hand_before_the_webcam_is_not_seen_in_a_mirror(browser, served, gallery, hands, tmp_path):
    """In a mirror a right hand would be taken for a left one."""
    with Image.open(gallery / "hands" / "a-right.jpg") as photo:
        frame = np.array(photo.convert("RGB").resize((480, 480)))
    write_film(tmp_path / "hand.mjpeg", [av.VideoFrame.from_ndarray(frame, "rgb24")] * 25)
    instance = launch_with_camera(browser, tmp_path / "hand.mjpeg")
    page = instance.new_page()
    page.goto(f"{served}?mode=hand")
    page.wait_for_selector("#viewer [data-draws], #viewer[data-draws]", state="attached")
    drawn = draws(page)
    page.locator("#photo-input button[aria-label='Capture from camera']").click()
    page.locator("#photo-input [title='grant webcam access'] button").click()
    video = page.locator("#photo-input video")
    page.wait_for_function("document.querySelector('#photo-input video')?.videoWidth > 0")
    # What is seen before the photo is taken is a mirror.
    assert video.evaluate("one => new DOMMatrix(getComputedStyle(one).transform).a") == -1
    page.locator("#photo-input button[aria-label='capture photo']").click()
    wait_for_draw(page, drawn)
    assert shown(page) == "hand"
    content = base64.b64decode(pictures(page)["photo"].split(",")[1])
    seen = np.array(Image.open(io.BytesIO(content)).convert("RGB").resize((480, 480)), float)
    as_it_is, in_a_mirror = (np.abs(seen - one).mean() for one in (frame, frame[:, ::-1]))
    assert as_it_is < 0.7 * in_a_mirror
    instance.close()
