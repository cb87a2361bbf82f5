"""From where a hand is seen: by somebody else, or by the one whose hand it is."""

import numpy as np
from scipy.spatial.transform import Rotation

from hmnet.body.hand import load_hand
from hmnet.data.synthetic.scenes.viewpoint import View, extent, stage_axes

EGOCENTRIC = 0.35
"""Share of the pictures that are taken from the eyes of the hand's owner."""
WRIST_LOW, WRIST_HIGH = np.array([-35, -22, -65]), np.array([35, 28, 60])
"""Limits of the wrist, degrees about x (turning the palm), y (aside) and z (up, and down to the palm)."""
ABOVE_GROUND_M = 1.1


def sample_arm(generator: np.random.Generator, count: int) -> np.ndarray:
    """(B, 6) rad: how forearm and upper arm turn about wrist and elbow, seen from the hand."""
    wrist = np.clip(generator.normal(0, 1, (count, 3)) * [12, 11, 24], WRIST_LOW, WRIST_HIGH)
    elbow = generator.normal(0, 1, (count, 3)) * [8, 14, 14]
    return np.radians(np.concatenate([wrist, elbow], 1))


def forearm_directions(arm: np.ndarray) -> np.ndarray:
    """(B, 3) unit: from the wrist to the elbow, of a hand that is not turned, for arms (B, 6) rad."""
    joints = load_hand().rest_joints.double().numpy()
    return Rotation.from_rotvec(arm[:, :3]).apply(joints[17] / np.linalg.norm(joints[17]))


def turned_hand(towards_elbow: np.ndarray, egocentric: bool, generator: np.random.Generator) -> np.ndarray:
    """(3, 3): a rotation in the camera's frame of a hand whose unit towards_elbow (3,) is given.

    Arms mostly come from below; seen by their owner they come from beside the camera.
    """
    while True:
        if egocentric:
            along = generator.uniform([-0.15, 0.25, -1.1], [0.9, 1.0, -0.15])
        else:
            along = generator.normal([0, 0.8, 0.2], 1)
        along /= np.linalg.norm(along)
        # An arm that points at the lens hides its hand.
        if along[2] > -0.8:
            break
    axis = np.cross(towards_elbow, along)
    sine, cosine = np.linalg.norm(axis), towards_elbow @ along
    onto = Rotation.from_rotvec(axis / max(sine, 1e-9) * np.arctan2(sine, cosine))
    roll = Rotation.from_rotvec(along * generator.uniform(0, 2 * np.pi))
    return (roll * onto).as_matrix()


def choose_hand_view(hand: np.ndarray, egocentric: bool, generator: np.random.Generator, size: int) -> View:
    """A camera for a hand's points (N, 3), wrist-relative camera frame; `size` px a side."""
    near, far = (0.28, 0.65) if egocentric else (0.35, 2.5)
    distance = float(np.exp(generator.uniform(np.log(near), np.log(far))))
    distance = max(distance, 0.18 - hand[:, 2].min())
    low, high = extent(hand[:, :2] / (hand[:, 2:] + distance))
    share = 0.3 + 0.6 * generator.beta(2.2, 1.4)
    focal = share * size / (high - low).max()
    spare = max(0.5 * (1 - share), 0.02) * size
    shift = np.clip(generator.normal(0, 0.4, 2), -1, 1) * spare
    if generator.random() < 0.1:
        # The frame's edge cuts off up to a third of the hand.
        side, beyond = generator.integers(2), generator.uniform(0.05, 0.34)
        length = (high - low)[side] * focal
        shift[side] = generator.choice([-1, 1]) * (size / 2 - length / 2 + beyond * length)
    pitch = generator.uniform(10, 65) if egocentric else np.clip(generator.normal(5, 18), -40, 60)
    turn = float(np.clip(generator.normal(0, 0.35), -0.75, 0.75))
    up = Rotation.from_euler("ZX", [generator.normal(0, 8), pitch], degrees=True).apply([0.0, -1.0, 0.0])
    centre = size / 2 - (low + high) / 2 * focal + shift
    ground = -ABOVE_GROUND_M * float(np.exp(generator.normal(0, 0.2)))
    return View(float(focal), centre, distance, size, stage_axes(up, turn), ground, turn)
