"""The report opened from a disk: it turns, in light and dark, and asks nobody."""

import numpy as np
import pytest
import torch
from fake_predictor import fake_models, write_example

from demo.report_page import report
from demo.session import Session, reconstruct
from hmnet.body import load_body

pytestmark = pytest.mark.browser

BODY = load_body()
TABLE = '<table class="numbers"><tr><th>Joint</th><th>mm</th></tr><tr><td>head</td><td>3.1</td></tr></table>'


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    return reconstruct(fake_models(), write_example(tmp_path_factory.mktemp("photo"), "walker", seed=1))


@pytest.fixture(scope="module")
def file(session, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "humanmeshnet.html"
    path.write_text(report(session, None, None, [("Joints", TABLE)]), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file, request):
    """The report once it is drawn; parametrise with (width, colour scheme)."""
    width, scheme = getattr(request, "param", (1280, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.asked, page.problems = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    # What the page's policy forbids is told there.
    page.on("console", lambda said: page.problems.append(said.text) if said.type == "error" else None)
    page.goto(file.as_uri())
    page.wait_for_selector("#viewer[data-draws='1']", timeout=45_000)
    yield page
    assert page.problems == []
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    context.close()


def test_both_meshes_are_drawn(opened, session):
    prediction = session.prediction
    for name, vertices in (("raw", prediction.raw_vertices), ("regularised", prediction.vertices)):
        drawn = opened.evaluate("name => Array.from(hmnetViewer.geometry(name).vertices)", name)
        full = BODY.upsample(torch.as_tensor(vertices)).numpy()
        np.testing.assert_allclose(np.reshape(drawn, (-1, 3)), full, atol=1e-5)
    assert opened.locator(".plot:visible").count() == 2


def test_it_turns_by_keyboard_and_by_buttons(opened):
    def yaw():
        return opened.evaluate("hmnetViewer.state().camera[0]")

    start = yaw()
    opened.locator(".plot:visible").first.press("ArrowRight")
    turned = yaw()
    assert abs(turned - start) > 0.05
    opened.get_by_role("button", name="Back", exact=True).click()
    assert abs(yaw()) == pytest.approx(np.pi)


@pytest.mark.parametrize("opened", [(390, "light"), (390, "dark"), (1280, "dark")], indirect=True)
def test_nothing_is_wider_than_the_window(opened):
    width = opened.viewport_size["width"]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_it_follows_light_dark_and_paper(opened):
    def paper():
        return opened.evaluate("getComputedStyle(document.body).backgroundColor")

    def frames():
        return opened.evaluate("Number(document.querySelector('#viewer').dataset.frames)")

    light, drawn = paper(), frames()
    opened.emulate_media(color_scheme="dark")
    assert paper() != light
    # Not `wait_for_function`: it makes code of a text, which the report's policy forbids.
    for _ in range(100):
        if frames() > drawn:
            break
        opened.wait_for_timeout(100)
    assert frames() > drawn, "the 3D view kept the colours of the light"
    opened.emulate_media(color_scheme="dark", media="print")
    assert paper() == "rgb(255, 255, 255)"
    assert not opened.get_by_role("button", name="Back", exact=True).is_visible()
    assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(30, 41, 59)"
