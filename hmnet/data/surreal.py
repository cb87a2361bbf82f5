"""SURREAL in its own files: rendered clips of SMPL bodies (Varol et al., CVPR 2017).

ROOT/cmu/{train,val,test}/run{0,1,2}/SEQ/SEQ_cNNNN.mp4, _info.mat and _segm.mat; instead of the mp4 a folder
SEQ_cNNNN of its frames as numbered pictures does too.

Geometry, measured on real files (the tests hold it): `joints3D` are in the world; the camera's axes lie along
the world's, it looks along -x, and joints2D are the rounded projections with f = 600 px and centre
(160, 120). But the axes of that camera form a left-handed frame: the pictures show every body in a mirror, a
left hand where the body has its right. So pictures, segments and x are turned round here once, as the paper's
code turns them too, and SMPL's bodies and the pictures agree. The pose's global rotation still lacks the turn
`zrot` about the vertical, z up, and the quarter turn from there to the world.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from hmnet.data.dataset_sample import (
    SMPL_JOINTS,
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
    "SURREAL comes from www.di.ens.fr/willow/research/surreal/data after registration; give the folder that "
    "holds its `cmu` as --root."
)
WIDTH, HEIGHT = 320, 240
FOCAL, CENTRE = 600.0, np.array([WIDTH / 2, HEIGHT / 2])
TO_CAMERA = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
"""World to camera frame, the mirror taken out: a proper rotation."""
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From the frame of the poses (z up) to the world (-y up)."""
GENDERS = ("female", "male")
EVERY = 5
"""Each fifth frame of the videos, as the paper's authors take them."""
INFO = {
    "joints2D": (2, 24), "joints3D": (3, 24), "pose": (72,), "shape": (10,), "zrot": (), "gender": (),
    "camLoc": (3, 1),
}  # fmt: skip
"""Arrays of info.mat without their last axis, the frames."""


class Surreal(Sequence):
    """Frames of SURREAL's clips.

    Of "train" and "val" each fifth frame of run0, as the code that the paper's authors published trains and
    measures: so "val" is what is measured here unless told otherwise. Of "test" the middle frame of each
    sequence's middle clip, the protocol of BodyNet, whose published errors the paper compares with; BodyNet
    lists 507 of them by name, here none is left out but those in which no joint of the person is in the
    picture (`left_out` counts them). `runs` and `every` choose otherwise.
    Differs from the paper's code, which poses one SMPL for women and men: here each clip has its gender's.
    """

    joint_names = SMPL_JOINTS

    def __init__(self, root: Path, selection: Selection):
        """Raises DataError when the split's folder or a clip's files are missing or wrong."""
        self.selection = selection
        self.left_out = 0
        self.frames: list[tuple[Path, int]] = []
        for run in selection.runs:
            for clip in self._clips(_folder(root, selection.split, run)):
                self.frames += [(clip, frame) for frame in self._chosen(clip)]
        if not self.frames:
            raise DataError(f"{root} holds no frame of {selection.split} that shows a person: {SOURCE}")

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> DatasetSample:
        clip, frame = self.frames[index]
        info, selection = read_info(_file(clip, "_info.mat")), self.selection
        joints = to_camera(info["joints3D"][frame], info["camLoc"])
        image = read_frame(clip, frame)[:, ::-1].copy()
        vertices = None
        if selection.surfaces or selection.part_maps:
            pose = info["pose"][frame].copy()
            pose[:3] = global_rotation(pose[:3], info["zrot"][frame])
            gender = GENDERS[int(info["gender"][frame])]
            vertices, own_joints = pose_smpl(gender, pose, info["shape"][frame])
            vertices = vertices - own_joints[0]
        part_map = None
        if selection.part_maps:
            part_map = draw_parts(vertices + joints[0], FOCAL, CENTRE, image.shape)
        box = mask_box(read_segments(clip, frame))
        if box is None:
            box = points_box(project(joints, FOCAL, CENTRE), image.shape)
        return DatasetSample(
            image=image,
            box=box,
            vertices=vertices.astype(np.float32) if selection.surfaces else None,
            joints=(joints - joints[0]).astype(np.float32),
            part_map=part_map,
            name=f"{clip.parent.parent.name}/{clip.name}/{frame}",
        )

    def _clips(self, folder: Path) -> list[Path]:
        """The clips of a run, each as the path of its files without their endings."""
        found = sorted(folder.glob("*/*_info.mat"))
        if self.selection.split == "test" and self.selection.every is None:
            sequences: dict[Path, list[Path]] = {}
            for path in found:
                sequences.setdefault(path.parent, []).append(path)
            found = [clips[len(clips) // 2] for clips in sequences.values()]
        return [path.with_name(path.name.removesuffix("_info.mat")) for path in found]

    def _chosen(self, clip: Path) -> list[int]:
        """The frames of a clip to take, those without a joint in the picture counted out."""
        places = read_info(_file(clip, "_info.mat"), ("joints2D",))["joints2D"]
        step = self.selection.every or EVERY
        wanted = list(range(0, len(places), step))
        if self.selection.split == "test" and self.selection.every is None:
            wanted = [len(places) // 2]
        inside = ((places >= 0) & (places < (WIDTH, HEIGHT))).all(-1).any(-1)
        shown = [frame for frame in wanted if inside[frame]]
        self.left_out += len(wanted) - len(shown)
        return shown


def to_camera(points: np.ndarray, location: np.ndarray) -> np.ndarray:
    """World points (..., 3) in the camera frame of the picture turned round; location: camLoc, (3,)."""
    return (points - location) @ TO_CAMERA.T


def global_rotation(pose: np.ndarray, zrot: float) -> np.ndarray:
    """The pelvis's axis-angle (3,) in the camera frame, from the pose's own and the turn zrot, radians."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec([0, 0, zrot]) * Rotation.from_rotvec(pose)
    return (Rotation.from_matrix(TO_CAMERA @ UPRIGHT) * turn).as_rotvec()


def read_info(path: Path, names: Sequence[str] = tuple(INFO)) -> dict[str, np.ndarray]:
    """Arrays of info.mat, frames first, float64: joints2D (T, 24, 2), joints3D (T, 24, 3), pose (T, 72), ...

    camLoc is (3,). A clip of one frame lacks MATLAB's last axis, which is put back. Raises DataError.
    """
    require(path, SOURCE)
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=list(names))
    except Exception as error:  # scipy raises whatever a damaged file leads it to
        raise DataError(f"{path} cannot be read as a MATLAB file ({error}): {SOURCE}") from error
    missing = [name for name in names if name not in content]
    if missing:
        raise DataError(f"{path} holds no {missing[0]!r}, so it is no info.mat: {SOURCE}")
    info = {}
    for name in names:
        array, shape = np.asarray(content[name], np.float64), INFO[name]
        size = int(np.prod(shape))
        if array.size % size or not array.size or (shape and array.shape[: len(shape)] != shape):
            raise DataError(f"{path}: expected {name!r} of {shape} x frames, got {array.shape}: {SOURCE}")
        # MATLAB's order of axes has the frames last; (24, 2) is the natural one of points.
        info[name] = array.reshape(*shape, -1).T if shape else array.ravel()
    if "camLoc" in info:
        info["camLoc"] = info["camLoc"].reshape(3)
    if len({len(array) for name, array in info.items() if name != "camLoc"}) > 1:
        raise DataError(f"{path}: its arrays have different numbers of frames: {SOURCE}")
    return info


def read_segments(clip: Path, frame: int) -> np.ndarray:
    """SMPL's 24 segments (H, W) uint8 of a frame, 0 for background, in the picture turned round."""
    name = f"segm_{frame + 1}"
    shape = {name: (HEIGHT, WIDTH)}
    return read_mat(_file(clip, "_segm.mat"), shape, SOURCE)[name][:, ::-1]


def read_frame(clip: Path, frame: int) -> np.ndarray:
    """A frame (240, 320, 3) uint8 as it is stored: from the folder of a clip's pictures, or from its mp4.

    Raises DataError when there is neither, the video cannot be read or has fewer frames.
    """
    if clip.is_dir():
        pictures = sorted(path for path in clip.iterdir() if path.suffix in (".jpg", ".png"))
        frames, place = pictures, clip
    else:
        place = _file(clip, ".mp4")
        frames = _decoded(place)
    if frame >= len(frames):
        raise DataError(f"{place} has {len(frames)} frames, expected more than {frame}: {SOURCE}")
    picture = frames[frame]
    picture = read_picture(picture, SOURCE) if isinstance(picture, Path) else picture
    if picture.shape != (HEIGHT, WIDTH, 3):
        got = f"{picture.shape[1]} x {picture.shape[0]}"
        raise DataError(f"{place}: expected frames of {WIDTH} x {HEIGHT} px, got {got}: {SOURCE}")
    return picture


# Samples come clip by clip when a set is measured, and a clip is decoded from its beginning.
@lru_cache(maxsize=4)
def _decoded(path: Path) -> np.ndarray:
    require(path, SOURCE)
    try:
        import av
    except ModuleNotFoundError as error:
        raise DataError(
            "Reading SURREAL's videos needs the package av: run `pip install av`, or put each clip's frames "
            "as numbered pictures into a folder named like the clip."
        ) from error
    try:
        with av.open(str(path)) as video:
            return np.stack([picture.to_ndarray(format="rgb24") for picture in video.decode(video=0)])
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a video ({error}): {SOURCE}") from error


def _file(clip: Path, ending: str) -> Path:
    return clip.with_name(clip.name + ending)


def _folder(root: Path, split: str, run: int) -> Path:
    folder = root / "cmu" / split / f"run{run}"
    if not folder.is_dir():
        raise DataError(f"The folder {folder} is missing: {SOURCE}")
    return folder
