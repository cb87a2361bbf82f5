"""The page as a visitor uses it."""

import json
from urllib.parse import urlsplit

import numpy as np
import pytest
import trimesh
from PIL import Image

pytestmark = pytest.mark.browser

PANELS = ("photo", "parts", "joints", "mesh")


def pictures(page) -> dict[str, str]:
    """Address of each panel's picture once it is loaded; those still empty are left out."""
    script = """names => Object.fromEntries(names.map(name => {
        const image = document.querySelector(`#panel-${name} img`);
        image?.scrollIntoView();
        return [name, image?.complete && image.naturalWidth > 100 ? image.src : null];
    }))"""
    return {name: address for name, address in page.evaluate(script, PANELS).items() if address}


def mesh(page, view: str) -> dict:
    """What Plotly draws in a view: vertices, triangles and, for the heatmap, values."""
    return page.evaluate(
        """view => {
            const trace = document.querySelector(`[data-view=${view}] .plot`).data[0];
            const all = (values) => values === undefined ? null : Array.from(values);
            return {x: all(trace.x), y: all(trace.y), z: all(trace.z), i: all(trace.i),
                    intensity: all(trace.intensity), cmax: trace.cmax ?? null};
        }""",
        view,
    )


def camera(page, view: str) -> np.ndarray:
    """Eye and centre, (2, 3), that a view is really drawn with."""
    script = """view => {
        const {scene} = document.querySelector(`[data-view=${view}] .plot`)._fullLayout;
        const {eye, center} = scene._scene.getCamera();
        return [eye, center].map(({x, y, z}) => [x, y, z]);
    }"""
    return np.array(page.evaluate(script, view))


def linked_camera(page) -> np.ndarray:
    """The one camera of all three views once they came to rest."""
    page.wait_for_timeout(500)
    cameras = [camera(page, view) for view in ("raw", "regularised", "heat")]
    for other in cameras[1:]:
        np.testing.assert_allclose(other, cameras[0], atol=1e-5)
    return cameras[0]


def draws(page) -> int:
    return int(page.evaluate("document.querySelector('[data-draws]').dataset.draws"))


def wait_for_draw(page, before: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('[data-draws]').dataset.draws) > {before}")


def upload(page, path) -> None:
    page.locator("#photo-input button[aria-label='Remove Image']").click()
    page.locator("#photo-input input[type=file]").set_input_files(str(path))


def test_first_example_fills_the_page_and_shows_its_error(page):
    page.wait_for_function("document.querySelectorAll('#pictures img').length === 4")
    heat = page.locator("[data-view=heat]")
    assert heat.locator("h3").inner_text() == "Error against ground truth"
    assert "surface error" in heat.locator(".caption").inner_text()
    assert page.problems == []


def test_uploaded_photo_fills_every_panel(page, photo, predictor):
    page.wait_for_function("document.querySelectorAll('#pictures img').length === 4")
    before, calls, drawn = pictures(page), predictor.calls, draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    page.wait_for_timeout(500)
    after = pictures(page)
    assert set(after) == set(PANELS)
    assert not set(after.values()) & set(before.values()), "a panel still shows the example"
    assert predictor.calls == calls + 1
    raw, heat = mesh(page, "raw"), mesh(page, "heat")
    assert len(raw["x"]) == len(heat["intensity"]) == 13_718
    assert len(raw["i"]) == 27_420
    assert max(heat["intensity"]) > 0
    assert page.locator("[data-view=heat] h3").inner_text() == "Moved by the regulariser"
    assert "no ground truth" in page.locator("[data-view=heat] .caption").inner_text()
    assert "left hand" in page.locator("#legend").inner_text()
    assert "Weights" in page.locator("#status").inner_text()
    assert page.locator("#status dd").filter(has_text="ms").count() >= 3
    assert page.problems == []


def test_colour_bar_stands_beside_the_heatmap(page):
    bar = page.locator("[data-view=heat] .colour-bar")
    assert bar.is_visible()
    ticks = bar.locator(".ticks span").all_inner_texts()
    assert ticks[0] == "0" and ticks[-1].endswith(" mm")
    assert float(ticks[-1].removesuffix(" mm")) == mesh(page, "heat")["cmax"]


def test_regulariser_acts_at_once_without_the_network(page, predictor):
    calls, drawn = predictor.calls, draws(page)
    raw, on = mesh(page, "raw"), mesh(page, "regularised")
    overlay = pictures(page)["mesh"]
    page.locator("#enabled input").uncheck()
    wait_for_draw(page, drawn)
    page.wait_for_function("before => document.querySelector('#panel-mesh img').src !== before", arg=overlay)
    off = mesh(page, "regularised")
    assert off["x"] == raw["x"] and off["x"] != on["x"]
    assert mesh(page, "raw")["x"] == raw["x"], "the raw mesh must not change"
    drawn = draws(page)
    page.locator("#enabled input").check()
    wait_for_draw(page, drawn)
    assert mesh(page, "regularised")["x"] == on["x"]
    drawn = draws(page)
    iterations = page.locator("#iterations input[type=number]")
    iterations.fill("4")
    iterations.press("Enter")
    wait_for_draw(page, drawn)
    assert np.std(mesh(page, "regularised")["z"]) < np.std(on["z"]), "averaging more must shrink the mesh"
    assert predictor.calls == calls


def test_cameras_stay_linked_after_mouse_wheel_keys_and_buttons(page):
    start = linked_camera(page)
    plot = page.locator("[data-view=regularised] .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10, steps=5)
    page.mouse.up()
    turned = linked_camera(page)
    assert np.linalg.norm(turned[0] - start[0]) > 0.3
    np.testing.assert_allclose(np.linalg.norm(turned[0]), np.linalg.norm(start[0]), rtol=1e-4)
    page.mouse.wheel(0, 300)
    zoomed = linked_camera(page)
    np.testing.assert_allclose(zoomed[0] / np.linalg.norm(zoomed[0]), turned[0] / np.linalg.norm(turned[0]))
    assert np.linalg.norm(zoomed[0]) > 1.2 * np.linalg.norm(turned[0])
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    moved = linked_camera(page)
    assert np.linalg.norm(moved[1]) > 0.02
    np.testing.assert_allclose(moved[0] - moved[1], zoomed[0], atol=1e-5)
    plot.press("ArrowRight")
    assert np.linalg.norm(linked_camera(page)[0] - moved[0]) > 0.05
    page.locator("[data-camera=back]").click()
    eye, centre = linked_camera(page)
    assert eye[2] > 0.5 and abs(eye[:2]).max() < 1e-6 and not centre.any()
    plot.press("Home")
    np.testing.assert_allclose(linked_camera(page), start, atol=1e-5)


def test_views_switch_between_full_surface_and_network_mesh(page, predictor):
    calls, drawn = predictor.calls, draws(page)
    page.locator("[data-mesh=template]").click()
    wait_for_draw(page, drawn)
    assert len(mesh(page, "regularised")["x"]) == 1_229
    assert predictor.calls == calls


def test_bad_upload_is_told_and_the_app_goes_on(page, photo, tmp_path, predictor):
    text = tmp_path / "notes.jpg"
    text.write_text("These are notes, not a photo.")
    upload(page, text)
    notice = page.get_by_test_id("toast-body").first
    notice.wait_for()
    assert "notes.jpg" in notice.inner_text()
    assert "Traceback" not in notice.inner_text() and "Error" not in notice.inner_text()
    page.wait_for_function("document.querySelectorAll('#pictures img').length === 4")
    drawn = draws(page)
    page.locator("#photo-input input[type=file]").set_input_files(str(photo))
    wait_for_draw(page, drawn)
    assert page.locator("[data-view=heat] h3").inner_text() == "Moved by the regulariser"


def test_uploads_are_deleted_once_they_were_read(page, photo, served):
    drawn = draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    address = page.locator("#photo-input img").get_attribute("src")
    assert page.request.get(address).status in (403, 404)


def test_mesh_and_joints_can_be_saved(page, tmp_path):
    with page.expect_download() as download:
        page.locator("#glb").click()
    download.value.save_as(tmp_path / "mesh.glb")
    assert len(trimesh.load(tmp_path / "mesh.glb", force="mesh").faces) == 27_420
    with page.expect_download() as download:
        page.locator("#json").click()
    download.value.save_as(tmp_path / "joints.json")
    assert len(json.loads((tmp_path / "joints.json").read_text())["joint_branch"]) == 24


def test_an_example_can_be_picked_and_run_again(page, predictor):
    calls, drawn = predictor.calls, draws(page)
    page.locator("#examples button").nth(1).click()
    wait_for_draw(page, drawn)
    assert predictor.calls == calls + 1
    page.locator("#run").click()
    for _ in range(100):
        if predictor.calls > calls + 1:
            break
        page.wait_for_timeout(100)
    assert predictor.calls == calls + 2
    assert page.locator("[data-view=heat] h3").inner_text() == "Error against ground truth"


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_other_host_is_asked(page, photo, served):
    drawn = draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    page.wait_for_timeout(500)
    # Addresses without a host are data the page itself holds (data:, blob:).
    assert page.hosts - {""} == {urlsplit(served).netloc}


def test_of_two_people_the_other_can_be_clicked(page, examples, predictor, tmp_path):
    if not hasattr(predictor, "find_people"):
        pytest.skip("needs the shipped weights")
    names = ("running", "waving")
    pair = [Image.open(examples / f"{name}.jpg").resize((480, 480)) for name in names]
    both = Image.new("RGB", (960, 480))
    for place, picture in enumerate(pair):
        both.paste(picture, (480 * place, 0))
    both.save(tmp_path / "both.jpg", quality=92)
    drawn = draws(page)
    upload(page, tmp_path / "both.jpg")
    wait_for_draw(page, drawn)
    page.wait_for_timeout(500)
    assert "people were found" in page.locator("#people").inner_text()
    calls, drawn, first = predictor.calls, draws(page), mesh(page, "regularised")
    panel = page.locator("#panel-photo img")
    panel.scroll_into_view_if_needed()
    frame = panel.bounding_box()
    for share in (0.25, 0.75):
        # A click on the person who is shown already changes nothing; one of the two is the other.
        panel.click(position={"x": share * frame["width"], "y": 0.55 * frame["height"]})
        page.wait_for_timeout(1500)
    wait_for_draw(page, drawn)
    assert predictor.calls >= calls + 1
    assert mesh(page, "regularised")["x"] != first["x"]
    assert page.problems == []
