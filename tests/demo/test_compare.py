"""What the variants and a broken part map are said to do, with made-up answers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo import compare
from demo.compare import parts_sentence, square, variant_meshes, variant_table
from demo.part_change import PartChange
from demo.session import Lab, break_parts, regularise
from hmnet.mesh import roughness, taubin_smooth


def row(table, title):
    """The cells of the row with that title."""
    found = table.split(f'<th scope="row">{title}</th>')[1].split("</tr>")[0]
    return [float(cell) for cell in found.replace("<td>", "").split("</td>")[:-1]]


def heads(table):
    return [cell.split("</th>")[0] for cell in table.split("<tbody>")[0].split('scope="col">')[1:]]


def test_variants_come_raw_and_under_the_lab_s_settings(models, of_example, topology):
    session = regularise(models, of_example, Lab(True, 2, 0.5, "taubin"))
    meshes = variant_meshes(session, topology)
    assert next(iter(meshes)) == "hmnet" and set(meshes) == {"hmnet", *session.variants}
    for name, answer in session.variants.items():
        raw, shown = meshes[name]
        np.testing.assert_array_equal(raw, answer.raw_vertices)
        expected = taubin_smooth(torch.as_tensor(raw), topology.neighbour_matrix, 2, 0.5)
        np.testing.assert_allclose(shown, expected, atol=1e-6)
    np.testing.assert_allclose(meshes["hmnet"][1], session.untouched.vertices, atol=1e-6)
    off = variant_meshes(regularise(models, of_example, Lab(enabled=False)), topology)
    for raw, shown in off.values():
        np.testing.assert_array_equal(raw, shown)


def test_hmnet_is_compared_on_the_same_part_map_as_the_others(models, of_example, topology):
    broken = break_parts(models, of_example, PartChange(dropped=("head",)))
    assert np.abs(broken.prediction.raw_vertices - broken.untouched.raw_vertices).max() > 0.001
    np.testing.assert_array_equal(variant_meshes(broken, topology)["hmnet"][0], broken.untouched.raw_vertices)


def test_the_table_has_the_paper_s_errors_where_the_truth_is_known(of_example, body, topology):
    meshes = variant_meshes(of_example, topology)
    # The truth is HMNet's own mesh: it has no error, and what is 2 cm off along each axis has that.
    mesh = meshes["hmnet"][1]
    joints = body.regress_joints(torch.as_tensor(mesh)).numpy()
    known = replace(of_example, example=replace(of_example.example, vertices=mesh, joints=joints))
    table = variant_table(known, body, topology)
    assert heads(table) == ["Variant", "Surface", "Joint", "PA surface", "PA joint", "Roughness"]
    rough = 1000 * float(roughness(torch.as_tensor(mesh), topology.neighbour_matrix))
    off = 20 * np.sqrt(3)
    for title, expected in (
        ("HMNet", (0, 0, 0, 0, rough)),
        ("Trained without Eq. 3", (off, off, 0, 0, rough)),
    ):
        np.testing.assert_allclose(row(table, title), expected, atol=0.06)
    assert table.index("HMNet<") < table.index("Trained without Eq. 3<")


def test_the_table_has_the_distance_to_hmnet_where_it_is_not(of_photo, body, topology):
    table = variant_table(of_photo, body, topology)
    assert heads(table) == ["Variant", "From HMNet’s mesh", "Roughness"]  # noqa: RUF001
    assert row(table, "HMNet")[0] == 0 and "HMNet-Oracle" not in table
    np.testing.assert_allclose(row(table, "Trained without Eq. 3")[0], 20 * np.sqrt(3), atol=0.06)
    assert row(table, "HMNet")[1] > 0


@pytest.mark.parametrize("lab", [Lab(), Lab(enabled=False), Lab(iterations=7, strength=0.3)])
def test_the_square_is_always_averaging_off_and_on(models, of_example, topology, lab):
    corners = square(regularise(models, of_example, lab), topology)
    assert list(corners) == ["square-with-off", "square-with-on", "square-without-off", "square-without-on"]
    raw = of_example.untouched.raw_vertices
    np.testing.assert_array_equal(corners["square-with-off"].vertices, raw)
    averaged = (topology.neighbour_matrix @ torch.as_tensor(raw).double()).numpy()
    np.testing.assert_allclose(corners["square-with-on"].vertices, averaged, atol=1e-6)
    np.testing.assert_allclose(corners["square-without-on"].vertices, averaged + 0.02, atol=1e-6)
    corner = corners["square-with-on"]
    truth = of_example.example.vertices
    np.testing.assert_allclose(
        corner.surface, 1000 * np.linalg.norm(averaged - truth, axis=1).mean(), rtol=1e-4
    )
    assert corner.roughness < corners["square-with-off"].roughness / 2
    assert corner.title == "Trained with Eq. 3, averaging on"


def test_without_the_variant_half_a_square_is_left(of_photo, topology):
    corners = square(replace(of_photo, variants={}), topology)
    assert list(corners) == ["square-with-off", "square-with-on"]
    assert all(corner.surface is None for corner in corners.values())


def test_the_sentence_tells_what_breaking_the_map_did(models, of_example, of_photo, body):
    assert parts_sentence(of_example, body) == ""
    vertex = int((body.vertex_parts == 5).nonzero()[0, 0])
    for session, end in (
        (of_photo, "left foot, 300 mm)."),
        (of_example, "left foot, 300 mm); surface error "),
    ):
        broken = break_parts(models, session, PartChange(swapped=True))
        moved = session.untouched.vertices + np.float32([0, 0.01, 0])
        moved[vertex] += np.float32([0, 0.29, 0])
        broken = replace(broken, prediction=replace(broken.prediction, vertices=moved))
        sentence = parts_sentence(broken, body)
        assert sentence.startswith(f"The mesh moved by 10.2 mm on average (largest: {end}")
    errors = (
        1000 * np.linalg.norm(mesh - of_example.example.vertices, axis=1).mean()
        for mesh in (of_example.untouched.vertices, moved)
    )
    assert sentence.endswith("surface error {:.1f} → {:.1f} mm.".format(*errors))


def test_the_square_s_table_has_a_row_for_each_corner(of_example, of_photo, topology):
    table = compare.square_table(of_example, topology)
    assert table.count("<tr>") == 5 and "Surface error" in table and compare.SQUARE in table
    without = replace(of_photo, variants={})
    table = compare.square_table(without, topology)
    assert table.count("<tr>") == 3 and "Surface error" not in table and compare.NO_SQUARE in table
