"""Movements: a figure for every moment, authored in the words and degrees of `figure`."""

import math
from collections.abc import Callable

import numpy as np

from hmnet.data.synthetic.poses.figure import Anchor, Limb, figure_positions
from hmnet.data.synthetic.poses.retarget import pose_from_positions

STEPS = 1.75
"""A second, of somebody who walks."""
STRIDE = 0.62
"""m, each step."""


def moving_pose(movement: str, seconds: float) -> np.ndarray:
    """The pose (24, 3), axis-angle as of `skeleton`, of one of MOVEMENTS at a time."""
    return pose_from_positions(figure_positions(MOVEMENTS[movement](seconds)))[0]


def _walking(seconds: float) -> Anchor:
    phase = math.pi * STEPS * seconds
    swing = math.sin(phase)

    def leg(side: float) -> Limb:
        # The knee bends while the foot is carried forward.
        lifted = max(0.0, side * math.cos(phase))
        thigh = 4 + 23 * side * swing + 8 * lifted
        return (thigh, 2), (thigh - 8 - 46 * lifted, 2)

    def arm(side: float) -> Limb:
        return (-4 - 22 * side * swing, 9), (14 - 26 * side * swing, 4)

    return Anchor(
        "walking", "", left_leg=leg(1), right_leg=leg(-1), left_arm=arm(1), right_arm=arm(-1),
        hips=(2, 2 * math.cos(phase), -5 * swing), chest=(3, 0, 6 * swing),
    )  # fmt: skip


def _waving(seconds: float) -> Anchor:
    raised = _eased(seconds / 0.8) * _eased((4.6 - seconds) / 0.8)
    wave = 22 * math.sin(2 * math.pi * 1.3 * seconds)
    upper = 60 * raised, 9 + 60 * raised
    lower = 12 + 160 * raised, 5 + (18 + wave) * raised
    sway = math.sin(2 * math.pi * 0.35 * seconds)
    return Anchor(
        "gesture", "", right_arm=(upper, lower), hips=(0, -3 * sway, 0), chest=(0, 4 * sway, 4 * sway),
        left_leg=((2 + 2 * sway, 5), (-2, 5)), right_leg=((2 - 2 * sway, 5), (-2, 5)),
        head=(2, 4 * raised, 12 * math.sin(0.9 * seconds)),
    )  # fmt: skip


def _exercising(seconds: float) -> Anchor:
    up = 0.5 - 0.5 * math.cos(2 * math.pi * 0.55 * seconds)
    down = 0.5 - 0.5 * math.cos(2 * math.pi * 0.275 * seconds)
    knee = 62 * down
    arms = ((10 + 75 * down, 8 + 120 * up * (1 - down)), (14 + 74 * down, 6 + 150 * up * (1 - down)))
    legs = ((knee, 8 + 6 * up), (-0.55 * knee, 6))
    return Anchor("sport", "", arms=arms, legs=legs, hips=(20 * down, 0, 0), chest=(26 * down, 0, 0))


def _eased(share: float) -> float:
    """From 0 to 1, without a jerk at either end."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


MOVEMENTS: dict[str, Callable[[float], Anchor]] = {
    "walking": _walking, "waving": _waving, "exercising": _exercising,
}  # fmt: skip
"""By name, each from a time in seconds to a figure. Who walks comes forward by STEPS x STRIDE a second."""
