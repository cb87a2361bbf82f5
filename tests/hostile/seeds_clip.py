"""Videos: valid ones of a few frames, and hostile ones made by hand."""

import io
import struct

import av
import numpy as np
from PIL import Image

from .seeds_photo import flat_png, picture, saved

SIZE = 64, 48
KINDS = (
    ("mp4", "libx264", "yuv420p"),
    ("mov", "mpeg4", "yuv420p"),
    ("webm", "libvpx", "yuv420p"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("matroska", "libx264", "yuv420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("mpegts", "mpeg2video", "yuv420p"),
    ("flv", "flv1", "yuv420p"),
    ("ogg", "libtheora", "yuv420p"),
    ("yuv4mpegpipe", "wrapped_avframe", "yuv420p"),
    ("mp4", "hevc", "yuv420p"),
)
"""(container, codec, form of pixels); those that this FFmpeg cannot write are left out."""


def valid_clips() -> dict[str, bytes]:
    """Videos of six frames by name."""
    made = {}
    for container, codec, pixels in KINDS:
        try:
            made[f"{container} {codec}"] = clip(container, codec, pixels)
        except (av.error.FFmpegError, ValueError):
            continue
    turned = [picture().rotate(90 * i) for i in range(4)]
    made["gif"] = saved(turned[0], "GIF", save_all=True, append_images=turned[1:], duration=40)
    made["mp4 of one frame"] = clip("mp4", "libx264", "yuv420p", 1)
    return made


def clip(container: str, codec: str, pixels: str, count: int = 6, size: tuple[int, int] = SIZE) -> bytes:
    """A video of moving stripes, 25 frames a second."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if codec == "hevc":
            stream.options = {"x265-params": "log-level=none"}
        columns = np.arange(size[0])
        for index in range(count):
            row = ((columns + 5 * index) * 9 % 256).astype(np.uint8)
            image = np.broadcast_to(row[None, :, None], (size[1], size[0], 3))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")))
        output.mux(stream.encode())
    return file.getvalue()


def hostile_clips() -> dict[str, bytes]:
    """Files by name that ask for too much, or would have something else opened."""
    rgb = picture()
    return {
        "empty": b"",
        "zeros": bytes(10_000),
        "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "list of files": b"ffconcat version 1.0\nfile /etc/passwd\nduration 1\n",
        "dash": b'<?xml version="1.0"?><MPD><Period><AdaptationSet><SegmentTemplate media="file:///etc/passwd"/></AdaptationSet></Period></MPD>',
        "session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\n",
        "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "photo": saved(rgb, "JPEG"),
        "png bomb": flat_png(50_000, 50_000),
        "gif bomb": b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0xF0, 0, 0)
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;",
        "gif of 35-megapixel frames": gif(5_900, 120),
        "gif of 35-megapixel frames, 50 a second": gif(5_900, 120, 20),
        "gif of 5,000 frames without a delay": gif(20, 5_000),
        "y4m bomb": b"YUV4MPEG2 W65535 H65535 F25:1\nFRAME\n",
        "y4m of 36 megapixels": b"YUV4MPEG2 W6000 H6000 F25:1 C420\nFRAME\n" + bytes(1000),
        "y4m of no rate": b"YUV4MPEG2 W64 H48 F0:0 C420\n" + (b"FRAME\n" + bytes(64 * 48 * 3 // 2)) * 5,
        "y4m of a mad rate": b"YUV4MPEG2 W64 H48 F1000000000:1 A1000000:1 C420\n"
        + (b"FRAME\n" + bytes(4608)) * 5,
        "y4m of one pixel": b"YUV4MPEG2 W1 H1 F25:1 C420\nFRAME\n\0\0\0",
        "y4m that is wide": b"YUV4MPEG2 W65535 H16 F25:1 Cmono\nFRAME\n" + bytes(65535 * 16),
        "a box within itself": (struct.pack(">I", 8) + b"moov") * 5000,
        "boxes of no length": struct.pack(">I", 16)
        + b"ftypisom"
        + bytes(4)
        + struct.pack(">I4s", 0, b"moov"),
        "a box of 2^63 bytes": struct.pack(">I", 16)
        + b"ftypisom"
        + bytes(4)
        + struct.pack(">I4sQ", 1, b"moov", 2**63),
        "mp4 and zip": clip("mp4", "libx264", "yuv420p") + b"PK\5\6" + bytes(18),
        "sound": sound(),
    }


def sound() -> bytes:
    """An AVI with sound and no pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()


def gif(side: int, count: int, delay: int = 0) -> bytes:
    """A GIF of that many equal frames of one colour, so many ms apart; small, whatever its side."""
    data = saved(Image.new("P", (side, side)), "GIF", duration=delay)
    start = 13 + 3 * 2 ** (1 + (data[10] & 7))
    return data[:start] + data[start:-1] * count + b";"
