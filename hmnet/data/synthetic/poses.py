"""The pose library: clips and authored anchors, weighted like everyday life, and sampled with variation."""

import argparse
import json
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.anchors import anchor_poses
from hmnet.data.synthetic.limits import clamp, plausible
from hmnet.data.synthetic.motion import motion_files, pybullet_motions, read_clip
from hmnet.data.synthetic.retarget import pose_from_positions
from hmnet.data.synthetic.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    LIMB_JOINTS,
    joint_positions,
    mirror,
    remove_heading,
    rest_positions,
)
from hmnet.errors import DataError

KIND_SHARES = {
    "standing": 0.17, "gesture": 0.12, "carrying": 0.03, "walking": 0.05, "running": 0.03, "sitting": 0.12,
    "floor": 0.04, "kneeling": 0.03, "squatting": 0.025, "bending": 0.025, "reaching": 0.025, "sport": 0.05,
    "riding": 0.02, "balance": 0.04, "dance": 0.035, "lying": 0.015,
    "clip upright": 0.13, "clip active": 0.10, "clip low": 0.04, "clip floor": 0.02,
}  # fmt: skip
"""How often a base pose is of each kind; authored kinds first, then what clips are sorted into."""
DUPLICATE_M = 0.10
HELD_OUT = 10


def _leg(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("hip", "knee", "ankle", "foot"))


def _arm(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("collar", "shoulder", "elbow", "wrist", "hand"))


MIXED_GROUPS = (
    (("spine1", "spine2", "spine3", "neck", "head"), 0.35),
    ((*_leg("left"), *_leg("right")), 0.35),
    (_leg("left"), 0.15),
    (_leg("right"), 0.15),
    (_arm("left"), 0.4),
    (_arm("right"), 0.4),
    (_arm("left")[2:], 0.15),
    (_arm("right")[2:], 0.15),
)
"""Joints that come from another pose together, and how often each group does in a mixed pose."""
NOISE_DEGREES = {
    "pelvis": 4, "hip": 6, "knee": 7, "ankle": 7, "spine1": 3, "spine2": 3, "spine3": 3, "neck": 5, "head": 6,
    "collar": 2.5, "shoulder": 8, "elbow": 9, "wrist": 9, "foot": 3, "hand": 3,
}  # fmt: skip
INTERPOLATED, MIXED, ATTEMPTS = 0.4, 0.4, 4


@dataclass(frozen=True)
class PoseLibrary:
    """Base poses to sample from.

    poses: (N, 24, 3) float32 axis-angle of `skeleton`, heading removed. kinds: (N,) str, a key of
    KIND_SHARES. weights: (N,) float64, sum 1. sources: (N,) str, the clip's or anchor's name.
    """

    poses: np.ndarray
    kinds: np.ndarray
    weights: np.ndarray
    sources: np.ndarray

    @classmethod
    def build(cls, pose_folders: list[Path] | None = None, seed: int = 0) -> "PoseLibrary":
        """From the anchors, the `pybullet` wheel's clips when it is installed, and further folders.

        A file that cannot be read costs a warning, not the library; a folder without clips raises
        DataError. The seed orders the frames, of which the first of each near-duplicate pair is kept.
        """
        wheel = pybullet_motions()
        folders = ([wheel] if wheel else []) + list(pose_folders or [])
        clips, names = _clip_poses([file for folder in folders for file in motion_files(folder)])
        order = np.random.default_rng(seed).permutation(len(clips))
        poses, kinds, titles = anchor_poses()
        poses = remove_heading(np.concatenate([poses, clips[order]]))
        titles = [f"anchor {kind}: {title}" for kind, title in zip(kinds, titles, strict=True)]
        sources = np.array(titles + [names[i] for i in order])
        kept = _distinct(poses, always=len(kinds))
        poses, sources = poses[kept], sources[kept]
        kinds = np.concatenate([np.array(kinds, str), _clip_kinds(poses[len(kinds) :])])
        return cls(poses.astype(np.float32), kinds, _weights(kinds), sources)

    def save(self, path: Path) -> None:
        """Write everything to one .npz file."""
        np.savez_compressed(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> "PoseLibrary":
        """From a file that `save` wrote; DataError when it is missing or of another form."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(*(file[name] for name in ("poses", "kinds", "weights", "sources")))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: expected a pose library written by this package ({error}).") from error

    def part(self, test: bool) -> "PoseLibrary":
        """The base poses kept for tests (a tenth of the sources, by name), or all the others."""
        chosen = np.array([(zlib.crc32(name.encode()) % HELD_OUT == 0) == test for name in self.sources])
        weights = self.weights[chosen] / self.weights[chosen].sum()
        return PoseLibrary(self.poses[chosen], self.kinds[chosen], weights, self.sources[chosen])

    def sample(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Varied poses (count, 24, 3) float32: anchors blended, limbs exchanged, mirrored, with noise; and
        the kinds (count,) str of their base poses.

        Variations whose hands, arms or legs would run through the body are drawn again; after a few
        attempts the pose is kept whole, with a little noise: hands on hips and crossed legs touch by nature.
        """
        base = generator.choice(len(self.poses), count, p=self.weights)
        out = self._blended(generator, base)
        result, bad = out.copy(), np.arange(count)
        for _ in range(ATTEMPTS):
            varied = _noised(generator, self._mixed(generator, out[bad]), 0.2, 1.4)
            good = plausible(varied)
            result[bad[good]] = varied[good]
            bad = bad[~good]
            if len(bad) == 0:
                break
        result[bad] = _noised(generator, out[bad], 0.0, 0.4)
        flipped = generator.random(count) < 0.5
        result[flipped] = mirror(result[flipped])
        return result.astype(np.float32), self.kinds[base]

    def _blended(self, generator: np.random.Generator, base: np.ndarray) -> np.ndarray:
        """Some authored poses moved part of the way to another of their kind."""
        out = self.poses[base].astype(float)
        for row in np.flatnonzero(generator.random(len(base)) < INTERPOLATED):
            kind = self.kinds[base[row]]
            if kind.startswith("clip"):
                continue
            other = generator.choice(np.flatnonzero(self.kinds == kind))
            out[row] = _between(out[row], self.poses[other].astype(float), generator.uniform(0, 0.5))
        return out

    def _mixed(self, generator: np.random.Generator, poses: np.ndarray) -> np.ndarray:
        """Some of the poses with groups of joints taken from other base poses."""
        out = poses.copy()
        mixed = generator.random(len(out)) < MIXED
        for group, share in MIXED_GROUPS:
            rows = np.flatnonzero(mixed & (generator.random(len(out)) < share))
            columns = [JOINT_INDEX[name] for name in group]
            donors = generator.choice(len(self.poses), len(rows), p=self.weights)
            out[np.ix_(rows, columns)] = self.poses[np.ix_(donors, columns)]
        return out


def coverage(library: PoseLibrary, references: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Distance (R,) in mm from each reference, (R, 12, 3) m in LIMB_JOINTS' order, to the nearest sample.

    Mean joint distance after a similarity alignment without reflection. For measuring only.
    """
    columns = [JOINT_INDEX[name] for name in LIMB_JOINTS]
    samples = joint_positions(library.sample(np.random.default_rng(seed), count)[0])[:, columns]
    source = samples - samples.mean(1, keepdims=True)
    distances = []
    for reference in references:
        target = reference - reference.mean(0)
        u, s, vt = np.linalg.svd(np.swapaxes(source, 1, 2) @ target)
        sign = np.ones_like(s)
        sign[:, 2] = np.sign(np.linalg.det(u @ vt))
        scale = (s * sign).sum(1) / (source**2).sum((1, 2))
        aligned = scale[:, None, None] * source @ ((u * sign[:, None]) @ vt)
        distances.append(np.linalg.norm(aligned - target, axis=-1).mean(1).min())
    return 1000 * np.array(distances)


def _clip_poses(files: list[Path]) -> tuple[np.ndarray, list[str]]:
    poses, names = [np.zeros((0, len(JOINT_NAMES), 3))], []
    for file in files:
        try:
            clip = read_clip(file)
        except DataError as error:
            warnings.warn(f"Left out: {error}", stacklevel=3)
            continue
        poses.append(clamp(pose_from_positions(clip.positions, clip.rest)))
        names += [clip.name] * len(clip)
    return np.concatenate(poses), names


def _distinct(poses: np.ndarray, always: int) -> np.ndarray:
    """Indices of poses none of whose kept forerunners has every joint within DUPLICATE_M; some always."""
    positions = joint_positions(poses)
    kept = list(range(always))
    stack = np.empty_like(positions)
    stack[:always] = positions[:always]
    for index in range(always, len(poses)):
        gap = np.linalg.norm(stack[: len(kept)] - positions[index], axis=-1).max(1)
        if len(gap) == 0 or gap.min() > DUPLICATE_M:
            stack[len(kept)] = positions[index]
            kept.append(index)
    return np.array(kept, int)


def _clip_kinds(poses: np.ndarray) -> np.ndarray:
    """Sort clip frames by posture: on the floor, low, active (a leg far out or lifted), or upright."""
    if len(poses) == 0:
        return np.zeros(0, "<U12")
    at = {name: p for name, p in zip(JOINT_NAMES, np.moveaxis(joint_positions(poses), 1, 0), strict=True)}
    rest = rest_positions()
    leg = np.linalg.norm(rest["left_ankle"] - rest["left_hip"])
    trunk = at["neck"] / np.linalg.norm(at["neck"], axis=1, keepdims=True)
    tilt = np.degrees(np.arccos(np.clip(-trunk[:, 1], -1, 1)))
    height = np.maximum(at["left_ankle"][:, 1], at["right_ankle"][:, 1]) / leg
    apart = np.linalg.norm(at["left_ankle"] - at["right_ankle"], axis=1) / leg
    kinds = np.where((apart > 0.75) | (height < 0.85) | (tilt > 35), "clip active", "clip upright")
    kinds = np.where(height < 0.6, "clip low", kinds)
    return np.where(tilt > 65, "clip floor", kinds)


def _weights(kinds: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(kinds))
    for kind, share in KIND_SHARES.items():
        of_kind = kinds == kind
        weights[of_kind] = share / max(of_kind.sum(), 1)
    return weights / weights.sum()


def _between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    start, end = Rotation.from_rotvec(first), Rotation.from_rotvec(second)
    return (start * Rotation.from_rotvec((start.inv() * end).as_rotvec() * share)).as_rotvec()


def _noised(generator: np.random.Generator, poses: np.ndarray, least: float, most: float) -> np.ndarray:
    """The poses with each joint turned at random, by a strength of its own for every pose, within limits."""
    scales = np.radians([_noise_degrees(name) for name in JOINT_NAMES])[:, None]
    noise = generator.normal(0, 1, poses.shape) * scales
    noise *= generator.uniform(least, most, (len(poses), 1, 1))
    turned = Rotation.from_rotvec(poses.reshape(-1, 3)) * Rotation.from_rotvec(noise.reshape(-1, 3))
    return clamp(turned.as_rotvec().reshape(poses.shape))


def _noise_degrees(name: str) -> float:
    return NOISE_DEGREES[name.removeprefix("left_").removeprefix("right_")]


def main(arguments: list[str] | None = None) -> None:
    """Build the library and say what is in it; with --reference, how near it comes to measured poses."""
    parser = argparse.ArgumentParser(prog="python -m hmnet.data.synthetic.poses", description=main.__doc__)
    parser.add_argument("--poses", type=Path, action="append", default=[], help="a folder of clips")
    parser.add_argument("--output", type=Path, help="write the library to this .npz file")
    parser.add_argument("--reference", type=Path, help="JSON of reference joints, quality good or fair used")
    parser.add_argument("--count", type=int, default=50_000, help="samples to compare with the references")
    options = parser.parse_args(arguments)
    library = PoseLibrary.build(options.poses)
    kinds, counts = np.unique(library.kinds, return_counts=True)
    print(f"{len(library.poses)} poses: " + ", ".join(f"{k} {c}" for k, c in zip(kinds, counts, strict=True)))
    if options.output:
        library.save(options.output)
    if options.reference:
        entries = json.loads(options.reference.read_text())
        chosen = {name: e["joints3d"] for name, e in entries.items() if e.get("quality") in ("good", "fair")}
        joints = np.array([[e[joint] for joint in LIMB_JOINTS] for e in chosen.values()], float)
        distance = coverage(library, _at_standard_size(joints), options.count)
        for name, value in zip(chosen, distance, strict=True):
            print(f"{value:6.1f} mm  {name}")
        print(f"median {np.median(distance):.1f} mm over {len(distance)} references, {options.count} samples")


def _at_standard_size(joints: np.ndarray) -> np.ndarray:
    """Scale references (R, 12, 3) to a body of 1.7 m: trunk and mean leg together 1.28 m."""
    shoulders, hips, knees, ankles = joints[:, 0:2], joints[:, 6:8], joints[:, 8:10], joints[:, 10:12]
    legs = np.linalg.norm(hips - knees, axis=-1) + np.linalg.norm(knees - ankles, axis=-1)
    trunk = np.linalg.norm(shoulders.mean(1) - hips.mean(1), axis=-1)
    return joints * (1.28 / (legs.mean(1) + trunk))[:, None, None]


if __name__ == "__main__":
    main()
