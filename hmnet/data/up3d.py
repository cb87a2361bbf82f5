"""UP-3D in its own files, and as BodyNet converted them: photographs with SMPL fitted to them.

As published (Lassner et al., CVPR 2017): ROOT/{train,val,test}.txt name the pictures of a split;
ROOT/NNNNN_image.png, NNNNN_body.pkl (pose, betas, t, rt, f, trans) and NNNNN_fit_crop_info.txt: rows and
columns of the picture, then the first and last row and the first and last column of the crop whose middle is
the centre of the fit's camera. The pickles are read without executing anything (`hmnet.body.pickles`).

As BodyNet converted it (Varol et al., ECCV 2018): ROOT/SPLIT/NNNNN_image.png, _info.mat (t, f, cropinfo),
_shape.mat (points, the posed surface, and J_transformed, its joints) and _segm.mat (segm1, the silhouette).
Both have y down and z away already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmnet.data.dataset_sample import (
    SMPL_JOINTS,
    SMPL_VERTICES,
    DatasetSample,
    Selection,
    draw_parts,
    mask_box,
    points_box,
    pose_smpl,
    project,
    read_mat,
    read_picture,
    require,
)
from hmnet.errors import DataError

SOURCE = (
    "UP-3D comes from files.is.tuebingen.mpg.de/classner/up, BodyNet's form of it from "
    "www.di.ens.fr/willow/research/bodynet; give the folder of either as --root."
)
FIT_SIZES = {"pose": 72, "betas": 10, "t": 3, "rt": 3, "f": 1, "trans": 3}
"""Arrays of a body.pkl and how many numbers each holds."""


@dataclass(frozen=True)
class _Fit:
    """A posed body before its camera: points and joints in m; shift: from them to the camera's place."""

    vertices: np.ndarray
    joints: np.ndarray
    shift: np.ndarray
    focal: float
    centre: np.ndarray


class UP3D(Sequence):
    """The pictures of a split of UP-3D; which layout it is shows in the folder.

    Box: in BodyNet's form that of the annotated silhouette (segm1), in the published form that of the fitted
    surface as the camera sees it, cut at the picture's rim.
    Differs from the paper's code, which takes the fit's crop as the box: that is looser in some pictures than
    in others, and the other sets' boxes are tight.
    """

    joint_names = SMPL_JOINTS
    left_out = 0

    def __init__(self, root: Path, selection: Selection):
        """Raises DataError when the split's list or folder is missing or names no picture."""
        self.selection = selection
        names, folder = root / f"{selection.split}.txt", root / selection.split
        if names.is_file():
            lines = [line.split()[0] for line in names.read_text().splitlines() if line.strip()]
            pictures = [root / line.lstrip("/") for line in lines]
        elif folder.is_dir():
            pictures = sorted(folder.glob("*_image.png"))
        else:
            raise DataError(f"Neither {names} nor the folder {folder} is there: {SOURCE}")
        if not pictures:
            raise DataError(f"{names if names.is_file() else folder} names no picture: {SOURCE}")
        self.stems = [path.with_name(path.name.removesuffix("_image.png")) for path in pictures]

    def __len__(self) -> int:
        return len(self.stems)

    def __getitem__(self, index: int) -> DatasetSample:
        stem, selection = self.stems[index], self.selection
        image = read_picture(_file(stem, "_image.png"), SOURCE)
        converted = _file(stem, "_info.mat").is_file()
        fit = _converted_fit(stem, image) if converted else _published_fit(stem, image)
        points = fit.vertices + fit.shift
        box = _silhouette_box(stem, image) if converted else None
        if box is None:
            box = points_box(project(points, fit.focal, fit.centre), image.shape)
        part_map = draw_parts(points, fit.focal, fit.centre, image.shape) if selection.part_maps else None
        vertices = (fit.vertices - fit.joints[0]).astype(np.float32) if selection.surfaces else None
        joints = (fit.joints - fit.joints[0]).astype(np.float32)
        return DatasetSample(image, box, vertices, joints, part_map, stem.name)


def _converted_fit(stem: Path, image: np.ndarray) -> _Fit:
    info = read_mat(_file(stem, "_info.mat"), {"t": (1, 3), "f": (1, 1)}, SOURCE)
    surface = {"points": (SMPL_VERTICES, 3), "J_transformed": (len(SMPL_JOINTS), 3)}
    shape = read_mat(_file(stem, "_shape.mat"), surface, SOURCE)
    centre = np.array(image.shape[1::-1]) / 2
    return _Fit(shape["points"], shape["J_transformed"], info["t"][0], info["f"].item(), centre)


def _silhouette_box(stem: Path, image: np.ndarray) -> np.ndarray | None:
    segments = read_mat(_file(stem, "_segm.mat"), {"segm1": image.shape[:2]}, SOURCE)
    return mask_box(segments["segm1"])


def _published_fit(stem: Path, image: np.ndarray) -> _Fit:
    from scipy.spatial.transform import Rotation

    fit = _read_fit(_file(stem, "_body.pkl"))
    # SMPL's neutral body was fitted. `rt` turns the camera and `trans` moves the body; both are mostly zero.
    camera = Rotation.from_rotvec(fit["rt"])
    vertices, joints = pose_smpl("neutral", fit["pose"], fit["betas"])
    vertices, joints = (camera.apply(points + fit["trans"]) for points in (vertices, joints))
    centre = _crop_centre(_file(stem, "_fit_crop_info.txt"), image)
    return _Fit(vertices, joints, fit["t"], float(fit["f"][0]), centre)


def _read_fit(path: Path) -> dict[str, np.ndarray]:
    """The numbers of a body.pkl as flat float64 arrays; DataError, BodyError when they are not there."""
    from hmnet.body.pickles import read_pickle

    require(path, SOURCE)
    content = read_pickle(path)
    fit = {}
    for name, size in FIT_SIZES.items():
        try:
            fit[name] = np.asarray(content[name], np.float64).reshape(-1)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} holds no numbers as {name!r}: {SOURCE}") from error
        if len(fit[name]) != size:
            raise DataError(f"{path}: expected {size} numbers as {name!r}, got {len(fit[name])}: {SOURCE}")
    return fit


def _crop_centre(path: Path, image: np.ndarray) -> np.ndarray:
    """The middle (x, y) px of the crop that the body was fitted in."""
    require(path, SOURCE)
    try:
        rows, columns, top, bottom, left, right = (int(word) for word in path.read_text().split())
    except ValueError as error:
        raise DataError(
            f"{path}: expected six whole numbers, the picture's size and the crop: {SOURCE}"
        ) from error
    if (rows, columns) != image.shape[:2]:
        raise DataError(
            f"{path} is of a picture of {rows} x {columns} px, but this one has {image.shape[0]} x "
            f"{image.shape[1]} (rows x columns): {SOURCE}"
        )
    return np.array([left + right, top + bottom]) / 2


def _file(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)
