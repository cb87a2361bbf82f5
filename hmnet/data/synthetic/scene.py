"""One synthetic photograph: a posed and dressed body before a camera, in front of something.

Vertices are given in the frame of the viewing ray through the body's root, so that what the network must
predict is how the person looks from where the camera stands, wherever the person is in the frame.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from hmnet.data.synthetic.people import Person
from hmnet.data.synthetic.raster import labels_of, rasterise
from hmnet.data.synthetic.shading import shade

SIZE = 256
SLICES = ("truncated", "occluded", "crowded", "seated", "from behind")
"""What makes a picture hard, each marked on the samples it is true of."""


@dataclass(frozen=True)
class Sample:
    """One training image, square, SIZE px a side unless its scenery says otherwise.

    image: (H, W, 3) uint8. part_map: (H, W) uint8. vertices: (V, 3) m, root-relative, frame of the viewing
    ray. joints: (J, 3) likewise. camera: (3,) weak perspective s (px/m), tx, ty (m). box: (4,) xyxy px of
    the visible body. kind: the pose's kind. tags: which of SLICES the picture belongs to.
    """

    image: np.ndarray
    part_map: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    camera: np.ndarray
    box: np.ndarray
    kind: str
    tags: tuple[str, ...]


@dataclass
class Scenery:
    """What stands behind and before the person: photographs when given, else arithmetic; passers-by."""

    backgrounds: list[np.ndarray]
    passers_by: list[np.ndarray] = field(default_factory=list)
    size: int = SIZE
    occluded: float = 0.35

    @classmethod
    def load(cls, folder: Path | None) -> "Scenery":
        """Photographs of a folder (JPEG or PNG), decoded once a process."""
        return cls(list(_photographs(folder)) if folder else [])


@lru_cache(maxsize=1)
def _photographs(folder: Path) -> tuple[np.ndarray, ...]:
    files = sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png"))
    return tuple(np.asarray(Image.open(path).convert("RGB")) for path in files)


def photograph(person: Person, scenery: Scenery, generator: np.random.Generator) -> Sample | None:
    """Light and photograph one person; None when too little of them would be seen."""
    surface, size = person.surface, scenery.size
    scale, centre, distance = _camera(surface.vertices, generator, size)
    zoom = 2
    points, depths = _project(surface.vertices, scale * zoom, centre * zoom, distance)
    face_index, weights, _ = rasterise(points, depths, surface.faces, size * zoom, size * zoom)
    lights, ambient = _lights(generator)
    lit = shade(
        face_index, weights, surface.faces, surface.normals, surface.rest, surface.albedo, surface.cloth,
        surface.patterns, lights, ambient,
    )  # fmt: skip
    covered = (face_index >= 0).astype(np.float32)
    lit = _halve(lit)
    alpha = _halve(covered[..., None])
    part_map = labels_of(face_index[::2, ::2], surface.face_parts)
    if np.count_nonzero(part_map) < 0.012 * size * size:
        return None
    seen = np.count_nonzero(part_map)
    picture = _background(scenery, generator)
    picture = _contact_shadow(picture, part_map, generator)
    if scenery.passers_by and generator.random() < 0.2:
        picture = _passer_by(picture, scenery, generator, part_map, behind=True)
    cutout = np.concatenate([lit, alpha], -1)
    picture = cutout[..., :3] + (1 - alpha) * picture
    if scenery.passers_by and generator.random() < 0.05:
        picture, part_map = _passer_by(picture, scenery, generator, part_map, behind=False)
    if generator.random() < scenery.occluded:
        picture, part_map = _occlude(picture, part_map, scenery, generator)
    if np.count_nonzero(part_map) < 0.35 * seen:
        return None
    if len(scenery.passers_by) < 24:
        scenery.passers_by.append(cutout.astype(np.float16))
    else:
        scenery.passers_by[generator.integers(24)] = cutout.astype(np.float16)
    rows, columns = np.nonzero(part_map)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    camera = np.array([scale / distance, *(centre * distance / scale)], np.float32)
    return Sample(
        _develop(picture, generator), part_map, person.template, person.joints, camera, box, person.kind, ()
    )


def _camera(full: np.ndarray, generator: np.random.Generator, size: int) -> tuple[float, np.ndarray, float]:
    """Focal length (px), principal point (px) and distance (m): near or far, close-up or small."""
    distance = np.exp(generator.uniform(np.log(1.8), np.log(9)))
    distance = max(distance, 0.6 - full[:, 2].min())
    flat = full[:, :2] / (full[:, 2:] + distance)
    low, high = flat.min(0), flat.max(0)
    extent = (high - low).max()
    share = generator.beta(3, 1.1) * 0.62 + 0.36
    kind = generator.random()
    middle = (low + high) / 2
    if kind < 0.13:
        # Cut by the frame: the upper body, or whatever a close-up leaves.
        share = generator.uniform(1.05, 1.9)
        middle = low + (high - low) * [0.5, generator.uniform(0.25, 0.5)]
    focal = share * size / extent
    room = max(0.5 * (1 - share) * size, 0.06 * size)
    shift = generator.uniform(-1, 1, 2) * room
    return focal, size / 2 - middle * focal + shift, distance


def _project(vertices, focal, centre, distance) -> tuple[np.ndarray, np.ndarray]:
    depth = vertices[:, 2] + distance
    points = vertices[:, :2] / depth[:, None] * focal + centre
    return points.astype(np.float32), depth.astype(np.float32)


def _lights(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One to three lights and an ambient sky and ground, in linear RGB."""
    count = generator.integers(1, 4)
    lights = np.zeros((count, 7))
    for light in lights:
        direction = np.array(
            [generator.normal(0, 0.8), -abs(generator.normal(0.5, 0.6)), -abs(generator.normal(0.3, 0.7))]
        )
        light[:3] = direction / np.linalg.norm(direction)
        warmth = generator.normal(0, 0.12)
        light[3:6] = generator.uniform(0.15, 1.0) * np.array([1 + warmth, 1, 1 - warmth])
        light[6] = generator.uniform(0, 0.5)
    ambient = generator.uniform(0.12, 0.6) * np.array([[1.0, 1.0, 1.0], [0.6, 0.58, 0.55]])
    ambient *= 1 + generator.normal(0, 0.06, (2, 3))
    brightest = lights[:, 3:6].max() + ambient.max()
    exposure = generator.uniform(0.55, 1.25) / brightest
    lights[:, 3:6] *= exposure
    return lights.astype(np.float32), (ambient * exposure).astype(np.float32)


def _halve(picture: np.ndarray) -> np.ndarray:
    return (picture[::2, ::2] + picture[1::2, ::2] + picture[::2, 1::2] + picture[1::2, 1::2]) / 4


def _background(scenery: Scenery, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (S, S, 3)."""
    size = scenery.size
    if scenery.backgrounds and generator.random() < 0.8:
        photo = scenery.backgrounds[generator.integers(len(scenery.backgrounds))]
        height, width = photo.shape[:2]
        side = int(min(height, width) * generator.uniform(0.35, 1))
        top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
        crop = Image.fromarray(photo[top : top + side, left : left + side]).resize(
            (size, size), Image.BILINEAR
        )
        picture = np.asarray(crop, np.float32) / 255
        if generator.random() < 0.5:
            picture = picture[:, ::-1]
        if generator.random() < 0.3:
            picture = _blurred(picture, generator.uniform(0.5, 3))
        return picture**2.2 * generator.uniform(0.5, 1.3)
    return _room(generator, size)


def _room(generator: np.random.Generator, size: int) -> np.ndarray:
    """A wall, a floor and some furniture-like blocks, or a plain studio backdrop, linear RGB."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wall, floor = generator.uniform(0.02, 0.9, (2, 3)) ** generator.uniform(0.6, 2)
    if generator.random() < 0.6:
        wall[:] = wall.mean() + generator.normal(0, 0.03, 3)
    slope = generator.normal(0, 0.4, 2)
    shading = 1 + slope[0] * (x - 0.5) + slope[1] * (y - 0.5)
    picture = np.clip(wall, 0, 1) * shading[..., None]
    if generator.random() < 0.7:
        horizon = generator.uniform(0.45, 0.95) + generator.normal(0, 0.1) * (x - 0.5)
        picture = np.where((y > horizon)[..., None], np.clip(floor, 0, 1) * shading[..., None], picture)
    for _ in range(generator.integers(0, 9)):
        left, top = generator.uniform(-0.2, 1, 2)
        wide, tall = np.exp(generator.uniform(-3, -0.3, 2))
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + tall)
        picture[inside] = generator.uniform(0, 0.8, 3) * shading[inside][:, None]
    grain = generator.normal(0, generator.uniform(0, 0.06), (size // 4, size // 4)).repeat(4, 0).repeat(4, 1)
    picture = picture * (1 + grain[..., None])
    return np.clip(_blurred(np.clip(picture, 0, 1), generator.uniform(0.3, 2)), 0, 1)


def _blurred(picture: np.ndarray, radius: float) -> np.ndarray:
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def _contact_shadow(picture, part_map, generator) -> np.ndarray:
    """Darken the ground under the lowest part of the body."""
    if generator.random() < 0.3:
        return picture
    size = len(part_map)
    rows, columns = np.nonzero(part_map)
    bottom = rows.max()
    near = rows > bottom - 0.12 * size
    middle, spread = columns[near].mean(), columns[near].std() + 6
    y, x = np.mgrid[0:size, 0:size]
    drift = generator.normal(0, 0.8) * spread
    blob = ((x - middle - drift) / (1.8 * spread)) ** 2 + ((y - bottom) / (0.35 * spread + 3)) ** 2
    return picture * (1 - generator.uniform(0.2, 0.75) * np.exp(-1.5 * blob))[..., None]


def _passer_by(picture, scenery, generator, part_map, behind):
    """Another person from an earlier picture: smaller and aside when behind, cut by the frame when before."""
    frame = scenery.size
    cutout = scenery.passers_by[generator.integers(len(scenery.passers_by))].astype(np.float32)
    if generator.random() < 0.5:
        cutout = cutout[:, ::-1]
    size = int(frame * (generator.uniform(0.35, 0.85) if behind else generator.uniform(0.9, 1.4)))
    layers = [
        np.asarray(Image.fromarray(cutout[..., i]).resize((size, size), Image.BILINEAR)) for i in range(4)
    ]
    cutout = np.stack(layers, -1)
    left = int(generator.uniform(-0.5, 1) * frame) if behind else generator.choice([-1, 1]) * int(0.75 * size)
    left = left if behind else (frame - size) // 2 + left
    top = (
        int(generator.uniform(0, 0.6) * (frame - size))
        if behind
        else int(generator.uniform(-0.2, 0.3) * frame)
    )
    layer = np.zeros((frame, frame, 4), np.float32)
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + size, frame), min(left + size, frame)
    if y1 > y0 and x1 > x0:
        layer[y0:y1, x0:x1] = cutout[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = layer[..., 3:]
    picture = layer[..., :3] + (1 - alpha) * picture
    return picture if behind else (picture, np.where(alpha[..., 0] > 0.5, 0, part_map))


def _occlude(picture, part_map, scenery, generator):
    """Something in front: a block or a round thing of one colour or of a photograph."""
    size = scenery.size
    rows, columns = np.nonzero(part_map)
    pick = generator.integers(len(rows))
    y, x = np.mgrid[0:size, 0:size]
    dy, dx = y - rows[pick], x - columns[pick]
    angle = generator.uniform(0, np.pi)
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    a, b = np.exp(generator.uniform(np.log(0.03), np.log(0.22), 2)) * size
    inside = (
        (np.abs(u) < a) & (np.abs(v) < b) if generator.random() < 0.6 else (u / a) ** 2 + (v / b) ** 2 < 1
    )
    if generator.random() < 0.2:
        inside = dy > 0  # a table edge, a wall, the frame of another picture
    if np.count_nonzero(part_map[~inside]) < 0.4 * len(rows):
        return picture, part_map
    if generator.random() < 0.5:
        cover = _background(scenery, generator)
    else:
        cover = generator.uniform(0, 0.8, 3) * (1 + 0.3 * (u / size))[..., None]
    picture = np.where(inside[..., None], cover, picture)
    return picture, np.where(inside, 0, part_map).astype(np.uint8)


def _develop(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB to a uint8 photograph: tone, cast, blur, noise."""
    picture = np.clip(picture, 0, 1) ** (1 / 2.2)
    picture = (picture - 0.5) * generator.uniform(0.75, 1.25) + 0.5 + generator.normal(0, 0.05)
    picture = picture * (1 + generator.normal(0, 0.04, 3))
    if generator.random() < 0.5:
        picture = _blurred(picture, generator.uniform(0.2, 1.3))
    noise = generator.standard_normal(picture.shape, dtype=np.float32)
    picture = picture + noise * generator.uniform(0, 0.035)
    if generator.random() < 0.04:
        picture = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
