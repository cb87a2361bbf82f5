"""The page in headless Chromium. Skips with a reason where there is no Chromium or no Playwright."""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# The made-up predictor and its pictures live beside the page's other tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

import chromium
from fake_predictor import FakePredictor, fake_models, write_example

from demo.examples import FOLDER
from demo.serving.limits import Limits
from demo.serving.start import launch
from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app
from hmnet.checkpoint import EMBEDDED, load_checkpoint
from hmnet.comparison import Comparison
from hmnet.predictor import Predictor

POLICY = "Content Security Policy"
"""In what a browser says of whatever the page may not do."""


class CountingPredictor(Predictor):
    """The real one; `calls` counts how often its networks ran."""

    calls = 0

    def predict(self, image, box=None):
        self.calls += 1
        return super().predict(image, box)

    def with_parts(self, prediction, labels):
        self.calls += 1
        return super().with_parts(prediction, labels)


@pytest.fixture(scope="session")
def browser():
    if chromium.find_chromium() is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        instance = chromium.launch(driver)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def models():
    """The shipped weights; a made-up body where the checkout has none."""
    if not any(EMBEDDED.glob("**/*.safetensors")):
        return fake_models()
    predictor = CountingPredictor(load_checkpoint(), "cpu")
    return Models(predictor, Comparison(predictor))


@pytest.fixture(scope="session")
def predictor(models):
    return models.predictor


@pytest.fixture(scope="session")
def examples(predictor, tmp_path_factory):
    """The gallery: the shipped one for the shipped weights, plainly drawn bodies for the made-up one."""
    if not isinstance(predictor, FakePredictor):
        return FOLDER
    folder = tmp_path_factory.mktemp("gallery")
    for seed, name in enumerate(("bending", "standing", "striding")):
        write_example(folder, name, seed, size=(360, 480))
    return folder


@pytest.fixture
def photo(examples, tmp_path):
    """A photo on the visitor's disk, not the one the page opens with."""
    return shutil.copy(sorted(examples.glob("*.jpg"))[2], tmp_path / "visitor.jpg")


@pytest.fixture(scope="session")
def served(models, examples):
    """The app's address, while it is served from a thread, behind the gate as for the public."""
    app = build_app(models, examples)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    url, _ = launch(app, Limits(at_once=1), **options, **launch_options(examples))
    yield url
    app.close()


@pytest.fixture
def open_page(browser, served):
    """Opens the page for a fresh visitor, with a query or without, and waits for the first example.

    `page.hosts` are the hosts that it asked, `page.problems` the errors of its scripts.
    """
    contexts = []

    def opened(query: str = ""):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.hosts, page.problems = set(), []
        page.on("request", lambda request: page.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console", lambda message: page.problems.append(message.text) if POLICY in message.text else 0
        )
        page.goto(f"{served}?{query}")
        page.wait_for_function("document.querySelector('#viewer [data-draws], #viewer[data-draws]') !== null")
        page.wait_for_function("document.querySelector('#opened textarea, #opened input')?.value")
        page.wait_for_function("document.querySelector('#pictures [data-draws], #pictures[data-draws]')")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page):
    return open_page()
