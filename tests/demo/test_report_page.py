"""The report is one file that holds everything, and says what was set; tests/browser opens it."""

import base64
import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from demo import viewer
from demo.part_change import PartChange
from demo.report_page import change_words, lab_words, report
from demo.session import Lab, break_parts, regularise
from hmnet.errors import DataError

VOID = {"meta", "img", "br", "hr", "input"}
WRITTEN = datetime(2026, 3, 9, 23, 5, tzinfo=timezone(timedelta(hours=1)))


def png(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 4), (level, 0, 0)).save(file, "PNG")
    return file.getvalue()


class Reader(HTMLParser):
    """Collects attributes by tag, text outside of scripts and styles, and what is left open."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.words, self.scripts, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(of_example, body):
    tables = [("Joints & more", '<table class="numbers"><tr><th>left knee</th><td>12.3</td></tr></table>')]
    return report(of_example, png(200), png(90), tables, WRITTEN)


@pytest.fixture(scope="module")
def read(page):
    return Reader(page)


def test_it_is_whole_and_dated(page, read):
    assert page.startswith("<!DOCTYPE html>") and read.open == []
    assert "9 March 2026, 22:05 UTC" in read.text
    assert "Joints & more left knee 12.3" in read.text


def test_it_asks_for_nothing_outside_of_itself(page, read):
    (policy,) = [tag["content"] for tag in read.all("meta") if tag.get("http-equiv")]
    assert policy.startswith("default-src 'none';") and "http" not in policy
    assert read.all("link") == [] and all("src" not in tag for tag in read.all("script"))
    assert all(tag["src"].startswith("data:") for tag in read.all("img"))
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "@import" not in styles and "url(" not in styles
    assert not re.findall(r"https?://", page)


def test_pictures_are_inside_and_described(read):
    pictures = read.all("img")
    for picture, level in zip(pictures, (200, 90), strict=True):
        content = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
        assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == (level, 0, 0)
        assert len(picture["alt"]) > 20


def test_settings_are_told(models, of_example, body):
    session = regularise(models, of_example, Lab(iterations=3, strength=0.5, operator="taubin"))
    session = break_parts(models, session, PartChange(dropped=("left arm", "head"), noise=0.25))
    text = Reader(report(session, None, None, [])).text
    assert "rendered example walker.jpg, 480 × 640 px" in text  # noqa: RUF001
    assert "made-up body, variant fake, revision none" in text
    assert "Taubin's operator, which keeps the volume, 3 times, strength 0.5" in text
    assert "as the segmenter gave it, without left arm, head, noise 25%" in text


def test_what_is_not_there_has_no_heading(of_photo, body):
    read = Reader(report(of_photo, None, None, []))
    assert "Pictures" not in read.text and "Numbers" not in read.text and "In 3D" in read.text
    assert "the visitor's own" in read.text


def test_words_that_mean_something_in_html_are_escaped(of_photo, body):
    weights = replace(of_photo.prediction.weights, source="</script><b>mine", notice="<i>other</i> weights")
    session = replace(of_photo, prediction=replace(of_photo.prediction, weights=weights))
    read = Reader(report(session, None, None, [("<u>title", "")]))
    assert read.open == [] and not {"b", "i", "u"} & {tag for tag, _ in read.tags}
    assert "</script><b>mine" in read.text and "<i>other</i> weights" in read.text and "<u>title" in read.text


def test_the_3d_view_is_given_both_meshes(of_example, body, read):
    (script,) = read.scripts
    (line,) = [line for line in script.splitlines() if line.startswith("const props = ")]
    props = json.loads(line.removeprefix("const props = ").removesuffix(";"))
    assert props["surfaces"] == viewer.surfaces({"anny": body})
    value = props["value"]
    for pane, vertices in zip(
        value["panes"], (of_example.prediction.raw_vertices, of_example.prediction.vertices), strict=True
    ):
        sent = np.frombuffer(base64.b64decode(pane["vertices"]), "<f4").reshape(-1, 3)
        np.testing.assert_array_equal(sent, vertices)
    assert [layout["panes"] for layout in value["layouts"]] == [["raw", "regularised"]]
    # The view's own scripts stand in an element that they must not close.
    assert viewer.SCRIPT in script and "<" not in line


def test_a_picture_that_is_none_is_refused(of_photo, body):
    with pytest.raises(DataError, match="as a PNG file"):
        report(of_photo, b"<svg onload=...>", None, [])


@pytest.mark.parametrize(
    ("lab", "words"),
    [
        (Lab(), "mean of neighbours (Eq. 3), once, strength 1"),
        (Lab(enabled=False, iterations=4), "off"),
        (Lab(iterations=0), "off"),
        (Lab(iterations=2, strength=0.05), "mean of neighbours (Eq. 3), 2 times, strength 0.05"),
    ],
)
def test_the_regulariser_in_words(lab, words):
    assert lab_words(lab) == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (PartChange(), "as the segmenter gave it"),
        (PartChange(true_parts=True, swapped=True), "the true parts, left and right swapped"),
    ],
)
def test_the_change_in_words(change, words):
    assert change_words(change) == words
