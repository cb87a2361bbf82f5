"""Configurations, weights and pickles, read as they are when a checkpoint or a body is loaded."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import torch

from hmnet.body.pickles import read_pickle
from hmnet.checkpoint import CONFIG, MODEL, SEGMENTER, load_checkpoint, save_checkpoint
from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig
from hmnet.model import build_hmnet
from hmnet.segmentation import build_segmenter
from hmnet.weights_file import fill
from hmnet.weights_file import read_weights as read_file

from .seeds_weights import CANARY


def config(data: bytes, folder: Path) -> None:
    """config.json beside weights that fit the smallest network; its sums are put right."""
    checkpoint, sums = _checkpoint(folder)
    for name, right in sums.items():
        data = data.replace(
            json.dumps({name: "0" * 64})[1:-1].encode(), json.dumps({name: right})[1:-1].encode()
        )
    (checkpoint / CONFIG).write_bytes(data)
    load_checkpoint(checkpoint)
    _nothing_executed(folder)


@lru_cache(maxsize=1)
def _checkpoint(folder: Path) -> tuple[Path, dict[str, str]]:
    """A folder with weights for the networks of `seeds_weights.config`, and their sums."""
    checkpoint, model_config = folder / "checkpoint", ModelConfig(feature_size=8)
    segmenter = build_segmenter(SegmenterConfig(width=8))
    save_checkpoint(
        checkpoint, build_hmnet(model_config), segmenter, Preprocessing(), {}, model_config=model_config
    )
    for name in ("hmnet.pt", "pytorch_model.bin"):
        (checkpoint / name).write_bytes(b"\x80\x04N.")
    return checkpoint, {
        name: hashlib.sha256((checkpoint / name).read_bytes()).hexdigest() for name in (MODEL, SEGMENTER)
    }


def weights(data: bytes, folder: Path) -> None:
    path = folder / MODEL
    path.write_bytes(data)
    layer = torch.nn.Linear(6, 4)
    fill(layer, read_file(path, hashlib.sha256(data).hexdigest()), path)
    _nothing_executed(folder)


def pickled(data: bytes, folder: Path) -> None:
    path = folder / "body.pkl"
    path.write_bytes(data)
    try:
        read_pickle(path)
    finally:
        _nothing_executed(folder)


def _nothing_executed(folder: Path) -> None:
    if (folder / CANARY).exists():
        (folder / CANARY).unlink()
        raise AssertionError("a pickle was executed")
