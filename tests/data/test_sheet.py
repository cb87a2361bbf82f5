"""The contact sheet shows what is in the shards, and the photos beside it are cut about their persons."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("webdataset", reason="shards need webdataset (requirements-dev.txt)")

from hmnet.body import load_body
from hmnet.data.shards import write_shard
from hmnet.data.synthetic import sheet
from hmnet.errors import DataError

SIZE = 96


def write_samples(folder, count: int = 7, shards: int = 2) -> None:
    """Shards of a body standing before noise, its parts a rectangle."""
    folder.mkdir(parents=True, exist_ok=True)
    body, generator = load_body(), np.random.default_rng(3)
    for shard in range(shards):
        made = []
        for i in range(count):
            image = generator.integers(60, 90, (SIZE, SIZE, 3)).astype(np.uint8)
            part_map = np.zeros((SIZE, SIZE), np.uint8)
            part_map[10:90, 30:60] = 2
            made.append(
                SimpleNamespace(
                    keypoints=None,
                    image=image,
                    part_map=part_map,
                    vertices=body.vertices.numpy(),
                    joints=np.zeros((24, 3)),
                    camera=np.array([40, 1.2, 1.2], np.float32),
                    box=np.array([30, 10, 60, 90], np.float32),
                    kind=f"kind {shard} {i}",
                    tags=("occluded",),
                )
            )
        write_shard(folder / f"{shard:05d}.tar", made, generator)


def write_photos(folder, count: int = 12) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(4)
    for i in range(count):
        Image.fromarray(generator.integers(0, 255, (120, 160, 3)).astype(np.uint8)).save(folder / f"{i}.png")


def test_a_sheet_has_its_size_and_the_same_bytes_for_a_seed(tmp_path):
    write_samples(tmp_path / "shards")
    write_photos(tmp_path / "images")
    arguments = ["--data", str(tmp_path / "shards"), "--photos", str(tmp_path / "images"), "--count", "6"]
    for name in ("a.jpg", "b.jpg"):
        assert sheet.main([*arguments, "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    picture = Image.open(tmp_path / "a.jpg")
    row = sheet.TILE + sheet.CAPTION
    block = 3 * sheet.TILE + 4
    assert picture.width == sheet.COLUMNS * block + (sheet.COLUMNS + 1) * sheet.GAP <= 2500
    assert picture.height == 4 * row + 5 * sheet.GAP, "two rows of samples, each followed by one of photos"


def test_parts_and_mesh_are_drawn_where_the_person_is(tmp_path):
    write_samples(tmp_path, 1, 1)
    (sample,) = sheet.draw_samples(tmp_path, 1, np.random.default_rng(0))
    image, parts, mesh = (tile.astype(int) for tile in sheet.sample_tiles(sample, load_body()))
    scale = sheet.TILE / SIZE
    inside = np.s_[int(20 * scale) : int(80 * scale), int(35 * scale) : int(55 * scale)]
    corner = np.s_[: int(8 * scale), : int(25 * scale)]
    assert np.abs(parts - image)[inside].mean() > 40
    assert (parts[corner] < image[corner]).mean() > 0.9, "the picture is darkened outside the parts"
    assert np.abs(mesh - image)[corner].max() == 0
    x, y = (np.array([1.2, 1.2]) * 40 * scale).astype(int)
    assert np.abs(mesh - image)[y - 4 : y + 4, x - 4 : x + 4].mean() > 40, (
        "the body's root is at the camera's"
    )


def test_samples_come_from_every_shard_and_differ_by_seed(tmp_path):
    write_samples(tmp_path)
    drawn = [sheet.draw_samples(tmp_path, 4, np.random.default_rng(seed)) for seed in (0, 1)]
    kinds = [[sample.kind for sample in samples] for samples in drawn]
    assert {kind.split()[1] for kind in kinds[0]} == {"0", "1"}
    assert kinds[0] != kinds[1]
    assert len(sheet.draw_samples(tmp_path, 99, np.random.default_rng(0))) == 14


def test_the_box_of_a_photo_comes_from_joints_then_mask_then_the_middle(tmp_path):
    write_photos(tmp_path / "images", 3)
    (tmp_path / "masks").mkdir()
    mask = np.zeros((120, 160), np.uint8)
    mask[20:100, 40:70] = 5
    Image.fromarray(mask).save(tmp_path / "masks" / "1.png")
    joints = {"left_hip": [50, 50], "right_ankle": [60, 100]}
    (tmp_path / "reference.json").write_text(json.dumps({"0": {"joints2d": joints}}))
    by_joints, by_mask, by_nothing = sheet.read_photos(tmp_path / "images")
    assert np.allclose(by_joints.box, [44, 44, 66, 106])
    assert np.allclose(by_mask.box, [40, 20, 70, 100]) and (by_mask.mask == (mask > 0)).all()
    assert np.allclose((by_nothing.box[:2] + by_nothing.box[2:]) / 2, [80, 60]) and by_nothing.mask is None


def test_a_window_stays_within_the_photo():
    image = np.empty((50, 80))
    assert sheet.window(image, (5, 5), 20).box == (0, 0, 20, 20)
    assert sheet.window(image, (79, 25), 200).box == (30, 0, 80, 50)


@pytest.mark.parametrize("case", ["no shards", "no photos", "broken photo", "no count"])
def test_bad_input_gives_one_sentence(tmp_path, capsys, case):
    write_samples(tmp_path / "shards", 1, 1)
    (tmp_path / "images").mkdir()
    if case == "broken photo":
        (tmp_path / "images" / "x.jpg").write_bytes(b"no picture")
    else:
        write_photos(tmp_path / "images", 0 if case == "no photos" else 1)
    data = tmp_path / ("nothing" if case == "no shards" else "shards")
    arguments = [
        "--data",
        str(data),
        "--photos",
        str(tmp_path / "images"),
        "--output",
        str(tmp_path / "s.jpg"),
    ]
    assert sheet.main([*arguments, "--count", "0" if case == "no count" else "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ":" in said and "Traceback" not in said
    assert not (tmp_path / "s.jpg").exists()
    with pytest.raises(DataError, match="is not a folder"):
        sheet.read_photos(tmp_path / "nowhere")
