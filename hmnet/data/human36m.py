"""Human3.6M as the field passes it on: npz annotations beside pictures of the frames (Ionescu et al., 2014).

ROOT/*.npz hold, a row a picture: imgname (S9_Posing_1.60457274_000101.jpg, with folders before it or not), S
(24 or 17 joints x 4: m in the camera frame and a flag), center and scale (the person's box: a square of
200 px x scale) and, where SMPL was fitted to the markers, pose and shape. The pictures lie under ROOT or
ROOT/images. ROOT/cameras.pkl, which only true part maps need, is read without executing anything.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmnet.data.dataset_sample import DatasetSample, Selection, draw_parts, pose_smpl, read_picture, require
from hmnet.errors import DataError

SOURCE = (
    "Human3.6M comes from vision.imar.ro/human3.6m after registration; SPIN's preprocessing "
    "(github.com/nkolot/SPIN) makes its pictures and npz annotations. Give the npz files' folder as --root."
)
JOINTS = (
    "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine",
    "neck", "jaw", "head_top", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow",
    "right_wrist",
)  # fmt: skip
"""Human3.6M's 17 joints in its own order; those named like SMPL's lie where SMPL has them, to some cm."""
FROM_24 = (14, 2, 1, 0, 3, 4, 5, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6)
"""Where the 17 stand among the 24 joints of SPIN's superset (tested on files that hold both)."""
SUBJECTS = {"train": (1, 5, 6, 7, 8), "test": (9, 11)}
FRONTAL = "60457274"
EVERY = 5
BOX_UNIT = 200.0
"""px of a person's box at scale 1, as in MPII's files."""
KEYS = ("imgname", "S", "center", "scale", "pose", "shape")
"""What is read of an npz file; the last two may be missing."""
NAME = re.compile(
    r"S(?P<subject>\d+)_(?P<action>[A-Za-z]+)(?:[ _](?P<trial>\d))?\.(?P<camera>\d{8})_(?P<frame>\d+)\.\w+"
)


@dataclass(frozen=True)
class _Row:
    """One picture's annotation, and what its name says."""

    picture: str
    subject: int
    action: str
    camera: str
    joints: np.ndarray
    box: np.ndarray
    pose: np.ndarray | None
    shape: np.ndarray | None


class Human36M(Sequence):
    """Protocol 2: trained on subjects 1, 5, 6, 7 and 8, tested on 9 and 11 in the frontal camera alone.

    The paper names the protocol (section 4). Subjects and camera (60457274 in the test) are as HMR and SPIN
    take it, and each fifth frame is as SPIN's preprocessing cuts videos: numbers start at 1, so 1, 6, 11, ...
    Rows that lack a joint are left out, and `left_out` counts them.
    """

    joint_names = JOINTS

    def __init__(self, root: Path, selection: Selection):
        """Raises DataError when no annotation is there, one is of another form, or none is of the split."""
        self.root, self.selection, self.left_out = root, selection, 0
        # Pictures may be annotated in two files; the first one counts, files with poses coming first.
        rows: dict[str, _Row] = {}
        for row in self._rows(root):
            rows.setdefault(Path(row.picture).name, row)
        self.rows = list(rows.values())
        if not self.rows:
            subjects = ", ".join(f"S{number}" for number in SUBJECTS[selection.split])
            raise DataError(
                f"{root} annotates no picture of {selection.split} (subjects {subjects}): {SOURCE}"
            )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> DatasetSample:
        row, selection = self.rows[index], self.selection
        image = read_picture(self._picture(row), SOURCE)
        vertices = part_map = None
        if selection.surfaces or selection.part_maps:
            if row.pose is None:
                raise DataError(
                    f"The annotation of {row.picture} holds no SMPL pose, so only its joints are known: "
                    "train with --joint-loss-only, or give the npz file that holds pose and shape."
                )
            posed, own_joints = pose_smpl("neutral", row.pose, row.shape)
            vertices = (posed - own_joints[0]).astype(np.float32)
        if selection.part_maps:
            focal, centre = self._camera(row)
            part_map = draw_parts(vertices + row.joints[0], focal, centre, image.shape)
        joints = (row.joints - row.joints[0]).astype(np.float32)
        vertices = vertices if selection.surfaces else None
        return DatasetSample(image, row.box, vertices, joints, part_map, Path(row.picture).stem, row.action)

    def _rows(self, root: Path) -> Iterator[_Row]:
        """The rows of the split in all annotation files."""
        files = [_read_annotation(path) for path in sorted(root.glob("*.npz"))]
        files = [arrays for arrays in files if arrays is not None]
        if not files:
            raise DataError(f"{root} holds no npz file with imgname, S, center and scale: {SOURCE}")
        for arrays in sorted(files, key=lambda arrays: "pose" not in arrays):
            yield from self._chosen(arrays)

    def _chosen(self, arrays: dict[str, np.ndarray]) -> Iterator[_Row]:
        split, every = self.selection.split, self.selection.every or EVERY
        for number, picture in enumerate(arrays["imgname"].tolist()):
            said = NAME.fullmatch(Path(picture).name)
            if said is None or int(said["subject"]) not in SUBJECTS[split]:
                continue
            if int(said["frame"]) % every != 1 % every or (split == "test" and said["camera"] != FRONTAL):
                continue
            joints = arrays["S"][number]
            joints = joints[list(FROM_24)] if len(joints) == 24 else joints
            if not (joints[:, 3] > 0).all():
                self.left_out += 1
                continue
            half = BOX_UNIT * arrays["scale"][number] / 2
            centre = arrays["center"][number]
            pose, shape = (arrays[key][number] if key in arrays else None for key in ("pose", "shape"))
            box = np.concatenate([centre - half, centre + half])
            subject = int(said["subject"])
            yield _Row(picture, subject, said["action"], said["camera"], joints[:, :3], box, pose, shape)

    def _picture(self, row: _Row) -> Path:
        places = [self.root / row.picture, self.root / "images" / row.picture]
        return next((place for place in places if place.is_file()), places[-1])

    def _camera(self, row: _Row) -> tuple[np.ndarray, np.ndarray]:
        """Focal lengths and centre (2,) px. The lens's distortion moves a body's points by up to 3 px."""
        from hmnet.body.pickles import read_pickle

        path = self.root / "cameras.pkl"
        require(path, f"true part maps need the cameras of all subjects. {SOURCE}")
        if not hasattr(self, "_cameras"):
            self._cameras = read_pickle(path)
        try:
            camera = self._cameras[f"S{row.subject}", row.camera]
            return np.reshape(camera["f"], 2), np.reshape(camera["c"], 2)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path} does not hold f and c of ('S{row.subject}', '{row.camera}'): {SOURCE}"
            ) from error


def _read_annotation(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an npz file; None for one of something else, DataError for one that is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in KEYS}
    except Exception as error:  # zip, zlib and numpy errors have no common base
        raise DataError(f"{path} cannot be read as npz arrays ({error}): {SOURCE}") from error
    if not {"imgname", "S", "center", "scale"} <= arrays.keys():
        return None
    count = len(arrays["imgname"])
    shapes = {"S": ((count, 24, 4), (count, 17, 4)), "center": ((count, 2),), "scale": ((count,),)}
    shapes |= {"pose": ((count, 72),), "shape": ((count, 10),)}
    for name, wanted in shapes.items():
        if name in arrays and arrays[name].shape not in wanted:
            raise DataError(f"{path}: expected {name!r} as {wanted[0]}, got {arrays[name].shape}: {SOURCE}")
    return arrays
