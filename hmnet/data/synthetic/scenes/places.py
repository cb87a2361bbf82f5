"""Families of places that never were, each a function from a generator to one place."""

from collections.abc import Callable

import numpy as np

from hmnet.data.synthetic.scenes.backdrop import BACK, CEILING, FLOOR
from hmnet.data.synthetic.scenes.furnishing import (
    BODILY,
    Place,
    colour,
    column,
    fence,
    furnish_wall,
    furniture,
    lay_floor,
    lay_ground,
    paint_sky,
    plant_trees,
    put_up_walls,
)  # fmt: skip
from hmnet.data.synthetic.scenes.texture import (
    BRICKS,
    CELLS,
    FACADE,
    MOTTLED,
    PLAIN,
    STRIPES,
    material,
)  # fmt: skip


def choose_place(generator: np.random.Generator) -> Place:
    """One of the families below, seeded."""
    return PLACES[generator.integers(len(PLACES))](generator)


def living_room(generator: np.random.Generator) -> Place:
    """A room with furniture and things on the wall."""
    place, behind, aside = Place(), generator.uniform(0.5, 3.5), generator.uniform(1.5, 3.5)
    lay_floor(generator, place)
    put_up_walls(generator, place, behind, aside, generator.uniform(2.3, 3))
    furnish_wall(generator, place, behind, aside, generator.integers(2, 7))
    for _ in range(generator.integers(0, 4)):
        furniture(
            generator,
            place,
            generator.choice([-1, 1]) * generator.uniform(0.7, 2.2),
            generator.uniform(0.2, behind),
        )
    return place


def hall(generator: np.random.Generator) -> Place:
    """A gymnasium, an office floor or a shop: large, with lamps, shelves and columns."""
    place, behind, aside = Place(), generator.uniform(4, 14), generator.uniform(3, 8)
    lay_floor(generator, place)
    put_up_walls(generator, place, behind, aside, generator.uniform(2.8, 6))
    furnish_wall(generator, place, behind, aside, generator.integers(3, 9))
    lamp = place.add(material(generator, PLAIN, np.full(3, 0.9), glow=1.0))
    for row in range(3):
        place.box(
            (generator.normal(0, 1), place.planes[CEILING, 0], behind * row / 3), (1.2, 0.06, 0.2), lamp
        )
    for _ in range(generator.integers(2, 7)):
        x, z = generator.choice([-1, 1]) * generator.uniform(0.8, aside), generator.uniform(0.5, behind)
        (column if generator.random() < 0.4 else furniture)(generator, place, x, z)
    return place


def studio(generator: np.random.Generator) -> Place:
    """A photographer's seamless paper or cloth, or a plain wall close behind."""
    place, tone = Place(), colour(generator, 0.4)
    for which, position in ((FLOOR, 0.0), (BACK, generator.uniform(0.4, 2.5))):
        place.plane(which, position, material(generator, PLAIN, tone, grain=0.03))
    if generator.random() < 0.4:
        cloth = material(generator, STRIPES, tone, tone * 0.75, (generator.uniform(0.1, 0.4), 1), 0.05)
        place.plane(BACK, place.planes[BACK, 0], cloth)
    return place


def street(generator: np.random.Generator) -> Place:
    """House fronts, kerbs, poles and parked boxes of cars."""
    place, behind = Place(indoors=False), generator.uniform(1.5, 16)
    lay_ground(generator, place, ("asphalt", "paving", "paving", "rough"))
    paint_sky(generator, place, hills=False)
    x, house = -30.0, None
    while x < 30:
        wide, tall = generator.uniform(4, 11), generator.uniform(3.5, 14)
        house = material(
            generator,
            generator.choice([FACADE, FACADE, BRICKS]),
            colour(generator, 0.3),
            generator.choice([0.03, 0.1, 0.3]) * np.array([0.8, 1, 1.2]),
            tuple(generator.uniform(0.9, 2.4, 2)),
            0.08,
        )
        house[7:9] = house[7:9] if house[0] == FACADE else (0.25, 0.08)
        place.box(
            (x + wide / 2, tall / 2, behind + 3 + generator.uniform(0, 1)), (wide, tall, 6), place.add(house)
        )
        x += wide + (generator.uniform(0, 3) if generator.random() < 0.3 else 0)
    for _ in range(generator.integers(0, 4)):
        paint = place.add(material(generator, PLAIN, colour(generator, 0.2), grain=0.03))
        glass = place.add(material(generator, MOTTLED, np.full(3, 0.03), np.full(3, 0.25), (1, 0.5)))
        x, z, yaw = generator.uniform(-9, 9), generator.uniform(1.2, behind), generator.choice([0.0, 1.5])
        place.box((x, 0.55, z), (4.2, 0.6, 1.7), paint, yaw)
        place.box((x, 1.1, z), (2.2, 0.55, 1.5), glass, yaw)
    for _ in range(generator.integers(0, 5)):
        column(generator, place, generator.normal(0, 2.5), generator.uniform(0.6, behind))
    plant_trees(generator, place, generator.integers(0, 3), min(behind, 3))
    return place


def park(generator: np.random.Generator) -> Place:
    """Grass, bushes, trees, hills."""
    place = Place(indoors=False)
    lay_ground(generator, place, ("grass", "grass", "grass", "earth", "paving"))
    paint_sky(generator, place, hills=True)
    plant_trees(generator, place, generator.integers(2, 11), generator.uniform(0.7, 6))
    if generator.random() < 0.3:
        fence(generator, place, generator.uniform(0.8, 5))
    return place


def open_land(generator: np.random.Generator) -> Place:
    """A beach, a field, snow, a desert: mostly ground and sky."""
    place = Place(indoors=False)
    lay_ground(generator, place, ("sand", "sand", "snow", "earth", "grass"))
    paint_sky(generator, place, hills=generator.random() < 0.5)
    if generator.random() < 0.5:
        sea = material(
            generator, MOTTLED, np.array([0.05, 0.15, 0.22]), np.array([0.3, 0.42, 0.45]), (4, 0.5), 0.2
        )
        place.box((0, 0.0, 106 + generator.uniform(3, 15)), (400, 0.06, 200), place.add(sea))
    plant_trees(generator, place, generator.integers(0, 3), 6)
    return place


def sports_ground(generator: np.random.Generator) -> Place:
    """A court or pitch with lines, hoardings, a crowd's rows of colour behind."""
    place, behind = Place(indoors=False), generator.uniform(3, 12)
    lay_ground(generator, place, ("court", "clay", "grass", "court"))
    paint_sky(generator, place, hills=generator.random() < 0.5)
    fence(generator, place, behind)
    if generator.random() < 0.6:
        count = 700
        middles = np.column_stack(
            [generator.uniform(-14, 14, count), generator.uniform(0.8, 5, count), np.zeros(count)]
        )
        middles[:, 2] = behind + 0.5 + 1.2 * middles[:, 1]
        shades = BODILY[generator.integers(0, len(BODILY), count)] * np.exp(
            generator.normal(0, 0.4, (count, 1))
        )
        place.leaves.extend(
            np.column_stack(
                [
                    middles,
                    generator.uniform(0.1, 0.28, count),
                    generator.uniform(0.1, 0.4, count),
                    generator.normal(0, 0.2, count),
                    shades,
                    np.full(count, 0.7),
                    np.full(count, 0.2),
                ]
            )
        )
        stand = material(generator, CELLS, np.full(3, 0.08), colour(generator), (0.5, 0.45), 0.2)
        place.box((0, 3, behind + 8), (60, 8, 0.2), place.add(stand))
    return place


def night(generator: np.random.Generator) -> Place:
    """A stage, a bar or a street at night: dark, with points of light out of focus."""
    place = Place()
    lay_floor(generator, place)
    place.planes[FLOOR, 1] = place.add(material(generator, PLAIN, generator.uniform(0.01, 0.1, 3), grain=0.2))
    place.plane(
        BACK,
        generator.uniform(2, 9),
        material(generator, MOTTLED, np.full(3, 0.02), colour(generator) * 0.2, (2, 2), 0.3),
    )
    for _ in range(generator.integers(4, 40)):
        z, half = generator.uniform(1.5, 8), generator.uniform(0.03, 0.12)
        lamp = generator.dirichlet([2, 1.5, 1]) * generator.uniform(1, 7)
        place.leaves.append(
            np.array([generator.normal(0, 3), generator.uniform(0.8, 3.5), z, half, half, 0, *lamp, 0, 0])
        )
    for _ in range(generator.integers(0, 4)):
        furniture(generator, place, generator.normal(0, 2), generator.uniform(0.6, 4))
    return place


def clutter(generator: np.random.Generator) -> Place:
    """A market, a workshop, a playroom: things of all colours packed close behind."""
    place = Place(indoors=bool(generator.random() < 0.6))
    (lay_floor if place.indoors else lambda g, p: lay_ground(g, p, ("asphalt", "earth", "rough")))(
        generator, place
    )
    paint_sky(generator, place, hills=True)
    behind = generator.uniform(1.2, 4)
    if place.indoors:
        put_up_walls(generator, place, behind, 3.5, 3)
        furnish_wall(generator, place, behind, 3, 6)
    for _ in range(generator.integers(5, 14)):
        (column if generator.random() < 0.25 else furniture)(
            generator, place, generator.normal(0, 1.8), generator.uniform(0.3, behind)
        )
    return place


PLACES: tuple[Callable[[np.random.Generator], Place], ...] = (
    living_room, living_room, hall, studio, street, street, park, park, open_land, sports_ground, night,
    clutter,
)  # fmt: skip
"""The families of places; those that photographs show more often stand twice."""
