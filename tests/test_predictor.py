"""From a photo to a prediction, with untrained networks and a segmenter that takes red for a person."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from red_segmenter import STRIPES

from hmnet.camera import project, solve_camera
from hmnet.checkpoint import EMBEDDED, Checkpoint, load_checkpoint
from hmnet.device import choose_device
from hmnet.errors import BoxError, DataError, HMNetError, ImageError, NoPersonFoundError, TopologyError
from hmnet.person_box import BoxSearch
from hmnet.predictor import Prediction, Predictor

RED, GREY = (250, 20, 20), (120, 125, 130)


def photo(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (400, 300)) -> np.ndarray:
    """A grey (width, height) photo with red boxes."""
    image = np.empty((size[1], size[0], 3), np.uint8)
    image[:] = GREY
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = RED
    return image


PERSON = (150, 60, 230, 260)


@pytest.fixture(scope="module")
def predictor(red_checkpoint: Checkpoint) -> Predictor:
    # The red segmenter's sided stripes are the same in a mirror, so averaging would blur what is tested.
    return Predictor(red_checkpoint, "cpu", mirror=False, engine="torch")


@pytest.fixture(scope="module")
def prediction(predictor: Predictor) -> Prediction:
    return predictor.predict(photo(PERSON))


def assert_box(box: np.ndarray, expected: tuple[float, ...], tolerance: float) -> None:
    assert np.abs(np.asarray(box) - expected).max() <= tolerance, box


def test_shapes_types_and_units(prediction: Prediction) -> None:
    assert prediction.image.shape == (300, 400, 3) and prediction.photo_size == (400, 300)
    assert prediction.part_map.shape == (300, 400) and prediction.part_map.dtype == np.uint8
    assert prediction.joints.shape == prediction.regressed_joints.shape == (24, 3)
    assert prediction.raw_vertices.shape == prediction.vertices.shape == (1229, 3)
    # An untrained HMNet answers about its template: an adult.
    assert 1.4 < np.ptp(prediction.vertices[:, 1]) < 2.0
    assert set(prediction.timings) == {
        "read", "find_person", "crop", "segment", "reconstruct", "regularise", "camera",
    }  # fmt: skip
    assert all(ms >= 0 for ms in prediction.timings.values())


def test_the_person_is_found(predictor: Predictor, prediction: Prediction) -> None:
    assert_box(prediction.box, PERSON, 4)
    assert prediction.crop.side == pytest.approx(1.1 * max(np.ptp(prediction.box.reshape(2, 2), axis=0)))
    # A twentieth of the photo's height, in the corner: the second look measures it.
    small = (365, 270, 377, 296)
    assert_box(predictor.predict(photo(small)).box, small, 2)


def test_the_part_map_covers_the_person_in_the_photo(prediction: Prediction) -> None:
    truth = (photo(PERSON) == RED).all(-1)
    labelled = prediction.part_map > 0
    assert (truth & labelled).sum() / (truth | labelled).sum() > 0.93
    assert set(np.unique(prediction.part_map)) == {0, *STRIPES}


def test_nothing_is_labelled_outside_the_crop(predictor: Predictor) -> None:
    other = (10, 200, 40, 290)
    part_map = predictor.predict(photo(PERSON, other), box=(150, 60, 230, 160)).part_map
    assert part_map[60:160, 150:230].any() and not part_map[:, :100].any()


def test_the_largest_person_is_taken_unless_a_box_is_given(predictor: Predictor) -> None:
    other = (20, 180, 60, 280)
    image = photo(PERSON, other)
    assert_box(predictor.predict(image).box, PERSON, 4)
    assert predictor.predict(image, box=other).box.tolist() == list(other)


def test_the_mesh_lies_over_the_person(predictor: Predictor, prediction: Prediction) -> None:
    points = project(prediction.vertices, prediction.camera)
    x0, y0, x1, y1 = PERSON
    middle = (points.min(0) + points.max(0)) / 2
    assert np.abs(middle - [(x0 + x1) / 2, (y0 + y1) / 2]).max() < 15
    assert 0.85 < np.ptp(points[:, 1]) / (y1 - y0) < 1.15


def test_without_sure_keypoints_the_parts_lay_the_mesh(predictor: Predictor) -> None:
    unsure = Predictor(predictor.checkpoint, "cpu", BoxSearch(least_heat=0.999), mirror=False, engine="torch")
    found, body = unsure.predict(photo(PERSON), box=PERSON), predictor.body
    camera = solve_camera(found.vertices, body.faces.numpy(), found.part_map, body.face_parts.numpy())
    assert np.array_equal(found.camera, camera)
    assert not np.allclose(predictor.predict(photo(PERSON), box=PERSON).camera, camera)


def test_the_mirror_image_is_asked_too_unless_told_otherwise(predictor: Predictor) -> None:
    both = Predictor(predictor.checkpoint, "cpu", engine="torch").predict(photo(PERSON), box=PERSON)
    alone = predictor.predict(photo(PERSON), box=PERSON)
    assert np.isfinite(both.vertices).all() and not np.allclose(both.raw_vertices, alone.raw_vertices)


def test_everybody_is_found_the_largest_first(predictor: Predictor) -> None:
    other = (20, 140, 70, 280)
    people = predictor.find_people(photo(PERSON, other))
    assert len(people) == 2 and all(person.likeness > 0.9 for person in people)
    assert_box(people[0].box, PERSON, 4)
    assert_box(people[1].box, other, 4)


def test_named_joints_and_keypoints(predictor: Predictor, prediction: Prediction) -> None:
    body = predictor.body
    assert set(prediction.named_joints) == {*body.joint_names, *body.keypoint_names}
    assert prediction.keypoints_2d.keys() == prediction.named_joints.keys()
    index = body.joint_index("left_shoulder")
    assert np.array_equal(prediction.named_joints["left_shoulder"], prediction.regressed_joints[index])
    nose = body.regress_keypoints(torch.from_numpy(prediction.vertices))[body.keypoint_index("nose")]
    assert np.allclose(prediction.named_joints["nose"], nose)
    for name, joint in prediction.named_joints.items():
        assert np.allclose(prediction.keypoints_2d[name], project(joint[None], prediction.camera)[0])


def test_pixels_are_those_of_the_photo_as_it_came(predictor: Predictor, prediction: Prediction) -> None:
    large = predictor.predict(Image.fromarray(photo(PERSON)).resize((4000, 3000), Image.Resampling.NEAREST))
    assert large.photo_size == (4000, 3000) and large.image.shape == (1536, 2048, 3)
    assert large.part_map.shape == large.image.shape[:2]
    assert_box(large.box, tuple(10 * edge for edge in PERSON), 30)
    assert_box(large.crop.box, tuple(10 * edge for edge in prediction.crop.box), 40)
    assert large.camera[0] == pytest.approx(10 * prediction.camera[0], rel=0.2)
    projected = project(np.stack(list(large.named_joints.values())), large.camera)
    np.testing.assert_allclose(projected, list(large.keypoints_2d.values()))


def test_regularising_runs_no_network(
    predictor: Predictor, prediction: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *_: pytest.fail("a network ran"))
    again = predictor.regularise(prediction)
    assert np.array_equal(again.vertices, prediction.vertices)
    off = predictor.regularise(prediction, 0)
    assert np.array_equal(off.vertices, prediction.raw_vertices)
    assert not np.allclose(off.named_joints["nose"], prediction.named_joints["nose"], atol=1e-5)
    assert not np.allclose(off.keypoints_2d["nose"], prediction.keypoints_2d["nose"], atol=1e-3)
    half = predictor.regularise(prediction, 1, 0.5)
    assert np.allclose(half.vertices, (off.vertices + again.vertices) / 2, atol=1e-6)
    with pytest.raises(TopologyError, match="0 or more"):
        predictor.regularise(prediction, -1)


def test_another_part_map_gives_another_mesh_and_the_same_one_the_same(
    predictor: Predictor, prediction: Prediction
) -> None:
    same = predictor.with_parts(prediction, prediction.labels)
    np.testing.assert_allclose(same.raw_vertices, prediction.raw_vertices, atol=1e-6)
    np.testing.assert_array_equal(same.part_map, prediction.part_map)
    np.testing.assert_allclose(same.camera, prediction.camera, rtol=1e-4)
    nothing = predictor.with_parts(prediction, np.zeros_like(prediction.labels))
    assert np.abs(nothing.raw_vertices - prediction.raw_vertices).max() > 1e-6
    assert not nothing.part_map.any()
    for wrong in (prediction.labels[:-1], prediction.labels + 25):
        with pytest.raises(DataError, match="Expected part ids from 0 to 24"):
            predictor.with_parts(prediction, wrong)


def test_no_person(predictor: Predictor) -> None:
    with pytest.raises(NoPersonFoundError, match="photo"):
        predictor.predict(photo())
    with pytest.raises(NoPersonFoundError, match="box"):
        predictor.predict(photo(PERSON), box=(300, 10, 390, 100))


@pytest.mark.parametrize("box", [(500, 10, 600, 90), (10, 10, 10, 90), (0, 0, float("nan"), 9)])
def test_bad_boxes(predictor: Predictor, box: tuple[float, ...]) -> None:
    with pytest.raises(BoxError):
        predictor.predict(photo(PERSON), box=box)


def test_bad_photos(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        predictor.predict(tmp_path / "absent.jpg")
    with pytest.raises(ImageError):
        predictor.predict(b"")


def test_threads_share_a_predictor(predictor: Predictor) -> None:
    people = [(40 + 30 * i, 30, 110 + 35 * i, 250) for i in range(4)]
    alone = [predictor.predict(photo(person)) for person in people]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda person: predictor.predict(photo(person)), people))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.box, other.box) and np.array_equal(one.part_map, other.part_map)
        assert np.allclose(one.vertices, other.vertices, atol=1e-6)


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in ("cpu", "cuda", "mps")
    with pytest.raises(HMNetError, match="cpu, cuda, mps"):
        choose_device("toaster")
    with pytest.raises(HMNetError, match="not available"):
        choose_device("cuda:99")


def test_the_embedded_weights_answer(shared_photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (EMBEDDED / "hmnet" / "config.json").is_file():
        pytest.skip("no embedded weights yet")
    monkeypatch.delenv("HMNET_REPO", raising=False)
    prediction = Predictor(load_checkpoint(), "cpu").predict(shared_photo)
    assert prediction.weights.source == "embedded" and not prediction.weights.notice
    assert np.isfinite(prediction.vertices).all()
    # She stands in the middle of the photo, from top to bottom.
    x0, y0, x1, y1 = prediction.box / np.array([*prediction.photo_size] * 2)
    assert x0 < 0.45 and x1 > 0.55 and y1 - y0 > 0.5
