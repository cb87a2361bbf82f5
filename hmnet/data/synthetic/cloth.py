"""What cloth and hair do to a surface at one of its points: a woven or printed pattern, and folds.

Both are arithmetic on the rest position and on a row of patterns as `hmnet.data.synthetic.shading.shade`
describes it, so that they move with the wearer and cost no texture.
"""

import math

import numba
import numpy as np

jit = numba.njit(cache=True, fastmath=True)


@jit
def _hash(x, y, z):
    x, y, z = np.int64(x), np.int64(y), np.int64(z)
    h = (x * 374761393 + y * 668265263 + z * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@jit
def _noise(x, y, z):
    """Smooth noise in [0, 1] with a period of one unit."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    x, y, z = x - i, y - j, z - k
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    total = 0.0
    for di in range(2):
        for dj in range(2):
            for dk in range(2):
                share = (x if di else 1 - x) * (y if dj else 1 - y) * (z if dk else 1 - z)
                total += share * _hash(i + di, j + dj, k + dk)
    return total


@jit
def pattern(row, x, y, z):
    """How much of the second colour shows at a rest position, in [0, 1], times the row's strength."""
    kind, q, seed = int(row[0]), row[1], row[13]
    along = (x * row[2] + y * row[3] + z * row[4]) * q
    if kind == 1:
        duty = -seed if seed < 0 else 0.5
        return row[5] if along - math.floor(along) < duty else 0.0
    if kind == 2:
        across = (x - 0.3 * z) * q
        down = y * q
        first = 0.5 if across - math.floor(across) < 0.5 else 0.0
        second = 0.5 if down - math.floor(down) < 0.5 else 0.0
        return row[5] * (first + second)
    if kind == 3:
        value = _noise(x * q + seed, y * q, z * q) + 0.5 * _noise(
            x * q * 2.3, y * q * 2.3 + seed, z * q * 2.3
        )
        return row[5] if value > 0.82 else 0.0
    if kind == 4:
        return row[5] * 0.45 * _hash(math.floor(x * q), math.floor(y * q), math.floor(z * q))
    if kind == 5:
        angle = math.atan2(x, z + 0.02) * q + 2.5 * math.sin(y * 31 + seed)
        cell = math.floor(angle)
        part = angle - cell
        first, second = _hash(cell, seed, 7), _hash(cell + 1, seed, 7)
        return row[5] * (first + (second - first) * part)
    if kind == 6:
        u, v = (x + 0.5 * z) * q, y * q
        u, v = u + 0.5 * (math.floor(v) % 2), v - math.floor(v) - 0.5
        u = u - math.floor(u) - 0.5
        return row[5] if u * u + v * v < 0.07 else 0.0
    if kind == 7:
        u, v = x - row[2], y - row[3]
        if z < -0.02 and abs(u) < row[4] and abs(v) < 0.7 * row[4]:
            cell = _hash(math.floor(u * q + seed), math.floor(v * q * 1.4), seed)
            return row[5] if cell > 0.45 else 0.0
    return 0.0


@jit
def fold(row, x, y, z, slope):
    """Slope (3,) of a cloth's folds at a rest position: warped waves, patchy, fewer where cloth lies flat."""
    seed = row[13]
    warp = 2.2 * math.sin(9 * x + 7 * y + seed) + 1.7 * math.sin(13 * z - 11 * y + 14 * x + 2 * seed)
    slope[0] = slope[1] = slope[2] = 0.0
    for wave in range(4):
        # Every garment has its own directions; waves lie in patches of their own and seldom cross.
        angle, rise = 2.4 * wave + 1.7 * seed, math.sin(3.1 * wave + seed)
        k = 22.0 + 16.0 * wave
        kx, ky, kz = k * math.cos(angle), k * rise, k * math.sin(angle)
        patch = math.sin(7 * x + (5 + 3 * wave) * y - 8 * z + 2.1 * wave + 3 * seed)
        if patch <= -0.3:
            continue
        wavy = math.sin(kx * x + ky * y + kz * z + (1.6 + 0.5 * wave) * warp + seed * (wave + 1))
        # Sharp ridges with wide valleys, as cloth folds.
        steep = wavy * abs(wavy) * (patch + 0.3) * 1.5 / k
        slope[0] += steep * kx
        slope[1] += steep * ky
        slope[2] += steep * kz
    for i in range(3):
        slope[i] *= row[7]
