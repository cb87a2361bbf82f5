"""A tailor's measures: right on shapes with known girths, and the same in any pose."""

import numpy as np
import pytest
import torch

from hmnet.body import load_body
from hmnet.figures.body_measures import GIRTHS, MEASURES, SexFromMeasures, Tailor, level_tape


def cylinder(sides: int = 24, rings: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """An upright tube of radius 1 about y, rings 1 apart."""
    angle = 2 * np.pi * np.arange(sides) / sides
    vertices = np.concatenate(
        [np.stack([np.cos(angle), np.full(sides, float(y)), np.sin(angle)], 1) for y in range(rings)]
    )
    faces = []
    for ring in range(rings - 1):
        for side in range(sides):
            a, b = ring * sides + side, ring * sides + (side + 1) % sides
            faces += [[a, b, a + sides], [b, b + sides, a + sides]]
    return vertices, np.array(faces)


def test_the_tape_round_a_cylinder_is_its_circumference():
    vertices, faces = cylinder()
    tape = level_tape(vertices, faces, 1.3)
    # Every second piece lies in a triangle's slanted half: together they are the polygon.
    expected = 24 * 2 * np.sin(np.pi / 24)
    assert tape.length(torch.from_numpy(vertices)).item() == pytest.approx(expected, rel=1e-9)
    wider = torch.from_numpy(vertices * [2, 1, 2])
    assert tape.length(torch.stack([wider, wider])).tolist() == pytest.approx([2 * expected] * 2)


def test_measures_of_the_template_are_those_of_an_adult():
    body = load_body()
    tailor = Tailor(body)
    measures = dict(zip(MEASURES, tailor.measure(body.vertices[None])[0].tolist(), strict=True))
    stature = float(body.vertices[:, 1].max() - body.vertices[:, 1].min())
    assert measures["stature"] == pytest.approx(stature, rel=0.03)
    assert 0.7 < measures["waist"] < measures["chest"] < measures["hips"] < 1.1
    torch.testing.assert_close(
        tailor.measure(2 * body.vertices[None]), 2 * tailor.measure(body.vertices[None])
    )
    # A closed tape meets every vertex of its own twice.
    assert (
        all(len(tape.edges) > 30 for tape in tailor.tapes.values()) and tailor.tapes.keys() == GIRTHS.keys()
    )


def test_a_pose_changes_a_measure_little():
    pytest.importorskip("numba", reason="posing people needs numba (requirements-dev.txt)")
    from hmnet.data.synthetic.people.person import bodies
    from hmnet.data.synthetic.poses.anchors import anchor_poses
    from hmnet.figures.shape_people import person_of

    poses = anchor_poses()[0][::8]
    same = np.repeat(person_of(0)[None], len(poses), 0)
    posed = bodies(poses, np.random.default_rng(0), full=False, phenotypes=same)["template"]
    measures = Tailor(load_body()).measure(torch.from_numpy(posed))
    spread = dict(zip(MEASURES, (measures.std(0) / measures.mean(0)).tolist(), strict=True))
    assert spread["stature"] < 0.01 and spread["waist"] < 0.01
    assert max(spread.values()) < 0.06, spread


def test_a_linear_sex_is_found_again():
    measures = torch.from_numpy(np.random.default_rng(0).uniform(0.5, 2, (60, len(MEASURES))))
    gender = 0.3 + 0.5 * np.log(measures[:, 1].numpy()) - 0.2 * np.log(measures[:, 3].numpy())
    sex = SexFromMeasures.fit(measures[:40], gender[:40])
    np.testing.assert_allclose(sex(measures[40:]), gender[40:], atol=1e-9)
