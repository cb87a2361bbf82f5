"""3D joints found in real photos against reference poses: pose, direction and place in the picture.

A reference file is JSON: a photo's stem -> its entry. An entry has "quality", a word, and by the names of the
twelve limb joints "joints3d", points of any unit in the camera frame (x right, y down, z away), with
"visibility", confidences in [0, 1]. Where there are any, it has "joints2d" in px of the photo as well, and
"gt_joints3d", measured points.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hmnet.errors import DataError
from hmnet.metrics import point_errors, similarity_fit

JOINTS = tuple(
    f"{side}_{limb}"
    for limb in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
INDEX = {name: index for index, name in enumerate(JOINTS)}
TRUNK_AND_LEG = 1.28
"""m; of a body of 1.7 m, the size that every reference is brought to."""
LEAST_VISIBILITY = 0.5
NEAR = 0.2
"""A keypoint is right within this share of the torso's length in the picture."""
MISS_ERROR, MISS_ROTATION = 300.0, 180.0
"""mm and degrees that a photo counts in which nobody was found."""


@dataclass(frozen=True)
class Reference:
    """A photo's reference pose.

    joints: (12, 3) m, of a body of 1.7 m. seen: (12,) bool, the joints that count. keypoints: (12, 2) px, or
    None where the photo has none.
    """

    joints: np.ndarray
    seen: np.ndarray
    keypoints: np.ndarray | None


@dataclass(frozen=True)
class PhotoScore:
    """How near a prediction is to a photo's reference.

    error: mean joint error after alignment, mm. rotation: degrees that the alignment had to turn the body by;
    0 is right as seen from the camera. near: share of keypoints in place, without any alignment.
    """

    name: str
    error: float
    rotation: float
    near: float

    @property
    def missed(self) -> bool:
        """Whether nobody was found."""
        return self.error == MISS_ERROR


def read_reference(
    path: Path, qualities: Collection[str], ground_truth: bool = False, only: Collection[str] | None = None
) -> dict[str, Reference]:
    """The references of a file by the photos' stems, in the file's order: those of the qualities named.

    ground_truth: the measured poses instead, of all photos that have one, every joint counting. only: the
    stems to keep. Raises DataError for a file that is missing or not of the module's form, for a stem that it
    does not name, and when nothing is left.
    """
    entries = _read_entries(path)
    unknown = sorted(set(only or ()) - set(entries))
    if unknown:
        raise DataError(f"{path} has no photo {', '.join(unknown)}: give stems that it names with --only.")
    key = "gt_joints3d" if ground_truth else "joints3d"
    references = {}
    for name, entry in entries.items():
        try:
            wanted = (only is None or name in only) and key in entry
            if wanted and (ground_truth or entry["quality"] in qualities):
                references[name] = _reference(entry, key, ground_truth)
        except (LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"The entry {name!r} of the reference {path} is not of the expected form ({error!r}): "
                "mend it or leave it out."
            ) from error
    if not references:
        kind = "with ground truth" if ground_truth else f"of quality {' or '.join(qualities)}"
        raise DataError(f"{path} has no photo {kind} to use: choose others with --quality or --only.")
    return references


def score_photo(
    name: str,
    reference: Reference,
    joints: Mapping[str, Sequence[float]],
    keypoints: Mapping[str, Sequence[float]],
) -> PhotoScore:
    """The score of joints by name, in m of the camera frame, and of keypoints by name, in px of the photo.

    A miss where a joint is absent or not finite; where a keypoint is absent none is in place.
    """
    source = _points(joints, 3)
    if source is None or not np.isfinite(source).all():
        return PhotoScore(name, MISS_ERROR, MISS_ROTATION, 0.0)
    found, target = (torch.from_numpy(points[reference.seen]) for points in (source, reference.joints))
    aligned, rotation = similarity_fit(found, target)
    cosine = (float(rotation.trace()) - 1) / 2
    return PhotoScore(
        name,
        error=float(point_errors(aligned, target).mean()),
        rotation=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        near=_share_near(reference, _points(keypoints, 2)),
    )


def score_lines(scores: Sequence[PhotoScore]) -> list[str]:
    """A line a photo, the worst first, and one with the medians over all of them, misses included."""
    lines = [
        f"{score.name[:56]:56s} pa {score.error:6.1f} mm  rot {score.rotation:4.0f} deg  pck {score.near:.2f}"
        + ("  MISSED" if score.missed else "")
        for score in sorted(scores, key=lambda score: -score.error)
    ]
    lines.append(
        f"photos {len(scores)}  missed {sum(score.missed for score in scores)}  "
        f"median pa {np.median([score.error for score in scores]):.1f} mm  "
        f"median rot {np.median([score.rotation for score in scores]):.0f} deg  "
        f"mean pck {np.mean([score.near for score in scores]):.2f}"
    )
    return lines


def _read_entries(path: Path) -> dict[str, dict]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"The reference {path} cannot be read ({error}): give a JSON file of poses by photo."
        ) from error
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise DataError(f"The reference {path} holds no poses by photo: give a JSON object of objects.")
    return entries


def _reference(entry: dict, key: str, ground_truth: bool) -> Reference:
    """The reference that an entry holds; LookupError, TypeError or ValueError where it is malformed."""
    joints = _finite(entry[key], 3)
    seen = np.ones(len(JOINTS), bool)
    if not ground_truth:
        seen = np.array([entry["visibility"][name] >= LEAST_VISIBILITY for name in JOINTS])
    size = _trunk_and_leg(joints)
    if not seen.any() or size == 0:
        raise ValueError("no joint is seen, or all are in one place")
    keypoints = _finite(entry["joints2d"], 2) if "joints2d" in entry else None
    return Reference(joints * (TRUNK_AND_LEG / size), seen, keypoints)


def _finite(named: dict, dimensions: int) -> np.ndarray:
    """The points (12, D) of all joints; ValueError where one is absent or not finite."""
    points = _points(named, dimensions)
    if points is None or not np.isfinite(points).all():
        raise ValueError(f"not {len(JOINTS)} finite points")
    return points


def _points(named: Mapping[str, Sequence[float]], dimensions: int) -> np.ndarray | None:
    """The points (12, D) float64 of the joints among named ones; None where one is absent."""
    if not all(name in named for name in JOINTS):
        return None
    return np.array([named[name] for name in JOINTS], float).reshape(len(JOINTS), dimensions)


def _trunk_and_leg(joints: np.ndarray) -> float:
    """From the middle of the shoulders to that of the hips, and down the mean leg, in the joints' unit."""
    shoulders, hips, knees, ankles = (
        joints[[INDEX[f"left_{limb}"], INDEX[f"right_{limb}"]]]
        for limb in ("shoulder", "hip", "knee", "ankle")
    )
    legs = np.linalg.norm(hips - knees, axis=1) + np.linalg.norm(knees - ankles, axis=1)
    return float(np.linalg.norm(shoulders.mean(0) - hips.mean(0)) + legs.mean())


def _share_near(reference: Reference, keypoints: np.ndarray | None) -> float:
    """The share of seen keypoints (12, 2) px in place; 0 where there are none to compare."""
    wanted = reference.keypoints
    if wanted is None or keypoints is None:
        return 0.0
    shoulders, hips = (
        wanted[[INDEX[f"left_{limb}"], INDEX[f"right_{limb}"]]].mean(0) for limb in ("shoulder", "hip")
    )
    # At least a pixel: seen from above a torso may have no length.
    torso = max(float(np.linalg.norm(shoulders - hips)), 1.0)
    distances = np.linalg.norm(keypoints - wanted, axis=1)[reference.seen]
    return float((distances < NEAR * torso).mean())
