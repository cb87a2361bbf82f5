"""A figure described in words and degrees: limb directions and turns of hips, chest and head.

A limb's direction is a pair of degrees (forward, out): (0, 0) hangs down, (90, 0) points forward,
(180, 0) up, (-90, 0) back, (0, 90) sideways away from the body, a negative second number across it.
Directions are those of the body as it stands or sits; `lie` then tilts all of it. Turns of hips, chest
and head are (forward, to the body's left, turned to its left) in degrees, each absolute.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.data.synthetic.poses.skeleton import rest_positions

Pair = tuple[float, float]
Limb = tuple[Pair, Pair]
Turn = tuple[float, float, float]
Foot = tuple[float, float] | Literal["loose"]

HANG: Limb = ((0, 9), (12, 5))
FLAT: Foot = (18, 8)
"""A foot flat on the floor: the ball lies 18 degrees below the ankle, toes a little out."""
LOOSE: Foot = "loose"
"""A foot whose ankle stays at rest."""


@dataclass(frozen=True)
class Anchor:
    """One authored pose. arms: upper and lower arm; legs: thigh and shank; feet: (down, out), or LOOSE.

    `arms`, `legs` and `feet` hold for both sides unless a side says otherwise.
    """

    kind: str
    name: str
    arms: Limb = HANG
    legs: Limb = ((0, 3), (0, 3))
    feet: Foot = FLAT
    left_arm: Limb | None = None
    right_arm: Limb | None = None
    left_leg: Limb | None = None
    right_leg: Limb | None = None
    left_foot: Foot | None = None
    right_foot: Foot | None = None
    hips: Turn = (0, 0, 0)
    chest: Turn = (0, 0, 0)
    head: Turn = (0, 0, 0)
    lie: Turn = (0, 0, 0)


def _turned(turn: Turn) -> Rotation:
    forward, left, around = turn
    return Rotation.from_euler("ZXY", [left, forward, -around], degrees=True)


def _direction(pair: Pair, side: float) -> np.ndarray:
    forward, out = np.radians(pair)
    return np.array([side * np.sin(out), np.cos(out) * np.cos(forward), -np.cos(out) * np.sin(forward)])


def figure_positions(anchor: Anchor) -> dict[str, np.ndarray]:
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
        if foot != LOOSE:
            down, out = foot
            at[f"{side}_foot"] = at[f"{side}_ankle"] + 0.16 * np.array(
                Rotation.from_euler("YX", [-sign * out, down], degrees=True).apply([0.0, 0.0, -1.0])
            )
    lying = _turned(anchor.lie)
    return {name: lying.apply(point)[None] for name, point in at.items()}
