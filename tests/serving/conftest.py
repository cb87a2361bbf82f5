"""The page with a made-up predictor, served as the public gets it: behind the gate, within small limits."""

import os
import sys
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from small_limits import LIMITS

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# The made-up predictor and its pictures live beside the page's other tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))
# `tests.load` and what the folders of tests share.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from fake_predictor import HeldPredictor, fake_models, write_example

from demo.serving.start import launch
from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app
from tests.load.protocol import Layout


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Gradio's folder for files, of these tests alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr("gradio.mcp.DEFAULT_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    for seed, name in enumerate(("bending", "standing")):
        write_example(folder, name, seed)
    return folder


@pytest.fixture(scope="session")
def predictor():
    return HeldPredictor()


@pytest.fixture(scope="session")
def server(predictor, examples, cache):
    """(address, figures) of the served page."""
    models = Models(predictor, fake_models().comparison)
    page = build_app(models, examples, LIMITS.at_once)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    yield launch(page, LIMITS, **options, **launch_options(examples))
    page.close()


@pytest.fixture(scope="session")
def address(server):
    return server[0].rstrip("/")


@pytest.fixture(scope="session")
def metrics(server):
    return server[1]


@pytest.fixture(scope="session")
def layout(address):
    return Layout(httpx.get(f"{address}/config").json())


@pytest.fixture(scope="session")
def run():
    """Runs a coroutine function to its end, in a thread: in this one Playwright's loop may be running."""
    with start_blocking_portal() as portal:
        yield portal.call


@pytest.fixture
def photo(examples):
    """The bytes of a photo."""
    return (examples / "standing.jpg").read_bytes()


@pytest.fixture
def held(predictor):
    """The networks answer nobody while the test runs, unless it sets this."""
    predictor.hold.clear()
    yield predictor.hold
    predictor.hold.set()
