"""What a visitor sees while others are served first, and when there is no place: with held networks."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fake_predictor import HeldPredictor, fake_models, write_example

from demo.serving.limits import Limits
from demo.serving.start import launch
from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.load.protocol import Browser, Layout

pytestmark = pytest.mark.browser
WAITING = 3


@pytest.fixture(scope="module")
def predictor():
    return HeldPredictor()


@pytest.fixture(scope="module")
def served(predictor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    write_example(folder, "standing", 1)
    app = build_app(Models(predictor, fake_models().comparison), folder)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    url, _ = launch(app, Limits(at_once=1, waiting=WAITING), **options, **launch_options(folder))
    yield url
    predictor.hold.set()
    app.close()


@pytest.fixture
def photo(tmp_path):
    return next(write_example(tmp_path, "visitor", 2).parent.glob("*.jpg"))


@pytest.fixture
def page(browser, served):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(served)
    page.wait_for_function("document.querySelector('#opened textarea, #opened input')?.value")
    yield page
    context.close()


def send(address: str, photo: Path, count: int) -> None:
    """So many other visitors send a photo, and wait."""

    async def all_of_them():
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            layout = Layout((await client.get("/config")).json())
            sent = layout.listener("photo-input", "upload")
            for _ in range(count):
                browser, values = Browser(client, layout), layout.values(sent)
                values[0] = await browser.upload("photo.jpg", photo.read_bytes())
                await browser.join(sent, values)
                await asyncio.sleep(0.2)

    # Playwright has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, all_of_them()).result()


def test_who_waits_sees_the_place_and_can_cancel_or_is_told_that_it_is_full(page, served, predictor, photo):
    queue = f"{served}gradio_api/queue/status"
    assert page.locator("#run").is_visible() and not page.locator("#cancel").is_visible()
    predictor.hold.clear()
    send(served, photo, 2)
    page.set_input_files("#photo-input input[type=file]", photo)
    page.wait_for_function("document.querySelector('#cancel').innerText === 'Cancel (1 ahead of you)'")
    assert page.locator("#waiting").get_by_role("status").inner_text() == "1 ahead of you"
    assert not page.locator("#run").is_visible()

    page.locator("#cancel").click()
    page.locator("#run").wait_for()
    assert httpx.get(queue).json()["queue_size"] == 1
    page.wait_for_function("document.querySelector('#photo-input input[type=file]') !== null")

    send(served, photo, WAITING - 1)
    page.set_input_files("#photo-input input[type=file]", photo)
    notice = page.get_by_test_id("toast-body").first
    notice.wait_for()
    assert f"The server is full: {WAITING} ahead of you" in notice.inner_text()
    # The panels still show what they showed.
    assert page.locator("#viewer [data-draws]").count() == 1

    predictor.hold.set()
    while httpx.get(queue).json()["queue_size"]:
        page.wait_for_timeout(100)
    page.locator("#run").click()
    page.wait_for_function("document.querySelector('#pictures [data-draws]').dataset.draws >= 2")
    # The visitor's photo, not the example, whose truth is known.
    assert "no ground truth" in page.locator("#viewer").inner_text()
