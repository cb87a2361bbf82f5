"""An app with just the four pictures and a made-up person; what its tests ask the page for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import numpy as np

from demo import captions, photo_view
from demo.photo_view import Figure2D, PhotoScene
from hmnet.body import PART_INDEX, load_body

STYLE = Path(photo_view.__file__).with_name("style.css")
BODY = load_body()
SIZE = (600, 800)
"""Width and height of the upright photo; it is sent at half that size."""
GREY = (90, 120, 150)
HAND, HEAD = PART_INDEX["left hand"], PART_INDEX["right head"]
MESH = (200, 60, 30)
WRIST = BODY.joint_index("left_wrist")


def make_scene() -> PhotoScene:
    """A grey photo with a head above a hand, whose lower half is in truth a head too."""
    labels = np.zeros((64, 64), np.uint8)
    labels[16:32, 16:48], labels[32:48, 16:48] = HEAD, HAND
    truth = labels.copy()
    truth[40:48, 16:48] = HEAD
    first = np.stack([np.linspace(150, 350, 24), np.linspace(100, 700, 24)], 1)
    second = first + np.array([6.0, 0])
    second[WRIST] = first[WRIST] - [120, 0]
    overlay = np.zeros((400, 300, 4), np.uint8)
    overlay[100:300, 50:200] = (*MESH, 255)
    return PhotoScene(
        image=np.full((400, 300, 3), GREY, np.uint8), photo_size=SIZE, box=np.array([100, 100, 400, 700]),
        crop=np.array([-50.0, 100, 590, 740]),
        people=(np.array([420.0, 200, 580, 600]), np.array([10.0, 10, 90, 60])),
        labels=labels, true_labels=truth,
        figures=(
            Figure2D(captions.BRANCH, "#ffffff", first),
            Figure2D(captions.REGRESSED, "#00ff00", second),
        ),
        overlay=overlay,
    )  # fmt: skip


def make_scenes() -> dict[str, PhotoScene]:
    """By the name of the button that shows them."""
    scene = make_scene()
    moved = np.zeros_like(scene.overlay)
    moved[:50] = (*MESH, 255)
    turned = {
        "image": np.full((300, 400, 3), GREY, np.uint8), "photo_size": SIZE[::-1], "people": (),
        "true_labels": None, "overlay": None, "box": np.array([10.0, 10, 200, 300]),
    }  # fmt: skip
    return {"person": scene, "smoother": replace(scene, overlay=moved), "other": replace(scene, **turned)}


@contextmanager
def serve() -> Iterator[str]:
    """The address of an app with the four pictures, a box that tells events, and a button for each scene."""
    with gr.Blocks(analytics_enabled=False) as app:
        view = gr.HTML(
            None, html_template=photo_view.page_markup(), js_on_load=photo_view.SCRIPT, elem_id="photos",
            apply_default_css=False, settings=photo_view.settings({BODY.name: BODY}),
        )  # fmt: skip
        told = gr.Textbox(elem_id="told")

        def tell(event: gr.EventData) -> str:
            return json.dumps(event._data)

        view.choose(tell, None, told)
        view.box(tell, None, told)
        for name, scene in make_scenes().items():
            value = photo_view.drawing(scene)
            gr.Button(name, elem_id=name).click(lambda value=value: value, None, view)
    _, url, _ = app.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False,
        css_paths=[STYLE, photo_view.STYLE], theme=gr.themes.Base(font=("sans-serif",)),
    )  # fmt: skip
    yield url
    app.close()


def open_page(context, address, show: str | None = "person"):
    """A page of the app that shows a scene; `page.hosts` it asked, `page.problems` it had."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.hosts, page.problems = set(), []
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.hmnetPhotos !== undefined")
    if show:
        show_scene(page, show)
    return page


def show_scene(page, name: str) -> None:
    before = page.evaluate("Number(document.querySelector('[data-draws]')?.dataset.draws ?? 0)")
    page.locator(f"#{name}").click()
    page.wait_for_function(f"document.querySelector('[data-draws]')?.dataset.draws == {before + 1}")
    settle(page)


def settle(page) -> None:
    """Waits for two frames: what is asked for now is painted in the next one."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def card(page, name: str):
    return page.locator(f"[data-picture={name}]")


def place(page, name: str, x: float, y: float, size=SIZE) -> tuple[float, float]:
    """Where in the window a card shows the photo's point; the card is scrolled into view."""
    canvas = card(page, name).locator("canvas")
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    scale = frame["width"] / max(size)
    margins = [(frame["width"] - side * scale) / 2 for side in size]
    return frame["x"] + margins[0] + x * scale, frame["y"] + margins[1] + y * scale


def colour(page, name: str, x: float, y: float, size=SIZE) -> tuple[int, int, int]:
    """What a card's canvas shows at the photo's point."""
    script = """([name, x, y, [width, height]]) => {
        const canvas = document.querySelector(`[data-picture=${name}] canvas`);
        const scale = canvas.width / Math.max(width, height);
        const at = [[x, width], [y, height]].map(
            ([place, side]) => Math.floor((canvas.width - side * scale) / 2 + place * scale));
        return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
    }"""
    settle(page)
    *rgb, alpha = page.evaluate(script, [name, x, y, size])
    assert alpha == 255
    return tuple(rgb)


def is_like(seen, expected, tolerance: int = 6) -> bool:
    return np.abs(np.subtract(seen, expected)).max() <= tolerance


def set_slider(page, name: str, value: int) -> None:
    card(page, name).locator("[type=range]").fill(str(value))


def drag(page, start, end, shift: bool = False) -> None:
    page.mouse.move(*start)
    if shift:
        page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def told(page) -> dict:
    """The last event's data; waits for it."""
    box = page.locator("#told textarea")
    page.wait_for_function("document.querySelector('#told textarea').value !== ''")
    return json.loads(box.input_value())


def readout(page, name: str) -> str:
    settle(page)
    return card(page, name).locator(".readout").inner_text()
