"""Any video a person may hand over, as upright frames (H, W, 3) uint8 RGB, read ahead of who uses them."""

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import numpy as np

from hmnet.errors import VideoError, told
from hmnet.image import MIN_SIDE
from hmnet.video.overlap import read_ahead

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".3gp", ".ts", ".ogv", ".wmv", ".flv",
    ".y4m",
)  # fmt: skip
"""What files of the formats below are called."""
FORMATS = "mov,matroska,avi,mpeg,mpegts,ogg,asf,flv,yuv4mpegpipe,gif,mjpeg"
"""FFmpeg's names. Nothing else is opened: a playlist, whatever it is called, could have it read other files
and addresses."""
READABLE = "MP4, MOV, WebM, MKV or AVI"
MAX_PIXELS = 36_000_000
"""A header that claims larger frames is refused unread; 8K has 33 million."""
MAX_RATE = 500.0
"""Frames a second. Some containers give their clock's ticks instead, a thousand of them or more."""
MAX_PIXELS_A_SECOND = 500_000_000
"""Of a clip whose length is bounded; 4K at 60 frames has 498 million. A small file may hold hundreds of large
empty frames in each second, and skipping them takes as long as using them."""
MAX_ASPECT = 4.0
USUAL_RATE = 25.0
"""Frames a second of a video that does not say."""
AHEAD = 3
"""Frames that wait to be used: enough to overlap, and few, since one of 4K takes 25 MB."""
LOST_SHARE = 0.05
"""A file that ends this share of its frames early was cut off."""

VideoSource = str | os.PathLike | bytes


class Frame(NamedTuple):
    """index: the frame's number in the video, from 0. seconds: since its first frame, always growing.
    image: (H, W, 3) uint8 RGB, upright."""

    index: int
    seconds: float
    image: np.ndarray


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video are taken, and how large.

    every: each so many-th. fps: at most so many a second. longest: px, larger frames are shrunk to this
    side. stop: s, what comes later is left out.
    """

    every: int = 1
    fps: float | None = None
    longest: int | None = None
    stop: float | None = None


class Clip:
    """A video that can be read, any number of times: iterating opens the file anew.

    name: the file's. size: (width, height) px of the frames as they come: upright and, where asked for,
    shrunk. full_size: upright as filmed. rate: frames a second of the video. fps: of the frames taken.
    duration: s, of what is taken, or None where the file does not say. frame_count: so many frames will
    come, estimated, or None. notice: one sentence when the last reading ended too early, else None.
    """

    def __init__(self, source: VideoSource, sampling: Sampling, most_seconds: float | None = None) -> None:
        """most_seconds: a longer video is refused, whatever `sampling.stop`. Raises VideoError."""
        self._source, self.sampling = source, sampling
        self.name = "The uploaded file" if isinstance(source, bytes) else told(Path(source).name)
        self.notice: str | None = None
        with self._open() as container:
            stream = container.streams.video[0]
            self.rate = _rate(stream)
            seconds, self._total = _length(container, stream, self.rate)
            if most_seconds is not None and seconds is not None and seconds > most_seconds:
                raise VideoError(
                    f"{self.name} lasts {seconds:.1f} s: expected at most {most_seconds:g} s, cut it first."
                )
            self._most_seconds = most_seconds
            self.full_size, self.size = self._sizes(container, _aspect(stream))
        self.fps = self.rate / sampling.every
        if sampling.fps is not None:
            self.fps = min(self.fps, sampling.fps)
        self.duration = seconds
        if seconds is not None and sampling.stop is not None:
            self.duration = min(seconds, sampling.stop)
        self.frame_count = None if self.duration is None else max(1, round(self.duration * self.fps))

    def __iter__(self) -> Iterator[Frame]:
        """The frames, decoded by a thread of its own; closing the iterator ends it.

        A file that is broken or ends too early gives what could be decoded, and then `notice` says so.
        Raises VideoError when not even one frame could.
        """
        self.notice = None
        return read_ahead(self._sampled(), AHEAD)

    def _sampled(self) -> Iterator[Frame]:
        """Those frames that were asked for."""
        sampling, due = self.sampling, 0.0
        # The frame nearest to each moment, which may be half a frame early: else 25 of 30 would become 15.
        slack = 0.5 / self.rate
        for index, seconds, frame in self._decoded():
            if sampling.stop is not None and seconds >= sampling.stop:
                return
            if self._most_seconds is not None and seconds > self._most_seconds:
                self.notice = f"{self.name} is longer than {self._most_seconds:g} s: the rest was left out."
                return
            decoded = (index + 1) * frame.width * frame.height
            if self._most_seconds is not None and decoded > MAX_PIXELS_A_SECOND * (seconds + 1):
                self.notice = f"{self.name} has too many pixels a second: what comes later was left out."
                return
            if index % sampling.every:
                continue
            if sampling.fps is not None:
                if seconds + slack < due:
                    continue
                due = max(due + 1 / sampling.fps, seconds)
            yield Frame(index, seconds, _upright(frame, self.size))

    def _decoded(self) -> Iterator[tuple[int, float, av.VideoFrame]]:
        """All frames: number, seconds since the first, picture."""
        with self._open() as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            index, start, last = 0, None, -1 / self.rate
            try:
                for frame in container.decode(stream):
                    seconds = frame.time
                    if start is None:
                        start = seconds
                    since = None if seconds is None or start is None else seconds - start
                    # Some files have frames without time stamps, or with the same twice.
                    last = since if since is not None and since > last else last + 1 / self.rate
                    yield index, last, frame
                    index += 1
            except av.error.FFmpegError as error:
                self.notice = (
                    f"{self.name} is damaged after {index} frames ({error.strerror or error}): "
                    "what comes later was left out."
                )
        if index == 0:
            raise VideoError(f"{self.name} has no frame that can be decoded: save or download it again.")
        if self.notice is None and self._total and index < (1 - LOST_SHARE) * self._total - 1:
            self.notice = (
                f"{self.name} ends after {index} of {self._total} frames: it was cut off, so save it "
                "again for the rest."
            )

    @contextmanager
    def _open(self) -> Iterator[av.container.InputContainer]:
        name = self.name
        with self._file() as file:
            try:
                # A file, never its name: FFmpeg takes "concat:..." and addresses for something to open.
                container = av.open(file, options={"format_whitelist": FORMATS})
            except (av.error.FFmpegError, ValueError) as error:
                raise VideoError(
                    f"{name} is not a video this program can read, whatever its name: expected {READABLE}."
                ) from error
            with container:
                if not container.streams.video:
                    raise VideoError(f"{name} has no pictures, only sound or text: give a video of a person.")
                context = container.streams.video[0].codec_context
                if context is None or context.width * context.height > MAX_PIXELS:
                    raise VideoError(
                        f"{name} has frames of an unknown kind, or of more than {MAX_PIXELS // 1_000_000} "
                        "megapixels: save it smaller, as MP4."
                    )
                yield container

    def _file(self) -> BinaryIO:
        source = self._source
        size = len(source) if isinstance(source, bytes) else _size(Path(source))
        if not size:
            raise VideoError(f"{self.name} is empty (0 bytes): save or download the video again.")
        return io.BytesIO(source) if isinstance(source, bytes) else _opened(Path(source))

    def _sizes(
        self, container: av.container.InputContainer, aspect: float
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """`full_size` and `size`, by the first frame, which is tried as a whole."""
        try:
            first = next(container.decode(video=0))
            full = _shown_size(first.width, first.height, aspect, first.rotation % 180 != 0)
            if min(full) < MIN_SIDE:
                raise VideoError(
                    f"{self.name} is {full[0]} x {full[1]} px: a video needs at least {MIN_SIDE} px a side."
                )
            size = _bounded(full, self.sampling.longest)
            _upright(first, size)
        except (av.error.FFmpegError, StopIteration) as error:
            raise VideoError(
                f"{self.name} has no frame that can be decoded: save or download it again."
            ) from error
        return full, size


def open_clip(
    source: VideoSource,
    every: int = 1,
    fps: float | None = None,
    longest: int | None = None,
    stop: float | None = None,
    most_seconds: float | None = None,
) -> Clip:
    """A video, its first frame tried; the other arguments are those of `Sampling` and `Clip`.

    source: a path, or the bytes of a file. Raises VideoError for what is no usable video.
    """
    return Clip(source, Sampling(every, fps, longest, stop), most_seconds)


def _upright(frame: av.VideoFrame, size: tuple[int, int]) -> np.ndarray:
    """A frame as (H, W, 3) uint8 of (width, height) px."""
    turns = round(frame.rotation / 90) % 4
    width, height = size[::-1] if turns % 2 else size
    # In one pass: the colours change while the frame shrinks.
    shrunk = frame.width > 1.5 * width
    image = frame.to_ndarray(
        format="rgb24", width=width, height=height, interpolation="AREA" if shrunk else "BILINEAR"
    )
    return np.ascontiguousarray(np.rot90(image, turns))


def _size(path: Path) -> int:
    """Bytes of a file, which is not opened: a pipe would be waited for, and a device may never end."""
    try:
        if path.is_dir():
            raise VideoError(f"{told(path)} is a folder: give the video's own file.")
        if not path.exists():
            raise VideoError(f"There is no file {told(path)}: check the name.")
        if not path.is_file():
            raise VideoError(f"{told(path)} is no ordinary file: give the video's own.")
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> VideoError:
    return VideoError(
        f"{told(path)} cannot be read ({error.strerror or told(error)}): check its name and permissions."
    )


def _rate(stream: av.VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= MAX_RATE:
            return float(rate)
    return USUAL_RATE


def _length(
    container: av.container.InputContainer, stream: av.VideoStream, rate: float
) -> tuple[float | None, int | None]:
    """How long a video is, in s, and how many frames it has, as far as its container says."""
    total = stream.frames or None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    else:
        seconds = total / rate if total else None
    return (seconds if seconds is not None and 0 < seconds < math.inf else None), total


def _aspect(stream: av.VideoStream) -> float:
    """Width of a pixel by its height; 1 where what the file says cannot be meant."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / MAX_ASPECT <= aspect <= MAX_ASPECT else 1.0


def _shown_size(width: int, height: int, aspect: float, turned: bool) -> tuple[int, int]:
    """(width, height) of square pixels, upright."""
    size = (max(1, round(width * aspect)), height)
    return size[::-1] if turned else size


def _bounded(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    scale = 1.0 if longest is None else min(1.0, longest / max(size))
    return tuple(max(1, round(side * scale)) for side in size)
