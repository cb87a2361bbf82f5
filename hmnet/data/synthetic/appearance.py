"""What people wear: skin, hair, faces and procedural clothes, painted on Anny's full surface.

A garment is a region of the surface pushed outwards a little, with a colour and a pattern. Regions follow
from the rest pose: how far along an arm or a leg a vertex lies, how high on the torso.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hmnet.body.template import load_anny

SKIN, TOP, BOTTOM, SHOES, HAIR, EYES, LIPS, BROWS, HAT = range(9)
SKIN_TONES = np.array(
    [[0.93, 0.76, 0.67], [0.88, 0.68, 0.56], [0.80, 0.58, 0.45], [0.70, 0.48, 0.35], [0.55, 0.36, 0.25],
     [0.42, 0.27, 0.18], [0.30, 0.19, 0.13], [0.22, 0.14, 0.10]]
)  # fmt: skip
HAIR_COLOURS = np.array(
    [[0.05, 0.04, 0.03], [0.12, 0.08, 0.05], [0.25, 0.15, 0.08], [0.45, 0.30, 0.15], [0.75, 0.60, 0.35],
     [0.55, 0.55, 0.55], [0.50, 0.20, 0.08]]
)  # fmt: skip
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
    """Where each vertex of the full surface lies on the body; every field (V,).

    arm, leg: share of the way from shoulder to wrist and from hip to ankle, -1 elsewhere.
    height: 0 at the pelvis, 1 at the neck (torso only, -1 elsewhere). hand, foot, head: membership.
    scalp: how much the vertex can carry hair, in [0, 1]. eyes, lips, brows: membership.
    """

    rest: np.ndarray
    arm: np.ndarray
    leg: np.ndarray
    height: np.ndarray
    hand: np.ndarray
    foot: np.ndarray
    head: np.ndarray
    scalp: np.ndarray
    eyes: np.ndarray
    lips: np.ndarray
    brows: np.ndarray


@dataclass(frozen=True)
class Outfit:
    """Clothes and colours of one person.

    offset: (V,) m along the normal. cloth: (V,) int32 row of `patterns`. albedo: (V, 3) linear RGB.
    patterns: (9, 8) as `hmnet.data.synthetic.raster.shade` takes them.
    """

    offset: np.ndarray
    cloth: np.ndarray
    albedo: np.ndarray
    patterns: np.ndarray


@lru_cache(maxsize=1)
def regions() -> Regions:
    """The regions of Anny's full surface."""
    body = load_anny()
    rest = body.arrays["full.vertices"].numpy()
    heads = {
        name: head.numpy() for name, head in zip(body.bone_names, body.arrays["bone_heads"], strict=True)
    }
    group_of_bone = [
        next(i for i, s in enumerate(GROUPS.values()) if b.startswith(s)) for b in body.bone_names
    ]
    weights = np.zeros((len(rest), len(GROUPS)))
    bones, skin = body.arrays["full.skin_bones"].long().numpy(), body.arrays["full.skin_weights"].numpy()
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
    height = np.where(member["torso"], (pelvis[1] - rest[:, 1]) / (pelvis[1] - neck[1]), -1.0)
    eye = (heads["eye.L"] + heads["eye.R"]) / 2
    x, y, z = np.abs(rest[:, 0]), rest[:, 1] - eye[1], rest[:, 2] - eye[2]
    # y grows downwards and the face looks to -z: hair grows above a line that falls from brow to nape.
    line = -0.045 + np.clip(z - 0.02, 0, 0.12) * 1.5
    scalp = member["head"] * np.clip((line - y) / 0.02, 0, 1)
    eyeball = np.array([b.startswith("eye") for b in body.bone_names])
    eyes = (skin * eyeball[bones]).sum(1) > 0.5
    front = member["head"] & (z < 0.01)
    eyes |= front & (np.hypot(x - heads["eye.L"][0], y) < 0.011)
    brows = front & (np.abs(y + 0.022) < 0.005) & (np.abs(x - 0.032) < 0.02)
    lips = front & (np.abs(y - 0.072) < 0.009) & (x < 0.024) & (z < -0.005)
    return Regions(rest, along["arm"], along["leg"], height, member["hand"], member["foot"], member["head"],
                   scalp, eyes, lips, brows)  # fmt: skip


def _share_along(points: np.ndarray, stops: list[np.ndarray]) -> np.ndarray:
    """How far along the polyline of stops each point lies, 0 to 1 (or a little beyond)."""
    first, second = stops[1] - stops[0], stops[2] - stops[1]
    a = (points - stops[0]) @ first / (first @ first)
    b = (points - stops[1]) @ second / (second @ second)
    return np.where(a < 1, np.clip(a, 0, 1), 1 + np.clip(b, 0, 1.2)) / 2


def dress(generator: np.random.Generator) -> Outfit:
    """A random outfit."""
    r = regions()
    cloth = np.full(len(r.rest), SKIN, np.int32)
    offset = np.zeros(len(r.rest), np.float32)
    wrinkles = _wrinkles(generator, r.rest)
    if generator.random() < 0.97:
        _wear_top(generator, r, cloth, offset, wrinkles)
    if generator.random() < 0.97:
        _wear_bottom(generator, r, cloth, offset, wrinkles)
    if generator.random() < 0.85:
        cloth[r.foot | (r.leg > 1 - generator.uniform(0, 0.12))] = SHOES
        offset[r.foot] += generator.uniform(0.002, 0.012)
    _wear_hair(generator, r, cloth, offset)
    cloth[r.eyes], cloth[r.lips], cloth[r.brows] = EYES, LIPS, BROWS
    colours, patterns = _colours(generator), _patterns(generator)
    albedo = colours[cloth] * generator.uniform(0.96, 1.04, (len(cloth), 1))
    return Outfit(offset, cloth, albedo.astype(np.float32), patterns.astype(np.float32))


def _wrinkles(generator, rest) -> np.ndarray:
    """Folds: a few waves over the rest pose, in [0, 1]."""
    waves = generator.normal(0, 1, (3, 3)) * generator.uniform(12, 45, (3, 1))
    return (0.5 + np.sin(rest @ waves.T + generator.uniform(0, 6.3, 3)).mean(1) / 2).astype(np.float32)


def _wear_top(generator, r: Regions, cloth, offset, wrinkles) -> None:
    sleeve = generator.choice([0.0, 0.12, 0.35, 0.45, 0.7, 1.0], p=[0.05, 0.1, 0.33, 0.1, 0.07, 0.35])
    hem = generator.uniform(-0.15, 0.2)
    neckline = generator.uniform(0.86, 1.08)
    if generator.random() < 0.05:
        neckline = generator.uniform(0.6, 0.75)
    covered = ((r.height > hem) & (r.height < neckline)) | ((r.arm >= 0) & (r.arm < sleeve))
    if generator.random() < 0.18:
        # A dress or a long coat reaches down the legs.
        covered |= ((r.leg >= 0) & (r.leg < generator.uniform(0.1, 0.6))) | (
            (r.height >= -0.6) & (r.height <= hem)
        )
    thickness = generator.choice([0.004, 0.014, 0.035], p=[0.3, 0.4, 0.3]) * generator.uniform(0.6, 1.5)
    cloth[covered] = TOP
    offset[covered] = thickness * (0.5 + wrinkles[covered])
    if sleeve >= 1 and generator.random() < 0.05:
        cloth[r.hand] = TOP


def _wear_bottom(generator, r: Regions, cloth, offset, wrinkles) -> None:
    length = generator.choice([0.12, 0.3, 0.45, 0.75, 1.0], p=[0.05, 0.12, 0.15, 0.08, 0.6])
    waist = generator.uniform(-0.05, 0.25)
    covered = ((r.height > -0.9) & (r.height < waist)) | ((r.leg >= 0) & (r.leg < length))
    covered &= cloth != TOP
    thickness = generator.choice([0.003, 0.014, 0.035], p=[0.35, 0.4, 0.25]) * generator.uniform(0.6, 1.5)
    cloth[covered] = BOTTOM
    # Trousers hang wider towards the hem.
    flare = 1 + np.clip(r.leg[covered], 0, 1) * generator.uniform(-0.3, 0.8)
    offset[covered] = thickness * (0.4 + wrinkles[covered]) * flare


def _wear_hair(generator, r: Regions, cloth, offset) -> None:
    if generator.random() < 0.06:
        return
    volume = generator.uniform(0.006, 0.04)
    hair = r.scalp > 0.3
    if generator.random() < 0.4:
        # Long hair falls over the back of the head, the neck and sometimes the shoulders' back.
        behind = r.rest[:, 2] > r.rest[r.head, 2].mean() - generator.uniform(-0.01, 0.03)
        hair |= r.head & behind
        if generator.random() < 0.5:
            hair |= (r.height > generator.uniform(0.75, 0.95)) & behind & (np.abs(r.rest[:, 0]) < 0.12)
    hat = generator.random() < 0.12
    cloth[hair] = HAT if hat else HAIR
    offset[hair] += volume * np.where(r.head[hair], 1.0, 0.7)
    if not hat and generator.random() < 0.12:
        y = r.rest[:, 1] - r.rest[r.eyes, 1].mean()
        chin = (y > 0.05) & (y < 0.13) & (np.abs(r.rest[:, 0]) < 0.055)
        beard = r.head & chin & (r.rest[:, 2] < r.rest[r.head, 2].mean() - 0.03)
        cloth[beard & (cloth == SKIN)] = HAIR


def _colours(generator) -> np.ndarray:
    """One linear RGB colour a cloth id."""
    colours = np.zeros((9, 3))
    tone = generator.uniform(0, len(SKIN_TONES) - 1)
    low = int(tone)
    mixed = SKIN_TONES[low] + (tone - low) * (SKIN_TONES[min(low + 1, len(SKIN_TONES) - 1)] - SKIN_TONES[low])
    colours[SKIN] = mixed * generator.uniform(0.9, 1.1, 3)
    for item in (TOP, BOTTOM, SHOES, HAT):
        colours[item] = _cloth_colour(generator)
    if generator.random() < 0.12:
        colours[BOTTOM] = colours[TOP]
    if generator.random() < 0.45:
        # Denim, black and beige are what most trousers are.
        common = np.array([[0.13, 0.19, 0.32], [0.05, 0.05, 0.06], [0.10, 0.12, 0.2], [0.55, 0.47, 0.36]])
        colours[BOTTOM] = common[generator.integers(4)] * generator.uniform(0.7, 1.4)
    if generator.random() < 0.1:
        colours[TOP] = colours[SKIN] * generator.uniform(0.8, 1.2, 3)
    colours[HAIR] = HAIR_COLOURS[generator.integers(len(HAIR_COLOURS))] * generator.uniform(0.6, 1.4)
    colours[EYES] = (0.12, 0.10, 0.09)
    colours[LIPS] = colours[SKIN] * (0.9, 0.55, 0.55)
    colours[BROWS] = colours[HAIR] * 0.8
    return np.clip(colours, 0.01, 1) ** 2.2


def _cloth_colour(generator) -> np.ndarray:
    """sRGB: a third greys, the rest any hue, from dark to light."""
    value = generator.uniform(0.05, 0.95)
    if generator.random() < 0.4:
        return np.clip(value + generator.normal(0, 0.02, 3), 0, 1)
    hue = generator.uniform(0, 6)
    saturation = generator.uniform(0.15, 0.95)
    pure = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return value * (1 - saturation * (1 - pure))


def _patterns(generator) -> np.ndarray:
    patterns = np.zeros((9, 8))
    for item in (TOP, BOTTOM, HAT):
        if generator.random() < 0.4:
            direction = generator.choice(3)
            patterns[item, 0] = generator.integers(1, 4)
            patterns[item, 1] = np.exp(generator.uniform(np.log(4), np.log(40)))
            patterns[item, 2 + direction] = 1
            patterns[item, 5] = generator.uniform(0.1, 0.8)
    patterns[:, 6] = generator.uniform(0, 0.02, 9)
    patterns[SKIN, 6] = generator.uniform(0, 0.06)
    patterns[HAIR, 0:2] = 3, 90
    patterns[HAIR, 5] = 0.25
    return patterns
