"""The command line: what it writes, and one sentence with exit code 2 for each mistake."""

import json
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from hmnet.__main__ import main
from hmnet.body import PART_COLOURS, load_body
from hmnet.checkpoint import Checkpoint
from hmnet.predictor import Predictor

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of something red, 120 x 160 px, with a dot in its name."""
    image = np.full((160, 120, 3), 125, np.uint8)
    image[30:140, 40:80] = (250, 20, 20)
    path = tmp_path_factory.mktemp("photos") / "some.one.png"
    Image.fromarray(image).save(path)
    return path


@pytest.fixture
def red(red_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line loads the segmenter that takes red for a person."""
    monkeypatch.setattr("hmnet.checkpoint.load_checkpoint", lambda *_: red_checkpoint)
    monkeypatch.setenv("HMNET_ENGINE", "torch")


def sentence(captured: Captured) -> str:
    """The only line on stderr."""
    lines = captured.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("hmnet: ") and lines[0].endswith("."), lines
    return lines[0]


def test_predict_writes_four_files(red: None, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    output = tmp_path / "new" / "folder"
    assert main(["predict", str(photo), "--output", str(output)]) == 0
    names = ["some_one.glb", "some_one.json", "some_one_overlay.png", "some_one_parts.png"]
    assert sorted(p.name for p in output.iterdir()) == names
    printed = capsys.readouterr()
    assert "Weights: test, variant hmnet, revision 0; device" in printed.out and not printed.err

    content = json.loads((output / "some_one.json").read_text())
    assert set(content) == {
        "image", "photo_size", "box", "joints", "keypoints_2d", "camera", "timings_ms", "weights",
    }  # fmt: skip
    assert content["image"] == "some.one.png" and content["photo_size"] == [120, 160]
    assert content["weights"] == {"source": "test", "variant": "hmnet", "revision": "0"}
    assert np.abs(np.array(content["box"]) - [40, 30, 80, 140]).max() < 3
    limbs = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert {f"{side}_{limb}" for side in ("left", "right") for limb in limbs} <= content["joints"].keys()
    assert {len(v) for v in content["joints"].values()} == {3}
    assert {len(v) for v in content["keypoints_2d"].values()} == {2}
    scale, tx, ty = content["camera"]
    x, y, _ = content["joints"]["left_knee"]
    expected = [scale * (x + tx), scale * (y + ty)]
    assert np.allclose(content["keypoints_2d"]["left_knee"], expected, atol=0.05)

    parts = Image.open(output / "some_one_parts.png")
    # Of the red stripes the torso alone is the same in a mirror, whose answer is averaged in.
    assert parts.size == (120, 160) and set(np.unique(np.asarray(parts))) == {0, 2}
    assert parts.convert("RGB").getpixel((60, 80)) == PART_COLOURS[2]
    overlay = np.asarray(Image.open(output / "some_one_overlay.png"))
    changed = (overlay != np.asarray(Image.open(photo))).any(-1)
    assert overlay.shape == (160, 120, 3) and 0.05 < changed.mean() < 0.95
    mesh = trimesh.load_mesh(output / "some_one.glb", process=False)
    assert len(mesh.vertices) == 13718 and len(mesh.faces) == len(load_body().full_faces)


def test_a_box_is_passed_on(red: None, photo: Path, tmp_path: Path) -> None:
    assert main(["predict", str(photo), "--output", str(tmp_path), "--box", "35,30,85,100.5"]) == 0
    assert json.loads((tmp_path / "some_one.json").read_text())["box"] == [35, 30, 85, 100.5]


def huge_png(path: Path) -> None:
    """A file that claims 50,000 x 50,000 px."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_bad_photos_are_named_and_the_others_done(
    red: None, photo: Path, tmp_path: Path, capsys: Captured
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "text.jpg").write_text("This is a letter.")
    (bad / "empty.jpg").write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(bad / "truncated.jpg")
    data = (bad / "truncated.jpg").read_bytes()
    (bad / "truncated.jpg").write_bytes(data[: len(data) // 2])
    huge_png(bad / "vast.png")
    Image.new("RGB", (100, 100), (90, 120, 90)).save(bad / "meadow.png")
    photos = [*sorted(bad.iterdir()), bad / "absent.jpg", photo]
    assert main(["predict", *map(str, photos), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    reasons = {
        "empty": "is empty", "meadow": "No person was found", "text": "not a picture",
        "truncated": "truncated or damaged", "vast": "megapixels", "absent": "There is no file",
    }  # fmt: skip
    assert len(lines) == len(reasons)
    for line, (name, reason) in zip(lines, reasons.items(), strict=True):
        assert line.startswith("hmnet: ") and name in line and reason in line
    assert "1 of 7 photos done" in printed.out
    assert (tmp_path / "out" / "some_one.json").exists()
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ("200,10,300,90", "outside the photo of 120 x 160 px"),
        ("10,10,10,90", "no area"),
        ("90,10,10,90", "no area"),
        ("nan,0,50,50", "finite"),
        ("10,20,30", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ("0,0,20,20", "No person was found in the box"),
    ],
)
def test_bad_boxes(box: str, reason: str, red: None, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["predict", str(photo), "--output", str(tmp_path), "--box", box]) == 2
    assert reason in sentence(capsys)


def test_a_box_for_two_photos(photo: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["predict", str(photo), "other.jpg", "--output", str(tmp_path), "--box", "1,2,30,40"]
    assert main(arguments) == 2
    assert "one photo, but 2 were given" in sentence(capsys)


@pytest.mark.parametrize("other", ["elsewhere/some.one.jpg", "some_one.png", "SOME.ONE.png"])
def test_photos_of_one_name_do_not_overwrite_each_other(
    other: str, photo: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert main(["predict", str(photo), other, "--output", str(tmp_path)]) == 2
    assert "would both be written as" in sentence(capsys)
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written(photo: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "folder"):
        for command in (["predict", str(photo)], ["generate", "--count", "1"], ["train", "--stage", "maps"]):
            assert main([*command, "--output", str(output)]) == 2
            assert "cannot be written" in sentence(capsys)


def test_a_report_that_cannot_be_written(red: None, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    for name in ("some_one.glb", "some_one.json"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).mkdir()
        assert main(["predict", str(photo), "--output", str(tmp_path)]) == 2
        assert "cannot be written" in sentence(capsys)


def test_bad_weights(checkpoint_folder: Path, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    command = ["predict", str(photo), "--output", str(tmp_path / "out"), "--weights"]
    assert main([*command, str(tmp_path / "absent")]) == 2
    assert "There is no folder" in sentence(capsys)
    assert main([*command, str(tmp_path)]) == 2
    assert "holds no weights" in sentence(capsys)
    assert main([*command, str(checkpoint_folder), "--variant", "huge"]) == 2
    assert "Unknown variant 'huge': choose one of hmnet" in sentence(capsys)
    copy = shutil.copytree(checkpoint_folder, tmp_path / "copy")
    with (copy / "segmenter.safetensors").open("r+b") as file:
        file.truncate(1000)
    assert main([*command, str(copy)]) == 2
    assert "corrupt" in sentence(capsys)


def test_a_bad_device(red: None, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["predict", str(photo), "--output", str(tmp_path), "--device", "toaster"]) == 2
    assert "choose one of cpu, cuda, mps" in sentence(capsys)


def test_interrupting_ends_with_one_line(
    red: None, photo: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "predict", interrupted)
    assert main(["predict", str(photo), "--output", str(tmp_path)]) == 130
    assert sentence(capsys) == "hmnet: stopped."


def test_generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    pytest.importorskip("numba", reason="rendering needs the training packages")
    from hmnet.data import testset
    from hmnet.data.synthetic import generate as module

    command = ["generate", "--count", "3", "--output", str(tmp_path)]
    assert main([*command, "--backgrounds", str(tmp_path / "absent")]) == 2
    assert "is not a folder" in sentence(capsys)
    calls = []
    monkeypatch.setattr(module, "generate", lambda *arguments: calls.append(arguments))
    options = ["--seed", "7", "--split", "test", "--workers", "2", "--poses", "a", "b"]
    assert main([*command, *options]) == 0
    recipe = module.Recipe(count=3, seed=7, split="test", poses=("a", "b"))
    assert calls == [(recipe, tmp_path, 2, (0, 1))]
    capsys.readouterr()
    assert main(["generate", "--test-set", "--output", str(tmp_path), "--workers", "2"]) == 0
    fixed = module.Recipe(count=testset.COUNT, seed=testset.SEED, split="test")
    assert calls[1] == (fixed, tmp_path, 2, (0, 1))
    assert "'open'" in capsys.readouterr().out
    assert main(["generate", "--test-set", "--seed", "1", "--output", str(tmp_path)]) == 2
    assert "--seed" in sentence(capsys)
    assert main([*command, "--body", "hand"]) == 0
    assert calls[2][0] == module.Recipe(count=3, body="hand")
    assert main(["generate", "--test-set", "--body", "hand", "--output", str(tmp_path)]) == 2
    assert "leave --seed, --split and --body out" in sentence(capsys)


def test_evaluating_nothing(capsys: Captured) -> None:
    assert main(["evaluate"]) == 2
    assert "Nothing to evaluate" in sentence(capsys)


@pytest.mark.parametrize("command", ["predict", "generate", "train", "evaluate"])
def test_help_of_every_command(command: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exit:
        main([command, "--help"])
    assert exit.value.code == 0
    assert f"python -m hmnet {command}" in capsys.readouterr().out


def test_no_command_shows_the_help(capsys: Captured) -> None:
    assert main([]) == 2
    assert "predict" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit:
        main(["dance"])
    assert exit.value.code == 2 and "invalid choice: 'dance'" in capsys.readouterr().err


def test_help_comes_without_loading_anything_heavy() -> None:
    code = (
        "import sys; from hmnet.__main__ import main\n"
        "for arguments in (['--help'], ['predict', '--help'], ['generate', '--help']):\n"
        "    try: main(arguments)\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'numpy', 'PIL', 'gradio', 'numba'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=60)


def test_as_a_program(checkpoint_folder: Path, photo: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.jpg"
    letter.write_text("This is a letter.")
    command = [sys.executable, "-m", "hmnet", "predict", str(letter), str(photo)]
    command += ["--output", str(tmp_path / "out"), "--weights", str(checkpoint_folder), "--device", "cpu"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr and "letter.jpg is not a picture" in ended.stderr
    # An untrained segmenter finds nobody that looks like a person in the other photo.
    assert "No person was found" in ended.stderr and "0 of 2 photos done" in ended.stdout


def test_a_missing_training_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    # A name bound to nothing cannot be imported.
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if name.startswith("hmnet.data.synthetic")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["generate", "--count", "1", "--output", str(tmp_path)]) == 2
    assert "requirements-dev.txt" in capsys.readouterr().err
