"""Everyday poses, authored: what people do in photos and motion capture seldom shows.

A limb's direction is a pair of degrees (forward, out): (0, 0) hangs down, (90, 0) points forward,
(180, 0) up, (-90, 0) back, (0, 90) sideways away from the body, a negative second number across it.
Directions are those of the body as it stands or sits; `lie` then tilts all of it. Turns of hips, chest
and head are (forward, to the body's left, turned to its left) in degrees, each absolute.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.retarget import pose_from_positions
from hmnet.data.synthetic.skeleton import rest_positions

Pair = tuple[float, float]
Limb = tuple[Pair, Pair]
Turn = tuple[float, float, float]

HANG: Limb = ((0, 9), (12, 5))
FLAT: Pair = (18, 8)
"""A foot flat on the floor: the ball lies 18 degrees below the ankle, toes a little out."""


@dataclass(frozen=True)
class Anchor:
    """One authored pose. arms: upper and lower arm; legs: thigh and shank; feet: (down, out) or None.

    Where a foot is None, its ankle stays at rest. `arms`, `legs` and `feet` hold for both sides unless
    a side says otherwise.
    """

    kind: str
    name: str
    arms: Limb = HANG
    legs: Limb = ((0, 3), (0, 3))
    feet: Pair | None = FLAT
    left_arm: Limb | None = None
    right_arm: Limb | None = None
    left_leg: Limb | None = None
    right_leg: Limb | None = None
    left_foot: Pair | None = None
    right_foot: Pair | None = None
    hips: Turn = (0, 0, 0)
    chest: Turn = (0, 0, 0)
    head: Turn = (0, 0, 0)
    lie: Turn = (0, 0, 0)



STAND = Anchor("standing", "relaxed")
SIT = Anchor("sitting", "upright", arms=((20, 6), (62, -8)), legs=((84, 8), (2, 2)))
ON_FLOOR = Anchor("floor", "legs out", arms=((-18, 14), (-12, 12)), legs=((86, 8), (88, 6)), feet=None,
                  hips=(-12, 0, 0), chest=(-8, 0, 0))  # fmt: skip
KNEEL = Anchor("kneeling", "two knees, upright", legs=((4, 6), (-86, 4)), feet=None)
SQUAT = Anchor("squatting", "deep", arms=((55, 8), (80, -10)), legs=((118, 16), (-38, 2)), feet=(18, 15),
               hips=(25, 0, 0), chest=(38, 0, 0))  # fmt: skip
LIE = Anchor("lying", "on the back, straight", arms=((0, 18), (8, 12)), feet=(60, 12), lie=(-90, 0, 0))

IN_POCKETS: Limb = ((-22, 20), (26, -6))
ON_HIPS: Limb = ((-22, 48), (32, -48))
FOLDED: Limb = ((14, 10), (86, -74))
BEHIND_BACK: Limb = ((-32, 14), (-8, -40))
PHONE_AT_EAR: Limb = ((38, 26), (152, -22))
READING: Limb = ((18, 6), (112, -28))
OVERHEAD: Limb = ((172, 12), (176, 2))
RAISED: Limb = ((165, 14), (172, 8))
WAVING: Limb = ((60, 62), (176, 24))
POINTING: Limb = ((82, 14), (88, 8))
SIDEWAYS: Limb = ((6, 86), (8, 88))
BACK_FROM_HEAD: Limb = ((100, 58), (172, -58))
FORWARD: Limb = ((84, 6), (90, 2))
CARRYING: Limb = ((14, 14), (88, -8))
ON_LAP: Limb = ((16, 8), (74, -24))
ON_KNEES: Limb = ((34, 8), (58, 2))
CHIN: Limb = ((52, 0), (148, -28))
CROSSED_OVER: Limb = ((96, -16), (16, -20))
ANKLE_ON_KNEE: Limb = ((94, 38), (70, -66))

ANCHORS: tuple[Anchor, ...] = (
    # --- standing, arms low
    STAND,
    Anchor("standing", "feet together, arms close", arms=((2, 5), (8, 2)), legs=((0, -2), (0, -2))),
    Anchor("standing", "feet apart", arms=((4, 14), (16, 6)), legs=((2, 11), (-1, 11)), feet=(18, 18)),
    Anchor("standing", "contrapposto", left_leg=((12, 8), (-14, 6)), right_leg=((0, -3), (0, -2)),
           left_foot=(18, 22), hips=(0, -8, 0), chest=(0, 5, 4), head=(4, -3, 10)),
    Anchor("standing", "weight on one leg, hand on hip", right_arm=ON_HIPS, left_leg=((16, 10), (-12, 2)),
           right_leg=((0, -2), (0, -1)), hips=(0, -6, -5), chest=(0, 4, 0), head=(2, 4, -15)),
    Anchor("standing", "hands on hips", arms=ON_HIPS, legs=((0, 7), (0, 7))),
    Anchor("standing", "arms folded", left_arm=FOLDED, right_arm=((20, 8), (78, -70)), legs=((0, 5), (0, 5))),
    Anchor("standing", "hands in pockets", arms=IN_POCKETS, head=(6, 0, 0)),
    Anchor("standing", "one hand in pocket", left_arm=IN_POCKETS, head=(0, 0, 18)),
    Anchor("standing", "hands clasped in front", arms=((14, 5), (42, -34))),
    Anchor("standing", "hands behind the back", arms=BEHIND_BACK, chest=(-4, 0, 0)),
    Anchor("standing", "looking down at feet", chest=(10, 0, 0), head=(42, 0, 0)),
    Anchor("standing", "turned at the waist", arms=((10, 12), (30, 4)), chest=(0, 0, 28), head=(0, 0, 45)),
    Anchor("standing", "leaning on a wall", arms=IN_POCKETS, left_leg=((28, 4), (-40, 2)),
           legs=((14, 4), (14, 4)), hips=(-8, 0, 0), chest=(-10, 0, 0), head=(4, 0, 0)),
    Anchor("standing", "ankles crossed", arms=FOLDED, left_leg=((2, -9), (-2, -12)),
           right_leg=((6, -4), (-8, -8))),
    # --- gestures
    Anchor("gesture", "arms overhead", arms=OVERHEAD),
    Anchor("gesture", "arms up in a V", arms=((150, 38), (160, 34)), legs=((0, 9), (0, 9)), head=(-12, 0, 0)),
    Anchor("gesture", "one arm raised", right_arm=RAISED),
    Anchor("gesture", "waving", right_arm=WAVING, head=(0, 4, 0)),
    Anchor("gesture", "waving high", left_arm=((140, 34), (170, 20)), chest=(0, -4, 0)),
    Anchor("gesture", "pointing ahead", right_arm=POINTING, chest=(0, 0, 10)),
    Anchor("gesture", "pointing aside", left_arm=((20, 78), (30, 80)), head=(0, 0, 40)),
    Anchor("gesture", "phone at the ear", right_arm=PHONE_AT_EAR, head=(4, -8, 0)),
    Anchor("gesture", "phone at the ear, hand in pocket", right_arm=PHONE_AT_EAR, left_arm=IN_POCKETS),
    Anchor("gesture", "reading a phone", right_arm=READING, head=(34, 0, 0), chest=(6, 0, 0)),
    Anchor("gesture", "phone in both hands", arms=READING, head=(36, 0, 0), chest=(8, 0, 0)),
    Anchor("gesture", "taking a photo", arms=((62, 18), (138, -36)), head=(4, 0, 0)),
    Anchor("gesture", "drinking", right_arm=((46, 14), (142, -34)), head=(-12, 0, 0)),
    Anchor("gesture", "hand on chin", right_arm=CHIN, left_arm=((14, 6), (84, -58)), head=(10, 0, 0)),
    Anchor("gesture", "hands behind the head", arms=BACK_FROM_HEAD, chest=(-4, 0, 0)),
    Anchor("gesture", "arms wide", arms=SIDEWAYS),
    Anchor("gesture", "talking with the hands", left_arm=((14, 16), (84, 14)), right_arm=((22, 14), (104, 2)),
           head=(0, 0, -12)),
    Anchor("gesture", "shrugging", arms=((2, 22), (66, 42)), head=(0, 10, 0)),
    Anchor("gesture", "thumb up", right_arm=((30, 10), (96, -6))),
    Anchor("gesture", "selfie", right_arm=((98, 20), (112, 8)), head=(-6, 6, -14), chest=(0, 0, -8)),
    Anchor("gesture", "handshake", right_arm=((36, 4), (74, -8)), chest=(6, 0, 8)),
    Anchor("gesture", "arms stretched ahead", arms=FORWARD),
    Anchor("gesture", "cheering, fist up", right_arm=((128, 24), (176, 14)), left_arm=((10, 22), (84, -6)),
           head=(-8, 0, 0)),
    # --- carrying
    Anchor("carrying", "a box", arms=CARRYING, chest=(-5, 0, 0)),
    Anchor("carrying", "a bag in one hand", right_arm=((0, 6), (3, 4)), chest=(0, 5, 0)),
    Anchor("carrying", "a bag on the shoulder", left_arm=((4, 16), (128, -22)), chest=(0, -4, 0)),
    Anchor("carrying", "a child on the hip", left_arm=((12, 26), (84, -44)), hips=(0, -6, 0),
           chest=(0, -6, 0)),
    Anchor("carrying", "a tray", left_arm=((12, 12), (96, 8))),
    Anchor("carrying", "pushing a cart", arms=((34, 8), (66, 0)), legs=((16, 2), (2, 2)),
           right_leg=((-10, 2), (-26, 2)), right_foot=(38, 4), chest=(12, 0, 0)),
    # --- walking and running
    Anchor("walking", "stride", left_leg=((24, 2), (14, 2)), right_leg=((-16, 2), (-34, 2)), left_foot=(6, 6),
           right_foot=(46, 4), left_arm=((-18, 8), (-4, 4)), right_arm=((18, 6), (34, -2)), chest=(4, 0, 6)),
    Anchor("walking", "short stride", left_leg=((14, 2), (6, 2)), right_leg=((-8, 2), (-18, 2)),
           right_foot=(28, 6), left_arm=((-8, 8), (4, 4)), right_arm=((10, 8), (22, 0)), chest=(2, 0, 3)),
    Anchor("walking", "passing", left_leg=((22, 2), (-34, 2)), right_leg=((0, 0), (-4, 0)),
           left_foot=(40, 4)),
    Anchor("walking", "with hands in pockets", arms=IN_POCKETS, left_leg=((22, 2), (10, 2)),
           right_leg=((-14, 2), (-28, 2)), right_foot=(40, 4), head=(8, 0, 0)),
    Anchor("walking", "up a step", left_leg=((56, 4), (-14, 2)), right_leg=((-2, 2), (-10, 2)),
           chest=(10, 0, 0), right_arm=((30, 8), (58, 0)), left_arm=((-14, 10), (6, 4))),
    Anchor("running", "push-off", left_leg=((62, 2), (-30, 2)), right_leg=((-26, 2), (-44, 2)),
           left_foot=(20, 2), right_foot=(70, 4), left_arm=((-46, 12), (46, 0)),
           right_arm=((34, 8), (116, -14)), hips=(10, 0, -6), chest=(16, 0, 10)),
    Anchor("running", "mid-flight", left_leg=((46, 2), (6, 2)), right_leg=((-14, 2), (-96, 2)),
           left_foot=(6, 2), right_foot=None, left_arm=((-40, 14), (40, 2)), right_arm=((26, 10), (104, -12)),
           chest=(12, 0, 8)),
    Anchor("running", "jog", left_leg=((34, 2), (-14, 2)), right_leg=((-12, 2), (-58, 2)), right_foot=(80, 2),
           left_arm=((-24, 12), (60, -6)), right_arm=((16, 10), (100, -14)), chest=(8, 0, 5)),
    Anchor("running", "sprint start", left_leg=((94, 4), (-36, 2)), right_leg=((20, 4), (-60, 2)),
           right_foot=(74, 2), arms=((12, 6), (4, 4)), hips=(58, 0, 0), chest=(66, 0, 0), head=(40, 0, 0)),
    # --- sitting on a chair
    SIT,
    replace(SIT, name="hands in lap", arms=ON_LAP),
    replace(SIT, name="hands on knees", arms=ON_KNEES, chest=(10, 0, 0)),
    replace(SIT, name="leaning forward, elbows on knees", arms=((52, 10), (66, -34)),
            legs=((84, 16), (-6, 4)), hips=(18, 0, 0), chest=(46, 0, 0), head=(18, 0, 0)),
    replace(SIT, name="leaning back", arms=((10, 26), (56, -14)), legs=((80, 12), (24, 6)), hips=(-20, 0, 0),
            chest=(-22, 0, 0), head=(-4, 0, 0)),
    replace(SIT, name="leg crossed over", arms=ON_LAP, left_leg=((84, 0), (4, 2)), right_leg=CROSSED_OVER,
            right_foot=(50, -6)),
    replace(SIT, name="leg crossed over, arms folded", arms=FOLDED, left_leg=((82, 0), (8, 2)),
            right_leg=CROSSED_OVER, right_foot=(50, -6), chest=(-8, 0, 0)),
    replace(SIT, name="ankle on knee", arms=((24, 14), (66, -16)), right_leg=ANKLE_ON_KNEE,
            left_leg=((84, 4), (2, 0)), left_foot=FLAT, feet=None, hips=(-10, 0, 0), chest=(-10, 0, 0)),
    replace(SIT, name="legs stretched out", arms=ON_LAP, legs=((72, 6), (46, 4)), feet=(-24, 8),
            hips=(-18, 0, 0), chest=(-16, 0, 0)),
    replace(SIT, name="at a desk, typing", arms=((22, 12), (84, -12)), head=(14, 0, 0), chest=(6, 0, 0)),
    replace(SIT, name="reading", arms=((24, 10), (100, -20)), head=(34, 0, 0), chest=(8, 0, 0)),
    replace(SIT, name="chin on hand", right_arm=((58, 2), (150, -22)), left_arm=ON_LAP, chest=(26, 0, 0),
            hips=(10, 0, 0), head=(14, 0, 0)),
    replace(SIT, name="knees apart", legs=((84, 28), (2, 6)), feet=(18, 26), arms=((20, 14), (60, -22))),
    replace(SIT, name="knees together, shanks aslant", legs=((82, -3), (0, 0)),
            left_leg=((82, -4), (-4, -16)), right_leg=((82, -4), (-4, 16)), arms=ON_LAP),
    replace(SIT, name="feet tucked under", legs=((80, 6), (-34, 4)), feet=(40, 6), arms=ON_LAP),
    replace(SIT, name="eating", right_arm=((38, 12), (128, -26)), left_arm=((26, 12), (84, -30)),
            chest=(12, 0, 0)),
    replace(SIT, name="turned aside", arms=((14, 16), (60, 4)), chest=(0, 0, 26), head=(0, 0, 44)),
    replace(SIT, name="driving", arms=((48, 10), (78, -6)), legs=((78, 10), (40, 6)), feet=(-8, 10),
            hips=(-14, 0, 0), chest=(-14, 0, 0)),
    replace(SIT, name="perched on a stool", legs=((58, 10), (-4, 6)), arms=ON_LAP),
    # --- sitting on the floor
    ON_FLOOR,
    replace(ON_FLOOR, name="cross-legged", arms=((28, 16), (54, -4)), left_leg=((88, 46), (-62, -70)),
            right_leg=((84, 46), (-40, -68)), hips=(0, 0, 0), chest=(6, 0, 0)),
    replace(ON_FLOOR, name="cross-legged, hands in lap", arms=ON_LAP, left_leg=((86, 44), (-56, -70)),
            right_leg=((84, 46), (-36, -66)), hips=(0, 0, 0), chest=(10, 0, 0), head=(16, 0, 0)),
    replace(ON_FLOOR, name="hugging the knees", arms=((56, 4), (66, -34)), legs=((134, 4), (18, 2)),
            feet=(18, 4), hips=(-4, 0, 0), chest=(24, 0, 0), head=(14, 0, 0)),
    replace(ON_FLOOR, name="knees up, leaning back", arms=((-34, 12), (-24, 14)), legs=((128, 8), (20, 4)),
            feet=(18, 8), hips=(-24, 0, 0), chest=(-18, 0, 0)),
    replace(ON_FLOOR, name="one knee up", left_leg=((130, 6), (14, 4)), left_foot=(18, 6),
            left_arm=((72, 12), (86, -6)), hips=(-10, 0, 0), chest=(0, 0, 0)),
    replace(ON_FLOOR, name="side-saddle", left_leg=((82, 44), (-84, -56)), right_leg=((84, -4), (-84, 50)),
            left_arm=ON_LAP, right_arm=((2, 26), (6, 20)), hips=(0, 0, 0), chest=(0, 4, 0)),
    replace(ON_FLOOR, name="straddle, reaching ahead", legs=((84, 42), (86, 42)), arms=((70, 4), (76, 2)),
            hips=(22, 0, 0), chest=(42, 0, 0), head=(24, 0, 0)),
    replace(ON_FLOOR, name="one leg folded", left_leg=((86, 56), (-66, -68)), hips=(0, 0, 0), chest=(8, 0, 0),
            arms=((30, 8), (58, 0))),
    # --- kneeling, squatting, lunging
    KNEEL,
    replace(KNEEL, name="sitting on the heels", legs=((74, 8), (-80, 2)), arms=((22, 6), (58, -10))),
    replace(KNEEL, name="one knee", left_leg=((84, 8), (-2, 4)), left_foot=FLAT,
            right_leg=((-2, 4), (-84, 2)), left_arm=((34, 10), (66, -10))),
    replace(KNEEL, name="one knee, leaning in", left_leg=((98, 12), (-12, 4)), left_foot=FLAT,
            right_leg=((6, 4), (-76, 2)), arms=((50, 8), (84, -14)), hips=(22, 0, 0), chest=(34, 0, 0)),
    replace(KNEEL, name="on all fours", legs=((4, 4), (-84, 2)), arms=((4, 6), (2, 4)), hips=(70, 0, 0),
            chest=(82, 0, 0), head=(46, 0, 0)),
    replace(KNEEL, name="bowing low", legs=((70, 10), (-80, 2)), arms=((72, 14), (86, 2)), hips=(48, 0, 0),
            chest=(84, 0, 0), head=(84, 0, 0)),
    SQUAT,
    replace(SQUAT, name="half, arms ahead", arms=FORWARD, legs=((74, 14), (-28, 4)), hips=(26, 0, 0),
            chest=(28, 0, 0)),
    replace(SQUAT, name="deep, elbows on knees", arms=((70, 14), (92, -34)), chest=(46, 0, 0),
            head=(20, 0, 0)),
    replace(SQUAT, name="crouched, hand on the floor", right_arm=((24, 6), (14, 2)), chest=(58, 0, 0),
            hips=(40, 0, 0), head=(30, 0, 0)),
    Anchor("squatting", "lunge", left_leg=((74, 4), (-8, 4)), right_leg=((-26, 4), (-52, 4)),
           right_foot=(66, 2), arms=ON_HIPS),
    Anchor("squatting", "side lunge", left_leg=((48, 34), (-22, 16)), right_leg=((4, 40), (2, 40)),
           arms=((40, 6), (90, -30)), hips=(20, 0, 0), chest=(26, 0, 0)),
    # --- bending, reaching
    Anchor("bending", "forward, hands hanging", arms=((4, 6), (8, 2)), hips=(56, 0, 0), chest=(88, 0, 0),
           legs=((-2, 4), (-4, 4)), head=(80, 0, 0)),
    Anchor("bending", "touching the toes", arms=((30, 4), (20, 0)), hips=(70, 0, 0), chest=(128, 0, 0),
           legs=((-4, 3), (-2, 3)), head=(140, 0, 0)),
    Anchor("bending", "half way, hands on knees", arms=((16, 14), (8, -4)), legs=((28, 8), (-16, 4)),
           hips=(42, 0, 0), chest=(56, 0, 0), head=(22, 0, 0)),
    Anchor("bending", "lifting from the floor", arms=((12, 4), (16, 0)), legs=((78, 14), (-26, 4)),
           hips=(52, 0, 0), chest=(64, 0, 0), head=(34, 0, 0)),
    Anchor("bending", "over a table", arms=((22, 14), (40, -4)), hips=(34, 0, 0), chest=(48, 0, 0),
           head=(36, 0, 0)),
    Anchor("bending", "sideways, arm overhead", left_arm=((168, -8), (160, -24)), chest=(0, -28, 0),
           hips=(0, -6, 0), head=(0, -28, 0), legs=((0, 9), (0, 9))),
    Anchor("bending", "tying a shoe", arms=((16, 4), (12, -8)), left_leg=((86, 6), (-4, 2)),
           right_leg=((6, 4), (-62, 2)), right_foot=(74, 2), hips=(48, 0, 0), chest=(76, 0, 0),
           head=(64, 0, 0)),
    Anchor("reaching", "high shelf", right_arm=((158, 8), (168, 4)), left_arm=((20, 10), (50, 0)),
           feet=(52, 4), head=(-22, 0, 0), chest=(-4, 4, 0)),
    Anchor("reaching", "aside", right_arm=((20, 72), (26, 78)), chest=(4, -16, -6), head=(0, -6, -36),
           legs=((2, 8), (0, 8))),
    Anchor("reaching", "down and aside", right_arm=((12, 34), (16, 36)), chest=(30, -26, -10),
           hips=(16, -8, 0), legs=((24, 10), (-16, 6))),
    Anchor("reaching", "ahead, both hands", arms=((72, 4), (84, -4)), chest=(18, 0, 0), hips=(8, 0, 0)),
    Anchor("reaching", "behind", right_arm=((-44, 22), (-38, 20)), chest=(0, 0, -28), head=(0, 0, -48)),
    # --- sport
    Anchor("sport", "throwing", right_arm=((86, 72), (156, 24)), left_arm=((66, 14), (74, 8)),
           left_leg=((32, 4), (12, 4)), right_leg=((-22, 6), (-34, 6)), right_foot=(48, 20),
           chest=(-8, -6, -34)),
    Anchor("sport", "throwing, released", right_arm=((112, -10), (88, -12)), left_arm=((-24, 16), (20, 4)),
           left_leg=((36, 4), (-6, 2)), right_leg=((-24, 2), (-56, 2)), right_foot=(76, 2), hips=(10, 0, 12),
           chest=(28, 0, 26), head=(0, 0, 0)),
    Anchor("sport", "kicking", right_leg=((62, -4), (50, -6)), left_leg=((-4, 4), (-10, 2)),
           right_foot=(0, 0), left_arm=((24, 54), (44, 40)), right_arm=((-34, 34), (-18, 28)),
           hips=(-12, 0, 0), chest=(4, 0, 0)),
    Anchor("sport", "kick, leg drawn back", right_leg=((-30, 8), (-104, 4)), left_leg=((14, 2), (-8, 2)),
           right_foot=None, left_arm=((50, 50), (66, 36)), right_arm=((-28, 40), (-10, 30)),
           chest=(10, 0, -10)),
    Anchor("sport", "swinging a racket, drawn back", right_arm=((14, 78), (72, 60)),
           left_arm=((58, 18), (84, -14)), legs=((24, 16), (-20, 8)), chest=(4, 0, -38), head=(0, 0, 10)),
    Anchor("sport", "swinging a racket, struck", right_arm=((82, 18), (92, 8)), left_arm=((4, 38), (48, 20)),
           left_leg=((32, 8), (0, 6)), right_leg=((-12, 10), (-34, 8)), right_foot=(44, 16),
           chest=(10, 0, 20)),
    Anchor("sport", "serving", right_arm=((150, 22), (176, 10)), left_arm=((150, 6), (158, 4)),
           chest=(-12, -8, -14), head=(-26, 0, 0), legs=((16, 8), (-14, 6)), feet=(34, 8)),
    Anchor("sport", "batting stance", left_arm=((66, -26), (104, -52)), right_arm=((34, 36), (116, 8)),
           legs=((30, 18), (-18, 8)), hips=(14, 0, -20), chest=(18, 0, -34), head=(6, 0, 34)),
    Anchor("sport", "golf address", arms=((38, -12), (32, -14)), legs=((22, 12), (-14, 6)), hips=(30, 0, 0),
           chest=(38, 0, 0), head=(48, 0, 0)),
    Anchor("sport", "golf follow-through", left_arm=((60, 62), (150, 20)), right_arm=((112, -44), (150, -30)),
           left_leg=((0, 4), (0, 4)), right_leg=((8, 2), (-30, 6)), right_foot=(70, -10), hips=(0, 0, 34),
           chest=(-6, -4, 58), head=(0, 0, 60)),
    Anchor("sport", "skiing tuck", arms=((56, 8), (112, -22)), legs=((76, 6), (-30, 4)), hips=(52, 0, 0),
           chest=(74, 0, 0), head=(22, 0, 0)),
    Anchor("sport", "skiing, poles out", arms=((30, 26), (72, 18)), legs=((46, 8), (-26, 6)), hips=(22, 0, 0),
           chest=(30, 0, 0)),
    Anchor("sport", "skating push", left_leg=((58, 4), (-20, 2)), right_leg=((-20, 34), (-30, 34)),
           right_foot=(36, 24), left_arm=((34, -6), (86, -26)), right_arm=((-46, 32), (-36, 28)),
           hips=(34, 0, 0), chest=(48, 0, 0), head=(14, 0, 0)),
    Anchor("sport", "surfing", left_arm=((40, 62), (56, 56)), right_arm=((-6, 64), (26, 54)),
           legs=((48, 28), (-28, 4)), feet=(18, 22), hips=(20, 0, 0), chest=(28, 0, -20), head=(0, 0, 40)),
    Anchor("sport", "ready stance", arms=((34, 16), (84, -10)), legs=((44, 16), (-24, 8)), hips=(22, 0, 0),
           chest=(34, 0, 0), head=(6, 0, 0)),
    Anchor("sport", "goalkeeper", arms=((40, 44), (84, 24)), legs=((46, 26), (-22, 12)), hips=(20, 0, 0),
           chest=(30, 0, 0)),
    Anchor("sport", "dribbling", right_arm=((26, 14), (64, 2)), left_arm=((20, 20), (74, -14)),
           chest=(24, 0, 8), left_leg=((44, 8), (-20, 4)), right_leg=((10, 8), (-34, 6)), right_foot=(44, 8),
           hips=(14, 0, 0)),
    Anchor("sport", "jump shot", right_arm=((128, 10), (176, -4)), left_arm=((120, 12), (164, -14)),
           feet=(62, 4), legs=((8, 4), (-16, 4)), head=(-14, 0, 0)),
    Anchor("sport", "star jump", arms=((140, 44), (140, 46)), legs=((0, 30), (0, 30)), feet=(50, 24)),
    Anchor("sport", "tucked jump", arms=((20, 40), (70, 10)), legs=((88, 8), (-40, 4)), feet=(50, 4),
           chest=(8, 0, 0)),
    Anchor("sport", "frisbee, drawn across", right_arm=((66, -34), (70, -70)), left_arm=((-10, 22), (20, 10)),
           legs=((18, 14), (-14, 8)), chest=(12, 0, 34), head=(0, 0, -8)),
    Anchor("sport", "catching low", arms=((30, -2), (56, -10)), left_leg=((82, 10), (-16, 6)),
           right_leg=((14, 10), (-50, 6)), right_foot=(66, 6), hips=(34, 0, 0), chest=(52, 0, 0),
           head=(16, 0, 0)),
    Anchor("sport", "catching high", arms=((142, 8), (164, -4)), chest=(-8, 0, 0), head=(-24, 0, 0),
           left_leg=((20, 4), (-26, 2)), left_foot=(52, 4)),
    Anchor("riding", "a horse", arms=((18, 12), (74, -14)), legs=((58, 32), (-8, 4)), feet=(6, 14)),
    Anchor("riding", "a bicycle", arms=((58, 10), (68, 2)), left_leg=((86, 6), (-8, 2)),
           right_leg=((40, 6), (2, 2)), hips=(26, 0, 0), chest=(38, 0, 0), head=(8, 0, 0)),
    Anchor("riding", "a racing bicycle", arms=((64, 8), (84, -4)), left_leg=((104, 4), (-16, 2)),
           right_leg=((56, 4), (6, 2)), hips=(50, 0, 0), chest=(66, 0, 0), head=(26, 0, 0)),
    Anchor("riding", "a motorbike", arms=((50, 20), (72, 0)), legs=((76, 20), (-22, 4)), hips=(12, 0, 0),
           chest=(18, 0, 0)),
    Anchor("riding", "a scooter or board", arms=((24, 20), (66, 0)), left_leg=((18, 2), (-10, 2)),
           right_leg=((-12, 4), (-34, 2)), right_foot=(46, 6), chest=(8, 0, 0)),
    # --- one leg, dance, yoga
    Anchor("balance", "tree", arms=((166, 14), (176, -14)), right_leg=((62, 58), (-24, -62)), right_foot=None,
           feet=None, left_leg=((0, 0), (0, 0)), left_foot=FLAT),
    Anchor("balance", "knee up", right_leg=((92, 4), (-6, 2)), right_foot=(34, 4), arms=((20, 30), (44, 14))),
    Anchor("balance", "knee held", right_leg=((112, 4), (-4, 0)), right_foot=(40, 2),
           arms=((44, 6), (62, -24)), head=(10, 0, 0)),
    Anchor("balance", "quad stretch", right_leg=((-6, 2), (-160, 4)), right_foot=None, feet=None,
           left_foot=FLAT, right_arm=((-34, 6), (-22, 4)), left_arm=((40, 30), (60, 10))),
    Anchor("balance", "leg aside", right_leg=((4, 46), (6, 48)), right_foot=(52, 30),
           arms=((6, 76), (14, 70)), chest=(0, 10, 0)),
    Anchor("balance", "leg ahead", right_leg=((68, 4), (70, 2)), right_foot=(40, 4),
           arms=((20, 64), (26, 60)), hips=(-8, 0, 0)),
    Anchor("balance", "arabesque", right_leg=((-76, 6), (-78, 4)), right_foot=None, feet=None, left_foot=FLAT,
           left_arm=((104, 10), (106, 6)), right_arm=((-10, 70), (-16, 72)), hips=(34, 0, 0),
           chest=(24, 0, 0), head=(0, 0, 0)),
    Anchor("balance", "warrior three", right_leg=((-88, 2), (-88, 2)), right_foot=None, feet=None,
           left_foot=FLAT, arms=((92, 8), (92, 4)), hips=(70, 0, 0), chest=(80, 0, 0), head=(50, 0, 0)),
    Anchor("balance", "attitude behind", right_leg=((-46, 18), (-110, -10)), right_foot=None, feet=None,
           left_foot=FLAT, right_arm=((160, 18), (172, -24)), left_arm=((10, 70), (22, 64)), hips=(14, 0, 0),
           chest=(-2, 0, 0)),
    Anchor("balance", "passé", right_leg=((56, 54), (-20, -56)), right_foot=None, feet=None,
           left_foot=(60, 20), arms=((56, 26), (70, -34))),
    Anchor("dance", "arms in fifth", arms=((158, 34), (166, -38)), legs=((0, 2), (0, 0)), feet=(18, 40)),
    Anchor("dance", "arms in second, plié", arms=((28, 68), (42, 58)), legs=((40, 48), (-10, -4)),
           feet=(18, 52)),
    Anchor("dance", "hip out, arm up", left_arm=((150, 26), (172, -10)), right_arm=ON_HIPS, hips=(0, -12, 0),
           chest=(0, 8, 0), left_leg=((18, 8), (-16, 4)), right_leg=((0, -6), (0, 2))),
    Anchor("dance", "swing step", left_leg=((44, 14), (-30, 4)), right_leg=((-4, 4), (-18, 2)),
           left_foot=(46, 10), left_arm=((40, 40), (100, 20)), right_arm=((-20, 30), (60, 10)),
           chest=(10, 6, 14)),
    Anchor("dance", "leap", left_leg=((78, 6), (76, 4)), right_leg=((-70, 6), (-76, 4)), left_foot=(70, 2),
           right_foot=None, feet=None, arms=((40, 66), (46, 62)), hips=(4, 0, 0)),
    Anchor("dance", "warrior two", left_leg=((20, 54), (0, 6)), right_leg=((-6, 46), (-6, 46)),
           left_foot=(18, 60), arms=SIDEWAYS, head=(0, 0, 60)),
    Anchor("dance", "triangle", left_leg=((0, 32), (0, 32)), right_leg=((0, 32), (0, 32)),
           left_arm=((4, 4), (4, 2)), right_arm=((176, 4), (178, 2)), hips=(0, 28, 0), chest=(6, 66, 0),
           head=(0, 60, 0)),
    Anchor("dance", "back bend", arms=((196, 10), (206, 4)), hips=(-12, 0, 0), chest=(-44, 0, 0),
           head=(-60, 0, 0)),
    # --- lying
    LIE,
    replace(LIE, name="on the back, knees up", legs=((52, 6), (-44, 4)), feet=(110, 6)),
    replace(LIE, name="on the back, hands behind the head", arms=BACK_FROM_HEAD, left_leg=((4, 2), (0, -6)),
            right_leg=((0, 2), (0, 2))),
    replace(LIE, name="on the side, curled", arms=((56, 2), (112, -14)), legs=((62, 0), (-34, 0)), feet=None,
            lie=(0, 84, 0), chest=(14, 0, 0)),
    replace(LIE, name="on the side, propped up", left_arm=((64, 34), (160, 10)),
            right_arm=((24, 6), (70, -20)), legs=((14, 0), (-10, 0)), feet=None, lie=(-8, 66, 0),
            chest=(4, -14, 0), head=(0, -34, 0)),
    replace(LIE, name="on the front", arms=((150, 40), (170, -40)), legs=((0, 5), (-2, 4)), feet=None,
            lie=(90, 0, 0), head=(-6, 0, 40)),
    replace(LIE, name="on the front, propped up", arms=((62, 10), (128, -14)), legs=((0, 5), (-2, 4)),
            feet=None, lie=(84, 0, 0), hips=(-8, 0, 0), chest=(-34, 0, 0), head=(-70, 0, 0)),
    replace(LIE, name="plank", arms=((86, 8), (88, 4)), legs=((0, 4), (0, 3)), feet=(0, 2), lie=(76, 0, 0),
            head=(-20, 0, 0)),
    replace(LIE, name="reclining, half up", arms=((-10, 26), (40, 6)), legs=((24, 8), (0, 4)),
            lie=(-52, 0, 0), hips=(0, 0, 0), chest=(12, 0, 0), head=(20, 0, 0)),
)  # fmt: skip


def anchor_poses() -> tuple[np.ndarray, list[str], list[str]]:
    """All anchors: poses (N, 24, 3), their kinds and their names."""
    figures = [_positions(anchor) for anchor in ANCHORS]
    poses = np.concatenate([pose_from_positions(figure) for figure in figures])
    return poses, [anchor.kind for anchor in ANCHORS], [anchor.name for anchor in ANCHORS]


def _turned(turn: Turn) -> Rotation:
    forward, left, around = turn
    return Rotation.from_euler("ZXY", [left, forward, -around], degrees=True)


def _direction(pair: Pair, side: float) -> np.ndarray:
    forward, out = np.radians(pair)
    return np.array([side * np.sin(out), np.cos(out) * np.cos(forward), -np.cos(out) * np.sin(forward)])


def _positions(anchor: Anchor) -> dict[str, np.ndarray]:
    """The anchor's points, name -> (1, 3), on the body's own proportions."""
    rest = rest_positions()
    hips, chest, head = _turned(anchor.hips), _turned(anchor.chest), _turned(anchor.head)
    at = {"chest": hips.apply(rest["spine2"])}
    for name in ("neck", "left_shoulder", "right_shoulder"):
        at[name] = at["chest"] + chest.apply(rest[name] - rest["spine2"])
    at["head"] = at["neck"] + chest.apply(rest["head"] - rest["neck"])
    for side, sign in (("left", 1.0), ("right", -1.0)):
        at[f"{side}_eye"] = at["head"] + head.apply(rest[f"{side}_eye"] - rest["head"])
        at[f"{side}_hip"] = hips.apply(rest[f"{side}_hip"])
        upper, lower = getattr(anchor, f"{side}_arm") or anchor.arms
        at[f"{side}_elbow"] = at[f"{side}_shoulder"] + 0.29 * _direction(upper, sign)
        at[f"{side}_wrist"] = at[f"{side}_elbow"] + 0.26 * _direction(lower, sign)
        thigh, shank = getattr(anchor, f"{side}_leg") or anchor.legs
        at[f"{side}_knee"] = at[f"{side}_hip"] + 0.45 * _direction(thigh, sign)
        at[f"{side}_ankle"] = at[f"{side}_knee"] + 0.45 * _direction(shank, sign)
        foot = getattr(anchor, f"{side}_foot") or anchor.feet
        if foot is not None:
            down, out = foot
            at[f"{side}_foot"] = at[f"{side}_ankle"] + 0.16 * np.array(
                Rotation.from_euler("YX", [-sign * out, down], degrees=True).apply([0.0, 0.0, -1.0])
            )
    lying = _turned(anchor.lie)
    return {name: lying.apply(point)[None] for name, point in at.items()}
