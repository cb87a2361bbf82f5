"""Part maps of hands without pictures, for the encoder and the branches."""

from dataclasses import dataclass

import numpy as np
import torch

from hmnet.body.hand import SHAPES, hand_template, load_hand
from hmnet.data.corruption import HAND_MISTAKES, corrupt
from hmnet.data.synthetic.hands.contact import hand_pose
from hmnet.data.synthetic.hands.hand_look import arm_faces
from hmnet.data.synthetic.hands.hand_model import LARGEST
from hmnet.data.synthetic.hands.hand_picture import NEAREST_M
from hmnet.data.synthetic.hands.hand_poses import sample_poses
from hmnet.data.synthetic.hands.hand_view import EGOCENTRIC, forearm_directions, sample_arm, turned_hand
from hmnet.data.synthetic.raster import labels_of, rasterise
from hmnet.keypoints import PLACES_SIZE

NEAR_M, FAR_M = 0.3, 2.5


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
    generator: np.random.Generator, batch: int, size: int, margin: float, corrupted: bool = True
) -> tuple[np.ndarray, ...]:
    """Part maps (B, S, S) uint8, vertices (B, 778, 3) m, joints (B, 21, 3) m, places (B, 85) of nothing.

    corrupted: with the mistakes that a segmenter makes. The crop is the box of the hand, `margin` larger and
    a little off.
    """
    hands = bare_hands(generator, batch)
    maps = [_framed(skin, generator, size, margin) for skin in hands.skin]
    if corrupted:
        maps = [corrupt(part_map, generator, HAND_MISTAKES) for part_map in maps]
    return np.stack(maps), hands.template, hands.joints, np.zeros((batch, PLACES_SIZE), np.float32)


def _framed(skin: np.ndarray, generator: np.random.Generator, size: int, margin: float) -> np.ndarray:
    """The part map (S, S) of a hand with its arm (V, 3) in a crop around the hand."""
    faces, parts = arm_faces(), hand_template().full_face_parts.numpy().astype(np.uint8)
    parts = np.concatenate([parts, np.zeros(len(faces) - len(parts), np.uint8)])
    distance = float(np.exp(generator.uniform(np.log(NEAR_M), np.log(FAR_M))))
    depth = (skin[:, 2] + distance).astype(np.float32)
    kept = (depth[faces] > NEAREST_M).all(1)
    flat = skin[:, :2] / np.maximum(depth, NEAREST_M)[:, None]
    of_hand = flat[: len(hand_template().full_vertex_parts)]
    low, high = of_hand.min(0), of_hand.max(0)
    extent = (high - low).max() * (1 + margin) * np.exp(generator.normal(0.01, 0.05))
    corner = (low + high) / 2 - extent / 2 + generator.normal(0, 0.025, 2) * extent
    points = ((flat - corner) * (size / extent)).astype(np.float32)
    index, _, _ = rasterise(points, depth, faces[kept], size, size)
    return labels_of(index, parts[kept])
