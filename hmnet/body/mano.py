"""MANO, the hand, from the user's own files: a template with 21 joints, and posing by `body-models`.

Source: Romero et al., Embodied Hands (SIGGRAPH Asia 2017). MANO's own frame is SMPL's: the hand of a person
who faces +z, y up, arms stretched out.
"""

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.body.licensed import LicensedBody, Posed, unchanged
from hmnet.body.smpl_files import bodies_folder, body_file, read_body_file
from hmnet.body.template import BodyTemplate, vertex_parts_of
from hmnet.errors import BodyError

FILE_JOINTS = ("wrist", *(f"{f}{n}" for f in ("index", "middle", "pinky", "ring", "thumb") for n in "123"))
"""MANO's own 16 joints in its order."""
TIP_VERTICES = {"thumb": 744, "index": 320, "middle": 443, "ring": 554, "pinky": 671}
"""The vertices at the finger tips, as the package smplx has them."""
TO_CAMERA = np.array([1.0, -1.0, -1.0])


class MANOBody(LicensedBody):
    """MANO of one side: 778 vertices, 16 joints, 10 shape coefficients."""

    @cached_property
    def model(self) -> torch.nn.Module:
        """`body_models.mano.torch.MANO` of these arrays; BodyError when the package is missing."""
        try:
            from body_models.mano.torch import MANO
        except ImportError as error:
            raise self._needs_package() from error
        return self._of_plain_arrays(MANO, flat_hand_mean=True)

    def pose(self, pose: Tensor, shape: Tensor | None = None) -> Posed:
        """Vertices (B, 778, 3) and joints (B, 16, 3), m, for pose (B, 48) in axis-angle form.

        The first three numbers turn the hand about its wrist, and nothing is flipped. All zeros are the flat
        hand: a pose given as the distance from MANO's mean pose needs `hand_mean` added. Joints are in the
        order of FILE_JOINTS. shape: (B, 10). Differentiable. Raises BodyError for other sizes.
        """
        pose, shape = self._checked(pose, shape)
        model = self.model.to(pose.device)
        identity = model.prepare_identity(shape)
        given = {"hand_pose": pose[:, 1:], "wrist_rotation": pose[:, 0], "identity": identity}
        return Posed(model.forward_vertices(**given), model.forward_skeleton(**given)[..., :3, 3])

    @property
    def hand_mean(self) -> Tensor:
        """(45,) MANO's mean pose of the fingers, axis-angle."""
        return torch.from_numpy(self.arrays["hands_mean"])


def load_mano(side: str = "right", folder: str | Path | None = None) -> MANOBody:
    """MANO from the user's file, kept for the process; folder: that of HMNET_BODIES by default.

    Raises BodyError when the side is unknown or the file missing or wrong: which, and where to get it.
    """
    if side not in ("right", "left"):
        raise BodyError(f"Unknown side {side!r} of MANO: choose right or left.")
    return _load_mano(side, bodies_folder(folder))


@lru_cache(maxsize=2)
@torch.inference_mode(False)
def _load_mano(side: str, folder: Path | None) -> MANOBody:
    key = f"mano-{side}"
    return MANOBody(key, read_body_file(key, body_file(key, folder)))


def mano_template(side: str = "right", folder: str | Path | None = None) -> BodyTemplate:
    """MANO's flat hand as a template of 778 vertices, the wrist at the origin; kept for the process.

    Its keypoints are its 21 joints, and its face parts those of `hand_names.HAND_PART_NAMES`. The mirror
    image of a right hand is a left one whose vertices are numbered alike, so `mirror` leaves all where they
    are: a flipped picture shows a hand of the other side. Raises BodyError as `load_mano` does.
    """
    return _template(load_mano(side, folder))


@lru_cache(maxsize=2)
@torch.inference_mode(False)
def _template(body: MANOBody) -> BodyTemplate:
    regressor = _joint_regressor(body)
    vertices = body.rest_vertices.double() * torch.from_numpy(TO_CAMERA)
    vertices = (vertices - regressor[HAND_JOINT_NAMES.index("wrist")].double() @ vertices).float()
    face_parts = _face_parts(body)
    everywhere = torch.arange(len(vertices))
    return BodyTemplate(
        name="mano",
        vertices=vertices,
        faces=body.faces,
        face_parts=face_parts,
        vertex_parts=vertex_parts_of(body.faces, face_parts, len(vertices)),
        joint_regressor=regressor.to_sparse(),
        joint_names=HAND_JOINT_NAMES,
        keypoint_regressor=regressor,
        keypoint_names=HAND_JOINT_NAMES,
        mirror=everywhere,
        upsampling=unchanged(len(vertices)),
        full_faces=body.faces,
        full_face_parts=face_parts,
        subset=everywhere,
    )


def _joint_regressor(body: MANOBody) -> Tensor:
    """(21, V): MANO's own rows, and one vertex a finger tip."""
    own = body.joint_regressor
    regressor = torch.zeros(len(HAND_JOINT_NAMES), own.shape[1])
    for row, name in enumerate(HAND_JOINT_NAMES):
        if name in FILE_JOINTS:
            regressor[row] = own[FILE_JOINTS.index(name)]
        else:
            regressor[row, TIP_VERTICES[name.removesuffix("_tip")]] = 1
    return regressor


def _face_parts(body: MANOBody) -> Tensor:
    """(F,) in 1..16: the part of the joint that moves a face most."""
    in_order = [FILE_JOINTS.index(name) for name in HAND_JOINT_NAMES if name in FILE_JOINTS]
    return body.skinning_weights[:, in_order][body.faces].sum(1).argmax(1) + 1
