"""Procedural clothes: skirts, dresses, coats, wide trousers, loose tops and shoes, cut from the body itself.

Two ways of cutting: a shell is a region of the body's surface pushed outwards, for what has sleeves or
legs; a loft is a tube round the body's convex outline, for what hangs free.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.spatial import ConvexHull

from hmnet.data.synthetic.people.appearance import regions
from hmnet.data.synthetic.people.fitting import (
    Garment,
    boundary,
    fit,
    hidden_beneath,
    near_hems,
    neighbour_mean,
    rest_body,
)

AXIS_Z = -0.01
"""m. The upright axis of the lofts is x = 0 at this depth."""
COLUMNS = 48
WAIST, CROTCH, ANKLE = -0.19, 0.03, 0.74
"""m, camera frame (y down): heights on the base shape."""
TORSO_AND_LEGS = (1, 2, 7, 8, 9, 10, 11, 12, 13, 14)
ABOVE_FEET = (*TORSO_AND_LEGS, *range(15, 23))
STAND_OFF = 0.006

Mesh = tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=1)
def _outline() -> tuple[np.ndarray, np.ndarray]:
    """Heights (H,) and the convex outline's radius (H, COLUMNS) of the torso and legs about the axis."""
    body = rest_body()
    points = body.vertices[np.isin(body.parts, TORSO_AND_LEGS)]
    heights = np.arange(-0.56, 0.70, 0.01)
    angles = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    directions = np.stack([np.sin(angles), -np.cos(angles)], 1)
    cosine = np.maximum(np.cos(angles[:, None] - angles), 0.05)
    radii = np.zeros((len(heights), COLUMNS))
    for row, height in enumerate(heights):
        slab = points[np.abs(points[:, 1] - height) < 0.02][:, [0, 2]] - [0, AXIS_Z]
        support = (slab @ directions.T).max(0)
        radii[row] = (support / cosine).min(1)
    return heights, radii


def outline(height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Radius m of the body's convex outline at heights y (m) and angles (0 front, pi/2 the person's left)."""
    heights, radii = _outline()
    row = np.clip((np.asarray(height) - heights[0]) / 0.01, 0, len(heights) - 1.001)
    column = np.mod(np.asarray(angle), 2 * np.pi) / (2 * np.pi) * COLUMNS
    i, j = row.astype(int), column.astype(int) % COLUMNS
    k, u, v = (j + 1) % COLUMNS, row - i, column - np.floor(column)
    return (radii[i, j] * (1 - u) + radii[i + 1, j] * u) * (1 - v) + (
        radii[i, k] * (1 - u) + radii[i + 1, k] * u
    ) * v


def grid_faces(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Triangles of a grid whose rows run down and whose columns run from the front over the left."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    i, j = i.ravel(), j.ravel()
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def loft(
    top: float, hem: float, ease: float, flare: float, folds: float, waves: int = 9, opening: float = 0.0
) -> Mesh:
    """A tube round the body from y = top down to y = hem (m).

    ease: m off the body. flare: m of radius gained a metre down. folds: m of fold depth at the hem, waves
    of them round. opening: half the angle (rad) left open at the front.
    """
    rows = max(4, int((hem - top) / 0.035))
    closed = opening == 0
    angles = (
        np.arange(COLUMNS) * 2 * np.pi / COLUMNS
        if closed
        else np.linspace(opening, 2 * np.pi - opening, COLUMNS)
    )
    heights = np.linspace(top, hem, rows)
    radius = outline(top, angles) + ease
    vertices = []
    for row, height in enumerate(heights):
        if row:
            step = heights[row] - heights[row - 1]
            radius = np.maximum(outline(height, angles) + ease, radius + step * (flare - 0.1))
        share = row / (rows - 1)
        wave = np.sin(waves * angles + 0.8 * np.sin(3 * angles) + 0.6 * share)
        r = radius + folds * share**0.8 * (wave + 1)
        vertices.append(
            np.stack([r * np.sin(angles), np.full(COLUMNS, height), AXIS_Z - r * np.cos(angles)], 1)
        )
    return np.concatenate(vertices), grid_faces(rows, COLUMNS, closed)


def shell(wanted: np.ndarray, cloth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The body's faces of which any corner is wanted (U,), with vertices cloth (U, 3).

    Returns vertices, faces and the covered body vertices: those that nobody sees through a hem.
    """
    faces = rest_body().faces
    chosen = faces[wanted[faces].sum(1) >= 2]
    used, index = np.unique(chosen, return_inverse=True)
    faces = index.reshape(-1, 3)
    return cloth[used], faces, used[~near_hems(faces, len(used))]


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *[len(vertices) for vertices, _ in meshes]])
    return (
        np.concatenate([vertices for vertices, _ in meshes]),
        np.concatenate([faces + start for (_, faces), start in zip(meshes, starts, strict=False)]),
    )


def _smoothed(vertices: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Evened out inside; edges are evened along themselves too, so that hems run straight."""
    mean = neighbour_mean(faces, len(vertices))
    edge = boundary(faces, len(vertices)).astype(float)
    along = mean.multiply(edge[None, :]).tocsr()
    share = np.maximum(along.sum(1), 1e-9)[:, None]
    for _ in range(rounds):
        inner, border = mean @ vertices, (along @ vertices) / share
        vertices = np.where(edge[:, None] > 0, border, inner)
    return vertices


def _stand_off(vertices: np.ndarray, beneath: np.ndarray, distance: np.ndarray | float) -> np.ndarray:
    """Pushed out along the body's normals where closer than distance to the body vertices beneath."""
    body = rest_body()
    normal = body.normals[beneath]
    gap = ((vertices - body.vertices[beneath]) * normal).sum(1)
    return vertices + np.maximum(distance - gap, 0)[:, None] * normal


def _beneath(wanted: np.ndarray) -> np.ndarray:
    faces = rest_body().faces
    return np.unique(faces[wanted[faces].sum(1) >= 2])


def _ripples(points: np.ndarray, seed: int, pitch: float) -> np.ndarray:
    """Large folds over the rest pose, in [0, 1]."""
    generator = np.random.default_rng(seed)
    waves = generator.normal(0, 1, (4, 3)) * [1, 0.6, 1] * pitch
    return 0.5 + np.sin(points @ waves.T + generator.uniform(0, 6.3, 4)).mean(1) / 2


def top(
    name: str, sleeve: float, hem: float, ease: float, *, sleeve_ease: float = 0.012, neck: float = 0.95,
    flare: float = 0.1, opening: float = 0.0, slot: str = "top", gender: float | None = None,
    skirt_folds: float = 0.0, waves: int = 9,
) -> Garment:  # fmt: skip
    """A shirt, a dress or a coat: a shell over torso and arms that hangs from chest and shoulder blades.

    sleeve: share of the arm. hem: y in m; below the crotch a loft goes on. ease: m off the body at the
    waist. neck: share of the torso's height. opening: half the front gap in m, 0 for closed.
    """
    body, r = rest_body(), regions()
    y = body.vertices[:, 1]
    cut = min(hem, CROTCH - 0.04)
    trunk = (r.height > -0.9) | ((r.leg >= 0) & (r.leg < 0.2))
    # The neckline is a scoop: straps stay on the shoulders.
    scoop = neck + np.maximum(np.abs(body.vertices[:, 0]) - 0.06, 0) * 4
    wanted = (trunk & (y < cut) & (r.height < scoop)) | ((r.arm >= 0) & (r.arm < sleeve))
    if opening:
        front = trunk & (body.normals[:, 2] < 0.3) & (body.vertices[:, 2] < 0.02)
        wanted &= ~(front & (np.abs(body.vertices[:, 0]) < opening))
    ripple = _ripples(body.vertices, len(name) + int(1000 * ease), 28)
    arm = np.clip(r.arm, 0, 1)
    thickness = np.where(
        r.arm >= 0, sleeve_ease * (0.5 + arm) * (0.5 + ripple), np.minimum(ease, 0.02) * (0.5 + ripple)
    )
    cloth = body.vertices + (STAND_OFF + thickness)[:, None] * body.normals
    angle = np.arctan2(cloth[:, 0], AXIS_Z - cloth[:, 2])
    radius = np.hypot(cloth[:, 0], cloth[:, 2] - AXIS_Z)
    hang = np.clip((y + 0.42) / 0.12, 0, 1) * (r.arm < 0)
    # What hangs does not come back in below the chest, except for a little gathering.
    wide = outline(y, angle) + ease * (0.7 + 0.6 * ripple)
    chest = outline(np.full(len(y), -0.36), angle) + 0.5 * ease - np.clip(0.09 - ease, 0, 1) * 0.5
    wide = np.maximum(wide, np.where(y > -0.36, chest, 0))
    factor = 1 + hang * np.maximum(wide - radius, 0) / np.maximum(radius, 0.02)
    cloth[:, 0] *= factor
    cloth[:, 2] = AXIS_Z + (cloth[:, 2] - AXIS_Z) * factor
    vertices, faces, covered = shell(wanted, cloth)
    beneath = _beneath(wanted)
    vertices = _stand_off(_smoothed(vertices, faces, 4), beneath, STAND_OFF + 0.3 * thickness[beneath])
    mesh = vertices, faces
    if hem > cut:
        start = cut - 0.06
        gap = np.arcsin(min(opening / 0.15, 0.6)) if opening else 0.0
        mesh = joined(mesh, loft(start, hem, ease + 0.008, flare, skirt_folds, waves, gap))
        skirts = mesh[0][len(vertices) :], mesh[1][len(faces) :] - len(vertices)
        gathered = np.concatenate([vertices, _gathered(skirts[0], ease + 0.03)])
        covered = np.union1d(covered, hidden_beneath(*skirts))
    else:
        gathered = vertices
    sides = "all" if opening else "hems"
    return fit(name, slot, *mesh, covered=covered, two_sided=sides, gender=gender, near=ABOVE_FEET,
               loose=0.9 if hem > cut else 0.3, gathered=gathered)  # fmt: skip


def skirt(
    name: str, hem: float, flare: float, folds: float, *, waves: int = 9, ease: float = 0.01
) -> Garment:
    """A skirt from the waist down to y = hem (m); see `loft`."""
    vertices, faces = loft(WAIST, hem, ease, flare, folds, waves)
    return fit(name, "skirt", vertices, faces, two_sided="all", loose=1.0, near=TORSO_AND_LEGS, gender=1.0,
               gathered=_gathered(vertices, 0.04))  # fmt: skip


def _gathered(vertices: np.ndarray, ease: float) -> np.ndarray:
    """A loft's vertices (M, 3) at that distance (m) from the body's outline, less towards the waist."""
    x, y, z = vertices[:, 0], vertices[:, 1], vertices[:, 2] - AXIS_Z
    ease = 0.01 + (ease - 0.01) * np.clip((y - WAIST) / 0.2, 0, 1)
    factor = (outline(y, np.arctan2(x, -z)) + ease) / np.hypot(x, z)
    return np.stack([x * factor, y, AXIS_Z + z * factor], 1)


def trousers(name: str, length: float, thigh: float, hem_width: float, ease: float = 0.01) -> Garment:
    """Trousers down to a share of the leg, with legs of at least those radii (m) at thigh and hem."""
    body, r = rest_body(), regions()
    y = body.vertices[:, 1]
    leg = np.clip(r.leg, 0, 1)
    on_leg = (r.leg >= 0) & (r.leg < length)
    wanted = on_leg | ((r.height > -0.9) & (r.arm < 0) & (y > WAIST - 0.02) & ~r.head)
    ripple = _ripples(body.vertices, int(1000 * (length + thigh)), 30)
    thickness = ease * (0.4 + ripple)
    cloth = body.vertices + (STAND_OFF + thickness)[:, None] * body.normals
    for side, sign in (("L", 1), ("R", -1)):
        chosen = np.flatnonzero((r.leg >= 0) & (np.sign(body.vertices[:, 0]) == sign))
        stops = np.array([body.heads[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot")])
        axis = np.stack([np.interp(y[chosen], stops[:, 1], stops[:, i]) for i in range(3)], 1)
        out = (cloth[chosen] - axis) * [1, 0, 1]
        radius = np.linalg.norm(out, axis=1)
        share = leg[chosen] / length
        least = (thigh + (hem_width - thigh) * share) * (0.92 + 0.16 * ripple[chosen])
        grow = np.maximum(least - radius, 0) * np.clip((share - 0.12) / 0.25, 0, 1)
        cloth[chosen] += out / np.maximum(radius, 1e-3)[:, None] * grow[:, None]
    vertices, faces, covered = shell(wanted, cloth)
    beneath = _beneath(wanted)
    vertices = _stand_off(_smoothed(vertices, faces, 3), beneath, STAND_OFF + 0.3 * thickness[beneath])
    return fit(name, "bottom", vertices, faces, covered=covered, two_sided="hems", near=TORSO_AND_LEGS)


def shoes(name: str, shaft: float, sole: float, thickness: float) -> Garment:
    """A pair of shoes: the hull of each foot up to shaft (m above the ankle) on a sole, in two pieces."""
    body, r = rest_body(), regions()
    meshes, pieces = [], []
    for sign in (1, -1):
        chosen = (r.foot | (r.leg > 0.6)) & (np.sign(body.vertices[:, 0]) == sign)
        foot = chosen & (body.vertices[:, 1] > ANKLE - 0.01)
        points = body.vertices[foot] + thickness * body.normals[foot]
        flat = body.vertices[foot & (body.vertices[:, 1] > 0.79)]
        ground = flat * [1, 0, 1] + [0, body.vertices[:, 1].max() + sole, 0]
        centre = flat.mean(0) * [1, 0, 1]
        ground = centre + (ground - centre) * [1.06, 1, 1.05]
        points = np.concatenate([points, ground])
        mesh = _hull(points)
        if shaft > 0:
            wanted = chosen & (body.vertices[:, 1] > ANKLE - shaft)
            cloth = body.vertices + (thickness + 0.004) * body.normals
            vertices, faces, _ = shell(wanted & (body.vertices[:, 1] < ANKLE + 0.03), cloth)
            mesh = joined(mesh, (_smoothed(vertices, faces, 2), faces))
        meshes.append(mesh)
        pieces.append(mesh[0][:, 1] > body.vertices[:, 1].max() - 0.004)
    hidden = (r.foot & (body.vertices[:, 1] > ANKLE + 0.02)) | (
        (r.leg >= 0) & (shaft > 0) & (body.vertices[:, 1] > ANKLE - shaft + 0.01)
    )
    vertices, faces = joined(*meshes)
    sides = "hems" if shaft else ""
    return fit(name, "shoes", vertices, faces, pieces=np.concatenate(pieces), two_sided=sides,
               covered=np.flatnonzero(hidden), near=(5, 6, 11, 12, 13, 14))  # fmt: skip


def _hull(points: np.ndarray) -> Mesh:
    """The convex hull, its faces turned outwards."""
    hull = ConvexHull(points)
    used, index = np.unique(hull.simplices, return_inverse=True)
    vertices, faces = points[used], index.reshape(-1, 3)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normals * hull.equations[:, :3]).sum(1) < 0
    return vertices, np.where(inward[:, None], faces[:, ::-1], faces)


STYLES: dict[str, Callable[[str], Garment]] = {
    "skirt:mini": lambda n: skirt(n, 0.16, 0.25, 0.006),
    "skirt:skater": lambda n: skirt(n, 0.24, 0.7, 0.02, waves=8),
    "skirt:pencil": lambda n: skirt(n, 0.36, 0.0, 0.0),
    "skirt:a-line": lambda n: skirt(n, 0.38, 0.45, 0.012, waves=7),
    "skirt:midi": lambda n: skirt(n, 0.52, 0.4, 0.022, waves=9),
    "skirt:pleated": lambda n: skirt(n, 0.44, 0.35, 0.012, waves=16),
    "skirt:maxi": lambda n: skirt(n, 0.72, 0.3, 0.028, waves=8),
    "dress:sheath": lambda n: top(n, 0.0, 0.36, 0.008, neck=0.86, slot="dress", gender=1.0),
    "dress:summer": lambda n: top(n, 0.1, 0.34, 0.014, neck=0.88, flare=0.55, slot="dress", gender=1.0,
                                  skirt_folds=0.02),
    "dress:shirt": lambda n: top(n, 0.62, 0.4, 0.03, flare=0.3, slot="dress", gender=1.0, skirt_folds=0.012),
    "dress:maxi": lambda n: top(n, 0.25, 0.72, 0.016, neck=0.9, flare=0.35, slot="dress", gender=1.0,
                                skirt_folds=0.026),
    "dress:robe": lambda n: top(n, 1.0, 0.74, 0.05, sleeve_ease=0.04, neck=1.02, flare=0.25, slot="dress",
                                skirt_folds=0.02),
    "coat:long": lambda n: top(n, 1.0, 0.5, 0.05, sleeve_ease=0.026, neck=1.02, flare=0.25, opening=0.03,
                               slot="coat", skirt_folds=0.012),
    "coat:short": lambda n: top(n, 1.0, 0.18, 0.05, sleeve_ease=0.026, neck=1.02, flare=0.2, opening=0.02,
                                slot="coat"),
    "coat:open": lambda n: top(n, 1.0, 0.34, 0.045, sleeve_ease=0.024, neck=1.02, flare=0.3, opening=0.055,
                               slot="coat", skirt_folds=0.014),
    "coat:puffer": lambda n: top(n, 1.0, -0.02, 0.07, sleeve_ease=0.045, neck=1.06, slot="coat"),
    "coat:cardigan": lambda n: top(n, 1.0, 0.1, 0.025, sleeve_ease=0.014, flare=0.1, opening=0.06,
                                   slot="coat"),
    "coat:vest": lambda n: top(n, 0.06, -0.06, 0.05, sleeve_ease=0.03, neck=1.0, opening=0.012, slot="coat"),
    "top:t-shirt": lambda n: top(n, 0.38, -0.03, 0.022, sleeve_ease=0.022),
    "top:oversized": lambda n: top(n, 0.5, 0.06, 0.05, sleeve_ease=0.04, flare=0.0),
    "top:hoodie": lambda n: top(n, 1.0, -0.03, 0.05, sleeve_ease=0.032, neck=1.04),
    "top:shirt": lambda n: top(n, 1.0, 0.05, 0.025, sleeve_ease=0.018, neck=1.0, flare=0.1),
    "top:blouse": lambda n: top(n, 0.8, -0.06, 0.035, sleeve_ease=0.035, neck=0.92, gender=1.0),
    "top:tank": lambda n: top(n, 0.02, -0.05, 0.02, neck=0.88),
    "top:tunic": lambda n: top(n, 0.9, 0.2, 0.03, sleeve_ease=0.024, flare=0.25, skirt_folds=0.01),
    "bottom:straight": lambda n: trousers(n, 0.99, 0.085, 0.075),
    "bottom:wide": lambda n: trousers(n, 1.0, 0.1, 0.125),
    "bottom:flared": lambda n: trousers(n, 1.0, 0.07, 0.12, 0.005),
    "bottom:baggy": lambda n: trousers(n, 0.98, 0.11, 0.095, 0.02),
    "bottom:shorts": lambda n: trousers(n, 0.42, 0.1, 0.11),
    "bottom:bermuda": lambda n: trousers(n, 0.55, 0.095, 0.1),
    "bottom:culottes": lambda n: trousers(n, 0.75, 0.11, 0.15),
    "shoes:sneaker": lambda n: shoes(n, 0.0, 0.022, 0.007),
    "shoes:flat": lambda n: shoes(n, 0.0, 0.008, 0.004),
    "shoes:ankle-boot": lambda n: shoes(n, 0.09, 0.02, 0.009),
    "shoes:boot": lambda n: shoes(n, 0.3, 0.025, 0.01),
}  # fmt: skip
"""Every style by its name, cut when called with it."""
