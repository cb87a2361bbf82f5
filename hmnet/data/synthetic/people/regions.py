"""Where each vertex of Anny's full surface lies on the body: what clothes, hair and make-up are painted by.

Regions follow from the rest pose and the skinning weights: how far along an arm or a leg a vertex lies, how
high on the torso, where on the face.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hmnet.body.template import load_anny
from hmnet.data.synthetic.shading import smooth_normals

GROUPS = {
    "torso": ("root", "pelvis", "spine", "clavicle", "shoulder"),
    "head": ("neck", "head", "eye"),
    "arm": ("upperarm", "lowerarm"),
    "hand": ("wrist", "finger", "metacarpal"),
    "leg": ("upperleg", "lowerleg"),
    "foot": ("foot", "toe"),
}


@dataclass(frozen=True)
class Regions:
    """Where each vertex of the full surface lies on the body; every field (V,) unless a shape is given.

    rest, normals: (V, 3) m and unit, rest pose. arm, leg: share of the way from shoulder to wrist and from
    hip to ankle, -1 elsewhere. height: 0 at the pelvis, 1 at the neck (torso only, -1 elsewhere). level:
    the same everywhere. hand, foot, head: membership. face: (V, 3) m from the middle between the eyes, the
    first as a distance to the side; far away off the head. scalp: how much the vertex can carry hair, in
    [0, 1]. eyes: the eyeballs. iris, lids: membership. lips: in [0, 1]. brows, beard: how much hair grows
    there, in [0, 1]. flush: how much blood shows through the skin, in [0, 1]. palm: palms and soles, in
    [0, 1].
    """

    rest: np.ndarray
    normals: np.ndarray
    arm: np.ndarray
    leg: np.ndarray
    height: np.ndarray
    level: np.ndarray
    hand: np.ndarray
    foot: np.ndarray
    head: np.ndarray
    face: np.ndarray
    scalp: np.ndarray
    eyes: np.ndarray
    iris: np.ndarray
    lids: np.ndarray
    lips: np.ndarray
    brows: np.ndarray
    beard: np.ndarray
    flush: np.ndarray
    palm: np.ndarray


@lru_cache(maxsize=1)
def regions() -> Regions:
    """The regions of Anny's full surface."""
    body = load_anny()
    rest = body.arrays["full.vertices"].numpy()
    normals = smooth_normals(rest, body.arrays["full.faces"].numpy())
    heads = dict(zip(body.bone_names, body.arrays["bone_heads"].numpy(), strict=True))
    bones, skin = body.arrays["full.skin_bones"].long().numpy(), body.arrays["full.skin_weights"].numpy()
    group_of_bone = [
        next(i for i, s in enumerate(GROUPS.values()) if b.startswith(s)) for b in body.bone_names
    ]
    weights = np.zeros((len(rest), len(GROUPS)))
    np.add.at(weights, (np.arange(len(rest))[:, None], np.array(group_of_bone)[bones]), skin)
    member = dict(zip(GROUPS, weights.argmax(1) == np.arange(len(GROUPS))[:, None], strict=True))
    side = np.where(rest[:, 0] > 0, "L", "R")
    along = {}
    for limb, stops in {
        "arm": ("upperarm01", "lowerarm01", "wrist"),
        "leg": ("upperleg01", "lowerleg01", "foot"),
    }.items():
        along[limb] = np.full(len(rest), -1.0)
        for letter in "LR":
            chosen = member[limb] & (side == letter)
            along[limb][chosen] = _share_along(rest[chosen], [heads[f"{s}.{letter}"] for s in stops])
    neck, pelvis = heads["neck01"], heads["root"]
    level = (pelvis[1] - rest[:, 1]) / (pelvis[1] - neck[1])
    height = np.where(member["torso"], level, -1.0)
    face = rest - (heads["eye.L"] + heads["eye.R"]) / 2
    face[:, 0] = np.abs(face[:, 0])
    face[~member["head"]] = 9
    x, y, z = face.T
    # y grows downwards and the face looks to -z: hair grows above a line that falls from brow to nape.
    line = -0.055 + np.clip(z - 0.02, 0, 0.12) * 1.6
    ear = (x > 0.074) & (np.abs(y - 0.022) < 0.036) & (np.abs(z - 0.1) < 0.03)
    scalp = (member["head"] & ~ear) * np.clip((line - y) / 0.02, 0, 1)
    eyeball = np.array([b.startswith("eye") for b in body.bone_names])
    eyes = (skin * eyeball[bones]).sum(1) > 0.5
    apart = heads["eye.L"][0]
    front = member["head"] & (z < 0.01)
    around_eye = np.hypot(x - apart, y)
    jaw = (
        _soft(y, 0.045, 0.01)
        * _soft(-y, -0.135, 0.01)
        * _soft(-z, -0.075 + 0.5 * np.clip(0.11 - y, 0, 1), 0.012)
    )
    beard = jaw * np.maximum(np.maximum(_soft(y, 0.085, 0.006), _soft(x, 0.037, 0.008)),
                             _soft(y, 0.05, 0.003) * _soft(-x, -0.03, 0.006))  # fmt: skip
    lips = front * _soft(-np.hypot(x / 0.027, (y - 0.069) / 0.0105), -1.0, 0.16)
    return Regions(
        rest=rest,
        normals=normals,
        arm=along["arm"],
        leg=along["leg"],
        height=height,
        level=level,
        hand=member["hand"],
        foot=member["foot"],
        head=member["head"],
        face=face,
        scalp=scalp,
        eyes=eyes,
        iris=eyes & (around_eye < 0.0056) & (z < 0),
        lids=front & ~eyes & (around_eye < 0.017) & (y < 0.003),
        lips=lips,
        brows=front
        * _soft(-np.abs(y + 0.021 - 0.1 * np.abs(x - 0.036)), -0.0042, 0.0022)
        * _soft(-np.abs(x - 0.033), -0.019, 0.004),
        beard=np.where(member["head"] & ~eyes, beard * (1 - lips), 0.0),
        flush=_flush(rest, face, heads, member),
        palm=_palms(normals, heads, member, side),
    )


def _soft(value: np.ndarray, threshold: float | np.ndarray, width: float) -> np.ndarray:
    """0 below the threshold, 1 above, gliding over twice the width."""
    return np.clip((value - threshold) / (2 * width) + 0.5, 0, 1)


def _share_along(points: np.ndarray, stops: list[np.ndarray]) -> np.ndarray:
    """How far along the polyline of stops each point lies, 0 to 1 (or a little beyond)."""
    first, second = stops[1] - stops[0], stops[2] - stops[1]
    a = (points - stops[0]) @ first / (first @ first)
    b = (points - stops[1]) @ second / (second @ second)
    return np.where(a < 1, np.clip(a, 0, 1), 1 + np.clip(b, 0, 1.2)) / 2


def _flush(rest, face, heads, member) -> np.ndarray:
    """Cheeks, nose, ears, knuckles, elbows and knees."""
    spots = [
        (face, np.array([0.05, 0.042, 0.01]), 0.022, 0.8),
        (face, np.array([0, 0.035, -0.03]), 0.014, 0.7),
        (face, np.array([0.085, 0.02, 0.1]), 0.03, 0.5),
    ]
    for letter in "LR":
        spots += [(rest, heads[f"{bone}.{letter}"], 0.05, 0.5) for bone in ("lowerarm01", "lowerleg01")]
        spots += [(rest, heads[f"finger{n}-2.{letter}"], 0.025, 0.5) for n in "2345"]
    flush = np.zeros(len(rest))
    for points, centre, width, strength in spots:
        flush = np.maximum(flush, strength * np.exp(-((points - centre) ** 2).sum(1) / (2 * width**2)))
    return np.maximum(flush, 0.25 * (member["hand"] | member["foot"]))


def _palms(normals, heads, member, side) -> np.ndarray:
    palm = np.where(member["foot"], np.clip(normals[:, 1] - 0.3, 0, 1), 0.0)
    for letter in "LR":
        across = heads[f"finger2-1.{letter}"] - heads[f"finger5-1.{letter}"]
        forward = heads[f"finger3-1.{letter}"] - heads[f"wrist.{letter}"]
        inwards = np.cross(across, forward) * (-1 if letter == "L" else 1)
        chosen = member["hand"] & (side == letter)
        palm[chosen] = np.clip(normals[chosen] @ inwards / np.linalg.norm(inwards), 0, 1)
    return palm
