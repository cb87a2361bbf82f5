"""Plain figures of a picture, each of which may give a render away by itself and says what to mend."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

DARK, WHITE = 16 / 255, 246 / 255


def _grey(picture: np.ndarray) -> np.ndarray:
    return picture @ np.array([0.299, 0.587, 0.114], np.float32)


def _laplacian(picture: np.ndarray) -> np.ndarray:
    g = _grey(picture)
    return 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]


def _noise(picture: np.ndarray) -> float:
    """Robust spread of the finest diagonal detail, which edges hardly touch."""
    g = _grey(picture)
    detail = (g[::2, ::2] - g[1::2, ::2] - g[::2, 1::2] + g[1::2, 1::2]) / 2
    return float(np.median(np.abs(detail)) / 0.6745)


def _slope(picture: np.ndarray) -> float:
    """Exponent with which the spectrum's power falls over the upper half of its frequencies."""
    g = _grey(picture)
    taper = np.hanning(len(g))
    power = np.abs(np.fft.fft2((g - g.mean()) * np.outer(taper, taper))) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(len(g)), np.fft.fftfreq(len(g))))
    edges = np.geomspace(0.1, 0.5, 9)
    bins = [power[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(edges)]
    return float(np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(np.array(bins) + 1e-9), 1)[0])


def _colourfulness(picture: np.ndarray) -> float:
    """Hasler and Suesstrunk's measure, of RGB in [0, 1]."""
    red_green = picture[..., 0] - picture[..., 1]
    yellow_blue = (picture[..., 0] + picture[..., 1]) / 2 - picture[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def _gradient(picture: np.ndarray) -> np.ndarray:
    down, right = np.gradient(_grey(picture))
    return np.hypot(down, right)


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask grown by that many pixels."""
    for _ in range(steps):
        padded = np.pad(mask, 1)
        mask = mask | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return mask


def _inner(mask: np.ndarray) -> np.ndarray:
    return ~_grown(~mask, 3)


def enough(mask: np.ndarray) -> bool:
    """Whether there is enough of the person and of the background (H, W) to speak of MASKED statistics."""
    return bool(min(_inner(mask).sum(), _inner(~mask).sum()) > 200)


def _rim(mask: np.ndarray) -> np.ndarray:
    return _grown(mask, 1) & _grown(~mask, 1)


STATISTICS: dict[str, Callable[[np.ndarray], float]] = {
    "brightness": lambda p: float(_grey(p).mean()),
    "contrast": lambda p: float(_grey(p).std()),
    "saturation": lambda p: float(((p.max(-1) - p.min(-1)) / (p.max(-1) + 1e-3)).mean()),
    "sharpness (Laplacian)": lambda p: float(np.sqrt((_laplacian(p) ** 2).mean())),
    "noise level": _noise,
    "spectrum slope": _slope,
    "colourfulness": _colourfulness,
    "dark pixel share": lambda p: float((_grey(p) < DARK).mean()),
    "white pixel share": lambda p: float((_grey(p) > WHITE).mean()),
}
"""Of a picture (H, W, 3) float32 in [0, 1]."""
MASKED: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "gradient within person": lambda p, m: float(_gradient(p)[_inner(m)].mean()),
    "gradient in background": lambda p, m: float(_gradient(p)[_inner(~m)].mean()),
    "person minus background": lambda p, m: float(_grey(p)[m].mean() - _grey(p)[~m].mean()),
    "contrast within person": lambda p, m: float(_grey(p)[m].std()),
    "saturation of person": lambda p, m: float((p[m].max(-1) - p[m].min(-1)).mean()),
    "silhouette edge": lambda p, m: float(_gradient(p)[_rim(m)].mean()),
}
"""Of a picture and the person's mask (H, W)."""
