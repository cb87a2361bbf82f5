"""SMPL as a template for HMNet: all 6,890 vertices, or the 1,723 that the paper deforms (section 3.4)."""

import dataclasses
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from hmnet.body.decimation import decimate, upsampling_of
from hmnet.body.licensed import JOINT_NAMES, SMPLBody, load_smpl, unchanged
from hmnet.body.smpl_parts import smpl_face_parts
from hmnet.body.symmetry import mirror_of
from hmnet.body.template import BodyTemplate, vertex_parts_of

TO_CAMERA = np.array([1.0, -1.0, -1.0])
"""From y up, facing +z, to the frame of `hmnet.body`: half a turn about x."""
SUBSAMPLED = 1723
KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe",
    "left_heel", "right_heel",
)  # fmt: skip
"""COCO's 17 and 6 on the feet, as Anny's template has them."""
KEYPOINT_VERTICES = {
    "nose": 332, "left_eye": 2800, "right_eye": 6260, "left_ear": 583, "right_ear": 4071,
    "left_big_toe": 3216, "right_big_toe": 6617, "left_small_toe": 3226, "right_small_toe": 6624,
    "left_heel": 3387, "right_heel": 6787,
}  # fmt: skip
"""SMPL's vertices at COCO's keypoints that are no joints, as the package smplx has them."""


def smpl_template(name: str = "smpl", folder: str | Path | None = None) -> BodyTemplate:
    """SMPL's neutral body as a template, "smpl" or "smpl-1723"; kept for the process.

    The joints are regressed by SMPL's own regressor, for "smpl-1723" from the upsampled surface: there the
    root joint is up to a millimetre from the origin, so that the vertices stay a subset of the full ones.
    Which 1,723 they are follows from the rest shape in the user's file. Raises BodyError as `load_smpl` does.
    """
    body = load_smpl("neutral", folder)
    return _subsampled(body) if name == "smpl-1723" else _full(body)


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _full(body: SMPLBody) -> BodyTemplate:
    faces = body.arrays["f"]
    vertices = body.arrays["v_template"].astype(np.float64) * TO_CAMERA
    regressor = body.joint_regressor.double().numpy()
    vertices = vertices - regressor[JOINT_NAMES.index("pelvis")] @ vertices
    joints = dict(zip(JOINT_NAMES, regressor @ vertices, strict=True))
    face_parts = torch.from_numpy(smpl_face_parts(vertices, faces, body.arrays["weights"], joints))
    return BodyTemplate(
        name="smpl",
        vertices=torch.from_numpy(vertices).float(),
        faces=body.faces,
        face_parts=face_parts,
        vertex_parts=vertex_parts_of(body.faces, face_parts, len(vertices)),
        joint_regressor=body.joint_regressor.to_sparse(),
        joint_names=JOINT_NAMES,
        keypoint_regressor=_keypoint_regressor(body.joint_regressor),
        keypoint_names=KEYPOINT_NAMES,
        mirror=torch.from_numpy(mirror_of(faces, len(vertices))),
        upsampling=unchanged(len(vertices)),
        full_faces=body.faces,
        full_face_parts=face_parts,
        subset=torch.arange(len(vertices)),
    )


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _subsampled(body: SMPLBody) -> BodyTemplate:
    full = _full(body)
    vertices, mirror = full.vertices.double().numpy(), full.mirror.numpy()
    # Left and right are collapsed together, so neither side's shape may count more than the other's.
    even = (vertices + vertices[mirror] * [-1, 1, 1]) / 2
    small = decimate(even, body.arrays["f"], mirror, SUBSAMPLED)
    upsampling = upsampling_of(vertices, small)
    faces = torch.from_numpy(small.faces)
    joints = dict(zip(full.joint_names, full.regress_joints(full.vertices).numpy(), strict=True))
    weights = body.arrays["weights"][small.kept]
    parts = torch.from_numpy(smpl_face_parts(vertices[small.kept], small.faces, weights, joints))
    number = np.zeros(len(vertices), np.int64)
    number[small.kept] = np.arange(SUBSAMPLED)
    return dataclasses.replace(
        full,
        name="smpl-1723",
        vertices=full.vertices[small.kept],
        faces=faces,
        face_parts=parts,
        vertex_parts=vertex_parts_of(faces, parts, SUBSAMPLED),
        joint_regressor=_sparse(sparse.csr_matrix(full.joint_regressor.to_dense().numpy()) @ upsampling),
        keypoint_regressor=torch.from_numpy(full.keypoint_regressor.numpy() @ upsampling).float(),
        mirror=torch.from_numpy(number[mirror[small.kept]]),
        upsampling=_sparse(upsampling),
        subset=torch.from_numpy(small.kept),
    )


def _keypoint_regressor(regressor: Tensor) -> Tensor:
    """(K, V): a joint's row where a keypoint is one, else one vertex."""
    out = torch.zeros(len(KEYPOINT_NAMES), regressor.shape[1])
    for row, name in enumerate(KEYPOINT_NAMES):
        if name in JOINT_NAMES:
            out[row] = regressor[JOINT_NAMES.index(name)]
        else:
            out[row, KEYPOINT_VERTICES[name]] = 1
    return out


def _sparse(matrix: sparse.spmatrix) -> Tensor:
    matrix = matrix.tocoo()
    index = torch.from_numpy(np.stack([matrix.row, matrix.col]).astype(np.int64))
    values = torch.from_numpy(matrix.data.astype(np.float32))
    return torch.sparse_coo_tensor(index, values, matrix.shape, check_invariants=True).coalesce()
