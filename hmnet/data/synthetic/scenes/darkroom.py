"""From the light of a scene to a photograph of it: lens, exposure, tone, sensor noise, small files."""

import io
import math
from functools import lru_cache

import numba
import numpy as np
from PIL import Image

jit = numba.njit(cache=True, fastmath=True)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A picture (H, W, C) float32 under a Gaussian of sigma px."""
    radius = max(1, math.ceil(2.5 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return _separable(np.ascontiguousarray(picture, np.float32), (kernel / kernel.sum()).astype(np.float32))


@jit
def _separable(picture, kernel):
    height, width, channels = picture.shape
    radius = len(kernel) // 2
    flat = width * channels
    across = np.zeros((height, flat), np.float32)
    padded = np.empty(flat + 2 * radius * channels, np.float32)
    for y in range(height):
        row = picture[y].reshape(flat)
        padded[radius * channels : radius * channels + flat] = row
        for i in range(radius * channels):
            padded[i] = row[i % channels]
            padded[radius * channels + flat + i] = row[flat - channels + i % channels]
        into = across[y]
        for i in range(len(kernel)):
            weight, source = kernel[i], padded[i * channels : i * channels + flat]
            for k in range(flat):
                into[k] += weight * source[k]
    down = np.zeros((height, flat), np.float32)
    for y in range(height):
        into = down[y]
        for i in range(-radius, radius + 1):
            weight, source = kernel[i + radius], across[min(max(y + i, 0), height - 1)]
            for k in range(flat):
                into[k] += weight * source[k]
    return down.reshape(height, width, channels)


def defocused(picture: np.ndarray, depth: np.ndarray, focus: float, sigma: float) -> np.ndarray:
    """Blur what lies behind the focus (m) by up to sigma px: picture (H, W, 3), depth (H, W) m."""
    out_of_focus = np.clip(1.6 * (1 - 1.12 * focus / depth), 0, 1)[..., None].astype(np.float32)
    return picture + out_of_focus * (blurred(picture, sigma) - picture)


def feathered(layer: np.ndarray, alpha: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Let light from behind creep over the edges of a layer (H, W, 3), alpha (H, W, 1), by about sigma px.

    Hair, fluff and the lens make edges so in photographs; nothing beyond the edges changes.
    """
    share = np.minimum(1.02 * blurred(alpha, sigma), 1)
    return layer * share, alpha * share


def motion_blurred(picture: np.ndarray, length: float, angle: float) -> np.ndarray:
    """Smear a picture (H, W, C) over length px along a direction (rad)."""
    steps = max(2, math.ceil(length))
    offsets = np.linspace(-0.5, 0.5, steps) * length
    moves = np.round(np.stack([offsets * np.sin(angle), offsets * np.cos(angle)], 1)).astype(int)
    margin = int(np.abs(moves).max()) + 1
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    height, width = picture.shape[:2]
    total = np.zeros_like(picture)
    for dy, dx in moves:
        total += padded[margin + dy : margin + dy + height, margin + dx : margin + dx + width]
    return total / steps


def develop(picture: np.ndarray, weight: np.ndarray, dim: bool, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (S, S, 3) float32 to a photograph (S, S, 3) uint8.

    weight: (S, S) how much each pixel counts when the camera meters the light. dim: little light, so an
    exposure on the dark side and a noisy sensor.
    """
    size = len(picture)
    metered = _metered(picture, weight)
    aim = 0.185 * np.exp(generator.normal(-0.75 if dim else 0, 0.33))
    balance = np.exp(generator.normal(0, [0.07, 0.02, 0.08]))
    rate = generator.random()
    if rate < 0.05:
        balance *= [[1.25, 1.0, 0.65], [0.75, 0.95, 1.3], [0.9, 1.15, 0.9]][generator.integers(3)]
    saturation = np.clip(generator.normal(0.92, 0.17), 0.4, 1.35)
    if rate > 0.975:
        saturation, balance = 0.0, balance * ([1.1, 1.0, 0.8] if generator.random() < 0.3 else 1.0)
    vignette = max(generator.normal(0.1, 0.18), 0)
    curve = _tone_curve(generator)
    lens = np.exp(generator.normal(-0.95, 0.4))
    if generator.random() < 0.05:
        lens = generator.uniform(1.2, 2.6)
    if lens > 0.33:
        picture = blurred(picture, lens)
    if generator.random() < 0.06:
        picture = motion_blurred(picture, generator.uniform(2, 9) * size / 256, generator.uniform(0, np.pi))
    noise = np.exp(generator.normal(-4.85, 0.7)) * (2 if dim else 1)
    fine, coarse = _grain(size)
    grain = coarse if generator.random() < 0.65 else fine
    y, x = generator.integers(0, len(grain) - size, 2)
    grain = grain[y : y + size, x : x + size]
    gains = (aim / max(metered, 1e-4) * balance).astype(np.float32)
    seen = _expose(
        picture, grain, gains, float(min(noise, 0.06)), max(float(saturation), 0.0), float(vignette), curve
    )
    if generator.random() < 0.5:
        halo = blurred(seen, generator.uniform(0.6, 1.3))
        seen += np.float32(generator.uniform(0.2, 0.8)) * (seen - halo)
    small = generator.random() < 0.11
    image = Image.fromarray(_quantised(seen))
    if small:
        side = int(size * generator.uniform(0.35, 0.85))
        ways = (Image.BILINEAR, Image.BICUBIC, Image.LANCZOS)
        image = image.resize((side, side), ways[generator.integers(3)])
    if generator.random() < 0.3:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(generator.integers(15, 70)))
        image = Image.open(stream)
    if small:
        image = image.resize((size, size), ways[generator.integers(3)])
    return np.asarray(image).copy()


@lru_cache(maxsize=2)
def _grain(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of deviation 1 (size + 509, size + 509, 3), fine and coarse, that pictures take a piece of."""
    fine = np.random.default_rng(0).standard_normal((size + 509, size + 509, 3), dtype=np.float32)
    return fine, blurred(fine, 0.6) * np.float32(1.9)


@jit
def _quantised(seen):
    out = np.empty(seen.shape, np.uint8)
    for y in range(seen.shape[0]):
        for x in range(seen.shape[1]):
            for c in range(3):
                out[y, x, c] = np.uint8(min(max(seen[y, x, c], 0.0), 1.0) * 255 + 0.5)
    return out


@lru_cache(maxsize=1)
def _srgb() -> np.ndarray:
    x = np.linspace(0, 1, 4096)
    return np.where(x < 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def _tone_curve(generator: np.random.Generator) -> np.ndarray:
    """(4096,) display value of linear light in [0, 4]: highlights roll off, shadows may be crushed."""
    light = np.linspace(0, 4, 4096)
    shoulder = generator.uniform(0.45, 0.85)
    over = np.maximum(light - shoulder, 0) / (1 - shoulder)
    rolled = np.where(light < shoulder, light, shoulder + (1 - shoulder) * over / (1 + over))
    value = np.interp(rolled, np.linspace(0, 1, 4096), _srgb())
    contrast = np.clip(generator.normal(0.26, 0.3), -0.3, 0.9)
    curved = value + contrast * (value * value * (3 - 2 * value) - value)
    black, white = max(generator.normal(-0.01, 0.03), -0.06), min(generator.normal(1.03, 0.03), 1.1)
    return np.clip(black + (white - black) * curved, 0, 1).astype(np.float32)


@jit
def _metered(picture, weight):
    """What a camera would set to middle grey: between the mean of the light and of its logarithm."""
    size = len(picture)
    total, plain, count = 0.0, 0.0, 0.0
    for y in range(size):
        for x in range(size):
            light = 0.25 * picture[y, x, 0] + 0.6 * picture[y, x, 1] + 0.15 * picture[y, x, 2]
            total += weight[y, x] * math.log(min(max(light, 0.002), 4.0))
            plain += weight[y, x] * min(light, 4.0)
            count += weight[y, x]
    count = max(count, 1e-6)
    return math.sqrt(math.exp(total / count) * plain / count)


@jit
def _expose(picture, grain, gains, noise, saturation, vignette, curve):
    """Gain, vignette, noise that grows with the light as photons count, colourfulness, tone curve."""
    size = len(picture)
    seen = np.empty_like(picture)
    for y in range(size):
        for x in range(size):
            r2 = ((x / size - 0.5) ** 2 + (y / size - 0.5) ** 2) * 2
            gain = 1 - vignette * r2
            r = picture[y, x, 0] * gains[0] * gain
            g = picture[y, x, 1] * gains[1] * gain
            b = picture[y, x, 2] * gains[2] * gain
            grey = 0.25 * r + 0.6 * g + 0.15 * b
            for c in range(3):
                value = r if c == 0 else (g if c == 1 else b)
                value += noise * (1.2 * math.sqrt(max(value, 0.0)) + 0.15) * grain[y, x, c]
                value = max(grey + saturation * (value - grey), 0.0)
                place = min(value, 3.999) * (4095 / 4)
                i = int(place)
                seen[y, x, c] = curve[i] + (curve[i + 1] - curve[i]) * (place - i)
    return seen
