"""Changes of a file that know nothing of its format."""

from collections.abc import Callable, Sequence
from random import Random

Mutator = Callable[[bytes, Random, Sequence[bytes]], bytes]
"""(a file, randomness, the other files of its kind) -> a changed file."""

EDGES = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0xFFFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
"""Numbers at which lengths and counts overflow or change their sign."""
MOST_BYTES = 4 * 2**20
"""No mutated file is larger: it would cost time and find nothing else."""


def flip_bits(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """One to sixteen bits turned round."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 16)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Only the beginning."""
    return data[: rng.randrange(len(data) + 1)]


def remove_piece(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Without a piece in the middle."""
    start, length = _piece(data, rng)
    return data[:start] + data[start + length :]


def repeat_piece(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A piece several times in a row."""
    start, length = _piece(data, rng)
    piece = data[start : start + length]
    return (data[:start] + piece * rng.choice((2, 3, 50)) + data[start + length :])[:MOST_BYTES]


def splice(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """The beginning of this and the end of another file."""
    other = rng.choice(others) if others else data
    return (data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :])[:MOST_BYTES]


def overwrite_number(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A number of 1 to 8 bytes somewhere, mostly near the beginning, is one at which arithmetic breaks."""
    width = rng.choice((1, 2, 4, 8))
    if len(data) < width:
        return data
    reach = min(len(data) - width, rng.choice((64, 512, len(data))))
    at = rng.randint(0, reach)
    number = (rng.choice(EDGES) % 256**width).to_bytes(width, rng.choice(("little", "big")))
    return data[:at] + number + data[at + width :]


def overwrite_noise(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A piece replaced by random bytes."""
    start, length = _piece(data, rng)
    return data[:start] + rng.randbytes(length) + data[start + length :]


def append(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Another file behind this one."""
    return (data + rng.choice(others or (data,)))[:MOST_BYTES]


def _piece(data: bytes, rng: Random) -> tuple[int, int]:
    """Start and length of a short piece."""
    return rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 16, 64, 256))


ANY_FORMAT: tuple[Mutator, ...] = (
    flip_bits,
    cut_off,
    remove_piece,
    repeat_piece,
    splice,
    overwrite_number,
    overwrite_noise,
    append,
)
