"""What people look like: skin, faces, hair and tight clothes, painted on Anny's full surface.

A painted garment is a region of the surface pushed outwards a little, with a colour and a pattern; what
hangs free of the body comes from the wardrobe (`hmnet.data.synthetic.people.garments`).
"""

from dataclasses import dataclass

import numpy as np

from hmnet.data.synthetic.people.colours import (
    BLOTCHES,
    COLUMNS,
    IRIS_COLOURS,
    cloth_colour,
    cloth_pattern,
    hair_colour,
    hair_pattern,
    skin_colour,
)
from hmnet.data.synthetic.people.regions import Regions, regions

ROWS = ("skin", "top", "bottom", "shoes", "hair", "eyes", "hat", "iris", "socks", "gloves",
        "trim", "side", "sole", "tattoo")  # fmt: skip
(SKIN, TOP, BOTTOM, SHOES, HAIR, EYES, HAT, IRIS, SOCKS, GLOVES, TRIM, SIDE, SOLE,
 TATTOO) = range(len(ROWS))  # fmt: skip
TORSO_M, ARM_M, LEG_M, APART = 0.52, 0.48, 0.85, 0.01
"""Lengths of torso, arm and leg; half a face's edge, for regions that no line bounds."""
ABOVE, BELOW = {"top", "suit", "dress"}, {"bottom", "suit", "dress", "skirt"}
"""Slots of the wardrobe that make painted clothes needless above or below the waist."""


@dataclass(frozen=True)
class Outfit:
    """Clothes and colours of one person.

    offset: (V,) m along the normal. cloth: (V,) int32 row of `patterns`. seams: (V,) m to the nearest edge
    of what the vertex wears. albedo: (V, 3) linear RGB.
    patterns: (len(ROWS), COLUMNS) as `hmnet.data.synthetic.shading.shade` takes them. hair: (3,) linear
    RGB.
    """

    offset: np.ndarray
    cloth: np.ndarray
    seams: np.ndarray
    albedo: np.ndarray
    patterns: np.ndarray
    hair: np.ndarray


class _Canvas:
    """What each vertex wears so far: row, push outwards (m), and how far the edge of it is (m)."""

    def __init__(self, count: int):
        self.cloth = np.full(count, SKIN, np.int32)
        self.offset = np.zeros(count, np.float32)
        self.seams = np.full(count, 1.0)

    def put(self, row: int, field: np.ndarray) -> np.ndarray:
        """Paint a row where the field (V,), m inside its edge, is positive; returns where that is."""
        inside = field > 0
        self.seams = np.where(inside, field, np.minimum(self.seams, -field))
        self.cloth[inside] = row
        return inside

    def under(self, field: np.ndarray, rows: tuple[int, ...]) -> np.ndarray:
        """The field less what already wears one of those rows, with the same edge."""
        worn = np.isin(self.cloth, rows)
        return np.where(worn, -self.seams, np.minimum(field, self.seams))


def _where(member: np.ndarray, field: np.ndarray | float) -> np.ndarray:
    """The field among the members, well outside elsewhere."""
    return np.where(member, field, -APART)


def dress(
    generator: np.random.Generator,
    gender: float = 0.5,
    age: float = 0.75,
    slots: frozenset[str] = frozenset(),
) -> Outfit:
    """A random outfit for a person of that gender and age (Anny's phenotypes), worn under `slots`."""
    r = regions()
    canvas = _Canvas(len(r.rest))
    colours, patterns = _colours(generator, age), np.zeros((len(ROWS), COLUMNS), np.float32)
    for row, slot in ((TOP, "top"), (BOTTOM, "bottom"), (SHOES, "shoes"), (HAT, "hat")):
        patterns[row] = cloth_pattern(slot, colours[row], generator)
    undressed = generator.random() < (0.035 if age > 0.7 else 0.015)
    sporty = generator.random() < 0.15
    if not slots & ABOVE and not (undressed and gender < 0.5):
        _wear_top(generator, r, canvas, patterns, brief=undressed)
    if not slots & BELOW:
        _wear_bottom(generator, r, canvas, patterns, gender, brief=undressed, sporty=sporty)
    if "shoes" not in slots and generator.random() < (0.15 if undressed else 0.9):
        _wear_shoes(generator, r, canvas)
    if generator.random() < 0.03:
        canvas.put(GLOVES, np.where(r.hand, 1, (r.arm - generator.uniform(0.93, 1)) * ARM_M))
        canvas.offset[r.hand] += 0.002
    hairy = _grow_hair(generator, r, canvas, gender, age, slots)
    _tattoo(generator, r, canvas, patterns, colours)
    canvas.put(EYES, _where(r.eyes, APART))
    canvas.put(IRIS, _where(r.iris, APART))
    cloth = canvas.cloth
    _finish(patterns, generator)
    albedo = colours[cloth]
    bare = (cloth == SKIN) | (cloth == TATTOO)
    albedo[bare] *= _complexion(generator, r, bare, colours, gender, age)
    albedo[bare] += hairy[bare, None] * (colours[HAIR] - albedo[bare])
    albedo *= generator.uniform(0.98, 1.02, (len(cloth), 1))
    albedo = np.clip(albedo, 0.004, 0.95).astype(np.float32)
    return Outfit(canvas.offset, cloth, canvas.seams.astype(np.float32), albedo, patterns, colours[HAIR])


def _wear_top(generator, r: Regions, canvas: _Canvas, patterns, brief: bool) -> None:
    sleeve = generator.choice([0.0, 0.12, 0.36, 0.42, 0.7, 1.0], p=[0.07, 0.08, 0.37, 0.1, 0.05, 0.33])
    hem = generator.uniform(-0.2, 0.1) if generator.random() < 0.9 else generator.uniform(0.15, 0.4)
    neckline = generator.uniform(0.88, 1.06)
    # A neckline hangs lower in front than behind.
    low = np.where(r.normals[:, 2] < 0, generator.uniform(0, 0.16), 0) * np.exp(-((r.rest[:, 0] / 0.09) ** 2))
    if brief:
        sleeve, hem, low = 0.0, generator.uniform(0.5, 0.62), 0.1
    trunk = (r.height > -1) | r.head | (r.leg >= 0)
    body = _where(trunk, np.minimum(r.level - hem, neckline - low - r.level) * TORSO_M)
    if sleeve == 0:
        body = np.minimum(body, 0.14 - np.abs(r.rest[:, 0]))
    covered = canvas.put(TOP, np.maximum(body, _where(r.arm >= 0, (sleeve - r.arm) * ARM_M)))
    loose = generator.choice([0.003, 0.009, 0.018], p=[0.4, 0.4, 0.2]) * generator.uniform(0.7, 1.3)
    canvas.offset[covered] = loose * (1 + 0.5 * np.clip(r.arm[covered], 0, 1))
    if generator.random() < 0.35:
        collar = (r.level - neckline + low) * TORSO_M + 0.024
        canvas.put(TRIM, np.minimum(body, collar))
        cuff = np.minimum(sleeve - r.arm, r.arm - sleeve + 0.05) * ARM_M
        canvas.put(TRIM, _where((r.arm >= 0) & (sleeve > 0), cuff))


def _wear_bottom(generator, r: Regions, canvas: _Canvas, patterns, gender, brief: bool, sporty: bool) -> None:
    lengths = [0.1, 0.3, 0.45, 0.75, 1.0]
    length = generator.choice(lengths, p=[0.03, 0.1, 0.15, 0.07, 0.65])
    if brief:
        length = generator.choice([0.03, 0.12, 0.4], p=[0.4, 0.2, 0.4])
    waist = generator.uniform(-0.02, 0.2)
    hips = (waist - r.level) * TORSO_M
    field = np.where(r.leg >= 0, np.minimum(hips, (length - r.leg) * LEG_M), _where(r.height > -1, hips))
    covered = canvas.put(BOTTOM, canvas.under(field, (TOP, TRIM)))
    tight = generator.random() < (0.55 if gender > 0.5 else 0.2)
    thickness = 0.002 if tight else generator.choice([0.008, 0.02]) * generator.uniform(0.7, 1.3)
    # Trousers hang wider towards the hem.
    flare = 1 + np.clip(r.leg[covered], 0, 1) * generator.uniform(-0.2, 0.7)
    canvas.offset[covered] = thickness * flare
    if tight:
        patterns[BOTTOM, 7] *= 0.3
    if sporty:
        outer = covered & (r.leg > 0.02) & (r.normals[:, 0] * r.rest[:, 0] > 0)
        canvas.put(SIDE, _where(outer, (np.abs(r.normals[:, 0]) - 0.94) * 0.1))
    elif generator.random() < 0.35:
        canvas.put(TRIM, _where(covered, np.minimum(hips, 0.036 - hips)))


def _wear_shoes(generator, r: Regions, canvas: _Canvas) -> None:
    top = 1.02 - generator.choice([0.0, 0.04, 0.12, 0.3], p=[0.5, 0.25, 0.15, 0.1])
    bare_leg = (canvas.cloth[r.leg > 0.8] == SKIN).mean() > 0.5
    if bare_leg and generator.random() < 0.6:
        canvas.put(SOCKS, _where(r.leg >= 0, (r.leg - generator.uniform(0.62, 0.95)) * LEG_M))
    shoe = canvas.put(SHOES, np.where(r.foot, 1, _where(r.leg >= 0, (r.leg - top) * LEG_M)))
    canvas.offset[shoe] += generator.uniform(0.003, 0.01)
    if generator.random() < 0.7:
        ground = r.rest[:, 1].max() - generator.uniform(0.012, 0.03)
        canvas.put(SOLE, _where(r.foot, np.minimum(r.rest[:, 1] - ground, (r.normals[:, 1] - 0.3) * 0.02)))


def _grow_hair(generator, r: Regions, canvas: _Canvas, gender, age, slots) -> np.ndarray:
    """Paint hair; returns how much (V,) of it grows through the skin in between: hairline and beard."""
    man, old = gender < 0.5, age > 0.8
    roots = "hair" in slots or "hat" in slots
    if generator.random() < (0.14 if man and age > 0.77 else 0.01) and "hair" not in slots:
        return np.zeros(len(r.rest))
    hair = (r.scalp - generator.uniform(0.1, 0.5)) * 0.02
    volume = 0.003 if roots else generator.uniform(0.004, 0.022)
    hat = not slots & {"hair", "hat"} and generator.random() < 0.09
    if not hat and "hair" not in slots and generator.random() < (0.06 if man else 0.6):
        # Long hair falls over the back of the head, the neck and sometimes the shoulders' back.
        behind = r.face[:, 2] > 0.09 - generator.uniform(-0.01, 0.02)
        hair = np.maximum(hair, _where(r.head & behind & (r.face[:, 2] < 1), APART))
        if generator.random() < 0.5:
            back = (r.normals[:, 2] > 0.2) & (np.abs(r.rest[:, 0]) < 0.12)
            hair = np.maximum(hair, _where(back, (r.height - generator.uniform(0.75, 0.95)) * TORSO_M))
        volume += 0.006
    hair = canvas.put(HAT if hat else HAIR, hair)
    # The hairline lies flat, the crown has the volume.
    canvas.offset[hair] += volume * np.where(
        r.head[hair], 0.3 + 0.7 * np.clip(-r.face[hair, 1] / 0.1, 0, 1), 0.7
    )
    hairy = 0.7 * r.scalp
    bearded = man and age > 0.7 and generator.random() < (0.25 if old else 0.2)
    if bearded and not slots & {"dress", "skirt"}:
        hairy = np.maximum(hairy, r.beard * generator.uniform(0.6, 0.97))
        canvas.offset += r.beard * generator.uniform(0.001, 0.006)
    return hairy


def _tattoo(generator, r: Regions, canvas: _Canvas, patterns, colours) -> None:
    if generator.random() > 0.03:
        return
    start, length = generator.uniform(0.1, 0.8), generator.uniform(0.1, 0.5)
    side = generator.choice([-1, 1])
    skin = (r.arm >= 0) & (r.rest[:, 0] * side > 0) & (canvas.cloth == SKIN)
    canvas.put(TATTOO, _where(skin, np.minimum(r.arm - start, start + length - r.arm) * ARM_M))
    patterns[TATTOO, :2] = BLOTCHES, generator.uniform(30, 70)
    patterns[TATTOO, 5] = 0.7
    patterns[TATTOO, 8:11] = colours[SKIN] * 0.25 + (0.005, 0.012, 0.02)


def _colours(generator, age: float) -> np.ndarray:
    """One linear RGB colour a row."""
    colours = np.zeros((len(ROWS), 3))
    colours[SKIN] = colours[TATTOO] = skin_colour(generator)
    for row, slot in ((TOP, "top"), (BOTTOM, "bottom"), (SHOES, "shoes"), (HAT, "hat")):
        colours[row] = cloth_colour(slot, generator)
    if generator.random() < 0.12:
        colours[BOTTOM] = colours[TOP]
    colours[SOCKS] = 0.75 if generator.random() < 0.55 else cloth_colour("top", generator)
    colours[GLOVES] = cloth_colour("shoes", generator)
    contrast = cloth_colour("top", generator) if generator.random() < 0.5 else colours[TOP] * 0.4
    colours[TRIM] = contrast if generator.random() < 0.7 else cloth_colour("shoes", generator)
    colours[SIDE] = 0.8 if generator.random() < 0.6 else cloth_colour("top", generator)
    colours[SOLE] = generator.choice([0.8, 0.04, 0.2], p=[0.55, 0.35, 0.1])
    colours[HAIR] = hair_colour(age, colours[SKIN], generator)
    colours[EYES] = (0.55, 0.53, 0.5)
    colours[IRIS] = (
        IRIS_COLOURS[
            generator.choice(
                4, p=[0.6, 0.2, 0.08, 0.12] if colours[SKIN].mean() > 0.3 else [0.97, 0.03, 0, 0]
            )
        ]
        ** 2.2
    )
    return colours


def _finish(patterns, generator) -> None:
    """Shine, translucency and folds of what is not cloth."""
    patterns[[SKIN, TATTOO], 6] = generator.uniform(0.02, 0.09)
    patterns[[SKIN, TATTOO], 11] = generator.uniform(0.5, 1)
    patterns[[EYES, IRIS], 6] = 0.25
    patterns[:, 12] = np.where(patterns[:, 12] == 0, 14, patterns[:, 12])
    patterns[HAIR] = hair_pattern(generator)
    for row, like in ((TRIM, TOP), (SIDE, BOTTOM)):
        patterns[row, 7], patterns[row, 13] = patterns[like, 7], abs(patterns[like, 13])
    patterns[[TRIM, SIDE, SOCKS], 6] = 0.02


def _complexion(generator, r: Regions, bare, colours, gender: float, age: float) -> np.ndarray:
    """Factors (B, 3) on the colour of bare (V,) skin: blotches, blood, pale palms, make-up, stubble."""
    waves = generator.normal(0, 1, (3, 3)) * generator.uniform(15, 60, (3, 1))
    mottled = np.sin(r.rest[bare] @ waves.T + generator.uniform(0, 6.3, 3)).mean(1)
    factor = 1 + mottled[:, None] * generator.uniform(0, 0.07) * np.array([0.4, 1, 1.1])
    blood = r.flush[bare, None] * generator.uniform(0.1, 0.6) * np.array([0.05, 0.45, 0.4])
    factor *= 1 - blood
    # Dark skin is lighter on palms and soles.
    factor *= 1 + r.palm[bare, None] * (0.1 + 1.2 * np.clip(0.3 - colours[SKIN].mean(), 0, 1))
    factor[r.lids[bare]] *= 0.8
    brow = (0.4 * colours[HAIR] + 0.12 * colours[SKIN]) / colours[SKIN]
    factor += r.brows[bare, None] * generator.uniform(0.6, 1) * (np.minimum(brow, 0.6) - factor)
    lips = np.array([0.88, 0.6, 0.62])
    if gender < 0.5 and age > 0.7 and generator.random() < 0.5:
        factor *= 1 - r.beard[bare, None] * generator.uniform(0.1, 0.5) * np.array([1, 0.95, 0.85])
    if gender > 0.5 and age > 0.7 and generator.random() < 0.5:
        lips = np.array([1.0, 0.4, 0.45]) ** generator.uniform(0.7, 1.5)
        factor[r.lids[bare]] *= generator.uniform(0.3, 0.9)
    return factor * (1 - r.lips[bare, None] * (1 - lips))
