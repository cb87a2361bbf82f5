"""Procedural hair, hats, bags and scarves."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.spatial import ConvexHull

from hmnet.data.synthetic.people.appearance import regions
from hmnet.data.synthetic.people.fitting import Garment, fit, rest_body
from hmnet.data.synthetic.people.tailor import Mesh, grid_faces, joined, outline

COLUMNS, DOME_ROWS = 40, 14
HEAD_PARTS = (23, 24)
HAIR_PARTS = (1, 2, *HEAD_PARTS)
CENTRE = np.array([0.0, -0.745, -0.055])
"""m. The middle of the skull, a little above the ears' openings."""


@lru_cache(maxsize=1)
def _skull() -> np.ndarray:
    """Radius (DOME_ROWS * 2, COLUMNS) of the head's hull about CENTRE by polar angle and azimuth."""
    points = rest_body().vertices[regions().head] - CENTRE
    # Without the ears' rims, over which hair lies flat, and without the neck.
    points = points[(np.abs(points[:, 0]) < 0.079) & (points[:, 1] < 0.1)]
    theta, phi = _angles()
    planes = ConvexHull(points).equations
    along = _rays(theta[:, None], phi[None]) @ planes[:, :3].T
    return np.where(along > 1e-6, -planes[:, 3] / np.maximum(along, 1e-6), np.inf).min(-1)


def _angles() -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(0.0, np.pi, 2 * DOME_ROWS), np.arange(COLUMNS) * 2 * np.pi / COLUMNS


def _rays(theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Unit directions: theta from the crown, phi 0 at the front and pi/2 at the person's left."""
    theta, phi = np.broadcast_arrays(theta, phi)
    return np.stack([np.sin(theta) * np.sin(phi), -np.cos(theta), -np.sin(theta) * np.cos(phi)], -1)


def skull_radius(theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Radius m of the head in directions theta, phi (same shape)."""
    radius = _skull()
    row = np.clip(theta / np.pi * (len(radius) - 1), 0, len(radius) - 1.001)
    column = np.mod(phi, 2 * np.pi) / (2 * np.pi) * COLUMNS
    i, j = row.astype(int), column.astype(int) % COLUMNS
    k, u, v = (j + 1) % COLUMNS, row - i, column - np.floor(column)
    return (radius[i, j] * (1 - u) + radius[i + 1, j] * u) * (1 - v) + (
        radius[i, k] * (1 - u) + radius[i + 1, k] * u
    ) * v


def dome(reach: np.ndarray, volume: np.ndarray | float, strands: float = 0.0, seed: int = 0) -> Mesh:
    """A cap on the head from the crown to the polar angle reach (COLUMNS,) in rad.

    volume: m above the skin, (DOME_ROWS, COLUMNS) or one number. strands: m of unevenness.
    """
    phi = _angles()[1]
    theta = np.linspace(0.02, 1, DOME_ROWS)[:, None] * reach
    angle = np.broadcast_to(phi, theta.shape)
    wave = np.sin(7 * angle + 2.1 * seed + theta) + np.sin(11 * angle + seed) + np.sin(5 * theta + seed)
    radius = skull_radius(theta, angle) + volume + strands * (wave / 3 + 1) * np.minimum(theta, 1)
    vertices = CENTRE + radius[..., None] * _rays(theta, angle)
    return vertices.reshape(-1, 3), grid_faces(DOME_ROWS, COLUMNS, closed=True)


def hairline(front: float, temple: float, nape: float) -> np.ndarray:
    """Polar angle (COLUMNS,) of the hair's edge at the forehead, beside the ears and at the nape."""
    phi = _angles()[1]
    side = np.abs(np.mod(phi + np.pi, 2 * np.pi) - np.pi)
    return np.interp(side, [0, 0.55, 1.0, 1.5, 2.1, np.pi], [front, front + 0.08, temple - 0.25, temple,
                                                             nape - 0.12, nape])  # fmt: skip


def curtain(length: float, fringe: float, volume: float, strands: float, seed: int) -> Mesh:
    """Hair that falls over the sides and the back down to y = length (m), open at the face.

    fringe: half the angle (rad) left open.
    """
    phi = np.linspace(fringe, 2 * np.pi - fringe, COLUMNS)
    start = np.full(COLUMNS, 1.45)
    radius = (skull_radius(start, phi) + volume) * np.sin(start)
    top = CENTRE[1] - radius * np.cos(start) / np.sin(start)
    rows = max(6, int((length - CENTRE[1]) / 0.03))
    vertices = []
    for share in np.linspace(-0.06, 1, rows):
        y = top + share * (length + 0.012 * np.sin(9 * phi + seed) - top)
        wave = np.sin(8 * phi + seed + 2 * share) + np.sin(13 * phi + 2 * seed)
        r = radius * (1 - 0.12 * np.clip(share, 0, 1)) + strands * share * (wave / 2 + 1)
        x, z = r * np.sin(phi), CENTRE[2] - r * np.cos(phi)
        # On the shoulders and the back it lies on the body's outline.
        below = np.clip((y + 0.60) / 0.05, 0, 1)
        about = np.arctan2(x, -0.01 - z)
        floor = np.minimum(outline(np.maximum(y, -0.55), about) + 0.02, 0.17) * below
        now = np.hypot(x, z + 0.01)
        factor = np.maximum(now, floor) / np.maximum(now, 1e-6)
        vertices.append(np.stack([x * factor, y, -0.01 + (z + 0.01) * factor], 1))
    return np.concatenate(vertices), grid_faces(rows, COLUMNS, closed=False)


def tube(path: np.ndarray, radii: np.ndarray, sides: int = 10, squash: float = 1.0) -> Mesh:
    """A tube of those radii (P,) along a path (P, 3), closed at its ends if the radii vanish there."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    reference = np.array([1.0, 0, 0]) if np.abs(along[:, 0]).max() < 0.9 else np.array([0, 0, 1.0])
    first = np.cross(along, reference)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(angle)[:, None] * first[:, None] * squash + np.sin(angle)[:, None] * second[:, None]
    vertices = path[:, None] + radii[:, None, None] * ring
    return vertices.reshape(-1, 3), outward(vertices.reshape(-1, 3), grid_faces(len(path), sides, True))


def blob(centre: np.ndarray, size: np.ndarray, roundness: float = 2.0) -> Mesh:
    """A closed superellipsoid of half axes size (3,); roundness 2 is an ellipsoid, more a box."""
    rows, columns = 10, 16
    theta, phi = np.linspace(0.01, np.pi - 0.01, rows)[:, None], np.arange(columns) * 2 * np.pi / columns
    rays = _rays(theta, phi[None])
    norm = (np.abs(rays) ** roundness).sum(-1, keepdims=True) ** (1 / roundness)
    vertices = (centre + rays / norm * size).reshape(-1, 3)
    return vertices, grid_faces(rows, columns, closed=True)


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The faces of a closed mesh, turned so that its volume is positive."""
    a, b, c = (vertices[faces[:, i]] - vertices.mean(0) for i in range(3))
    return faces if np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0 else faces[:, ::-1]


def hair(name: str, *meshes: Mesh, gender: float | None = None) -> Garment:
    """Hair, seen from both sides."""
    none = np.zeros(0, int)
    return fit(name, "hair", *joined(*meshes), two_sided="all", near=HAIR_PARTS, covered=none, gender=gender)


def _long(name: str, length: float, fringe: float, volume: float, strands: float, seed: int) -> Garment:
    cap = dome(hairline(0.95, 1.55, 1.6), volume, 0.3 * strands, seed)
    return hair(name, cap, curtain(length, fringe, volume, strands, seed), gender=1.0)


def _tied(name: str, length: float, height: float, gender: float | None = 1.0) -> Garment:
    cap = dome(hairline(0.9, 1.35, 2.0), 0.006, 0.004, 3)
    steps = np.linspace(0, 1, 9)[:, None]
    start = np.array([0, height, 0.03])
    path = start + steps * [0, length, 0.02] + np.sin(np.pi * np.minimum(1.6 * steps, 1)) * [0, -0.02, 0.05]
    radii = 0.036 * np.sin(np.pi * (0.12 + 0.86 * steps[:, 0])) ** 0.7
    return hair(name, cap, tube(path, radii), gender=gender)


def _bun(name: str, centre: tuple[float, float, float], size: float) -> Garment:
    cap = dome(hairline(0.88, 1.3, 1.95), 0.006, 0.003, 5)
    return hair(name, cap, blob(np.array(centre), np.full(3, size)), gender=1.0)


def _short(name: str, volume: float, strands: float, front: float, nape: float, seed: int) -> Garment:
    rows = np.linspace(1.3, 0.4, DOME_ROWS)[:, None] * volume
    mesh = dome(hairline(front, 1.35, nape), np.broadcast_to(rows, (DOME_ROWS, COLUMNS)), strands, seed)
    return hair(name, mesh, gender=0.0 if volume < 0.02 else None)


def _hat(name: str, reach: float, volume: float, brim: float, droop: float, visor: bool) -> Garment:
    """A crown on the head and a brim round it (or only in front)."""
    phi = _angles()[1]
    edge = np.full(COLUMNS, reach) + 0.28 * (1 - np.cos(phi)) / 2
    crown = dome(edge, volume)
    meshes = [crown]
    if brim:
        rim = crown[0][-COLUMNS:]
        out = rim - CENTRE
        out[:, 1] = 0
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        width = brim * (np.clip(np.cos(phi) / 0.6 - 0.66, 0, 1) ** 0.6 if visor else np.ones(COLUMNS))
        rings = [rim + s * width[:, None] * out + [0, droop * s, 0] for s in np.linspace(0, 1, 4)]
        meshes.append((np.concatenate(rings), grid_faces(4, COLUMNS, closed=True)))
    vertices, faces = joined(*meshes)
    r, body = regions(), rest_body()
    hidden = np.flatnonzero(r.head & (body.vertices[:, 1] < rim_height(crown) - 0.015))
    return fit(name, "hat", vertices, faces, rigid="head", two_sided="all", near=HEAD_PARTS, covered=hidden)


def rim_height(mesh: Mesh) -> float:
    """y (m) of the highest point of a dome's edge."""
    return float(mesh[0][-COLUMNS:, 1].min())


STRAP_ROOM = np.array([0.0, 0.012, 0.018])
"""m. Straps lie over a shirt."""


def _strap(side: float) -> Mesh:
    """A backpack's strap from the shoulder blade over the shoulder to below the armpit."""
    path = np.array([[0.07, -0.47, 0.115], [0.075, -0.53, 0.08], [0.08, -0.565, 0.0], [0.085, -0.53, -0.085],
                     [0.095, -0.44, -0.15], [0.115, -0.35, -0.14], [0.15, -0.28, -0.06], [0.14, -0.25, 0.06],
                     [0.08, -0.22, 0.11]])  # fmt: skip
    return tube(
        _smooth_path((path + STRAP_ROOM * np.sign(path)) * [side, 1, 1]), np.full(28, 0.018), 6, squash=0.35
    )


def _smooth_path(points: np.ndarray) -> np.ndarray:
    return make_interp_spline(np.linspace(0, 1, len(points)), points, 2)(np.linspace(0, 1, 28))


def _bag(
    name: str,
    *meshes: Mesh,
    rigid: str | None = None,
    near: tuple[int, ...] = (1, 2),
    hook: np.ndarray | None = None,
) -> Garment:
    none = np.zeros(0, int)
    return fit(name, "bag", *joined(*meshes), rigid=rigid, near=near, covered=none, parts=False, hook=hook)


def _backpack(name: str, size: tuple[float, float, float]) -> Garment:
    box = blob(np.array([0, -0.33, 0.09 + size[2]]), np.array(size), 4)
    return _bag(name, box, _strap(1), _strap(-1), rigid="spine02")


def _crossbody(name: str, side: float, size: tuple[float, float, float]) -> Garment:
    angle = np.linspace(0, 2 * np.pi, 40)
    height = -0.30 - 0.27 * np.cos(angle)
    # The strap runs in a tilted ring: high on one shoulder, low on the other hip.
    lean = -side * np.cos(angle)
    direction = np.arctan2(lean, -np.sin(angle))
    radius = outline(np.maximum(height, -0.54), direction) + 0.03
    radius = np.where(height < -0.52, np.minimum(radius, 0.095), radius)
    path = np.stack([radius * np.sin(direction), height, -0.01 - radius * np.cos(direction)], 1)
    box = blob(np.array([side * (0.19 + size[0]), -0.0, 0.0]), np.array(size), 4)
    return _bag(name, box, tube(path, np.full(40, 0.014), 6, squash=0.4),
                near=(1, 2, 7, 8, 9, 10))  # fmt: skip


def _handbag(name: str, letter: str, size: tuple[float, float, float]) -> Garment:
    palm = rest_body().heads[f"finger3-1.{letter}"]
    arc = np.linspace(0, np.pi, 9)
    handle = np.stack([0 * arc, -0.11 * np.sin(arc), 0.6 * size[2] * np.cos(arc)], 1)
    hang = palm + np.array([0.0, 0.14, -0.01])
    box = blob(hang + np.array([0, size[1], 0]), np.array(size), 5)
    return _bag(
        name, box, tube(hang + handle, np.full(9, 0.008), 6), rigid=f"wrist.{letter}", near=(3, 4), hook=palm
    )


def _scarf(name: str, width: float, tail: float) -> Garment:
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = np.stack([0.074 * np.sin(angle), -0.60 + 0.012 * np.cos(2 * angle) - 0.02 * np.cos(angle + np.pi),
                     -0.022 - 0.078 * np.cos(angle)], 1)  # fmt: skip
    meshes = [tube(ring, np.full(25, width), 10)]
    if tail:
        steps = np.linspace(0, 1, 9)[:, None]
        front = np.array([0.03, -0.57, -0.13]) + steps * [0.01, tail, 0] + np.sin(steps * 3) * [0, 0, -0.055]
        meshes.append(tube(front, np.full(9, 0.035), 8, squash=0.3))
    none = np.zeros(0, int)
    return fit(name, "bag", *joined(*meshes), near=HAIR_PARTS, covered=none)


STYLES: dict[str, Callable[[str], Garment]] = {
    "hair:bob": lambda n: _long(n, -0.62, 0.95, 0.016, 0.008, 1),
    "hair:long-bob": lambda n: _long(n, -0.55, 0.85, 0.018, 0.01, 2),
    "hair:shoulder": lambda n: _long(n, -0.47, 0.8, 0.014, 0.012, 3),
    "hair:long": lambda n: _long(n, -0.32, 0.85, 0.016, 0.014, 4),
    "hair:very-long": lambda n: _long(n, -0.16, 1.0, 0.013, 0.012, 5),
    "hair:curly-long": lambda n: _long(n, -0.45, 0.8, 0.034, 0.03, 6),
    "hair:ponytail": lambda n: _tied(n, 0.24, -0.80),
    "hair:low-ponytail": lambda n: _tied(n, 0.28, -0.72, None),
    "hair:high-bun": lambda n: _bun(n, (0, -0.87, 0.0), 0.045),
    "hair:low-bun": lambda n: _bun(n, (0, -0.74, 0.07), 0.04),
    "hair:afro": lambda n: _short(n, 0.07, 0.012, 0.95, 2.15, 7),
    "hair:curls": lambda n: _short(n, 0.035, 0.012, 0.9, 2.15, 8),
    "hair:crop": lambda n: _short(n, 0.012, 0.005, 0.92, 2.1, 9),
    "hair:quiff": lambda n: _short(n, 0.019, 0.014, 0.85, 2.1, 10),
    "hat:cap": lambda n: _hat(n, 1.12, 0.024, 0.075, 0.015, True),
    "hat:beanie": lambda n: _hat(n, 1.35, 0.024, 0.0, 0.0, False),
    "hat:sun": lambda n: _hat(n, 1.12, 0.028, 0.11, 0.025, False),
    "hat:bucket": lambda n: _hat(n, 1.1, 0.028, 0.045, 0.04, False),
    "bag:backpack": lambda n: _backpack(n, (0.13, 0.19, 0.075)),
    "bag:rucksack": lambda n: _backpack(n, (0.15, 0.25, 0.11)),
    "bag:crossbody": lambda n: _crossbody(n, 1, (0.05, 0.1, 0.13)),
    "bag:messenger": lambda n: _crossbody(n, -1, (0.045, 0.12, 0.16)),
    "bag:handbag": lambda n: _handbag(n, "L", (0.045, 0.09, 0.13)),
    "bag:shopper": lambda n: _handbag(n, "R", (0.05, 0.16, 0.15)),
    "bag:scarf": lambda n: _scarf(n, 0.032, 0.3),
    "bag:snood": lambda n: _scarf(n, 0.042, 0.0),
}
"""Every style by its name, made when called with it."""
