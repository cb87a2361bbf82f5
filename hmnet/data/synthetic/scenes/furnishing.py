"""What rooms and outdoor places are made of: ground, walls, sky, furniture, columns, fences, plants."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hmnet.data.synthetic.scenes.backdrop import BACK, CEILING, FLOOR, LEFT, RIGHT
from hmnet.data.synthetic.scenes.texture import (
    BRICKS,
    CELLS,
    CHECKS,
    LINES,
    MOTTLED,
    PLAIN,
    PLANKS,
    STRIPES,
    TILES,
    material,
)  # fmt: skip

BODILY = np.array(
    [[0.72, 0.45, 0.33], [0.55, 0.32, 0.21], [0.3, 0.16, 0.09], [0.1, 0.05, 0.03], [0.02, 0.03, 0.07],
     [0.04, 0.07, 0.17], [0.5, 0.5, 0.5], [0.015, 0.015, 0.017], [0.45, 0.03, 0.04], [0.75, 0.73, 0.7]]
)  # fmt: skip
"""Skin, hair and clothes, linear RGB: no colour may tell a body from what is behind it."""
GREENS = np.array(
    [[0.05, 0.12, 0.02], [0.1, 0.2, 0.03], [0.03, 0.07, 0.02], [0.2, 0.24, 0.05], [0.25, 0.15, 0.04]]
)


@dataclass
class Place:
    """Where a picture is taken, in the stage frame.

    materials: rows of `texture.material`. planes: (5, 2) position (m) and material of ground, ceiling and
    the walls behind, left and right; material -1 for none. boxes: rows of `backdrop.box_mesh`. leaves: rows
    of middle (3,) m, half sizes (2,) m, angle, linear RGB, roundness, noise. sky: (18,) as `backdrop` reads
    it. photo: (S, S, 3) linear RGB that is there instead of ground and walls.
    """

    indoors: bool = True
    materials: list[np.ndarray] = field(default_factory=list)
    planes: np.ndarray = field(default_factory=lambda: np.tile([0.0, -1.0], (5, 1)))
    boxes: list[list[float]] = field(default_factory=list)
    leaves: list[np.ndarray] = field(default_factory=list)
    sky: np.ndarray = field(default_factory=lambda: np.full(18, 0.01))
    photo: np.ndarray | None = None

    def add(self, row: np.ndarray) -> int:
        """A material's number."""
        self.materials.append(row)
        return len(self.materials) - 1

    def plane(self, which: int, position: float, row: np.ndarray) -> None:
        """Put up the ground or a wall."""
        self.planes[which] = position, self.add(row)

    def box(
        self, middle: ArrayLike, size: ArrayLike, paint: int, yaw: float = 0.0, tilt: float = 0.0
    ) -> None:
        """A box of a size (3,) m about its middle (3,)."""
        self.boxes.append([*middle, *(np.asarray(size) / 2), yaw, tilt, paint])


def colour(generator: np.random.Generator, bodily: float = 0.35) -> np.ndarray:
    """A linear RGB colour: of people, of paint, of wood and stone."""
    rate = generator.random()
    if rate < bodily:
        picked = BODILY[generator.integers(len(BODILY))] * np.exp(generator.normal(0, 0.3, 3) * [1, 0.6, 0.6])
    elif rate < bodily + 0.35:
        picked = np.exp(generator.uniform(np.log(0.03), np.log(0.85))) * (1 + generator.normal(0, 0.08, 3))
    elif rate < bodily + 0.5:
        picked = np.array([0.4, 0.22, 0.1]) * np.exp(generator.normal(-0.3, 0.6)) * np.ones(3)
    else:
        picked = generator.dirichlet([1.2, 1.2, 1.2]) * generator.uniform(0.1, 0.9) + generator.uniform(
            0, 0.15
        )
    return np.clip(picked, 0.01, 0.9)


def above(height: float) -> np.ndarray:
    """The step (3,) m upwards on the stage."""
    return np.array([0.0, height, 0.0])


def lay_floor(generator: np.random.Generator, place: Place) -> None:
    """The ground of a room: boards, tiles, carpet, stone."""
    kind = generator.choice(
        [PLAIN, PLANKS, TILES, CHECKS, MOTTLED, STRIPES], p=[0.25, 0.3, 0.2, 0.06, 0.14, 0.05]
    )
    repeat = {PLANKS: (generator.uniform(0.06, 0.2), generator.uniform(0.8, 2))}.get(
        int(kind), (generator.uniform(0.2, 0.7),) * 2
    )
    shade = (
        np.array([0.4, 0.22, 0.1]) * np.exp(generator.normal(-0.2, 0.6))
        if kind == PLANKS
        else colour(generator)
    )
    second = shade * 0.3 if kind in (PLANKS, TILES) else colour(generator)
    place.plane(FLOOR, 0.0, material(generator, kind, shade, second, repeat, generator.uniform(0.03, 0.2)))


def put_up_walls(
    generator: np.random.Generator, place: Place, behind: float, aside: float, high: float
) -> None:
    """Walls behind (m) and at both sides (m), a ceiling (high, m) and a skirting board."""
    paint = (
        colour(generator, 0.25)
        if generator.random() < 0.5
        else generator.uniform(0.3, 0.85)
        * np.array([1, generator.uniform(0.9, 1), generator.uniform(0.75, 1)])
    )
    kind = generator.choice(
        [PLAIN, STRIPES, MOTTLED, BRICKS, TILES, PLANKS], p=[0.6, 0.08, 0.1, 0.1, 0.07, 0.05]
    )
    repeat = (0.22, 0.075) if kind == BRICKS else (generator.uniform(0.05, 0.3), generator.uniform(0.1, 0.5))
    second = paint * generator.uniform(0.5, 1.2, 3) if kind in (STRIPES, MOTTLED) else paint * 0.55
    rows = [material(generator, kind, paint, second, repeat, generator.uniform(0.015, 0.1)) for _ in range(3)]
    place.plane(BACK, behind, rows[0])
    place.plane(LEFT, -aside * generator.uniform(0.6, 1.4), rows[1])
    place.plane(RIGHT, aside * generator.uniform(0.6, 1.4), rows[2])
    place.plane(
        CEILING, high, material(generator, PLAIN, np.full(3, generator.uniform(0.4, 0.85)), grain=0.02)
    )
    skirting = place.add(material(generator, PLAIN, colour(generator, 0.1), grain=0.04))
    place.box((0, 0.06, behind), (2 * aside * 1.5, 0.12, 0.04), skirting)


def furnish_wall(
    generator: np.random.Generator, place: Place, behind: float, aside: float, count: int
) -> None:
    """Windows, doors, pictures, curtains, shelves and pipes along the wall behind."""
    for _ in range(count):
        x, kind = generator.uniform(-aside, aside), generator.integers(7)
        frame = place.add(material(generator, PLAIN, colour(generator, 0.15), grain=0.05))
        if kind == 0:
            wide, tall = generator.uniform(0.6, 1.8), generator.uniform(0.8, 1.6)
            pane = material(generator, MOTTLED, np.array([0.6, 0.75, 0.9]), generator.uniform(0.1, 0.9, 3),
                            (0.8, 0.8), 0.1, generator.uniform(0.1, 0.8))  # fmt: skip
            pane = place.add(pane)
            place.box((x, 1.6, behind - 0.02), (wide + 0.14, tall + 0.14, 0.04), frame)
            for side in (-1, 1):
                place.box((x + side * wide / 4, 1.6, behind - 0.05), (wide / 2 - 0.06, tall, 0.02), pane)
        elif kind == 1:
            place.box((x, 1.02, behind), (0.9, 2.05, 0.08), frame)
            place.box(
                (x + 0.35, 1.0, behind - 0.05),
                (0.1, 0.03, 0.06),
                place.add(material(generator, PLAIN, np.full(3, 0.4))),
            )
        elif kind == 2:
            picture = material(generator, generator.choice([MOTTLED, CELLS, STRIPES]), colour(generator),
                               colour(generator), tuple(generator.uniform(0.05, 0.4, 2)), 0.2)  # fmt: skip
            wide, tall, y = (
                generator.uniform(0.25, 1.2),
                generator.uniform(0.25, 0.9),
                generator.uniform(1.2, 2),
            )
            place.box((x, y, behind), (wide + 0.08, tall + 0.08, 0.05), frame)
            place.box((x, y, behind - 0.02), (wide, tall, 0.05), place.add(picture))
        elif kind == 3:
            cloth = material(
                generator, STRIPES, colour(generator, 0.5), None, (generator.uniform(0.06, 0.2), 1), 0.12
            )
            place.box((x, 1.2, behind - 0.06), (generator.uniform(0.3, 1.5), 2.4, 0.06), place.add(cloth))
        elif kind == 4:
            goods = material(
                generator,
                CELLS,
                colour(generator),
                colour(generator),
                (generator.uniform(0.04, 0.15), generator.uniform(0.2, 0.4)),
                0.1,
            )
            tall = generator.uniform(0.8, 2.3)
            place.box((x, tall / 2, behind - 0.2), (generator.uniform(0.6, 2), tall, 0.35), place.add(goods))
        elif kind == 5:
            column(generator, place, x, behind - generator.uniform(0.1, 0.8))
        else:
            furniture(generator, place, x, behind - generator.uniform(0.4, 1.2))


def column(generator: np.random.Generator, place: Place, x: float, z: float) -> None:
    """A pole, a pillar or a statue of a person's size and colours."""
    paint = place.add(
        material(
            generator,
            generator.choice([PLAIN, STRIPES, BRICKS]),
            colour(generator, 0.6),
            None,
            (0.1, 0.1),
            0.1,
        )
    )
    if generator.random() < 0.5:
        place.box((x, 1.6, z), (generator.uniform(0.04, 0.35), 3.2, generator.uniform(0.04, 0.3)), paint,
                  generator.uniform(0, 1.5))  # fmt: skip
        return
    tall = generator.uniform(1.3, 1.9)
    for low, high, half in ((0, 0.5, 0.1), (0.48, 0.82, 0.19), (0.84, 1.0, 0.09)):
        tones = BODILY[generator.integers(len(BODILY))]
        place.leaves.append(
            np.array([x, (low + high) / 2 * tall, z, half, (high - low) / 2 * tall, 0, *tones, 0.6, 0.15])
        )


def furniture(generator: np.random.Generator, place: Place, x: float, z: float) -> None:
    """A table, a cabinet, a sofa or a crate standing at x, z."""
    paint = place.add(
        material(
            generator,
            generator.choice([PLAIN, PLANKS, MOTTLED, CHECKS]),
            colour(generator, 0.45),
            None,
            (generator.uniform(0.05, 0.3), 0.5),
            generator.uniform(0.04, 0.2),
        )
    )
    yaw, kind = generator.choice([0.0, 1.5708, generator.uniform(0, 3.1)]), generator.integers(4)
    c, s = np.cos(yaw), np.sin(yaw)
    if kind == 0:
        wide, deep, tall = (
            generator.uniform(0.5, 1.8),
            generator.uniform(0.4, 0.9),
            generator.uniform(0.45, 0.95),
        )
        place.box((x, tall, z), (wide, 0.05, deep), paint, yaw)
        for a in (-1, 1):
            for b in (-1, 1):
                u, v = a * (wide / 2 - 0.05), b * (deep / 2 - 0.05)
                place.box((x + c * u + s * v, tall / 2, z - s * u + c * v), (0.05, tall, 0.05), paint, yaw)
        thing = place.add(material(generator, CELLS, colour(generator), colour(generator), (0.1, 0.1)))
        place.box((x, tall + 0.12, z), generator.uniform(0.08, 0.35, 3), thing, yaw)
    elif kind == 1:
        size = generator.uniform([0.4, 0.4, 0.35], [1.6, 1.9, 0.7])
        place.box((x, size[1] / 2, z), size, paint, yaw)
    elif kind == 2:
        wide = generator.uniform(0.8, 2)
        place.box((x, 0.22, z), (wide, 0.44, 0.8), paint, yaw)
        place.box((x + s * 0.35, 0.6, z + c * 0.35), (wide, 0.5, 0.2), paint, yaw)
    else:
        for level in range(generator.integers(1, 4)):
            place.box((x, 0.2 + 0.4 * level, z), (0.55, 0.4, 0.45), paint, yaw + generator.normal(0, 0.15))


def paint_sky(generator: np.random.Generator, place: Place, hills: bool) -> None:
    """Clear, cloudy or evening sky, with or without a line of hills and woods."""
    grey = generator.random() < 0.4
    blue = np.array([0.5, 0.56, 0.62]) if grey else np.array([0.1, 0.25, 0.6]) * generator.uniform(0.7, 1.5)
    pale = np.array([0.75, 0.82, 0.9]) if generator.random() < 0.8 else np.array([1.0, 0.6, 0.3])
    hill = GREENS[generator.integers(len(GREENS))] * generator.uniform(0.4, 1.4)
    place.sky = np.array([
        *blue, *pale * generator.uniform(0.8, 1.3), generator.normal(0.25, 0.3),
        *generator.uniform(0, 256, 2), generator.uniform(0.02, 0.3) if hills else 0,
        generator.uniform(0.005, 0.06), *hill,
        *np.full(3, generator.uniform(0.8, 1.4)), 1,
    ])  # fmt: skip


def lay_ground(generator: np.random.Generator, place: Place, kinds: tuple[str, ...]) -> None:
    """The ground outdoors, one of some kinds named in the table below."""
    kind = kinds[generator.integers(len(kinds))]
    tone, second, form, repeat, grain = {
        "grass": ([0.1, 0.19, 0.03], [0.2, 0.2, 0.06], MOTTLED, (3, 3), 0.4),
        "asphalt": ([0.12, 0.12, 0.125], [0.4, 0.4, 0.4], LINES, (3.5, 30), 0.2),
        "sand": ([0.55, 0.43, 0.28], [0.4, 0.3, 0.2], MOTTLED, (2, 2), 0.15),
        "paving": ([0.35, 0.33, 0.3], [0.12, 0.11, 0.1], TILES, (0.5, 0.5), 0.15),
        "earth": ([0.2, 0.13, 0.07], [0.1, 0.12, 0.04], MOTTLED, (1.5, 1.5), 0.35),
        "snow": ([0.8, 0.82, 0.88], [0.65, 0.7, 0.8], MOTTLED, (3, 3), 0.06),
        "court": ([0.08, 0.2, 0.35], [0.7, 0.7, 0.7], LINES, (6.4, 5.5), 0.08),
        "clay": ([0.45, 0.15, 0.06], [0.7, 0.65, 0.6], LINES, (8.2, 6.4), 0.15),
        "rough": ([0.3, 0.26, 0.2], [0.2, 0.16, 0.12], BRICKS, (0.3, 0.15), 0.2),
    }[kind]  # fmt: skip
    tone = np.array(tone) * np.exp(generator.normal(0, 0.25)) * (1 + generator.normal(0, 0.08, 3))
    place.plane(FLOOR, 0.0, material(generator, form, tone, np.array(second), repeat, grain))


def foliage(
    generator: np.random.Generator,
    middle: ArrayLike,
    radius: float,
    count: int,
    spread: ArrayLike = (1.0, 1.0, 0.5),
) -> np.ndarray:
    """Leaves (N, 11) of a bush or a crown about a middle (3,) m."""
    offsets = generator.normal(0, 0.45, (count, 3)) * radius * np.array(spread)
    shade = GREENS[generator.integers(len(GREENS))] * np.exp(generator.normal(0, 0.3))
    # Leaves in the depth of a bush are dark, those on its upper rim catch the light.
    light = np.exp(generator.normal(0, 0.45, count) + 0.6 * offsets[:, 1] / radius)
    half = radius * generator.uniform(0.03, 0.09) * np.exp(generator.normal(0, 0.4, (count, 2)))
    return np.column_stack([
        offsets + middle, half * [1, 0.55], generator.uniform(0, np.pi, count), shade * light[:, None],
        np.full(count, 0.4), np.full(count, 0.1),
    ])  # fmt: skip


def plant_trees(generator: np.random.Generator, place: Place, count: int, nearest: float) -> None:
    """Bushes and trees, the nearest so many m behind the person."""
    for _ in range(count):
        z, kind = nearest + generator.exponential(5), generator.random()
        x = generator.normal(0, 0.5) * (z + 4)
        if kind < 0.45:
            bush = generator.uniform(0.4, 1.4)
            place.leaves.extend(foliage(generator, (x, 0.7 * bush, z), bush, 420, (1.4, 1, 0.5)))
            continue
        bark = place.add(
            material(
                generator, MOTTLED, np.array([0.1, 0.07, 0.04]), np.array([0.25, 0.2, 0.15]), (0.1, 0.5), 0.3
            )
        )
        wide = generator.uniform(0.1, 0.5)
        place.box((x, 1.6, z), (wide, 3.4, wide), bark, 0.6, generator.normal(0, 0.05))
        crown = generator.uniform(1, 2.5)
        place.leaves.extend(foliage(generator, (x, 3 + 0.5 * crown, z), crown, 500))


def fence(generator: np.random.Generator, place: Place, z: float) -> None:
    """Posts and rails, or a hoarding with writing, across the picture."""
    paint = place.add(material(generator, PLAIN, colour(generator, 0.2), grain=0.15))
    if generator.random() < 0.5:
        tall, gap = generator.uniform(0.8, 1.8), generator.uniform(0.12, 1.2)
        for post in np.arange(-10, 11) * gap + generator.uniform(0, gap):
            place.box((post, tall / 2, z), (0.06, tall, 0.05), paint)
        for rail in (0.3, 0.92):
            place.box((0, rail * tall, z), (20 * gap + 1, 0.06, 0.04), paint)
        return
    tall = generator.uniform(0.8, 2.5)
    board = material(
        generator,
        generator.choice([CELLS, MOTTLED, CHECKS]),
        colour(generator, 0.2),
        colour(generator, 0.2),
        (generator.uniform(0.2, 1.2), generator.uniform(0.3, 1)),
        0.06,
    )
    place.box((0, tall / 2, z), (40, tall, 0.1), place.add(board))
