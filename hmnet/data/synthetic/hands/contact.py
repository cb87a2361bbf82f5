"""How far fingers run into each other and into the palm, and poses that do not.

A finger is a chain of balls on its bones, the palm a fan of them; flesh gives way by a few millimetres.
"""

from functools import lru_cache

import numpy as np
import torch

from hmnet.body.bake_hand import BONES
from hmnet.body.hand import load_hand
from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, TURNING_JOINTS
from hmnet.data.synthetic.people.hands import HANDS, finger_axes, finger_turns

TOUCH_M = 0.004
"""How deep balls may lie in each other: flesh is soft."""
STEPS, STEP = 40, 0.08
"""Ways out are sought in so many steps, each so far towards a hand that is free."""
FREE = HANDS["relaxed"]
RADII_M = {
    "thumb": (0.011, 0.0095, 0.0075),
    "index": (0.0085, 0.0075, 0.0065),
    "middle": (0.0085, 0.0075, 0.0065),
    "ring": (0.008, 0.007, 0.006),
    "pinky": (0.007, 0.006, 0.0055),
}
"""Half the thickness of each link of the mean hand."""
PALM_M, PALM_BELOW_M = 0.011, 0.006
"""Half the palm's thickness, and how far its middle lies from the bones, which are near the back."""
ON_A_LINK = np.array([0.2, 0.5, 0.8])
"""Where on a link balls lie."""


def hand_pose(angles: np.ndarray) -> np.ndarray:
    """Poses (B, 48) as `HandBody.pose` takes them, of angles (B, 20) in degrees; the wrist does not turn."""
    turns = finger_turns(np.radians(angles), _axes())
    pose = np.zeros((len(angles), len(TURNING_JOINTS), 3))
    for bone, vectors in turns.items():
        pose[:, BONES.index(bone)] = vectors
    return pose.reshape(len(angles), -1)


@lru_cache(maxsize=1)
def _axes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    joints = load_hand().rest_joints.double().numpy()
    return finger_axes(dict(zip(BONES[: len(TURNING_JOINTS)], joints, strict=False)))


def joint_positions(angles: np.ndarray) -> np.ndarray:
    """(B, 21, 3) m: joints of the mean hand with angles (B, 20) in degrees."""
    with torch.inference_mode():
        return load_hand().joints(torch.from_numpy(hand_pose(angles)).float()).double().numpy()


def depth(angles: np.ndarray) -> np.ndarray:
    """(B,) m: how deep the worst two balls of different fingers, or of a finger and the palm, overlap."""
    return _worst(angles)[0]


def untangled(angles: np.ndarray) -> np.ndarray:
    """Angles (B, 20), of which fingers that run into something are moved towards FREE until none does.

    The thumb gives way to other fingers, fingers to the palm.
    """
    angles, rows = angles.copy(), np.arange(len(angles))
    for _ in range(STEPS):
        deep, fingers = _worst(angles[rows])
        rows, fingers = rows[deep > TOUCH_M], fingers[deep > TOUCH_M]
        if not len(rows):
            break
        # The thumb's angles come last.
        moved = np.where(fingers == 0, 4, fingers - 1)
        moves = np.arange(20) // 4 == moved[:, None]
        angles[rows] += STEP * moves * (FREE - angles[rows])
    return angles


def _worst(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The deepest overlap (B,) m, and the finger (B,) of the two that should give way: a row of FINGERS."""
    centres, radii, chains = _balls(joint_positions(angles))
    first, second = np.nonzero(np.triu(_may_meet(chains)))
    apart = np.linalg.norm(centres[:, first] - centres[:, second], axis=-1)
    deep = radii[first] + radii[second] - apart
    worst = deep.argmax(1)
    finger = np.where(chains < 0, len(FINGERS), chains // 3)
    return deep.max(1), np.minimum(finger[first], finger[second])[worst]


def _balls(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres (B, N, 3), radii (N,) and the chain (N,) that each belongs to: link by link, then the palm."""
    centres, radii, chains = [], [], []
    wrist = joints[:, 0]
    for number, finger in enumerate(FINGERS):
        places = [HAND_JOINT_NAMES.index(f"{finger}{place}") for place in ("1", "2", "3", "_tip")]
        for link in range(3):
            start, end = joints[:, places[link]], joints[:, places[link + 1]]
            # The tip is on the skin, the other ends are on the bone.
            end = end - (0.8 * RADII_M[finger][2] * _unit(end - start) if link == 2 else 0)
            centres += [start + share * (end - start) for share in ON_A_LINK]
            radii += [RADII_M[finger][link]] * len(ON_A_LINK)
            chains += [3 * number + link] * len(ON_A_LINK)
        if finger != "thumb":
            # The wrist does not turn, so the palm looks along y.
            below = np.array([0, PALM_BELOW_M, 0])
            centres += [wrist + share * (joints[:, places[0]] - wrist) + below for share in (0.3, 0.55, 0.8)]
            radii += [PALM_M] * 3
            chains += [-1] * 3
    return np.stack(centres, 1), np.array(radii), np.array(chains)


def _may_meet(chains: np.ndarray) -> np.ndarray:
    """(N, N) bool: pairs whose overlap is counted, which neighbours on the hand are not."""
    finger = np.where(chains < 0, -1, chains // 3)
    different = finger[:, None] != finger
    base = (chains % 3 == 0) & (chains >= 0)
    palm = chains < 0
    # A finger's first link grows out of the palm, and the first links lie side by side.
    rooted = (base[:, None] & (palm | base)) | (palm[:, None] & base)
    thumb = (finger == 0) & (chains % 3 == 1)
    rooted |= (thumb[:, None] & palm) | (palm[:, None] & thumb)
    return different & ~rooted


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
