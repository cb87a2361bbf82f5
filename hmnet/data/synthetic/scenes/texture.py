"""What floors, walls and furniture are made of: patterns over fractal noise, in compiled NumPy.

A photograph has detail at every scale, so every material is stirred with noise whose spectrum falls like
that of natural pictures; a pattern finer than the pixels that show it fades to its mean.
"""

import math
from functools import lru_cache

import numba
import numpy as np

jit = numba.njit(cache=True, fastmath=True)

PLAIN, PLANKS, TILES, CHECKS, STRIPES, BRICKS, MOTTLED, FACADE, CELLS, LINES = range(10)
TILE = 256
FIELDS = 16


@lru_cache(maxsize=1)
def noise_tiles() -> np.ndarray:
    """Four noises (4, 256, 256) float32 that wrap round, zero mean, unit spread: from soft to rough."""
    generator = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.fftfreq(TILE)[None])
    frequency[0, 0] = 1
    tiles = []
    for fall in (1.7, 1.25, 0.9, 0.35):
        spectrum = np.fft.fft2(generator.standard_normal((TILE, TILE))) / frequency**fall
        spectrum[0, 0] = 0
        tile = np.fft.ifft2(spectrum).real
        tiles.append(tile / tile.std())
    return np.stack(tiles).astype(np.float32)


def material(
    generator: np.random.Generator,
    kind: int,
    colour: np.ndarray,
    second: np.ndarray | None = None,
    repeat: tuple[float, float] = (0.3, 0.3),
    grain: float = 0.12,
    glow: float = 0.0,
) -> np.ndarray:
    """One row of a table of materials (FIELDS,) float32.

    colour, second: (3,) linear RGB of the ground and of the pattern. repeat: m of the pattern's period
    along both axes. grain: strength of the noise. glow: share of the colour that it sends out by itself.
    """
    row = np.zeros(FIELDS, np.float32)
    row[0] = kind
    row[1:4] = np.clip(colour, 0.004, 0.95)
    row[4:7] = np.clip(colour * generator.uniform(0.5, 0.9) if second is None else second, 0.004, 0.95)
    row[7:9] = repeat
    row[9] = generator.choice([0.0, 0.0, 0.0, generator.uniform(0, 3.14)]) if kind < BRICKS else 0.0
    row[10] = grain
    row[11] = np.exp(generator.uniform(np.log(0.003), np.log(0.02)))
    row[12] = glow
    row[13:15] = generator.uniform(0, TILE, 2)
    row[15] = generator.integers(0, 3)
    return row


@jit
def noise(tiles, k, u, v):
    """Tile k of tiles (4, 256, 256) read between its samples at u, v in samples, wrapping round."""
    i, j = math.floor(u), math.floor(v)
    a, b = u - i, v - j
    x, y = int(i) & 255, int(j) & 255
    x1, y1 = (x + 1) & 255, (y + 1) & 255
    top = tiles[k, y, x] * (1 - a) + tiles[k, y, x1] * a
    return top * (1 - b) + (tiles[k, y1, x] * (1 - a) + tiles[k, y1, x1] * a) * b


@jit
def _cell(i, j, k):
    h = (np.int64(i) * 374761393 + np.int64(j) * 668265263 + np.int64(k) * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@jit
def paint(materials, m, u, v, footprint, tiles):
    """Linear RGB of row m of materials at u, v (m) where one pixel covers footprint (m)."""
    kind = int(materials[m, 0])
    if materials[m, 9] != 0:
        c, s = math.cos(materials[m, 9]), math.sin(materials[m, 9])
        u, v = c * u - s * v, s * u + c * v
    p, q = u / materials[m, 7], v / materials[m, 8]
    mix, tone = 0.0, 1.0
    i, j = math.floor(p), math.floor(q)
    if kind == PLANKS:
        j = math.floor(q + _cell(i, 7, 1))
        edge = min(p - i, i + 1 - p) * materials[m, 7]
        mix = 1.0 if edge < 0.004 + 0.3 * footprint else 0.0
        tone = 0.75 + 0.5 * _cell(i, j, 2) + 0.1 * noise(tiles, 1, u * 300, v * 25)
    elif kind == TILES:
        edge = min(min(p - i, i + 1 - p) * materials[m, 7], min(q - j, j + 1 - q) * materials[m, 8])
        mix = 1.0 if edge < 0.006 + 0.3 * footprint else 0.0
        tone = 0.92 + 0.16 * _cell(i, j, 3)
    elif kind == CHECKS:
        mix = 1.0 if (int(i) + int(j)) & 1 else 0.0
    elif kind == STRIPES:
        mix = 1.0 if p - i < 0.45 else 0.0
    elif kind == BRICKS:
        p += 0.5 * (int(j) & 1)
        i = math.floor(p)
        edge = min(min(p - i, i + 1 - p) * materials[m, 7], min(q - j, j + 1 - q) * materials[m, 8])
        mix = 1.0 if edge < 0.008 + 0.3 * footprint else 0.0
        tone = 0.75 + 0.5 * _cell(i, j, 4)
    elif kind == MOTTLED:
        mix = min(
            max(0.5 + 0.8 * noise(tiles, 1, p * 16 + materials[m, 13], q * 16 + materials[m, 14]), 0.0), 1.0
        )
    elif kind == FACADE:
        a, b = p - i, q - j
        if 0.22 < a < 0.78 and 0.2 < b < 0.8:
            mix = 1.0
            tone = 0.3 + 1.4 * _cell(i, j, 5)
            if abs(a - 0.5) < 0.02 or a < 0.25 or a > 0.75:
                mix = 0.2
    elif kind == CELLS:
        wide = 0.5 + _cell(3, j, 6)
        i = math.floor(p * wide)
        mix = _cell(i, j, 7)
        tone = 0.25 + 1.5 * _cell(i, j, 8)
        if q - j > 0.75 + 0.2 * _cell(i, j, 9):
            tone *= 0.15
    elif kind == LINES:
        mix = (
            1.0
            if min(p - i, i + 1 - p) * materials[m, 7] < 0.03
            or min(q - j, j + 1 - q) * materials[m, 8] < 0.03
            else 0.0
        )
    fade = min(max(1.6 - 2.5 * footprint / min(materials[m, 7], materials[m, 8]), 0.0), 1.0)
    if kind != CELLS and kind != MOTTLED:
        mix = mix * fade + 0.15 * (1 - fade)
    tone = 1 + (tone - 1) * fade
    size = materials[m, 11] + 0.7 * footprint
    x, y = u / size + materials[m, 13], v / size + materials[m, 14]
    grain = noise(tiles, 0, 0.11 * x, 0.11 * y) * 0.9 + noise(tiles, int(materials[m, 15]) + 1, x, y)
    tone *= max(1 + materials[m, 10] * grain, 0.05)
    r = (materials[m, 1] + (materials[m, 4] - materials[m, 1]) * mix) * tone
    g = (materials[m, 2] + (materials[m, 5] - materials[m, 2]) * mix) * tone
    b = (materials[m, 3] + (materials[m, 6] - materials[m, 3]) * mix) * tone
    if kind == CELLS:
        shift = _cell(i, j, 10)
        if shift < 0.33:
            r, b = b, r
        elif shift < 0.5:
            g, r = r, g
    return r, g, b
