"""From one state of the page to the next, without Gradio."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from demo.part_change import PartChange
from demo.session import Lab, again, break_parts, choose, move_box, reconstruct, regularise
from hmnet.errors import BoxError, ImageError, NoPersonFoundError
from hmnet.predictor import Person


def test_regulariser_settings_act_without_the_networks(models, of_photo):
    calls = models.predictor.calls
    raw = of_photo.prediction.raw_vertices
    off = regularise(models, of_photo, Lab(enabled=False, iterations=5))
    np.testing.assert_array_equal(off.prediction.vertices, raw)
    half, full, twice, taubin = (
        regularise(models, of_photo, lab).prediction.vertices
        for lab in (Lab(strength=0.5), Lab(), Lab(iterations=2), Lab(operator="taubin"))
    )
    np.testing.assert_allclose(half, (raw + full) / 2, atol=1e-6)
    assert not np.allclose(full, twice, atol=1e-3) and not np.allclose(full, taubin, atol=1e-4)
    assert models.predictor.calls == calls


def test_breaking_the_parts_runs_hmnet_on_the_changed_map_and_can_be_undone(models, of_example):
    calls = models.predictor.calls
    broken = break_parts(models, of_example, PartChange(dropped=("left arm",)))
    assert models.predictor.calls == calls + 1
    assert not np.isin(broken.prediction.labels, (4, 15, 17, 19, 21)).any()
    assert np.abs(broken.prediction.vertices - broken.untouched.vertices).max() > 0
    assert broken.token == of_example.token
    # The lab acts on what is broken too, and a second change starts from the untouched map.
    rough = regularise(models, broken, Lab(enabled=False))
    np.testing.assert_array_equal(rough.prediction.vertices, broken.prediction.raw_vertices)
    mended = break_parts(models, rough, PartChange())
    assert mended.prediction is mended.untouched


def test_an_example_s_truth_is_known_over_the_crop(of_example, of_photo):
    assert of_photo.true_labels is None and "hmnet-oracle" not in of_photo.variants
    assert of_example.true_labels.shape == of_example.prediction.labels.shape
    # The whole person lies in the crop: as many of its pixels as in the photo, at the crop's scale.
    scale = len(of_example.true_labels) / of_example.prediction.crop.side
    whole = np.count_nonzero(of_example.example.part_map) * scale**2
    np.testing.assert_allclose(np.count_nonzero(of_example.true_labels), whole, rtol=0.03)
    assert set(of_example.variants) == {"hmnet-oracle", "hmnet-unregularised"}


def test_bad_photos_raise_sentences(models, tmp_path):
    text = tmp_path / "notes.jpg"
    text.write_text("no photo")
    with pytest.raises(ImageError):
        reconstruct(models, text)
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "wall.png")
    with pytest.raises(NoPersonFoundError):
        reconstruct(models, tmp_path / "wall.png")


def with_people(session, *boxes):
    people = tuple(Person(np.array(box, float), 0.5) for box in boxes)
    return replace(session, prediction=replace(session.prediction, people=people))


def test_of_several_people_the_one_that_is_clicked_is_looked_at(models, of_photo):
    own = of_photo.prediction.box
    beside = own + np.array([30, 0, 30, 0])
    within = np.array([own[0] + 2, own[1] + 2, own[0] + 40, own[1] + 60])
    session = with_people(of_photo, own, beside, within)
    chosen = choose(models, session, within[:2] + 5)
    np.testing.assert_allclose(chosen.prediction.box, within)
    assert len(chosen.prediction.people) == 3 and chosen.example is None
    assert chosen.token != session.token
    # Nobody new: outside all boxes, or the person who is shown already.
    assert choose(models, session, (0, 0)) is None
    assert choose(models, with_people(of_photo, own), own[:2] + 5) is None


def test_running_again_keeps_to_the_person_that_was_chosen(models, of_photo):
    box = of_photo.prediction.box + np.array([5, 5, -5, -5])
    moved = move_box(models, regularise(models, of_photo, Lab(iterations=3)), box)
    repeated = again(models, moved)
    np.testing.assert_allclose(repeated.prediction.box, box)
    assert repeated.lab == Lab(iterations=3)


def test_a_box_keeps_an_example_s_truth_only_around_its_person(models, of_example):
    box = of_example.prediction.box
    assert move_box(models, of_example, box + 3).example is of_example.example
    away = np.array([0, 0, 30, 40])
    assert move_box(models, of_example, away).example is None


@pytest.mark.parametrize("box", [[0, 0, 30], ["a", 0, 30, 40], [30, 30, 10, 40], None])
def test_a_box_that_is_none_is_told(models, of_photo, box):
    with pytest.raises(BoxError):
        move_box(models, of_photo, box)


def test_boxes_of_a_large_photo_are_those_of_the_photo(models, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    Image.fromarray(noise).resize((2400, 3600)).save(tmp_path / "large.jpg")
    session = reconstruct(models, tmp_path / "large.jpg")
    assert session.prediction.photo_size == (2400, 3600)
    moved = move_box(models, session, [600, 600, 1800, 3000])
    share = moved.prediction.photo_size[0] / 2400
    np.testing.assert_allclose(moved.prediction.box, np.array([600, 600, 1800, 3000]) * share, atol=2)
