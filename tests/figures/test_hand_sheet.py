"""The contact sheet of hands: a row a photo with what was found, or with the sentence that says why not."""

from pathlib import Path

import numpy as np
import pytest
from drawn_hand import GREY, draw_hand, find_drawn, hand_checkpoint
from PIL import Image

from hmnet.__main__ import main
from hmnet.errors import DataError
from hmnet.figures import hands
from hmnet.figures.hands import GAP, OTHERS, OWN, TEXT, TILE
from hmnet.hand_predictor import HandPredictor


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> HandPredictor:
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", find_drawn)
    return HandPredictor(hand_checkpoint(), "cpu", engine="torch")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A left hand alone, two hands, no hand, no photo at all, and what is left aside."""
    one, _ = draw_hand((300, 200), (140, 100), 120, 0.6, "left")
    two, _ = draw_hand((400, 300), (110, 150), 160)
    two, _ = draw_hand((400, 300), (310, 150), 90, -0.4, photo=two)
    for name, photo in (("a left", one), ("b two", two), ("c meadow", np.full((90, 140, 3), GREY, np.uint8))):
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
    (tmp_path / "d broken.jpg").write_bytes(b"no photo")
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


def tile(page: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = row * (TILE + GAP), column * (TILE + GAP)
    return page[top : top + TILE, left : left + TILE]


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(-1).any())


def test_every_photo_has_a_row_with_what_came_out(predictor: HandPredictor, photos: Path) -> None:
    page, words = hands.make(predictor, photos)
    assert page.shape == (4 * (TILE + GAP) - GAP, 4 * (TILE + GAP) + TEXT, 3)
    assert words[0].startswith("a left.png: left hand, likeness ") and float(words[0][-4:]) > 0.9
    assert words[1].startswith("b two.png: right hand, likeness ") and words[1].endswith(", and 1 more found")
    assert words[2].startswith("c meadow.png: No hand was found")
    assert words[3].startswith("d broken.jpg: ") and "No hand" not in words[3]
    # The windows of both hands; the one that was taken in a colour of its own.
    assert has(tile(page, 0, 0), OWN) and not has(tile(page, 0, 0), OTHERS)
    assert has(tile(page, 1, 0), OWN) and has(tile(page, 1, 0), OTHERS)
    for row in (0, 1):
        parts, mesh, side = (tile(page, row, column) for column in (1, 2, 3))
        assert (parts != mesh).any(-1).mean() > 0.05 and (side < 250).any(-1).mean() > 0.02
    for row in (2, 3):
        assert all((tile(page, row, column) == 255).all() for column in (1, 2, 3))
        words_beside = page[row * (TILE + GAP) :, 4 * (TILE + GAP) :]
        assert (words_beside < 128).any()
    assert has(tile(page, 2, 0), GREY) and (tile(page, 3, 0) == 255).all()
    assert len(hands.make(predictor, photos, limit=1)[1]) == 1


def test_the_window_s_thick_edge_is_what_was_up(predictor: HandPredictor, tmp_path: Path) -> None:
    """A hand that points to the right: the window's right edge is the thick one."""
    photo, _ = draw_hand((400, 400), (200, 200), 200, np.pi / 2)
    picture = hands.tiles(predictor.predict(photo))[0]
    own = (picture == OWN).all(-1)
    rows, columns = np.nonzero(own)
    middle = own[(rows.min() + rows.max()) // 2]
    half = (columns.min() + columns.max()) // 2
    assert middle[half:].sum() > middle[:half].sum() >= 1


def test_a_folder_without_photos_is_named(predictor: HandPredictor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No photo \(\.jpg"):
        hands.make(predictor, tmp_path)


def test_the_command_writes_one_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", find_drawn)
    monkeypatch.setattr("hmnet.checkpoint.load_checkpoint", lambda *_: hand_checkpoint())
    monkeypatch.setenv("HMNET_ENGINE", "torch")
    output = tmp_path / "new" / "sheet.jpg"
    assert main(["figure", "hands", "--photos", str(photos), "--limit", "1", "--output", str(output)]) == 0
    assert [path.name for path in output.parent.iterdir()] == ["sheet.jpg"]
    assert Image.open(output).size == (4 * (TILE + GAP) + TEXT, TILE)
    assert capsys.readouterr().out.splitlines()[-1] == str(output)
