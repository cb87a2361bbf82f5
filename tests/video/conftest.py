"""Small videos, and a predictor that finds what is red in them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from hmnet.checkpoint import Checkpoint
from hmnet.predictor import Predictor
from hmnet.video.writing import VideoWriter


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Writes frames as a video of 25 a second in a folder of its own and gives its path."""

    def make(frames: Iterable[np.ndarray], name: str = "clip.mp4", fps: float = 25.0) -> Path:
        path = tmp_path / name
        with VideoWriter(path, fps) as writer:
            for index, frame in enumerate(frames):
                writer.write(frame, index / fps)
        return path

    return make


@pytest.fixture
def red_predictor(red_checkpoint: Checkpoint) -> Predictor:
    """Finds what is red."""
    return Predictor(red_checkpoint, engine="torch")
