"""What the machine can do at best: a large matrix product, in a runtime."""

import numpy as np
import torch
from torch import nn

from hmnet.speed.runtimes import prepared
from hmnet.speed.stopwatch import in_rounds

SIZE = 2048


class _Product(nn.Module):
    """Rows (N, SIZE) times a fixed square matrix."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size, size, bias=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layer(rows)


def matrix_peak(runtime: str, rounds: int = 5, size: int = SIZE) -> float:
    """GFLOP/s of a product of two square matrices, the best round's."""
    rows = np.random.default_rng(0).standard_normal((size, size), np.float32)
    call = prepared(_Product(size).eval().requires_grad_(False), (rows,), runtime)
    return 2 * size**3 / float(in_rounds({"": call}, rounds)[""].min()) / 1e9
