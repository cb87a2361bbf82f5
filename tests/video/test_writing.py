"""The overlay video: read back, of the form that browsers play."""

from pathlib import Path

import av
import numpy as np
import pytest
from red_video import red_frame

from hmnet.errors import OutputError
from hmnet.video.clip import open_clip
from hmnet.video.writing import VideoWriter


def test_written_frames_come_back(tmp_path: Path) -> None:
    frames = [red_frame((4 * i, 20, 4 * i + 60, 200)) for i in range(40)]
    with VideoWriter(tmp_path / "out.mp4", 25) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame, index / 25)
    clip = open_clip(tmp_path / "out.mp4")
    back = list(clip)
    assert len(back) == 40 and clip.size == (320, 240) and clip.rate == 25
    assert np.allclose([one.seconds for one in back], np.arange(40) / 25)
    for one, frame in zip(back, frames, strict=True):
        # Colours at half the resolution blur the edges.
        assert np.abs(one.image.astype(int) - frame).mean() < 3


def test_the_form_that_browsers_play(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", 25) as writer:
        for index in range(10):
            writer.write(red_frame(size=(121, 163)), index / 25)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data[4:8] == b"ftyp" and data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (162, 120)


def test_left_out_frames_leave_the_speed_as_it_was(tmp_path: Path) -> None:
    moments = [0.0, 0.04, 0.2, 0.24, 1.0]
    with VideoWriter(tmp_path / "out.mp4", 25) as writer:
        for moment in moments:
            writer.write(red_frame(), moment)
    back = [frame.seconds for frame in open_clip(tmp_path / "out.mp4")]
    assert np.allclose(back, moments, atol=1e-3)


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "out.mp4", 25).close()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken.mp4").mkdir()
    for path in (tmp_path / "taken.mp4", tmp_path / "absent" / "out.mp4"):
        with pytest.raises(OutputError, match="cannot be written"):
            VideoWriter(path, 25)
