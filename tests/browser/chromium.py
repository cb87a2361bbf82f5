"""Debian's Chromium under Playwright, with WebGL drawn in software."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def find_chromium() -> str | None:
    """Path of the installed browser."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def launch(driver):
    """A headless browser of a `sync_playwright()` driver."""
    return driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
