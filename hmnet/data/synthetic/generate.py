"""Generate shards of synthetic photographs on all cores: `python -m hmnet generate`."""

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hmnet.data.shards import write_shard
from hmnet.data.synthetic.people import populate
from hmnet.data.synthetic.poses import PoseLibrary
from hmnet.data.synthetic.scene import Sample, Scenery, photograph
from hmnet.errors import DataError, OutputError

SHARD_SIZE = 250
BATCH = 10
HELD_OUT = 10
"""Every tenth background is kept for the test split."""


@dataclass(frozen=True)
class Recipe:
    """What the pictures are made of; written beside the shards.

    count: pictures. seed: the same recipe yields the same bytes. split: "train" or "test"; the test split
    has its own backgrounds and base poses. backgrounds, poses: folders of photographs and motion clips.
    """

    count: int
    seed: int = 0
    split: str = "train"
    backgrounds: str | None = None
    poses: tuple[str, ...] = ()


def generate(recipe: Recipe, output: Path, workers: int) -> None:
    """Write all shards that are not there yet, with a progress bar; a killed run resumes by being rerun.

    Raises DataError for a missing folder and OutputError for an output that cannot be written.
    """
    from tqdm import tqdm

    for folder in (recipe.backgrounds, *recipe.poses):
        if folder and not Path(folder).is_dir():
            raise DataError(f"{folder} is not a folder: give an existing one or leave the option out.")
    try:
        output.mkdir(parents=True, exist_ok=True)
        library_file = output / "poses.npz"
        if not library_file.exists():
            PoseLibrary.build([Path(p) for p in recipe.poses], recipe.seed).save(library_file)
        (output / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1))
    except OSError as error:
        raise OutputError(f"{output} cannot be written ({error.strerror}): choose another folder.") from error
    shards = range((recipe.count + SHARD_SIZE - 1) // SHARD_SIZE)
    tasks = [(recipe, output, shard) for shard in shards if not _shard_file(output, shard).exists()]
    done = len(shards) - len(tasks)
    with (
        multiprocessing.get_context("spawn").Pool(workers, _start_worker) as pool,
        tqdm(total=recipe.count, initial=done * SHARD_SIZE, unit="image", smoothing=0.05) as bar,
    ):
        for count in pool.imap_unordered(_write, tasks):
            bar.update(count)


def _start_worker() -> None:
    import torch

    torch.set_num_threads(1)


def _shard_file(output: Path, shard: int) -> Path:
    return output / f"{shard:05d}.tar"


def _write(task: tuple[Recipe, Path, int]) -> int:
    recipe, output, shard = task
    size = min(SHARD_SIZE, recipe.count - shard * SHARD_SIZE)
    generator = np.random.default_rng([recipe.seed, shard, recipe.split == "test"])
    return write_shard(_shard_file(output, shard), _samples(recipe, output, size, generator), generator)


def _samples(recipe: Recipe, output: Path, size: int, generator: np.random.Generator) -> Iterator[Sample]:
    scenery = Scenery.load(Path(recipe.backgrounds) if recipe.backgrounds else None)
    test = recipe.split == "test"
    scenery.backgrounds = [b for i, b in enumerate(scenery.backgrounds) if (i % HELD_OUT == 0) == test]
    library = PoseLibrary.load(output / "poses.npz").part(test)
    made = 0
    while made < size:
        poses, kinds = library.sample(generator, BATCH)
        for person in populate(poses, kinds, generator):
            sample = photograph(person, scenery, generator)
            if sample is not None and made < size:
                made += 1
                yield sample
