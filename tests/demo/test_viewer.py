"""What is sent to the 3D view: complete, in the camera frame, decodable."""

import base64
import json

import numpy as np
import pytest
import torch

from demo import viewer
from demo.figures import SKELETON
from demo.viewer import Layout, Pane, Shade, Skeleton

LAB = {"enabled": True, "iterations": 2, "strength": 0.5, "operator": "taubin"}


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.fixture
def panes(of_example):
    prediction = of_example.prediction
    heat = Shade(np.arange(1229) / 10, 100, "Error, mm")
    bones = (Skeleton("Joint branch", "#ff8800", prediction.joints),)
    return [
        Pane("raw", "Raw", "As it <b>is</b>", prediction.raw_vertices, colour="#d9a282"),
        Pane(
            "smooth", "Smooth", "", prediction.vertices, prediction.raw_vertices, "#8ecae6", heat, True, bones
        ),
    ]


def test_drawing_carries_the_panes_exactly(panes):
    layouts = [Layout("both", "Both", ("raw", "smooth")), Layout("one", "One", ("smooth",))]
    sent = json.loads(json.dumps(viewer.drawing("a1", panes, layouts, LAB)))
    assert sent["person"] == "a1" and sent["lab"] == LAB
    assert sent["layouts"][0] == {"name": "both", "title": "Both", "panes": ["raw", "smooth"]}
    raw, smooth = sent["panes"]
    assert (raw["title"], raw["sentence"], raw["colour"]) == ("Raw", "As it <b>is</b>", "#d9a282")
    assert raw["raw"] is None and raw["shade"] is None and raw["skeletons"] == []
    for text, vertices in (
        (raw["vertices"], panes[0].vertices), (smooth["vertices"], panes[1].vertices),
        (smooth["raw"], panes[1].raw), (smooth["skeletons"][0]["joints"], panes[1].skeletons[0].joints),
    ):  # fmt: skip
        np.testing.assert_array_equal(unpack(text, "<f4").reshape(-1, 3), vertices)
    np.testing.assert_allclose(unpack(smooth["shade"]["values"], "<f4"), panes[1].shade.values, rtol=1e-6)
    assert (smooth["shade"]["limit"], smooth["shade"]["title"]) == (100, "Error, mm")
    assert smooth["always_shaded"] is True and smooth["opacity"] == 1


@pytest.mark.parametrize(
    ("layouts", "words"),
    [
        ([Layout("a", "A", ("raw", "missing"))], "missing"),
        ([Layout("a", "A", ())], "0 panes"),
        ([Layout("a", "A", ("raw",) * 5)], "5 panes"),
        ([], "no layout"),
    ],
)
def test_layout_that_cannot_be_shown_is_refused(panes, layouts, words):
    with pytest.raises(ValueError, match=words):
        viewer.drawing("a1", panes, layouts, LAB)


def test_surfaces_index_every_vertex_and_name_its_part(body):
    surfaces = viewer.surfaces({"anny": body})["bodies"]["anny"]
    for name, faces in (("full", body.full_faces), ("template", body.faces)):
        sent = unpack(surfaces[name]["faces"], "<u2").reshape(-1, 3)
        np.testing.assert_array_equal(sent, faces.numpy())
        parts = unpack(surfaces[name]["parts"], "u1")
        assert len(parts) == faces.max() + 1 and parts.min() == 1 and parts.max() == 24
    assert len(surfaces["part_names"]) == len(surfaces["part_colours"]) == 25
    names = [[body.joint_names[joint] for joint in bone] for bone in surfaces["bones"]]
    assert names == [list(bone) for bone in SKELETON]


def test_the_sparse_operator_makes_the_full_surface(body):
    sent = viewer.surfaces({"anny": body})["bodies"]["anny"]["upsampling"]
    rows = np.repeat(np.arange(13_718), unpack(sent["counts"], "u1"))
    full = np.zeros((13_718, 3))
    vertices = body.vertices.double().numpy()
    weights = unpack(sent["weights"], "<f4")[:, None]
    np.add.at(full, rows, weights * vertices[unpack(sent["columns"], "<u2")])
    np.testing.assert_allclose(full, body.upsample(torch.as_tensor(vertices)).numpy(), atol=1e-9)


def test_page_asks_for_no_other_host():
    for text in (viewer.page_markup(), viewer.SCRIPT, viewer.STYLE.read_text(encoding="utf-8")):
        assert "http" not in text and "//cdn" not in text


def test_every_control_can_be_named_by_a_screen_reader():
    markup = viewer.page_markup()
    assert markup.count("<button") == markup.count('<button type="button"') > 12
    assert markup.count('role="group" aria-label=') == len(viewer.BUTTONS) + 2
    assert markup.count('class="plot" tabindex="0" role="application" aria-label=') == 4
