"""Hands before their cameras: the truth, answered turned and of a wrong size, is laid onto the truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_files import FREIHAND_CAMERA, posed_hands, write_freihand

from hmnet import placed_hands as module
from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import preprocessing_of
from hmnet.data.crop import Crop
from hmnet.data.datasets import open_dataset
from hmnet.data.freihand import HandSample, pixels_of
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.model import HMNetOutput
from hmnet.placed_hands import NEAREST, placed_hands, translation

CROPS = (Crop((60.0, 50.0, 170.0, 160.0), 0.7), Crop((40.0, 40.0, 180.0, 180.0), -2.4))
WRONG_SIZE = 1.3


def into_crop(points: np.ndarray, crop: Crop) -> np.ndarray:
    """Points (N, 3) m as a crop turned by an angle shows them: its up is (sin, -cos) in the picture."""
    up = np.array([np.sin(crop.turn), -np.cos(crop.turn)])
    right = np.array([np.cos(crop.turn), np.sin(crop.turn)])
    return np.column_stack([points[:, :2] @ right, -points[:, :2] @ up, points[:, 2]])


class Knowing(torch.nn.Module):
    """A network that answers given vertices (B, 778, 3), and keeps the part maps that it was shown."""

    def __init__(self, vertices: np.ndarray):
        super().__init__()
        self.body, self.vertices, self.part_maps = load_body("hand"), torch.from_numpy(vertices).float(), []

    @property
    def rgb_encoder(self) -> "Knowing":
        return self

    def see(self, image: torch.Tensor, features: list[torch.Tensor]) -> torch.Tensor:
        return image

    def forward(self, seen: torch.Tensor, part_map: torch.Tensor) -> HMNetOutput:
        self.part_maps.append(part_map)
        return HMNetOutput(torch.zeros(len(seen), 21, 3), self.vertices)


class Landmarks(torch.nn.Module):
    """A segmenter that sees given landmarks (B, 21, 2), px of the crop, and the palm everywhere."""

    def __init__(self, places: np.ndarray):
        super().__init__()
        numbers = torch.zeros(len(places), 128)
        numbers[:, :63].view(-1, 21, 3)[..., :2] = torch.from_numpy(places)
        self.numbers = numbers

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [image, self.numbers]

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.ones(len(self.numbers), 224, 224).long(), 17).permute(
            0, 3, 1, 2
        )

    def enlarge(self, logits: torch.Tensor) -> torch.Tensor:
        return logits

    def label(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(1)


@pytest.fixture
def hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[HandSample], Checkpoint]:
    """Two hands whose truth is what comes out of averaging, and a checkpoint that knows them."""
    body = load_body("hand")
    vertices, _ = posed_hands(2, seed=3)
    neighbours = MeshTopology.from_faces(body.faces, 778).neighbour_matrix
    true = neighbour_average(torch.from_numpy(vertices).float(), neighbours).double()
    joints = body.regress_joints(true).numpy()
    write_freihand(tmp_path, vertices=true.numpy(), joints=joints)
    answers, places = [], []
    for raw, points, crop in zip(vertices, joints, CROPS, strict=True):
        answers.append(WRONG_SIZE * into_crop(raw - points[0], crop))
        seen = crop.to_crop(pixels_of(points, FREIHAND_CAMERA), 224)
        # As far right and down of the crop's middle as the turned window shows it.
        off = np.linalg.norm(pixels_of(points, FREIHAND_CAMERA) - crop.middle, axis=1) * 224 / crop.side
        np.testing.assert_allclose(np.linalg.norm(seen - 112, axis=1), off, atol=1e-6)
        places.append(seen)
    monkeypatch.setattr(module, "crops_of", lambda samples, checkpoint: list(CROPS))
    networks = Knowing(np.stack(answers)), Landmarks(np.stack(places))
    checkpoint = Checkpoint(*networks, preprocessing_of("hand"), WeightsInfo("test", "hand", "0"))
    return list(open_dataset("freihand", tmp_path)), checkpoint


def test_the_truth_is_found_from_its_shape_its_landmarks_and_one_bone(hands) -> None:
    samples, checkpoint = hands
    found = placed_hands(checkpoint, samples)
    body = checkpoint.model.body
    for number, sample in enumerate(samples):
        np.testing.assert_allclose(found.joints[number], sample.joints + sample.wrist, atol=5e-5)
        whole = body.upsample(torch.from_numpy(sample.vertices)) + torch.from_numpy(sample.wrist).float()
        np.testing.assert_allclose(found.vertices[number], whole, atol=5e-5)
    assert found.vertices.shape == (2, 1609, 3)


def test_the_part_map_is_the_segmenters_or_the_samples_own(hands) -> None:
    samples, checkpoint = hands
    placed_hands(checkpoint, samples)
    placed_hands(checkpoint, [replace(s, part_map=np.full((224, 224), 9, np.uint8)) for s in samples], True)
    seen, given = checkpoint.model.part_maps
    assert (seen == 1).all() and given[:, 112, 112].tolist() == [9, 9]


def test_a_move_is_the_least_squares_one_and_never_behind_the_camera() -> None:
    generator = np.random.default_rng(1)
    points, move = generator.normal(0, 0.05, (21, 3)), np.array([0.03, -0.02, 0.7])
    pixels = pixels_of(points + move, FREIHAND_CAMERA)
    np.testing.assert_allclose(translation(points, pixels, FREIHAND_CAMERA), move, atol=1e-9)
    noisy = pixels + generator.normal(0, 1, pixels.shape)
    found = translation(points, noisy, FREIHAND_CAMERA)
    np.testing.assert_allclose(found, move, atol=0.06)

    def off(at: np.ndarray) -> float:
        """Sum of squares of what the equations leave over."""
        sight = (noisy - [112, 110]) / [480, 470]
        return (((points + at)[:, :2] - sight * (points + at)[:, 2:]) ** 2).sum()

    for step in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert off(found) < off(found + step)
    # Landmarks upside down ask for a hand behind the camera.
    assert translation(points, 224 - pixels, FREIHAND_CAMERA)[2] == NEAREST
