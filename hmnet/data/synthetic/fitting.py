"""Garments as meshes of their own, and how they follow the body: shape first, then pose.

A garment is modelled on the rest pose of Anny's base shape. Each of its vertices takes over the change of
shape of the body surface next to it (anchors) and is then skinned with the bones of that surface, smoothed
over the garment, so that a skirt does not tear between the legs.
"""

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.spatial import cKDTree

from hmnet.body.template import load_anny, load_body
from hmnet.data.synthetic.shading import smooth_normals

SLOTS = ("top", "bottom", "suit", "dress", "skirt", "coat", "shoes", "hair", "hat", "bag")
ANCHORS, BONES = 6, 6
COVERING_REACH = 0.06
"""m. Farther below a garment than this the body stays drawn: one may look under the hem."""


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment on the base shape in the rest pose; M vertices, G triangles, camera frame.

    name: unique in a wardrobe. slot: one of SLOTS. vertices: (M, 3) float32 m. faces: (G, 3) int32, turned
    outwards; what can be seen from both sides has faces and vertices for each. face_parts: (G,) uint8, the
    body part beneath in 1..24, 0 for bags. anchors: (M, 6) int32 vertices of the full surface whose change
    of shape it follows, by anchor_weights (M, 6). bones, skin: (M, 6), linear blend skinning, rows of skin
    sum to 1. covered: (C,) int32 vertices of the full surface that cannot be seen beneath. pieces: (M,)
    int32, 0 to n-1, coloured apart. gender: 0 made for men, 1 for women, None for anybody.
    """

    name: str
    slot: str
    vertices: np.ndarray
    faces: np.ndarray
    face_parts: np.ndarray
    anchors: np.ndarray
    anchor_weights: np.ndarray
    bones: np.ndarray
    skin: np.ndarray
    covered: np.ndarray
    pieces: np.ndarray
    gender: float | None


@dataclass(frozen=True, eq=False)
class RestBody:
    """Anny's full surface as tailors need it; U vertices.

    vertices, normals: (U, 3). faces: (F, 3) int32. parts: (U,) part ids. skin: (U, N) dense weights.
    bone_names: N. heads: bone name to (3,) m.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    parts: np.ndarray
    skin: np.ndarray
    bone_names: list[str]
    heads: dict[str, np.ndarray]


@lru_cache(maxsize=1)
def rest_body() -> RestBody:
    """The base shape in the rest pose."""
    anny = load_anny()
    vertices = anny.arrays["full.vertices"].numpy()
    faces = anny.arrays["full.faces"].numpy()
    votes = np.zeros((len(vertices), 25), int)
    face_parts = load_body().full_face_parts.numpy()
    for corner in range(3):
        np.add.at(votes, (faces[:, corner], face_parts), 1)
    skin = np.zeros((len(vertices), len(anny.bone_names)))
    bones = anny.arrays["full.skin_bones"].long().numpy()
    np.add.at(skin, (np.arange(len(vertices))[:, None], bones), anny.arrays["full.skin_weights"].numpy())
    heads = dict(zip(anny.bone_names, anny.arrays["bone_heads"].numpy(), strict=True))
    return RestBody(
        vertices, smooth_normals(vertices, faces), faces, votes.argmax(1), skin, anny.bone_names, heads
    )


def fit(
    name: str,
    slot: str,
    vertices: np.ndarray,
    faces: np.ndarray,
    *,
    pieces: np.ndarray | None = None,
    gender: float | None = None,
    rigid: str | None = None,
    covered: np.ndarray | None = None,
    two_sided: bool = False,
    loose: float = 0.0,
    near: tuple[int, ...] | None = None,
    parts: bool = True,
) -> Garment:
    """A garment from a mesh on the base shape, vertices (M, 3) m, faces (G, 3).

    rigid: the bone it hangs on without bending (hats, bags); else it bends with the body beneath. covered:
    vertices of the full surface hidden by it; found where it is None. two_sided: add the inner side.
    loose: 0 for what hugs the limbs, 1 for what hangs from the hips and shares its two legs (skirts).
    near: the part ids it may follow; None for all. parts: False where it is no part of the body.
    """
    body = rest_body()
    candidates = np.arange(len(body.vertices)) if near is None else np.flatnonzero(np.isin(body.parts, near))
    tree = cKDTree(body.vertices[candidates])
    vertices = np.ascontiguousarray(vertices, np.float32)
    faces = np.ascontiguousarray(faces, np.int32)
    if covered is None:
        covered = _covered(body, vertices, faces)
    skin = _skin(body, tree, candidates, vertices, faces, loose, rigid)
    anchors, anchor_weights = _anchors(body, candidates, vertices)
    pieces = np.zeros(len(vertices), np.int32) if pieces is None else pieces.astype(np.int32)
    face_parts = np.zeros(len(faces), np.uint8)
    if parts:
        face_parts = body.parts[candidates[tree.query(vertices[faces].mean(1))[1]]].astype(np.uint8)
    order = np.argsort(-skin, axis=1)[:, :BONES]
    chosen = np.take_along_axis(skin, order, 1)
    fields = [vertices, anchors, anchor_weights, order.astype(np.int32),
              (chosen / chosen.sum(1, keepdims=True)).astype(np.float32), pieces]  # fmt: skip
    if two_sided:
        faces = np.concatenate([faces, faces[:, ::-1] + np.int32(len(vertices))])
        face_parts = np.concatenate([face_parts, face_parts])
        fields = [np.concatenate([field, field]) for field in fields]
    vertices, anchors, anchor_weights, bones, weights, pieces = fields
    return Garment(name, slot, vertices, np.ascontiguousarray(faces), face_parts, anchors, anchor_weights,
                   bones, weights, covered.astype(np.int32), pieces, gender)  # fmt: skip


def drape(garment: Garment, displacement: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Posed vertices (M, 3) float32 m of a garment on a body.

    displacement: (U, 3) m, the body's rest shape less the base shape. transforms: (N, 3, 4), what
    `AnnyBody.transforms` returns for that body; the result is in the frame of `AnnyBody.pose`.
    """
    return _drape(
        garment.vertices, garment.anchors, garment.anchor_weights, garment.bones, garment.skin,
        np.ascontiguousarray(displacement, np.float32), np.ascontiguousarray(transforms, np.float32),
    )  # fmt: skip


@numba.njit(cache=True, fastmath=True)
def _drape(vertices, anchors, anchor_weights, bones, skin, displacement, transforms):
    out = np.zeros_like(vertices)
    for i in range(len(vertices)):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        for k in range(anchors.shape[1]):
            u, w = anchors[i, k], anchor_weights[i, k]
            x += w * displacement[u, 0]
            y += w * displacement[u, 1]
            z += w * displacement[u, 2]
        for k in range(bones.shape[1]):
            w = skin[i, k]
            if w == 0:
                continue
            t = transforms[bones[i, k]]
            for c in range(3):
                out[i, c] += w * (t[c, 0] * x + t[c, 1] * y + t[c, 2] * z + t[c, 3])
    return out


def neighbour_mean(faces: np.ndarray, count: int) -> csr_array:
    """(M, M) sparse: the mean of a vertex and its neighbours; rows sum to 1."""
    a, b = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    rows, columns = np.concatenate([a, b, np.arange(count)]), np.concatenate([b, a, np.arange(count)])
    adjacency = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)))
    adjacency.data[:] = 1
    return csr_array(diags_array(1 / adjacency.sum(1)) @ adjacency)


def boundary(faces: np.ndarray, count: int) -> np.ndarray:
    """(M,) bool: vertices on an edge that only one face has."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    on_edge = np.zeros(count, bool)
    on_edge[unique[times == 1].ravel()] = True
    return on_edge


def _skin(body, tree, candidates, vertices, faces, loose, rigid) -> np.ndarray:
    if rigid is not None:
        skin = np.zeros((len(vertices), len(body.bone_names)))
        skin[:, body.bone_names.index(rigid)] = 1
        return skin
    distance, index = tree.query(vertices, 8)
    weight = 1 / (distance + 0.004) ** 2
    weight /= weight.sum(1, keepdims=True)
    skin = np.einsum("mk,mkn->mn", weight, body.skin[candidates[index]])
    if loose:
        _hang_from_hips(body, vertices, skin, loose)
    mean = neighbour_mean(faces, len(vertices))
    for _ in range(12 if loose else 4):
        skin = mean @ skin
    return skin


def _hang_from_hips(body, vertices, skin, loose) -> None:
    """Share each leg's hold on the cloth out to both, and let the cloth follow thighs more than shins."""
    share = np.clip(vertices[:, 0] / 0.16 + 0.5, 0, 1)
    share = share * share * (3 - 2 * share)
    number = {name: i for i, name in enumerate(body.bone_names)}
    for name, left in number.items():
        if not name.endswith(".L") or not name.startswith(("upperleg", "lowerleg", "foot", "toe", "pelvis")):
            continue
        right = number[name[:-1] + "R"]
        total = skin[:, left] + skin[:, right]
        skin[:, left] = (1 - loose) * skin[:, left] + loose * total * share
        skin[:, right] = (1 - loose) * skin[:, right] + loose * total * (1 - share)
    for side in "LR":
        thigh = number[f"upperleg02.{side}"]
        for name, bone in number.items():
            if name.endswith(side) and name.startswith(("lowerleg", "foot", "toe")):
                moved = 0.65 * loose * skin[:, bone]
                skin[:, bone] -= moved
                skin[:, thigh] += moved


def _anchors(body, candidates, vertices) -> tuple[np.ndarray, np.ndarray]:
    """Of a thinned surface (a vertex every 2 cm), so that neighbours blend over some width."""
    cells = np.unique(np.floor(body.vertices[candidates] / 0.02), axis=0, return_index=True)[1]
    thinned = candidates[np.sort(cells)]
    distance, index = cKDTree(body.vertices[thinned]).query(vertices, ANCHORS)
    weight = 1 / (distance + 0.006) ** 2
    # The outermost one fades out, or the choice of neighbours would show as a step.
    weight *= np.clip(1.05 - distance / distance[:, -1:], 0.0, 1)
    weight /= weight.sum(1, keepdims=True)
    return thinned[index].astype(np.int32), weight.astype(np.float32)


def _covered(body, vertices, faces) -> np.ndarray:
    """Body vertices with cloth close above them, away from its edges."""
    edge = boundary(faces, len(vertices))
    distance, index = cKDTree(vertices).query(body.vertices, 4)
    above = ((vertices[index] - body.vertices[:, None]) * body.normals[:, None]).sum(2) > 0
    under = above[:, :2].all(1) & (distance[:, 0] < COVERING_REACH) & ~edge[index[:, :3]].any(1)
    # Along the normal, not to the side: what lies beside a hem is not beneath it.
    nearest = vertices[index[:, 0]] - body.vertices
    lean = (nearest * body.normals).sum(1) / (distance[:, 0] + 1e-9)
    return np.flatnonzero(under & (lean > 0.3))
