"""Frames (H, W, 3) uint8 RGB as a video file that browsers play."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from hmnet.errors import OutputError

CODECS = ("libx264", "libopenh264", "h264", "mpeg4")
"""The first that is there is taken; all browsers play H.264, few the last."""
QUALITY = {"libx264": {"crf": "21", "preset": "veryfast"}}
"""Faster presets make larger files and save little; half the work is to change the colours."""
TICKS = 90_000
"""A second in the file's clock, as broadcasting has it: any frame rate is whole to a few microseconds."""


class VideoWriter:
    """Writes frames at their own moments, so that a video with left-out frames plays at its own speed.

    Use it as a context manager, or call `close`: a file that is not closed cannot be played.
    """

    def __init__(self, path: str | Path, fps: float) -> None:
        """fps: about how many frames a second come. Raises OutputError when the file cannot be written."""
        self.path, self._fps = Path(path), fps
        self._last = -1
        with self._writing():
            # PyAV opens the file with the first frame only; whether it can be written shows now.
            self.path.write_bytes(b"")
            # The index in front, so that a page can play the file while it loads.
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: av.VideoStream | None = None

    def write(self, image: np.ndarray, seconds: float) -> None:
        """The next frame (H, W, 3) uint8, all of one size; seconds: when it is shown, later than the last.

        Odd sizes lose a row or a column: the format has colours for 2 x 2 px only. Raises OutputError.
        """
        height, width = (side - side % 2 for side in image.shape[:2])
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), "rgb24")
        with self._writing():
            if self._stream is None:
                self._stream = self._start(width, height)
            self._last = max(self._last + 1, round(seconds * TICKS))
            frame.pts, frame.time_base = self._last, Fraction(1, TICKS)
            # The converter's own default is BT.601 marked as unknown, which players of HD take for BT.709.
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file; without any frame there is none. Raises OutputError."""
        if self._container is None:
            return
        container, self._container = self._container, None
        with self._writing():
            if self._stream is not None:
                container.mux(self._stream.encode())
            container.close()
        if self._stream is None:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, width: int, height: int) -> av.VideoStream:
        codec = next(name for name in CODECS if _is_there(name))
        rate = Fraction(self._fps).limit_denominator(1000)
        stream = self._container.add_stream(codec, rate=rate, options=QUALITY.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        context = stream.codec_context
        context.color_range, context.colorspace = 1, 1
        context.color_primaries, context.color_trc = 1, 1
        return stream

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror or error}): "
                "make room or choose another folder."
            ) from error


def _is_there(codec: str) -> bool:
    try:
        av.codec.Codec(codec, "w")
    except av.error.FFmpegError:
        return False
    except ValueError:  # PyAV's UnknownCodecError
        return False
    return True
