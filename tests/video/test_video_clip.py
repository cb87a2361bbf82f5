"""Reading videos: which frames come, how large, when; and one sentence for what is no video."""

import os
import threading
import wave
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from red_video import red_frame

from hmnet.errors import VideoError
from hmnet.video import clip as reading
from hmnet.video.clip import open_clip

Make = Callable[..., Path]


def levels(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """Grey frames, each lighter than the one before."""
    return [np.full((*size, 3), 20 + 3 * index, np.uint8) for index in range(count)]


def written(
    path: Path, frames: list[np.ndarray], rotation: float | None = None, codec: str = "mpeg4"
) -> Path:
    """As `make_video`, for containers and turns that the writer does not know; Matroska for .mkv."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_come_in_order_with_their_moments(make_video: Make) -> None:
    clip = open_clip(make_video(levels(50)))
    assert clip.size == clip.full_size == (64, 48) and clip.rate == clip.fps == 25
    assert clip.duration == pytest.approx(2) and clip.frame_count == 50 and clip.name == "clip.mp4"
    # A clip can be read any number of times.
    for _ in range(2):
        frames = list(clip)
        assert [frame.index for frame in frames] == list(range(50))
        assert np.allclose([frame.seconds for frame in frames], np.arange(50) / 25)
        for index, frame in enumerate(frames):
            assert frame.image.shape == (48, 64, 3) and frame.image.dtype == np.uint8
            assert abs(frame.image.mean() - (20 + 3 * index)) < 3
    assert clip.notice is None


def test_colours_are_red_green_blue(make_video: Make) -> None:
    frame = red_frame()
    for channel in range(3):
        frame[:, 100 * channel : 100 * channel + 100] = np.eye(3)[channel] * 255
    image = next(iter(open_clip(make_video([frame] * 3)))).image
    for channel in range(3):
        assert np.abs(image[120, 100 * channel + 50] - np.eye(3)[channel] * 255).max() < 8


def test_the_bytes_of_a_file_do_too(make_video: Make) -> None:
    path = make_video(levels(5))
    clip = open_clip(path.read_bytes())
    path.unlink()
    assert len(list(clip)) == 5 and clip.name == "The uploaded file"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"every": 7}, [0, 7, 14, 21, 28]),
        ({"fps": 5}, [0, 5, 10, 15, 20, 25]),
        ({"fps": 100}, list(range(30))),
        ({"stop": 0.2}, [0, 1, 2, 3, 4]),
        ({"stop": 0.9, "every": 10}, [0, 10, 20]),
    ],
)
def test_sampling(chosen: dict, expected: list[int], make_video: Make) -> None:
    clip = open_clip(make_video(levels(30)), **chosen)
    frames = list(clip)
    assert [frame.index for frame in frames] == expected
    assert np.allclose([frame.seconds for frame in frames], np.array(expected) / 25)
    assert abs(clip.frame_count - len(expected)) <= 1


def test_at_most_so_many_a_second_of_another_rate(make_video: Make) -> None:
    frames = list(open_clip(make_video(levels(60), fps=30), fps=25))
    assert len(frames) == 50 and np.diff([frame.seconds for frame in frames]).max() < 2.5 / 30


def test_large_frames_are_shrunk_whole(make_video: Make) -> None:
    frame = red_frame((0, 0, 160, 120))
    clip = open_clip(make_video([frame] * 3), longest=80)
    image = next(iter(clip)).image
    assert clip.size == (80, 60) and clip.full_size == (320, 240) and image.shape == (60, 80, 3)
    red = image[..., 0].astype(int) - image[..., 1] > 100
    assert abs(red[:30, :40].mean() - 1) < 0.1 and red.mean() == pytest.approx(0.25, abs=0.03)
    assert open_clip(make_video([frame] * 3), longest=1000).size == (320, 240)


@pytest.mark.skipif(
    not hasattr(av.video.stream.VideoStream, "set_display_rotation"), reason="this PyAV cannot turn a video"
)
@pytest.mark.parametrize(
    ("rotation", "corner"), [(90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1)), (0, (0, 0))]
)
def test_a_turned_video_comes_upright(rotation: int, corner: tuple[int, int], tmp_path: Path) -> None:
    """Turning anticlockwise by 90 degrees brings the upper left corner to the lower left."""
    path = written(tmp_path / "turned.mp4", [red_frame((0, 0, 80, 60))] * 3, rotation)
    clip = open_clip(path)
    image = next(iter(clip)).image
    assert clip.size == image.shape[1::-1] == ((320, 240) if rotation % 180 == 0 else (240, 320))
    red = image[..., 0].astype(int) - image[..., 1] > 100
    rows, columns = np.nonzero(red)
    middle = np.array([rows.mean() / image.shape[0], columns.mean() / image.shape[1]])
    assert np.abs(middle - [0.125 if side == 0 else 0.875 for side in corner]).max() < 0.02


def sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 800, "NONE", ""))
        file.writeframes(bytes(1600))


def playlist(path: Path) -> None:
    secret = path.with_name("other.ts")
    secret.write_bytes(b"something of somebody else")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_text("This is a letter."), "is not a video"),
        (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: None, "There is no file"),
        (sound, "is not a video"),
        (playlist, "is not a video"),
        (lambda path: written(path, levels(5, (8, 8))), "8 x 8 px: a video needs at least 16 px"),
        (lambda path: path.write_bytes(bytes(5000)), "is not a video"),
        # Opening it waited for somebody who writes into it.
        (os.mkfifo, "is no ordinary file"),
        (lambda path: path.symlink_to("/dev/zero"), "is no ordinary file"),
    ],
)
def test_what_is_no_video(make: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    make(path)
    with pytest.raises(VideoError) as caught:
        open_clip(path)
    assert sentence in str(caught.value) and "film.mp4" in str(caught.value)


def test_sound_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="no pictures, only sound"):
        open_clip(path)


def test_limits(make_video: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(levels(50))
    assert open_clip(path, most_seconds=2.1).frame_count == 50
    with pytest.raises(VideoError, match=r"lasts 2.0 s: expected at most 1 s"):
        open_clip(path, most_seconds=1)
    # A small file of hundreds of large empty frames a second was decoded for minutes.
    height, width = next(iter(open_clip(path))).image.shape[:2]
    monkeypatch.setattr("hmnet.video.clip.MAX_PIXELS_A_SECOND", 10 * height * width)
    clip = open_clip(path, most_seconds=3)
    # At 25 frames a second and 10 for each second and one more: until 0.6 s.
    assert [frame.index for frame in clip] == list(range(16)) and "too many pixels" in clip.notice
    assert len(list(open_clip(path))) == 50
    monkeypatch.setattr("hmnet.video.clip.MAX_PIXELS", 1000)
    with pytest.raises(VideoError, match="megapixels"):
        open_clip(path)


def test_a_file_that_was_cut_off_gives_what_it_has_and_says_so(make_video: Make) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    path = make_video(noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    clip = open_clip(path)
    assert 10 < len(list(clip)) < 50
    assert clip.notice and "clip.mp4" in clip.notice and "frames" in clip.notice
    # The index alone: not one frame.
    path.write_bytes(whole[: whole.index(b"mdat") + 4])
    with pytest.raises(VideoError, match="no frame that can be decoded"):
        open_clip(path)


def test_closing_early_stops_decoding(make_video: Make) -> None:
    frames = iter(open_clip(make_video(levels(50))))
    next(frames)
    frames.close()
    assert not [one for one in threading.enumerate() if one.name.startswith(("hmnet-read", "hmnet-write"))]


def test_a_length_that_the_file_does_not_say(make_video: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hmnet.video.clip._length", lambda *_: (None, None))
    clip = open_clip(make_video(levels(50)), most_seconds=1)
    assert clip.duration is None and clip.frame_count is None
    assert len(list(clip)) == 26 and "longer than 1 s" in clip.notice


def test_numbers_that_cannot_be_meant_are_not_taken() -> None:
    """As a browser's recorder writes them: the clock's ticks for a rate; a pixel a thousand times as wide."""
    stream = SimpleNamespace(average_rate=None, guessed_rate=1000, base_rate=None, sample_aspect_ratio=1000)
    assert reading._rate(stream) == reading.USUAL_RATE and reading._aspect(stream) == 1
    stream = SimpleNamespace(average_rate=0, guessed_rate=30, base_rate=60, sample_aspect_ratio=1.25)
    assert reading._rate(stream) == 30 and reading._aspect(stream) == 1.25
