"""The page as a visitor uses it: the photo and the lessons."""

import numpy as np
import pytest
import torch
from PIL import Image
from reading import (
    LAYOUTS,
    choose_mesh,
    draws,
    fill,
    heat,
    lesson,
    mesh,
    pictures,
    titles,
    upload,
    wait_for_draw,
    wait_for_other_pictures,
    wait_for_text,
)

from hmnet.body import load_body
from hmnet.export import write_obj
from hmnet.mesh import MeshTopology, regularise

pytestmark = pytest.mark.browser


# --- photo ------------------------------------------------------------------------------------------------


def test_first_example_fills_the_page_and_shows_its_error(page):
    assert titles(page)[:2] == list(LAYOUTS["Regulariser"])
    assert "surface error" in page.locator("#viewer").inner_text()
    assert len(set(pictures(page).values())) == 4
    assert "Weights" in page.locator("#status").inner_text()
    assert page.locator("#status dd").filter(has_text="ms").count() >= 3
    assert page.problems == []


def test_uploaded_photo_fills_every_panel(page, photo, predictor):
    before, calls, drawn = pictures(page), predictor.calls, draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    wait_for_other_pictures(page, before)
    assert predictor.calls == calls + 1
    assert len(mesh(page, "raw")) == len(heat(page)) == 13_718
    assert "no ground truth" in page.locator("#viewer").inner_text()
    assert page.problems == []


def test_bad_upload_is_told_and_the_app_goes_on(page, photo, tmp_path):
    text = tmp_path / "notes.jpg"
    text.write_text("These are notes, not a photo.")
    upload(page, text)
    notice = page.get_by_test_id("toast-body").first
    notice.wait_for()
    assert "notes.jpg" in notice.inner_text()
    assert "Traceback" not in notice.inner_text() and "Error" not in notice.inner_text()
    drawn = draws(page)
    page.locator("#photo-input input[type=file]").set_input_files(str(photo))
    wait_for_draw(page, drawn)
    assert "no ground truth" in page.locator("#viewer").inner_text()


def test_uploads_are_deleted_once_they_were_read(page, photo):
    drawn = draws(page)
    upload(page, photo)
    wait_for_draw(page, drawn)
    address = page.locator("#photo-input img").get_attribute("src")
    assert page.request.get(address).status in (403, 404)


def test_an_example_can_be_picked_and_run_again(page, predictor):
    calls, drawn = predictor.calls, draws(page)
    page.locator("#examples button").nth(1).click()
    wait_for_draw(page, drawn)
    assert predictor.calls == calls + 1
    drawn = draws(page)
    page.locator("#run").click()
    wait_for_draw(page, drawn)
    assert predictor.calls == calls + 2
    assert "surface error" in page.locator("#viewer").inner_text()


def test_a_dragged_box_is_reconstructed(page, predictor):
    lesson(page, "Break the parts")
    drawn = draws(page)
    page.locator("#swapped input").check()
    wait_for_draw(page, drawn)
    calls, drawn, before = predictor.calls, draws(page), mesh(page, "raw")
    layer = page.locator("#pictures .box-layer")
    layer.scroll_into_view_if_needed()
    layer.focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for_draw(page, drawn)
    assert predictor.calls == calls + 1
    assert np.abs(mesh(page, "raw") - before).max() > 1e-4
    # The new box has a part map of its own, with nothing changed.
    page.wait_for_function("!document.querySelector('#swapped input').checked")
    np.testing.assert_array_equal(mesh(page, "after"), mesh(page, "before"))
    assert page.problems == []


def test_of_two_people_the_other_can_be_clicked(page, examples, predictor, tmp_path):
    if not hasattr(predictor, "find_people"):
        pytest.skip("needs the shipped weights")
    pair = [Image.open(examples / f"{name}.jpg").resize((480, 480)) for name in ("running", "waving")]
    both = Image.new("RGB", (960, 480))
    for place, picture in enumerate(pair):
        both.paste(picture, (480 * place, 0))
    both.save(tmp_path / "both.jpg", quality=92)
    drawn = draws(page)
    upload(page, tmp_path / "both.jpg")
    wait_for_draw(page, drawn)
    wait_for_text(page, "#people", "people were found")
    page.wait_for_timeout(500)
    calls, drawn, first = predictor.calls, draws(page), mesh(page, "regularised")
    canvas = page.locator("#pictures [data-picture=photo] canvas")
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    for share in (0.25, 0.75):
        # A click on the person who is shown already changes nothing; one of the two is the other.
        page.mouse.click(frame["x"] + share * frame["width"], frame["y"] + 0.52 * frame["height"])
        page.wait_for_timeout(1500)
    wait_for_draw(page, drawn)
    assert predictor.calls >= calls + 1
    assert np.abs(mesh(page, "regularised") - first).max() > 1e-3
    chosen, drawn = mesh(page, "regularised"), draws(page)
    page.locator("#run").click()
    wait_for_draw(page, drawn)
    np.testing.assert_allclose(mesh(page, "regularised"), chosen, atol=5e-3)
    assert page.problems == []


# --- lessons ----------------------------------------------------------------------------------------------


def test_each_lesson_shows_its_own_panes_without_the_network(page, predictor, models):
    calls, drawn = predictor.calls, draws(page)
    for title, expected in LAYOUTS.items():
        lesson(page, title)
        page.wait_for_timeout(300)
        shown = titles(page)
        if "HMNet-Oracle" in expected and "hmnet-oracle" not in models.comparison.names:
            expected = expected[:1]
        assert shown[: len(expected)] == list(expected), title
    assert predictor.calls == calls and draws(page) == drawn
    assert page.problems == []


def test_regulariser_acts_at_once_without_the_network(page, predictor):
    calls, drawn = predictor.calls, draws(page)
    raw, on = mesh(page, "raw"), mesh(page, "regularised")
    before = pictures(page)
    page.locator("#enabled input").uncheck()
    wait_for_draw(page, drawn)
    np.testing.assert_allclose(mesh(page, "regularised"), raw, atol=1e-6)
    wait_for_other_pictures(page, before, ["mesh"])
    drawn = draws(page)
    page.locator("#enabled input").check()
    wait_for_draw(page, drawn)
    np.testing.assert_allclose(mesh(page, "regularised"), on, atol=1e-6)
    np.testing.assert_allclose(mesh(page, "raw"), raw, atol=1e-7)
    assert predictor.calls == calls


@pytest.mark.parametrize(("operator", "label"), [("average", "Mean of neighbours"), ("taubin", "Taubin")])
def test_what_the_browser_previews_is_what_the_server_computes(page, operator, label):
    page.locator("#viewer button[data-value=template]").click()
    raw = torch.tensor(mesh(page, "raw"), dtype=torch.float32)
    body = load_body()
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    expected = regularise(raw, matrix, 4, 0.5, operator).numpy()
    settings = {"enabled": True, "iterations": 4, "strength": 0.5, "operator": operator}
    page.evaluate("settings => window.hmnetViewer.regularise(settings)", settings)
    np.testing.assert_allclose(mesh(page, "regularised"), expected, atol=2e-6)
    page.locator("#operator").get_by_text(label).click()
    for selector, value in (("#iterations", "4"), ("#strength", "0.5")):
        drawn = draws(page)
        fill(page, selector, value)
        wait_for_draw(page, drawn)
    page.wait_for_timeout(2500)
    np.testing.assert_allclose(mesh(page, "regularised"), expected, atol=2e-6)


def test_numbers_and_curves_follow_the_regulariser(page):
    before = page.locator("#lab-table").inner_text()
    drawn = draws(page)
    fill(page, "#iterations", "6")
    wait_for_draw(page, drawn)
    changed = "before => document.querySelector('#lab-table').innerText !== before"
    page.wait_for_function(changed, arg=before)
    curves = "Array.from(document.querySelector('#curves .js-plotly-plot').data, t => Array.from(t.y).length)"
    assert 11 in page.evaluate(curves)


def test_heatmap_compares_with_what_is_chosen(page, predictor):
    lesson(page, "Heatmap")
    calls, truth = predictor.calls, heat(page)
    drawn = draws(page)
    page.locator("#align input").check()
    wait_for_draw(page, drawn)
    assert heat(page).mean() < truth.mean(), "aligned, the error must fall"
    drawn = draws(page)
    page.locator("#against input").click()
    page.get_by_role("option", name="Itself before averaging").click()
    wait_for_draw(page, drawn)
    moved = heat(page)
    assert np.abs(moved - truth).max() > 1
    drawn = draws(page)
    fill(page, "#limit", "40")
    wait_for_draw(page, drawn)
    page.wait_for_timeout(300)
    bar = page.locator("#viewer .colour-bar.shown").first
    assert bar.locator(".ticks span").last.inner_text() == "40 mm"
    assert page.locator("#worst tbody tr").count() > 3
    assert predictor.calls == calls


def test_a_mesh_of_the_visitor_s_can_be_compared_with(page, tmp_path):
    lesson(page, "Heatmap")
    own = mesh(page, "regularised") * 1.02
    body = load_body()
    path = write_obj(tmp_path / "mine.obj", own, body.full_faces)
    drawn = draws(page)
    choose_mesh(page, path)
    wait_for_draw(page, drawn)
    # Two per cent of a body's half metre or so.
    assert 2 < heat(page).mean() < 25
    (tmp_path / "broken.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    choose_mesh(page, tmp_path / "broken.obj")
    notice = page.get_by_test_id("toast-body").first
    notice.wait_for()
    assert "1,229" in notice.inner_text() and "Traceback" not in notice.inner_text()


def test_a_broken_part_map_moves_the_mesh_and_can_be_mended(page, predictor):
    lesson(page, "Break the parts")
    calls, drawn = predictor.calls, draws(page)
    before, shown = mesh(page, "before"), pictures(page)
    np.testing.assert_array_equal(mesh(page, "after"), before)
    page.locator("#dropped").get_by_text("left leg").click()
    wait_for_draw(page, drawn)
    assert predictor.calls == calls + 1
    assert np.abs(mesh(page, "after") - before).max() > 1e-3
    np.testing.assert_allclose(mesh(page, "before"), before, atol=1e-6)
    wait_for_text(page, "#change-line", "The mesh moved by")
    wait_for_other_pictures(page, shown, ["parts"])
    for click in ("#swapped", "#true-parts"):
        drawn, after = draws(page), mesh(page, "after")
        page.locator(f"{click} input").check()
        wait_for_draw(page, drawn)
        assert np.abs(mesh(page, "after") - after).max() > 1e-4, click
    drawn, after = draws(page), mesh(page, "after")
    fill(page, "#noise", "0.8")
    wait_for_draw(page, drawn)
    assert np.abs(mesh(page, "after") - after).max() > 1e-4
    drawn = draws(page)
    page.locator("#mend").click()
    wait_for_draw(page, drawn)
    np.testing.assert_allclose(mesh(page, "after"), before, atol=1e-6)
    page.wait_for_function("!document.querySelector('#swapped input').checked")


def test_joints_and_variants_are_listed(page, models):
    lesson(page, "Joints")
    wait_for_text(page, "#joint-table", "apart on average")
    assert page.locator("#joint-table tbody tr").count() == 24
    lesson(page, "Variants")
    wait_for_text(page, "#variant-table", "HMNet")
    rows = page.locator("#variant-table tbody tr")
    assert rows.count() == 1 + len(models.comparison.names)
