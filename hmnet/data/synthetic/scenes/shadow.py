"""The shadow that a person and the things around throw on the ground."""

import math

import numba
import numpy as np

from hmnet.data.synthetic.scenes.backdrop import REACH
from hmnet.data.synthetic.scenes.darkroom import blurred

jit = numba.njit(cache=True, fastmath=True)
CELLS = 144


def ground_shadows(points: np.ndarray, key: np.ndarray, softness: float) -> np.ndarray:
    """Shadow maps (2, CELLS, CELLS) in [0, 1] of the ground within REACH m around the stage's origin.

    points: (N, 3) dense points of whatever stands there, stage frame. key: (3,) direction towards the light.
    softness: m of blur. The first map is the cast shadow along the light, the second the darkening beneath
    what touches the ground or hangs low above it; rows are z, columns x.
    """
    layers = _splat(points, key, CELLS, REACH)
    cell = 2 * REACH / CELLS
    near, far, contact, low = (blurred(layer[..., None], max(sigma, 0.8))[..., 0] for layer, sigma in zip(
        layers, (0.8 + 0.3 * softness / cell, 0.8 + softness / cell, 1.4, 3.6), strict=True
    ))  # fmt: skip
    cast = np.minimum(np.maximum(near, far) * 1.5, 1)
    under = np.minimum(np.minimum(contact * 1.4, 1) * 0.75 + 0.6 * low, 1)
    return np.stack([cast, under]).astype(np.float32)


@jit
def _splat(points, key, cells, reach):
    layers = np.zeros((4, cells, cells), np.float32)
    steep = max(key[1], 0.12)
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        u, v = x - y * key[0] / steep, z - y * key[2] / steep
        i = math.floor((u / reach + 1) * 0.5 * cells)
        j = math.floor((v / reach + 1) * 0.5 * cells)
        if key[1] > 0.02 and 0 <= i < cells and 0 <= j < cells:
            layers[0 if y < 0.35 else 1, j, i] = 1
        i, j = math.floor((x / reach + 1) * 0.5 * cells), math.floor((z / reach + 1) * 0.5 * cells)
        if 0 <= i < cells and 0 <= j < cells:
            if y < 0.06:
                layers[2, j, i] = 1
            layers[3, j, i] = max(layers[3, j, i], math.exp(-y / 0.4))
    return layers
