"""What a pose library holds, how near it comes to measured poses: `python -m hmnet.data.synthetic.poses`."""

import argparse
import json
from pathlib import Path

import numpy as np

from hmnet.data.synthetic.poses.pose_library import DUPLICATE_M, PoseLibrary, distinct
from hmnet.data.synthetic.poses.skeleton import JOINT_INDEX, LIMB_JOINTS, joint_positions, rest_positions


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
            f"{len(distinct(library.poses, 0))} of them distinct at {100 * DUPLICATE_M:.0f} cm",
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
