"""Untrained networks on disk and in memory, made once a run; a segmenter that takes red for a person."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from red_segmenter import RedFeatures, RedSegmenter

from hmnet.checkpoint import Checkpoint, WeightsInfo, save_checkpoint
from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig
from hmnet.model import HMNet, build_hmnet
from hmnet.segmentation import PartSegmenter, build_segmenter

MODEL_CONFIG = ModelConfig(feature_size=64)


@pytest.fixture(scope="session", autouse=True)
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gradio's folder for uploads, of this process alone: equal photos have equal names in it, and each is
    deleted once it was read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        yield


@pytest.fixture(scope="session")
def model() -> HMNet:
    """An untrained HMNet, narrower than the real one; use it, do not change it."""
    torch.manual_seed(0)
    return build_hmnet(MODEL_CONFIG).eval()


@pytest.fixture(scope="session")
def segmenter() -> PartSegmenter:
    """An untrained segmenter: sees a person everywhere."""
    torch.manual_seed(1)
    return build_segmenter(SegmenterConfig()).eval()


@pytest.fixture(scope="session")
def preprocessing() -> Preprocessing:
    """Smaller than usual, so that a default taken instead shows."""
    return Preprocessing(image_size=128)


@pytest.fixture(scope="session")
def checkpoint_folder(
    model: HMNet,
    segmenter: PartSegmenter,
    preprocessing: Preprocessing,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A valid checkpoint; copy it before damaging it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    extra = {"revision": "abc1234", "metrics": {"surface": 1.0}}
    save_checkpoint(folder, model, segmenter, preprocessing, extra, model_config=MODEL_CONFIG)
    return folder


@pytest.fixture(scope="session")
def red_checkpoint(model: HMNet, preprocessing: Preprocessing) -> Checkpoint:
    """A checkpoint that finds what is red."""
    segmenter = RedSegmenter(RedFeatures(), SegmenterConfig()).eval()
    return Checkpoint(model, segmenter, preprocessing, WeightsInfo("test", "hmnet", "0"))


@pytest.fixture
def shared_photo() -> Path:
    """A real photo of one person; skips where the material shared beside the project is absent."""
    shared = Path(os.environ.get("HMNET_SHARED") or Path(__file__).parents[2] / "shared")
    photo = shared / "photos" / "images" / "human_person-linda.jpg"
    if not photo.is_file():
        pytest.skip("no shared photos (HMNET_SHARED)")
    return photo
