"""Changes of a video that keep its container whole: inside what describes it."""

import re
import struct
from collections.abc import Sequence
from random import Random

from .mutate_bytes import EDGES, flip_bits

NAMES = re.compile(
    rb"tkhd|mvhd|mdhd|stts|stss|stsz|stsc|stco|stsd|avc1|avcC|elst|ctts|hdlr|moov|mdat|trak"
    rb"|avih|strh|strf|idx1|movi|00dc|vmhd|\x1a\x45\xdf\xa3|\x15\x49\xa9\x66|\x16\x54\xae\x6b|\x1f\x43\xb6\x75"
)
"""Of boxes of MP4 and chunks of AVI, and the identifiers of Matroska's elements."""
REACH = 40
"""Bytes behind such a name in which its numbers stand."""


def mutate_clip(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A number of a description is changed, or its length, which stands before the name in MP4."""
    found = list(NAMES.finditer(data))
    if not found:
        return flip_bits(data[:400], rng, others) + data[400:]
    match = rng.choice(found)
    at = (
        match.start() - 4
        if rng.random() < 0.15 and match.start() >= 4
        else match.end() + rng.randrange(REACH)
    )
    form = rng.choice((">I", ">H", "<I", "B"))
    if at + struct.calcsize(form) > len(data):
        return flip_bits(data, rng, others)
    number = rng.choice(EDGES) if rng.random() < 0.7 else rng.randrange(2**16)
    changed = bytearray(data)
    struct.pack_into(form, changed, at, number % 256 ** struct.calcsize(form))
    return bytes(changed)
