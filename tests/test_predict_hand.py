"""`python -m hmnet predict --hand`: what it writes, and one sentence for each mistake."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from drawn_hand import PARTS, box_of, draw_hand, find_drawn, hand_checkpoint
from PIL import Image

from hmnet.__main__ import main
from hmnet.body import load_body
from hmnet.body.hand_names import HAND_JOINT_NAMES, HAND_PART_COLOURS

Captured = pytest.CaptureFixture[str]
KEYPOINTS: dict[str, np.ndarray] = {}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A left hand that points to the lower right."""
    image, KEYPOINTS["left"] = draw_hand((320, 240), (160, 120), 130, 2.2, "left")
    path = tmp_path_factory.mktemp("hands") / "waving.png"
    Image.fromarray(image).save(path)
    return path


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The command line loads networks that know drawn hands; what weights it asked for."""
    asked = []
    monkeypatch.setattr(
        "hmnet.checkpoint.load_checkpoint", lambda *which: asked.append(which) or hand_checkpoint()
    )
    monkeypatch.setattr("hmnet.hand_predictor.find_hands", find_drawn)
    monkeypatch.setenv("HMNET_ENGINE", "torch")
    return asked


def predict(*arguments: str | Path) -> int:
    return main(["predict", "--hand", *map(str, arguments)])


def sentence(captured: Captured) -> str:
    """The only line on stderr."""
    (line,) = captured.readouterr().err.splitlines()
    assert line.startswith("hmnet: ") and line.endswith("."), line
    return line


def test_four_files_about_a_hand(drawn: list, photo: Path, tmp_path: Path, capsys: Captured) -> None:
    assert predict(photo, "--output", tmp_path) == 0
    printed = capsys.readouterr()
    assert "Weights: test, variant hand, revision 0" in printed.out and not printed.err
    assert drawn == [(None, "hand")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "waving.glb", "waving.json", "waving_overlay.png", "waving_parts.png",
    ]  # fmt: skip
    content = json.loads((tmp_path / "waving.json").read_text())
    assert content["side"] == "left" and content["turn"] == pytest.approx(2.2, abs=0.05)
    assert content["weights"] == {"source": "test", "variant": "hand", "revision": "0"}
    assert content["timings_ms"].keys() > {"read", "segment", "reconstruct"}
    assert tuple(content["joints"]) == HAND_JOINT_NAMES == tuple(content["keypoints_2d"])
    np.testing.assert_allclose(list(content["keypoints_2d"].values()), KEYPOINTS["left"], atol=2)
    scale, *move = content["camera"]
    x, y, _ = content["joints"]["thumb_tip"]
    np.testing.assert_allclose(
        content["keypoints_2d"]["thumb_tip"], scale * (np.array([x, y]) + move), atol=0.05
    )

    parts = Image.open(tmp_path / "waving_parts.png")
    assert parts.size == (320, 240) and set(np.unique(np.asarray(parts))) == {0, *PARTS}
    place = tuple(np.argwhere(np.asarray(parts) == 9)[0][::-1].tolist())
    assert parts.convert("RGB").getpixel(place) == HAND_PART_COLOURS[9]
    before = np.asarray(Image.open(photo)).astype(int)
    changed = np.abs(np.asarray(Image.open(tmp_path / "waving_overlay.png")) - before).sum(-1) > 30
    hand = before[..., 2] > 250
    assert (changed & hand).sum() / (changed | hand).sum() > 0.7
    mesh = trimesh.load_mesh(tmp_path / "waving.glb", process=False)
    assert len(mesh.vertices) == 1609 and len(mesh.faces) == len(load_body("hand").full_faces)
    assert mesh.volume > 0, "the faces of a left hand are not inside out"


def test_side_and_box_are_passed_on(drawn: list, photo: Path, tmp_path: Path) -> None:
    x0, y0, x1, y1 = box = box_of(KEYPOINTS["left"]).round()
    assert predict(photo, "--output", tmp_path, "--side", "right", "--box", f"{x0},{y0},{x1},{y1}") == 0
    content = json.loads((tmp_path / "waving.json").read_text())
    assert content["side"] == "right" and content["box"] == box.tolist()


def test_photos_without_a_hand_and_videos_are_named(
    drawn: list, photo: Path, tmp_path: Path, capsys: Captured
) -> None:
    Image.new("RGB", (100, 100), (90, 120, 90)).save(tmp_path / "meadow.png")
    (tmp_path / "clip.mp4").write_bytes(b"no video, which is not looked at")
    assert predict(tmp_path / "meadow.png", tmp_path / "clip.mp4", photo, "--output", tmp_path / "out") == 2
    printed = capsys.readouterr()
    meadow, clip = printed.err.splitlines()
    assert "meadow.png" in meadow and "No hand was found in the photo" in meadow
    assert "clip.mp4" in clip and "photos only" in clip
    assert "1 of 3 photos and videos done." in printed.out
    assert {path.stem.split("_")[0] for path in (tmp_path / "out").iterdir()} == {"waving"}


def test_what_does_not_fit_is_one_sentence(
    drawn: list,
    photo: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    red_checkpoint,
) -> None:
    assert main(["predict", str(photo), "--output", str(tmp_path), "--side", "left"]) == 2
    assert "add --hand" in sentence(capsys)
    assert main(["predict", str(photo), "--output", str(tmp_path)]) == 2
    assert "The weights hand are of a hand: add --hand" in sentence(capsys)
    monkeypatch.setattr("hmnet.checkpoint.load_checkpoint", lambda *_: red_checkpoint)
    assert predict(photo, "--output", tmp_path) == 2
    assert "The weights hmnet are of people" in sentence(capsys)


def test_weights_of_hands_that_are_not_there(
    checkpoint_folder: Path, photo: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HMNET_REPO", raising=False)
    embedded = tmp_path / "weights"
    shutil.copytree(checkpoint_folder, embedded / "hmnet")
    monkeypatch.setattr("hmnet.checkpoint.EMBEDDED", embedded)
    own = ("--weights", checkpoint_folder)
    for given, place in (((), "that come with the program"), (own, f"in {checkpoint_folder}")):
        assert predict(photo, "--output", tmp_path / "out", *given) == 2
        said = sentence(capsys)
        assert "There are no weights of hands" in said and place in said and "--weights" in said
