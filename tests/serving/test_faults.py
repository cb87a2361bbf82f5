"""What breaks while the page is served: a sentence or nothing is seen of it, and the next request works."""

import json
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fault_log import record_fault

from demo.serving.sweep import Sweeper
from hmnet import render
from tests.load.protocol import Browser, FailedError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(run, address, layout):
    """Does what a visitor does; see `Visit`."""
    client = httpx.AsyncClient(base_url=address, timeout=40)
    yield Visit(run, Browser(client, layout))
    run(client.aclose)


class Visit:
    """A visitor's steps, one after the other."""

    def __init__(self, run, browser):
        self.run, self.browser, self.layout = run, browser, browser.layout

    def send(self, photo: bytes) -> dict:
        """What the 3D view gets for a photo."""
        return self.run(self._send, photo)

    async def _send(self, photo):
        sent = self.layout.listener("photo-input", "upload")
        values = self.layout.values(sent)
        values[0] = await self.browser.upload("photo.jpg", photo)
        return (await self.browser.run(sent, values))[sent.outputs.index(self.layout.id_of("viewer"))]

    def save(self, kind: str) -> bytes:
        """A file of the person who is shown."""
        return self.run(self._save, kind)

    async def _save(self, kind):
        saved = self.layout.listener(f"save-{kind}", "click")
        (described,) = await self.browser.run(saved, self.layout.values(saved))
        return await self.browser.file(described)


@pytest.fixture(scope="module")
def gl():
    """Skips where there is no OpenGL, whose renderer alone can be lost."""
    if not isinstance(render._renderer(), render.GLRenderer):
        pytest.skip(f"no OpenGL here: {render.renderer_name()}")


@pytest.fixture
def fresh_choice(monkeypatch):
    """A renderer of this test's own, so that its failures are not counted against the others'."""
    monkeypatch.setattr(render, "_choice", render._Choice())


@contextmanager
def files_no_larger_than(size: int):
    """All writing beyond `size` bytes fails in the kernel, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_renderer_whose_thread_is_gone_is_replaced(page, photo, gl, fresh_choice, address):
    lost = render._renderer()
    lost._thread.shutdown()
    assert page.send(photo)["panes"]
    assert render._renderer() is not lost and isinstance(render._renderer(), render.GLRenderer)
    assert httpx.get(f"{address}/readyz").status_code == 200
    record_fault("renderer's thread killed", "a photo sent", f"drawn by {render.renderer_name()}", True)


def test_a_renderer_that_hangs_is_replaced(page, photo, gl, fresh_choice, monkeypatch):
    stuck, may_end = render._renderer(), threading.Event()
    monkeypatch.setattr(stuck, "SECONDS", 0.5)
    stuck._thread.submit(may_end.wait, 60)
    start = time.monotonic()
    assert page.send(photo)["panes"]
    taken = time.monotonic() - start
    may_end.set()
    assert render._renderer() is not stuck
    record_fault("renderer hangs", "a photo sent", f"given up and drawn anew, {taken:.1f} s in all", True)


def test_a_renderer_that_fails_again_and_again_gives_way_to_software(
    page, photo, gl, fresh_choice, monkeypatch
):
    def fail(self, scene):
        raise RuntimeError("context lost")

    monkeypatch.setattr(render.GLRenderer, "draw", fail)
    assert page.send(photo)["panes"]
    name = render.renderer_name()
    assert name == f"software (no OpenGL: it failed {render._Choice.MOST_FAILURES} times)"
    assert render.renderer_works()
    record_fault("every OpenGL context fails", "a photo sent", f"drawn by {name}", True)


def test_a_full_disk_refuses_an_upload_and_a_download_and_loses_nothing(page, photo):
    before = page.send(photo)
    with files_no_larger_than(4096):
        with pytest.raises(FailedError) as upload:
            page.send(photo)
        with pytest.raises(FailedError) as download:
            page.save("glb")
    assert "507" in str(upload.value) and "could not keep the file" in str(upload.value)
    assert "cannot be written" in str(download.value) and str(ROOT) not in str(download.value)
    # The person is still shown, and can be taken home now.
    assert page.save("glb")[:4] == b"glTF"
    assert page.send(photo)["person"] != before["person"]
    record_fault("disk full", "a photo sent", str(upload.value), True)
    record_fault("disk full", "a mesh saved", str(download.value), True)


def test_before_the_disk_is_full_nothing_more_is_received(page, photo, monkeypatch, address):
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda path: usage(100, 101, -1))
        with pytest.raises(FailedError) as refused:
            page.send(photo)
        failing = httpx.get(f"{address}/readyz").json()["failing"]
    assert "The server's disk is full" in str(refused.value) and failing == ["disk"]
    assert page.send(photo)["panes"]
    record_fault("disk nearly full", "a photo sent", str(refused.value), True)


def test_a_bug_in_a_listener_is_told_with_a_reference(page, photo, predictor):
    predictor.failure = ZeroDivisionError("a bug")
    with pytest.raises(FailedError) as told:
        page.send(photo)
    assert "Something went wrong on the server (reference" in str(told.value)
    assert page.send(photo)["panes"]
    record_fault("a bug in a listener", "ZeroDivisionError raised within", str(told.value), True)


def test_memory_that_runs_out_within_a_listener_is_told(page, photo, predictor):
    predictor.failure = MemoryError()
    with pytest.raises(FailedError) as told:
        page.send(photo)
    assert page.send(photo)["panes"]
    record_fault("no memory within a listener", "MemoryError raised within", str(told.value), True)


def test_an_upload_that_is_gone_is_asked_for_again(page, photo, cache):
    async def send():
        sent = page.layout.listener("photo-input", "upload")
        values = page.layout.values(sent)
        values[0] = await page.browser.upload("photo.jpg", photo)
        Path(values[0]["path"]).unlink()
        return await page.browser.run(sent, values)

    page.run(send)
    (notice,) = page.browser.notices
    assert notice.startswith("The file is not here any more") and str(cache) not in notice
    assert page.send(photo)["panes"]
    record_fault("an upload vanishes", "deleted before it was read", notice, True)


def test_what_a_killed_server_left_behind_is_swept_by_the_next(tmp_path):
    left = tmp_path / "0123" / "photo.jpg"
    code = (
        "import sys, time; from pathlib import Path; path = Path(sys.argv[1]); path.parent.mkdir();"
        "path.write_bytes(b'photo'); print('written', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(left)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    sweeper, end = Sweeper(tmp_path, every=0.05, age=0.2), time.monotonic() + 20
    while list(tmp_path.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.05)
    sweeper.stop()
    record_fault("server killed, uploads left", "started the sweeper", "the files are gone", True)


def test_figures_of_faults_are_json(tmp_path, monkeypatch):
    monkeypatch.setenv("HMNET_FAULT_LOG", str(tmp_path / "log"))
    record_fault("a fault", "done", "seen", True)
    assert json.loads((tmp_path / "log").read_text()) == {
        "fault": "a fault", "done": "done", "seen": "seen", "next": True,
    }  # fmt: skip
