"""What else the page holds: method, results, tour, files, report, link; and what holds of all of it."""

import json
from urllib.parse import urlsplit

import numpy as np
import pytest
import trimesh
from PIL import Image
from reading import LAYOUTS, draws, fill, lesson, mesh, upload, wait_for_draw, wait_for_text

pytestmark = pytest.mark.browser


def test_method_results_and_card(page, predictor):
    calls = predictor.calls
    page.get_by_role("tab", name="Method").click()
    page.wait_for_function("document.querySelectorAll('#method img').length >= 5")
    wait_for_text(page, "#method", "Eq. 3")
    page.get_by_role("tab", name="Results").click()
    page.locator("#results-text table").first.wait_for()
    page.get_by_role("tab", name="Model card").click()
    wait_for_text(page, "#card-text", "Limits")
    assert predictor.calls == calls and page.problems == []


def test_the_tour_leads_through_the_page(open_page):
    page = open_page("tour=1")
    card = page.locator(".tour-card")
    card.wait_for()
    steps = []
    while card.is_visible() and len(steps) < 10:
        steps.append(card.locator("h2").inner_text())
        card.locator(".tour-next").click()
        page.wait_for_timeout(200)
    assert len(set(steps)) == len(steps) == 6
    assert page.evaluate("localStorage['hmnet-tour']")
    page.locator("#start-tour").click()
    card.wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    assert page.problems == []


@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_the_mesh_can_be_saved(page, tmp_path, kind):
    with page.expect_download() as download:
        page.locator(f"#save-{kind}").click()
    download.value.save_as(tmp_path / f"mesh.{kind}")
    saved = trimesh.load(tmp_path / f"mesh.{kind}", force="mesh", process=False)
    assert len(saved.faces) == 27_420
    np.testing.assert_allclose(saved.vertices, mesh(page, "regularised") * [1, -1, -1], atol=1e-4)


def test_numbers_and_joints_can_be_saved(page, tmp_path):
    for kind, check in (
        ("json", lambda text: len(json.loads(text)["joint_branch"]) == 24),
        ("csv", lambda text: len(text.strip().splitlines()) == 25),
    ):
        with page.expect_download() as download:
            page.locator(f"#save-{kind}").click()
        download.value.save_as(tmp_path / kind)
        assert check((tmp_path / kind).read_text())


def test_the_panels_can_be_saved_as_one_picture(page, tmp_path):
    with page.expect_download() as download:
        page.locator("#save-png").click()
    download.value.save_as(tmp_path / "panels.png")
    picture = Image.open(tmp_path / "panels.png")
    assert picture.width > 1000 and picture.height > 600
    assert np.asarray(picture.convert("L")).std() > 20


def test_the_report_stands_on_its_own(page, browser, tmp_path):
    with page.expect_download() as download:
        page.locator("#save-report").click()
    download.value.save_as(tmp_path / "report.html")
    context = browser.new_context(offline=True)
    report = context.new_page()
    problems = []
    report.on("pageerror", lambda error: problems.append(str(error)))
    report.goto(f"file://{tmp_path}/report.html")
    report.wait_for_function("Boolean(window.hmnetViewer)")
    assert report.locator("table").count() >= 3 and report.locator("img").count() >= 2
    assert problems == []
    context.close()


def test_a_link_brings_the_settings_back(page, open_page):
    page.locator("#examples button").nth(1).click()
    page.wait_for_timeout(2500)
    drawn = draws(page)
    fill(page, "#iterations", "5")
    wait_for_draw(page, drawn)
    lesson(page, "Break the parts")
    drawn = draws(page)
    page.locator("#dropped").get_by_text("right arm").click()
    wait_for_draw(page, drawn)
    page.locator("#viewer button[data-value=back]").click()
    page.wait_for_timeout(300)
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('iterations=5')")
    expected, state = mesh(page, "after"), page.evaluate("window.hmnetViewer.state()")
    other = open_page(urlsplit(page.url).query)
    other.wait_for_timeout(1000)
    np.testing.assert_allclose(mesh(other, "after"), expected, atol=1e-5)
    again = other.evaluate("window.hmnetViewer.state()")
    assert again["layout"] == state["layout"] == "parts"
    np.testing.assert_allclose(again["camera"], state["camera"], atol=1e-3)
    assert other.locator("#dropped").get_by_label("right arm").is_checked()
    assert other.locator("#iterations input[type=number]").input_value() == "5"


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    for title in LAYOUTS:
        if width > 400:  # on a phone the further tabs are in a menu
            lesson(page, title)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, title


def test_no_other_host_is_asked(page, photo, served):
    drawn = draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    page.get_by_role("tab", name="Method").click()
    page.wait_for_timeout(800)
    # Addresses without a host are data the page itself holds (data:, blob:).
    assert page.hosts - {""} == {urlsplit(served).netloc}


def test_every_control_has_a_name(page):
    script = """() => Array.from(document.querySelectorAll('button, input, textarea, select, [role=slider]'))
        .filter(one => one.offsetParent && getComputedStyle(one).visibility !== 'hidden')
        .filter(one => !(one.innerText?.trim() || one.ariaLabel || one.title || one.labels?.length ||
                         one.getAttribute('aria-labelledby') || one.closest('label')))
        .map(one => one.outerHTML.slice(0, 160))"""
    nameless = {title: (lesson(page, title), page.evaluate(script))[1] for title in LAYOUTS}
    assert not any(nameless.values()), nameless
