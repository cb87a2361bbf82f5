"""What the page says of a body, be it a person's or a hand: its words, its bones, its colours, its limbs."""

from dataclasses import dataclass

from demo import figures
from hmnet.body import BodyTemplate
from hmnet.body.hand_names import FINGERS, HAND_PART_COLOURS, HAND_PART_NAMES

LEFT_HAND = "left hand"
"""What a left hand's surface is called beside the right one's, which has the template's name."""
LIMBS = {
    "head": ("head",),
    "torso": ("torso",),
    "left arm": ("left upper arm", "left lower arm", "left hand"),
    "right arm": ("right upper arm", "right lower arm", "right hand"),
    "left leg": ("left upper leg", "left lower leg", "left foot"),
    "right leg": ("right upper leg", "right lower leg", "right foot"),
}
"""What can be taken from a person: a limb's parts are those whose names contain one of these."""
HAND_LIMBS = {"palm": ("palm",), **{finger: (f"{finger} ",) for finger in FINGERS}}
"""What can be taken from a hand. The blank tells a middle finger from the middle of another one."""
HAND_BONES = tuple(
    (before, f"{finger}{place}")
    for finger in FINGERS
    for before, place in (("wrist", "1"), (f"{finger}1", "2"), (f"{finger}2", "3"), (f"{finger}3", "_tip"))
)
"""The 20 bones between the 21 joints, by name."""


@dataclass(frozen=True)
class Words:
    """one, many: whoever is looked at. parts: what their parts are called. root: the joint at the origin."""

    one: str
    many: str
    parts: str
    root: str


PERSON = Words("person", "people", "body parts", "pelvis")
HAND = Words("hand", "hands", "parts of the hand", "wrist")


def words_of(body: BodyTemplate) -> Words:
    """What the body is called."""
    return HAND if body.one_sided else PERSON


def surface_name(body: BodyTemplate, side: str | None) -> str:
    """The name of a body's surface on the page; side: of a hand, "left" or "right"."""
    return LEFT_HAND if side == "left" else body.name


def bones_of(body: BodyTemplate) -> tuple[tuple[str, str], ...]:
    """Pairs of joints by name: where a bone begins, and where it ends."""
    return HAND_BONES if body.one_sided else figures.SKELETON


def limbs_of(body: BodyTemplate) -> dict[str, tuple[int, ...]]:
    """Part ids of each limb that can be taken away, by its name."""
    limbs = HAND_LIMBS if body.one_sided else LIMBS
    return {
        limb: tuple(
            part for part, name in enumerate(body.part_names) if part and any(word in name for word in words)
        )
        for limb, words in limbs.items()
    }


def joint_colours(body: BodyTemplate) -> dict[str, tuple[int, int, int]]:
    """Each joint's colour (sRGB, 0..255) by name: a hue a finger; of people warm on the right, cool on the
    left."""
    if not body.one_sided:
        return {name: figures.side_colour(name) for name in body.joint_names}
    palm = HAND_PART_COLOURS[HAND_PART_NAMES.index("palm")]
    hues = {finger: HAND_PART_COLOURS[HAND_PART_NAMES.index(f"{finger} middle")] for finger in FINGERS}
    return {name: hues.get(name.rstrip("123").removesuffix("_tip"), palm) for name in body.joint_names}
