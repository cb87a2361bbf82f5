"""Which colours and patterns the pieces of a garment from the wardrobe have."""

import numpy as np

from hmnet.data.synthetic.people.appearance import HAIR, Outfit
from hmnet.data.synthetic.people.colours import COLUMNS, cloth_colour, cloth_pattern
from hmnet.data.synthetic.people.fitting import Garment


def garment_look(
    garment: Garment, outfit: Outfit, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (pieces, 3) and pattern rows (pieces, COLUMNS) of a garment's pieces."""
    count = int(garment.pieces.max()) + 1
    albedo, rows = np.zeros((count, 3)), np.zeros((count, COLUMNS))
    if garment.slot == "hair":
        albedo[:], rows[:] = outfit.hair, outfit.patterns[HAIR]
        return albedo, rows
    for piece in range(count):
        slot = _piece_slot(garment, piece)
        albedo[piece] = cloth_colour(slot, generator)
        rows[piece] = cloth_pattern(slot, albedo[piece], generator)
        if piece > 0 and slot == "shoes":
            albedo[piece] = generator.choice([0.8, 0.04, 0.2], p=[0.5, 0.4, 0.1])
        elif piece > 0 and slot == _piece_slot(garment, 0):
            # Collars, linings and buttons go with the rest.
            albedo[piece] = albedo[0] * generator.choice([1, 0.5, 0.2, 1.5], p=[0.5, 0.2, 0.15, 0.15])
            rows[piece] = rows[0]
    return np.clip(albedo, 0.004, 0.95), rows


def _piece_slot(garment: Garment, piece: int) -> str:
    """What a piece of a suit is, by the parts of the body beneath it; the garment's own slot otherwise."""
    if garment.slot != "suit":
        return garment.slot
    parts = garment.face_parts[(garment.pieces[garment.faces] == piece).all(1)]
    shares = np.bincount(np.digitize(parts, (1, 3, 5, 7, 15, 23)), minlength=7)
    return ("bag", "top", "shoes", "shoes", "bottom", "top", "hat")[int(shares.argmax())]
