"""What is sent to the 3D view: complete, in the camera frame, decodable."""

import base64

import numpy as np
import torch

from demo import handlers, viewer


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def test_drawing_carries_both_meshes_and_the_heat(of_photo, body):
    heat = handlers.heat(of_photo, body)
    drawn = viewer.drawing(of_photo, heat, body)
    prediction = of_photo.prediction
    for name, vertices in (("raw", prediction.raw_vertices), ("regularised", prediction.vertices)):
        template = unpack(drawn["template"][name], "<f4").reshape(3, -1).T
        np.testing.assert_array_equal(template, vertices)
        full = unpack(drawn["full"][name], "<f4").reshape(3, -1).T
        np.testing.assert_array_equal(full, body.upsample(torch.as_tensor(vertices)).numpy())
    np.testing.assert_array_equal(unpack(drawn["template"]["heat"], "<f4"), heat.values)
    full = unpack(drawn["full"]["heat"], "<f4")
    assert len(full) == 13_718
    assert heat.values.min() <= full.min() and full.max() <= heat.values.max() * 1.0001
    assert drawn["limit"] == heat.limit and drawn["sentence"] == heat.sentence


def test_shown_cube_holds_the_mesh_and_ignores_the_regulariser(predictor, of_photo, body):
    drawn = viewer.drawing(of_photo, handlers.heat(of_photo, body), body)
    offsets = np.abs(of_photo.prediction.raw_vertices - drawn["centre"])
    assert offsets.max() < drawn["half"] < 1.2 * offsets.max()
    np.testing.assert_allclose(np.array(drawn["extent"]) * drawn["half"], offsets.max(0), rtol=1e-4)
    off = handlers.regularise(predictor, of_photo, handlers.Lab(enabled=False))
    other = viewer.drawing(off, handlers.heat(off, body), body)
    assert (other["centre"], other["half"]) == (drawn["centre"], drawn["half"])


def test_surfaces_index_every_vertex_and_name_its_part(body):
    surfaces = viewer.surfaces(body)
    for name, faces in (("full", body.full_faces), ("template", body.faces)):
        sent = unpack(surfaces[name]["faces"], "<u2").reshape(3, -1).T
        np.testing.assert_array_equal(sent, faces.numpy())
        parts = unpack(surfaces[name]["parts"], "u1")
        assert len(parts) == faces.max() + 1 and parts.min() == 1 and parts.max() == 24


def test_plotly_is_the_packages_own_file():
    head = viewer.PLOTLY_JS.read_bytes()[:200]
    assert b"plotly.js" in head and b"MIT" in head


def test_page_asks_for_no_other_host():
    for text in (viewer.page_markup(), viewer.SCRIPT):
        assert "http" not in text
