"""Posed, shaped and dressed hands with what they hold, each as one mesh ready to be drawn."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from hmnet.body.hand import SHAPES, hand_template, load_hand
from hmnet.data.synthetic.hands.contact import hand_pose
from hmnet.data.synthetic.hands.hand_look import SLEEVE, arm_faces, dress_hand, hand_regions
from hmnet.data.synthetic.hands.hand_poses import GRASPED, HandPose
from hmnet.data.synthetic.hands.hand_view import EGOCENTRIC, forearm_directions, sample_arm, turned_hand
from hmnet.data.synthetic.hands.held import Thing, held_thing, thing_before
from hmnet.data.synthetic.people.person import Surface
from hmnet.data.synthetic.shading import openness, smooth_normals

ENLARGED = 8
"""The light that reaches between fingers is worked out at bodies' scale, to which a hand is enlarged."""
SHADE = 0.5
"""How dark a surface gets that lies wholly between others."""
HOLDS = 0.85
"""How often a grasp holds something."""
LARGEST = 2.5
"""Deviations of shape at most."""


@dataclass(frozen=True)
class RenderedHand:
    """One posed and dressed right hand.

    template: (778, 3) m and joints: (21, 3) m, wrist-relative, frame of the viewing ray: what the network
    must predict. surface: what is drawn: hand, arm, things. own_faces: how many of its faces, from the first
    on, are the hand's and the arm's. egocentric: seen by its owner. holding, sleeved: whether it is so.
    """

    template: np.ndarray
    joints: np.ndarray
    surface: Surface
    own_faces: int
    kind: str
    egocentric: bool
    holding: bool
    sleeved: bool


def model_hands(
    poses: list[HandPose], generator: np.random.Generator, test: bool = False, occluded: float = 0.12
) -> Iterator[RenderedHand]:
    """Hands in those poses, one after the other, of any shape, seen from somewhere.

    test: with skin tones of the test split. occluded: how often something is before a hand.
    """
    hand, regress = load_hand(), hand_template().regress_joints
    count = len(poses)
    shape = torch.from_numpy(generator.normal(0, 1, (count, SHAPES)).clip(-LARGEST, LARGEST)).float()
    arm = torch.from_numpy(sample_arm(generator, count)).float()
    pose = torch.from_numpy(hand_pose(np.stack([pose.angles for pose in poses]))).float()
    with torch.inference_mode():
        posed = hand.pose(pose, shape, arm, "arm").vertices.numpy()
    forearms = forearm_directions(arm.numpy())
    for index, given in enumerate(poses):
        egocentric = bool(generator.random() < EGOCENTRIC)
        turn = turned_hand(forearms[index], egocentric, generator)
        vertices = (posed[index] @ turn.T).astype(np.float32)
        template = torch.from_numpy(vertices[hand.subset.numpy()])
        joints = regress(template)
        root, joints = joints[0].numpy(), (joints - joints[0]).numpy()
        vertices = vertices - root
        things = _things(given.kind, joints, vertices, generator, occluded)
        surface, sleeved = _surface(vertices, [thing for thing in things if thing], generator, test)
        yield RenderedHand(
            template.numpy() - root, joints, surface, len(arm_faces()), given.kind, egocentric,
            things[0] is not None, sleeved,
        )  # fmt: skip


def _things(kind, joints, vertices, generator, occluded) -> tuple[Thing | None, Thing | None]:
    """What the hand holds, and what is before it."""
    skin = vertices[: hand_template().upsampling.shape[0]]
    form = next((form for form, name in GRASPED.items() if name == kind), None)
    held = held_thing(form, joints, skin, generator) if form and generator.random() < HOLDS else None
    return held, thing_before(skin, generator) if generator.random() < occluded else None


def _surface(vertices, things: list[Thing], generator, test: bool) -> tuple[Surface, bool]:
    """One mesh of arm (V, 3) and things; and whether the arm wears a sleeve."""
    outfit, faces = dress_hand(generator, test), arm_faces()
    arm = vertices + outfit.offset[:, None] * smooth_normals(vertices, faces)
    parts = np.zeros(len(faces), np.uint8)
    hand_parts = hand_template().full_face_parts.numpy()
    parts[: len(hand_parts)] = hand_parts
    parts[(outfit.cloth[faces] >= SLEEVE).all(1) & (hand_regions().reach[faces] > -0.02).all(1)] = 0
    layers = [(arm, faces, parts, hand_regions().rest, outfit.albedo, outfit.cloth, outfit.seams)]
    patterns, count = list(outfit.patterns), len(arm)
    for thing in things:
        size = len(thing.vertices)
        albedo = np.tile(thing.albedo, (size, 1))
        layers.append(
            (thing.vertices, thing.faces + count, np.zeros(len(thing.faces), np.uint8), thing.rest, albedo,
             np.full(size, len(patterns), np.int32), np.ones(size, np.float32))
        )  # fmt: skip
        patterns.append(thing.pattern)
        count += size
    vertices, faces, parts, rest, albedo, cloth, seams = (
        np.concatenate(a) for a in zip(*layers, strict=True)
    )
    vertices = vertices.astype(np.float32)
    normals = smooth_normals(vertices, faces)
    shaded = 1 - SHADE * (1 - openness(ENLARGED * vertices, normals, faces))
    surface = Surface(
        vertices=vertices, normals=normals, faces=faces.astype(np.int32), face_parts=parts, rest=rest,
        albedo=(albedo * shaded[:, None]).astype(np.float32), cloth=cloth.astype(np.int32),
        patterns=np.stack(patterns).astype(np.float32), seams=seams.astype(np.float32),
    )  # fmt: skip
    return surface, outfit.sleeved
