"""Small files of the datasets' own structure, and a stand-in for SMPL that turns one rigid body.

The files are made from what the sets' publishers say of them, not with the loaders' own code.
"""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from hmnet.body import licensed
from hmnet.body.hand import load_hand
from hmnet.body.smpl_files import FOLDER_VARIABLE
from hmnet.data.dataset_sample import SMPL_JOINTS, SMPL_VERTICES
from hmnet.data.human36m import JOINTS as H36M_JOINTS

LEFT_HAND = SMPL_JOINTS.index("left_hand")
RED = (255, 0, 0)
BLENDER_CAMERA = np.array([[0.0, 0, 1], [0, -1, 0], [-1, 0, 0]])
"""Rotation of SURREAL's camera in its world, as its publishers give it; left-handed."""


def shared_formats(name: str) -> Path:
    """Real samples of a set's files; skips where the material shared beside the project is absent."""
    shared = Path(os.environ.get("HMNET_SHARED") or Path(__file__).parents[2] / "shared")
    folder = shared / "formats" / name
    if not folder.is_dir():
        pytest.skip("no shared samples of datasets (HMNET_SHARED)")
    return folder


class RigidSMPL:
    """A body that only its global rotation moves: y up, facing +z, the left hand at +x.

    Its vertices stand in clusters around the joints; the pelvis is off the origin, as SMPL's is.
    """

    def __init__(self) -> None:
        generator = np.random.default_rng(4)
        self.joints = np.zeros((24, 3), np.float32)
        for number, name in enumerate(SMPL_JOINTS):
            side = {"l": 1, "r": -1}[name[0]] if name.startswith(("left", "right")) else 0
            height = {"hip": -0.1, "knee": -0.5, "ankle": -0.9, "foot": -0.95, "head": 0.6, "neck": 0.5,
                      "spine": 0.2, "pelvis": 0.0}  # fmt: skip
            found = [value for word, value in height.items() if word in name]
            reach = {"hip": 0.1, "knee": 0.12, "ankle": 0.12, "foot": 0.12, "collar": 0.1, "shoulder": 0.2,
                     "elbow": 0.45, "wrist": 0.7, "hand": 0.8}  # fmt: skip
            out = [value for word, value in reach.items() if word in name]
            forward = 0.12 if "foot" in name else 0.0
            self.joints[number] = (side * (out or [0])[0], (found or [0.4])[0], forward)
        self.joints += (0.01, -0.22, 0.03)
        around = generator.normal(0, 0.03, (SMPL_VERTICES, 3)).astype(np.float32)
        self.vertices = self.joints[np.arange(SMPL_VERTICES) % 24] + around

    def pose(self, pose: torch.Tensor, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Vertices (B, 6890, 3) and joints (B, 24, 3), turned about the pelvis by pose (B, 72)[:, :3]."""
        turns = torch.as_tensor(Rotation.from_rotvec(pose[:, :3].numpy()).as_matrix(), dtype=torch.float32)
        pelvis = torch.from_numpy(self.joints[0])
        rest = (torch.from_numpy(points) - pelvis for points in (self.vertices, self.joints))
        vertices, joints = (points @ turns.mT + pelvis for points in rest)
        return vertices, joints


# --- SURREAL -----------------------------------------------------------------------------------------


def write_clip(
    root: Path, split: str = "val", sequence: str = "01_01", number: int = 1, frames: int = 7,
    body: RigidSMPL | None = None, video: bool = True, seed: int = 0,
) -> Path:  # fmt: skip
    """A clip of a body with a red left hand, in a mirror as SURREAL's are; the path of its files' stem."""
    generator, body = np.random.default_rng(seed), body or RigidSMPL()
    folder = root / "cmu" / split / "run0" / sequence
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{sequence}_c{number:04d}"
    location = np.array([7.0, -1.0, 0.3])
    zrot = generator.uniform(0, 2 * np.pi)
    pose = np.zeros((72, frames), np.float32)
    # Upright with z up is a quarter turn from SMPL's y up.
    pose[:3] = Rotation.from_euler("x", 90, degrees=True).as_rotvec()[:, None] + generator.normal(
        0, 0.1, (3, frames)
    )
    world = np.zeros((frames, 24, 3))
    for frame in range(frames):
        joints = body.pose(torch.from_numpy(pose[None, :, frame]), None)[1][0].numpy()
        upright = Rotation.from_euler("z", zrot).apply(joints)
        world[frame] = upright @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]] + np.array([0.5, -0.9, 0.1 * frame])
    places = _blender_pixels(world, location)
    pictures = [_picture(points) for points in places]
    segments = {f"segm_{n + 1}": (picture.sum(-1) > 0).astype(np.uint8) for n, picture in enumerate(pictures)}
    savemat(f"{stem}_segm.mat", segments)
    info = {
        "joints2D": places.transpose(2, 1, 0).round().astype(np.float32),
        "joints3D": world.transpose(2, 1, 0).astype(np.float32),
        "pose": pose, "shape": np.zeros((10, frames), np.float32), "zrot": np.full((frames, 1), zrot),
        "gender": np.ones((frames, 1), np.uint8), "camLoc": location[:, None].astype(np.float32),
    }  # fmt: skip
    savemat(f"{stem}_info.mat", info)
    if video:
        _write_video(stem.with_name(stem.name + ".mp4"), pictures)
    else:
        stem.mkdir()
        for frame, picture in enumerate(pictures):
            Image.fromarray(picture).save(stem / f"{frame:03d}.png")
    return stem


def _blender_pixels(world: np.ndarray, location: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) in SURREAL's stored pictures: along Blender's camera axes, y turned down."""
    right, up, back = np.moveaxis((world - location) @ BLENDER_CAMERA, -1, 0)
    return np.stack([160 + 600 * right / -back, 120 - 600 * up / -back], -1)


def _picture(places: np.ndarray) -> np.ndarray:
    """A square at each joint on black, the left hand's red and last."""
    picture = np.zeros((240, 320, 3), np.uint8)
    for number in [n for n in range(len(places)) if n != LEFT_HAND] + [LEFT_HAND]:
        x, y = places[number].astype(int)
        picture[max(y - 5, 0) : y + 5, max(x - 5, 0) : x + 5] = RED if number == LEFT_HAND else (90, 90, 90)
    return picture


def _write_video(path: Path, pictures: list[np.ndarray]) -> None:
    av = pytest.importorskip("av", reason="videos need av (requirements-dev.txt)")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())


# --- UP-3D -------------------------------------------------------------------------------------------

UP3D_TURN = np.array([np.pi, 0, 0])
"""SMPL's y up to a camera's y down."""


def write_published_up3d(root: Path, names: tuple[str, ...] = ("00001",), split: str = "val") -> None:
    """Pictures of 120 x 160 px fitted in a crop that leaves out the first 20 rows and 10 columns."""
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{split}.txt").write_text("".join(f"/{name}_image.png 1.0\n" for name in names))
    for name in names:
        Image.fromarray(np.full((160, 120, 3), 60, np.uint8)).save(root / f"{name}_image.png")
        (root / f"{name}_fit_crop_info.txt").write_text("160 120 20 160 10 120\n")
        fit = {
            "pose": np.concatenate([UP3D_TURN, np.zeros(69)]), "betas": np.zeros(10),
            "t": np.array([0.1, 0.0, 40.0]), "rt": np.zeros(3), "f": np.float64(1500.0), "trans": np.zeros(3),
        }  # fmt: skip
        (root / f"{name}_body.pkl").write_bytes(pickle.dumps(fit, protocol=2))


def write_converted_up3d(root: Path, names: tuple[str, ...] = ("00001",), split: str = "val") -> None:
    """The same as BodyNet's files, each picture being its own crop."""
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    pose = torch.zeros(1, 72)
    pose[0, :3] = torch.from_numpy(UP3D_TURN)
    vertices, joints = (points[0].numpy().astype(float) for points in RigidSMPL().pose(pose, None))
    for name in names:
        Image.fromarray(np.full((140, 110, 3), 60, np.uint8)).save(folder / f"{name}_image.png")
        savemat(folder / f"{name}_info.mat", {"t": np.array([[0.1, 0, 40.0]]), "f": np.array([[1500.0]])})
        savemat(folder / f"{name}_shape.mat", {"points": vertices, "J_transformed": joints})
        silhouette = np.zeros((140, 110), np.uint8)
        silhouette[10:100, 30:80] = 1
        savemat(folder / f"{name}_segm.mat", {"segm1": silhouette})


# --- Human3.6M ---------------------------------------------------------------------------------------

H36M_NAMES = (
    "S1_Walking_1.54138969_000001.jpg", "S5_Eating.60457274_000006.jpg", "S9_Posing_1.60457274_000011.jpg",
    "S9_Posing_1.60457274_000013.jpg", "S9_Posing_1.54138969_000011.jpg", "S11_Sitting.60457274_000001.jpg",
)  # fmt: skip
"""Two of train; of the test the first and the last: one between is no fifth frame, one is from a side."""


def write_human36m(
    root: Path, joints: int = 24, poses: bool = True, file: str = "h36m.npz",
    names: tuple[str, ...] = H36M_NAMES,
) -> None:  # fmt: skip
    """Annotations of a body upright 5 m before the camera, grey pictures and the cameras."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    body, count = RigidSMPL(), len(names)
    pose = torch.zeros(1, 72)
    pose[0, 0] = np.pi
    posed = body.pose(pose, None)[1][0].numpy()
    posed = posed - posed[0] + (0.1, -0.2, 5.0)
    seventeen = np.stack([posed[SMPL_JOINTS.index(_smpl_name(name))] for name in H36M_JOINTS])
    truth = np.zeros((count, joints, 4))
    order = range(17) if joints == 17 else (14, 2, 1, 0, 3, 4, 5, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6)
    truth[:, list(order)] = np.concatenate([seventeen, np.ones((17, 1))], 1)
    arrays = {
        "imgname": np.array(names), "S": truth, "center": np.full((count, 2), (95.0, 90.0)),
        "scale": np.full(count, 0.6),
    }  # fmt: skip
    if poses:
        arrays |= {"pose": np.repeat(pose.numpy(), count, 0).astype(float), "shape": np.zeros((count, 10))}
    np.savez(root / file, **arrays)
    for name in names:
        Image.fromarray(np.full((200, 190, 3), 60, np.uint8)).save(root / "images" / name)
    cameras = {
        (f"S{subject}", camera): {"f": np.array([[210.0], [210.0]]), "c": np.array([[90.0], [100.0]])}
        for subject in (1, 5, 9, 11) for camera in ("54138969", "60457274")
    }  # fmt: skip
    (root / "cameras.pkl").write_bytes(pickle.dumps(cameras, protocol=2))


def _smpl_name(name: str) -> str:
    return {"spine": "spine2", "jaw": "head", "head_top": "head"}.get(name, name)


# --- FreiHAND ----------------------------------------------------------------------------------------

FREIHAND_CAMERA = np.array([[480.0, 0, 112], [0, 470, 110], [0, 0, 1]])


def posed_hands(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 778, 3) and joints (N, 21, 3), m, of right hands 0.6 m before a camera, any way round."""
    generator = np.random.default_rng(seed)
    pose = generator.normal(0, 0.15, (count, 48))
    pose[:, :3] = Rotation.random(count, rng=generator).as_rotvec()
    vertices, joints = load_hand().pose(torch.from_numpy(pose).float(), surface="template")
    place = np.array([0.01, -0.01, 0.6]) - joints.double().numpy().mean(1, keepdims=True)
    return vertices.double().numpy() + place, joints.double().numpy() + place


def write_freihand(
    root: Path, split: str = "evaluation", vertices: np.ndarray | None = None,
    joints: np.ndarray | None = None, versions: int = 1,
) -> None:  # fmt: skip
    """Hands (of `posed_hands`, two unless given) in a set's lists, and pictures with a dot at each vertex.

    versions: so often all hands are there, before another grey each time: 40, 80, ...
    """
    if vertices is None:
        vertices, joints = posed_hands(2)
    (root / split / "rgb").mkdir(parents=True, exist_ok=True)
    lists = {
        "K": np.repeat(FREIHAND_CAMERA[None], len(joints), 0), "xyz": joints, "verts": vertices,
        "scale": np.linalg.norm(joints[:, 9] - joints[:, 10], axis=1),
    }  # fmt: skip
    for name, values in lists.items():
        (root / f"{split}_{name}.json").write_text(json.dumps(values.tolist()))
    for number in range(versions * len(joints)):
        points = vertices[number % len(joints)] @ FREIHAND_CAMERA.T
        columns, rows = (points[:, :2] / points[:, 2:]).astype(int).clip(1, 222).T
        picture = np.full((224, 224, 3), 40 * (1 + number // len(joints)), np.uint8)
        for across in (-1, 0, 1):
            picture[rows + across, columns] = picture[rows, columns + across] = (220, 170, 140)
        Image.fromarray(picture).save(root / split / "rgb" / f"{number:08d}.jpg")


# --- SMPL --------------------------------------------------------------------------------------------


def use_fake_smpl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SMPL's three bodies, of a form of their own, in the place of the user's files."""
    # Where the licensed bodies' own tests keep theirs.
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "body"))
    from fake_smpl import write_smpl

    for gender in licensed.GENDERS:
        write_smpl(folder, gender)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))


def use_fake_mano(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MANO's right hand, of a form of its own, in the place of the user's file."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "body"))
    from fake_smpl import write_mano

    write_mano(folder)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
