"""The 24 body parts of Phase 1, numbered as DensePose numbers them (0 is background).

Front and back, inside and outside split the torso and the limbs; left and right are the person's own.
"""

from hmnet.body.hand_names import HAND_PART_NAMES
from hmnet.config import HANDS

PART_NAMES = (
    "background",
    "torso back",
    "torso front",
    "right hand",
    "left hand",
    "left foot",
    "right foot",
    "right upper leg back",
    "left upper leg back",
    "right upper leg front",
    "left upper leg front",
    "right lower leg back",
    "left lower leg back",
    "right lower leg front",
    "left lower leg front",
    "left upper arm inside",
    "right upper arm inside",
    "left upper arm outside",
    "right upper arm outside",
    "left lower arm inside",
    "right lower arm inside",
    "left lower arm outside",
    "right lower arm outside",
    "right head",
    "left head",
)
PART_COUNT = len(PART_NAMES) - 1
"""Of a whole body; a hand's are `hand_names.HAND_PART_NAMES`."""
PART_INDEX = {name: index for index, name in enumerate(PART_NAMES)}


def part_names_of(body: str) -> tuple[str, ...]:
    """The names of part 0, the background, and of the parts of the body of that name."""
    return HAND_PART_NAMES if body in HANDS else PART_NAMES


def _mirrored_name(name: str) -> str:
    for here, there in (("left ", "right "), ("right ", "left ")):
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


MIRRORED_PART = tuple(PART_INDEX[_mirrored_name(name)] for name in PART_NAMES)
"""MIRRORED_PART[p] is the part that p becomes when the picture is flipped left to right."""

PART_COLOURS = (
    (0, 0, 0),
    (120, 70, 40), (214, 130, 78),
    (255, 105, 180), (64, 224, 208),
    (0, 150, 136), (199, 21, 133),
    (150, 30, 60), (20, 70, 150), (230, 70, 90), (70, 130, 230),
    (170, 60, 20), (20, 120, 170), (245, 130, 60), (80, 185, 240),
    (40, 110, 60), (120, 90, 20), (90, 190, 100), (205, 165, 50),
    (20, 130, 110), (150, 110, 60), (110, 215, 170), (235, 200, 100),
    (150, 60, 190), (95, 90, 215),
)  # fmt: skip
"""One display colour (sRGB, 0..255) a part: warm on the person's right, cool on the left."""
