"""Debian's Chromium under Playwright, with WebGL drawn in software."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import av

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def find_chromium() -> str | None:
    """Path of the installed browser."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def launch(driver):
    """A headless browser of a `sync_playwright()` driver."""
    return driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)


def launch_with_camera(browser, film: Path, grants: bool = True):
    """Another browser of the same driver, whose camera shows a film; grants: the visitor allows it."""
    arguments = [
        *ARGUMENTS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}",
        *(["--use-fake-ui-for-media-stream"] if grants else []),
    ]  # fmt: skip
    return browser.browser_type.launch(executable_path=find_chromium(), args=arguments)


def write_film(path: Path, frames: Iterable[av.VideoFrame]) -> None:
    """Frames as a file that Chromium plays for a camera, in a loop: Motion JPEG, 480 px square."""
    with av.open(str(path), "w", format="mjpeg") as target:
        stream = target.add_stream("mjpeg", rate=25, options={"q:v": "3"})
        stream.width, stream.height, stream.pix_fmt = 480, 480, "yuvj420p"
        for frame in frames:
            target.mux(stream.encode(frame.reformat(480, 480, "yuvj420p")))
        target.mux(stream.encode())
