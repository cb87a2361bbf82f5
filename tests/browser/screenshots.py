"""Pictures of the page at three widths in both themes: `python tests/browser/screenshots.py OUTPUT`.

Shows the first example with the shipped weights; look at the pictures before they go anywhere.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
sys.path.insert(0, str(Path(__file__).parents[2]))

from chromium import launch
from playwright.sync_api import sync_playwright

from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app
from hmnet.checkpoint import load_checkpoint
from hmnet.comparison import Comparison
from hmnet.predictor import Predictor

WIDTHS = {390: 844, 1280: 800, 1920: 1080}
THEMES = ("light", "dark")


def main() -> None:
    """Serves the page, waits until all panels are drawn, and saves WIDTH-THEME.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--example", type=int, default=0, help="which example of the gallery")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    predictor = Predictor(load_checkpoint())
    app = build_app(Models(predictor, Comparison(predictor)))
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    with sync_playwright() as driver:
        browser = launch(driver)
        for width, height in WIDTHS.items():
            for theme in THEMES:
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}?__theme={theme}")
                page.wait_for_selector("[data-draws='1']", timeout=120_000)
                if options.example:
                    page.locator("#examples button").nth(options.example).click()
                    page.wait_for_selector("[data-draws='2']", timeout=120_000)
                # Pictures far below the window are loaded once they are scrolled to.
                page.locator("#panel-mesh").scroll_into_view_if_needed()
                page.wait_for_timeout(1500)
                page.evaluate("window.scrollTo(0, 0)")
                page.screenshot(path=options.output / f"{width}-{theme}.png", full_page=True)
                page.close()
        browser.close()
    app.close()


if __name__ == "__main__":
    main()
