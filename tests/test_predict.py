"""`python -m hmnet predict` on videos and folders; what it does to single photos is in test_cli.py."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from hmnet.__main__ import main
from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint
from hmnet.predictor import Predictor
from hmnet.video.clip import open_clip
from hmnet.video.writing import VideoWriter

Captured = pytest.CaptureFixture[str]
GONE = (7, 8)
"""Frames of the test's video without anybody."""


@pytest.fixture(autouse=True)
def red(red_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line loads the segmenter that takes red for a person."""
    monkeypatch.setattr("hmnet.checkpoint.load_checkpoint", lambda *_: red_checkpoint)
    monkeypatch.setenv("HMNET_ENGINE", "torch")


def red_frames(count: int = 12, gone: Iterable[int] = GONE) -> Iterable[np.ndarray]:
    """A red patch of 50 x 130 px that moves to the right by 4 px a frame."""
    for index in range(count):
        frame = np.full((240, 320, 3), 125, np.uint8)
        if index not in gone:
            frame[60:190, 60 + 4 * index : 110 + 4 * index] = (250, 20, 20)
        yield frame


def write_video(path: Path, frames: Iterable[np.ndarray]) -> Path:
    with VideoWriter(path, 25) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame, index / 25)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "some.walk.mp4", red_frames())


def predict(*arguments: str | Path) -> int:
    return main(["predict", *map(str, arguments)])


def test_a_video_leaves_its_files(video: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "out"
    assert predict(video, "--output", out) == 0
    printed = capsys.readouterr()
    assert "1 of 1 videos done." in printed.out and "(12 frames," in printed.out
    assert "2 without the person" in printed.out
    # Not a terminal: no progress.
    assert not printed.err

    there = [index for index in range(12) if index not in GONE]
    names = sorted(path.name for path in (out / "some_walk").iterdir())
    assert names == sorted(f"{index:06d}.{kind}" for index in there for kind in ("json", "glb"))
    assert sorted(path.name for path in out.iterdir()) == [
        "some_walk", "some_walk.glb", "some_walk.json", "some_walk_overlay.mp4",
    ]  # fmt: skip

    content = json.loads((out / "some_walk.json").read_text())
    assert content["video"] == "some.walk.mp4" and content["size"] == content["video_size"] == [320, 240]
    assert content["frame_count"] == 12 and content["frames_without_person"] == list(GONE)
    assert content["fps"] == 25 and not content["interrupted"] and content["notice"] is None
    assert content["smoothing"].keys() == {"min_cutoff", "beta", "d_cutoff"}
    assert content["weights"] == {"source": "test", "variant": "hmnet", "revision": "0"}
    assert content["engine"] and content["frames_per_second"] > 0
    assert {"segment", "reconstruct", "draw", "encode", "files"} <= content["timings_ms"].keys()
    for index, frame in enumerate(content["frames"]):
        assert frame["frame"] == index and frame["seconds"] == pytest.approx(index / 25)
        if index in there:
            assert np.abs(np.array(frame["box"]) - [60 + 4 * index, 60, 110 + 4 * index, 190]).max() < 6
        else:
            assert frame["box"] is None

    one = json.loads((out / "some_walk" / "000005.json").read_text())
    assert one["frame"] == 5 and one["seconds"] == pytest.approx(0.2) and one["image"] == "some.walk.mp4"
    assert one["box"] == content["frames"][5]["box"] and {"joints", "keypoints_2d", "camera"} <= one.keys()
    mesh = trimesh.load_mesh(out / "some_walk" / "000005.glb", process=False)
    assert len(mesh.vertices) == 13718

    overlay, plain = (list(open_clip(path)) for path in (out / "some_walk_overlay.mp4", video))
    assert len(overlay) == 12
    changed = [
        (np.abs(a.image.astype(int) - b.image) > 40).any(-1).mean()
        for a, b in zip(overlay, plain, strict=True)
    ]
    assert all((share > 0.02) == (index in there) for index, share in enumerate(changed)), changed

    moving = trimesh.load_scene(out / "some_walk.glb", process=False).geometry["HumanMeshNet"]
    assert len(moving.vertices) == len(load_body().vertices)


def test_smoothing_can_be_switched_off(tmp_path: Path) -> None:
    # A patch that changes its shape, so that the answers differ from frame to frame.
    frames = list(red_frames(6, ()))
    for index, frame in enumerate(frames):
        frame[60 : 60 + 12 * index] = 125
    video = write_video(tmp_path / "v.mp4", frames)
    answers = {}
    for name, option in (("calm", []), ("raw", ["--no-smoothing"])):
        assert predict(video, "--output", tmp_path / name, "--no-frame-meshes", *option) == 0
        files = sorted((tmp_path / name / "v").iterdir())
        assert [file.suffix for file in files] == [".json"] * 6
        answers[name] = np.array([list(json.loads(file.read_text())["joints"].values()) for file in files])
    assert json.loads((tmp_path / "raw" / "v.json").read_text())["smoothing"] is None
    assert np.allclose(answers["calm"][0], answers["raw"][0], atol=1e-4)
    steps = {name: np.abs(np.diff(values, axis=0)).mean() for name, values in answers.items()}
    assert steps["calm"] < 0.8 * steps["raw"]


@pytest.mark.parametrize(
    ("options", "numbers"), [(["--every", "5"], [0, 5, 10]), (["--limit", "0.12"], [0, 1, 2])]
)
def test_every_and_limit(options: list[str], numbers: list[int], video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict(video, "--output", out, "--no-frame-meshes", *options) == 0
    assert [int(path.stem) for path in sorted((out / "some_walk").iterdir())] == numbers
    overlay = open_clip(out / "some_walk_overlay.mp4")
    assert np.allclose([frame.seconds for frame in overlay], np.array(numbers) / 25, atol=1e-3)


def test_a_box_marks_the_person_of_the_first_frame(tmp_path: Path, capsys: Captured) -> None:
    frames = list(red_frames(4, ()))
    for frame in frames:
        frame[20:220, 210:290] = (250, 20, 20)
    video = write_video(tmp_path / "two.mp4", frames)
    for options, box in (([], [210, 20, 290, 220]), (["--box", "60,60,110,190"], [72, 60, 122, 190])):
        assert predict(video, "--output", tmp_path / "out", "--no-frame-meshes", *options) == 0
        content = json.loads((tmp_path / "out" / "two.json").read_text())
        assert np.abs(np.array(content["frames"][3]["box"]) - box).max() < 8
    assert predict(video, "--output", tmp_path / "out", "--box", "400,10,500,90") == 2
    assert "outside the photo of 320 x 240 px" in capsys.readouterr().err


def test_large_videos_are_shrunk_and_the_box_with_them(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmnet.image.MAX_SIDE", 160)
    assert predict(video, "--output", tmp_path / "out", "--box", "60,60,110,190", "--no-frame-meshes") == 0
    content = json.loads((tmp_path / "out" / "some_walk.json").read_text())
    assert content["size"] == [160, 120] and content["video_size"] == [320, 240]
    assert np.abs(np.array(content["frames"][0]["box"]) - [30, 30, 55, 95]).max() < 4


def test_a_folder_gives_its_photos_and_videos(video: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "holiday"
    (folder / "more").mkdir(parents=True)
    video.rename(folder / "walk.MP4")
    Image.fromarray(next(iter(red_frames()))).save(folder / "beach.png")
    (folder / "notes.txt").write_text("sunny")
    (folder / "list.csv").write_text("1,2")
    # Given twice, done once.
    assert predict(folder, folder / "beach.png", "--output", tmp_path / "out", "--no-frame-meshes") == 0
    printed = capsys.readouterr()
    assert "2 of 2 photos and videos done." in printed.out
    assert printed.err.splitlines() == ["hmnet: 2 other files in the folders were skipped."]
    assert {"walk.json", "beach.json", "beach_overlay.png"} <= {p.name for p in (tmp_path / "out").iterdir()}


def test_folders_that_cannot_be_used(video: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, sentence in (
        ((tmp_path / "empty", "--output", tmp_path / "out"), "holds no photo and no video"),
        ((tmp_path, "--output", tmp_path), "choose another output folder"),
    ):
        assert predict(*arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("hmnet: ") and sentence in line


def test_a_photo_and_a_video_of_one_name(video: Path, tmp_path: Path, capsys: Captured) -> None:
    assert predict(video, "some.walk.jpg", "--output", tmp_path / "out") == 2
    assert "would both be written as some_walk.json" in capsys.readouterr().err


def test_bad_videos_are_named_and_the_others_done(video: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "letter.mp4").write_text("This is a letter.")
    write_video(tmp_path / "meadow.mp4", red_frames(3, range(3)))
    out = tmp_path / "out"
    assert predict(*(tmp_path / n for n in ("letter.mp4", "meadow.mp4")), video, "--output", out) == 2
    printed = capsys.readouterr()
    letter, meadow = printed.err.splitlines()
    assert "letter.mp4 is not a video" in letter
    assert "meadow.mp4" in meadow and "No person was found in any of 3 frames" in meadow
    assert "1 of 3 videos done." in printed.out
    # Nothing is left of the one without a person.
    assert {path.name.split(".")[0] for path in out.iterdir()} == {"some_walk", "some_walk_overlay"}


def test_a_video_that_was_cut_off_is_done_as_far_as_it_goes(tmp_path: Path, capsys: Captured) -> None:
    noise = np.random.default_rng(0)
    frames = [(frame + noise.integers(0, 60, frame.shape)).clip(0, 255) for frame in red_frames(40, ())]
    path = write_video(tmp_path / "half.mp4", (frame.astype(np.uint8) for frame in frames))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert predict(path, "--output", tmp_path / "out", "--no-frame-meshes") == 0
    content = json.loads((tmp_path / "out" / "half.json").read_text())
    assert 3 < content["frame_count"] < 38 and content["notice"] in capsys.readouterr().err


def test_interrupting_keeps_what_was_done(
    video: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted, calls = Predictor.predict, []

    def interrupted(self: Predictor, *arguments: object):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return predicted(self, *arguments)

    monkeypatch.setattr(Predictor, "predict", interrupted)
    out = tmp_path / "out"
    assert predict(video, "--output", out) == 130
    assert capsys.readouterr().err.splitlines() == ["hmnet: stopped."]
    content = json.loads((out / "some_walk.json").read_text())
    assert content["interrupted"] and content["frame_count"] == 4
    assert len(list(open_clip(out / "some_walk_overlay.mp4"))) == 4
    assert len(list((out / "some_walk").glob("*.glb"))) == 4
    assert trimesh.load_scene(out / "some_walk.glb", process=False).geometry


def test_frames_of_an_earlier_run_are_not_left_among_the_new(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict(video, "--output", out, "--no-frame-meshes") == 0
    (out / "some_walk" / "mine.json").write_text("{}")
    assert predict(video, "--output", out, "--no-frame-meshes", "--limit", "0.08") == 0
    names = sorted(path.name for path in (out / "some_walk").iterdir())
    assert names == ["000000.json", "000001.json", "mine.json"]


def test_files_that_cannot_be_written(video: Path, tmp_path: Path, capsys: Captured) -> None:
    for name in ("some_walk_overlay.mp4", "some_walk/000003.json"):
        out = tmp_path / name.replace("/", "_")
        (out / name).mkdir(parents=True)
        assert predict(video, "--output", out, "--no-frame-meshes") == 2
        assert "cannot be written" in capsys.readouterr().err


def test_progress_on_a_terminal(
    video: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert predict(video, "--output", tmp_path / "out", "--no-frame-meshes") == 0
    shown = capsys.readouterr().err
    assert "some.walk.mp4" in shown and "/12" in shown


@pytest.mark.parametrize("option", ["--every=0", "--every=x", "--limit=-1", "--limit=soon"])
def test_bad_numbers(option: str, video: Path, tmp_path: Path, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        predict(video, "--output", tmp_path / "out", option)
    assert ended.value.code == 2 and "expected" in capsys.readouterr().err


def test_an_unknown_engine(video: Path, tmp_path: Path, capsys: Captured) -> None:
    assert predict(video, "--output", tmp_path / "out", "--engine", "steam") == 2
    assert "choose one of torch, openvino" in capsys.readouterr().err
