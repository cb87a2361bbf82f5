"""The figures' sections: numbers of the JSON files, pictures, and a sentence for what is not there."""

import json
from pathlib import Path

import pytest

from hmnet.errors import DataError
from hmnet.figure_sections import SECTIONS, figure_sections

ORIGIN = {
    "command": "python -m hmnet figure NAME --data TEST", "images": 1500, "test set": "full",
    "weights": {"variant": "hmnet", "revision": "abc1234"},
}  # fmt: skip


def section(folder: Path, name: str) -> str:
    return dict(zip(SECTIONS, figure_sections(folder), strict=True))[name]


def write(folder: Path, name: str, result: dict) -> None:
    (folder / f"{name}.json").write_text(json.dumps(ORIGIN | result))


def sweep(surface: list[float], rough: list[float]) -> dict:
    return {"iterations": {"surface": surface, "roughness": rough}, "strength": {"surface": surface}}


def test_what_was_not_made_says_how_to_make_it(tmp_path: Path) -> None:
    sections = figure_sections(tmp_path)
    assert len(sections) == len(SECTIONS) == 7
    for name, text in zip(SECTIONS, sections, strict=True):
        assert text.startswith(f"## {SECTIONS[name].title}\n") and f"python -m hmnet figure {name}" in text
        assert "![" not in text


def test_the_regulariser_s_numbers_are_told(tmp_path: Path) -> None:
    result = {
        "iterations": [0, 1, 2], "strengths": [0, 0.5, 1], "truth": {"roughness": 4.2},
        "with": sweep([110.0, 100.0, 101.0], [15.0, 6.0, 5.0]),
        "without": sweep([90.0, 91.0, 95.0], [9.0, 5.0, 4.0]),
    }  # fmt: skip
    write(tmp_path, "regulariser", result)
    text = section(tmp_path, "regulariser")
    assert (
        "surface error 110.0 mm raw, 100.0 averaged once, 101.0 after 2 iterations; lowest (100.0) after 1"
        in text
    )
    assert "90.0 mm raw" in text and "lowest (90.0) after 0" in text and "true meshes is 4.2" in text
    assert "is lowest (100.0 mm) at strength 0.5" in text
    assert "1,500 pictures (test set: full)" in text and "revision abc1234" in text
    assert "![" not in text
    (tmp_path / "regulariser.png").write_bytes(b"")
    assert f"]({(tmp_path / 'regulariser.png').as_posix()})" in section(tmp_path, "regulariser")


def test_noisy_parts_numbers_are_told(tmp_path: Path) -> None:
    networks = {"hmnet": [100.0, 120.0], "hmnet-oracle": [80.0, 140.0]}
    result = {
        "missing limbs": {"amounts": [0, 12], **networks},
        "swapped sides": {"amounts": ["none", "both"], **networks},
        "wrong patches": {"amounts": [0, 1], "hmnet": [100.0, 130.0], "hmnet-oracle": [80.0, 150.0]},
        "undamaged": {"hmnet": 115.0, "hmnet-oracle": 118.0, "rgb-only": 125.0},
    }
    write(tmp_path, "noisy-parts", result)
    text = section(tmp_path, "noisy-parts")
    assert "HMNet, given true part maps: 100.0 mm; without 12 limbs 120.0" in text
    assert "100.0 (none), 120.0 (both); with 100 % of the labels wrong 130.0" in text
    assert "HMNet-Oracle, given true part maps: 80.0 mm" in text
    assert "own maps: 115.0 mm; the photo alone: 125.0 mm" in text


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps(ORIGIN | {"with": 3})])
def test_a_file_of_another_form_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "regulariser.json").write_text(text)
    with pytest.raises(DataError, match=r"regulariser\.json cannot be used .* hmnet figure regulariser"):
        figure_sections(tmp_path)


def test_noisy_truth_tells_what_bad_meshes_cost(tmp_path: Path) -> None:
    write(
        tmp_path,
        "noisy-truth",
        {"cost of bad meshes": {"HMNet (with L_J)": {"surface": 12.34, "joint": -1.0}}},
    )
    text = section(tmp_path, "noisy-truth")
    assert (
        "HMNet (with L_J): badly fitted meshes change the errors by +12.3 mm surface, -1.0 mm joint." in text
    )


def test_the_shape_range_s_agreement_is_told(tmp_path: Path) -> None:
    agreement = {"mean absolute error": 40.4, "spread": 80.2, "correlation": 0.876, "slope": None}
    result = {
        "scenes": 16, "measures": dict.fromkeys(("stature", "chest", "waist", "hips"), agreement),
        "errors": {"age": {"surface": [150.4, 120.0], "PA surface": [1.0, 2.0]}},
        "sex": {"right": 0.75, "right from the true mesh": 0.98},
    }  # fmt: skip
    write(tmp_path, "shape-range", result)
    text = section(tmp_path, "shape-range")
    assert "Surface error over age, from one end to the other: 150, 120 mm." in text
    assert "Stature: mean absolute error 40 mm where always giving the mean would leave 80" in text
    assert "correlation 0.88, slope - (1 would" in text and "75 % of the recovered" in text and "98 %" in text
    assert "1,500 pictures of 16 scenes" in text


def test_the_gallery_counts_and_its_picture_may_be_a_photo(tmp_path: Path) -> None:
    rows = [{"name": "a", "hmnet": 90.0, "rgb-only": 100.0}, {"name": "b", "hmnet": 120.0, "rgb-only": 110.0}]
    write(tmp_path, "gallery", {"rows": rows})
    (tmp_path / "gallery.jpg").write_bytes(b"")
    text = section(tmp_path, "gallery")
    assert "The first 2 pictures" in text and "in 1 of them" in text and "gallery.jpg)" in text
    # Of photos nobody knows the truth.
    write(tmp_path, "gallery", {"rows": [{"name": "photo"}]})
    assert "nearer to the truth" not in section(tmp_path, "gallery")


def test_engines_are_told_beside_torch(tmp_path: Path) -> None:
    moved = {"mean": 12.0, "median of largest": 19.8, "95th percentile of largest": 90.0, "largest": 477.5}
    rows = {
        "torch, float32": {"surface": 119.6, "PA surface": 79.15},
        "OpenVINO, bfloat16": {"surface": 119.69, "PA surface": 79.13, **moved},
    }
    write(tmp_path, "engines", {"rows": rows})
    text = section(tmp_path, "engines")
    assert "torch, float32: surface error 119.60 mm" in text
    assert "119.69 mm (+0.09)" in text and "12.00 mm on average" in text and "at most 477.5 mm" in text


def test_clips_are_told_by_way(tmp_path: Path) -> None:
    row = {"surface": 82.0, "PA surface": 54.0, "jitter": 11.4, "box overlap": 0.95, "lost": 0.5}
    result = {"ways": {"followed": row}, "clips": ["waving, seed 7"], "frames": 100, "engine": "torch, cpu"}
    write(tmp_path, "clip", result)
    text = section(tmp_path, "clip")
    assert "- Followed: surface error 82.0 mm" in text and "jitter 11.4 mm a frame squared" in text
    assert "100 frames of 1 clips (waving, seed 7)" in text and "engine: torch, cpu" in text
