"""What a test reads off the page and does on it, over a Playwright page."""

import numpy as np

PICTURES = ("photo", "parts", "joints", "mesh")
LAYOUTS = {
    "Regulariser": ("Raw surface", "Regularised surface"),
    "With and without (Fig. 8)": ("Trained with Eq. 3, averaging off", "Trained with Eq. 3, averaging on"),
    "Heatmap": ("Ground truth", "Regularised surface"),
    "Break the parts": ("Before", "After"),
    "Joints": ("Two sets of joints", "Against the true joints"),
    "Variants": ("HMNet", "HMNet-Oracle"),
}


def pictures(page) -> dict[str, str]:
    """What each of the four canvases shows, as a data URL."""
    script = """names => Object.fromEntries(names.map(name =>
        [name, document.querySelector(`#pictures [data-picture=${name}] canvas`).toDataURL()]))"""
    return page.evaluate(script, PICTURES)


def mesh(page, pane: str) -> np.ndarray:
    """Vertices (N, 3) in m as a pane draws them."""
    script = "name => Array.from(window.hmnetViewer.geometry(name).vertices)"
    return np.array(page.evaluate(script, pane)).reshape(-1, 3)


def heat(page) -> np.ndarray:
    """Values in mm of the heatmap's vertices."""
    return np.array(page.evaluate("Array.from(window.hmnetViewer.geometry('heat').values)"))


def wait_for_other_pictures(page, before: dict[str, str], names=PICTURES) -> None:
    """Waits until the canvases of these names show something else than before."""
    script = """([before, names]) => names.every(name => {
        const canvas = document.querySelector(`#pictures [data-picture=${name}] canvas`);
        return canvas.toDataURL() !== before[name];
    })"""
    page.wait_for_function(script, arg=[before, list(names)])


def wait_for_text(page, selector: str, text: str) -> None:
    script = "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)"
    page.wait_for_function(script, arg=[selector, text])


def draws(page) -> int:
    return int(
        page.evaluate("document.querySelector('#viewer [data-draws], #viewer[data-draws]').dataset.draws")
    )


def wait_for_draw(page, before: int) -> None:
    script = """before => Number(document.querySelector('#viewer [data-draws], #viewer[data-draws]')
        .dataset.draws) > before"""
    page.wait_for_function(script, arg=before)


def upload(page, path) -> None:
    page.locator("#photo-input button[aria-label='Remove Image']").click()
    page.locator("#photo-input input[type=file]").set_input_files(str(path))


def choose_mesh(page, path) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator("#mesh-file").click()
    chooser.value.set_files(path)


def lesson(page, title: str) -> None:
    page.locator("#lessons").get_by_role("tab", name=title, exact=True).click()


def titles(page) -> list[str]:
    """Titles of the panes that are shown."""
    return [text for text in page.locator("#viewer .pane h3").all_inner_texts() if text]


def fill(page, selector: str, value: str) -> None:
    number = page.locator(f"{selector} input[type=number]")
    number.fill(value)
    number.press("Enter")
