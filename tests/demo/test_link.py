"""A link brings back the settings it was made from, and nothing else."""

import json
from urllib.parse import parse_qsl

import pytest

from demo.link import Settings, query, settings_of, view_state
from demo.part_change import PartChange
from demo.session import Lab

VIEW = json.dumps(
    {"mesh": "full", "shading": "smooth", "wireframe": False, "camera": [0.1, -1e-3, 2.5, 0, 0, 0]},
    separators=(",", ":"),
)
ALL = {
    "example": "at_ease", "enabled": False, "iterations": 7, "strength": 0.35, "operator": "taubin",
    "lesson": "parts", "against": "hmnet-oracle", "align": True, "limit": 120.0,
    "dropped": ("left arm", "right leg"), "swapped": True, "noise": 0.05, "true_parts": True, "view": VIEW,
}  # fmt: skip


def read(text: str) -> Settings:
    return settings_of(dict(parse_qsl(text)))


def test_every_setting_comes_back():
    assert read(query(ALL)) == Settings(**ALL)


@pytest.mark.parametrize("name", ALL)
def test_each_setting_comes_back_alone(name):
    text = query({name: ALL[name]})
    assert text.startswith(f"{name}=") and "&" not in text
    assert read(text) == Settings(**{name: ALL[name]})


def test_settings_make_a_lab_and_a_part_change():
    settings = Settings(**ALL)
    assert settings.lab == Lab(enabled=False, iterations=7, strength=0.35, operator="taubin")
    assert settings.change == PartChange(True, ("left arm", "right leg"), True, 0.05)
    assert Settings().lab == Lab() and Settings().change == PartChange()


def test_defaults_make_an_empty_link():
    assert query({**vars(Settings())}) == ""
    assert read("") == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iterations", "11"), ("iterations", "-1"), ("iterations", "1.5"), ("iterations", "1_0"),
        ("iterations", "٣"), ("strength", "1.01"), ("strength", "nan"), ("strength", "inf"),
        ("strength", "much"), ("operator", "median"), ("enabled", "maybe"), ("align", ""),
        ("limit", "0"), ("limit", "1e9"), ("noise", "-0.1"), ("dropped", "tail,<b>"),
        ("example", "../../etc/passwd"), ("example", "/tmp/photo.jpg"), ("example", "a" * 65),
        ("lesson", "<script>"), ("against", "a b"), ("view", "<img onerror=x>"), ("view", "a" * 301),
        ("view", "a'b"), ("view", "a`b"), ("view", "a\\u003c"), ("view", "a&b"), ("photo", "mine.jpg"),
    ],
)  # fmt: skip
def test_bad_and_unknown_values_are_ignored(name, text):
    assert settings_of({name: text}) == Settings()
    assert settings_of({name: text, "swapped": "1"}) == Settings(swapped=True)
    assert query({name: text}) == ""


def test_of_the_dropped_limbs_those_that_exist_count_once():
    assert settings_of({"dropped": "head,tail,left leg,head"}).dropped == ("head", "left leg")


def test_values_as_the_pages_controls_give_them():
    # A slider gives whole numbers as floats, and 0 for "automatic".
    text = query({"iterations": 3.0, "limit": 0, "dropped": ["head"], "noise": 0, "lesson": ""})
    assert text == "iterations=3&dropped=head"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        '{"a": ' + "9" * 5000 + "}",
        '{"a": "' + "x" * 20_000 + '"}',
    ],
)
def test_what_is_no_state_of_the_view_is_as_if_it_were_not_said(text):
    # Errors of the JSON's reader came through.
    assert view_state(text) == {}


def test_the_state_of_the_view_is_read():
    assert view_state(VIEW) == json.loads(VIEW)
