"""Changes of meshes and weights that keep the file's frame whole: descriptions in JSON, numbers in text."""

import re
import struct
from collections.abc import Sequence
from random import Random

from .mutate_bytes import EDGES, MOST_BYTES, flip_bits, overwrite_noise
from .mutate_json import mutate_json

GLB_JSON, GLB_DATA = 0x4E4F534A, 0x004E4942
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NUMBERS = (
    b"nan",
    b"inf",
    b"-inf",
    b"1e999",
    b"1e-999",
    b"1e38",
    b"-1",
    b"0",
    b"1",
    b"",
    b"0x10",
    b"1_0",
    b"9" * 400,
    b"1.5.2",
    b"one",
    b"4294967296",
    b"999999999999",
    b"\xef\xbc\x91",
    b"2147483647",
)


def glb(description: bytes, content: bytes = b"") -> bytes:
    """A binary glTF of that JSON text and binary chunk."""
    description += b" " * (-len(description) % 4)
    content += b"\0" * (-len(content) % 4)
    chunks = struct.pack("<II", len(description), GLB_JSON) + description
    chunks += struct.pack("<II", len(content), GLB_DATA) + content if content else b""
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def mutate_glb(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Mostly the description is changed, else the binary chunk."""
    if len(data) < 20 or data[:4] != b"glTF":
        return flip_bits(data, rng, others)
    length = struct.unpack_from("<I", data, 12)[0]
    description, content = data[20 : 20 + length], data[28 + length :]
    if rng.random() < 0.75:
        description = mutate_json(description, rng, others)
    else:
        content = rng.choice((flip_bits, overwrite_noise))(content, rng, others)
    return glb(description, content)[:MOST_BYTES]


def mutate_text(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Some of a text's numbers become others, or none; often the first ones, as in a header."""
    found = list(NUMBER.finditer(data))
    if not found:
        return flip_bits(data, rng, others)
    for match in sorted(
        rng.sample(found[: rng.choice((6, len(found)))], 1 + rng.randrange(min(3, len(found)))),
        key=lambda one: -one.start(),
    ):
        data = data[: match.start()] + rng.choice(NUMBERS) + data[match.end() :]
    return data


def mutate_lines(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A line of a text is left out, repeated, moved or given another beginning."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    what = rng.randrange(4)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines[at:at] = [lines[at]] * rng.choice((1, 5, 1000))
    elif what == 2:
        lines.insert(rng.randrange(len(lines)), lines.pop(at))
    else:
        lines[at] = (
            rng.choice((b"v", b"f", b"vt", b"mtllib /etc/passwd", b"property list uint64 int8 x"))
            + lines[at][1:]
        )
    return b"\n".join(lines)[:MOST_BYTES]


def safetensors(header: bytes, content: bytes) -> bytes:
    """A safetensors file of that JSON text and those bytes."""
    return struct.pack("<Q", len(header)) + header + content


def mutate_safetensors(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """The header is changed and its length is right, or wrong on purpose, or the numbers are changed."""
    if len(data) < 8:
        return flip_bits(data, rng, others)
    length = struct.unpack_from("<Q", data)[0]
    header, content = data[8 : 8 + length], data[8 + length :]
    what = rng.random()
    if what < 0.7:
        return safetensors(mutate_json(header, rng, others), content)
    if what < 0.8:
        return struct.pack("<Q", rng.choice((*EDGES, length + 1, 2**63, 2**64 - 1))) + data[8:]
    return safetensors(header, flip_bits(content, rng, others))
