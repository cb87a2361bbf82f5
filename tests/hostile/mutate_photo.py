"""Changes of a photo's file that keep its frame whole, so that decoders go further than the first check."""

import struct
import zlib
from collections.abc import Sequence
from random import Random

from .mutate_bytes import EDGES, MOST_BYTES, Mutator, flip_bits, overwrite_noise, overwrite_number

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PAYLOAD: tuple[Mutator, ...] = (flip_bits, overwrite_number, overwrite_noise)
PIXELS_AT_MOST = 2**22
"""Bytes of a PNG's pixels that are unpacked for a change."""


def mutate_photo(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """The file with one change inside its own structure; one of an unknown format has bits turned."""
    for signature, mutate in FORMATS.items():
        if data.startswith(signature):
            try:
                return mutate(data, rng)[:MOST_BYTES]
            except (struct.error, IndexError, ValueError, StopIteration, zlib.error):
                break  # an earlier change has broken its frame
    return flip_bits(data, rng, others)


def png(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A PNG of chunks (type, content), their sums right."""
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG; those behind a broken one are left out."""
    chunks, at = [], len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def _png(data: bytes, rng: Random) -> bytes:
    chunks = png_chunks(data)
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    what = rng.choice(("content", "content", "pixels", "header", "again", "gone", "swapped"))
    if what == "pixels":
        packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
        rows = zlib.decompressobj().decompress(packed, PIXELS_AT_MOST)
        at = next(index for index, (kind, _) in enumerate(chunks) if kind == b"IDAT")
        chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
        chunks.insert(at, (b"IDAT", zlib.compress(rng.choice(PAYLOAD)(rows, rng, ()), 1)))
    elif what == "header":
        header = bytearray(chunks[0][1])
        header[rng.randrange(8, 13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        if rng.random() < 0.5:
            struct.pack_into(">I", header, rng.choice((0, 4)), rng.choice(EDGES))
        chunks[0] = chunks[0][0], bytes(header)
    elif what == "content":
        chunks[at] = kind, rng.choice(PAYLOAD)(content, rng, ())
    elif what == "again":
        chunks[at:at] = [chunks[at]] * rng.choice((1, 2, 500))
    elif what == "gone":
        del chunks[at]
    else:
        other = rng.randrange(len(chunks))
        chunks[at], chunks[other] = chunks[other], chunks[at]
    return png(chunks)


def _jpeg(data: bytes, rng: Random) -> bytes:
    segments, scan = _jpeg_segments(data)
    at = rng.randrange(len(segments))
    marker, content = segments[at]
    what = rng.choice(("content", "content", "size", "scan", "again", "gone", "swapped"))
    if what == "content":
        segments[at] = marker, rng.choice(PAYLOAD)(content, rng, ())
    elif what == "size":
        frame = next(index for index, (marker, _) in enumerate(segments) if marker in (0xC0, 0xC1, 0xC2))
        header = bytearray(segments[frame][1])
        struct.pack_into(">H", header, rng.choice((1, 3)), rng.choice((0, 1, 2, 17, 4000, 65535)))
        segments[frame] = segments[frame][0], bytes(header)
    elif what == "scan":
        scan = rng.choice(PAYLOAD)(scan, rng, ())
    elif what == "again":
        segments[at:at] = [segments[at]] * rng.choice((1, 3, 200))
    elif what == "gone":
        del segments[at]
    else:
        other = rng.randrange(len(segments))
        segments[at], segments[other] = segments[other], segments[at]
    head = (struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return b"\xff\xd8" + b"".join(head) + scan


def _jpeg_segments(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """(marker, content) of the segments up to the first scan, and everything behind them."""
    segments, at = [], 2
    while at + 4 <= len(data):
        _, marker, length = struct.unpack_from(">BBH", data, at)
        segments.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + max(2, length)
        if marker == 0xDA:
            break
    return segments, data[at:]


def _tiff(data: bytes, rng: Random) -> bytes:
    """One field of one directory entry, or the link to the next directory, which may be this one."""
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, start)[0]
    changed = bytearray(data)
    if rng.random() < 0.1:
        struct.pack_into(order + "I", changed, start + 2 + 12 * count, rng.choice((start, 0, 8, 2**31)))
        return bytes(changed)
    entry = start + 2 + 12 * rng.randrange(count)
    form, at, top = rng.choice((("H", 0, 2**16), ("H", 2, 20), ("I", 4, 2**32), ("I", 8, 2**32)))
    number = rng.choice(EDGES) % top if rng.random() < 0.7 else rng.randrange(min(top, 600))
    struct.pack_into(order + form, changed, entry + at, number)
    return bytes(changed)


def _riff(data: bytes, rng: Random) -> bytes:
    """WebP: the first bytes hold canvas, features and frame header; the length of the whole stays right."""
    changed = (
        overwrite_number(data[12:], rng, ())
        if rng.random() < 0.5
        else flip_bits(data[12:80], rng, ()) + data[80:]
    )
    return data[:4] + struct.pack("<I", len(changed) + 4) + data[8:12] + changed


def _gif(data: bytes, rng: Random) -> bytes:
    """Sizes and flags of the screen and of its first picture, or the colours' indices."""
    changed = bytearray(data)
    picture = data.find(b",", 13 + 3 * 2 ** (1 + (data[10] & 7)))
    at = rng.choice((6, 8, 10, picture + 1, picture + 3, picture + 5, picture + 7, picture + 9, picture + 10))
    if rng.random() < 0.5:
        struct.pack_into("<H", changed, at, rng.choice(EDGES) % 2**16)
    else:
        changed[at] = rng.randrange(256)
    return bytes(changed)


FORMATS = {
    PNG_SIGNATURE: _png,
    b"\xff\xd8": _jpeg,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"RIFF": _riff,
    b"GIF8": _gif,
}
