"""What hands and arms look like: skin, nails, sleeves, bands and rings, painted on the arm's surface."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from hmnet.body.hand import hand_template, load_hand
from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, HAND_PART_NAMES
from hmnet.data.synthetic.people.colours import COLUMNS, SKIN_TONES, cloth_colour, cloth_pattern, skin_of_tone
from hmnet.data.synthetic.shading import smooth_normals

ROWS = ("skin", "nail", "sleeve", "cuff", "band", "ring")
SKIN, NAIL, SLEEVE, CUFF, BAND, RING = range(len(ROWS))
TONE_STEP, HELD_OUT = 0.25, 5
"""Skin tones come in bands this wide, in rows of SKIN_TONES; every fifth belongs to the test split."""
SLEEVES = {"bare": 0.38, "long": 0.42, "pushed up": 0.2}


@dataclass(frozen=True)
class HandRegions:
    """Where things are on the arm's surface at rest, V vertices.

    rest, normals: (V, 3). reach: (V,) m from the wrist up the arm, below 0 on the hand. palm, knuckles,
    tips: (V,) in [0, 1]. nails: (V,) m inside the edge of a nail, below 0 outside. links: (V,) part of the
    hand, 0 on the arm. bone_share: (V,) where along its bone a vertex of a finger lies, from 0 to 1.
    """

    rest: np.ndarray
    normals: np.ndarray
    reach: np.ndarray
    palm: np.ndarray
    knuckles: np.ndarray
    tips: np.ndarray
    nails: np.ndarray
    links: np.ndarray
    bone_share: np.ndarray


@dataclass(frozen=True)
class HandOutfit:
    """What one hand and arm of V vertices wear.

    offset: (V,) m along the normal. cloth: (V,) int32 row of patterns. seams: (V,) m to the edge of what a
    vertex wears. albedo: (V, 3) linear RGB. patterns: (len(ROWS), COLUMNS). sleeved: whether there is cloth.
    """

    offset: np.ndarray
    cloth: np.ndarray
    seams: np.ndarray
    albedo: np.ndarray
    patterns: np.ndarray
    sleeved: bool


@lru_cache(maxsize=1)
def hand_regions() -> HandRegions:
    """Worked out once from the mean hand at rest."""
    hand, template = load_hand(), hand_template()
    rest = hand.arrays["vertices"].numpy()
    faces = arm_faces()
    normals = smooth_normals(rest, faces)
    count = len(template.full_vertex_parts)
    links = np.zeros(len(rest), int)
    links[:count] = template.full_vertex_parts.numpy()
    anchors = hand.rest_joints.double().numpy()
    elbow, wrist = anchors[17], anchors[0]
    along, length = (elbow - wrist) / np.linalg.norm(elbow - wrist), np.linalg.norm(elbow - wrist)
    shoulder = rest[hand.skinning_weights[:, 17].numpy() > 0.9].mean(0) - elbow
    reach = (rest - wrist) @ along
    beyond = hand.skinning_weights[:, 17].numpy() > 0.5
    reach[beyond] = length + ((rest[beyond] - elbow) @ shoulder / np.linalg.norm(shoulder)).clip(0)
    reach[:count] = np.minimum(reach[:count], (rest[:count] - wrist) @ along)
    joints = hand.joints(torch.zeros(1, 48))[0].double().numpy()
    palm, knuckles, tips = (np.zeros(len(rest)) for _ in range(3))
    nails, share = np.full(len(rest), -1.0), np.zeros(len(rest))
    palm[:count] = np.clip(2 * normals[:count, 1], 0, 1) * (links[:count] > 0)
    for finger in FINGERS:
        places = [joints[HAND_JOINT_NAMES.index(f"{finger}{place}")] for place in ("1", "2", "3", "_tip")]
        for link, part in enumerate(("base", "middle", "end")):
            own = links == HAND_PART_NAMES.index(f"{finger} {part}")
            bone = places[link + 1] - places[link]
            share[own] = (rest[own] - places[link]) @ bone / (bone @ bone)
        back = _back(places)
        facing = normals @ back
        palm = np.where(_of(links, finger), np.clip(-2 * facing, 0, 1), palm)
        for place in places[:3]:
            near = np.exp(-((np.linalg.norm(rest - place - 0.006 * back, axis=1) / 0.009) ** 2))
            knuckles = np.maximum(knuckles, near * np.clip(facing, 0, 1))
        own = links == HAND_PART_NAMES.index(f"{finger} end")
        tips = np.maximum(tips, own * np.clip((share - 0.4) * 2, 0, 1))
        aside = (rest - places[3]) @ np.cross(_unit(places[3] - places[2]), back)
        inside = np.minimum((facing - 0.3) * 0.01, (share - 0.42) * 0.02)
        nails = np.where(own, np.minimum(inside, 0.006 - np.abs(aside)), nails)
    return HandRegions(rest, normals, reach, palm, knuckles, tips, nails, links, share)


@lru_cache(maxsize=1)
def arm_faces() -> np.ndarray:
    """(F, 3) int32: the full hand's faces, then those of the arm."""
    hand = load_hand()
    return torch.cat([hand.faces, hand.arm_faces]).numpy().astype(np.int32)


def _of(links: np.ndarray, finger: str) -> np.ndarray:
    return np.isin(links, [n for n, name in enumerate(HAND_PART_NAMES) if name.startswith(finger)])


def _back(places: list[np.ndarray]) -> np.ndarray:
    """(3,) unit: the back of a finger whose joints these are: away from where it bends to at rest."""
    along = _unit(places[3] - places[0])
    bend = (places[1] + places[2]) / 2 - places[0]
    return _unit(bend - (bend @ along) * along)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def skin_tone(generator: np.random.Generator, test: bool) -> float:
    """A row of SKIN_TONES, or between two, of a band of that split."""
    while True:
        tone = (len(SKIN_TONES) - 1) * generator.beta(0.8, 1.4)
        if (int(tone / TONE_STEP) % HELD_OUT == HELD_OUT - 1) == test:
            return tone


def dress_hand(generator: np.random.Generator, test: bool = False) -> HandOutfit:
    """A random hand's looks: skin tones of the test split are never those of train."""
    r = hand_regions()
    count = len(r.rest)
    cloth, seams, offset = np.full(count, SKIN, np.int32), np.ones(count), np.zeros(count, np.float32)
    skin = skin_of_tone(skin_tone(generator, test), generator)
    colours, patterns = np.zeros((len(ROWS), 3)), np.zeros((len(ROWS), COLUMNS), np.float32)
    colours[:] = skin

    def put(row: int, field: np.ndarray) -> np.ndarray:
        """Paint a row where the field (V,), m inside its edge, is positive; returns where that is."""
        inside = field > 0
        np.copyto(seams, np.where(inside, field, np.minimum(seams, np.abs(field))))
        cloth[inside] = row
        return inside

    nails = put(NAIL, r.nails)
    colours[NAIL], polished = _nail_colour(skin, generator)
    if generator.random() < 0.14:
        finger = FINGERS[generator.choice(5, p=[0.08, 0.2, 0.27, 0.35, 0.1])]
        base = r.links == HAND_PART_NAMES.index(f"{finger} base")
        around = 0.0022 - 0.04 * np.abs(r.bone_share - generator.uniform(0.55, 0.7))
        offset[put(RING, np.where(base, around, -0.01))] += 0.0008
        colours[RING] = [[0.7, 0.5, 0.2], [0.6, 0.6, 0.62], [0.1, 0.1, 0.1]][generator.integers(3)]
    kind = generator.choice(list(SLEEVES), p=list(SLEEVES.values()))
    start = generator.uniform(-0.005, 0.05) if kind == "long" else generator.uniform(0.08, 0.24)
    if kind != "long" and generator.random() < 0.22:
        middle, half = generator.uniform(0.012, 0.04), generator.choice([0.003, 0.009, 0.013])
        offset[put(BAND, half - np.abs(r.reach - middle))] += 0.002
        colours[BAND] = cloth_colour("bag", generator)
    if kind != "bare":
        covered = put(SLEEVE, r.reach - start)
        loose = generator.choice([0.002, 0.006, 0.013], p=[0.35, 0.4, 0.25]) * generator.uniform(0.7, 1.3)
        offset[covered] = loose * (1 + 3 * np.clip(r.reach[covered] - start, 0, 0.3))
        colours[SLEEVE] = colours[CUFF] = cloth_colour(generator.choice(["top", "coat"]), generator)
        if generator.random() < 0.45:
            width = generator.uniform(0.012, 0.05)
            put(CUFF, np.minimum(r.reach - start, start + width - r.reach))
            colours[CUFF] = (
                colours[SLEEVE] * generator.choice([1, 0.5, 1.4]) if generator.random() < 0.7 else 0.8
            )
    patterns[SLEEVE] = patterns[CUFF] = cloth_pattern("top", colours[SLEEVE], generator)
    patterns[[SLEEVE, CUFF], 14] = 0  # No placket down the arm.
    patterns[CUFF, 0] = 0
    _finish(patterns, polished, generator)
    albedo = colours[cloth] * generator.uniform(0.98, 1.02, (count, 1))
    bare = cloth == SKIN
    albedo[bare] *= _complexion(r, bare, skin, generator)
    if not polished:
        albedo[nails & (r.bone_share > 0.97)] *= 1.15
    albedo = np.clip(albedo, 0.004, 0.95).astype(np.float32)
    return HandOutfit(offset, cloth, seams.astype(np.float32), albedo, patterns, kind != "bare")


def _nail_colour(skin: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, bool]:
    if generator.random() < 0.13:
        return generator.dirichlet([1.4, 0.6, 0.7]) * generator.uniform(0.2, 1.2), True
    return 0.55 * skin * [1.05, 0.9, 0.9] + 0.45 * np.array([0.62, 0.4, 0.36]) * (0.4 + skin.mean()), False


def _finish(patterns: np.ndarray, polished: bool, generator: np.random.Generator) -> None:
    """Shine of skin, nails and metal, and how far light goes through skin."""
    patterns[[SKIN, NAIL], 6] = generator.uniform(0.015, 0.08)
    patterns[[SKIN, NAIL], 11] = generator.uniform(0.5, 1)
    patterns[NAIL, 6] = generator.uniform(0.25, 0.5) if polished else generator.uniform(0.05, 0.2)
    patterns[[BAND, RING], 6] = 0.1, 0.8
    patterns[:, 12] = np.where(patterns[:, 12] == 0, 14, patterns[:, 12])


def _complexion(
    r: HandRegions, bare: np.ndarray, skin: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Factors (B, 3) on the colour of bare (V,) skin: mottles, blood at knuckles and tips, paler palms."""
    waves = generator.normal(0, 1, (6, 3)) * generator.uniform(40, 260, (6, 1))
    mottled = np.sin(r.rest[bare] @ waves.T + generator.uniform(0, 6.3, 6)).mean(1)
    factor = 1 + mottled[:, None] * generator.uniform(0.01, 0.09) * np.array([0.5, 1, 1.1])
    blood = np.maximum(r.knuckles * generator.uniform(0.1, 0.8), r.tips * generator.uniform(0.1, 0.7))
    factor *= 1 - blood[bare, None] * np.array([0.08, 0.4, 0.36])
    factor *= 1 - generator.uniform(0, 0.12) * r.knuckles[bare, None]
    # Dark skin is lighter in the palm, and palms are redder than backs.
    paler = 0.06 + 1.3 * np.clip(0.3 - skin.mean(), 0, 1)
    return factor * (1 + r.palm[bare, None] * paler * np.array([1.05, 0.95, 0.95]))
