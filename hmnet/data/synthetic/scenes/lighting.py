"""Light as photographs have it: sun, cloud, lamps, windows, flash; the same for people and places."""

from dataclasses import dataclass

import numpy as np

OUTDOORS = {"sun": 0.5, "overcast": 0.33, "back": 0.12, "low": 0.05}
INDOORS = {
    "ceiling": 0.4, "window": 0.24, "flash": 0.12, "back": 0.06, "party": 0.05, "low": 0.07, "overcast": 0.06,
}  # fmt: skip


@dataclass(frozen=True)
class Lighting:
    """The lights of one picture, in the stage frame.

    kind: a key of OUTDOORS or INDOORS. lights: (L, 7) direction towards the light, linear RGB, wrap; the
    first one casts the shadow. ambient: (2, 3) linear RGB from above and from below. softness: blur of the
    cast shadow, m. falloff: whether light fades with the distance from the camera, as a flash does.
    """

    kind: str
    lights: np.ndarray
    ambient: np.ndarray
    softness: float
    falloff: bool

    def for_camera(self, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lights (L, 7) and ambient (2, 3) as `shade` takes them; axes: (3, 3) stage axes, camera frame."""
        lights = self.lights.copy()
        lights[:, :3] = lights[:, :3] @ axes
        return lights.astype(np.float32), self.ambient.astype(np.float32)

    @property
    def level(self) -> np.ndarray:
        """Linear RGB (3,) of a white thing that faces all lights a little: what people are matched to."""
        return self.ambient.mean(0) + 0.45 * self.lights[:, 3:6].sum(0)

    @property
    def shadow(self) -> float:
        """How much of the ground's light the first light gives, in [0, 1]: the depth of its shadow."""
        key = self.lights[0]
        direct = max(key[1], 0.05) * key[3:6].mean()
        return float(direct / (direct + self.ambient[0].mean() + 1e-6))


def choose_lighting(
    generator: np.random.Generator, indoors: bool, stage_turn: float, tint: np.ndarray | None = None
) -> Lighting:
    """A set of lights for a place on a stage turned by stage_turn (rad).

    tint (3,): mean linear RGB of the photograph behind, which colours the light.
    """
    kinds = INDOORS if indoors else OUTDOORS
    kind = str(generator.choice(list(kinds), p=np.array(list(kinds.values()))))
    warmth = generator.normal(0, 0.07)
    warm, cool = np.array([1 + warmth, 1, 1 - 1.6 * warmth]), np.array([0.86, 0.97, 1.12])
    turn, rise = generator.uniform(-np.pi, np.pi), np.radians(generator.uniform(18, 72))
    softness, falloff = generator.uniform(0.1, 0.3), False
    below = np.array([0.5, 0.46, 0.4]) * generator.uniform(0.4, 1.1)
    if kind == "sun":
        yellow = np.array([1.06, 1.0, 0.86]) if rise > 0.6 else np.array([1.2, 0.95, 0.68])
        lights = [_light(turn, rise, yellow * generator.uniform(1.6, 3.2), 0.02)]
        ambient = np.stack([cool * generator.uniform(0.45, 0.8), below])
        softness = generator.uniform(0.01, 0.05)
    elif kind == "overcast":
        lights = [
            _light(turn, np.radians(generator.uniform(50, 88)), warm * generator.uniform(0.3, 0.8), 0.7)
        ]
        ambient = np.stack([generator.uniform(0.8, 1.1) * (warm + cool) / 2, below])
    elif kind == "ceiling":
        lamp = warm * generator.choice([[1.0, 1.0, 1.0], [1.18, 1.0, 0.72], [0.95, 1.04, 0.98]])
        lights = [
            _light(generator.uniform(-3.2, 3.2), np.radians(generator.uniform(40, 85)), lamp * power, 0.3)
            for power in generator.uniform(0.4, 1.1, generator.integers(1, 4))
        ]
        ambient = np.stack([lamp * generator.uniform(0.3, 0.6), below * lamp])
    elif kind == "window":
        side = generator.choice([-1, 1]) * generator.uniform(0.9, 1.9)
        lights = [
            _light(side, np.radians(generator.uniform(0, 35)), cool * generator.uniform(1.2, 2.2), 0.35)
        ]
        ambient = np.stack([warm * generator.uniform(0.15, 0.45), 0.6 * below])
    elif kind == "flash":
        lights = [_light(generator.normal(0, 0.12), generator.uniform(0, 0.2), 1.8 * warm, 0.05)]
        ambient = np.stack([warm * generator.uniform(0.08, 0.3), 0.3 * below])
        softness, falloff = 0.02, True
    elif kind == "back":
        lights = [
            _light(np.pi + generator.normal(0, 0.6), np.radians(generator.uniform(8, 50)),
                   generator.uniform(1.2, 3) * np.array([1.1, 1.0, 0.85]), 0.1),
            _light(generator.normal(0, 1), 0.4, generator.uniform(0.1, 0.4) * cool, 0.5),
        ]  # fmt: skip
        ambient = np.stack([cool * generator.uniform(0.35, 0.7), below])
        softness = 0.06
    elif kind == "party":
        lights = [
            _light(generator.uniform(-3.2, 3.2), generator.uniform(0.2, 1.2),
                   generator.dirichlet([0.7, 0.7, 0.7]) * generator.uniform(1, 3.5), 0.2)
            for _ in range(3)
        ]  # fmt: skip
        ambient = np.stack([generator.dirichlet([2, 2, 2]) * 0.6, 0.15 * np.ones(3)])
    else:
        lamp = np.array([1.25, 0.95, 0.6]) if generator.random() < 0.6 else cool
        lights = [_light(turn, rise, lamp * generator.uniform(0.15, 0.4), 0.4)]
        ambient = np.stack([cool * generator.uniform(0.08, 0.2), 0.2 * below])
    lights = np.array(lights)
    c, s = np.cos(stage_turn), np.sin(stage_turn)
    lights[:, [0, 2]] = lights[:, [0, 2]] @ np.array([[c, s], [-s, c]])
    if tint is not None:
        colour = np.clip((tint + 0.02) / (tint.mean() + 0.02), 0.6, 1.5) ** 0.7
        ambient = ambient * colour
        lights[:, 3:6] *= colour**0.4
    return Lighting(kind, lights, ambient, float(softness), falloff)


def _light(turn: float, rise: float, colour: np.ndarray, wrap: float) -> list[float]:
    """turn: rad about the vertical, 0 from the camera's side; rise: rad above the horizon."""
    flat = np.cos(rise)
    return [flat * np.sin(turn), np.sin(rise), -flat * np.cos(turn), *colour, wrap]
