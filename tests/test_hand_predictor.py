"""From a photo to a hand, by networks that know drawn hands, whichever way they point and of either side."""

import numpy as np
import pytest
import torch
from drawn_hand import PARTS, box_of, draw_hand, find_drawn, hand_checkpoint

from hmnet.body.hand import sided_template
from hmnet.camera import project
from hmnet.comparison import Comparison
from hmnet.data.crop import Crop
from hmnet.errors import BodyError, BoxError, DataError, ImageError, NoPersonFoundError
from hmnet.hand_predictor import Hand, HandPredictor, predictor_of
from hmnet.hand_search import FoundHand
from hmnet.prediction import Prediction
from hmnet.predictor import Predictor
from hmnet.upright_hand import UprightHand

SIZE, MIDDLE, LENGTH = (400, 300), (170, 150), 160


@pytest.fixture(scope="module")
def predictor() -> HandPredictor:
    made = predictor_of(hand_checkpoint(), "cpu", "torch")
    assert isinstance(made, HandPredictor)
    return made


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The palm detector knows hands of people alone."""
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", find_drawn)


def photo(turn: float = 0.4, side: str = "right") -> tuple[np.ndarray, np.ndarray]:
    return draw_hand(SIZE, MIDDLE, LENGTH, turn, side)


@pytest.fixture(scope="module")
def prediction(predictor: HandPredictor) -> Prediction:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hmnet.hand_predictor.find_hands", find_drawn)
        return predictor.predict(photo()[0])


def test_the_body_decides_which_predictor(red_checkpoint) -> None:
    made = predictor_of(red_checkpoint, "cpu", "torch")
    assert type(made) is Predictor and made.mirror


def test_shapes_and_names(predictor: HandPredictor, prediction: Prediction) -> None:
    assert prediction.joints.shape == prediction.regressed_joints.shape == (21, 3)
    assert prediction.vertices.shape == prediction.raw_vertices.shape == (778, 3)
    assert prediction.vertices.dtype == prediction.raw_vertices.dtype == np.float32
    assert prediction.labels.shape == (224, 224) and prediction.part_map.shape == (300, 400)
    assert tuple(prediction.named_joints) == predictor.body.joint_names == tuple(prediction.keypoints_2d)
    assert prediction.person.keypoints.shape == (21, 2) and prediction.person.heats.min() > 0.9
    assert prediction.body_name == "hand" and 0.1 < np.ptp(prediction.vertices, axis=0).max() < 0.3
    assert set(prediction.timings) == {
        "read", "find_person", "crop", "segment", "reconstruct", "regularise", "camera",
    }  # fmt: skip


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("turn", [0.0, 1.2, -2.5])
def test_the_mesh_lies_over_the_hand(predictor: HandPredictor, turn: float, side: str) -> None:
    image, keypoints = photo(turn, side)
    found = predictor.predict(image)
    assert found.side == side and found.crop.in_mirror == (side == "left")
    assert found.body is sided_template("hand", side)
    assert np.cos(found.crop.turn - turn) > np.cos(0.05)
    np.testing.assert_allclose(found.person.keypoints, keypoints, atol=1.5)
    np.testing.assert_allclose(project(found.regressed_joints, found.camera), keypoints, atol=2)
    np.testing.assert_allclose(list(found.keypoints_2d.values()), keypoints, atol=2)
    truth = image[..., 2] > 250
    labelled = found.part_map > 0
    assert (truth & labelled).sum() / (truth | labelled).sum() > 0.88
    assert set(np.unique(found.part_map)) == {0, *PARTS}
    # Seen from the same side, the faces of either hand's template turn their outsides to the viewer.
    corners = found.vertices[found.body.faces.numpy()]
    near = corners[..., 2].mean(1) < np.median(corners[..., 2])
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert normals[near, 2].sum() < 0 < normals[~near, 2].sum()
    x0, y0, x1, y1 = found.box
    assert (keypoints > [x0, y0]).all() and (keypoints < [x1, y1]).all()
    assert max(x1 - x0, y1 - y0) < 1.3 * max(np.ptp(keypoints, axis=0))


def test_a_photo_in_a_mirror_shows_the_other_hand(predictor: HandPredictor, prediction: Prediction) -> None:
    """Windows and pictures are rounded otherwise in a mirror, so equal but for that."""
    other = predictor.predict(np.ascontiguousarray(photo()[0][:, ::-1]))
    assert (prediction.side, other.side) == ("right", "left")
    mirror = np.float32([-1, 1, 1])
    np.testing.assert_allclose(other.raw_vertices * mirror, prediction.raw_vertices, atol=2e-3)
    np.testing.assert_allclose(other.joints * mirror, prediction.joints, atol=2e-3)
    assert (other.part_map[:, ::-1] == prediction.part_map).mean() > 0.985
    assert (other.labels == prediction.labels).mean() > 0.97
    assert other.crop.turn == pytest.approx(-prediction.crop.turn, abs=0.02)


def test_a_box_and_a_side_are_taken(predictor: HandPredictor, prediction: Prediction) -> None:
    image, keypoints = photo()
    box = box_of(keypoints)
    boxed = predictor.predict(image, box)
    assert boxed.side == "right" and np.array_equal(boxed.box, box) and boxed.people == ()
    np.testing.assert_allclose(boxed.vertices, prediction.vertices, atol=3e-3)
    for chosen in (predictor.predict(image, box, "left"), predictor.predict(image, side="left")):
        assert chosen.side == "left" and chosen.crop.in_mirror
        assert chosen.crop.turn == pytest.approx(boxed.crop.turn, abs=0.05)
        # The same picture, but the network saw it in a mirror and answered with its own hand all the same.
        off = np.abs(project(chosen.regressed_joints, chosen.camera) - keypoints).max()
        assert off > 5
    with pytest.raises(BodyError, match="choose right or left"):
        predictor.predict(image, side="both")


def test_every_hand_is_found_the_largest_first(predictor: HandPredictor) -> None:
    image, _ = draw_hand(SIZE, (110, 150), 160, 0.3, "left")
    image, small = draw_hand(SIZE, (310, 160), 100, -1.0, "right", photo=image)
    prediction = predictor.predict(image)
    hands = prediction.people
    assert [hand.side for hand in hands] == ["left", "right"] and prediction.side == "left"
    assert all(isinstance(hand, Hand) and hand.likeness > 0.9 for hand in hands)
    assert hands[1].turn == pytest.approx(-1.0, abs=0.05)
    assert np.array_equal(hands[0].box, prediction.box)
    both = predictor.predict_people(image)
    assert [one.side for one in both] == ["left", "right"]
    np.testing.assert_allclose(both[1].person.keypoints, small, atol=1.5)
    (alone,) = predictor.predict_people(image, [hands[1].box, [0, 0, 40, 40]])
    assert alone.side == "right" and predictor.predict_people(image, [[0, 0, 40, 40]]) == []


def test_what_was_never_surely_a_palm_does_not_join_two_hands(
    predictor: HandPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two hands that are close a look may show both as one, more surely than either."""
    places = {"left": 100, "between": 120, "right": 140}

    def look(where: str, presence: float) -> UprightHand:
        x = places[where]
        corners = np.array([[x, 80], [x + 80, 180], [x + 40, 100]], float)
        return UprightHand(Crop((x, 80, x + 100, 180), 0.0), presence, 1.0, corners.repeat(7, 0))

    looks = [look("left", 0.97), look("between", 1.0), look("right", 0.96)]
    palms = [
        FoundHand(np.array([place, 80.0, place + 80, 180]), 0.0, palm)
        for place, palm in zip(places.values(), (0.9, 0.6, 0.9), strict=True)
    ]
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", lambda *_: palms)
    monkeypatch.setattr("hmnet.hand_predictor.refined", lambda *_: looks)
    found = predictor.find_people(np.zeros((300, 400, 3), np.uint8))
    assert sorted(round(hand.crop.box[0]) for hand in found) == [100, 140]


def test_two_palms_of_one_hand_are_one_and_false_ones_none(
    predictor: HandPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, keypoints = photo()
    (true,) = find_drawn(image)
    beside = FoundHand(true.box + np.array([25, 10, 25, 10]), true.turn - 0.3, 0.8)
    wall = FoundHand(np.array([330.0, 20, 390, 80]), 0.0, 0.95)
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", lambda *_: [wall, true, beside])
    (hand,) = predictor.predict(image).people
    assert (box_of(keypoints)[:2] > hand.box[:2]).all() and (box_of(keypoints)[2:] < hand.box[2:]).all()


def test_no_hand(predictor: HandPredictor) -> None:
    with pytest.raises(NoPersonFoundError, match="No hand was found in the photo"):
        predictor.predict(np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoPersonFoundError, match="No hand was found in the box"):
        predictor.predict(photo()[0], (300, 10, 390, 90))
    with pytest.raises(BoxError, match="outside the photo"):
        predictor.predict(photo()[0], (500, 10, 600, 90))
    with pytest.raises(ImageError):
        predictor.predict(b"")


def test_pixels_are_those_of_the_photo_as_it_came(predictor: HandPredictor, prediction: Prediction) -> None:
    large = predictor.predict(photo()[0].repeat(8, 0).repeat(8, 1))
    assert large.photo_size == (3200, 2400) and large.image.shape == (1536, 2048, 3)
    np.testing.assert_allclose(large.box, 8 * prediction.box, atol=16)
    np.testing.assert_allclose(large.crop.box, 8 * np.array(prediction.crop.box), atol=16)
    np.testing.assert_allclose(large.people[0].crop.box, large.crop.box)
    np.testing.assert_allclose(large.person.keypoints, 8 * prediction.person.keypoints, atol=16)
    assert large.camera[0] == pytest.approx(8 * prediction.camera[0], rel=0.02)
    again = predictor.with_parts(large, large.labels)
    np.testing.assert_allclose(again.crop.box, large.crop.box)
    assert (again.part_map == large.part_map).mean() > 0.9999


@pytest.mark.parametrize("side", ["right", "left"])
def test_parts_and_regulariser_go_on_from_a_prediction(predictor: HandPredictor, side: str) -> None:
    found = predictor.predict(photo(0.9, side)[0])
    same = predictor.with_parts(found, found.labels)
    np.testing.assert_allclose(same.raw_vertices, found.raw_vertices, atol=1e-6)
    np.testing.assert_allclose(same.camera, found.camera, rtol=1e-4)
    assert same.side == side and same.people == found.people
    nothing = predictor.with_parts(found, np.zeros_like(found.labels))
    assert np.abs(nothing.raw_vertices - found.raw_vertices).max() > 1e-6
    with pytest.raises(DataError, match="from 0 to 16"):
        predictor.with_parts(found, found.labels + np.uint8(17))
    off = predictor.regularise(found, 0)
    assert np.array_equal(off.vertices, found.raw_vertices) and off.side == side
    assert np.array_equal(predictor.regularise(found).vertices, found.vertices)
    features = predictor.features(found)
    assert features["photo"].shape == features["parts"].shape == (64,)
    torch.testing.assert_close(
        torch.from_numpy(found.regressed_joints),
        found.body.regress_joints(torch.from_numpy(found.vertices)), atol=1e-5, rtol=0,
    )  # fmt: skip


@pytest.mark.parametrize("side", ["right", "left"])
def test_variants_answer_in_the_frame_of_the_photo(predictor: HandPredictor, monkeypatch, side: str) -> None:
    """The same network as a variant must say the same, however the window is turned."""
    same = {"hand-unregularised": predictor.checkpoint.model}
    monkeypatch.setattr("hmnet.comparison._networks", lambda *_: same)
    found = predictor.predict(photo(1.2, side)[0])
    answer = Comparison(predictor).answers(found)["hand-unregularised"]
    np.testing.assert_allclose(answer.raw_vertices, found.raw_vertices, atol=1e-5)
    np.testing.assert_allclose(answer.joints, found.joints, atol=1e-5)
