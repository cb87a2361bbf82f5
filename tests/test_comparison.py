"""The variants beside HMNet, with untrained networks and a segmenter that takes red for a person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from red_segmenter import RedFeatures, RedSegmenter

from hmnet.checkpoint import Checkpoint, load_checkpoint, save_difference
from hmnet.comparison import Comparison
from hmnet.config import ModelConfig, SegmenterConfig
from hmnet.errors import CheckpointError
from hmnet.model import build_hmnet
from hmnet.predictor import Predictor


@pytest.fixture(scope="module")
def comparison(checkpoint_folder: Path, tmp_path_factory) -> Comparison:
    root = tmp_path_factory.mktemp("variants")
    (root / "hmnet").symlink_to(checkpoint_folder)
    torch.manual_seed(3)
    for name in ("hmnet-oracle", "hmnet-unregularised", "rgb-only"):
        config = ModelConfig(variant=name, feature_size=64)
        save_difference(root / name, build_hmnet(config), {}, model_config=config, base=root / "hmnet")
    segmenter = RedSegmenter(RedFeatures(), SegmenterConfig()).eval()
    checkpoint = replace(load_checkpoint(root), segmenter=segmenter)
    return Comparison(Predictor(checkpoint, "cpu", mirror=False, engine="torch"))


@pytest.fixture(scope="module")
def prediction(comparison: Comparison):
    image = np.full((300, 400, 3), 120, np.uint8)
    image[60:260, 150:230] = (250, 20, 20)
    return comparison.predictor.predict(image)


def test_each_variant_answers_with_a_mesh_of_its_own(comparison, prediction):
    assert comparison.names == ("hmnet-oracle", "hmnet-unregularised", "rgb-only")
    answers = comparison.answers(prediction, np.ones_like(prediction.labels))
    assert set(answers) == set(comparison.names)
    meshes = [prediction.raw_vertices, *(answer.raw_vertices for answer in answers.values())]
    for number, mesh in enumerate(meshes):
        assert mesh.shape == (1229, 3)
        assert all(np.abs(mesh - other).max() > 1e-5 for other in meshes[:number])


def test_the_oracle_needs_the_true_parts_and_follows_them(comparison, prediction):
    assert "hmnet-oracle" not in comparison.answers(prediction)
    one, other = (
        comparison.answers(prediction, np.full_like(prediction.labels, part))["hmnet-oracle"].raw_vertices
        for part in (1, 2)
    )
    assert np.abs(one - other).max() > 1e-6


def test_the_photo_alone_is_given_no_parts(comparison, prediction):
    blank = replace(prediction, labels=np.zeros_like(prediction.labels))
    one, other = (comparison.answers(p)["rgb-only"].raw_vertices for p in (prediction, blank))
    np.testing.assert_array_equal(one, other)


def test_weights_without_variants_beside_them_have_none(red_checkpoint: Checkpoint):
    assert Comparison(Predictor(red_checkpoint, "cpu", engine="torch")).names == ()


def test_a_variant_that_sees_pictures_otherwise_is_named(checkpoint_folder: Path, tmp_path: Path):
    (tmp_path / "hmnet").symlink_to(checkpoint_folder)
    config = ModelConfig(variant="hmnet-oracle", feature_size=64, rgb_input="pixels")
    save_difference(
        tmp_path / "hmnet-oracle", build_hmnet(config), {}, model_config=config, base=tmp_path / "hmnet"
    )
    with pytest.raises(CheckpointError, match="hmnet-oracle sees pictures otherwise"):
        Comparison(Predictor(load_checkpoint(tmp_path), "cpu", engine="torch"))
