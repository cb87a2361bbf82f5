"""Drawn hands whose colours say where on the hand a pixel lies, and networks that read them.

So what stands around the networks can be tested: a hand is found whichever way it points, and it is seen
whether it is a left one, without any trained weights.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from hmnet.body import load_body
from hmnet.body.hand import hand_template
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import ModelConfig, SegmenterConfig, preprocessing_of
from hmnet.data.hand_crop import turn_of
from hmnet.hand_search import FoundHand
from hmnet.handnet import HandNet
from hmnet.model import HMNet, build_hmnet
from hmnet.segmentation import PartSegmenter
from hmnet.zbuffer import rasterise

GREY = (110, 110, 90)
HAND_CONFIG = ModelConfig(variant="hand", body="hand", feature_size=64)
PARTS = (1, 5, 9, 13)
"""What a drawn hand is labelled with, in stripes across it."""


def _upright() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (778, 3) and joints (21, 3), m, of the right hand at rest, seen flat, pointing up."""
    body = hand_template()
    joints = body.regress_joints(body.vertices).double().numpy()
    down = joints[body.joint_index("wrist")] - joints[body.joint_index("middle1")]
    down /= np.linalg.norm(down)
    away = np.linalg.svd(joints - joints.mean(0))[2][2]
    away -= (away @ down) * down
    away /= np.linalg.norm(away)
    axes = np.stack([np.cross(down, away), down, away])
    return body.vertices.double().numpy() @ axes.T, joints @ axes.T


VERTICES, JOINTS = _upright()
LOW = VERTICES[:, :2].min(0)
SPAN = np.ptp(VERTICES[:, :2], axis=0).max()


def draw_hand(
    size: tuple[int, int],
    middle: Sequence[float],
    length: float,
    turn: float = 0.0,
    side: str = "right",
    photo: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 of (width, height) px with a hand, and its keypoints (21, 2) px.

    middle: px, of the hand. length: px. turn: radians clockwise from pointing up. photo: to draw over.
    """
    across = -1 if side == "left" else 1
    cosine, sine = np.cos(turn), np.sin(turn)
    axes = np.array([[across * cosine, across * sine], [-sine, cosine]])
    scale, centre = length / SPAN, (VERTICES[:, :2].min(0) + VERTICES[:, :2].max(0)) / 2

    def placed(points: np.ndarray) -> np.ndarray:
        return (points[:, :2] - centre) @ axes * scale + middle

    points = np.column_stack([placed(VERTICES), VERTICES[:, 2] * scale])
    faces = hand_template().faces.numpy()
    where = 0.1 + 0.8 * (VERTICES[:, :2] - LOW) / SPAN
    covered, values = rasterise(points, faces, np.column_stack([where, np.ones(len(where))]), size)
    photo = np.full((size[1], size[0], 3), GREY, np.uint8) if photo is None else photo.copy()
    photo.reshape(-1, 3)[covered] = np.rint(255 * values)
    return photo, placed(JOINTS)


def box_of(keypoints: np.ndarray) -> np.ndarray:
    """The box (4,) round keypoints."""
    return np.concatenate([keypoints.min(0), keypoints.max(0)])


def find_drawn(photo: np.ndarray, *_: object) -> list[FoundHand]:
    """In the place of `hmnet.hand_search.find_hands`, which knows hands of people alone: the drawn ones."""
    labels, _ = ndimage.label(photo[..., 2] > 250)
    found = []
    for patch in ndimage.find_objects(labels):
        rows, columns = patch
        box = np.array([columns.start, rows.start, columns.stop, rows.stop], np.float64)
        here = photo[patch][photo[patch][..., 2] > 250]
        if len(here) < 30:
            continue
        onto = _onto(photo[patch])
        x, y = -onto[1]
        found.append(FoundHand(box, float(np.arctan2(x, -y)) + 0.2, 0.9))
    return sorted(found, key=lambda hand: -hand.side)


def _onto(picture: np.ndarray) -> np.ndarray:
    """(3, 2): where a place (x, y, 1) of the drawing's hand, m, lies in a picture (H, W, 3) in 0..255, px."""
    rows, columns = np.nonzero(picture[..., 2] > 245)
    places = (picture[rows, columns, :2] / 255 - 0.1) / 0.8 * SPAN + LOW
    known = np.column_stack([places, np.ones(len(places))])
    return np.linalg.lstsq(known, np.column_stack([columns, rows]) + 0.5, rcond=None)[0]


class DrawnHandNet(HandNet):
    """Sees the drawn hand in the middle, surely where it points up; the first map shows the picture."""

    def forward(self, image: Tensor) -> list[Tensor]:
        pictures = 255 * image.permute(0, 2, 3, 1).double().numpy()
        numbers = torch.from_numpy(np.stack([self._see(one) for one in pictures])).float()
        small = torch.nn.functional.avg_pool2d(image, 4)
        maps = [small.new_zeros(len(image), channels, 56 >> level, 56 >> level)
                for level, channels in enumerate(self.pyramid_channels)]  # fmt: skip
        maps[0][:, :3] = small
        return [*maps, small.new_zeros(len(image), self.dense_channels, 56, 56), numbers]

    def _see(self, picture: np.ndarray) -> np.ndarray:
        numbers = np.zeros(128)
        numbers[126:] = -8
        labels, count = ndimage.label(picture[..., 2] > 245)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        if not len(sizes) or sizes.max() < 200:
            return numbers
        middles = np.array(ndimage.center_of_mass(labels > 0, labels, range(1, count + 1)))
        off = np.where(sizes < 200, np.inf, np.linalg.norm(middles - len(picture) / 2, axis=1))
        own = picture * (labels == off.argmin() + 1)[..., None]
        onto = _onto(own)
        seen = np.column_stack([JOINTS[:, :2], np.ones(21)]) @ onto
        numbers[:63] = np.column_stack([seen, np.zeros(21)]).ravel()
        numbers[126:] = 8 * np.cos(turn_of(seen)), 8 * np.sign(np.linalg.det(onto[:2]))
        return numbers


class DrawnHandSegmenter(PartSegmenter):
    """A drawn hand is a hand, surely, in four stripes from the fingers to the wrist."""

    def decode(self, features: list[Tensor]) -> Tensor:
        down, blue = features[0][:, 1], features[0][:, 2]
        logits = down.new_full((len(down), 17, *down.shape[1:]), -20.0)
        stripe = (4 * (down - 0.1) / 0.8).floor().clamp(0, 3)
        for index, part in enumerate(PARTS):
            logits[:, part] = 20 * (blue - 0.75) - 4.0 * (stripe - index).abs()
        logits[:, 0] = 0
        return logits


def hand_model() -> HMNet:
    """An HMNet without training whose answer is, but for a little, the hand that is drawn."""
    torch.manual_seed(0)
    model = build_hmnet(HAND_CONFIG).eval()
    for branch, points in ((model.surface_branch, VERTICES), (model.joint_branch, JOINTS)):
        with torch.no_grad():
            branch[4].bias.copy_(torch.from_numpy(points - JOINTS[0]).flatten())
            branch[4].weight.mul_(0.02)
    return model


def hand_checkpoint() -> Checkpoint:
    """Networks that find drawn hands."""
    assert load_body("hand").one_sided
    segmenter = DrawnHandSegmenter(DrawnHandNet(), SegmenterConfig(width=16), part_count=16).eval()
    return Checkpoint(hand_model(), segmenter, preprocessing_of("hand"), WeightsInfo("test", "hand", "0"))
