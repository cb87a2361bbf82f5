"""Heatmaps against each mesh that there may be, and the table and the plot that tell of one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo.heat import MOVED, TRUTH, UPLOAD, HeatChoice, available, heat_of, histogram, worst, worst_table
from demo.part_change import PartChange
from demo.session import Lab, break_parts, regularise
from hmnet.errors import DataError
from hmnet.mesh import neighbour_average
from hmnet.metrics import pa_surface_error, similarity_align


def showing(session, vertices):
    """The session with that mesh shown."""
    return replace(session, prediction=replace(session.prediction, vertices=vertices.astype(np.float32)))


def turned(vertices, scale=1.0, shift=(0.0, 0.0, 0.0)):
    """Turned by 0.3 about y, scaled and shifted."""
    c, s = np.cos(0.3), np.sin(0.3)
    return scale * vertices @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) + shift


def moved_by(session, values):
    """The session whose regulariser moved each vertex by so many mm."""
    raw = session.prediction.raw_vertices
    return showing(session, raw + np.stack([values, 0 * values, 0 * values], 1) / 1000)


def test_of_a_photo_it_is_the_distance_moved(models, of_photo, body):
    heat = heat_of(of_photo, HeatChoice(), body, None)
    moved = of_photo.prediction.vertices - of_photo.prediction.raw_vertices
    assert heat.kind == MOVED and heat.title == "Moved, mm" and not heat.aligned
    assert heat.values.dtype == np.float32
    np.testing.assert_allclose(heat.values, 1000 * np.sqrt((moved**2).sum(-1)), rtol=1e-4)
    assert "This is no error: a photo has no ground truth." in heat.sentence
    off = regularise(models, of_photo, Lab(enabled=False))
    for align in (False, True):
        assert heat_of(off, HeatChoice(align=align), body, None).sentence == (
            "The regulariser is off: no vertex moved."
        )


def test_of_an_example_it_is_the_error(of_example, body):
    exact = showing(of_example, of_example.example.vertices + np.float32([0.003, 0.0, 0.004]))
    heat = heat_of(exact, HeatChoice(), body, None)
    assert heat.kind == TRUTH and heat.title == "Error, mm"
    np.testing.assert_allclose(heat.values, 5.0, rtol=1e-3)
    assert "surface error 5 mm (0 mm after Procrustes alignment)" in heat.sentence
    # What was moved can be asked for too, and then no photo is spoken of.
    moved = heat_of(of_example, HeatChoice(MOVED), body, None)
    assert moved.kind == MOVED and moved.sentence.endswith("This is no error.")


def test_alignment_leaves_only_the_shape_s_error(of_example, body):
    truth = of_example.example.vertices
    heat = heat_of(showing(of_example, turned(truth, 1.2, (0, 0, 0.1))), HeatChoice(align=True), body, None)
    assert heat.aligned and heat.values.max() < 0.01
    ripple = np.random.default_rng(1).normal(0, 0.02, truth.shape)
    rippled = showing(of_example, turned(truth + ripple, 1.2))
    heat = heat_of(rippled, HeatChoice(align=True), body, None)
    shown, true = (torch.as_tensor(v)[None] for v in (rippled.prediction.vertices, truth))
    expected = 1000 * (similarity_align(shown, true) - true).norm(dim=-1)[0]
    np.testing.assert_allclose(heat.values, expected, rtol=1e-4)
    surface = float(pa_surface_error(shown, true))
    assert f"after Procrustes alignment: surface error {surface:.0f} mm (" in heat.sentence


@pytest.mark.parametrize("lab", [Lab(), Lab(iterations=3, strength=0.5), Lab(enabled=False)])
def test_against_a_variant_it_is_the_distance_to_its_mesh_under_the_same_lab(
    models, of_photo, body, topology, lab
):
    session = regularise(models, of_photo, lab)
    heat = heat_of(session, HeatChoice("hmnet-unregularised"), body, None)
    raw = torch.as_tensor(of_photo.variants["hmnet-unregularised"].raw_vertices)
    iterations = lab.iterations if lab.enabled else 0
    smooth = neighbour_average(raw, topology.neighbour_matrix, iterations, lab.strength).numpy()
    distances = 1000 * np.linalg.norm(session.prediction.vertices - smooth, axis=1)
    np.testing.assert_allclose(heat.values, distances, rtol=1e-3)
    assert heat.kind == "hmnet-unregularised"
    assert heat.sentence.startswith(
        "Distance between HMNet's mesh and that of “Trained without Eq. 3”: 34.6 mm"
    )


def test_a_changed_part_map_is_told_of(models, of_photo, body):
    broken = break_parts(models, of_photo, PartChange(dropped=("left arm",)))
    sentence = heat_of(broken, HeatChoice("hmnet-unregularised"), body, None).sentence
    assert "HMNet's mesh from the changed part map" in sentence


@pytest.mark.parametrize("full", [False, True])
def test_an_upload_is_compared_as_a_template_mesh_with_its_pelvis_at_the_origin(of_photo, body, full):
    shown = of_photo.prediction.vertices
    pelvis = of_photo.prediction.regressed_joints[body.joint_index("pelvis")]
    offsets = np.random.default_rng(0).normal(0, 0.02, shown.shape)
    offsets -= body.regress_joints(torch.as_tensor(offsets)).numpy()[body.joint_index("pelvis")]
    # As a mesh from elsewhere: away from the origin, its pelvis too.
    mesh = torch.as_tensor((shown + offsets + [3, 1, 2]).astype(np.float32))
    uploaded = (body.upsample(mesh) if full else mesh).numpy()
    heat = heat_of(of_photo, HeatChoice(UPLOAD), body, uploaded)
    np.testing.assert_allclose(heat.values, 1000 * np.linalg.norm(offsets - pelvis, axis=1), atol=0.02)
    assert heat.title == "Distance to your mesh, mm" and "your mesh: " in heat.sentence


def test_what_is_not_to_be_had_is_said_in_a_sentence(of_photo, body):
    for choice, sentence in (
        (HeatChoice(TRUTH), "no ground truth"),
        (HeatChoice(UPLOAD), "no mesh of yours"),
        (HeatChoice("hmnet-oracle"), r"choose one of auto, moved, hmnet-unregularised\."),
    ):
        with pytest.raises(DataError, match=sentence):
            heat_of(of_photo, choice, body, None)
    with pytest.raises(DataError, match="13,718 vertices, got 7"):
        heat_of(of_photo, HeatChoice(UPLOAD), body, np.zeros((7, 3)))


def test_everything_offered_is_to_be_had(of_example, of_photo, body):
    mesh = body.vertices.numpy()
    for session, uploaded, values in (
        (of_photo, None, ["auto", "moved", "hmnet-unregularised"]),
        (of_example, mesh, ["auto", "truth", "moved", "hmnet-unregularised", "hmnet-oracle", "upload"]),
    ):
        offered = available(session, uploaded)
        assert sorted(value for _, value in offered) == sorted(values)
        assert len({label for label, _ in offered}) == len(offered)
        for value in values:
            assert heat_of(session, HeatChoice(value), body, uploaded).kind == value or value == "auto"


@pytest.mark.parametrize(("top", "limit"), [(0.0, 1), (3.4, 5), (42, 50), (51, 100), (180, 200)])
def test_the_colour_bar_ends_at_a_round_number_or_where_it_is_told(of_photo, body, top, limit):
    session = moved_by(of_photo, np.full(len(body.vertices), top))
    assert heat_of(session, HeatChoice(), body, None).limit == limit
    assert heat_of(session, HeatChoice(limit=35.0), body, None).limit == 35


def test_one_far_vertex_does_not_stretch_the_colour_bar(of_photo, body):
    values = np.full(len(body.vertices), 4.0)
    values[7] = 900
    assert heat_of(moved_by(of_photo, values), HeatChoice(), body, None).limit == 5


def test_the_worst_parts_come_first_each_with_its_farthest_vertex(of_photo, body):
    parts = body.vertex_parts.numpy()
    hand, head = (int(np.flatnonzero(parts == part)[3]) for part in (4, 23))
    values = np.full(len(parts), 1.0)
    values[[hand, head]] = 60, 80
    values[np.flatnonzero(parts == 4)[5]] = 50
    heat = heat_of(moved_by(of_photo, values), HeatChoice(), body, None)
    found = worst(heat, body, 3)
    assert [(name, vertex) for name, vertex, _ in found[:2]] == [("right head", head), ("left hand", hand)]
    np.testing.assert_allclose([mm for _, _, mm in found], [80, 60, 1], rtol=1e-3)
    assert len(worst(heat, body)) == 6
    table = worst_table(heat, body)
    mean = values[parts == 23].mean()
    assert f'<th scope="row">right head</th><td>{mean:.1f}</td><td>80.0</td><td>{head}</td>' in table
    assert heat.sentence in table and table.count("<tr>") == 7


def test_the_histogram_counts_every_vertex_and_ends_its_colours_at_the_limit(of_photo, body):
    values = np.linspace(0, 100, len(body.vertices))
    heat = heat_of(moved_by(of_photo, values), HeatChoice(limit=50.0), body, None)
    bars, mean, most = histogram(heat).data
    assert sum(bars.y) == len(values)
    assert bars.marker.cmax == 50 and max(bars.marker.color) == 50 and max(bars.x) > 98
    assert bars.marker.colorscale[0][1] == "#440154"
    np.testing.assert_allclose([mean.x[0], most.x[0]], [50, 95], atol=0.1)
    assert "mean 50.0 mm" in mean.name and "95 % below 95.0 mm" in most.name


def test_the_histogram_of_a_mesh_that_did_not_move_is_drawn(models, of_photo, body):
    off = heat_of(regularise(models, of_photo, Lab(enabled=False)), HeatChoice(), body, None)
    assert sum(histogram(off).data[0].y) == len(body.vertices)
