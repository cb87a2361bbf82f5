"""People: bodies of all shapes in given poses, seen from somewhere, with what they wear.

Vertices are given in the frame of the viewing ray through the body's root, so that what the network must
predict is how the person looks from where the camera stands, wherever the person is in the frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from hmnet.body.bake import JOINT_BONES
from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.appearance import dress
from hmnet.data.synthetic.shading import smooth_normals


@dataclass(frozen=True)
class Surface:
    """Everything of a person that is drawn: body, clothes, hair; N vertices, F triangles.

    vertices: (N, 3) float32 m, root-relative, frame of the viewing ray. normals: (N, 3) unit, outwards.
    faces: (F, 3) int32. face_parts: (F,) uint8 part ids, 0 for what is no part of the body (a bag).
    rest: (N, 3) m, where patterns are laid out. albedo: (N, 3) linear RGB. cloth: (N,) int32 row of
    patterns. patterns: (P, 8) as `hmnet.data.synthetic.shading.shade` takes them.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    face_parts: np.ndarray
    rest: np.ndarray
    albedo: np.ndarray
    cloth: np.ndarray
    patterns: np.ndarray


@dataclass(frozen=True)
class Person:
    """One posed and dressed person.

    template: (V, 3) m and joints: (J, 3) m, root-relative, frame of the viewing ray: what the network
    must predict. up: (3,) unit, where up is for that person, same frame. kind: the pose's kind, a key of
    `hmnet.data.synthetic.poses.KIND_SHARES`. surface: what is drawn.
    """

    template: np.ndarray
    joints: np.ndarray
    up: np.ndarray
    kind: str
    surface: Surface


def populate(poses: np.ndarray, kinds: np.ndarray, generator: np.random.Generator) -> Iterator[Person]:
    """People in the poses (B, 24, 3) of those kinds (B,), one after the other."""
    posed = bodies(poses, generator)
    for index, kind in enumerate(kinds):
        yield Person(
            template=posed["template"][index],
            joints=posed["joints"][index],
            up=posed["up"][index],
            kind=str(kind),
            surface=_dressed(posed["full"][index], generator),
        )


def _dressed(full: np.ndarray, generator: np.random.Generator) -> Surface:
    """A body's full surface (U, 3) with a random outfit."""
    body, parts = load_anny(), load_body().full_face_parts
    faces = body.arrays["full.faces"].numpy()
    outfit = dress(generator)
    clothed = full + outfit.offset[:, None] * smooth_normals(full, faces)
    return Surface(
        vertices=clothed,
        normals=smooth_normals(clothed, faces),
        faces=faces,
        face_parts=parts.numpy().astype(np.uint8),
        rest=body.arrays["full.vertices"].numpy(),
        albedo=outfit.albedo,
        cloth=outfit.cloth,
        patterns=outfit.patterns,
    )


def bodies(poses: np.ndarray, generator: np.random.Generator, full: bool = True) -> dict[str, np.ndarray]:
    """Pose and shape a batch: poses (B, 24, 3), axis-angle a main bone, to meshes in the camera frame.

    Returns "template" (B, V, 3), "joints" (B, J, 3), "up" (B, 3) and, unless it is not wanted, "full"
    (B, U, 3); metres, root-relative.
    """
    body = load_anny()
    count = len(poses)
    rotations = np.tile(np.eye(3), (count, len(body.bone_names), 1, 1))
    for index, bone in enumerate(JOINT_BONES.values()):
        rotations[:, body.bone_names.index(bone)] = Rotation.from_rotvec(poses[:, index]).as_matrix()
    _curl_fingers(rotations, body, generator)
    view = _view_rotations(count, generator)
    rotations[:, 0] = view @ rotations[:, 0]
    rotations = torch.as_tensor(rotations, dtype=torch.float32)
    phenotypes = torch.as_tensor(_phenotypes(count, generator), dtype=torch.float32)
    with torch.inference_mode():
        template = body.pose(phenotypes, rotations, "template").vertices
        joints = load_body().regress_joints(template)
        root = joints[:, :1]
        posed = {"template": (template - root).numpy(), "joints": (joints - root).numpy()}
        posed["up"] = -view[:, :, 1]
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
