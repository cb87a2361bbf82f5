"""Pictures of the page at three widths in both themes: `python tests/browser/screenshots.py OUTPUT`.

WIDTH-THEME.png show the whole page with an example and the shipped weights, LESSON-THEME.png each lesson with
its 3D view. Look at the pictures before they go anywhere.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
sys.path.insert(0, str(Path(__file__).parents[2]))

from chromium import launch
from playwright.sync_api import Page, sync_playwright

from demo.captions import LESSONS
from demo.hands import find_hands
from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app
from hmnet.checkpoint import load_checkpoint
from hmnet.comparison import Comparison
from hmnet.predictor import Predictor

WIDTHS = {390: 844, 1280: 800, 1920: 1080}
THEMES = ("light", "dark")
LESSON_WIDTH = 1280


def main() -> None:
    """Serves the page, waits until all panels are drawn, and saves the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--example", help="which example: the stem of its file (default: the first)")
    parser.add_argument("--hands", action="store_true", help="with the switch at Hand")
    parser.add_argument("--hand-weights", help="folder of a checkpoint of hands")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    predictor = Predictor(load_checkpoint())
    app = build_app(Models(predictor, Comparison(predictor)), hands=find_hands(options.hand_weights))
    query = f"mode={'hand' if options.hands else 'body'}&example={options.example or ''}"
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    with sync_playwright() as driver:
        browser = launch(driver)
        for theme in THEMES:
            for width, height in WIDTHS.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}?__theme={theme}&{query}")
                page.wait_for_selector("[data-draws='1']", timeout=120_000, state="attached")
                page.wait_for_timeout(1500)
                page.screenshot(path=options.output / f"{width}-{theme}.png", full_page=True)
                if width == LESSON_WIDTH:
                    save_lessons(page, options.output, theme)
                page.close()
        browser.close()
    app.close()


def save_lessons(page: Page, output: Path, theme: str) -> None:
    """Each lesson from its tab to the end of the 3D view, where it can be coloured by error."""
    for name, (title, _) in LESSONS.items():
        page.locator("#lessons").get_by_role("tab", name=title, exact=True).click()
        page.locator(f"#viewer [data-value={'error' if name == 'variants' else 'plain'}]").click()
        page.wait_for_timeout(1200)
        top, bottom = page.locator("#lessons").bounding_box(), page.locator("#viewer").bounding_box()
        offset = page.evaluate("window.scrollY")
        clip = {"x": top["x"] - 16, "y": top["y"] + offset - 8, "width": top["width"] + 32,
                "height": bottom["y"] + bottom["height"] - top["y"] + 24}  # fmt: skip
        page.screenshot(path=output / f"{name}-{theme}.png", full_page=True, clip=clip)


if __name__ == "__main__":
    main()
