"""Render the demo's example hands with their truth: `python -m hmnet.data.synthetic.hands.hand_examples`.

They are of the test split, which has poses and skin tones of its own, and belong to nobody, as the people of
`hmnet.data.synthetic.examples` do.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from hmnet.camera import project
from hmnet.data.synthetic.examples import save_example
from hmnet.data.synthetic.hands.hand_model import model_hands
from hmnet.data.synthetic.hands.hand_picture import photograph_hand
from hmnet.data.synthetic.hands.hand_poses import GRASPED, HandPose, sample_poses
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery

SIZE = 320
"""px a side; the networks see a hand at 224."""
EXAMPLES = {
    "relaxed": ("rest", False, 5), "pointing": ("pointing", False, 3),
    "holding": (GRASPED["sphere"], False, 2), "left": ("counting", True, 2),
}  # fmt: skip
"""Title: the kind of pose, whether it is a left hand, and a seed; in the gallery's order."""
MIRROR = np.array([-1, 1, 1], np.float32)
LEAST_PARTS, LEAST_SHARE = 12, 0.5
"""Of a clear hand: parts in view, and its box's longer side over the picture's."""
MOST_SKEWED = 0.05
"""So far, in longer sides of the box, a joint may be from where weak perspective has it: the page lays meshes
over photos so."""


def main() -> None:
    """Write NAME.jpg, NAME.json and NAME.safetensors for every example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("assets/examples/hands"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for place, (name, (kind, is_left, seed)) in enumerate(EXAMPLES.items()):
        sample = clear_hand(kind, seed)
        about = {
            "place": place, "seed": seed, "side": "left" if is_left else "right",
            "source": "rendered by hmnet.data.synthetic.hands.hand_examples",
        }  # fmt: skip
        save_example(options.output, name, in_mirror(sample) if is_left else sample, about)


def clear_hand(kind: str, seed: int) -> Sample:
    """The first clear picture that the seed gives of a hand in a pose of that kind, of the test split."""
    generator = np.random.default_rng(seed)
    scenery = Scenery([], size=SIZE, occluded=0)
    while True:
        (hand,) = model_hands([_pose(kind, generator)], generator, test=True, occluded=0)
        sample = photograph_hand(hand, scenery, generator)
        if sample is not None and _clear(sample, holding=kind in GRASPED.values()):
            return sample


def in_mirror(sample: Sample) -> Sample:
    """The picture of the other hand: everything of it in a mirror."""
    width = sample.image.shape[1]
    x0, y0, x1, y1 = sample.box
    scale, across, down = sample.camera
    return replace(
        sample,
        image=sample.image[:, ::-1],
        part_map=sample.part_map[:, ::-1],
        vertices=sample.vertices * MIRROR,
        joints=sample.joints * MIRROR,
        camera=np.array([scale, width / scale - across, down], np.float32),
        box=np.array([width - x1, y0, width - x0, y1], np.float32),
        keypoints=None,
    )


def _pose(kind: str, generator: np.random.Generator) -> HandPose:
    while True:
        found = [pose for pose in sample_poses(generator, 8, test=True) if pose.kind == kind]
        if found:
            return found[0]


def _clear(sample: Sample, holding: bool) -> bool:
    """The whole hand in the frame, not too near, large, in colour, and bright enough to be looked at."""
    x0, y0, x1, y1 = sample.box
    whole = min(x0, y0) > 4 and max(x1, y1) < SIZE - 4 and max(x1 - x0, y1 - y0) > LEAST_SHARE * SIZE
    # What it holds hides a part of it.
    seen = ("holding" in sample.tags) if holding else "occluded" not in sample.tags
    parts = len(np.unique(sample.part_map)) - 1
    colourful = np.ptp(sample.image.astype(int), axis=-1).mean() > 6
    light = sample.image[sample.part_map > 0].mean()
    skewed = np.abs(project(sample.joints, sample.camera) - sample.keypoints).max()
    flat = skewed < MOST_SKEWED * max(x1 - x0, y1 - y0)
    return flat and whole and seen and colourful and parts >= LEAST_PARTS and 90 < light < 200


if __name__ == "__main__":
    main()
