"""Normals and light of a rasterised mesh, in compiled NumPy."""

import math

import numba
import numpy as np

jit = numba.njit(cache=True, fastmath=True)


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
def _hash(x, y, z):
    x, y, z = np.int64(x), np.int64(y), np.int64(z)
    h = (x * 374761393 + y * 668265263 + z * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@jit
def shade(face_index, weights, faces, normals, rest, albedo, cloth, patterns, lights, ambient):
    """Linear RGB (H, W, 3) float32 of a rasterised body.

    normals, rest, albedo: (V, 3) posed normals, rest positions (m) and base colours in [0, 1].
    cloth: (V,) int, row of patterns that the vertex wears.
    patterns: (P, 8): kind (0 plain, 1 stripes, 2 checks, 3 blotches), frequency (1/m), direction x y z,
    strength in [0, 1], shininess, unused.
    lights: (L, 7): direction towards the light, colour, wrap (how far light reaches round an edge).
    ambient: (2, 3) colour from above and from below.
    """
    height, width = face_index.shape
    picture = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            f = face_index[y, x]
            if f < 0:
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            v, w = weights[y, x, 0], weights[y, x, 1]
            u = 1 - v - w
            wearer = a
            if v > u and v >= w:
                wearer = b
            elif w > u and w > v:
                wearer = c
            p = cloth[wearer]
            nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
            ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
            nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
            length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / length, ny / length, nz / length
            tone = 1.0
            kind = int(patterns[p, 0])
            if kind > 0:
                rx = u * rest[a, 0] + v * rest[b, 0] + w * rest[c, 0]
                ry = u * rest[a, 1] + v * rest[b, 1] + w * rest[c, 1]
                rz = u * rest[a, 2] + v * rest[b, 2] + w * rest[c, 2]
                q = patterns[p, 1]
                along = rx * patterns[p, 2] + ry * patterns[p, 3] + rz * patterns[p, 4]
                if kind == 1:
                    on = math.sin(6.2832 * q * along) > 0
                elif kind == 2:
                    on = (math.sin(6.2832 * q * along) > 0) != (math.sin(6.2832 * q * (rx + rz)) > 0)
                else:
                    cell = _hash(math.floor(rx * q), math.floor(ry * q), math.floor(rz * q))
                    on = cell > 0.5
                if on:
                    tone = 1.0 - patterns[p, 5]
            up = 0.5 - 0.5 * ny
            specular = 0.0
            for i in range(3):
                light = ambient[0, i] * up + ambient[1, i] * (1 - up)
                for k in range(len(lights)):
                    d = nx * lights[k, 0] + ny * lights[k, 1] + nz * lights[k, 2]
                    d = (d + lights[k, 6]) / (1 + lights[k, 6])
                    if d > 0:
                        light += d * lights[k, 3 + i]
                        if i == 0 and k == 0 and patterns[p, 6] > 0:
                            half = (nx * lights[k, 0] + ny * lights[k, 1] + nz * (lights[k, 2] - 1)) / 1.5
                            if half > 0:
                                specular = patterns[p, 6] * half**12
                colour = albedo[wearer, i]
                picture[y, x, i] = colour * tone * light + specular
    return picture
