"""The files of a figure: readable numbers, true colours, one sentence where they cannot be written."""

import json

import numpy as np
import pytest
from PIL import Image

from hmnet.errors import OutputError
from hmnet.figures.drawing import (
    COLOURS,
    PALETTE,
    colour_parts,
    drawn_window,
    new_figure,
    show_picture,
    style_axes,
    trimmed,
    write_figure,
)


def test_numbers_are_plain_rounded_and_a_list_a_line(tmp_path):
    result = {"curve": np.linspace(0, 1, 4), "count": np.int64(3), "none": None, "rows": [{"a": 1 / 3}]}
    numbers, picture = write_figure(tmp_path / "new", "curve", result, new_figure(2, 1))
    assert (numbers.name, picture.name) == ("curve.json", "curve.png")
    read = {"curve": [0.0, 0.3333, 0.6667, 1.0], "count": 3, "none": None, "rows": [{"a": 0.3333}]}
    assert json.loads(numbers.read_text()) == read
    assert '"curve": [ 0.0, 0.3333, 0.6667, 1.0 ]' in numbers.read_text()


def test_lines_keep_their_colours_beside_a_photo(tmp_path):
    figure = new_figure(6, 3)
    plot, photo = figure.subplots(1, 2)
    for height, colour in enumerate(COLOURS):
        plot.plot([0, 1], [height, height], color=colour, linewidth=6)
    style_axes(plot, "title", "x, px", "y, mm")
    show_picture(photo, np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8), "photo")
    _, path = write_figure(tmp_path, "lines", {}, figure)
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    assert tuple(pixels[0]) == (255, 255, 255) and len(np.unique(pixels, axis=0)) <= PALETTE
    for colour in COLOURS:
        wanted = np.array(list(bytes.fromhex(colour[1:])))
        assert (np.abs(pixels.astype(int) - wanted).max(1) == 0).sum() > 300, colour


def test_photos_become_a_jpeg(tmp_path):
    _, path = write_figure(tmp_path, "gallery", {}, np.full((20, 30, 3), 90, np.uint8))
    assert path.name == "gallery.jpg" and Image.open(path).size == (30, 20)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file.*choose another --output"):
        write_figure(tmp_path / "file", "curve", {}, new_figure(2, 1))


def test_white_around_a_picture_goes():
    picture = np.full((60, 80, 3), 255, np.uint8)
    picture[20:30, 40:42] = 10
    assert drawn_window(picture, rim=0) == (slice(20, 30), slice(40, 42))
    assert trimmed(picture).shape == (22, 14, 3)
    white = np.full((5, 6, 3), 255, np.uint8)
    assert trimmed(white).shape == white.shape


def test_the_background_of_parts_is_white():
    picture = colour_parts(np.array([[0, 2]]))
    assert picture[0, 0].tolist() == [255, 255, 255] and picture[0, 1].tolist() != [255, 255, 255]
