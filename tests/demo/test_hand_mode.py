"""The page in its hand mode, without a browser: sessions, words, pictures, links, endpoints."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from fake_hands import TURN, fake_hands, write_hand
from fake_predictor import fake_models
from PIL import Image

import app
from demo import compare, exports, photo_view, scene, status, viewer
from demo.api import endpoints
from demo.bodies import HAND_BONES, HAND_LIMBS, LEFT_HAND, limbs_of
from demo.examples import load_example
from demo.hands import BODY, HAND, Hands, Networks, checked_side, find_hands, mode_of
from demo.heat import HeatChoice, heat_of, worst_table
from demo.link import query, settings_of
from demo.method import method_html
from demo.part_change import PartChange, change_parts
from demo.report_page import report
from demo.session import again, break_parts, choose, move_box, reconstruct, switch
from demo.ui import Page
from demo.uploaded_mesh import template_vertices
from hmnet.body.hand import hand_template
from hmnet.body.hand_names import HAND_PART_NAMES
from hmnet.data.crop import Crop, restore_labels
from hmnet.errors import CheckpointError, DataError, NoPersonFoundError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two examples: a right hand and a left one."""
    made = tmp_path_factory.mktemp("hands")
    write_hand(made, "a-right", 1)
    write_hand(made, "b-left", 2, "left")
    return made


@pytest.fixture(scope="module")
def hands(folder):
    return fake_hands(folder)


@pytest.fixture(scope="module")
def right(hands, folder):
    example = load_example(folder / "a-right.jpg")
    return reconstruct(hands.models, example.photo, example)


@pytest.fixture(scope="module")
def left(hands, folder):
    example = load_example(folder / "b-left.jpg")
    return reconstruct(hands.models, example.photo, example)


def test_a_session_says_which_hand_it_shows(right, left, of_photo):
    assert (right.side, right.body_name, mode_of(right)) == ("right", "hand", HAND)
    assert (left.side, left.body_name, mode_of(left)) == ("left", LEFT_HAND, HAND)
    assert (of_photo.side, of_photo.body_name, mode_of(of_photo)) == (None, "anny", BODY)
    assert left.body.faces.tolist() == right.body.faces.flip(1).tolist()
    assert right.topology is not of_photo.topology and right.topology.vertex_count == 778


def test_the_truth_is_looked_up_in_the_turned_and_mirrored_window(left, right):
    for session in (left, right):
        # Example and fake draw the same pose only by chance: the maps' own sizes must agree.
        own = np.count_nonzero(session.true_labels)
        whole = np.count_nonzero(session.example.part_map)
        scale = len(session.true_labels) / session.prediction.crop.side
        np.testing.assert_allclose(own, whole * scale**2, rtol=0.03)


def test_pictures_are_sent_as_they_lie_in_the_photo(left):
    drawn = photo_view.drawing(scene.photo_scene(left))
    assert drawn["body"] == LEFT_HAND and drawn["turn"] == TURN
    sent = scene.photo_scene(left).labels
    # Not in the mirror in which the networks saw it.
    np.testing.assert_array_equal(sent, left.prediction.labels[:, ::-1])
    # Laid over the photo by the turned square that is sent, the labels are the photo's own.
    own = restore_labels(sent, Crop(tuple(drawn["crop"]), drawn["turn"]), left.prediction.part_map.shape)
    seen = left.prediction.part_map > 0
    assert (own == left.prediction.part_map)[seen].mean() > 0.95


def test_every_pane_of_the_view_has_the_hand_s_vertices(left, hands):
    heat = heat_of(left, HeatChoice(), left.body, None)
    panes, layouts = scene.panes(left, heat)
    lab = {"enabled": True, "iterations": 1, "strength": 1.0, "operator": "average"}
    value = json.loads(json.dumps(viewer.drawing("x", panes, layouts, lab, left.body_name)))
    assert value["body"] == LEFT_HAND
    assert {len(pane.vertices) for pane in panes} == {778}
    names = Networks(fake_models(), hands).bodies
    assert list(names) == ["anny", "hand", LEFT_HAND]
    sent = viewer.surfaces(names)["bodies"]
    assert sent[LEFT_HAND]["template"]["faces"] != sent["hand"]["template"]["faces"]
    assert len(sent["hand"]["bones"]) == len(HAND_BONES) == 20


def test_words_are_a_hand_s(right, hands):
    settings = photo_view.settings(Networks(fake_models(), hands).bodies)["bodies"]
    assert settings["hand"]["part_names"] == list(HAND_PART_NAMES)
    assert settings["hand"]["one"] == "hand" and settings["anny"]["one"] == "person"
    assert "16 parts" in settings["hand"]["captions"]["parts"][1]
    assert len(set(settings["hand"]["joint_colours"])) == 6
    heat = heat_of(right, HeatChoice(), right.body, None)
    table = worst_table(heat, right.body)
    assert any(finger in table for finger in HAND_LIMBS) and "torso" not in table
    page = report(right, None, None, [])
    assert "Hand box" in page and "the wrist at the origin" in page and "pelvis" not in page
    html = method_html(right, right.body, hands.models.predictor.features(right.prediction))
    assert "16 parts" in html and "778 vertices" in html and "21 joints" in html
    words = re.sub(r'src="[^"]*"', "", html).lower()
    assert "person" not in words and "24 parts" not in words and "24 joints" not in words


def test_fingers_can_be_taken_away(right, hands):
    limbs = limbs_of(right.body)
    assert list(limbs) == list(HAND_LIMBS)
    assert sorted(part for parts in limbs.values() for part in parts) == list(range(1, 17))
    names = [HAND_PART_NAMES[part] for part in limbs["middle"]]
    assert names == ["middle base", "middle middle", "middle end"]
    broken = break_parts(hands.models, right, PartChange(dropped=("thumb", "left arm"), swapped=True))
    assert not np.isin(broken.prediction.labels, limbs["thumb"]).any()
    others = ~np.isin(right.prediction.labels, limbs["thumb"])
    np.testing.assert_array_equal(broken.prediction.labels[others], right.prediction.labels[others])
    noisy = change_parts(right.prediction.labels, None, PartChange(noise=1.0), right.body)
    assert noisy.max() <= 16 and (noisy != right.prediction.labels).any()


def test_files_hold_the_hand(left, tmp_path):
    table = exports.write(left, left.body, "csv", tmp_path).read_text()
    assert len(table.strip().splitlines()) == 22 and "thumb_tip" in table
    numbers = json.loads(exports.write(left, left.body, "json", tmp_path).read_text())
    assert len(numbers["joint_branch"]) == 21
    full = left.body.upsample(hand_template("left").vertices).numpy()
    np.testing.assert_allclose(template_vertices(full, left.body), left.body.vertices, atol=1e-5)


def test_another_hand_another_box_and_another_side(right, hands):
    predictor = hands.models.predictor
    chosen = choose(hands.models, right, (20, 20))
    np.testing.assert_allclose(chosen.prediction.box, [2, 2, 40, 40])
    assert len(chosen.prediction.people) == 2
    moved = move_box(hands.models, right, [30, 30, 200, 220], "left")
    assert moved.side == "left" and predictor.sides[-1] == "left"
    assert again(hands.models, moved).side == "right", "as it is found"
    assert again(hands.models, right, "left").side == "left"


def test_the_photo_that_is_shown_is_looked_at_by_the_others(right, hands, models):
    person = switch(models, right)
    assert mode_of(person) == BODY and person.example is None
    assert mode_of(switch(hands.models, person)) == HAND


def test_links_carry_the_mode():
    assert query({"mode": "hand", "dropped": ["thumb"]}) == "mode=hand&dropped=thumb"
    assert query({"mode": "body"}) == ""
    asked = settings_of({"mode": "hand", "dropped": "thumb,left arm"})
    assert asked.mode == "hand" and asked.dropped == ("left arm", "thumb")
    assert settings_of({"mode": "foot"}).mode == "body"


def test_sides_are_checked():
    assert checked_side("found") is checked_side(None) is None and checked_side("left") == "left"
    with pytest.raises(DataError, match="choose found, left or right"):
        checked_side("upper")


# --- the page ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(hands, folder, tmp_path_factory):
    return Page(fake_models(), (), 1, hands)


def plain(page) -> tuple:
    return page.lessons.values_of(settings_of({}))


def warned(monkeypatch) -> list[str]:
    said = []
    monkeypatch.setattr(gr, "Warning", lambda sentence, **_: said.append(sentence))
    return said


def test_the_switch_brings_the_other_gallery_and_its_first_example(page, of_example):
    updates = page.change_mode("", HAND, "found", of_example, None, *plain(page))
    session = updates[page.session]
    assert session.body_name == "hand" and session.example.title == "A-right"
    assert updates[page.switch.side]["visible"] and len(updates[page.switch.gallery]["value"]) == 2
    dropped = page.lessons.change[1]
    assert list(updates[dropped]["choices"]) == list(HAND_LIMBS)
    assert "16 parts" in updates[page.lessons.leads["parts"]]


def test_a_photo_without_a_hand_leaves_what_is_shown(page, of_photo, monkeypatch):
    said = warned(monkeypatch)
    blank = replace(of_photo.prediction, image=np.full_like(of_photo.prediction.image, 90))
    updates = page.change_mode("", HAND, "found", replace(of_photo, prediction=blank), None, *plain(page))
    assert page.session not in updates and page.panels.view not in updates
    assert said == ["No hand was found in the photo: take one that shows a whole hand."]
    # The visitor may still give it a photo of a hand.
    assert updates[page.switch.mode] == HAND and page.panels.photo not in updates


def test_networks_that_cannot_be_had_turn_the_switch_back(folder, of_photo, monkeypatch):
    def fail():
        raise CheckpointError("The hand's weights are damaged: copy them anew.")

    said = warned(monkeypatch)
    broken = Page(fake_models(), (), 1, Hands(fail, fake_hands(folder).examples))
    updates = broken.change_mode("", HAND, "found", of_photo, None, *plain(broken))
    assert updates[broken.switch.mode] == BODY and broken.session not in updates
    assert said == ["The hand's weights are damaged: copy them anew."]


def test_the_side_runs_the_shown_hand_again(page, right):
    updates = page.change_side("", HAND, "left", right, None, *plain(page))
    assert updates[page.session].side == "left"
    assert updates[page.panels.view]["body"] == LEFT_HAND


def test_a_link_opens_the_page_with_a_hand(page):
    request = SimpleNamespace(query_params={"mode": "hand", "example": "b-left", "dropped": "ring"})
    updates = page.open(request, None, None)
    session = updates[page.session]
    assert session.body_name == LEFT_HAND and session.change.dropped == ("ring",)
    assert updates[page.switch.mode] == HAND
    assert updates[page.lessons.change[1]]["value"] == ["ring"]


def test_without_weights_of_hands_there_is_no_switch(tmp_path, models):
    page = Page(models, (), 1, Hands(None))
    assert page.switch.outputs == []
    assert not [block for block in page.blocks.blocks.values() if block.elem_id in ("mode", "side")]
    with pytest.raises(CheckpointError, match="no weights of hands"):
        page.networks.of(HAND)


def test_weights_of_hands_that_are_not_there_end_in_a_sentence(tmp_path, capsys):
    with pytest.raises(CheckpointError, match="There is no checkpoint of hands in"):
        find_hands(str(tmp_path / "none"))
    assert app.main(["--hand-weights", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_hands_are_loaded_once_and_late(folder):
    loaded = []
    hands = Hands(lambda: loaded.append(1) or SimpleNamespace(), ())
    assert hands.there and loaded == []
    assert hands.models is hands.models and loaded == [1]


def test_a_wall_is_no_hand(hands, tmp_path):
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "wall.png")
    with pytest.raises(NoPersonFoundError):
        reconstruct(hands.models, tmp_path / "wall.png")


def test_the_status_line_says_that_a_hand_was_looked_for(right, of_photo):
    for session, words in ((right, "find hand"), (of_photo, "find person")):
        timed = replace(session.prediction, timings={"find_person": 12.0})
        line = status.line(replace(session, prediction=timed), fake_models().predictor)
        assert f"<dt>{words}</dt><dd>12 ms</dd>" in line


# --- variants ---------------------------------------------------------------------------------------------


def test_the_paper_s_square_and_the_variants_are_of_hands(right):
    """Errors of the same meshes, counted here from the session's own vertices."""
    corners = compare.square(right, right.topology)
    assert set(corners) == {
        f"square-{trained}-{state}" for trained in ("with", "without") for state in ("on", "off")
    }
    off = 1000 * np.linalg.norm(
        right.variants["hand-unregularised"].raw_vertices - right.example.vertices, axis=1
    )
    assert corners["square-without-off"].surface == pytest.approx(off.mean(), abs=0.01)
    assert list(compare.variant_meshes(right, right.topology)) == ["hand", "hand-unregularised"]
    made, layouts = scene.panes(right, heat_of(right, HeatChoice(), right.body, None))
    shown = {layout.name: layout.panes for layout in layouts}
    assert shown["variants"] == ("variant-hand", "variant-hand-unregularised")
    assert len(shown["square"]) == 4 and {"variant-hand"} <= {pane.name for pane in made}
    assert "Trained without Eq. 3" in compare.variant_table(right, right.body, right.topology)


# --- programs ---------------------------------------------------------------------------------------------


@pytest.fixture
def asked(hands, folder, tmp_path, monkeypatch):
    """Calls `reconstruct` as a program does."""
    monkeypatch.setattr("demo.api.get_upload_folder", lambda: str(tmp_path))
    made = endpoints(Networks(fake_models(), hands))

    def ask(**options):
        photo = tmp_path / "sent.jpg"
        photo.write_bytes((folder / "a-right.jpg").read_bytes())
        return made["reconstruct"]({"path": str(photo)}, **options)

    ask.endpoints = made
    return ask


def test_programs_ask_for_a_hand_and_its_side(asked):
    answer = asked(body="hand", side="left")
    assert answer["vertex_count"] == 778 and "thumb_tip" in answer["joints"]
    smooth = asked.endpoints["regularise"](answer["vertices"], 2)
    assert smooth["roughness_after_mm"] < smooth["roughness_before_mm"]
    assert asked()["vertex_count"] == 1229


@pytest.mark.parametrize(
    ("options", "words"),
    [({"body": "foot"}, "choose body or hand"), ({"side": "left"}, "A side is of hands only"),
     ({"body": "hand", "side": "up"}, "choose found, left or right")],
)  # fmt: skip
def test_what_programs_ask_wrongly_is_told(asked, options, words):
    with pytest.raises(gr.Error, match=words):
        asked(**options)
