"""The pose library: clips and authored anchors, weighted like everyday life, and sampled with variation."""

import re
import warnings
import zlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from hmnet.data.synthetic.poses.anchors import anchor_poses
from hmnet.data.synthetic.poses.clearance import eased, plausible
from hmnet.data.synthetic.poses.limits import clamp
from hmnet.data.synthetic.poses.motion import motion_files, pybullet_motions, read_clip
from hmnet.data.synthetic.poses.retarget import pose_from_positions
from hmnet.data.synthetic.poses.skeleton import (
    JOINT_NAMES,
    joint_positions,
    mirror,
    remove_heading,
    rest_positions,
)
from hmnet.data.synthetic.poses.variation import LIMBS, blend, drifted, exchange, neighbours, noised
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
        kept = distinct(poses, always=len(kinds))
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


def distinct(poses: np.ndarray, always: int) -> np.ndarray:
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
