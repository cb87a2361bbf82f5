"""The four pictures as a visitor uses them, in an app of their own with a made-up person."""

import base64
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import pytest
from photo_app import (
    GREY,
    HAND,
    HEAD,
    MESH,
    WRIST,
    card,
    colour,
    drag,
    is_like,
    make_scene,
    open_page,
    place,
    readout,
    serve,
    set_slider,
    settle,
    show_scene,
)
from PIL import Image

from hmnet.body import PART_COLOURS

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


@pytest.mark.parametrize("width", [390, 1280, 1600])
def test_nothing_jumps_when_the_pictures_arrive(browser, address, width):
    context = browser.new_context(viewport={"width": width, "height": 1000})
    page = open_page(context, address, show=None)
    places = "Array.from(document.querySelectorAll('.photo-card, .photo-card .frame, .part-legend'), " \
        "one => Object.values(one.getBoundingClientRect().toJSON()))"  # fmt: skip
    before = page.evaluate(places)
    assert card(page, "mesh").locator(".hint").is_visible() and not page.locator(".swipe").is_visible()
    assert page.evaluate("hmnetPhotos.picture()") is None
    for name in ("person", "other"):
        show_scene(page, name)
        page.evaluate("window.scrollTo(0, 0)")
        np.testing.assert_allclose(page.evaluate(places), before, atol=0.6)
    assert not card(page, "mesh").locator(".hint").is_visible()
    for frame in page.locator(".frame").all():
        box = frame.bounding_box()
        assert abs(box["width"] - box["height"]) < 1
    assert page.problems == []
    context.close()


def test_photo_is_fitted_and_the_crop_stands_out(page):
    assert is_like(colour(page, "mesh", 300, 760), GREY)
    assert is_like(colour(page, "photo", 300, 300), GREY)
    assert colour(page, "photo", 500, 50)[0] < GREY[0] - 15, "outside the crop the photo steps back"
    green = colour(page, "photo", 100, 250)
    assert green[1] > green[0] + 60
    yellow = colour(page, "photo", 500, 200)
    assert min(yellow[:2]) > yellow[2] + 60


def test_part_colours_lie_over_the_photo_by_the_opacity(page):
    # A label covers 10 px of the photo: the head's are x from 110 to 430, y from 260 to 420.
    set_slider(page, "parts", 100)
    assert colour(page, "parts", 300, 300) == PART_COLOURS[HEAD]
    assert colour(page, "parts", 300, 500) == PART_COLOURS[HAND]
    for y in np.arange(412, 429, 0.8):
        assert colour(page, "parts", 200, y) in (PART_COLOURS[HEAD], PART_COLOURS[HAND]), (
            "labels were blended"
        )
    set_slider(page, "parts", 0)
    assert is_like(colour(page, "parts", 300, 300), GREY)
    set_slider(page, "parts", 50)
    assert is_like(colour(page, "parts", 300, 300), (np.array(PART_COLOURS[HEAD]) + GREY) / 2, 10)
    assert card(page, "parts").locator("output").inner_text() == "50%"


def test_true_labels_and_the_difference_are_offered_where_the_truth_is_known(page):
    set_slider(page, "parts", 100)
    group = card(page, "parts").get_by_role("group", name="Labels")
    group.get_by_role("button", name="True").click()
    assert colour(page, "parts", 300, 540) == PART_COLOURS[HEAD]
    assert "true parts, 2 seen" in card(page, "parts").locator("canvas").get_attribute("aria-label")
    group.get_by_role("button", name="Difference").click()
    assert colour(page, "parts", 300, 540) == (249, 115, 22)
    assert colour(page, "parts", 300, 460) != (249, 115, 22)
    assert "another part 25%" in readout(page, "parts")
    assert "75% of them carry their true part" in page.locator(".shares").inner_text()
    show_scene(page, "other")
    assert not group.is_visible()
    # What is not known is not shown: these are the predicted parts again.
    assert "2 of 24 parts found" in readout(page, "parts")
    assert page.evaluate("hmnetPhotos.state().labels") == "difference"


def test_a_part_is_named_where_the_pointer_is(page):
    page.mouse.move(*place(page, "parts", 300, 540))
    assert readout(page, "parts").strip() == "left hand (true: right head)"
    assert "lit" in page.locator(f"[data-part='{HAND}']").get_attribute("class")
    page.mouse.move(*place(page, "parts", 300, 150))
    assert "2 of 24 parts found" in readout(page, "parts")


def test_legend_shows_shares_and_lights_a_part_up(page):
    set_slider(page, "parts", 100)
    row = page.locator(f"[data-part='{HAND}']")
    assert row.inner_text().split() == ["left", "hand", "50%"]
    row.hover()
    assert colour(page, "parts", 300, 500) == PART_COLOURS[HAND]
    assert not is_like(colour(page, "parts", 300, 300), PART_COLOURS[HEAD], 30)
    page.mouse.move(0, 0)
    assert colour(page, "parts", 300, 300) == PART_COLOURS[HEAD]
    page.locator("[data-part='1']").focus()
    for _ in range(HEAD - 1):
        page.keyboard.press("ArrowDown")
    focused = page.locator(f"[data-part='{HEAD}']")
    assert focused.get_attribute("aria-selected") == "true" and focused.get_attribute("tabindex") == "0"
    assert colour(page, "parts", 300, 300) == PART_COLOURS[HEAD]
    assert not is_like(colour(page, "parts", 300, 500), PART_COLOURS[HAND], 30)


def test_a_joint_is_named_with_its_distance(page):
    x, y = make_scene().figures[0].keypoints[WRIST]
    page.mouse.move(*place(page, "joints", x, y))
    assert readout(page, "joints") == "left wrist: the two versions lie 120 px apart"
    page.mouse.move(*place(page, "joints", 50, 750))
    assert "11 px apart on average" in readout(page, "joints")
    page.locator(".joint-layer").focus()
    page.keyboard.press("ArrowLeft")
    assert readout(page, "joints").startswith("right hand: the two versions lie 6.0 px")


def test_each_skeleton_can_be_hidden(page):
    x, y = make_scene().figures[1].keypoints[WRIST]
    boxes = page.get_by_role("group", name="Skeletons")
    assert is_like(colour(page, "joints", x, y), (0, 255, 0), 60)
    link = colour(page, "joints", x + 60, y)
    boxes.get_by_label("Regressed").uncheck()
    assert is_like(colour(page, "joints", x, y), GREY)
    boxes.get_by_label("Joint branch").uncheck()
    assert is_like(colour(page, "joints", x + 120, y), GREY)
    boxes.get_by_label("Regressed").check()
    assert is_like(colour(page, "joints", x + 60, y), GREY)
    assert not is_like(link, GREY, 30), "the two versions of the wrist were not joined"
    assert page.evaluate("hmnetPhotos.state().figures") == [False, True]


def test_the_mesh_fades_and_is_swept_off(page):
    assert is_like(colour(page, "mesh", 150, 300), MESH)
    set_slider(page, "mesh", 50)
    assert is_like(colour(page, "mesh", 150, 300), (np.array(MESH) + GREY) / 2)
    set_slider(page, "mesh", 100)
    swipe = page.get_by_role("slider", name="Photo left of the line, mesh right of it")
    swipe.press("PageUp")
    for _ in range(10):
        swipe.press("ArrowRight")
    settle(page)
    assert swipe.get_attribute("aria-valuenow") == "30"
    assert "70% with the mesh" in swipe.get_attribute("aria-valuetext")
    assert is_like(colour(page, "mesh", 150, 300), GREY) and is_like(colour(page, "mesh", 250, 300), MESH)
    box = swipe.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drag(page, middle, place(page, "mesh", 360, 400))
    settle(page)
    assert swipe.get_attribute("aria-valuenow") == "60"
    swipe.press("Home")
    assert is_like(colour(page, "mesh", 150, 300), MESH)


def test_state_can_be_kept_and_restored(page):
    set_slider(page, "parts", 35)
    page.locator(".swipe").press("End")
    page.get_by_role("group", name="Skeletons").get_by_label("Regressed").uncheck()
    card(page, "parts").get_by_role("button", name="True").click()
    state = page.evaluate("hmnetPhotos.state()")
    page.reload()
    page.wait_for_function("window.hmnetPhotos !== undefined")
    page.evaluate("state => hmnetPhotos.restore(state)", state)
    show_scene(page, "person")
    assert page.evaluate("hmnetPhotos.state()") == state
    assert card(page, "parts").locator("[type=range]").input_value() == "35"
    assert page.locator(".swipe").get_attribute("aria-valuenow") == "100"
    assert is_like(colour(page, "mesh", 250, 300), GREY)
    assert "true parts" in card(page, "parts").locator("canvas").get_attribute("aria-label")
    assert not page.get_by_role("group", name="Skeletons").get_by_label("Regressed").is_checked()


def test_the_four_pictures_are_exported_as_one(page):
    address = page.evaluate("hmnetPhotos.picture()")
    assert address.startswith("data:image/png;base64,")
    sheet = np.asarray(Image.open(BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB"))
    height, width = sheet.shape[:2]
    assert width > 3.5 * height and (sheet[:, :4] == 255).all() and (sheet[-4:] == 255).all()
    meshes = (np.abs(sheet.astype(int) - MESH) <= 6).all(-1)
    assert meshes[:, : 3 * width // 4].sum() == 0 and meshes[:, 3 * width // 4 :].sum() > 10_000


def test_alternative_texts_say_what_is_shown(page):
    texts = {name: card(page, name).get_by_role("img").get_attribute("aria-label")
             for name in ("photo", "parts", "joints", "mesh")}  # fmt: skip
    assert "600 by 800" in texts["photo"] and "from 100, 100 to 400, 700" in texts["photo"]
    assert "2 other people" in texts["photo"]
    assert "24 parts, 2 found: left hand, right head" in texts["parts"]
    assert "Joint branch, Regressed" in texts["joints"] and "at most 120 px (left wrist)" in texts["joints"]
    assert "100% opaque" in texts["mesh"]
    show_scene(page, "other")
    assert "lies outside" in card(page, "mesh").get_by_role("img").get_attribute("aria-label")
    assert not page.locator(".swipe").is_visible()


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (640, 1), (1280, 2), (1560, 4)])
def test_cards_stand_in_as_many_columns_as_fit(page, width, columns):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    lefts = page.evaluate("Array.from(document.querySelectorAll('.photo-card'), c => c.offsetLeft)")
    assert len(set(lefts)) == columns
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert is_like(colour(page, "mesh", 150, 300), MESH), "painted anew at the new size"


def test_canvases_are_as_fine_as_the_screen_but_no_finer_than_twice(browser, address):
    for density, expected in ((1, 1), (1.5, 1.5), (3, 2)):
        context = browser.new_context(viewport={"width": 900, "height": 900}, device_scale_factor=density)
        page = open_page(context, address)
        ratio = card(page, "photo").locator("canvas").evaluate("canvas => canvas.width / canvas.clientWidth")
        assert abs(ratio - expected) < 0.01
        context.close()


def test_no_other_host_is_asked(page, address):
    show_scene(page, "other")
    # Addresses without a host are data the page itself holds (data:, blob:).
    assert page.hosts - {""} == {urlsplit(address).netloc}


def test_a_slider_is_followed_within_a_frame(page):
    times = []
    for value in range(0, 100, 10):
        set_slider(page, "parts", value)
        settle(page)
        times.append(float(page.evaluate("document.querySelector('[data-paint-ms]').dataset.paintMs")))
    assert np.median(times) < 50, times
