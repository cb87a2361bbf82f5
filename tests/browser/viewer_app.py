"""An app with just the 3D view and a made-up person; what its tests ask the page for."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import numpy as np
import torch

from demo import viewer
from demo.viewer import Layout, Pane, Shade, Skeleton
from hmnet.body import load_body
from hmnet.mesh import MeshTopology, regularise

PAGE_STYLE = Path(viewer.__file__).with_name("style.css")
BODY = load_body()
TOPOLOGY = MeshTopology.from_faces(BODY.faces, len(BODY.vertices))
LAB = {"enabled": True, "iterations": 1, "strength": 1.0, "operator": "average"}
LIMIT = 50.0
LAYOUTS = [
    Layout("three", "Three", ("raw", "smooth", "heat")),
    Layout("one", "One", ("bones",)),
    Layout("two", "Two", ("raw", "bones")),
    Layout("four", "Four", ("raw", "smooth", "heat", "bones")),
]


def regularised(vertices: np.ndarray, lab: dict) -> np.ndarray:
    iterations = lab["iterations"] if lab["enabled"] else 0
    matrix, settings = TOPOLOGY.neighbour_matrix, (iterations, lab["strength"], lab["operator"])
    return regularise(torch.as_tensor(vertices), matrix, *settings).numpy()


def rippled(seed: int) -> np.ndarray:
    """The template (V, 3) at rest, each vertex off by some millimetres."""
    noise = np.random.default_rng(seed).normal(0, 0.004, BODY.vertices.shape)
    return (BODY.vertices.numpy() + noise).astype(np.float32)


RAW = rippled(1)
LEFT = np.where(RAW[:, 0] > 0, LIMIT, 0).astype(np.float32)
"""Values (V,) that are high on the person's left alone."""


def make_value(person: str = "first", raw: np.ndarray = RAW, lab: dict = LAB) -> dict:
    vertices = regularised(raw, lab)
    shade = Shade(LEFT, LIMIT, "Error, mm")
    joints = BODY.regress_joints(torch.as_tensor(vertices)).numpy()
    panes = [
        Pane("raw", "Raw surface", "As it <b>came</b>.", raw, colour="#d9a282"),
        Pane("smooth", "Regularised surface", "Averaged.", vertices, raw, shade=shade),
        Pane("heat", "Error of the surface", "To the truth.", vertices, raw, shade=shade, always_shaded=True),
        Pane("bones", "Joints", "Bones.", vertices, raw, opacity=0.4, skeletons=(
            Skeleton("Joint branch", "#ff0000", joints + np.float32(0.01)),)),
    ]  # fmt: skip
    return viewer.drawing(person, panes, LAYOUTS, lab)


VALUES = {
    "first": make_value(),
    "again": make_value(lab={**LAB, "iterations": 3}),
    "moved": make_value(raw=RAW + np.float32([0.2, 0, 0])),
    "other": make_value("other", rippled(2) * np.float32(0.8)),
}
"""By the name of the button that shows them."""


@contextmanager
def serve() -> Iterator[str]:
    """The address of an app with the view and a button for each value."""
    with gr.Blocks(analytics_enabled=False) as app:
        view = gr.HTML(
            None, html_template=viewer.page_markup(), js_on_load=viewer.SCRIPT, apply_default_css=False,
            surfaces=viewer.surfaces({BODY.name: BODY}),
        )  # fmt: skip
        for name, value in VALUES.items():
            gr.Button(name, elem_id=name).click(lambda value=value: value, None, view)
    _, url, _ = app.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False,
        css_paths=[PAGE_STYLE, viewer.STYLE], theme=gr.themes.Base(font=("sans-serif",)),
    )  # fmt: skip
    yield url
    app.close()


def open_page(context, address: str, show: str | None = "first"):
    """A page of the app that shows a value; `page.problems` are the errors of its scripts."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.hmnetViewer !== undefined")
    if show:
        show_value(page, show)
    return page


def show_value(page, name: str) -> None:
    before = int(data(page, "draws") or 0)
    page.locator(f"#{name}").click()
    page.wait_for_function(f"document.querySelector('[data-draws]')?.dataset.draws == {before + 1}")


def data(page, name: str) -> str | None:
    return page.evaluate(
        "name => [...document.querySelectorAll('[data-draws]')].map(one => one.dataset[name])[0]", name
    )


def settle(page) -> None:
    """Waits for two frames: what is asked for now is painted in the next one."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def call(page, method: str, *arguments):
    """What a method of the view's interface returns, once the page is painted anew."""
    result = page.evaluate(
        "([method, ...rest]) => hmnetViewer[method](...rest) ?? null", [method, *arguments]
    )
    settle(page)
    return result


def vertices(page, pane: str) -> np.ndarray:
    """(N, 3) m, as a pane draws them."""
    script = "pane => Array.from(hmnetViewer.geometry(pane).vertices)"
    return np.array(page.evaluate(script, pane)).reshape(-1, 3)


def values(page, pane: str) -> np.ndarray:
    return np.array(page.evaluate("pane => Array.from(hmnetViewer.geometry(pane).values)", pane))


def camera(page) -> np.ndarray:
    """Yaw, pitch, distance and centre (6,)."""
    settle(page)
    return np.array(page.evaluate("hmnetViewer.state().camera"))


def press(page, value: str):
    page.locator(f".viewer-bar [data-value={value}]").click()
    settle(page)


def plot(page, pane: str):
    return page.locator(f"[data-view={pane}] .plot")


def pixels(page, pane: str) -> np.ndarray:
    """What a pane's canvas shows, (H, W, 4) uint8, straight alpha."""
    script = """pane => {
        const canvas = document.querySelector(`[data-view=${pane}] canvas`);
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const letters = Array.from(data, (value) => String.fromCharCode(value));
        return [canvas.height, canvas.width, btoa(letters.join(""))];
    }"""
    height, width, text = page.evaluate(script, pane)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)


def projected(page, points: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Where the camera sees points (N, 3) in a pane of that size: (N, 3), px, px and depth in m.

    Written anew from the camera's definition: 45 degrees from top to bottom, and yaw and pitch turn the
    viewer about the centre, from the front, where he looks along +z with -y up.
    """
    yaw, pitch, distance, *centre = camera(page)
    turned = (points - centre) @ np.array(
        [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    )
    tilted = turned @ np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    )
    depth = tilted[:, 2] + distance
    width, height = size
    focal = height / 2 / np.tan(np.pi / 8)
    return np.stack(
        [width / 2 + focal * tilted[:, 0] / depth, height / 2 + focal * tilted[:, 1] / depth, depth], 1
    )
