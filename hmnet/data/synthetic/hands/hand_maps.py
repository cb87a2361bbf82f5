"""Part maps of hands without pictures, for the encoder and the branches."""

from dataclasses import dataclass

import numpy as np
import torch

from hmnet.body.hand import SHAPES, hand_template, load_hand
from hmnet.data.corruption import HAND_MISTAKES, corrupt
from hmnet.data.crop import Crop
from hmnet.data.hand_windows import OFF, near_hand, upright_points
from hmnet.data.synthetic.hands.contact import hand_pose
from hmnet.data.synthetic.hands.hand_look import arm_faces
from hmnet.data.synthetic.hands.hand_model import LARGEST
from hmnet.data.synthetic.hands.hand_picture import NEAREST_M
from hmnet.data.synthetic.hands.hand_poses import sample_poses
from hmnet.data.synthetic.hands.hand_view import EGOCENTRIC, forearm_directions, sample_arm, turned_hand
from hmnet.data.synthetic.raster import labels_of, rasterise
from hmnet.hand_sightings import METRES

NEAR_M, FAR_M = 0.3, 2.5
FOCAL = 1000.0
"""px; any will do, as crops are of the hand's size."""
PLACE_NOISE = np.array([0.04, 0.04, 0.1])
"""Half windows, and nearly decimetres: deviation of landmarks' x, y and z."""
SCALE_NOISE = 0.07
SURELY_RIGHT = np.array([1.0, 1.0])
"""Presence and handedness, as `hmnet.hand_sightings` scales their logits."""


@dataclass(frozen=True)
class BareHands:
    """B hands with arms, turned as pictures show them, wrist-relative, m.

    skin: (B, V, 3) of the surface "arm". template: (B, 778, 3). joints: (B, 21, 3).
    """

    skin: np.ndarray
    template: np.ndarray
    joints: np.ndarray


def bare_hands(generator: np.random.Generator, count: int) -> BareHands:
    """Hands of any shape in poses of the train split, as others and their owners see them."""
    hand = load_hand()
    poses = sample_poses(generator, count)
    pose = torch.from_numpy(hand_pose(np.stack([pose.angles for pose in poses]))).float()
    shape = torch.from_numpy(generator.normal(0, 1, (count, SHAPES)).clip(-LARGEST, LARGEST)).float()
    arm = torch.from_numpy(sample_arm(generator, count)).float()
    turns = [
        turned_hand(along, bool(generator.random() < EGOCENTRIC), generator)
        for along in forearm_directions(arm.numpy())
    ]
    with torch.inference_mode():
        skin = hand.pose(pose, shape, arm, "arm").vertices
        skin = skin @ torch.from_numpy(np.stack(turns)).float().mT
        template = skin[:, hand.subset]
        joints = hand_template().regress_joints(template)
        root = joints[:, :1]
        return BareHands(*((points - root).numpy() for points in (skin, template, joints)))


def hand_map_batch(
    generator: np.random.Generator, batch: int, size: int, corrupted: bool = True
) -> tuple[np.ndarray, ...]:
    """Part maps (B, S, S) uint8, vertices (B, 778, 3) m, joints (B, 21, 3) m, and places (B, HAND_PLACES).

    corrupted: with the mistakes that a segmenter makes. Each hand points up in its crop, nearly; vertices and
    joints are in the crop's frame. Places are what `hmnet.hand_sightings` might see, errors and all.
    """
    hands = bare_hands(generator, batch)
    columns = []
    for skin, template, joints in zip(hands.skin, hands.template, hands.joints, strict=True):
        distance = float(np.exp(generator.uniform(np.log(NEAR_M), np.log(FAR_M))))
        keypoints = FOCAL * joints[:, :2] / (joints[:, 2:] + distance)
        crop = near_hand(keypoints, generator, OFF)
        part_map = _seen_in(crop, skin, distance, size)
        if corrupted:
            part_map = corrupt(part_map, generator, HAND_MISTAKES)
        up = upright_points(joints, crop)
        places = np.concatenate(
            [2 * crop.to_crop(keypoints, 1) - 1, up[:, 2:] * (2 * FOCAL / crop.side / distance)], 1
        )
        columns.append((part_map, upright_points(template, crop), up, _noticed(places, up, generator)))
    maps, *points = (np.stack(column) for column in zip(*columns, strict=True))
    return maps, *(array.astype(np.float32) for array in points)


def _seen_in(crop: Crop, skin: np.ndarray, distance: float, size: int) -> np.ndarray:
    """The part map (S, S) of a hand with its arm (V, 3) in a crop, px, of what a camera of FOCAL sees."""
    faces, parts = arm_faces(), hand_template().full_face_parts.numpy().astype(np.uint8)
    parts = np.concatenate([parts, np.zeros(len(faces) - len(parts), np.uint8)])
    depth = (skin[:, 2] + distance).astype(np.float32)
    kept = (depth[faces] > NEAREST_M).all(1)
    flat = FOCAL * skin[:, :2] / np.maximum(depth, NEAREST_M)[:, None]
    points = crop.to_crop(flat, size).astype(np.float32)
    index, _, _ = rasterise(points, depth, faces[kept], size, size)
    return labels_of(index, parts[kept])


def _noticed(places: np.ndarray, joints: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The first part (HAND_PLACES,) of a sighting of landmarks (21, 3) in half windows and joints (21, 3) m:
    as vague as the network's are, whose depths are the vaguest."""
    noise = generator.normal(0, 1, (2, *places.shape)) * PLACE_NOISE * generator.uniform(0.3, 1.7)
    shape = METRES * (joints - joints.mean(0)) * np.exp(generator.normal(0, SCALE_NOISE))
    return np.concatenate([(places + noise[0]).ravel(), (shape + noise[1]).ravel(), SURELY_RIGHT])
