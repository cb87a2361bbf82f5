"""The gallery: a row of six tiles a person, of rendered pictures and of photos."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hmnet.checkpoint import load_checkpoint
from hmnet.engines import ENGINE_VARIABLE
from hmnet.errors import CheckpointError, DataError
from hmnet.figures import gallery
from hmnet.figures.gallery import COLUMNS, GAP, HEAD, TILE, Row
from hmnet.predictor import Predictor


def tile(page: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = HEAD + row * (TILE + GAP), column * (TILE + GAP)
    return page[top : top + TILE, left : left + TILE]


def test_rendered_people_in_rows_with_their_errors(checkpoint, shards):
    result, page = gallery.make(checkpoint, shards, None, 2)
    assert page.shape == (HEAD + 2 * (TILE + GAP) - GAP, 6 * (TILE + GAP) - GAP, 3)
    assert result["images"] == 2 and result["test set"] == "none of the fixed ones"
    for row in result["rows"]:
        assert row["hmnet"] > 0 and row["rgb-only"] > 0 and row["hmnet"] != row["rgb-only"]
    for row in range(2):
        assert len(np.unique(tile(page, row, 0))) > 100
        assert (tile(page, row, 3) != tile(page, row, 5)).any()


def test_the_meshes_lie_over_the_person_and_are_turned_beside(checkpoint):
    predictor = Predictor(checkpoint)
    image = np.full((160, 160, 3), 90, np.uint8)
    prediction = predictor.predict(image, [20, 20, 140, 140])
    body = predictor.body.vertices.numpy()
    lower = body + np.array([0, 0.5, 0])
    known = replace(prediction, vertices=body, camera=np.array([50.0, 1.6, 1.5]))
    tiles = dict(zip(COLUMNS, gallery.tiles(Row("one", known, lower, None), predictor), strict=True))
    own, other = ((tiles[name] != tiles["input"]).any(-1) for name in ("HMNet", "photo alone"))
    # Half a metre is 25 px of the photo, and of the window a share of TILE.
    shift = np.nonzero(other)[0].min() - np.nonzero(own)[0].min()
    assert shift == pytest.approx(25 * TILE / (120 * (1 + gallery.MARGIN)), abs=2)
    rows, columns = np.nonzero((tiles[COLUMNS[3]] < 250).any(-1))
    assert np.ptp(columns) < np.ptp(rows) / 2, "from the side a standing person is narrow"


def test_photos_of_a_folder_and_what_is_none(red_checkpoint, checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(ENGINE_VARIABLE, "torch")
    image = np.full((300, 400, 3), 120, np.uint8)
    image[60:260, 150:230] = (250, 20, 20)
    Image.fromarray(image).save(tmp_path / "red.png")
    Image.new("RGB", (90, 90), (90, 120, 90)).save(tmp_path / "meadow.png")
    (tmp_path / "notes.txt").write_text("no photo")
    seeing_red = replace(
        checkpoint, segmenter=red_checkpoint.segmenter, preprocessing=red_checkpoint.preprocessing
    )
    result, page = gallery.make(seeing_red, None, tmp_path)
    assert result["rows"] == [{"name": "red"}] and page.shape[0] == HEAD + TILE
    assert "test set" not in result and "meadow.png: No person" in capsys.readouterr().err
    # The person fills the window: its middle is red in the input and has the mesh's colour over it.
    middle = tile(page, 0, 0)[TILE // 2, TILE // 2]
    assert middle[0] > 200 and middle[1] < 60


def test_a_folder_without_photos_or_people_is_named(checkpoint, red_checkpoint, tmp_path):
    with pytest.raises(DataError, match=r"No photo \(\.jpg"):
        gallery.make(checkpoint, None, tmp_path)
    Image.new("RGB", (90, 90), (90, 120, 90)).save(tmp_path / "meadow.png")
    blind = replace(checkpoint, segmenter=red_checkpoint.segmenter)
    with pytest.raises(DataError, match="Nobody was found"):
        gallery.make(blind, None, tmp_path)


def test_weights_without_the_other_network_are_refused(checkpoint_folder, shards):
    with pytest.raises(CheckpointError, match="rgb-only"):
        gallery.make(load_checkpoint(checkpoint_folder), shards, None)
