"""The regulariser's numbers, against slow or known ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo import lab
from demo.lab import curve_figure, curves, face_angle, lab_table, signed_volume
from demo.session import Lab, regularise
from hmnet.mesh import MeshTopology, roughness
from hmnet.mesh import regularise as smooth
from hmnet.metrics import pa_surface_error, surface_error

TETRAHEDRON = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
SIDES = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


@pytest.mark.parametrize("settings", [Lab(), Lab(strength=0.4, operator="taubin"), Lab(enabled=False)])
def test_each_point_of_a_curve_is_that_many_iterations(models, of_example, body, topology, settings):
    session = regularise(models, of_example, settings)
    found = curves(session, body, topology)
    assert found.iterations.tolist() == list(range(11))
    raw, truth = (
        torch.as_tensor(v)[None] for v in (session.prediction.raw_vertices, session.example.vertices)
    )
    for i in (0, 1, 4, 10):
        mesh = smooth(raw, topology.neighbour_matrix, i, settings.strength, settings.operator)
        expected = (
            1000 * float(roughness(mesh, topology.neighbour_matrix)),
            float(surface_error(mesh, truth)),
            float(pa_surface_error(mesh, truth)),
        )
        np.testing.assert_allclose(
            (found.roughness[i], found.surface[i], found.pa_surface[i]), expected, rtol=1e-3
        )


def test_without_the_truth_there_is_no_error(of_photo, body, topology):
    found = curves(of_photo, body, topology)
    assert found.surface is None and found.pa_surface is None and len(found.roughness) == 11
    figure = curve_figure(found, 0)
    assert len(figure.data) == 1 and "yaxis2" not in figure.layout
    table = lab_table(of_photo, body, topology)
    assert "error" not in table and "Roughness, mm" in table and "Change of volume" in table


def test_the_plot_marks_the_current_iterations(of_example, body, topology):
    found = curves(of_example, body, topology)
    figure = curve_figure(found, 4)
    rough, surface, aligned = figure.data
    for trace in figure.data:
        assert np.argmax(trace.marker.size) == 4 and sorted(trace.marker.size)[-2] < max(trace.marker.size)
    assert figure.layout.shapes[0].x0 == 4
    assert rough.yaxis == "y" and surface.yaxis == aligned.yaxis == "y2"
    np.testing.assert_allclose(surface.y, found.surface, atol=0.006)
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)" and figure.layout.height == 240
    assert figure.layout.title.text is None
    assert surface.hovertext[4] == f"Surface error after 4: {found.surface[4]:.1f} mm"


def cells(table, name):
    """The numbers of the row with that name."""
    row = table.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
    return [float(cell.replace("\u2212", "-")) for cell in row.replace("<td>", "").split("</td>")[:-1]]


def test_the_table_sets_raw_beside_now(models, of_example, body, topology):
    session = regularise(models, of_example, Lab(iterations=3))
    table = lab_table(session, body, topology)
    found = curves(session, body, topology)
    for name, curve in (("Roughness, mm", found.roughness), ("Surface error, mm", found.surface),
                        ("PA surface error, mm", found.pa_surface)):  # fmt: skip
        np.testing.assert_allclose(cells(table, name), curve[[0, 3]], atol=0.051)
    joints = 1000 * np.linalg.norm(session.prediction.regressed_joints - session.example.joints, axis=1)
    np.testing.assert_allclose(cells(table, "Joint error, mm")[1], joints.mean(), atol=0.051)
    # Averaging shrinks, Taubin's operator hardly does; both flatten.
    raw, now = cells(table, "Change of volume, %")
    kept = regularise(models, of_example, Lab(iterations=3, operator="taubin"))
    assert raw == 0 and now < -2
    assert abs(cells(lab_table(kept, body, topology), "Change of volume, %")[1]) < -now / 4
    before, after = cells(table, "Angle between neighbouring faces, °")
    assert after < before


def test_roughness_falls_with_averaging(models, of_photo, body, topology):
    def told(session):
        return cells(lab_table(session, body, topology), "Roughness, mm")

    raw, now = told(of_photo)
    assert now < raw
    assert told(regularise(models, of_photo, Lab(enabled=False))) == [raw, raw]


def test_volume_has_its_sign_and_does_not_depend_on_the_place():
    # The cube of side 2 around it has the tetrahedron's volume three times.
    torch.testing.assert_close(signed_volume(TETRAHEDRON, SIDES), torch.tensor(8 / 3).double())
    turned_out = signed_volume(TETRAHEDRON + 5, SIDES.flip(1))
    torch.testing.assert_close(turned_out, torch.tensor(-8 / 3).double())
    both = signed_volume(torch.stack([TETRAHEDRON, 2 * TETRAHEDRON]), SIDES)
    torch.testing.assert_close(both[1], 8 * both[0])


def test_the_template_encloses_a_person_s_volume(body):
    assert 0.04 < float(signed_volume(body.vertices, body.faces)) < 0.12


def test_angle_between_faces_is_that_of_a_known_solid():
    topology = MeshTopology.from_faces(SIDES, 4)
    # The normals of a tetrahedron's faces, 180 degrees less arccos(1/3).
    expected = 180 - np.degrees(np.arccos(1 / 3))
    np.testing.assert_allclose(float(face_angle(TETRAHEDRON, topology)), expected, rtol=1e-6)
    # A square folded along its diagonal: only that edge has two faces.
    folded = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0.5**0.5], [0, 0, 0], [1, 1, 0]])
    square = MeshTopology.from_faces(torch.tensor([[2, 0, 3], [2, 3, 1]]), 4)
    np.testing.assert_allclose(float(face_angle(folded, square)), 90, rtol=1e-6)
    folded[1] = torch.tensor([0.0, 1, 0])
    assert float(face_angle(folded, square)) == 0


def test_faces_are_paired_as_a_slow_loop_pairs_them(body, topology):
    owners = {}
    for face, corners in enumerate(body.faces.tolist()):
        for a, b in ((0, 1), (1, 2), (2, 0)):
            owners.setdefault(frozenset((corners[a], corners[b])), []).append(face)
    expected = {tuple(sorted(pair)) for pair in owners.values() if len(pair) == 2}
    pairs = lab._face_pairs(topology)
    assert {tuple(sorted(pair)) for pair in pairs.tolist()} == expected
    assert len(pairs) == sum(len(pair) == 2 for pair in owners.values())


def test_a_mesh_without_a_change_shows_none(models, of_example, body, topology):
    prediction = of_example.prediction
    still = replace(of_example, prediction=replace(prediction, vertices=prediction.raw_vertices))
    assert cells(lab_table(still, body, topology), "Change of volume, %") == [0, 0]
