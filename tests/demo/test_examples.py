"""The gallery's files: read as documented, and refused with a sentence."""

import json

import numpy as np
import pytest
import torch
from fake_predictor import posed_vertices, write_example
from safetensors.numpy import load_file

from demo.examples import load_example, load_examples
from demo.hands import EXAMPLES
from demo.lab import signed_volume
from hmnet.body.hand import hand_template
from hmnet.camera import project
from hmnet.errors import DataError


def test_examples_come_in_order_with_their_truth(tmp_path):
    for name in ("runner", "dancer"):
        write_example(tmp_path, name, seed=3, size=(120, 160))
    dancer, runner = load_examples(tmp_path)
    assert (dancer.title, runner.title) == ("Dancer", "Runner")
    about = json.loads((tmp_path / "runner.json").read_text())
    (tmp_path / "runner.json").write_text(json.dumps(about | {"place": 0}))
    assert [example.title for example in load_examples(tmp_path)] == ["Runner", "Dancer"]
    assert dancer.vertices.dtype == np.float32
    np.testing.assert_allclose(dancer.vertices, posed_vertices(3), atol=1e-3)  # stored as float16
    assert dancer.joints.shape == (24, 3)
    assert dancer.part_map.shape == (160, 120)


def test_a_missing_folder_is_an_empty_gallery(tmp_path):
    assert load_examples(tmp_path / "none") == ()


@pytest.mark.parametrize("ending", [".json", ".safetensors"])
@pytest.mark.parametrize("content", [None, b"{}"])
def test_a_photo_without_its_truth_is_refused(tmp_path, ending, content):
    photo = write_example(tmp_path, "walker", seed=0, size=(60, 80))
    photo.with_suffix(ending).unlink()
    if content is not None:
        photo.with_suffix(ending).write_bytes(content)
    with pytest.raises(DataError, match=r"walker\.jpg lacks a readable ground truth"):
        load_examples(tmp_path)


@pytest.mark.parametrize("name", ["relaxed", "pointing", "holding", "left"])
def test_shipped_hands_lie_where_their_photos_show_them(name):
    example = load_example(EXAMPLES / f"{name}.jpg")
    camera = load_file(example.photo.with_suffix(".safetensors"))["camera"]
    assert example.vertices.shape == (778, 3) and example.joints.shape == (21, 3)
    columns, rows = project(example.vertices, camera).astype(int).T
    shown = example.part_map > 0
    inside = shown[rows.clip(0, shown.shape[0] - 1), columns.clip(0, shown.shape[1] - 1)].mean()
    # The photo is of full perspective; what is held hides a part, and stands before it in the labels.
    assert inside > (0.5 if name == "holding" else 0.8)
    side = json.loads(example.photo.with_suffix(".json").read_text())["side"]
    assert side == ("left" if name == "left" else "right")
    # Numbered alike, so the mirror image of a right hand has the volume's sign turned round.
    assert np.sign(float(signed_volume(torch.from_numpy(example.vertices), hand_template(side).faces))) == 1


def test_shipped_hands_are_small():
    files = list(EXAMPLES.iterdir())
    assert len(files) == 12 and sum(file.stat().st_size for file in files) < 600_000
