"""FreiHAND in its own files: photographs of right hands, MANO fitted to them (Zimmermann et al., ICCV 2019).

ROOT/training/rgb/NNNNNNNN.jpg and ROOT/evaluation/rgb/NNNNNNNN.jpg of 224 px, and beside the folders, for
each of the two sets, lists with an entry a hand: SET_K.json (the camera's matrix, px), SET_xyz.json (21
joints) and SET_verts.json (MANO's 778 vertices), both m in the camera's frame, x right, y down, z away, and
SET_scale.json (the length of the middle finger's first bone, m). The evaluation set's joints and vertices
came with version 2. SET_mano.json and the masks of the training set are not read: the vertices say what the
parameters do, and true part maps are drawn from them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmnet.data.dataset_sample import (
    NEAREST_DEPTH,
    DatasetSample,
    Selection,
    draw_parts,
    points_box,
    read_picture,
    require,
)
from hmnet.errors import DataError, told

SOURCE = (
    "FreiHAND comes from lmb.informatik.uni-freiburg.de/projects/freihand (FreiHAND_pub_v2.zip and "
    "FreiHAND_pub_v2_eval.zip); give the folder that both were unpacked into as --root."
)
FOLDERS = {"train": "training", "evaluation": "evaluation"}
"""What the set itself calls its splits."""
VERSIONS = {"train": 4, "evaluation": 1}
"""How often each hand is there: first all before the green screen, then all again on other backgrounds."""
FINGERS = {
    "thumb": "thumb", "forefinger": "index", "middle_finger": "middle", "ring_finger": "ring",
    "pinky_finger": "pinky",
}  # fmt: skip
"""Its fingers in its order, and what they are called here."""
JOINTS = {"wrist": "wrist"} | {
    f"{theirs}{place}": f"{ours}{place}" if place < 4 else f"{ours}_tip"
    for theirs, ours in FINGERS.items() for place in (1, 2, 3, 4)
}  # fmt: skip
"""Its 21 joints in its order, and what they are called in `hmnet.body.hand_names`."""
MANO_VERTICES = 778
SHAPES = {"K": (3, 3), "xyz": (len(JOINTS), 3), "verts": (MANO_VERTICES, 3), "scale": ()}
"""Of an entry in each of the lists."""
OPENING, NEXT = re.compile(r"\s*\[\s*"), re.compile(r"\s*([],])\s*")


@dataclass(frozen=True, kw_only=True)
class HandSample(DatasetSample):
    """A right hand: vertices (778, 3) and joints (21, 3) are relative to the wrist.

    camera: (3, 3) float64 px, the matrix that brings points m, camera frame, to the picture. wrist: (3,)
    float64 m, in that frame. bone: m, the length from the joint middle1 to middle2.
    """

    camera: np.ndarray
    wrist: np.ndarray
    bone: float


class FreiHAND(Sequence):
    """A split of FreiHAND: 3,960 hands to evaluate on; 32,560 to train on, each in four pictures.

    The box is that of the vertices in the picture, cut at its rim.
    """

    joint_names = tuple(JOINTS.values())
    left_out = 0

    def __init__(self, root: Path, selection: Selection):
        """Reads the lists of the split; DataError where one is missing, damaged or of another length."""
        self.selection, folder = selection, FOLDERS[selection.split]
        self.pictures = root / folder / "rgb"
        files = {name: root / f"{folder}_{name}.json" for name in SHAPES}
        self.lists = {name: read_list(files[name], SHAPES[name]) for name in SHAPES}
        for name, values in self.lists.items():
            if len(values) != len(self.lists["K"]):
                raise DataError(
                    f"{files[name]} is of {len(values)} hands, but {files['K'].name} of "
                    f"{len(self.lists['K'])}: {SOURCE}"
                )
            if not (_positive(name, values) > 0).all():
                raise DataError(
                    f"{files[name]}: expected hands in front of their cameras, got a focal length, depth or "
                    f"length that is not above 0: {SOURCE}"
                )

    def __len__(self) -> int:
        return VERSIONS[self.selection.split] * len(self.lists["K"])

    def __getitem__(self, index: int) -> HandSample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        image = read_picture(self.pictures / f"{index:08d}.jpg", SOURCE)
        hand = index % len(self.lists["K"])
        camera, joints, vertices = (self.lists[name][hand].astype(float) for name in ("K", "xyz", "verts"))
        wrist, part_map = joints[0], None
        if self.selection.part_maps:
            focal, centre = camera[[0, 1], [0, 1]], camera[:2, 2]
            part_map = draw_parts(vertices, focal, centre, image.shape, "mano")
        return HandSample(
            image=image,
            box=points_box(pixels_of(vertices, camera), image.shape),
            vertices=(vertices - wrist).astype(np.float32) if self.selection.surfaces else None,
            joints=(joints - wrist).astype(np.float32),
            part_map=part_map,
            name=f"{index:08d}",
            camera=camera,
            wrist=wrist,
            bone=float(self.lists["scale"][hand]),
        )  # fmt: skip


def _positive(name: str, values: np.ndarray) -> np.ndarray:
    """Of a list's values those that must be above 0: a matrix's diagonal, a point's depth, a length."""
    if name == "K":
        return np.diagonal(values, axis1=1, axis2=2)
    return values if name == "scale" else values[..., 2]


def pixels_of(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of points (..., 3) m, camera frame, by the camera's matrix (3, 3)."""
    places = points @ camera.T
    return places[..., :2] / np.maximum(places[..., 2:], NEAREST_DEPTH)


def read_list(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers (N, *shape) float32 of a list in JSON; DataError when it is missing, damaged or another."""
    require(path, SOURCE)
    rows = []
    try:
        for value in _values(path.read_text(encoding="utf-8")):
            with np.errstate(over="ignore"):
                row = np.asarray(value, np.float32)
            if row.shape != shape or not np.isfinite(row).all():
                raise ValueError(f"another shape than {shape}, or a number that is not finite")
            rows.append(row)
    except (ValueError, TypeError, OverflowError, RecursionError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as a list of numbers, at entry {len(rows)} ({told(error)}): {SOURCE}"
        ) from error
    return np.stack(rows)


def _values(text: str) -> Iterator[object]:
    """The values of a list in JSON one by one: as a whole the largest file takes gigabytes of memory."""
    decoder, found = json.JSONDecoder(), OPENING.match(text)
    while found is not None:
        value, place = decoder.raw_decode(text, found.end())
        yield value
        found = NEXT.match(text, place)
        if found is not None and found[1] == "]":
            if found.end() == len(text):
                return
            found = None
    raise ValueError("it is not one whole list")
