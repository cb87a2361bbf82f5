"""Render a clip of somebody who moves, and its truth: `python -m hmnet.data.synthetic.film --output X.mp4`.

One person in the same clothes, place and light in every frame, before a camera that stands still. Everything
is arithmetic, so the clip belongs to nobody and shows nobody.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from safetensors.numpy import save_file
from scipy.spatial.transform import Rotation

from hmnet.body.template import load_body
from hmnet.data.synthetic.people.person import Person, populate
from hmnet.data.synthetic.poses.cycles import MOVEMENTS, STEPS, STRIDE, moving_pose
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery, photograph
from hmnet.data.synthetic.scenes.viewpoint import View, stage_axes
from hmnet.errors import DataError

SIZE = 480
SHARE = 0.62
"""Of the frame's height, what the person fills who stands where the camera is aimed at."""
DISTANCE = 4.6
"""m, from the camera to there."""
KINDS = {"walking": "walking", "waving": "gesture", "exercising": "sport"}


@dataclass(frozen=True)
class Moment:
    """Where somebody is: m to the right of where the camera is aimed and m away from it, and the heading in
    radians, 0 towards the camera, positive to its right."""

    aside: float
    away: float
    heading: float


def film(movement: str, seconds: float, rate: int, seed: int = 0, size: int = SIZE) -> Iterator[Sample]:
    """The frames as samples of `size` px, from the first on.

    Raises DataError for an unknown movement, and for a seed whose place hides the person.
    """
    if movement not in MOVEMENTS:
        raise DataError(f"Unknown movement {movement!r}: choose one of {', '.join(MOVEMENTS)}.")
    still = _person(np.zeros((24, 3), np.float32), KINDS[movement], seed)
    facing, view = _heading(still), _view(still, size)
    for frame in range(round(seconds * rate)):
        now = frame / rate
        moment = _moment(movement, now, seconds)
        person = _person(moving_pose(movement, now), KINDS[movement], seed)
        person = _turned(person, Rotation.from_rotvec((moment.heading - facing) * person.up))
        # Equal seeds: the same place and light, and nothing in front of the person.
        scenery = Scenery([], size=size, occluded=0)
        sample = photograph(_shifted(person, view, moment), scenery, np.random.default_rng([seed, 1]), view)
        if sample is None:
            raise DataError(f"The place of seed {seed} hides the person at {now:.2f} s: choose another seed.")
        yield _seen_along_its_ray(sample, person, view, moment)


def write_film(path: Path, samples: list[Sample], rate: int) -> None:
    """The frames as H.264, and beside them their truth as .safetensors, by the names of `Sample`: vertices
    (F, V, 3) as float16, joints (F, J, 3), camera (F, 3) and box (F, 4)."""
    height, width = samples[0].image.shape[:2]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options={"crf": "24", "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for sample in samples:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sample.image, "rgb24")))
        container.mux(stream.encode())
    names = ("vertices", "joints", "camera", "box")
    # Contiguous: safetensors writes an array's memory as it lies.
    truth = {name: np.ascontiguousarray([getattr(sample, name) for sample in samples]) for name in names}
    truth["vertices"] = truth["vertices"].astype(np.float16)
    save_file(truth, path.with_suffix(".safetensors"), {"rate": str(rate)})


def _person(pose: np.ndarray, kind: str, seed: int) -> Person:
    """Whoever the seed gives, in that pose (24, 3)."""
    (person,) = populate(pose[None], np.array([kind]), np.random.default_rng(seed))
    return person


def _moment(movement: str, now: float, seconds: float) -> Moment:
    if movement != "walking":
        return Moment(0.12 * math.sin(now), 0.0, 0.25 * math.sin(0.8 * now))
    # Towards the camera on a winding path, past where it is aimed.
    speed, bend, turn = STEPS * STRIDE, 0.5, 2 * math.pi / 4.6
    away = speed * (0.64 * seconds - now)
    sideways = bend * turn * math.cos(turn * now)
    return Moment(bend * math.sin(turn * now), away, math.atan2(sideways, speed))


def _heading(person: Person) -> float:
    """Where a person faces, as in `Moment`."""
    body = load_body()
    left, right = (person.joints[body.joint_index(f"{side}_hip")] for side in ("left", "right"))
    forward = np.cross(left - right, person.up)
    return math.atan2(forward[0], -forward[2])


def _view(person: Person, size: int) -> View:
    heights = person.surface.vertices @ person.up
    focal = SHARE * size * DISTANCE / float(np.ptp(heights))
    middle = float(heights.max() + heights.min()) / 2
    centre = np.array([size / 2, size / 2 + middle * focal / DISTANCE])
    return View(focal, centre, DISTANCE, size, stage_axes(person.up, 0.2), float(heights.min()), 0.2)


def _turned(person: Person, turn: Rotation) -> Person:
    surface = replace(
        person.surface,
        vertices=turn.apply(person.surface.vertices).astype(np.float32),
        normals=turn.apply(person.surface.normals).astype(np.float32),
    )
    return replace(
        person, template=turn.apply(person.template), joints=turn.apply(person.joints), surface=surface
    )


def _way(person: Person, view: View, moment: Moment) -> np.ndarray:
    """From where the camera is aimed to the person's root (3,), with a foot on the ground."""
    up = person.up
    level = stage_axes(up)
    lowest = float((person.surface.vertices @ up).min())
    return moment.aside * level[0] + moment.away * level[2] + (view.ground - lowest) * up


def _shifted(person: Person, view: View, moment: Moment) -> Person:
    vertices = person.surface.vertices + _way(person, view, moment).astype(np.float32)
    return replace(person, surface=replace(person.surface, vertices=vertices))


def _seen_along_its_ray(sample: Sample, person: Person, view: View, moment: Moment) -> Sample:
    """The sample with its truth in the frame of the viewing ray through the person's own root."""
    root = _way(person, view, moment) + np.array([0.0, 0.0, view.distance])
    ray = root / np.linalg.norm(root)
    axis = np.cross(ray, [0.0, 0.0, 1.0])
    angle = math.atan2(np.linalg.norm(axis), ray[2])
    turn = Rotation.from_rotvec(angle * axis / max(np.linalg.norm(axis), 1e-9))
    scale = view.focal / root[2]
    place = view.centre + scale * root[:2]
    return replace(
        sample,
        vertices=turn.apply(person.template).astype(np.float32),
        joints=turn.apply(person.joints).astype(np.float32),
        camera=np.array([scale, *(place / scale)], np.float32),
    )


def main(arguments: list[str] | None = None) -> None:
    """Write a clip and its truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.mp4")
    parser.add_argument("--movement", choices=tuple(MOVEMENTS), default="walking")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=int, default=25, help="frames a second (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another person, place and light")
    parser.add_argument("--size", type=int, default=SIZE, help="px a side (default %(default)s)")
    options = parser.parse_args(arguments)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    samples = list(film(options.movement, options.seconds, options.rate, options.seed, options.size))
    write_film(options.output, samples, options.rate)


if __name__ == "__main__":
    main()
