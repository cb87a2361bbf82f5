"""Colours and patterns as people wear them: dark, grey, white, navy, denim and beige before anything loud."""

import numpy as np

COLUMNS = 23
"""Columns of a row of patterns, as `hmnet.data.synthetic.shading.shade` reads them."""
PLAIN, STRIPES, PLAID, BLOTCHES, WEAVE, STRANDS, DOTS, PRINT = range(8)
SKIN_TONES = np.array(
    [[0.93, 0.76, 0.67], [0.88, 0.68, 0.56], [0.80, 0.58, 0.45], [0.70, 0.48, 0.35], [0.55, 0.36, 0.25],
     [0.42, 0.27, 0.18], [0.30, 0.19, 0.13], [0.22, 0.14, 0.10]]
)  # fmt: skip
HAIR_COLOURS = np.array(
    [[0.05, 0.04, 0.03], [0.12, 0.08, 0.05], [0.25, 0.15, 0.08], [0.45, 0.30, 0.15], [0.70, 0.56, 0.34],
     [0.50, 0.20, 0.08], [0.62, 0.61, 0.60]]
)  # fmt: skip
HAIR_SHARES = np.array([0.3, 0.27, 0.2, 0.1, 0.07, 0.03, 0.03])
IRIS_COLOURS = np.array([[0.20, 0.12, 0.07], [0.30, 0.20, 0.10], [0.30, 0.36, 0.22], [0.32, 0.42, 0.52]])
CLOTH = {
    "black": (0.07, 0.07, 0.08), "charcoal": (0.2, 0.2, 0.22), "grey": (0.5, 0.5, 0.51),
    "light grey": (0.72, 0.72, 0.72), "white": (0.92, 0.92, 0.9), "navy": (0.1, 0.13, 0.24),
    "blue": (0.16, 0.3, 0.58), "light blue": (0.62, 0.74, 0.86), "denim": (0.27, 0.37, 0.52),
    "dark denim": (0.13, 0.18, 0.29), "pale denim": (0.55, 0.65, 0.76), "beige": (0.76, 0.69, 0.57),
    "khaki": (0.55, 0.5, 0.38), "olive": (0.32, 0.33, 0.2), "brown": (0.33, 0.22, 0.15),
    "tan": (0.62, 0.44, 0.28), "red": (0.72, 0.13, 0.13), "burgundy": (0.38, 0.1, 0.14),
    "pink": (0.88, 0.62, 0.66), "green": (0.15, 0.4, 0.24), "teal": (0.12, 0.42, 0.45),
    "yellow": (0.88, 0.74, 0.25), "orange": (0.87, 0.45, 0.15), "purple": (0.38, 0.22, 0.48),
}  # fmt: skip
"""sRGB."""
WORN = {
    "top": {"black": 15, "white": 24, "grey": 9, "light grey": 10, "charcoal": 7, "navy": 10, "blue": 7,
        "light blue": 8, "beige": 7, "red": 4, "burgundy": 3, "green": 3, "olive": 3, "pink": 4, "brown":
        2, "teal": 2, "yellow": 2, "purple": 2, "orange": 1, "denim": 2, "khaki": 1},
    "bottom": {"denim": 16, "dark denim": 19, "pale denim": 10, "black": 20, "charcoal": 8, "grey": 5,
        "navy": 7, "beige": 5, "khaki": 5, "olive": 3, "brown": 2, "white": 6, "light grey": 4, "red": 1,
        "blue": 1},
    "outer": {"black": 24, "charcoal": 12, "navy": 16, "grey": 9, "beige": 8, "tan": 5, "olive": 6,
        "brown": 5, "denim": 5, "red": 3, "burgundy": 3, "green": 2, "blue": 3, "white": 8,
        "light grey": 6, "yellow": 1},
    "shoes": {"black": 30, "white": 30, "brown": 13, "tan": 6, "grey": 8, "navy": 5, "beige": 4, "red":
        3, "blue": 2, "pink": 1},
    "bag": {"black": 36, "brown": 16, "tan": 12, "navy": 8, "grey": 7, "beige": 7, "red": 4, "olive": 4,
        "white": 3, "pink": 2},
}  # fmt: skip
"""How often each colour is worn, a total of about 100 a slot."""
MUTED = 0.8
"""How strong colours are that have been worn, washed and photographed."""
PALETTE_OF = {"top": "top", "dress": "top", "skirt": "top", "hat": "outer", "coat": "outer", "suit": "outer",
              "bottom": "bottom", "shoes": "shoes", "bag": "bag"}  # fmt: skip
PATTERNED = {"top": 0.42, "dress": 0.45, "skirt": 0.3, "bottom": 0.06, "coat": 0.08, "suit": 0.06, "hat": 0.1}


def cloth_colour(slot: str, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (3,) of a garment of that slot of the wardrobe."""
    shares = WORN[PALETTE_OF[slot]]
    odds = np.array(list(shares.values()), float)
    colour = np.array(CLOTH[list(shares)[generator.choice(len(odds), p=odds / odds.sum())]])
    if generator.random() < 0.07 and slot != "shoes":
        # Anything at all, though rarely loud.
        value = generator.uniform(0.1, 0.9, 3)
        colour = value.mean() + generator.uniform(0.2, 1) * (value - value.mean())
    # Brightness changes more from garment to garment than the hue does.
    colour = colour * np.exp(generator.normal(0, 0.18)) + generator.normal(0, 0.02, 3)
    colour = colour.mean() + MUTED * (colour - colour.mean())
    return np.clip(colour, 0.02, 0.95) ** 2.2


def cloth_pattern(slot: str, colour: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A row of patterns (COLUMNS,) for a garment of that slot in that linear colour (3,)."""
    row = np.zeros(COLUMNS)
    row[6], row[12] = generator.uniform(0, 0.03), generator.uniform(6, 14)
    row[7] = generator.uniform(0.18, 0.6)
    row[13] = generator.uniform(0, 100)
    second = cloth_colour("top", generator)
    if generator.random() < 0.5:
        second = colour * generator.uniform(0.25, 0.7) if colour.mean() > 0.12 else colour * 2 + 0.08
    row[8:11] = np.clip(second, 0, 1)
    row[5] = generator.uniform(0.5, 1)
    row[0], row[1] = WEAVE, np.exp(generator.uniform(np.log(90), np.log(350)))
    thread = colour * generator.uniform(0.35, 0.75)
    if slot in ("shoes", "bag"):
        row[0], row[6], row[7] = PLAIN, generator.uniform(0.01, 0.1), 0.12
    elif generator.random() < PATTERNED[slot]:
        _decorate(row, slot, generator)
    else:
        row[8:11], row[5] = thread, row[5] * (1.0 if slot == "bottom" else 0.6)
    if slot in ("top", "coat", "suit") and generator.random() < 0.35:
        row[14] = generator.uniform(0.002, 0.016)  # a zip or a placket down the front
    if slot == "bottom":
        blue = colour[2] > 1.5 * colour[0]
        row[14] = -2 if blue else -1  # pockets, a fly and a waistband; denim fades too
    return row


def _decorate(row: np.ndarray, slot: str, generator: np.random.Generator) -> None:
    """Give a row a pattern, at the size that real cloth has it."""
    if slot in ("top", "hat") and generator.random() < 0.4:
        row[0], row[1] = PRINT, generator.uniform(25, 70)
        row[2:5] = generator.normal(0, 0.015), generator.uniform(-0.42, -0.34), generator.uniform(0.03, 0.11)
        if generator.random() < 0.3:
            row[2:5] = 0.07, -0.42, 0.02
        return
    kind = generator.choice([STRIPES, PLAID, BLOTCHES, DOTS], p=[0.42, 0.26, 0.22, 0.1])
    lowest, highest = {STRIPES: (12, 60), PLAID: (10, 45), BLOTCHES: (10, 45), DOTS: (18, 60)}[kind]
    row[0], row[1] = kind, np.exp(generator.uniform(np.log(lowest), np.log(highest)))
    row[2:5] = (0, 1, 0) if generator.random() < 0.75 else (1, 0, 0)
    row[5] = generator.uniform(0.4, 1)
    if kind == STRIPES and generator.random() < 0.3:
        row[13] = -generator.uniform(0.1, 0.3)  # narrow lines on a wide ground


def hair_colour(age: float, skin: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (3,) of hair over skin of that linear RGB; age is Anny's phenotype, the old are grey."""
    # Light hair goes with light skin, dyed hair apart.
    fair = np.clip(skin.mean() / 0.35, 0.02, 1) ** 2
    odds = HAIR_SHARES * np.where(np.arange(len(HAIR_SHARES)) > 1, fair, 1)
    colour = HAIR_COLOURS[generator.choice(len(odds), p=odds / odds.sum())]
    grey = generator.random() * np.clip((age - 0.8) / 0.03, 0, 1)
    colour = colour + (np.array([0.66, 0.65, 0.63]) - colour) * grey
    return np.clip(colour * generator.uniform(0.7, 1.3), 0.015, 0.9) ** 2.2


def hair_pattern(generator: np.random.Generator) -> np.ndarray:
    """A row of patterns (COLUMNS,) of strands that fall from the crown."""
    row = np.zeros(COLUMNS)
    row[0], row[1], row[5], row[6], row[12] = STRANDS, generator.uniform(25, 60), 0.5, 0.06, 10
    row[7], row[13] = 0.04, generator.uniform(0, 100)
    return row


def skin_colour(generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (3,) of skin."""
    return skin_of_tone((len(SKIN_TONES) - 1) * generator.beta(0.8, 1.4), generator)


def skin_of_tone(tone: float, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (3,) of skin about as dark as row `tone` of SKIN_TONES, a number between two rows too."""
    low = min(int(tone), len(SKIN_TONES) - 2)
    mixed = SKIN_TONES[low] + (tone - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low])
    return (
        np.clip(mixed * np.exp(generator.normal(0, 0.06)) * (1 + generator.normal(0, 0.02, 3)), 0, 1) ** 2.2
    )
