"""The pose library: clips and authored anchors, weighted like everyday life, and sampled with variation."""

import argparse
import json
import re
import warnings
import zlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from hmnet.data.synthetic.anchors import anchor_poses
from hmnet.data.synthetic.clearance import eased, plausible
from hmnet.data.synthetic.limits import clamp
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
from hmnet.data.synthetic.variation import LIMBS, blend, drifted, exchange, neighbours, noised
from hmnet.errors import DataError

KIND_SHARES = {
    "standing": 0.17, "gesture": 0.15, "sitting": 0.19, "walking": 0.06, "running": 0.04, "carrying": 0.03,
    "bending": 0.02, "reaching": 0.02, "riding": 0.02, "sport": 0.045, "balance": 0.02, "dance": 0.03,
    "floor": 0.025, "kneeling": 0.015, "squatting": 0.015, "lying": 0.02,
    "clip upright": 0.08, "clip active": 0.03, "clip low": 0.01, "clip floor": 0.01,
}  # fmt: skip
"""How often a base pose is of each kind, as in ordinary photos of people: standing and gestures 40 %,
sitting 19, walking and running 10, sport and dance 12, near the floor 9. What clips are sorted into last."""
DUPLICATE_M = 0.10
HELD_OUT = 10
INTERPOLATED, MIXED, ATTEMPTS = 0.5, 0.65, 5
DRIFTED, MOST_DRIFT, MOST_NOISE = 0.5, 0.7, 1.3
"""Share of limbs that go part of the way to another pose of the kind, how far at most; strongest noise."""
SESSION = re.compile(r"(?:humanoid3d_)?(\d+|[^\W\d_]+)")
"""A clip's subject or session: the number (CMU's subject) or word that its name begins with."""


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
    def build(
        cls, pose_folders: list[Path] | None = None, seed: int = 0, wheel: bool = True
    ) -> "PoseLibrary":
        """From the anchors, the `pybullet` wheel's clips (if wanted and installed), and further folders.

        A file that cannot be read costs a warning, not the library; a folder without clips raises
        DataError. The seed orders the frames, of which the first of each near-duplicate pair is kept.
        """
        installed = pybullet_motions() if wheel else None
        folders = ([installed] if installed else []) + list(pose_folders or [])
        clips, names = _clip_poses([file for folder in folders for file in motion_files(folder)])
        order = np.random.default_rng(seed).permutation(len(clips))
        poses, kinds, titles = anchor_poses()
        poses = remove_heading(np.concatenate([poses, clips[order]]))
        titles = [f"anchor {kind}: {title}" for kind, title in zip(kinds, titles, strict=True)]
        sources = np.array(titles + [names[i] for i in order])
        kept = _distinct(poses, always=len(kinds))
        poses, sources = eased(poses[kept]), sources[kept]
        kinds = np.concatenate([np.array(kinds, str), _clip_kinds(poses[len(kinds) :])])
        return cls(poses.astype(np.float32), kinds, _weights(kinds), sources)

    def save(self, path: Path) -> None:
        """Write everything to one .npz file."""
        np.savez_compressed(path, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "PoseLibrary":
        """From a file that `save` wrote; DataError when it is missing or of another form."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(*(file[name] for name in ("poses", "kinds", "weights", "sources")))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: expected a pose library written by this package ({error}).") from error

    def part(self, test: bool) -> "PoseLibrary":
        """The base poses kept for tests, about a tenth, or all the others.

        Split by subject or session, so that no near twin of a test pose is trained on: all clips whose
        names begin with the same number or word stay together, and are told by a hash of it, whatever else
        is in the library. Anchors are split one by one, a tenth of each kind and at least one. Blends and
        exchanged limbs come from the same part, since `sample` sees nothing else.
        """
        chosen = _held_out(self.sources) == test
        kinds = self.kinds[chosen]
        return PoseLibrary(self.poses[chosen], kinds, _weights(kinds), self.sources[chosen])

    def sample(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Varied poses (count, 24, 3) float32: blended, limbs exchanged, mirrored, with noise; and the kinds
        (count,) str of their base poses.

        Arms that reach into the body are turned out of it; variations that run through themselves all the
        same are drawn again from another base pose of that kind, and the last few kept nearly as they are.
        """
        base = generator.choice(len(self.poses), count, p=self.weights)
        result = np.empty((count, len(JOINT_NAMES), 3))
        open_rows = np.arange(count)
        for attempt in range(ATTEMPTS):
            varied = self._varied(generator, base[open_rows], calm=attempt == ATTEMPTS - 1)
            result[open_rows] = varied
            open_rows = open_rows[~plausible(varied)]
            if len(open_rows) == 0:
                break
            base[open_rows] = self._many_like(generator, base[open_rows])
        flipped = generator.random(count) < 0.5
        result[flipped] = mirror(result[flipped])
        return result.astype(np.float32), self.kinds[base]

    def rejected(self, generator: np.random.Generator, count: int) -> float:
        """Share of first variations that run through themselves and are drawn again."""
        base = generator.choice(len(self.poses), count, p=self.weights)
        return float(1 - plausible(self._varied(generator, base, calm=False)).mean())

    def _varied(self, generator: np.random.Generator, base: np.ndarray, calm: bool) -> np.ndarray:
        if calm:
            return eased(noised(generator, self.poses[base].astype(float), 0.0, 0.4))
        poses = self._blended(generator, base)
        poses = exchange(generator, poses, self.poses, self.weights, MIXED)
        alike = np.array([self._many_like(generator, base) for _ in LIMBS])
        poses = drifted(generator, poses, self.poses[alike], DRIFTED, MOST_DRIFT)
        return eased(noised(generator, poses, 0.2, MOST_NOISE))

    def _like(self, generator: np.random.Generator, index: int) -> int:
        return int(generator.choice(self._of_kind[str(self.kinds[index])]))

    def _many_like(self, generator: np.random.Generator, indices: np.ndarray) -> np.ndarray:
        """For each base pose (T,) another of its kind, or itself."""
        kinds, out = self.kinds[indices], indices.copy()
        for kind in np.unique(kinds):
            rows, choice = np.flatnonzero(kinds == kind), self._of_kind[str(kind)]
            out[rows] = choice[generator.integers(0, len(choice), len(rows))]
        return out

    def _blended(self, generator: np.random.Generator, base: np.ndarray) -> np.ndarray:
        """Some poses moved part of the way to a neighbour, or authored ones to another of their kind."""
        out = self.poses[base].astype(float)
        rows = np.flatnonzero(generator.random(len(base)) < INTERPOLATED)
        if len(self.poses) < 2 or len(rows) == 0:
            return out
        near = self._neighbours[base[rows]]
        others = near[np.arange(len(rows)), generator.integers(0, near.shape[1], len(rows))]
        for row in np.flatnonzero(generator.random(len(rows)) < 0.5):
            if not str(self.kinds[base[rows[row]]]).startswith("clip"):
                others[row] = self._like(generator, base[rows[row]])
        shares = generator.uniform(0, 0.6, len(rows))
        out[rows] = blend(out[rows], self.poses[others].astype(float), shares)
        return out

    @cached_property
    def _neighbours(self) -> np.ndarray:
        return neighbours(self.poses)

    @cached_property
    def _of_kind(self) -> dict[str, np.ndarray]:
        return {str(kind): np.flatnonzero(self.kinds == kind) for kind in np.unique(self.kinds)}


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


def _held_out(sources: np.ndarray) -> np.ndarray:
    """(N,) bool: whose poses are kept for tests, told by their sources' names alone."""
    anchors: dict[str, list[str]] = {}
    for name in sources:
        if name.startswith("anchor "):
            anchors.setdefault(name.split(":")[0], []).append(str(name))
    held = set()
    for names in anchors.values():
        by_hash = sorted(set(names), key=lambda name: zlib.crc32(name.encode()))
        held |= set(by_hash[: -(-len(by_hash) // HELD_OUT)])
    return np.array([name in held if name.startswith("anchor ") else _held_session(name) for name in sources])


def _held_session(clip: str) -> bool:
    match = SESSION.match(clip)
    # With this salt the tenth holds every clip kind of the sources that README names.
    return zlib.crc32(f"subject: {match[1] if match else clip}".encode()) % HELD_OUT == 0


def _at_standard_size(joints: np.ndarray) -> np.ndarray:
    """Scale references (R, 12, 3) to a body of 1.7 m: trunk and mean leg together 1.28 m."""
    shoulders, hips, knees, ankles = joints[:, 0:2], joints[:, 6:8], joints[:, 8:10], joints[:, 10:12]
    legs = np.linalg.norm(hips - knees, axis=-1) + np.linalg.norm(knees - ankles, axis=-1)
    trunk = np.linalg.norm(shoulders.mean(1) - hips.mean(1), axis=-1)
    return joints * (1.28 / (legs.mean(1) + trunk))[:, None, None]


def describe(library: PoseLibrary, count: int = 20_000, seed: int = 0) -> str:
    """Distinct poses, and of that many samples: shares of kinds, of upright poses, of first ones rejected."""
    generator = np.random.default_rng(seed)
    poses, drawn = library.sample(generator, count)
    kinds, counts = np.unique(drawn, return_counts=True)
    shares = ", ".join(f"{kinds[i]} {100 * counts[i] / count:.1f} %" for i in np.argsort(-counts))
    bases = dict(zip(*np.unique(library.kinds, return_counts=True), strict=True))
    return "\n".join(
        (
            f"{len(library.poses)} base poses: " + ", ".join(f"{kind} {n}" for kind, n in bases.items()),
            f"{len(_distinct(library.poses, 0))} of them distinct at {100 * DUPLICATE_M:.0f} cm",
            f"drawn: {shares}",
            f"upright: {100 * _upright(poses).mean():.1f} % of {count} samples",
            f"rejected for self-penetration: {100 * library.rejected(generator, count):.1f} % of first draws",
        )
    )


def _upright(poses: np.ndarray) -> np.ndarray:
    """(T,) bool: trunk within 35 degrees of the vertical, an ankle at least 0.6 of a leg below the hips."""
    positions = joint_positions(poses)
    neck = positions[:, JOINT_INDEX["neck"]]
    ankles = positions[:, [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]]
    leg = np.linalg.norm(rest_positions()["left_ankle"] - rest_positions()["left_hip"])
    level = -neck[:, 1] / np.linalg.norm(neck, axis=1) > np.cos(np.radians(35))
    return level & (ankles[:, :, 1].max(1) > 0.6 * leg)


def main(arguments: list[str] | None = None) -> None:
    """Build the library and say what is in it; with --reference, how near it comes to measured poses."""
    parser = argparse.ArgumentParser(prog="python -m hmnet.data.synthetic.poses", description=main.__doc__)
    parser.add_argument("--poses", type=Path, action="append", default=[], help="a folder of clips")
    parser.add_argument("--output", type=Path, help="write the library to this .npz file")
    parser.add_argument("--reference", type=Path, help="JSON of reference joints, quality good or fair used")
    parser.add_argument("--count", type=int, default=50_000, help="samples to compare with the references")
    options = parser.parse_args(arguments)
    library = PoseLibrary.build(options.poses)
    print(describe(library))
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


if __name__ == "__main__":
    main()
