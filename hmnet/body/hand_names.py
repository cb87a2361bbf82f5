"""What a hand's joints and parts are called, in the order that hand datasets have them."""

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HAND_JOINT_NAMES = ("wrist", *(f"{finger}{place}" for finger in FINGERS for place in ("1", "2", "3", "_tip")))
"""The usual order of hand datasets: the wrist, then four a finger from its base to its tip."""
TURNING_JOINTS = tuple(name for name in HAND_JOINT_NAMES if not name.endswith("_tip"))
"""The 16 joints that turn, in that order: the wrist, then three a finger."""
HAND_PART_NAMES = (
    "background", "palm",
    *(f"{finger} {place}" for finger in FINGERS for place in ("base", "middle", "end")),
)  # fmt: skip
"""A hand's 16 parts: what goes with the wrist is the palm, and a finger has one part a bone."""
HAND_PART_COLOURS = (
    (0, 0, 0), (190, 190, 190),
    (120, 20, 30), (200, 50, 60), (255, 130, 130),
    (130, 90, 10), (215, 160, 40), (255, 220, 120),
    (20, 90, 40), (50, 160, 80), (140, 225, 150),
    (10, 80, 110), (40, 150, 190), (140, 215, 240),
    (70, 30, 120), (130, 80, 200), (200, 165, 250),
)  # fmt: skip
"""One display colour (sRGB, 0..255) a part: a hue a finger, lighter towards its tip."""
