"""SMPL from the user's own files, posed by the `body-models` package (an optional extra).

Source: Loper et al., SMPL: A Skinned Multi-Person Linear Model (SIGGRAPH Asia 2015), which the paper's
template, datasets and metrics are of. `hmnet.body.smpl_files` says where the files must lie.

SMPL's own frame is y up, a body at rest facing +z. `SMPLBody.pose` leaves that alone: its points are in the
frame that the pose's global rotation leads to, which in a dataset is mostly a camera's. The templates of
`hmnet.body.smpl_template` are in the frame of `hmnet.body` instead.
"""

import tempfile
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hmnet.body.smpl_files import BODY_FILES, SHAPES, bodies_folder, body_file, read_body_file
from hmnet.errors import BodyError

GENDERS = ("neutral", "male", "female")
JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand",
    "right_hand",
)  # fmt: skip
"""SMPL's 24 joints in its order."""


class Posed(NamedTuple):
    """vertices: (B, V, 3) m. joints: (B, J, 3) m, where the skeleton has them, not regressed."""

    vertices: Tensor
    joints: Tensor


class LicensedBody:
    """What SMPL and MANO have in common: J joints on a tree, blend shapes, and one surface.

    arrays: of `read_body_file`. key: of `hmnet.body.smpl_files.BODY_FILES`.
    """

    def __init__(self, key: str, arrays: dict[str, np.ndarray]):
        self.key, self.arrays = key, arrays

    @property
    def faces(self) -> Tensor:
        """(F, 3) int64."""
        return torch.from_numpy(self.arrays["f"])

    @property
    def rest_vertices(self) -> Tensor:
        """(V, 3) m, of the average shape in the body's own frame."""
        return torch.from_numpy(self.arrays["v_template"])

    @property
    def joint_regressor(self) -> Tensor:
        """(J, V), rows sum to 1."""
        regressor = torch.from_numpy(self.arrays["J_regressor"])
        return regressor / regressor.sum(1, keepdim=True)

    @property
    def skinning_weights(self) -> Tensor:
        """(V, J): how far each vertex goes with each joint."""
        return torch.from_numpy(self.arrays["weights"])

    def _checked(self, pose: Tensor, shape: Tensor | None) -> tuple[Tensor, Tensor]:
        """Pose (B, 3 J) as (B, J, 3), and shape (B, 10), the average one for None."""
        joints = BODY_FILES[self.key].joints
        pose = torch.as_tensor(pose, dtype=torch.float32)
        shape = pose.new_zeros(len(pose), SHAPES) if shape is None else shape
        shape = torch.as_tensor(shape, dtype=torch.float32)
        if pose.shape[1:] != (3 * joints,) or shape.shape != (len(pose), SHAPES):
            raise BodyError(
                f"Expected a pose (B, {3 * joints}) in axis-angle form and a shape (B, {SHAPES}), got "
                f"{tuple(pose.shape)} and {tuple(shape.shape)}: pass the parameters of one body a row."
            )
        return pose.unflatten(1, (joints, 3)), shape

    def _needs_package(self) -> BodyError:
        return BodyError(
            f"Posing {BODY_FILES[self.key].title} needs the package body-models (Python 3.11 or newer): "
            "pip install '.[licensed]' in this project's folder, or pip install body-models==0.26.2."
        )

    # Kept with the body, so training must be able to use what a first call under inference made.
    @torch.inference_mode(False)
    def _of_plain_arrays(self, model: Callable[..., torch.nn.Module], **options: bool) -> torch.nn.Module:
        """A model of `body-models`, which would execute a .pkl if it were given one: it gets the arrays."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "body.npz"
            np.savez(path, **self.arrays)
            return model(model_path=path, **options)


def unchanged(count: int) -> Tensor:
    """(V, V) sparse: the upsampling of a template that is the full surface itself."""
    everywhere = torch.arange(count)
    indices = torch.stack([everywhere, everywhere])
    return torch.sparse_coo_tensor(indices, torch.ones(count), check_invariants=True).coalesce()


class SMPLBody(LicensedBody):
    """SMPL of one gender: 6,890 vertices, 24 joints, 10 shape coefficients."""

    @cached_property
    def model(self) -> torch.nn.Module:
        """`body_models.smpl.torch.SMPL` of these arrays; BodyError when the package is missing."""
        try:
            from body_models.smpl.torch import SMPL
        except ImportError as error:
            raise self._needs_package() from error
        return self._of_plain_arrays(SMPL)

    def pose(self, pose: Tensor, shape: Tensor | None = None) -> Posed:
        """Vertices (B, 6890, 3) and joints (B, 24, 3), m, for pose (B, 72) in axis-angle form.

        The first three numbers of a pose turn the whole body about its pelvis; the points are in the frame
        that this rotation leads to, and nothing is flipped. The pelvis stays where the rest shape has it, not
        quite at the origin: a dataset's own translation is added to that. shape: (B, 10), the average one for
        None. Differentiable. Raises BodyError for other sizes.
        """
        pose, shape = self._checked(pose, shape)
        model = self.model.to(pose.device)
        identity = model.prepare_identity(shape)
        given = {"body_pose": pose[:, 1:], "pelvis_rotation": pose[:, 0], "identity": identity}
        return Posed(model.forward_vertices(**given), model.forward_skeleton(**given)[..., :3, 3])


def load_smpl(gender: str = "neutral", folder: str | Path | None = None) -> SMPLBody:
    """SMPL from the user's file, kept for the process; folder: that of HMNET_BODIES by default.

    Raises BodyError when the gender is unknown or the file missing or wrong: which, and where to get it.
    """
    if gender not in GENDERS:
        raise BodyError(f"Unknown gender {gender!r} of SMPL: choose one of {', '.join(GENDERS)}.")
    return _load_smpl(gender, bodies_folder(folder))


@lru_cache(maxsize=3)
# Kept for the whole process, so training must be able to use what a first call under inference made.
@torch.inference_mode(False)
def _load_smpl(gender: str, folder: Path | None) -> SMPLBody:
    key = f"smpl-{gender}"
    return SMPLBody(key, read_body_file(key, body_file(key, folder)))
