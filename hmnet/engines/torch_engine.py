"""The networks run by torch, on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from hmnet.checkpoint import Checkpoint
from hmnet.engines.engine import Engine, Sight
from hmnet.engines.graphs import DenseGraph, LabelGraph, PoseGraph, ViewGraph


class TorchEngine(Engine):
    """The networks as they are: float32, on CUDA bfloat16."""

    name = "torch"

    def __init__(self, checkpoint: Checkpoint, device: torch.device, remark: str = "") -> None:
        """Moves the checkpoint's networks to the device. remark: what else `words` says."""
        self.device = device
        model = checkpoint.model.to(device, memory_format=torch.channels_last).eval()
        segmenter = checkpoint.segmenter.to(device, memory_format=torch.channels_last).eval()
        self._dense = DenseGraph(segmenter, checkpoint.preprocessing).to(device)
        self._view = ViewGraph(segmenter, model, checkpoint.preprocessing).to(device)
        self._labels = [LabelGraph(segmenter, mirrored) for mirrored in (False, True)]
        self._pose = [PoseGraph(model, mirrored) for mirrored in (False, True)]
        self.words = f"torch, {device}, {'bfloat16' if device.type == 'cuda' else 'float32'}{remark}"

    def dense(self, pictures: np.ndarray) -> np.ndarray:
        with self._computing():
            return self._dense(self._here(pictures)).cpu().numpy()

    def look(self, pictures: np.ndarray, mirror: bool) -> Sight:
        views = self._here(pictures)
        if mirror:
            views = torch.cat([views, views.flip(2)])
        with self._computing():
            coarse, keypoints, heats, seen = self._view(views)
            labels = self._labels[mirror](coarse)
        keypoints, heats = keypoints[: len(pictures)], heats[: len(pictures)]
        return Sight(*(tensor.cpu().numpy() for tensor in (labels, keypoints, heats, seen)))

    def reconstruct(self, seen: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with self._computing():
            joints, vertices = self._pose[len(seen) > len(labels)](self._here(seen), self._here(labels))
        return joints.cpu().numpy(), vertices.cpu().numpy()

    def _here(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        on_cuda = self.device.type == "cuda"
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=on_cuda):
            yield
