"""Things in hands: forms that just fit between the fingers of a grasp, and things that come before a hand."""

from dataclasses import dataclass

import numpy as np
import trimesh

from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES
from hmnet.data.synthetic.people.colours import BLOTCHES, COLUMNS, DOTS, PLAID, PLAIN, STRIPES
from hmnet.data.synthetic.scenes.furnishing import colour

LEAST_M, MOST_M = 0.0025, 0.05
"""Radii that a hand closes round; with less room than the least it holds nothing."""
GAP_M = 0.0005
TIPS = [HAND_JOINT_NAMES.index(f"{finger}_tip") for finger in FINGERS]
KNUCKLES = [HAND_JOINT_NAMES.index(f"{finger}1") for finger in FINGERS[1:]]
WRAPPED = [
    HAND_JOINT_NAMES.index(f"{finger}{place}") for finger in FINGERS[1:] for place in ("1", "2", "3", "_tip")
]


@dataclass(frozen=True)
class Thing:
    """A closed mesh with its look.

    vertices: (N, 3) m and faces: (F, 3) int32, in the hand's frame. rest: (N, 3) m, where its pattern is laid
    out. albedo: (3,) linear RGB. pattern: (COLUMNS,) as `hmnet.data.synthetic.shading.shade` takes it.
    """

    vertices: np.ndarray
    faces: np.ndarray
    rest: np.ndarray
    albedo: np.ndarray
    pattern: np.ndarray


def held_thing(
    form: str, joints: np.ndarray, skin: np.ndarray, generator: np.random.Generator
) -> Thing | None:
    """A "cylinder", "sphere" or "box" for a hand's joints (21, 3) and skin (U, 3), m; None without room."""
    placed = {"cylinder": _cylinder, "sphere": _sphere, "box": _box}[form](joints, skin, generator)
    return None if placed is None else _thing(*placed, generator)


def thing_before(points: np.ndarray, generator: np.random.Generator) -> Thing:
    """A bar, a board or a ball between the camera and a hand's points (U, 3), m, over a part of them."""
    low, high = points.min(0), points.max(0)
    middle = low + generator.uniform(0.1, 0.9, 3) * (high - low)
    middle[2] = low[2] - generator.uniform(0.01, 0.06)
    kind = generator.integers(3)
    if kind == 0:
        mesh = trimesh.creation.cylinder(
            generator.uniform(0.004, 0.02), generator.uniform(0.15, 0.6), sections=32
        )
    elif kind == 1:
        mesh = trimesh.creation.box(generator.uniform([0.02, 0.05, 0.002], [0.07, 0.3, 0.02]))
    else:
        mesh = trimesh.creation.icosphere(3, generator.uniform(0.015, 0.04))
    return _thing(
        mesh, trimesh.transformations.random_rotation_matrix(generator.random(3))[:3, :3], middle, generator
    )


def _thing(mesh: trimesh.Trimesh, axes: np.ndarray, middle: np.ndarray, generator) -> Thing:
    """The mesh turned by axes (3, 3), whose columns are its own axes, and put at the middle (3,)."""
    # Flat sides stay flat when normals are averaged at vertices that they do not share.
    faceted = mesh.metadata.get("shape") == "box"
    rest = mesh.vertices[mesh.faces].reshape(-1, 3) if faceted else np.asarray(mesh.vertices)
    faces = np.arange(len(rest)).reshape(-1, 3) if faceted else np.asarray(mesh.faces)
    row = np.zeros(COLUMNS)
    row[0] = generator.choice([PLAIN, STRIPES, PLAID, BLOTCHES, DOTS], p=[0.5, 0.17, 0.08, 0.17, 0.08])
    row[1] = np.exp(generator.uniform(np.log(15), np.log(120)))
    row[2:5] = np.eye(3)[generator.integers(3)]
    row[5], row[6], row[12] = generator.uniform(0.4, 1), generator.exponential(0.1), generator.uniform(6, 40)
    row[8:11], row[13] = colour(generator), generator.uniform(0, 100)
    vertices = rest @ axes.T + middle
    return Thing(vertices.astype(np.float32), faces.astype(np.int32), rest, colour(generator), row)


def _cylinder(joints, skin, generator):
    axis = _unit(joints[KNUCKLES[0]] - joints[KNUCKLES[-1]] + 0.1 * _span(joints) * generator.normal(0, 1, 3))
    flat = np.linalg.svd(axis[None])[2][1:]
    # The circle that a finger follows, on average.
    chain = joints[WRAPPED].reshape(4, 4, 3).mean(0) @ flat.T
    circle = np.linalg.lstsq(np.column_stack([2 * chain, np.ones(4)]), (chain**2).sum(1), rcond=None)[0]
    across = joints[WRAPPED].mean(0) @ axis
    middle = circle[:2] @ flat + across * axis
    near = skin[np.abs((skin - middle) @ axis) < 0.06]
    steps = np.linspace(-0.016, 0.016, 9)
    tried = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    found = _roomiest(tried, (near - middle) @ flat.T)
    if found is None:
        return None
    place, radius = found
    length = max(generator.uniform(0.09, 0.26), 3 * radius)
    middle = middle + place @ flat + axis * generator.uniform(-0.3, 0.3) * (length - 0.08)
    mesh = trimesh.creation.cylinder(radius, length, sections=40)
    return mesh, trimesh.geometry.align_vectors([0, 0, 1], axis)[:3, :3], middle


def _sphere(joints, skin, generator):
    middle = (joints[TIPS].mean(0) + joints[WRAPPED].mean(0)) / 2
    steps = np.linspace(-0.024, 0.024, 7)
    tried = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    found = _roomiest(tried, skin[::3] - middle)
    if found is None:
        return None
    place, radius = found
    turned = trimesh.transformations.random_rotation_matrix(generator.random(3))[:3, :3]
    return trimesh.creation.icosphere(3, radius), turned, middle + place


def _roomiest(tried: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The place (D,) among those tried (T, D) farthest from the points (N, D), and how far, m."""
    room = np.linalg.norm(tried[:, None] - points, axis=-1).min(1)
    # A little dearer with the distance, so that a thing stays in the hand.
    best = (room - 0.3 * np.linalg.norm(tried, axis=1)).argmax()
    radius = min(room[best] - GAP_M, MOST_M)
    return None if radius < LEAST_M else (tried[best], float(radius))


def _box(joints, skin, generator):
    thumb, tips = joints[TIPS[0]], joints[TIPS[1:3]].mean(0)
    across = _unit(tips - thumb)
    middle, palm = (thumb + tips) / 2, joints[KNUCKLES].mean(0)
    outwards = middle - palm
    outwards = _unit(outwards - across * (outwards @ across))
    aside = np.cross(across, outwards)
    local = (skin - middle) @ np.column_stack([across, outwards, aside])
    # Between the pads: what lies there on either side of the middle bounds the thing.
    pads = local[(np.abs(local[:, 1]) < 0.02) & (np.abs(local[:, 2]) < 0.025)]
    below, over = pads[pads[:, 0] < 0, 0], pads[pads[:, 0] >= 0, 0]
    if not len(below) or not len(over):
        return None
    start, end = below.max(), over.min()
    thick = np.clip(end - start - 2 * GAP_M, 0.0012, MOST_M)
    deep, wide = generator.uniform(0.03, 0.16), generator.uniform(0.02, 0.12)
    centre = middle + across * (start + end) / 2 + outwards * (deep / 2 - generator.uniform(0.008, 0.02))
    centre = centre + aside * generator.normal(0, 0.2) * wide
    mesh = trimesh.creation.box([thick, deep, wide])
    return mesh, np.column_stack([across, outwards, aside]), centre


def _span(joints: np.ndarray) -> float:
    """m across the knuckles."""
    return float(np.linalg.norm(joints[KNUCKLES[0]] - joints[KNUCKLES[-1]]))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
