"""The files of the licensed bodies, SMPL and MANO: where they lie, and their arrays, checked.

They are the user's own: the Max Planck Institute for Intelligent Systems licenses SMPL and MANO to each user
after registration, so that nothing of them is shipped here. Files are found by the names under which they are
distributed, anywhere under one folder.
"""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmnet.body.pickles import read_pickle
from hmnet.errors import BodyError

FOLDER_VARIABLE = "HMNET_BODIES"
"""Environment variable that names the folder of the user's own body files."""
SUFFIXES = (".npz", ".pkl")
SHAPES = 10
"""Shape coefficients that are used; newer files have 300."""


@dataclass(frozen=True)
class BodyFile:
    """What one file of a licensed body is called, where it comes from and how large its mesh is.

    stems: its names without ending, in any case of letters. vertices, faces, joints: V, F and J.
    """

    title: str
    stems: tuple[str, ...]
    site: str
    vertices: int
    faces: int
    joints: int


def _smpl(gender: str, letter: str) -> BodyFile:
    versions = ("v1.1.0", "v1.0.0")
    stems = (f"SMPL_{gender.upper()}", *(f"basicModel_{letter}_lbs_10_207_0_{v}" for v in versions))
    site = "https://smplify.is.tue.mpg.de or https://smpl.is.tue.mpg.de"
    if gender != "neutral":
        site = "https://smpl.is.tue.mpg.de"
    return BodyFile(f"SMPL's {gender} body", stems, site, 6890, 13776, 24)


def _mano(side: str) -> BodyFile:
    return BodyFile(
        f"MANO's {side} hand", (f"MANO_{side.upper()}",), "https://mano.is.tue.mpg.de", 778, 1538, 16
    )


BODY_FILES = {
    "smpl-neutral": _smpl("neutral", "neutral"),
    "smpl-male": _smpl("male", "m"),
    "smpl-female": _smpl("female", "f"),
    "mano-right": _mano("right"),
    "mano-left": _mano("left"),
}


def bodies_folder(folder: str | Path | None = None) -> Path | None:
    """That folder, or else the one that HMNET_BODIES names, or None."""
    folder = folder or os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else None


def body_file(key: str, folder: Path | None) -> Path:
    """Path of the body file of that key of BODY_FILES under the folder of `bodies_folder`.

    A .npz is taken before a .pkl. Raises BodyError that says which file is needed and where to get it.
    """
    wanted = BODY_FILES[key]
    get_it = (
        f"register at {wanted.site}, download it and put {wanted.stems[0]}.pkl (or .npz, or "
        f"{wanted.stems[-1]}.pkl as it is distributed)"
    )
    if folder is None:
        raise BodyError(
            f"{wanted.title} is licensed and not shipped: {get_it} into a folder, "
            f"and name that folder in the environment variable {FOLDER_VARIABLE}."
        )
    if not folder.is_dir():
        raise BodyError(f"{wanted.title} was sought in {folder}, which is no folder: {get_it} into one.")
    names = [(stem + suffix).lower() for stem in wanted.stems for suffix in SUFFIXES]
    found = {path.name.lower(): path for path in sorted(folder.rglob("*"))}
    path = next((found[name] for name in names if name in found), None)
    if path is None:
        raise BodyError(f"{wanted.title} is not in {folder}: {get_it} there.")
    return path


def read_body_file(key: str, path: Path) -> dict[str, np.ndarray]:
    """The arrays of the licensed body of that key from its file; nothing in the file is executed.

    In the body's own frame, y up, m: v_template (V, 3), shapedirs (V, 3, 10), posedirs (V, 3, 9 (J - 1)),
    weights (V, J) and J_regressor (J, V) float32; f (F, 3) and kintree_table (2, J) int64, the parent of the
    root -1; of a hand also hands_mean (3 (J - 1),). Raises BodyError when the file is unreadable or another
    body's.
    """
    wanted = BODY_FILES[key]
    v, f, j = wanted.vertices, wanted.faces, wanted.joints
    sizes = {
        "v_template": (v, 3), "shapedirs": (v, 3, None), "posedirs": (v, 3, 9 * (j - 1)), "weights": (v, j),
        "J_regressor": (j, v), "f": (f, 3), "kintree_table": (2, j),
    }  # fmt: skip
    if key.startswith("mano"):
        sizes["hands_mean"] = (3 * (j - 1),)
    content = read_pickle(path) if path.suffix.lower() == ".pkl" else _read_npz(path, tuple(sizes))
    arrays = {name: _checked(content, name, size, wanted, path) for name, size in sizes.items()}
    arrays["shapedirs"] = arrays["shapedirs"][..., :SHAPES]
    # Written as 2^32 - 1.
    arrays["kintree_table"][0, 0] = -1
    parents = arrays["kintree_table"][0]
    sound = (parents[1:] >= 0).all() and (parents < np.arange(j)).all()
    sound &= arrays["f"].min() >= 0 and arrays["f"].max() < v
    if not sound or not all(np.isfinite(array).all() for array in arrays.values()):
        raise BodyError(
            f"{path}: expected faces of {v} vertices, joints that follow their parents and finite numbers, "
            f"got others: download {wanted.title} again from {wanted.site}."
        )
    return arrays


def _read_npz(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise BodyError(
            f"{path} cannot be read as plain arrays ({error}): if it holds pickled objects, put the .pkl "
            "there as it is distributed, which is read without executing anything."
        ) from error


def _checked(content: dict, name: str, size: tuple, wanted: BodyFile, path: Path) -> np.ndarray:
    """The array of that name, of that size (None: SHAPES or more); float32, or int64 where it counts."""
    if name not in content:
        raise BodyError(f"{path} has no {name!r}: expected the file of {wanted.title} from {wanted.site}.")
    array = np.asarray(content[name])
    if array.ndim == 1 and len(size) == 3 and array.size % (3 * wanted.vertices) == 0:
        # As chumpy keeps some of MANO's.
        array = array.reshape(wanted.vertices, 3, -1)
    counts = name in ("f", "kintree_table")
    fits = array.ndim == len(size) and all(
        have == want if want else have >= SHAPES for have, want in zip(array.shape, size, strict=True)
    )
    if not fits or array.dtype.kind not in ("iu" if counts else "fiu"):
        shape = " x ".join(str(want or f"{SHAPES} or more") for want in size)
        raise BodyError(
            f"{path}: expected {name!r} of {wanted.title} as {shape} numbers, got {array.dtype} "
            f"{' x '.join(map(str, array.shape))}: take the file of {wanted.title} from {wanted.site}."
        )
    return array.astype(np.int64 if counts else np.float32)
