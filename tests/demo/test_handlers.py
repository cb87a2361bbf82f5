"""What the page's controls compute, without Gradio."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from demo import handlers
from demo.handlers import MOVED, TRUTH, Lab
from hmnet.errors import ImageError, NoPersonFoundError
from hmnet.mesh import MeshTopology
from hmnet.predictor import Person


def test_regulariser_settings_act_without_the_networks(predictor, of_photo):
    calls = predictor.calls
    raw = of_photo.prediction.raw_vertices
    off = handlers.regularise(predictor, of_photo, Lab(enabled=False, iterations=5))
    np.testing.assert_array_equal(off.prediction.vertices, raw)
    half, full, twice = (
        handlers.regularise(predictor, of_photo, lab).prediction.vertices
        for lab in (Lab(strength=0.5), Lab(), Lab(iterations=2))
    )
    np.testing.assert_allclose(half, (raw + full) / 2, atol=1e-6)
    assert not np.allclose(full, twice, atol=1e-3)
    assert predictor.calls == calls


def test_heat_of_a_photo_is_the_distance_moved(predictor, of_photo, body):
    heat = handlers.heat(of_photo, body)
    moved = of_photo.prediction.vertices - of_photo.prediction.raw_vertices
    assert heat.kind == MOVED
    np.testing.assert_allclose(heat.values, 1000 * np.sqrt((moved**2).sum(-1)), rtol=1e-4)
    assert "moved" in heat.sentence and "no ground truth" in heat.sentence
    off = handlers.regularise(predictor, of_photo, Lab(enabled=False))
    assert "off" in handlers.heat(off, body).sentence


def test_heat_of_an_example_is_the_error(of_example, body):
    heat = handlers.heat(of_example, body)
    assert heat.kind == TRUTH
    shifted = of_example.example.vertices + np.float32([0.003, 0.0, 0.004])
    exact = replace(of_example, prediction=replace(of_example.prediction, vertices=shifted))
    heat = handlers.heat(exact, body)
    np.testing.assert_allclose(heat.values, 5.0, rtol=1e-3)
    assert "surface error 5 mm (0 mm after Procrustes alignment)" in heat.sentence


@pytest.mark.parametrize(("top", "limit"), [(0.0, 1), (3.4, 5), (42, 50), (51, 100), (180, 200)])
def test_colour_bar_ends_at_a_round_number(of_photo, body, top, limit):
    prediction = of_photo.prediction
    moved = replace(prediction, vertices=prediction.raw_vertices + np.float32([top / 1000, 0, 0]))
    heat = handlers.heat(replace(of_photo, prediction=moved), body)
    assert heat.limit == limit


def test_roughness_falls_with_averaging(of_photo, body):
    topology = MeshTopology.from_faces(body.faces, len(body.vertices))
    line = handlers.roughness_line(of_photo, topology)
    raw, now = (float(word) for word in line.replace("mm", " ").split() if word[0].isdigit())
    assert now < raw


def test_panels_have_the_photos_size_and_differ(of_photo, body):
    shape = of_photo.prediction.image.shape
    panels = [
        handlers.photo_panel(of_photo), handlers.parts_panel(of_photo),
        handlers.joints_panel(of_photo, body), handlers.mesh_panel(of_photo, body),
    ]  # fmt: skip
    for panel in panels:
        assert panel.shape == shape and panel.dtype == np.uint8
        assert (panel != of_photo.prediction.image).any(-1).mean() > 0.005


def test_panels_follow_a_photo_that_was_scaled_down(predictor, tmp_path, body):
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    Image.fromarray(noise).resize((2400, 3600)).save(tmp_path / "large.jpg")
    session = handlers.reconstruct(predictor, tmp_path / "large.jpg", None, Lab())
    panel = handlers.mesh_panel(session, body)
    assert panel.shape == (960, 640, 3)
    plain = handlers.figures.shrink(session.prediction.image)
    rows, columns = np.nonzero((panel != plain).any(-1))
    box = session.prediction.box * 640 / 2400
    np.testing.assert_allclose([columns.min(), rows.min(), columns.max(), rows.max()], box, atol=25)


def test_legend_tells_the_agreement_only_where_truth_is_known(of_example, of_photo):
    assert "true part" not in handlers.parts_legend(of_photo)
    truth = of_example.example.part_map
    right = replace(of_example, prediction=replace(of_example.prediction, part_map=truth))
    assert "100% of them carry their true part" in handlers.parts_legend(right)


def test_legend_has_its_rows_before_there_is_a_photo(of_photo):
    empty, filled = handlers.parts_legend(None), handlers.parts_legend(of_photo)
    assert empty.count("<li") == filled.count("<li") == 24


def test_status_names_weights_device_timings_and_notice(predictor, of_photo):
    line = handlers.status_line(of_photo, predictor)
    for fact in ("made-up body", "fake", "none", "cpu", "46 ms"):
        assert f"<dd>{fact}</dd>" in line
    assert "notice" not in line


def test_glb_stands_upright_in_metres(of_photo, body, tmp_path):
    mesh = trimesh.load(handlers.export_glb(of_photo, body, tmp_path), force="mesh", process=False)
    full = body.upsample(torch.as_tensor(of_photo.prediction.vertices)).numpy()
    np.testing.assert_allclose(mesh.vertices, full * [1, -1, -1], atol=1e-5)
    assert len(mesh.faces) == len(body.full_faces)
    assert len(np.unique(mesh.visual.vertex_colors, axis=0)) == 24


def test_json_holds_what_was_found(of_photo, body, tmp_path):
    content = json.loads(handlers.export_json(of_photo, body, tmp_path).read_text())
    assert content["weights"]["source"] == "made-up body"
    assert list(content["joint_branch"]) == list(body.joint_names)
    np.testing.assert_allclose(list(content["joint_branch"].values()), of_photo.prediction.joints, atol=1e-5)
    np.testing.assert_allclose(content["box"], of_photo.prediction.box, atol=0.01)


def test_bad_photos_raise_sentences(predictor, tmp_path):
    text = tmp_path / "notes.jpg"
    text.write_text("no photo")
    with pytest.raises(ImageError):
        handlers.reconstruct(predictor, text, None, Lab())
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "wall.png")
    with pytest.raises(NoPersonFoundError):
        handlers.reconstruct(predictor, tmp_path / "wall.png", None, Lab())


def with_people(session, *boxes):
    people = tuple(Person(np.array(box, float), 0.5) for box in boxes)
    return replace(session, prediction=replace(session.prediction, people=people))


def test_of_several_people_the_one_that_is_clicked_is_looked_at(predictor, of_photo):
    own = of_photo.prediction.box
    beside, within = (
        own + np.array([30, 0, 30, 0]),
        np.array([own[0] + 2, own[1] + 2, own[0] + 40, own[1] + 60]),
    )
    session = with_people(of_photo, own, beside, within)
    scale = handlers.photo_panel(session).shape[1] / session.prediction.photo_size[0]
    chosen = handlers.choose(predictor, session, (within[:2] + 5) * scale, Lab())
    np.testing.assert_allclose(chosen.prediction.box, within)
    assert len(chosen.prediction.people) == 3 and chosen.example is None
    assert "3 people" in handlers.people_line(chosen)
    # Nobody new: outside all boxes, or the person who is shown already.
    assert handlers.choose(predictor, session, (0, 0), Lab()) is None
    alone = with_people(of_photo, own)
    assert handlers.choose(predictor, alone, (own[:2] + 5) * scale, Lab()) is None
    assert handlers.people_line(alone) == ""


def test_other_people_s_boxes_are_drawn(of_photo):
    own = of_photo.prediction.box
    alone, two = (handlers.photo_panel(with_people(of_photo, *boxes)) for boxes in ((own,), (own, own / 2)))
    assert not np.array_equal(alone, two)


def test_an_example_keeps_to_the_person_whose_truth_it_has(predictor, of_example):
    session = with_people(of_example, of_example.prediction.box, [0, 0, 300, 300])
    assert handlers.choose(predictor, session, (10, 10), Lab()) is None
    assert handlers.people_line(session) == ""
