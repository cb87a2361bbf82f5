"""What cloth and hair do to a surface at one of its points: a woven or printed pattern, and folds.

Both are arithmetic on the rest position and on a row of patterns as `hmnet.data.synthetic.shading.shade`
describes it, so that they move with the wearer and cost no texture.
"""

import math

import numba
import numpy as np

jit = numba.njit(cache=True, fastmath=True)
BENDS, WAVES = 15, 6
"""First of the columns of patterns that tell how far elbows, knees, hips and shoulders are bent."""
JOINTS = np.array(
    [
        [0.313, -0.349, -0.013, 0.60, 0.66, -0.45, 0.14, 170],
        [0.158, 0.369, -0.032, 0.13, 0.99, 0.0, 0.17, 140],
        [0.080, -0.010, -0.030, 0.45, 0.89, 0.0, 0.17, 130],
        [0.150, -0.490, -0.020, 0.75, 0.66, 0.0, 0.14, 120],
    ],
    np.float64,
)
"""Elbow, knee, hip, shoulder of the left side: where (m), direction of the limb, reach (m), rad/m."""


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
            line, high = math.floor(v * q), v * q - math.floor(v * q)
            # Lines of marks as long as words, or one jagged picture.
            if seed > 50 and (high > 0.62 or abs(u) > row[4] * (0.5 + 0.5 * _hash(line, seed, 3))):
                return 0.0
            fine = 2.6 if seed > 50 else 1.0
            cell = _hash(
                math.floor(u * q * fine + seed), line if seed > 50 else math.floor(v * q * 1.4), seed
            )
            return row[5] if cell > (0.3 if seed > 50 else 0.45) else 0.0
    return 0.0


@jit
def _wave(angle):
    """A sine to a thousandth, several times as fast: folds need no more."""
    turn = angle * (1 / (2 * math.pi)) + 0.5
    turn = 2 * (turn - math.floor(turn)) - 1
    wave = 4 * turn * (1 - abs(turn))
    return wave * (0.775 + 0.225 * abs(wave))


@jit
def fold_waves(patterns):
    """Wave vectors (P, WAVES, 3), rad/m, of the large folds of each row of patterns, for `fold`."""
    vectors = np.empty((len(patterns), WAVES, 3))
    for p in range(len(patterns)):
        seed = patterns[p, 13]
        for wave in range(WAVES):
            # Every garment has its own directions.
            angle, k = 2.4 * wave + 1.7 * seed, 22.0 + 24.0 * wave
            vectors[p, wave, 0] = k * math.cos(angle)
            vectors[p, wave, 1] = k * math.sin(3.1 * wave + seed)
            vectors[p, wave, 2] = k * math.sin(angle)
    return vectors


@jit
def fold(row, vectors, x, y, z, slope):
    """Slope (3,) of a cloth's folds at a rest position: large waves, and wrinkles where joints gather cloth.

    Warped waves lie in patches, fewer where cloth lies flat; wrinkles run across a limb at its joints, the
    deeper the more the joint is bent, and finely over the waist. vectors: the row's (WAVES, 3).
    """
    seed = row[13]
    warp = 1.3 * _wave(9 * x + 7 * y + seed) + 1.0 * _wave(13 * z - 11 * y + 14 * x + 2 * seed)
    slope[0] = slope[1] = slope[2] = 0.0
    for wave in range(WAVES):
        # Waves lie in patches of their own and seldom cross.
        patch = _wave(7 * x + (5 + 3 * wave) * y - 8 * z + 2.1 * wave + 3 * seed)
        patch *= 0.5 + _wave(19 * x - (13 + 4 * wave) * y + 15 * z + 1.7 * seed + wave)
        if patch <= 0:
            continue
        k, kx, ky, kz = 22.0 + 24.0 * wave, vectors[wave, 0], vectors[wave, 1], vectors[wave, 2]
        wavy = _wave(kx * x + ky * y + kz * z + (1.0 + 0.35 * wave) * warp + seed * (wave + 1))
        # Sharp ridges with wide valleys, as cloth folds.
        steep = wavy * abs(wavy) * patch * 1.5 / k
        slope[0] += steep * kx
        slope[1] += steep * ky
        slope[2] += steep * kz
    side = 0 if x > 0 else 1
    for joint in range(4):
        gx, gy, gz = abs(x) - JOINTS[joint, 0], y - JOINTS[joint, 1], z - JOINTS[joint, 2]
        near = 1 - (gx * gx + gy * gy + gz * gz) / JOINTS[joint, 6] ** 2
        if near <= 0:
            continue
        along = gx * JOINTS[joint, 3] + gy * JOINTS[joint, 4] + gz * JOINTS[joint, 5]
        wavy = _wave(JOINTS[joint, 7] * along + 0.6 * warp + 4 * _wave(8 * z + 6 * x + seed) + seed)
        steep = wavy * abs(wavy) * near * (0.4 + 1.1 * row[BENDS + 2 * joint + side])
        slope[0] += steep * JOINTS[joint, 3] * (1 if x > 0 else -1)
        slope[1] += steep * JOINTS[joint, 4]
        slope[2] += steep * JOINTS[joint, 5]
    waist = 1 - ((y + 0.16) / 0.09) ** 2
    if waist > 0 and abs(x) < 0.22:
        wavy = _wave(95 * y + 14 * x + 1.5 * warp + seed)
        slope[1] += 0.7 * wavy * abs(wavy) * waist
    for i in range(3):
        slope[i] *= row[7]


@jit
def sewn(row, x, y, z):
    """Factor on the brightness where something is sewn to the cloth: a front with buttons, pockets, seams.

    row[14] is half the width of a placket (m); below 0 the cloth is that of trousers, below -1
    of denim.
    """
    across = abs(x)
    if row[14] > 0 and z < -0.02 and across < 0.03:
        if across < 0.004:
            high = y * 11 + row[13]
            high = (high - math.floor(high) - 0.5) / 11
            if high * high + x * x < 2.2e-5:
                return 0.35 if row[8] + row[9] + row[10] > 0.6 else 1.7
        if abs(across - row[14]) < 0.0022:
            return 0.55
    if row[14] < 0:
        worn = 1 - ((across - 0.14) / 0.06) ** 2 - ((y - 0.2) / 0.22) ** 2
        if row[14] < -1 and z < 0 and worn > 0:
            return 1 + 0.6 * worn  # denim fades over the thighs
        if -0.17 < y < -0.135:
            return 0.6 if y > -0.14 or y < -0.165 else 0.85  # the waistband
        if z < 0 and y < 0.03 and across < 0.0025:
            return 0.5  # the fly
        if y < 0.0 and y > -0.135:
            slant = across - 0.1 - (0.25 * (y + 0.13) if z < 0 else 0.0)
            if abs(slant) < 0.003 and z < 0:
                return 0.5
            # Patch pockets behind.
            px, py = abs(across - 0.075) - 0.05, abs(y + 0.055) - 0.055
            if z > 0.02 and max(px, py) < 0 and max(px, py) > -0.006:
                return 0.6
    return 1.0
