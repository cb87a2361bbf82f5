"""Untrained variants in a folder, and a test set of three drawn people, for all figures."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hmnet.body import load_body
from hmnet.checkpoint import Checkpoint, load_checkpoint, save_difference
from hmnet.config import ModelConfig
from hmnet.data.shards import write_shard
from hmnet.model import build_hmnet


def drawn(number: int) -> SimpleNamespace:
    """A sample: bars of parts 1 to 24 for a person, and the template a little deformed for the truth."""
    generator = np.random.default_rng(number)
    part_map = np.zeros((160, 160), np.uint8)
    part_map[20:140, 20:140] = 1 + np.arange(120) * 24 // 120
    body = load_body()
    vertices = body.vertices + 0.01 * torch.from_numpy(generator.normal(size=body.vertices.shape)).float()
    return SimpleNamespace(
        keypoints=None,
        image=generator.integers(0, 255, (160, 160, 3)).astype(np.uint8),
        part_map=part_map,
        vertices=vertices.numpy(),
        joints=body.regress_joints(vertices).numpy(),
        camera=np.array([70.0, 1.1, 1.1], np.float32),
        box=np.array([20, 20, 140, 140], np.float32),
        kind="standing",
        tags=("crowded",) if number == 0 else (),
    )


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one shard of three samples, of which the first is crowded."""
    pytest.importorskip("webdataset", reason="shards need webdataset (requirements-dev.txt)")
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "00000.tar", [drawn(n) for n in range(3)], np.random.default_rng(0))
    return folder


@pytest.fixture(scope="session")
def variants(checkpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with untrained weights of the four variants that are shipped."""
    root = tmp_path_factory.mktemp("variants")
    (root / "hmnet").symlink_to(checkpoint_folder)
    torch.manual_seed(3)
    for name in ("hmnet-oracle", "hmnet-unregularised", "rgb-only"):
        config = ModelConfig(variant=name, feature_size=64)
        network = build_hmnet(config)
        # Untrained branches answer with the template; a little noise makes every answer another one.
        with torch.no_grad():
            for value in network.parameters():
                value.add_(0.01 * torch.randn_like(value))
        save_difference(root / name, network, {}, model_config=config, base=root / "hmnet")
    return root


@pytest.fixture(scope="session")
def checkpoint(variants: Path) -> Checkpoint:
    """HMNet of that folder; use it, do not change it."""
    return load_checkpoint(variants)
