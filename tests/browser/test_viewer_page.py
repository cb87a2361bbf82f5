"""The 3D view in an app of its own: what its panes show, the regulariser's preview, layouts, export."""

import base64
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from viewer_app import (
    BODY,
    LAB,
    LIMIT,
    RAW,
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
    vertices,
)

pytestmark = pytest.mark.browser
STRONG = {"enabled": True, "iterations": 5, "strength": 0.6, "operator": "average"}


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


def full(template: np.ndarray) -> np.ndarray:
    return BODY.upsample(torch.as_tensor(template)).numpy()


@pytest.mark.parametrize("width", [390, 1280, 1800])
def test_nothing_jumps_when_the_first_value_arrives(browser, address, width):
    context = browser.new_context(viewport={"width": width, "height": 1000})
    page = open_page(context, address, show=None)
    places = """() => {
        window.scrollTo(0, 0);
        const all = document.querySelectorAll(".pane, .plot, .readout, .panes");
        return Array.from(all, (one) => Object.values(one.getBoundingClientRect().toJSON()));
    }"""
    before = page.evaluate(places)
    assert plot(page, "raw").count() == 0 and page.locator(".hint").first.is_visible()
    assert page.evaluate("hmnetViewer.picture()") is None
    show_value(page, "first")
    np.testing.assert_allclose(page.evaluate(places), before, atol=0.1)
    assert not page.locator(".hint").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_panes_draw_what_was_sent_on_both_meshes(page):
    smooth = regularised(RAW, LAB)
    for name, template in (("raw", RAW), ("smooth", smooth), ("bones", smooth)):
        np.testing.assert_allclose(vertices(page, name), full(template), atol=2e-6)
    spread = values(page, "heat")
    assert len(spread) == 13_718 and spread.min() >= 0 and spread.max() <= LIMIT * 1.0001
    press(page, "template")
    np.testing.assert_array_equal(vertices(page, "smooth"), smooth)
    assert set(np.unique(values(page, "heat"))) == {0, LIMIT}


def test_surface_is_seen_where_the_camera_says(page):
    call(page, "restore", {"camera": [0.5, 0.3, 2.6, 0.05, 0.1, 0.0], "layout": "two"})
    shown = pixels(page, "raw")
    seen = projected(page, full(RAW), shown.shape[1::-1])[:, :2]
    rows, columns = np.nonzero(shown[..., 3] > 127)
    np.testing.assert_allclose([columns.min(), rows.min()], seen.min(0), atol=2.5)
    np.testing.assert_allclose([columns.max() + 1, rows.max() + 1], seen.max(0), atol=2.5)


def halves(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colours of the surface in the left and in the right half of a picture."""
    middle = picture.shape[1] // 2
    parts = picture[:, : middle - 6], picture[:, middle + 6 :]
    return tuple(part[part[..., 3] > 200][:, :3].mean(0) for part in parts)


def is_yellow(colour: np.ndarray) -> bool:
    return colour[0] > 170 and colour[1] > 170 and colour[2] < 110


def test_colours_show_the_values_on_their_own_side_and_the_bar_says_so(page):
    left, right = halves(pixels(page, "heat"))
    assert is_yellow(right) and not is_yellow(left), "seen from the front the person's left is at the right"
    press(page, "back")
    left, right = halves(pixels(page, "heat"))
    assert is_yellow(left) and not is_yellow(right)
    bars = page.locator(".colour-bar.shown")
    assert bars.count() == 1
    assert bars.locator(".ticks span").all_inner_texts() == ["0", "12.5", "25", "37.5", "50 mm"]
    assert bars.locator(".bar-title").inner_text() == "Error, mm"


def test_plain_parts_and_error_colours(page):
    plain, heat = halves(pixels(page, "smooth")), pixels(page, "heat")
    assert np.abs(plain[0] - plain[1]).max() < 25 and plain[0][2] > plain[0][0], "the pane's own blue"
    press(page, "parts")
    parts = pixels(page, "smooth")
    warm, cool = halves(parts)
    assert warm[0] > warm[2] and cool[2] - cool[0] > warm[2] - warm[0] + 30
    np.testing.assert_array_equal(pixels(page, "heat"), heat, "the heatmap stays one")
    press(page, "error")
    assert is_yellow(halves(pixels(page, "smooth"))[1])
    assert not is_yellow(halves(pixels(page, "raw"))[1]), "this pane has no values"
    assert page.locator(".colour-bar.shown").count() == 2
    call(page, "layout", "two")
    assert page.locator("[data-value=error]").is_disabled()


def test_flat_shading_and_wireframe_change_the_picture_alone(page):
    shape = vertices(page, "raw")
    pictures = [pixels(page, "raw")]
    for value in ("flat", "wireframe"):
        press(page, value)
        pictures.append(pixels(page, "raw"))
    smooth, flat, wires = ((one[..., 3] > 200) * one[..., :3].mean(-1) for one in pictures)
    assert np.abs(smooth - flat).mean() > 0.2
    assert wires.sum() < 0.97 * flat.sum(), "wires are dark"
    np.testing.assert_array_equal(vertices(page, "raw"), shape)


def test_opacity_lets_the_card_be_seen(page):
    call(page, "layout", "two")
    assert pixels(page, "raw")[..., 3].max() == 255
    alpha = pixels(page, "bones")[..., 3]
    counts = np.bincount(alpha.ravel(), minlength=256)
    assert counts[95:110].sum() > 5_000, "two fifths of the surface"
    assert (pixels(page, "bones") == [255, 0, 0, 255]).all(-1).sum() > 100, "the bones lie over it"


@pytest.mark.parametrize("operator", ["average", "taubin"])
@pytest.mark.parametrize(("iterations", "strength"), [(0, 1.0), (1, 0.35), (10, 1.0)])
def test_preview_is_what_the_server_would_compute(page, operator, iterations, strength):
    press(page, "template")
    lab = {"enabled": True, "iterations": iterations, "strength": strength, "operator": operator}
    call(page, "regularise", lab)
    for name in ("smooth", "heat", "bones"):
        np.testing.assert_allclose(vertices(page, name), regularised(RAW, lab), atol=2e-6)
    np.testing.assert_array_equal(vertices(page, "raw"), RAW, "this pane is not the regulariser's")
    call(page, "regularise", {**lab, "enabled": False})
    np.testing.assert_array_equal(vertices(page, "smooth"), RAW)


def test_preview_is_painted_and_the_camera_stays(page):
    call(page, "restore", {"camera": [0.2, 0.1, 2.0, 0, 0, 0]})
    before, frames = pixels(page, "smooth"), int(data(page, "frames"))
    call(page, "regularise", STRONG)
    assert int(data(page, "frames")) == frames + 1, "once, however many panes move"
    assert (pixels(page, "smooth") != before).any()
    np.testing.assert_allclose(camera(page), [0.2, 0.1, 2.0, 0, 0, 0])


def test_value_that_comes_late_does_not_undo_a_preview(page):
    page.evaluate("lab => { window.still = setInterval(() => hmnetViewer.regularise(lab), 100) }", STRONG)
    show_value(page, "again")
    expected = full(regularised(RAW, STRONG))
    np.testing.assert_allclose(vertices(page, "smooth"), expected, atol=2e-6)
    page.evaluate("clearInterval(window.still)")
    page.wait_for_timeout(2200)
    show_value(page, "first")
    expected = full(regularised(RAW, LAB))
    np.testing.assert_allclose(vertices(page, "smooth"), expected, atol=2e-6)


def test_layouts_deal_their_panes(page):
    for name, panes, columns in (
        ("one", ["bones"], 1), ("two", ["raw", "bones"], 2), ("three", ["raw", "smooth", "heat"], 3),
        ("four", ["raw", "smooth", "heat", "bones"], 4), ("unknown", ["raw", "smooth", "heat"], 3),
    ):  # fmt: skip
        call(page, "layout", name)
        cards = page.locator(".pane:visible")
        assert cards.evaluate_all("cards => cards.map(card => card.dataset.view)") == panes
        assert len({card.bounding_box()["x"] for card in cards.all()}) == columns
        assert all((pixels(page, pane)[..., 3] > 90).mean() > 0.03 for pane in panes)
    assert plot(page, "raw").bounding_box()["height"] == 420
    call(page, "layout", "four")
    for width, columns, height in ((1100, 2, 340), (600, 1, 340)):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = [card.bounding_box() for card in page.locator(".pane:visible").all()]
        assert len({box["x"] for box in boxes}) == columns
        assert plot(page, "raw").bounding_box()["height"] == height
    assert page.locator("[data-view=raw] .caption").inner_html() == "As it <b>came</b>."


def test_state_can_be_taken_elsewhere(page, browser, address):
    for value in ("template", "flat", "wireframe", "parts"):
        press(page, value)
    call(page, "layout", "two")
    call(page, "restore", {"camera": [1, 0.5, 1.7, 0.1, 0, -0.1], "mesh": "no such mesh", "wireframe": 3})
    state = call(page, "state")
    assert state == {
        "layout": "two", "mesh": "template", "shading": "flat", "wireframe": True, "colours": "parts",
        "camera": [1, 0.5, 1.7, 0.1, 0, -0.1],
    }  # fmt: skip
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    other = open_page(context, address, show=None)
    call(other, "restore", state)
    show_value(other, "first")
    assert call(other, "state") == state
    pressed = other.locator(".viewer-bar [aria-pressed=true]")
    assert pressed.evaluate_all("all => all.map(one => one.dataset.value)") == [
        "template", "flat", "parts", "wireframe",
    ]  # fmt: skip
    call(other, "restore", {"camera": [1, None, 2]})
    call(other, "restore", {})
    assert call(other, "state") == state and other.problems == []
    context.close()


def test_export_has_every_pane_on_white(page):
    call(page, "layout", "four")
    head, text = call(page, "picture").split(",")
    assert head == "data:image/png;base64"
    picture = np.asarray(Image.open(BytesIO(base64.b64decode(text))))
    assert (picture[..., 3] == 255).all() and (picture[:8] == 255).all()
    dark = (picture[..., :3] < 240).any(-1)
    quarters = np.array_split(dark, 4, 1)
    assert all(0.02 < quarter.mean() < 0.5 for quarter in quarters)
    frames = int(data(page, "frames"))
    settle(page)
    assert int(data(page, "frames")) == frames, "the page itself is left alone"


def test_without_webgl_each_pane_says_so(browser, address):
    context = browser.new_context()
    context.add_init_script(
        """const real = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
        };"""
    )
    page = open_page(context, address)
    hints = page.locator(".pane:visible .hint").all()
    assert len(hints) == 3 and all("no WebGL" in hint.inner_text() for hint in hints)
    assert page.problems == []
    context.close()


def test_lost_graphics_come_back(page):
    before = pixels(page, "raw")
    page.evaluate(
        """async () => {
            const lose = hmnetViewer.graphics().getExtension("WEBGL_lose_context");
            lose.loseContext();
            await new Promise((done) => setTimeout(done, 200));
            lose.restoreContext();
            await new Promise((done) => setTimeout(done, 500));
        }"""
    )
    press(page, "back")
    press(page, "front")
    assert np.abs(pixels(page, "raw").astype(int) - before).mean() < 0.1
