"""What the loaders of other people's datasets share: the record they give, and the reading of files.

Every loader turns its set's own frames into this package's: camera frame, metres, relative to the pelvis.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hmnet.body import PART_COUNT, BodyTemplate, licensed, load_body
from hmnet.config import Preprocessing
from hmnet.data.crop import extract, extract_labels, square_crop
from hmnet.errors import DataError
from hmnet.image import read_image
from hmnet.zbuffer import rasterise

SMPL_VERTICES = 6890
SMPL_JOINTS = licensed.JOINT_NAMES
NEAREST_DEPTH = 0.1
"""m; what a fit puts nearer to the camera than this, or behind it, cannot be drawn."""


@dataclass(frozen=True)
class DatasetSample:
    """One person in one picture of a dataset.

    image: (H, W, 3) uint8. box: (4,) px, the person's tight true box, x0 y0 x1 y1.
    vertices: (6890, 3) float32 m, SMPL's surface relative to the pelvis, camera frame; None where surfaces
    were not asked for. joints: (J, 3) float32 m, likewise, named by the set's `joint_names`.
    part_map: (H, W) uint8, 24 part ids; None where part maps were not asked for.
    Of hands see `hmnet.data.freihand.HandSample`.
    name: tells the sample from the set's others. action: what the person does, "" where the set does not say.
    """

    image: np.ndarray
    box: np.ndarray
    vertices: np.ndarray | None
    joints: np.ndarray
    part_map: np.ndarray | None
    name: str
    action: str = ""


@dataclass(frozen=True)
class Selection:
    """Which samples of a set are wanted, and what of each.

    split: one of the set's. every: each Nth frame of a video (None: the protocol's). runs: of SURREAL's three
    renderings. surfaces: the vertices, for which SMPL's own files are needed. part_maps: the true ones,
    likewise. `hmnet.body.smpl_files` says where those files must lie.
    """

    split: str
    every: int | None = None
    runs: tuple[int, ...] = (0,)
    surfaces: bool = True
    part_maps: bool = False


def pose_smpl(gender: str, pose: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SMPL's vertices (6890, 3) and joints (24, 3) in m, where the model itself puts them.

    pose: (72,) axis-angles. shape: (10,). The frame is the one that the pose's global rotation leads to; the
    pelvis stays where it is at rest, which is not the origin. Raises BodyError when SMPL's files are missing.
    """
    given = (torch.as_tensor(np.array(v, np.float32).reshape(1, -1)) for v in (pose, shape))
    with torch.inference_mode():
        vertices, joints = licensed.load_smpl(gender).pose(*given)
    return vertices[0].numpy(), joints[0].numpy()


def on_template(body: BodyTemplate, vertices: torch.Tensor) -> torch.Tensor:
    """SMPL's surface (..., 6890, 3) at the vertices (..., V, 3) that a template made of it keeps."""
    return vertices[..., body.subset, :]


def cut(sample: DatasetSample, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    """The networks' square crop around the true box: the picture (S, S, 3) and part ids (S, S), uint8.

    Without a part map in the sample the part ids are 0.
    """
    crop, size = square_crop(sample.box, preprocessing.crop_margin), preprocessing.image_size
    part_map = np.zeros((size, size), np.uint8)
    if sample.part_map is not None:
        part_map = extract_labels(sample.part_map, crop, size)
    return extract(sample.image, crop, size), part_map


def draw_parts(
    points: np.ndarray,
    focal: np.ndarray | float,
    centre: np.ndarray,
    shape: tuple[int, ...],
    body_name: str = "smpl",
) -> np.ndarray:
    """The part ids (H, W) uint8 of a body's surface as a camera sees it; nothing else hides a part.

    points: (6890, 3) m, camera frame, from the camera; of the hand "mano" (778, 3). focal, centre: px. shape:
    the picture's (H, W, ...). Raises BodyError when the body's files, which hold the faces, are missing.
    """
    body = load_body(body_name)
    parts = body.full_face_parts.numpy()
    pixels = np.column_stack([project(points, focal, centre), points[:, 2]])
    faces = body.full_faces.numpy()
    seen = (points[faces, 2] > NEAREST_DEPTH).all(1)
    # The triangles come apart, so that each corner can carry its triangle's part.
    corners = pixels[faces[seen]].reshape(-1, 3)
    labels = np.repeat(parts[seen], 3)[:, None].astype(np.float64)
    drawn, values = rasterise(corners, np.arange(len(corners)).reshape(-1, 3), labels, shape[1::-1])
    part_map = np.zeros(shape[:2], np.uint8)
    part_map.ravel()[drawn] = values[:, 0].round().clip(0, PART_COUNT)
    return part_map


def project(points: np.ndarray, focal: np.ndarray | float, centre: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of points (..., 3) in the camera frame, by full perspective without distortion."""
    return points[..., :2] / np.maximum(points[..., 2:], NEAREST_DEPTH) * focal + centre


def mask_box(mask: np.ndarray) -> np.ndarray | None:
    """The tight box (4,) px of a mask (H, W); None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def points_box(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The box (4,) px of points (N, 2), cut at the rim of a picture of that shape but never empty."""
    height, width = shape[:2]
    low, high = points.min(0), points.max(0)
    corner = np.clip(low, 0, (width - 1, height - 1))
    return np.concatenate([corner, np.maximum(np.clip(high, 0, (width, height)), corner + 1)])


def read_mat(path: Path, shapes: dict[str, tuple[int | None, ...]], source: str) -> dict[str, np.ndarray]:
    """Arrays of a MATLAB file, of the given shapes; None allows any length there.

    source: where the file comes from, as the errors say it. Raises DataError when the file is missing,
    damaged, lacks one of the arrays or has one of another shape.
    """
    require(path, source)
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=list(shapes))
    except Exception as error:  # scipy raises whatever a damaged file leads it to
        raise DataError(f"{path} cannot be read as a MATLAB file ({error}): {source}") from error
    for name, shape in shapes.items():
        if name not in content:
            raise DataError(f"{path} holds no {name!r}: {source}")
        _check_shape(path, name, np.asarray(content[name]), shape, source)
    return {name: np.asarray(content[name]) for name in shapes}


def _check_shape(
    path: Path, name: str, array: np.ndarray, shape: tuple[int | None, ...], source: str
) -> None:
    fits = array.ndim == len(shape) and all(
        wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = " x ".join("any" if size is None else str(size) for size in shape)
        found = " x ".join(map(str, array.shape))
        raise DataError(f"{path}: expected {name!r} of {wanted}, got {found}: {source}")


def read_picture(path: Path, source: str) -> np.ndarray:
    """A picture (H, W, 3) uint8 at its own size; DataError when missing, ImageError when unreadable."""
    require(path, source)
    return read_image(path)


def require(path: Path, source: str) -> None:
    """DataError when there is no such file."""
    if not path.is_file():
        raise DataError(f"{path} is missing: {source}")
