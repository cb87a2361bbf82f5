"""What is behind and around a person, drawn pixel by pixel: a place's ground, walls, sky and things.

Each pixel's ray is met with the ground, the walls and the nearest thing, painted with that one's material
and lit by the lights that also light the person; what the person keeps from the light falls as shadow.
"""

import math
from typing import TYPE_CHECKING

import numba
import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.scenes.texture import noise, noise_tiles, paint
from hmnet.data.synthetic.scenes.viewpoint import View

if TYPE_CHECKING:
    from hmnet.data.synthetic.scenes.furnishing import Place
    from hmnet.data.synthetic.scenes.lighting import Lighting

jit = numba.njit(cache=True, fastmath=True)
FLOOR, CEILING, BACK, LEFT, RIGHT = range(5)
FAR = 1e4
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def box_mesh(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (N, 9): centre, half sizes (m), yaw, tilt (rad), material; on the stage.

    Returns corners (8 N, 3), faces (12 N, 3) int32 that face us clockwise, and the sides (6 N, 13): one
    corner, both unit edges, the outward normal, the material.
    """
    turns = Rotation.from_euler("YX", boxes[:, 6:8]).as_matrix()
    corners = np.einsum("nij,nkj->nki", turns, _CORNERS * boxes[:, None, 3:6]) + boxes[:, None, :3]
    quads = corners[:, _QUADS]
    along, across = quads[:, :, 1] - quads[:, :, 0], quads[:, :, 3] - quads[:, :, 0]
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    outwards = quads.mean(2) - boxes[:, None, :3]
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    paints = np.repeat(boxes[:, None, 8:9], 6, 1)
    sides = np.concatenate([quads[:, :, 0], along, across, outwards, paints], -1)
    # The stage is left-handed (y up, z away), so corners that turn inwards there turn outwards on screen.
    inwards = (np.cross(along, across) * outwards).sum(-1) < 0
    order = np.where(inwards[..., None], _QUADS, _QUADS[:, ::-1]) + 8 * np.arange(len(boxes))[:, None, None]
    faces = order[..., [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    return corners.reshape(-1, 3), faces.astype(np.int32), sides.reshape(-1, 13).astype(np.float32)


def photograph_crop(photo: np.ndarray, generator: np.random.Generator, size: int) -> np.ndarray:
    """A square piece of a photograph (H, W, 3) uint8 as linear RGB (size, size, 3) float32."""
    height, width = photo.shape[:2]
    side = int(min(height, width) * generator.uniform(0.6, 1))
    # The ground is at the bottom of most photographs: crops keep to it more often than not.
    top = int((height - side) * generator.beta(2, 1.2))
    left = int(generator.integers(width - side + 1))
    crop = Image.fromarray(photo[top : top + side, left : left + side])
    picture = np.asarray(crop.resize((size, size), Image.BICUBIC))
    if generator.random() < 0.5:
        picture = picture[:, ::-1]
    return _LINEAR[picture]


def groundlike(photo: np.ndarray) -> float:
    """How much the lower third of a photograph (S, S, 3) looks like ground to stand on, in [0.2, 1].

    Ground is seen aslant, so its tone changes downwards at least as much as across; what stands upright
    there, like a fence or a machine, changes more across.
    """
    tone = np.sqrt(photo[2 * len(photo) // 3 :: 2, ::2, 1])
    down, across = np.abs(np.diff(tone, axis=0)).mean(), np.abs(np.diff(tone, axis=1)).mean()
    upright = max(across / (down + 0.004) - 0.85, 0) * 1.6
    busy = max(across + down - 0.1, 0) * 4
    return float(np.clip(1 - upright - busy, 0.2, 1))


_LINEAR = ((np.arange(256) / 255) ** 2.2).astype(np.float32)


def draw_stage(
    view: View,
    place: "Place",
    lighting: "Lighting",
    shadows: np.ndarray,
    side_index: np.ndarray,
    sides: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The place without people: linear RGB (S, S, 3) and depth (S, S), both float32.

    place: a `furnishing.Place`. lighting: a `lighting.Lighting`. shadows: (2, G, G), see
    `shadow.ground_shadows`. side_index: (S, S) int32 rows of sides that are nearest, -1 for none.
    """
    photo = place.photo if place.photo is not None else np.zeros((1, 1, 3), np.float32)
    return _draw(
        view.size, side_index, sides, view.eye, view.rays, place.planes, np.array(place.materials), place.sky,
        lighting.lights, lighting.ambient, lighting.shadow, lighting.falloff, view.distance, shadows,
        np.ascontiguousarray(photo), noise_tiles(), view.focal,
    )  # fmt: skip


@jit
def _shadow_at(layer, x, z, reach):
    cells = layer.shape[0]
    u, v = (x / reach + 1) * 0.5 * cells - 0.5, (z / reach + 1) * 0.5 * cells - 0.5
    if u < 1 or v < 1 or u >= cells - 2 or v >= cells - 2:
        return 0.0
    i, j = int(u), int(v)
    a, b = u - i, v - j
    top = layer[j, i] * (1 - a) + layer[j, i + 1] * a
    return top * (1 - b) + (layer[j + 1, i] * (1 - a) + layer[j + 1, i + 1] * a) * b


REACH = 2.9
"""m from the person's root to the edge of the ground's shadow map."""


@jit
def _sky(sky, dx, dy, dz, tiles, out):
    """Linear RGB into out. sky: (18,) zenith, horizon, cloud amount, offsets, hills (height,
    roughness, colour), cloud colour, haze."""
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    rise = dy / length
    azimuth = math.atan2(dx, dz)
    line = sky[9] + sky[10] * (
        noise(tiles, 0, azimuth * 30 + sky[7], sky[8]) + 0.35 * noise(tiles, 2, azimuth * 160, sky[8])
    )
    if sky[9] > 0 and rise < line:
        tone = (
            1 + 0.35 * noise(tiles, 2, azimuth * 400, rise * 400) - 0.5 * max(0.0, 1 - rise / (line + 1e-4))
        )
        for k in range(3):
            out[k] = max(sky[11 + k] * max(tone, 0.1), 0.002)
        return
    high = math.sqrt(max(rise, 0.0))
    spread = 14 / (max(rise, 0.0) + 0.12)
    u, v = dx / length * spread + sky[7], dz / length * spread + sky[8]
    cloud = sky[6] + 0.4 * noise(tiles, 0, u, v) + 0.12 * noise(tiles, 1, 2.3 * u, 2.3 * v)
    cloud = min(max(cloud, 0.0), 1.0)
    for k in range(3):
        clear = sky[3 + k] + (sky[k] - sky[3 + k]) * min(1.3 * high, 1.0)
        out[k] = (clear * (1 - cloud) + cloud * sky[14 + k]) * (1 + 0.01 * noise(tiles, 3, 90 * u, 90 * v))


@jit
def _draw(
    size, side_index, sides, eye, rays, planes, materials, sky, lights, ambient, shade, falloff, distance,
    shadows, photo, tiles, focal,
):  # fmt: skip
    picture = np.empty((size, size, 3), np.float32)
    depth = np.empty((size, size), np.float32)
    colour, received = np.zeros(3), np.zeros(3)
    with_photo = photo.shape[0] == size
    for y in range(size):
        for x in range(size):
            px, py = x + 0.5, y + 0.5
            dx = rays[0, 0] * px + rays[0, 1] * py + rays[0, 2]
            dy = rays[1, 0] * px + rays[1, 1] * py + rays[1, 2]
            dz = rays[2, 0] * px + rays[2, 1] * py + rays[2, 2]
            t, hit = FAR, -1
            for k in range(5):
                if planes[k, 1] < 0:
                    continue
                if k <= CEILING:
                    along, start = dy, eye[1]
                elif k == BACK:
                    along, start = dz, eye[2]
                else:
                    along, start = dx, eye[0]
                if abs(along) < 1e-9:
                    continue
                s = (planes[k, 0] - start) / along
                if 0 < s < t:
                    t, hit = s, k
            thing = side_index[y, x]
            nx, ny, nz, u, v, row = 0.0, 0.0, 0.0, 0.0, 0.0, 0
            if thing >= 0:
                nx, ny, nz = sides[thing, 9], sides[thing, 10], sides[thing, 11]
                gap = (
                    (sides[thing, 0] - eye[0]) * nx + (sides[thing, 1] - eye[1]) * ny
                    + (sides[thing, 2] - eye[2]) * nz
                )  # fmt: skip
                slant = dx * nx + dy * ny + dz * nz
                t = gap / slant if abs(slant) > 1e-9 else t
                hit = 9
            wx, wy, wz = eye[0] + t * dx, eye[1] + t * dy, eye[2] + t * dz
            if hit == 9:
                a, b, c = wx - sides[thing, 0], wy - sides[thing, 1], wz - sides[thing, 2]
                u = a * sides[thing, 3] + b * sides[thing, 4] + c * sides[thing, 5]
                v = a * sides[thing, 6] + b * sides[thing, 7] + c * sides[thing, 8]
                row = int(sides[thing, 12])
            elif hit >= 0:
                row = int(planes[hit, 1])
                if hit <= CEILING:
                    ny, u, v = (1.0 if hit == FLOOR else -1.0), wx, wz
                elif hit == BACK:
                    nz, u, v = -1.0, wx, wy
                else:
                    nx, u, v = (1.0 if hit == LEFT else -1.0), wz, wy
            depth[y, x] = t
            # A photograph fills everything but the things that were put before it.
            pictured = with_photo and hit != 9
            if pictured:
                colour[0], colour[1], colour[2] = photo[y, x, 0], photo[y, x, 1], photo[y, x, 2]
                depth[y, x] = FAR
            elif hit < 0:
                _sky(sky, dx, dy, dz, tiles, colour)
            else:
                slant = abs(dx * nx + dy * ny + dz * nz) + 0.02
                r, g, b = paint(materials, row, u, v, t / focal / math.sqrt(slant), tiles)
                colour[0], colour[1], colour[2] = r, g, b
            if hit < 0 or (pictured and hit != FLOOR):
                for k in range(3):
                    picture[y, x, k] = colour[k]
                continue
            cast, near = 0.0, 0.0
            if ny > 0.7:
                # Higher surfaces catch the cast shadow nearer to the person.
                lift = wy / max(lights[0, 1], 0.2)
                cast = _shadow_at(shadows[0], wx - lift * lights[0, 0], wz - lift * lights[0, 2], REACH)
                near = _shadow_at(shadows[1], wx, wz, REACH)
            if pictured:
                dark = (1 - shade * cast) * (1 - 0.6 * near)
                for k in range(3):
                    picture[y, x, k] = colour[k] * dark
                continue
            corner = 1.0
            if hit < 5:
                # Corners between walls, ceiling and ground get less light.
                room = FAR
                for k in range(5):
                    if k == hit or planes[k, 1] < 0:
                        continue
                    place = wy if k < BACK else (wz if k == BACK else wx)
                    room = min(room, abs(place - planes[k, 0]))
                corner = 1 - 0.45 * math.exp(-room / 0.35)
            fade = min(max((distance / t) ** 2, 0.02), 2.5) if falloff else 1.0
            up = (0.5 + 0.5 * ny) * corner * (1 - 0.6 * near)
            down = (0.5 - 0.5 * ny) * corner * (1 - 0.6 * near)
            for k in range(3):
                received[k] = ambient[0, k] * up + ambient[1, k] * down
            for m in range(len(lights)):
                d = nx * lights[m, 0] + ny * lights[m, 1] + nz * lights[m, 2]
                d = (d + lights[m, 6]) / (1 + lights[m, 6])
                if d > 0:
                    lost = max(cast, 0.6 * near) if m == 0 else max(0.4 * cast, 0.5 * near)
                    for k in range(3):
                        received[k] += d * lights[m, 3 + k] * (1 - lost) * fade
            for k in range(3):
                light = received[k]
                glow = materials[row, 12]
                value = colour[k] * (light * (1 - glow) + 2.5 * glow)
                if hit == FLOOR and sky[17] > 0:
                    haze = 1 - math.exp(-t / 220)
                    value += (sky[3 + k] - value) * haze
                picture[y, x, k] = value
    return picture, depth


@jit
def draw_leaves(picture, depth, leaves, tiles):
    """Draw ellipses over a picture (S, S, 3) wherever they are nearer than depth (S, S); in place.

    leaves: (N, 11) middle x, y (px), depth (m), half sizes a, b (px), angle (rad), linear RGB, roundness of
    the shading, strength of the noise. Returns the depth (S, S) of the ellipses alone, infinite for none.
    """
    size = len(picture)
    front = np.full((size, size), np.inf, np.float32)
    for n in range(len(leaves)):
        cx, cy, z, a, b = leaves[n, 0], leaves[n, 1], leaves[n, 2], leaves[n, 3], leaves[n, 4]
        c, s, widest = math.cos(leaves[n, 5]), math.sin(leaves[n, 5]), max(a, b)
        x0, x1 = max(int(cx - widest), 0), min(int(cx + widest) + 1, size)
        y0, y1 = max(int(cy - widest), 0), min(int(cy + widest) + 1, size)
        for y in range(y0, y1):
            for x in range(x0, x1):
                dx, dy = x + 0.5 - cx, y + 0.5 - cy
                u, v = (c * dx + s * dy) / a, (c * dy - s * dx) / b
                if u * u + v * v > 1 or z >= depth[y, x]:
                    continue
                tone = 1 + leaves[n, 9] * (0.4 - 0.5 * dy / widest - 0.6 * (u * u + v * v))
                if leaves[n, 10] > 0:
                    tone *= 1 + leaves[n, 10] * noise(tiles, 1, 90 * u + 31 * n, 90 * v)
                depth[y, x] = z
                front[y, x] = z
                for k in range(3):
                    picture[y, x, k] = leaves[n, 6 + k] * max(tone, 0.05)
    return front
