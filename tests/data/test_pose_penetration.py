"""Sampled poses on the real mesh: how often a limb runs through another part, told by winding numbers.

Independent of `plausible`, which sees only the skeleton: here the parts are the template's own faces.
"""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from hmnet.body.parts import PART_NAMES
from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.poses.pose_library import PoseLibrary
from hmnet.data.synthetic.poses.skeleton import bone_rotations

DEPTH_M = 0.015
GRID = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
"""Barycentric points of a face: faces are as long as 6 cm, so their corners alone would overstate depths."""
PAIRS = tuple(
    pair
    for side, other in (("left", "right"), ("right", "left"))
    for pair in (
        ((f"{side} hand", f"{side} lower arm"), ("torso",)),
        ((f"{side} hand", f"{side} lower arm"), ("head",)),
        ((f"{side} hand", f"{side} lower arm"), ("left upper leg",)),
        ((f"{side} hand", f"{side} lower arm"), ("right upper leg",)),
        ((f"{side} hand", f"{side} lower arm"), (f"{other} hand", f"{other} lower arm")),
        ((f"{side} lower leg",), (f"{other} upper leg",)),
        ((f"{side} lower leg", f"{side} foot"), (f"{other} lower leg",)),
    )
)
"""Limbs (words of part names), and what they must stay out of."""


def meshes(poses: np.ndarray) -> np.ndarray:
    """(T, V, 3) m: a middling adult in the poses."""
    body = load_anny()
    phenotypes = torch.full((1, len(body.phenotype_names)), 0.5)
    phenotypes[:, body.phenotype_names.index("age")] = 2 / 3
    with torch.inference_mode():
        rotations = torch.as_tensor(bone_rotations(poses))
        return body.pose(phenotypes.expand(len(poses), -1), rotations, "template").vertices.numpy()


def faces_of(words: tuple[str, ...]) -> np.ndarray:
    """Faces of the template whose part's name holds one of the words."""
    body = load_body()
    wanted = [i for i, name in enumerate(PART_NAMES) if any(word in name for word in words)]
    return body.faces.numpy()[np.isin(body.face_parts.numpy(), wanted)]


def closed(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boundary edges (E, 2), turned so that they close the part, and the loop (E,) each lies on."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    present = {tuple(edge) for edge in edges}
    rim = np.array([(b, a) for a, b in edges if (b, a) not in present])
    loop, following = np.full(len(rim), -1), {a: i for i, (a, _) in enumerate(rim)}
    for start in range(len(rim)):
        at = start
        while loop[at] < 0:
            loop[at], at = start, following[rim[at, 1]]
    return rim, loop


def inside(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(P,) bool: points within closed triangles (F, 3, 3), by the sum of their solid angles."""
    a, b, c = (triangles[None, :, i] - points[:, None] for i in range(3))
    x, y, z = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    volume = (a * np.cross(b, c)).sum(-1)
    below = x * y * z + (a * b).sum(-1) * z + (b * c).sum(-1) * x + (c * a).sum(-1) * y
    return np.abs(2 * np.arctan2(volume, below).sum(1)) > 2 * np.pi


def deepest(mesh: np.ndarray) -> dict[str, float]:
    """How deep (m) each limb's vertices lie inside the other part; what the parts share is left out."""
    out = {}
    for limb, part in PAIRS:
        faces = faces_of(part)
        rim, loop = closed(faces)
        centres = {k: mesh[rim[loop == k, 0]].mean(0) for k in set(loop)}
        caps = np.stack([mesh[rim[:, 0]], mesh[rim[:, 1]], np.array([centres[k] for k in loop])], 1)
        triangles = np.concatenate([mesh[faces], caps])
        vertices = np.setdiff1d(np.unique(faces_of(limb)), np.unique(faces))
        low, high = mesh[faces].min((0, 1)), mesh[faces].max((0, 1))
        points = mesh[vertices]
        points = points[((points > low) & (points < high)).all(1)]
        points = points[inside(points, triangles)] if len(points) else points
        surface = np.concatenate(GRID @ mesh[faces])
        gap = cKDTree(surface).query(points)[0] if len(points) else np.zeros(1)
        out[f"{'+'.join(limb)} in {part[0]}"] = float(gap.max())
    return out


def test_a_hand_in_the_belly_is_measured():
    mesh = meshes(np.zeros((1, 24, 3)))[0]
    assert max(deepest(mesh).values()) < DEPTH_M
    hand = np.unique(faces_of(("left hand",)))
    mesh[hand] += mesh[np.unique(faces_of(("torso",)))].mean(0) - mesh[hand].mean(0)
    assert deepest(mesh)["left hand+left lower arm in torso"] > 0.05


@pytest.mark.parametrize("test", [False, True])
def test_few_samples_run_through_themselves(test):
    poses = PoseLibrary.build().part(test).sample(np.random.default_rng(3), 60)[0]
    deep = [max(deepest(mesh).values()) > DEPTH_M for mesh in meshes(poses)]
    assert np.mean(deep) < 0.1
