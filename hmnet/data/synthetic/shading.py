"""Normals, daylight that reaches a surface, and the light of a rasterised mesh, in compiled NumPy."""

import math

import numba
import numpy as np

from hmnet.data.synthetic.people.cloth import fold, fold_waves, pattern, sewn
from hmnet.data.synthetic.raster import rasterise

jit = numba.njit(cache=True, fastmath=True)
CELL = 0.06
"""Edge of the cells in which nearby surface is counted, m."""
SHADOW_SIZE = 128
"""Edge of the shadow map, px."""


@jit
def smooth_normals(vertices, faces):
    """Unit vertex normals (V, 3) float32 pointing out of the body, area-weighted over faces."""
    normals = np.zeros((len(vertices), 3), np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            normals[k, 0] += nx
            normals[k, 1] += ny
            normals[k, 2] += nz
    for k in range(len(normals)):
        length = math.sqrt(normals[k, 0] ** 2 + normals[k, 1] ** 2 + normals[k, 2] ** 2) + 1e-12
        for i in range(3):
            normals[k, i] /= length
    return normals


@jit
def openness(vertices, normals, faces):
    """Share (V,) float32 in [0, 1] of the surroundings' light that reaches each vertex of a posed mesh.

    vertices, normals: (V, 3). Surface is counted in cells of CELL; what lies a hand's breadth before a
    vertex takes light from it: armpits, the inside of bent joints, under the chin, between the legs.
    """
    low = np.zeros(3, np.float32)
    counts = np.zeros(3, np.int64)
    for i in range(3):
        low[i] = vertices[:, i].min() - 4.5 * CELL
        counts[i] = int((vertices[:, i].max() + 4.5 * CELL - low[i]) / CELL) + 2
    cells = np.zeros((counts[0], counts[1], counts[2]), np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        area = 0.5 * math.sqrt(nx * nx + ny * ny + nz * nz) / CELL**2
        x = (vertices[a, 0] + (ux + vx) / 3 - low[0]) / CELL
        y = (vertices[a, 1] + (uy + vy) / 3 - low[1]) / CELL
        z = (vertices[a, 2] + (uz + vz) / 3 - low[2]) / CELL
        i, j, k = int(x), int(y), int(z)
        x, y, z = x - i, y - j, z - k
        for di in range(2):
            for dj in range(2):
                for dk in range(2):
                    share = (x if di else 1 - x) * (y if dj else 1 - y) * (z if dk else 1 - z)
                    cells[i + di, j + dj, k + dk] += area * share
    result = np.empty(len(vertices), np.float32)
    for v in range(len(vertices)):
        met = 0.0
        for step in range(2):
            reach = (2.0 + 1.5 * step) * CELL
            x = (vertices[v, 0] + reach * normals[v, 0] - low[0]) / CELL
            y = (vertices[v, 1] + reach * normals[v, 1] - low[1]) / CELL
            z = (vertices[v, 2] + reach * normals[v, 2] - low[2]) / CELL
            i, j, k = int(x), int(y), int(z)
            x, y, z = x - i, y - j, z - k
            for di in range(2):
                for dj in range(2):
                    for dk in range(2):
                        share = (x if di else 1 - x) * (y if dj else 1 - y) * (z if dk else 1 - z)
                        met += cells[i + di, j + dj, k + dk] * share * (1.0 - 0.4 * step)
        result[v] = math.exp(-0.9 * met)
    return result


@jit
def _shadow_map(vertices, faces, light):
    """Depths (SHADOW_SIZE, SHADOW_SIZE) from the light, and the axes and offsets that lead there."""
    axes = np.zeros((3, 3), np.float32)
    axes[2] = -light[:3]
    pick = 0 if abs(light[0]) < 0.6 else 1
    axes[0, pick] = 1.0
    axes[0] -= axes[2, pick] * axes[2]
    axes[0] /= math.sqrt((axes[0] ** 2).sum())
    axes[1, 0] = axes[2, 1] * axes[0, 2] - axes[2, 2] * axes[0, 1]
    axes[1, 1] = axes[2, 2] * axes[0, 0] - axes[2, 0] * axes[0, 2]
    axes[1, 2] = axes[2, 0] * axes[0, 1] - axes[2, 1] * axes[0, 0]
    placed = np.empty((len(vertices), 3), np.float32)
    low, high = np.full(2, np.inf, np.float32), np.full(2, -np.inf, np.float32)
    for v in range(len(vertices)):
        for i in range(3):
            placed[v, i] = (
                vertices[v, 0] * axes[i, 0] + vertices[v, 1] * axes[i, 1] + vertices[v, 2] * axes[i, 2]
            )
        for i in range(2):
            low[i], high[i] = min(low[i], placed[v, i]), max(high[i], placed[v, i])
    scale = np.float32((SHADOW_SIZE - 4) / max(high[0] - low[0], high[1] - low[1]))
    for i in range(2):
        placed[:, i] = (placed[:, i] - low[i]) * scale + 2
    _, _, depth = rasterise(placed[:, :2].copy(), placed[:, 2].copy(), faces, SHADOW_SIZE, SHADOW_SIZE)
    return depth, axes, low, scale


@jit
def _lit(depth, axes, low, scale, x, y, z):
    """Share of the main light that reaches a point, softened over neighbouring texels."""
    u = (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2] - low[0]) * scale + 1.5
    v = (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2] - low[1]) * scale + 1.5
    w = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2] - 0.035
    i, j = int(u), int(v)
    if i < 0 or j < 0 or i >= SHADOW_SIZE - 1 or j >= SHADOW_SIZE - 1:
        return 1.0
    u, v = u - i, v - j
    total = 0.0
    for di in range(2):
        for dj in range(2):
            if depth[j + dj, i + di] > w:
                total += (u if di else 1 - u) * (v if dj else 1 - v)
    return total


@jit
def shade(
    face_index,
    weights,
    faces,
    normals,
    rest,
    albedo,
    cloth,
    patterns,
    lights,
    ambient,
    vertices=None,
    seams=None,
):
    """Linear RGB (H, W, 3) float32 of a rasterised body.

    normals, rest, albedo: (V, 3) posed normals, rest positions (m) and base colours in [0, 1].
    cloth: (V,) int, row of patterns that the vertex wears.
    patterns: (P, 23): kind (0 plain, 1 stripes, 2 plaid, 3 blotches, 4 weave, 5 strands, 6 dots, 7 a print
    on the chest), frequency (1/m), direction x y z (of a print: its middle x y and half its width, m),
    strength in [0, 1], shininess, slope of folds, second colour, translucency of skin, sharpness of the
    highlight, seed (negative: share of narrow stripes), half width of a placket (m; below 0: trousers),
    bends in [0, 1] of left and right elbow, knee, hip, shoulder.
    lights: (L, 7): direction towards the light, colour, wrap (how far light reaches round an edge).
    ambient: (2, 3) colour from above and from below.
    vertices: (V, 3) posed positions; with them the first light casts shadows of the body on itself.
    seams: (V,) m from each vertex to the edge of what it wears; with them edges run between vertices.
    """
    height, width = face_index.shape
    picture = np.zeros((height, width, 3), np.float32)
    slope, waves = np.zeros(3), fold_waves(patterns)
    halves = np.zeros((len(lights), 3))
    for k in range(len(lights)):
        hx, hy, hz = lights[k, 0], lights[k, 1], lights[k, 2] - 1
        length = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        halves[k, 0], halves[k, 1], halves[k, 2] = hx / length, hy / length, hz / length
    if vertices is not None:
        depth, axes, low, scale = _shadow_map(vertices, faces, lights[0])
    for y in range(height):
        for x in range(width):
            f = face_index[y, x]
            if f < 0:
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            v, w = weights[y, x, 0], weights[y, x, 1]
            u = 1 - v - w
            pa, pb, pc = cloth[a], cloth[b], cloth[c]
            # The cloth with most of the triangle's weight here, so that seams run straight across faces.
            ua, ub, uc = u, v, w
            if seams is not None and (pa != pb or pb != pc):
                ua, ub, uc = u * seams[a], v * seams[b], w * seams[c]
            sa = ua + (ub if pb == pa else 0.0) + (uc if pc == pa else 0.0)
            sb = ub + (ua if pb == pa else 0.0) + (uc if pc == pb else 0.0)
            sc = uc + (ua if pc == pa else 0.0) + (ub if pc == pb else 0.0)
            p = pa if sa >= sb and sa >= sc else pb if sb >= sc else pc
            wa, wb, wc = (
                u if pa == p else 0.0,
                v if pb == p else 0.0,
                w if pc == p else 0.0,
            )
            total = wa + wb + wc + 1e-9
            row = patterns[p]
            nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
            ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
            nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
            length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / length, ny / length, nz / length
            rx = u * rest[a, 0] + v * rest[b, 0] + w * rest[c, 0]
            ry = u * rest[a, 1] + v * rest[b, 1] + w * rest[c, 1]
            rz = u * rest[a, 2] + v * rest[b, 2] + w * rest[c, 2]
            if row[7] > 0:
                fold(row, waves[p], rx, ry, rz, slope)
                out = slope[0] * nx + slope[1] * ny + slope[2] * nz
                nx -= slope[0] - out * nx
                ny -= slope[1] - out * ny
                nz -= slope[2] - out * nz
                length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
                nx, ny, nz = nx / length, ny / length, nz / length
            second = pattern(row, rx, ry, rz) if row[0] > 0 else 0.0
            tone = 1.0
            if row[0] == 5:
                tone, second = 1 - second, 0.0
            if row[14] != 0:
                tone *= sewn(row, rx, ry, rz)
            if seams is not None and pa == pb and pb == pc:
                # Cloth throws a little shadow beyond its edge and is stitched along it.
                edge = u * seams[a] + v * seams[b] + w * seams[c]
                if row[11] > 0:
                    tone *= 1 - 0.35 * max(0.0, 1 - edge / 0.012) if edge > 0 else 0.65
                elif row[7] > 0 and abs(edge - 0.016) < 0.002:
                    tone *= 0.75
            facing = nx * lights[0, 0] + ny * lights[0, 1] + nz * lights[0, 2] + lights[0, 6] + 0.3 * row[11]
            reach = 1.0
            if vertices is not None and facing > 0:
                qx = u * vertices[a, 0] + v * vertices[b, 0] + w * vertices[c, 0]
                qy = u * vertices[a, 1] + v * vertices[b, 1] + w * vertices[c, 1]
                qz = u * vertices[a, 2] + v * vertices[b, 2] + w * vertices[c, 2]
                reach = _lit(depth, axes, low, scale, qx, qy, qz)
            up = 0.5 - 0.5 * ny
            red, green, blue = (
                ambient[0, 0] * up + ambient[1, 0] * (1 - up),
                ambient[0, 1] * up + ambient[1, 1] * (1 - up),
                ambient[0, 2] * up + ambient[1, 2] * (1 - up),
            )
            shine_red, shine_green, shine_blue = 0.0, 0.0, 0.0
            for k in range(len(lights)):
                share = reach if k == 0 else 1.0
                d = nx * lights[k, 0] + ny * lights[k, 1] + nz * lights[k, 2]
                wrap = lights[k, 6]
                # Red light goes farthest through skin, so its shadows begin red.
                deep = wrap + 0.3 * row[11]
                less = wrap + 0.08 * row[11]
                red += share * lights[k, 3] * max(d + deep, 0.0) / (1 + deep)
                green += share * lights[k, 4] * max(d + less, 0.0) / (1 + less)
                blue += share * lights[k, 5] * max(d + wrap, 0.0) / (1 + wrap)
                if row[6] > 0 and d > 0:
                    half = nx * halves[k, 0] + ny * halves[k, 1] + nz * halves[k, 2]
                    if half > 0.7:
                        gloss = share * row[6] * half ** int(2 * row[12])
                        shine_red += gloss * lights[k, 3]
                        shine_green += gloss * lights[k, 4]
                        shine_blue += gloss * lights[k, 5]
            for i in range(3):
                base = (wa * albedo[a, i] + wb * albedo[b, i] + wc * albedo[c, i]) / total
                colour = (base + (row[8 + i] - base) * second) * tone
                light = red if i == 0 else green if i == 1 else blue
                shine = shine_red if i == 0 else shine_green if i == 1 else shine_blue
                picture[y, x, i] = colour * light + shine
    return picture
