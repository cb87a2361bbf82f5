"""Generate shards of synthetic photographs on all cores: `python -m hmnet generate`."""

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from hmnet.data.shards import read_recipe, write_shard
from hmnet.data.synthetic.hands.hand_model import model_hands
from hmnet.data.synthetic.hands.hand_picture import photograph_hand
from hmnet.data.synthetic.hands.hand_poses import sample_poses
from hmnet.data.synthetic.people.garments import Wardrobe
from hmnet.data.synthetic.people.person import populate
from hmnet.data.synthetic.poses.pose_library import PoseLibrary
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery, photograph
from hmnet.errors import DataError, OutputError

SHARD_SIZE = 250
BATCH = 10
BODIES = ("anny", "hand")
HELD_OUT = 10
"""Every tenth background is kept for the test split."""


@dataclass(frozen=True)
class Recipe:
    """What the pictures are made of; written beside the shards.

    count: pictures. seed: the same recipe yields the same bytes. split: "train" or "test"; the test split
    has its own backgrounds, base poses and garments. backgrounds, poses, clothes: folders of photographs,
    motion clips and garments, all of them optional. body: "anny" for people, "hand" for right hands, whose
    test split has its own backgrounds, poses and skin tones.
    """

    count: int
    seed: int = 0
    split: str = "train"
    backgrounds: str | None = None
    poses: tuple[str, ...] = ()
    clothes: str | None = None
    body: str = "anny"

    @property
    def test(self) -> bool:
        """Whether this is the test split."""
        return self.split == "test"


def generate(recipe: Recipe, output: Path, workers: int, part: tuple[int, int] = (0, 1)) -> None:
    """Write all shards that are not there yet, with a progress bar; a killed run resumes by being rerun.

    part: (K, N) makes every Nth shard from the Kth on, so that N machines can share one recipe.
    Raises DataError for a missing folder, an unknown body, options that do not go with it, or an output that
    holds shards of another recipe, and OutputError for an output that cannot be written.
    """
    from tqdm import tqdm

    _check(recipe)
    _claim(recipe, output)
    shards = range((recipe.count + SHARD_SIZE - 1) // SHARD_SIZE)[part[0] :: part[1]]
    sizes = {shard: min(SHARD_SIZE, recipe.count - shard * SHARD_SIZE) for shard in shards}
    tasks = [(recipe, output, shard, size) for shard, size in sizes.items()
             if not shard_file(output, shard).exists()]  # fmt: skip
    total, left = sum(sizes.values()), sum(size for *_, size in tasks)
    with (
        multiprocessing.get_context("spawn").Pool(workers, _start_worker) as pool,
        tqdm(total=total, initial=total - left, unit="image", smoothing=0.05) as bar,
    ):
        for count in pool.imap_unordered(_write, tasks):
            bar.update(count)


def _check(recipe: Recipe) -> None:
    if recipe.body not in BODIES:
        raise DataError(f"Unknown body {recipe.body!r} to render: choose one of {', '.join(BODIES)}.")
    if recipe.body == "hand" and (recipe.poses or recipe.clothes):
        raise DataError("Hands have poses and sleeves of their own: leave --poses and --clothes out.")
    for folder in (recipe.backgrounds, *recipe.poses, recipe.clothes):
        if folder and not Path(folder).is_dir():
            raise DataError(f"{folder} is not a folder: give an existing one or leave the option out.")


def shard_file(output: Path, shard: int) -> Path:
    """Where a shard is kept."""
    return output / f"{shard:05d}.tar"


def _claim(recipe: Recipe, output: Path) -> None:
    """Leave the recipe and the pose library in the output folder, unless another recipe was there first."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        # A recipe of before an option was there had its default.
        theirs = read_recipe(output) and asdict(Recipe(0)) | read_recipe(output)
        # A run may be extended: the count does not change what a full shard holds.
        ours = json.loads(json.dumps(asdict(replace(recipe, count=theirs.get("count", recipe.count)))))
        theirs = json.loads(json.dumps(theirs))
        if theirs and theirs != ours:
            changed = ", ".join(name for name in ours if theirs.get(name) != ours[name])
            raise DataError(
                f"{output} holds shards of another recipe (it differs in: {changed}): choose another folder, "
                "or give the options of the first run."
            )
        if theirs and recipe.count != theirs["count"] and theirs["count"] % SHARD_SIZE:
            raise DataError(
                f"{output} was made for {theirs['count']} pictures, which do not fill whole shards of "
                f"{SHARD_SIZE}, so {recipe.count} cannot follow: choose another folder."
            )
        library_file = output / "poses.npz"
        if recipe.body == "anny" and not library_file.exists():
            folders = [Path(folder) for folder in recipe.poses]
            # A test set must not hang on which packages happen to be installed.
            PoseLibrary.build(folders, recipe.seed, wheel=not recipe.test).save(library_file)
        (output / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1))
    except OSError as error:
        raise OutputError(f"{output} cannot be written ({error.strerror}): choose another folder.") from error


def _start_worker() -> None:
    import torch

    torch.set_num_threads(1)


def _write(task: tuple[Recipe, Path, int, int]) -> int:
    recipe, output, shard, size = task
    generator = np.random.default_rng([recipe.seed, shard, recipe.test])
    return write_shard(shard_file(output, shard), _samples(recipe, output, size, generator), generator)


def _samples(recipe: Recipe, output: Path, size: int, generator: np.random.Generator) -> Iterator[Sample]:
    scenery = Scenery.load(Path(recipe.backgrounds) if recipe.backgrounds else None)
    scenery.backgrounds = [
        photo for index, photo in enumerate(scenery.backgrounds) if (index % HELD_OUT == 0) == recipe.test
    ]
    if recipe.body == "hand":
        drawn = _hands(recipe, scenery, generator)
    else:
        library = PoseLibrary.load(output / "poses.npz").part(recipe.test)
        drawn = _people(recipe, library, scenery, generator)
    yield from islice((sample for sample in drawn if sample is not None), size)


def _people(
    recipe: Recipe, library: PoseLibrary, scenery: Scenery, generator: np.random.Generator
) -> Iterator[Sample | None]:
    """Pictures of people without end."""
    wardrobe = _wardrobe(recipe.clothes).part(recipe.test)
    while True:
        poses, kinds = library.sample(generator, BATCH)
        for person in populate(poses, kinds, generator, wardrobe):
            yield photograph(person, scenery, generator)


def _hands(recipe: Recipe, scenery: Scenery, generator: np.random.Generator) -> Iterator[Sample | None]:
    """Pictures of hands without end."""
    while True:
        poses = sample_poses(generator, BATCH, recipe.test)
        for hand in model_hands(poses, generator, recipe.test):
            yield photograph_hand(hand, scenery, generator)


@lru_cache(maxsize=1)
def _wardrobe(folder: str | None) -> Wardrobe:
    return Wardrobe.load(Path(folder) if folder else None)
