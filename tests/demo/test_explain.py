"""What the page tells beside its demo: the Method tab, the results, the model card, the tour's steps."""

import base64
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from demo import explain
from demo.explain import ROOT, TOUR, card_markdown, method_html, results_markdown
from demo.method import STEPS, loss_terms
from demo.method_pictures import SIDE, bars, pictures
from demo.part_change import PartChange
from demo.session import Lab, break_parts, regularise
from hmnet.metrics import joint_error, surface_error
from hmnet.pose_loss import AGREEMENT


def boxes(html: str) -> dict[str, str]:
    """HTML of each step's box by its name, in the order of the page."""
    return dict(re.findall(r'<figure class="step ([a-z]+)">(.*?)</figure>', html, re.DOTALL))


def losses(html: str) -> list[str]:
    """What the four losses are said to be."""
    return re.findall(r'<p class="value[^"]*">(.*?)</p>', html)


def decoded(box: str) -> np.ndarray:
    """The picture in a box, (H, W, 3)."""
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', box).group(1)
    return np.asarray(Image.open(BytesIO(base64.b64decode(data))))


@pytest.fixture(scope="module")
def features():
    generator = np.random.default_rng(0)
    return {"photo": generator.normal(size=1000), "parts": generator.normal(size=1000)}


def test_before_a_photo_the_boxes_stand_empty_in_their_places(body, of_example, features):
    empty = boxes(method_html(None, body))
    assert list(empty) == [step.name for step in STEPS]
    assert all('<div class="frame"></div>' in box and "<var>" in box for box in empty.values())
    full = method_html(of_example, body, features)
    assert list(boxes(full)) == list(empty)
    assert not any('<div class="frame"></div>' in box for box in boxes(full).values())
    for equation in ("Eq. 1", "Eq. 2", "Eq. 3", "Eq. 4", "Eq. 5"):
        assert equation in full and equation in method_html(None, body)
    assert losses(method_html(None, body)) == [""] * 4


def test_pictures_are_of_the_photo_that_is_shown(body, of_example):
    html = boxes(method_html(of_example, body))
    made = pictures(of_example)
    for name, picture in made.items():
        shown = decoded(html[name])
        assert shown.shape == picture.shape == (SIDE, SIDE, 3)
        # JPEG keeps a picture's large forms.
        assert np.abs(shown.astype(int) - picture).mean() < 6
        assert re.search(r'alt="[A-Z][^"]+"', html[name])
    covered = np.asarray(Image.fromarray(of_example.prediction.labels).resize((SIDE, SIDE), 0)) > 0
    for name in ("parts", "overlay"):
        changed = np.abs(made[name].astype(int) - made["image"]).max(2) > 24
        inside, outside = changed[covered].mean(), changed[~covered].mean()
        # Parts dim the ground a little; the mesh lies over the person and nowhere else.
        assert inside > 0.8 and (name == "parts" or outside < 0.05)
    joints = np.abs(made["joints"].astype(int) - made["image"]).max(2) > 60
    assert joints.any() and joints[~covered].mean() < 0.02


def test_numbers_and_settings_follow_the_session(models, body, of_example, of_photo):
    html = method_html(of_example, body)
    # The made-up predictor's laps: read 12, parts 40, mesh 46 ms.
    assert "in 98 ms, averaged once" in html and "<span>12 ms</span>" in boxes(html)["image"]
    off = method_html(regularise(models, of_photo, Lab(enabled=False)), body)
    assert "the regulariser off" in off and "mean move 0.0 mm" in off
    taubin = method_html(regularise(models, of_photo, Lab(True, 3, 0.5, "taubin")), body)
    assert "smoothed by Taubin 3 times at strength 0.5" in taubin
    found = len(set(np.unique(of_example.prediction.labels)) - {0})
    assert f"{found} of 24 parts found</span>" in html
    broken = break_parts(models, of_example, PartChange(dropped=("left arm",)))
    assert "map changed by you" in method_html(broken, body) and "map changed by you" not in html


def test_losses_are_the_paper_s_for_this_person(models, body, of_example, of_photo):
    prediction, truth = of_example.prediction, of_example.example
    terms = loss_terms(of_example)
    pairs = {
        "surface": surface_error(*tensors(prediction.vertices, truth.vertices)),
        "joint": joint_error(*tensors(prediction.joints, truth.joints)),
        "surface_joint": joint_error(*tensors(prediction.joints, prediction.regressed_joints)),
    }
    for name, value in pairs.items():
        # The losses round the distance's tip off, within 0.1 mm.
        assert terms[name] == pytest.approx(float(value), abs=0.1)
    assert terms["total"] == pytest.approx(sum(terms[name] for name in pairs), abs=1e-3)
    shown = losses(method_html(of_example, body))
    assert shown == [f"{terms[n]:.1f} mm" for n in ("surface", "joint", "surface_joint", "total")]
    rough = regularise(models, of_example, Lab(enabled=False))
    assert loss_terms(rough)["surface"] != pytest.approx(terms["surface"], abs=0.01)
    # Of a photo only the loss that needs no truth is known.
    unknown, unknown_too, known, total = losses(method_html(of_photo, body))
    assert known.endswith(" mm") and all("truth" in text for text in (unknown, unknown_too, total))
    assert f"= {AGREEMENT:g}</var>" in method_html(None, body)


def tensors(*arrays):
    return (torch.as_tensor(array)[None] for array in arrays)


def test_every_number_of_a_vector_is_a_bar(body, of_photo, features):
    drawn = bars(np.array([1.0, -0.5] * 125))
    assert drawn.count("M") == 250 and 'viewBox="0 0 125 2"' in drawn
    assert "M0.5 0.5v-0.46" in drawn and "M1.5 0.5v0.23" in drawn
    assert "nan" not in bars(np.zeros(1000))  # the baseline's, which is given no part map
    shown = boxes(method_html(of_photo, body, features))
    assert shown["seen"].count("M") >= 1000 and "from -" in shown["felt"]
    assert '<div class="frame"></div>' in boxes(method_html(of_photo, body))["seen"]


def test_a_large_photo_shows_the_same_square(of_photo):
    prediction = of_photo.prediction
    large = replace(
        prediction,
        photo_size=tuple(2 * side for side in prediction.photo_size),
        crop=replace(prediction.crop, box=tuple(2 * edge for edge in prediction.crop.box)),
        camera=prediction.camera * np.float32([2, 1, 1]),
    )
    own, other = pictures(of_photo), pictures(replace(of_photo, prediction=large))
    for name in own:
        assert np.abs(own[name].astype(int) - other[name]).mean() < 1, name


def test_results_are_the_repository_s_one_level_down(monkeypatch, tmp_path):
    text = (ROOT / "RESULTS.md").read_text(encoding="utf-8")
    shown = results_markdown()
    assert "\n## Results\n" in shown and "\n# " not in shown
    # The pictures are where the page serves them.
    served = text.replace("](assets/results/", f"](gradio_api/file={ROOT}/assets/results/")
    assert shown.replace("#", "") == served.replace("#", "").rstrip("\n")
    monkeypatch.setattr(explain, "ROOT", tmp_path)
    assert "python -m hmnet results" in results_markdown()


def test_the_card_comes_without_its_front_matter_and_with_the_licences(tmp_path):
    card = "---\nlicense: x\n---\n\n# Weights\n\n```sh\n# a comment\n```\n\n---\n\nbelow a rule\n"
    (tmp_path / "hmnet").mkdir()
    (tmp_path / "hmnet" / "README.md").write_text(card)
    for folder in (tmp_path / "hmnet", tmp_path):
        shown = card_markdown(folder)
        assert shown.startswith("## Weights") and "\n# a comment\n" in shown and "license: x" not in shown
        assert "\n---\n\nbelow a rule" in shown
        assert "## What is shipped here, and under which licence" in shown
    for folder in (None, tmp_path / "none"):
        assert card_markdown(folder).startswith("These weights came without a model card")


def test_the_tour_has_six_steps_in_the_page_s_order():
    assert [step["selector"].split("-")[0] for step in TOUR] == [
        "#photo", "#pictures", "#lessons", "#viewer", "#exports", "#method",
    ]  # fmt: skip
    assert all(step["title"] and step["text"].endswith(".") for step in TOUR)
