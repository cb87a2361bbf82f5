"""Render the demo's example photos with their ground truth: `python -m hmnet.data.synthetic.examples`.

Bodies, clothes and rooms are all arithmetic, so the pictures belong to nobody and show nobody.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from hmnet.body import PART_INDEX
from hmnet.data.synthetic.people.person import populate
from hmnet.data.synthetic.poses.anchors import anchor_poses
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery, photograph

SIZE = 640
SEEDS = {
    "waving": 204, "running": 200, "walking": 203, "sitting": 204, "kneeling": 200, "reaching": 202,
    "balance": 201, "at ease": 201,
}  # fmt: skip
"""In the gallery's order; the page opens with the first."""


def main() -> None:
    """Write NAME.jpg, NAME.json and NAME.safetensors for every example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("assets/examples"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for place, (name, seed) in enumerate(SEEDS.items()):
        write_example(options.output, name, seed, place)


def write_example(folder: Path, name: str, seed: int, place: int = 0) -> None:
    """One example: the first clear picture that the seed gives of a pose of that kind."""
    poses, kinds, _ = anchor_poses()
    generator = np.random.default_rng(seed)
    kind = {"waving": "gesture", "at ease": "standing"}.get(name, name)
    chosen = poses[[k == kind for k in kinds]]
    while True:
        (person,) = populate(chosen[generator.integers(len(chosen), size=1)], np.array([kind]), generator)
        scenery = Scenery([], size=SIZE, occluded=0)
        sample = photograph(person, scenery, generator)
        if sample is not None and _clear(sample):
            break
    about = {"place": place, "seed": seed, "source": "rendered by hmnet.data.synthetic.examples"}
    save_example(folder, name, sample, about)


def save_example(folder: Path, name: str, sample: Sample, about: dict) -> None:
    """The three files of an example, named after it; about: what its JSON says beside the title."""
    stem = name.replace(" ", "_")
    Image.fromarray(sample.image).save(folder / f"{stem}.jpg", quality=90)
    arrays = {
        "vertices": sample.vertices.astype(np.float16),
        "joints": sample.joints.astype(np.float16),
        "part_map": sample.part_map,
        "camera": sample.camera,
        "box": sample.box,
    }
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / f"{stem}.safetensors")
    titled = {"title": name.capitalize(), **about}
    (folder / f"{stem}.json").write_text(json.dumps(titled, indent=1) + "\n")


def _clear(sample) -> bool:
    """The whole person in the frame, large, facing us, and bright enough to be looked at."""
    x0, y0, x1, y1 = sample.box
    whole = x0 > 4 and y0 > 4 and x1 < SIZE - 4 and y1 < SIZE - 4 and y1 - y0 > 0.6 * SIZE
    person = sample.image[sample.part_map > 0]
    parts = len(np.unique(sample.part_map))
    front = np.count_nonzero(sample.part_map == PART_INDEX["torso front"])
    frontal = front > 2 * np.count_nonzero(sample.part_map == PART_INDEX["torso back"])
    colourful = np.ptp(sample.image.astype(int), axis=-1).mean() > 6
    return whole and frontal and colourful and parts > 16 and 90 < person.mean() < 190


if __name__ == "__main__":
    main()
