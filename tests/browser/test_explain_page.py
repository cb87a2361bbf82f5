"""The tour and the Method tab in the browser, in an app of their own."""

import gradio as gr
import pytest
from fake_predictor import fake_models, write_example

from demo import explain
from demo.examples import load_example
from demo.session import reconstruct
from demo.theme import FOLDER_OF_STYLES, launch_options

pytestmark = pytest.mark.browser

PRESENT = ["Give it a photo", "Step by step", "One question a tab", "How it works"]
"""Titles of the steps whose elements this app has: no 3D view, and exports that are hidden."""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The address of a page with a few of the tour's elements, and the Method tab of a made-up person."""
    example = load_example(write_example(tmp_path_factory.mktemp("examples"), "walker", seed=1))
    models = fake_models()
    session = reconstruct(models, example.photo, example)
    with gr.Blocks(fill_width=True, analytics_enabled=False) as blocks:
        script = (FOLDER_OF_STYLES / "explain.js").read_text(encoding="utf-8")
        gr.HTML(js_on_load=script, apply_default_css=False, tour=explain.TOUR)
        with gr.Tabs():
            with gr.Tab("Demo"):
                gr.Textbox(label="Photo", elem_id="photo-input")
                gr.HTML('<div style="height: 1500px">pictures</div>', elem_id="pictures")
                gr.HTML('<div style="height: 300px">lessons</div>', elem_id="lessons")
                gr.HTML('<div id="exports" style="display: none">exports</div>')
            with gr.Tab("Method", elem_id="method-tab"):
                gr.HTML(explain.method_html(session, models.predictor.body), elem_id="method")
            with gr.Tab("Results"):
                gr.Markdown(explain.results_markdown(), elem_id="results-text")
    options = launch_options()
    styles = [path for path in options["css_paths"] if path.is_file()]
    _, url, _ = blocks.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False, theme=options["theme"],
        css_paths=styles,
    )  # fmt: skip
    yield url
    blocks.close()


@pytest.fixture
def visit(browser, app):
    """Opens the page for a new visitor; keyword arguments of the browser's context."""
    contexts = []

    def opened(query="", before="", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        if before:
            page.add_init_script(before)
        page.goto(app + query)
        page.wait_for_function("window.hmnetTour && document.querySelector('#lessons')")
        return page

    yield opened
    for context in contexts:
        context.close()


def step(page) -> tuple[str, str]:
    return page.locator(".tour-count").inner_text(), page.locator(".tour-card h2").inner_text()


def box(page, selector: str) -> dict:
    return page.locator(selector).first.bounding_box()


def is_open(page) -> bool:
    return page.locator(".tour-card").count() == 1


def test_under_automation_the_tour_waits_to_be_asked_for(visit):
    page = visit()
    page.wait_for_timeout(600)
    assert not is_open(page)
    assert page.evaluate("window.hmnetTour.start()") and is_open(page)
    assert not page.problems


def test_a_first_visit_opens_the_tour_and_a_second_does_not(visit):
    page = visit(before="Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})")
    page.wait_for_selector(".tour-card")
    page.reload()
    page.wait_for_function("window.hmnetTour && document.querySelector('#lessons')")
    page.wait_for_timeout(600)
    assert page.evaluate("localStorage['hmnet-tour']") == "seen" and not is_open(page)
    page.goto(page.url.split("?")[0] + "?tour=1")
    page.wait_for_selector(".tour-card")


def test_forbidden_storage_breaks_nothing(visit):
    page = visit(before="Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})")
    assert page.evaluate("window.hmnetTour.start()") and is_open(page) and not page.problems


def test_steps_go_forth_and_back_and_leave_out_what_is_not_shown(visit):
    page = visit("?tour=1")
    page.wait_for_selector(".tour-card")
    seen = []
    for number, title in enumerate(PRESENT, start=1):
        assert step(page) == (f"Step {number} of {len(PRESENT)}", title)
        seen.append(title)
        if number < len(PRESENT):
            page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Back").click()
    assert step(page)[1] == PRESENT[-2]
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Done").click()
    assert not is_open(page) and page.locator(".tour-ring").count() == 0 and not page.problems


def test_keyboard_alone_walks_the_tour_and_the_focus_goes_back(visit):
    page = visit()
    page.locator("#photo-input textarea").focus()
    page.evaluate("window.hmnetTour.start()")
    card = page.get_by_role("dialog", name=PRESENT[0])
    assert card.get_attribute("aria-modal") == "false" and card.locator("[aria-live=polite]").count() == 1
    assert page.evaluate("document.activeElement.className") == "tour-card"
    for _ in range(2):  # Skip, then Next: Back cannot be used yet
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert step(page)[1] == PRESENT[1]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    # Back at the first step its button is disabled: the focus is not lost with it.
    assert step(page)[1] == PRESENT[0]
    assert page.evaluate("document.activeElement.textContent") == "Next"
    page.keyboard.press("Escape")
    assert not is_open(page)
    assert page.evaluate("document.activeElement.matches('#photo-input textarea')")


@pytest.mark.parametrize("width", [390, 1280])
def test_ring_and_card_stay_with_the_element(visit, width):
    page = visit("?tour=1", width=width)
    page.wait_for_selector(".tour-card")
    for selector in ("#photo-input", "#pictures", "#lessons", "#method-tab-button"):
        page.wait_for_timeout(1200)  # smooth scrolling comes to rest
        ring, card, target = box(page, ".tour-ring"), box(page, ".tour-card"), box(page, selector)
        assert abs(ring["x"] + 5 - target["x"]) < 6 and ring["width"] > 20
        assert card["x"] >= 0 and card["x"] + card["width"] <= width
        assert card["y"] >= 0 and card["y"] + card["height"] <= 800
        if target["height"] < 400:
            below, above = (
                card["y"] >= target["y"] + target["height"],
                card["y"] + card["height"] <= target["y"],
            )
            beside = card["x"] >= target["x"] + target["width"] or card["x"] + card["width"] <= target["x"]
            assert below or above or beside, selector
        page.locator(".tour-next").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("motion", "behaviour"), [("reduce", "instant"), ("no-preference", "smooth")])
def test_the_page_moves_smoothly_or_at_once(visit, motion, behaviour):
    watch = """const real = Element.prototype.scrollIntoView; window.moves = [];
        Element.prototype.scrollIntoView = function (options) {
            window.moves.push(options.behavior); real.call(this, options); }"""
    page = visit("?tour=1", before=watch, reduced_motion=motion)
    page.wait_for_selector(".tour-card")
    page.get_by_role("button", name="Next").click()
    assert page.evaluate("window.moves") == [behaviour] * 2


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (820, 2), (1280, 4)])
def test_boxes_stand_in_columns_and_none_on_another(visit, width, columns):
    page = visit(width=width)
    page.get_by_role("tab", name="Method").first.click()
    page.wait_for_selector(".step.overlay img", state="visible")
    steps = page.evaluate("""() => [...document.querySelectorAll('.method .step')].map((one) => {
        const {x, y, width, height} = one.getBoundingClientRect();
        return [x, y, x + width, y + height];
    })""")
    assert len({round(left) for left, *_ in steps}) == columns
    for index, (left, top, right, bottom) in enumerate(steps):
        for other in steps[index + 1 :]:
            apart = other[0] >= right or other[2] <= left or other[1] >= bottom or other[3] <= top
            assert apart, (index, steps)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_wide_tables_scroll_by_themselves(visit):
    page = visit(width=390)
    tab = page.get_by_role("tab", name="Results").first
    if tab.is_visible():
        tab.click()
    else:
        page.locator(".overflow-menu > button").first.click()
        page.get_by_role("button", name="Results", exact=True).last.click()
    page.wait_for_selector("#results-text table", state="visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widths = page.evaluate("""() => [...document.querySelectorAll('#results-text table')].map(
        (one) => [one.clientWidth, one.scrollWidth])""")
    assert any(inside > outside for outside, inside in widths)
