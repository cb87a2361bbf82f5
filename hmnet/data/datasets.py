"""Datasets by name, each from its own files: the paper's SURREAL, UP-3D and Human3.6M, and FreiHAND.

`open_dataset("surreal", root)` gives a sequence of `DatasetSample`, read one by one as they are asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmnet.data.dataset_sample import DatasetSample, Selection
from hmnet.data.freihand import FreiHAND
from hmnet.data.human36m import Human36M
from hmnet.data.surreal import Surreal
from hmnet.data.up3d import UP3D
from hmnet.errors import DataError


@dataclass(frozen=True)
class Preset:
    """How the paper trains on a set (section 4): Adam at this rate, with batches of this size."""

    batch: int
    rate: float = 1e-4


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset as a row of the registry.

    title: for a person. table: of the paper, None for a set that it does not have. splits: the first is
    trained on. measured: the split that errors are measured on unless told otherwise. protocols: of the other
    splits what is taken, in a few words. preset: the paper's training, None for a set that is only measured
    on. reader: opens a `Selection`; what it gives has `joint_names`, and `left_out`, the count of samples
    that cannot be used. body: what its surfaces are, "SMPL" or "MANO".
    """

    title: str
    table: int | None
    splits: tuple[str, ...]
    measured: str
    protocols: dict[str, str]
    preset: Preset | None
    reader: Callable[[Path, Selection], Sequence[DatasetSample]]
    body: str = "SMPL"


DATASETS = {
    "surreal": DatasetInfo(
        "SURREAL", 1, ("train", "val", "test"), "val",
        {"val": "each fifth frame of run0, as the authors' code measures",
         "test": "the middle frame of each sequence's middle clip, as BodyNet measures"},
        Preset(batch=64), Surreal,
    ),
    "up3d": DatasetInfo(
        "UP-3D", 2, ("train", "val", "test"), "val",
        {"val": "all pictures, as the authors' code measures", "test": "all pictures"},
        Preset(batch=16), UP3D,
    ),
    "human36m": DatasetInfo(
        "Human3.6M", 3, ("train", "test"), "test",
        {"test": "Protocol 2: subjects 9 and 11, frontal camera, each fifth frame; its figure is PA joint"},
        Preset(batch=64), Human36M,
    ),
    "freihand": DatasetInfo(
        "FreiHAND", None, ("train", "evaluation"), "evaluation",
        {"evaluation": "all pictures, by the measures of the authors' eval.py"},
        None, FreiHAND, body="MANO",
    ),
}  # fmt: skip


def open_dataset(
    name: str,
    root: str | Path,
    split: str | None = None,
    *,
    every: int | None = None,
    runs: Sequence[int] = (0,),
    surfaces: bool = True,
    part_maps: bool = False,
) -> Sequence[DatasetSample]:
    """The samples of a dataset's split (default: the one that is measured on).

    root: the set's folder. The other options are those of `hmnet.data.dataset_sample.Selection`. Raises
    DataError for an unknown set or split, and where files are missing or wrong; opening looks at the split's
    index alone, so a sample's own files may still raise DataError, ImageError or BodyError when it is read.
    """
    info = info_of(name)
    split = info.measured if split is None else split
    if split not in info.splits:
        raise DataError(f"{info.title} has no split {split!r}: choose one of {', '.join(info.splits)}.")
    if not Path(root).is_dir():
        raise DataError(f"There is no folder {root}: give the folder of {info.title} as --root.")
    return info.reader(Path(root), Selection(split, every, tuple(runs), surfaces, part_maps))


def info_of(name: str) -> DatasetInfo:
    """The registry's row; DataError names the sets there are."""
    if name not in DATASETS:
        raise DataError(f"Unknown dataset {name!r}: choose one of {', '.join(DATASETS)}.")
    return DATASETS[name]


def shared_joints(joint_names: Sequence[str], body_names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Which joints of a set a body names as well: their places in the set and in the body."""
    shared = [name for name in joint_names if name in body_names]
    return [list(joint_names).index(name) for name in shared], [list(body_names).index(n) for n in shared]
