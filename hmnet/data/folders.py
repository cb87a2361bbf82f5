"""Which shards a run trains on, all or a part of those in one or more folders, and reading them at once."""

import multiprocessing
from pathlib import Path

from hmnet.data.shards import StoredSample, read_recipe, read_shards, shard_paths
from hmnet.errors import DataError


def training_shards(folders: list[Path] | None, part: str = "0/1", body: str = "anny") -> list[Path]:
    """The shards of all folders, one folder after the other, every Nth from K on with part "K/N".

    Raises DataError when there is no folder or no shard in one, when two hold the same pictures, when one
    shows another body, and for a part that is none.
    """
    if not folders:
        raise DataError("--data is missing: give the folder that `python -m hmnet generate` wrote.")
    first, step = _part(part)
    paths = {folder: shard_paths(folder) for folder in folders}
    for folder in folders:
        shown = read_recipe(folder).get("body", "anny")
        if shown != body:
            raise DataError(f"The pictures in {folder} are of body {shown}, not {body}: give --body {shown}.")
    _check_different(paths)
    return [path for found in paths.values() for path in found][first::step]


def read_samples(paths: list[Path], workers: int = 0) -> list[StoredSample]:
    """All samples of the shards in order, read by `workers` processes (0: by this one).

    One core reads about 1,800 samples a second. Raises DataError for a shard that is not ours.
    """
    if not workers:
        return list(read_shards(paths))
    with multiprocessing.get_context("spawn").Pool(min(workers, len(paths))) as pool:
        return [sample for samples in pool.imap(_read, paths) for sample in samples]


def _read(path: Path) -> list[StoredSample]:
    return list(read_shards([path]))


def _part(text: str) -> tuple[int, int]:
    """K and N of "K/N"; DataError for anything else."""
    try:
        first, step = (int(number) for number in text.split("/"))
    except ValueError:
        first, step = 0, 0
    if not 0 <= first < step:
        raise DataError(f"Expected --part as K/N with 0 <= K < N, got {text!r}.")
    return first, step


def _check_different(paths: dict[Path, list[Path]]) -> None:
    """DataError when a recipe made shards of the same name in two folders: those are the same pictures."""
    seen: dict[str, Path] = {}
    for folder, shards in paths.items():
        recipe = {name: value for name, value in read_recipe(folder).items() if name != "count"}
        for shard in shards if recipe else ():
            other = seen.setdefault(f"{shard.name} {recipe}", folder)
            if other != folder:
                raise DataError(
                    f"{other / shard.name} and {shard} hold the same pictures: generate the shards of each "
                    "machine with a --seed of its own."
                )
