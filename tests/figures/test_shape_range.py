"""Shape variation: bodies that differ in one thing, and numbers that are known for known meshes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

numba = pytest.importorskip("numba", reason="rendering people needs numba (requirements-dev.txt)")

from hmnet.body import load_body  # noqa: E402
from hmnet.body.template import load_anny  # noqa: E402
from hmnet.figures import shape_drawing, shape_people, shape_range  # noqa: E402
from hmnet.figures.body_measures import MEASURES, Tailor  # noqa: E402
from hmnet.figures.shape_people import AVERAGE, LEVELS, Shaped, learn_sex, person_of, shaped_people  # noqa: E402


@pytest.fixture(scope="module")
def scene() -> list[Shaped]:
    return list(shaped_people(1))


def test_a_person_of_named_phenotypes():
    names = load_anny().phenotype_names
    values = dict(zip(names, person_of(1, weight=0.8).tolist(), strict=True))
    assert values == {"gender": 1, "weight": 0.8, "muscle": 0.5, "proportions": 0.5} | AVERAGE


def test_one_scene_shows_every_body_once(scene):
    assert [(one.varied, one.level) for one in scene] == [(name, i) for name in LEVELS for i in range(5)]
    assert {one.scene for one in scene} == {0}
    assert [one.gender for one in scene[:5]] == list(LEVELS["gender"])
    assert all(one.gender == 0 for one in scene[5:])
    assert [one.common for one in scene if one.varied == "height"] == [False, True, False, False, False]


def test_bodies_grow_with_what_is_varied(scene):
    measures = Tailor(load_body()).measure(torch.from_numpy(np.stack([s.sample.vertices for s in scene])))
    of = {name: measures[[one.varied == name for one in scene]] for name in LEVELS}
    for varied, measure in (("height", "stature"), ("weight", "waist")):
        values = of[varied][:, MEASURES.index(measure)]
        assert (values.diff() > 0).all(), varied
    stature = MEASURES.index("stature")
    assert of["age"][0, stature] < 0.7 * of["age"][3, stature]


def test_the_pose_stays(scene):
    """Directions of the thighs are those of the pose and the view, whatever the body."""
    body = load_body()
    hip, knee = (body.joint_index(f"left_{joint}") for joint in ("hip", "knee"))
    thighs = np.stack([one.sample.joints[knee] - one.sample.joints[hip] for one in scene])
    thighs /= np.linalg.norm(thighs, axis=1, keepdims=True)
    assert (thighs @ thighs.T).min() > np.cos(np.radians(12))


def test_sex_is_read_from_true_meshes(scene):
    measures = Tailor(load_body()).measure(torch.from_numpy(np.stack([s.sample.vertices for s in scene])))
    read = learn_sex()(measures)
    gender = np.array([one.gender for one in scene])
    adult = np.array([one.varied != "age" or one.level > 1 for one in scene])
    clear = adult & ((gender == 0) | (gender == 1))
    assert ((read > 0.5) == (gender > 0.5))[clear].mean() > 0.9


def people(count: int) -> list[Shaped]:
    """Bodies of a population in place of rendered people."""
    generator = np.random.default_rng(0)
    phenotypes = torch.from_numpy(shape_people.sample_phenotypes(generator, count)).float()
    vertices = load_anny().rest(phenotypes, "template")[0].numpy()
    varied = [name for name in LEVELS for _ in range(5)]
    return [
        Shaped(SimpleNamespace(vertices=mesh), 0, float(n % 2), varied[n % 25], n % 5)
        for n, mesh in enumerate(vertices)
    ]


def test_true_meshes_agree_wholly_and_half_meshes_half():
    everybody = people(50)
    truth = torch.from_numpy(np.stack([one.sample.vertices for one in everybody]))
    right, half = (shape_range.measure(load_body(), everybody, truth * scale) for scale in (1, 0.5))
    for name in MEASURES:
        agreement = right["measures"][name]
        assert agreement["mean absolute error"] == pytest.approx(0, abs=1e-6)
        assert [agreement["correlation"], agreement["slope"]] == pytest.approx([1, 1])
        assert half["measures"][name]["slope"] == pytest.approx(0.5, rel=1e-4)
        assert half["measures"][name]["bias"] < 0
    assert right["sex"]["right"] == right["sex"]["right from the true mesh"]
    assert max(right["errors"]["height"]["surface"]) == 0 and min(half["errors"]["age"]["surface"]) > 100
    for varied in LEVELS:
        assert right["response"][varied]["waist"] == pytest.approx(1)
        assert half["response"][varied]["waist"] == pytest.approx(0.5, rel=1e-4)
    # Scale apart, half a mesh is the same mesh.
    assert max(half["errors"]["weight"]["PA surface"]) < 0.1
    assert len(right["scattered"]["waist"][0]) == 50


def test_equal_answers_have_no_correlation():
    everybody = people(25)
    same = torch.from_numpy(everybody[0].sample.vertices).expand(25, -1, -1)
    stature = shape_range.measure(load_body(), everybody, same)["measures"]["stature"]
    assert stature["correlation"] is None or abs(stature["correlation"]) < 1e-3
    assert stature["slope"] is None or abs(stature["slope"]) < 1e-3


def test_what_does_not_change_has_no_response():
    everybody = [replace(one, scene=n // 25) for n, one in enumerate(people(25) * 2)]
    truth = torch.from_numpy(np.stack([everybody[0].sample.vertices] * 50))
    same = [replace(one, sample=everybody[0].sample) for one in everybody]
    assert shape_range.measure(load_body(), same, truth)["response"]["height"]["stature"] is None


def test_the_figure_has_its_plots_and_people(scene, checkpoint):
    meshes = shape_range.recovered(checkpoint, scene)
    assert meshes.shape == (25, 1229, 3)
    result = shape_range.measure(load_body(), scene, meshes)
    figure = shape_drawing.draw(result, scene, meshes, load_body())
    assert len(figure.axes) == 8 + 30 and sum(bool(axes.images) for axes in figure.axes) == 30
    words = [axes.get_title() for axes in figure.axes if axes.images][:10]
    assert words[:3] == ["gender 0", "gender 1", "4 years"]
