"""A z-buffer and a shader in compiled NumPy: the whole picture of one body in a few milliseconds.

Why not an OpenGL library: at these sizes its set-up and read-back cost several times the drawing (19 ms a
picture in moderngl on a software driver against about 4 ms here), and generation needs no display, no
driver and no GPU this way.
"""

import math

import numba
import numpy as np

jit = numba.njit(cache=True, fastmath=True)


@jit
def rasterise(points, depths, faces, height, width):
    """Nearest front face of every pixel.

    points: (V, 2) float32 px. depths: (V,) float32, larger is farther. faces: (F, 3) int32, drawn only
    where they turn clockwise on the screen (y down), that is towards the viewer.
    Returns the face index (H, W) int32, -1 for none, the barycentric weights of its second and third
    corner (H, W, 2) float32, and the depth (H, W) float32.
    """
    face_index = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 2), np.float32)
    nearest = np.full((height, width), np.inf, np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0] - ax, points[b, 1] - ay
        cx, cy = points[c, 0] - ax, points[c, 1] - ay
        area = bx * cy - by * cx
        if area >= -1e-9:
            continue
        x0 = max(int(math.ceil(ax + min(0.0, bx, cx) - 0.5)), 0)
        x1 = min(int(math.floor(ax + max(0.0, bx, cx) - 0.5)), width - 1)
        y0 = max(int(math.ceil(ay + min(0.0, by, cy) - 0.5)), 0)
        y1 = min(int(math.floor(ay + max(0.0, by, cy) - 0.5)), height - 1)
        za, zb, zc = depths[a], depths[b], depths[c]
        for y in range(y0, y1 + 1):
            py = y + 0.5 - ay
            for x in range(x0, x1 + 1):
                px = x + 0.5 - ax
                v = (px * cy - py * cx) / area
                w = (bx * py - by * px) / area
                if v < 0 or w < 0 or v + w > 1:
                    continue
                z = za + v * (zb - za) + w * (zc - za)
                if z < nearest[y, x]:
                    nearest[y, x] = z
                    face_index[y, x] = f
                    weights[y, x, 0] = v
                    weights[y, x, 1] = w
    return face_index, weights, nearest


@jit
def labels_of(face_index, face_parts):
    """Part ids (H, W) uint8 of a face index image; 0 where there is none."""
    height, width = face_index.shape
    labels = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            f = face_index[y, x]
            if f >= 0:
                labels[y, x] = face_parts[f]
    return labels


@jit
def halve_visible(colours, face_index, hidden):
    """What a person adds to a picture of half the size: every two by two pixels become one.

    colours: (2H, 2W, 3) float32. face_index: (2H, 2W), -1 for none. hidden: (2H, 2W) bool, what something
    else covers. Returns colours times alpha (H, W, 3) and alpha (H, W, 1), float32.
    """
    height, width = face_index.shape[0] // 2, face_index.shape[1] // 2
    layer = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width, 1), np.float32)
    for y in range(height):
        for x in range(width):
            for k in range(4):
                j, i = 2 * y + k // 2, 2 * x + k % 2
                if face_index[j, i] >= 0 and not hidden[j, i]:
                    alpha[y, x, 0] += 0.25
                    for c in range(3):
                        layer[y, x, c] += 0.25 * colours[j, i, c]
    return layer, alpha


@jit
def hides(nearest, behind, front, edge):
    """Where things at depths nearest (2H, 2W) m cover a body at depths behind (2H, 2W) m, bool.

    front: (H, W) m, depths of further things, which must be edge (m) before the body to cover it.
    """
    hidden = np.zeros(behind.shape, np.bool_)
    for y in range(len(behind)):
        for x in range(behind.shape[1]):
            far = behind[y, x]
            if far < np.inf and (nearest[y, x] < far or front[y // 2, x // 2] < far - edge):
                hidden[y, x] = True
    return hidden
