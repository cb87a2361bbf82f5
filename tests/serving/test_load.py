"""The load test in small, before the made-up predictor; `python -m tests.load` is the whole one."""

from dataclasses import replace

import numpy as np
import pytest

from tests.load.__main__ import run as visit_all
from tests.load.photos import Photo, whose


@pytest.fixture(scope="module")
def photos(examples, predictor) -> list[Photo]:
    found = []
    for path in sorted(examples.glob("*.jpg")):
        prediction = predictor.predict(path)
        found.append(Photo(path.read_bytes(), prediction.raw_vertices, prediction.joints))
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("tests.load.visitor.THINKS", (0.0, 0.2))
    monkeypatch.setattr("tests.load.visitor.LEAVES", 0.2)


def test_more_visitors_than_places_all_get_their_own_mesh_or_a_refusal(run, address, photos):
    figures = run(visit_all, address, photos, 8, 6)
    assert figures["errors"] == {}
    assert figures["meshes checked"] >= 4 and figures["files checked"] >= 4
    assert figures["refused"] >= 1 and figures["ready afterwards"]
    times = figures["times"]["photo to mesh"]
    assert 0 < times["p50"] <= times["p95"] <= times["most"]
    assert figures["memory"] and all(megabytes > 50 for _, megabytes in figures["memory"])


def test_a_mesh_of_another_photo_is_noticed(run, address, photos):
    exchanged = [
        replace(own, vertices=other.vertices, joints=other.joints)
        for own, other in zip(photos, photos[::-1], strict=True)
    ]
    figures = run(visit_all, address, exchanged, 2, 3)
    assert any(error.startswith("mesh of another photo") for error in figures["errors"])
    assert figures["errors"]["file of another photo"] >= 1


def test_a_mesh_of_nobody_is_noticed(photos):
    nearest, distance = whose(photos[0].vertices + np.float32(0.01), photos)
    assert nearest == 0 and distance > 10
