"""What is sent to the four pictures: complete, in px of the upright photo, decodable."""

import base64
import json
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from demo import photo_view
from demo.captions import PICTURES
from demo.photo_view import Figure2D, PhotoScene
from hmnet.body import PART_COLOURS, PART_COUNT, PART_NAMES


def decode(address: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(address.split(",")[1]))))


@pytest.fixture
def scene() -> PhotoScene:
    """A photo of 2400 x 1200 px, kept at half that size, and so shown at 960 x 480."""
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (6, 12, 3)), np.ones((100, 100, 1))).astype(np.uint8)
    overlay = np.zeros((480, 960, 4), np.uint8)
    overlay[100:300, 40:90] = rng.integers(1, 256, (200, 50, 4))
    return PhotoScene(
        image=image, photo_size=(2400, 1200), box=np.array([100.004, 200, 300, 900]),
        crop=np.array([-160.0, 150, 640, 950]), people=(np.array([900.0, 1, 1200, 800]),),
        labels=rng.integers(0, 25, (192, 192), np.uint8), true_labels=None,
        figures=(Figure2D("one", "#ff0000", rng.uniform(0, 900, (24, 2))),), overlay=overlay,
    )  # fmt: skip


def test_photo_is_sent_at_the_pages_size(scene):
    drawn = photo_view.drawing(scene)
    photo = decode(drawn["photo"])
    assert drawn["photo"].startswith("data:image/jpeg") and photo.shape == (480, 960, 3)
    assert photo_view.shown(scene.image).shape == photo.shape
    assert np.abs(photo.astype(int) - photo_view.shown(scene.image)).mean() < 6
    assert drawn["size"] == [2400, 1200]


def test_numbers_keep_their_place_in_the_upright_photo(scene):
    drawn = json.loads(json.dumps(photo_view.drawing(scene)))
    np.testing.assert_allclose(drawn["box"], scene.box, atol=0.01)
    np.testing.assert_allclose(drawn["crop"], scene.crop)
    np.testing.assert_allclose(drawn["people"], scene.people)
    (figure,) = drawn["figures"]
    assert (figure["name"], figure["colour"]) == ("one", "#ff0000")
    np.testing.assert_allclose(figure["points"], scene.figures[0].keypoints, atol=0.006)


def test_labels_are_sent_as_they_are(scene):
    drawn = photo_view.drawing(scene)
    sent = np.frombuffer(base64.b64decode(drawn["labels"]), np.uint8)
    np.testing.assert_array_equal(sent.reshape(drawn["side"], drawn["side"]), scene.labels)
    assert drawn["true_labels"] is None
    # Turned the right way round even if it is a view of something else.
    truth = photo_view.drawing(replace(scene, true_labels=scene.labels.T))["true_labels"]
    np.testing.assert_array_equal(
        np.frombuffer(base64.b64decode(truth), np.uint8).reshape(192, 192), scene.labels.T
    )


def test_overlay_is_cut_to_what_it_covers_and_fits_its_place(scene):
    drawn = photo_view.drawing(scene)["overlay"]
    np.testing.assert_array_equal(decode(drawn["picture"]), scene.overlay[100:300, 40:90])
    # One px of the overlay is 2.5 px of the photo.
    assert drawn["window"] == [100, 250, 225, 750]
    for nothing in (None, np.zeros_like(scene.overlay)):
        assert photo_view.drawing(replace(scene, overlay=nothing))["overlay"] is None


def test_settings_name_and_colour_parts_and_joints(body):
    settings = json.loads(json.dumps(photo_view.settings({"anny": body})))["bodies"]["anny"]
    assert settings["part_names"] == list(PART_NAMES)
    assert [bytes.fromhex(colour[1:]) for colour in settings["part_colours"]] == list(
        map(bytes, PART_COLOURS)
    )
    assert settings["joint_names"] == list(body.joint_names)
    assert len(settings["bones"]) == 23 and {end for bone in settings["bones"] for end in bone} == set(
        range(24)
    )
    knee, ankle = body.joint_index("left_knee"), body.joint_index("left_ankle")
    assert [knee, ankle] in settings["bones"]
    colours = dict(zip(body.joint_names, settings["joint_colours"], strict=True))
    assert len(set(colours.values())) == 3
    assert colours["left_knee"] == colours["left_hand"] != colours["right_hand"]


def test_cards_carry_the_pages_words_and_are_labelled():
    markup = photo_view.page_markup()
    for name, (title, sentence, alternative) in PICTURES.items():
        card = re.search(rf'<figure[^>]*data-picture="{name}">.*?</figure>', markup).group()
        assert f"<h3>{title}</h3>" in card and sentence in card
        assert f'<canvas role="img" aria-label="{alternative}' in card
    rows = re.findall(r'data-part="(\d+)".*?<span>(.*?)</span>', markup)
    assert [(int(part), name) for part, name in rows] == list(enumerate(PART_NAMES))[1:]
    assert len(rows) == PART_COUNT
    controls = re.findall(r"<[^>]*(?:tabindex|type=\"range\")[^>]*>", markup)
    assert len(controls) == 29 and all("aria-label" in tag or "<li" in tag for tag in controls)


def test_gradio_takes_the_markup_as_it_is():
    # It reads the markup as a Handlebars template, and then as a JavaScript template string.
    assert not re.search(r"\{\{|\$\{|`|\\", photo_view.page_markup())


def test_events_stand_in_quotes_for_gradio_to_find():
    # As `gr.HTML` looks for the names to listen to.
    for name in ("choose", "box"):
        assert f'trigger("{name}", ' in photo_view.SCRIPT


def test_no_other_host_is_named():
    for text in (photo_view.page_markup(), photo_view.SCRIPT, photo_view.STYLE.read_text(encoding="utf-8")):
        assert "http" not in text and "//cdn" not in text
