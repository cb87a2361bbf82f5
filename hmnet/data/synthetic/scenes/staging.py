"""What stands with a person: the seat beneath, things before them and in their hands, other people."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hmnet.body.template import load_body
from hmnet.data.synthetic.people.person import Person
from hmnet.data.synthetic.scenes.backdrop import FAR
from hmnet.data.synthetic.scenes.furnishing import Place, above, colour, foliage
from hmnet.data.synthetic.scenes.texture import (
    CELLS,
    CHECKS,
    MOTTLED,
    PLAIN,
    PLANKS,
    STRIPES,
    TILES,
    material,
)
from hmnet.data.synthetic.scenes.viewpoint import View

SEATED = ("sitting", "riding", "floor", "clip floor")
KEPT_PASSERS_BY = 24


@dataclass(frozen=True)
class PasserBy:
    """A person cut out of an earlier picture.

    cutout: (h, w, 4) float16 linear RGB times alpha under a light of level 1, and alpha. height: m of its
    h rows. grounded: whether its last row stands on the ground; otherwise the frame cut it there.
    """

    cutout: np.ndarray
    height: float
    grounded: bool


def cut_out(picture: np.ndarray, alpha: np.ndarray, view: View, level: np.ndarray) -> PasserBy | None:
    """Keep a person (S, S, 3) with alpha (S, S, 1) for later pictures; None when the frame cut a side."""
    seen = alpha[..., 0] > 0
    rows, columns = np.nonzero(seen.any(1))[0], np.nonzero(seen.any(0))[0]
    if not len(rows) or rows[0] == 0 or columns[0] == 0 or columns[-1] == view.size - 1:
        return None
    window = slice(rows[0] - 1, rows[-1] + 2), slice(columns[0] - 1, columns[-1] + 2)
    light = picture[window] / (level + 0.02)
    # Who stood in a stronger light than the level tells would glow elsewhere.
    light *= min(1.0, 0.4 * alpha.sum() / (light.mean(-1).sum() + 1e-6))
    cutout = np.concatenate([light, alpha[window]], -1)
    height = len(cutout) * view.distance / view.focal
    return PasserBy(cutout.astype(np.float16), float(height), rows[-1] < view.size - 1)


@dataclass(frozen=True)
class Placed:
    """A passer-by in a picture: linear RGB times alpha, and alpha (h, w, 4), at window; depth in m."""

    layer: np.ndarray
    window: tuple[slice, slice]
    depth: float

    def over(self, picture: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
        """Draw into a picture (S, S, 3), only where seen (h, w) if given; the solid part (h, w) bool."""
        layer = self.layer if seen is None else self.layer * seen[..., None]
        here = picture[self.window]
        here *= 1 - layer[..., 3:]
        here += layer[..., :3]
        return layer[..., 3] > 0.5


def place_passer_by(
    passer_by: PasserBy,
    view: View,
    level: np.ndarray,
    where: str,
    generator: np.random.Generator,
    aside: float = 0.0,
) -> Placed | None:
    """Put somebody where they belong in a picture lit at level (3,); None when out of the frame.

    where: "behind", on the same ground farther away; "close", just behind the person; "beside", aside (m)
    of the person at about the same depth; "before", at the picture's side and cut by it.
    """
    size = view.size
    if where == "before":
        depth = view.distance * generator.uniform(0.5, 0.9)
    elif where == "beside":
        depth = view.distance + generator.uniform(-0.2, 0.45)
    elif where == "close":
        depth = view.distance + generator.uniform(0.35, 1.3)
    else:
        depth = view.distance + generator.uniform(0.4, 6)
    if depth < 0.8:
        return None
    tall = passer_by.height * view.focal / depth
    wide = tall * passer_by.cutout.shape[1] / len(passer_by.cutout)
    if not 8 < max(tall, wide) < 4 * size:
        return None
    # The ground point straight below the middle of the line of sight at that depth, then aside of that.
    stage = view.to_stage(np.array([[0.0, 0.0, depth - view.distance]]))[0] * [1, 0, 1]
    pixel, _ = view.project(view.from_stage(stage[None]))
    feet = float(pixel[0, 1])
    if not passer_by.grounded:
        if where == "beside" and feet < size:
            return None
        feet = max(feet, size) + 2.0
    middle = generator.uniform(-0.05, 1.05) * size
    if where == "beside":
        middle = view.centre[0] + aside * view.focal / depth
    elif where == "close":
        middle = view.centre[0] + generator.normal(0, 0.4) * view.focal / depth
    elif where == "before":
        middle = generator.choice([-0.12, 1.12]) * size + generator.normal(0, 0.08) * size
    left, top = round(middle - wide / 2), round(feet - tall)
    cutout = passer_by.cutout.astype(np.float32)
    if generator.random() < 0.5:
        cutout = np.ascontiguousarray(cutout[:, ::-1])
    columns, rows = max(int(wide), 2), max(int(tall), 2)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + columns, size), min(top + rows, size)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return None
    scale = np.array([cutout.shape[1] / columns, len(cutout) / rows] * 2)
    region = tuple((np.array([x0 - left, y0 - top, x1 - left, y1 - top]) * scale).tolist())
    layer = np.empty((y1 - y0, x1 - x0, 4), np.float32)
    for c in range(4):
        channel = Image.fromarray(np.ascontiguousarray(cutout[..., c]))
        layer[..., c] = np.asarray(channel.resize((x1 - x0, y1 - y0), Image.BILINEAR, box=region))
    layer[..., :3] *= (level + 0.02).astype(np.float32) * np.float32(np.exp(generator.normal(0, 0.15)))
    return Placed(layer, (slice(y0, y1), slice(x0, x1)), float(depth))


def neighbours(
    passers_by: list[PasserBy], view: View, level: np.ndarray, generator: np.random.Generator
) -> list[Placed]:
    """One to three people in a row with the person, shoulder to shoulder on either side or both."""
    placed, reach = [], [0.0, 0.0]
    for _ in range(generator.choice([1, 2, 3], p=[0.5, 0.3, 0.2])):
        side = int(generator.integers(2))
        reach[side] += generator.uniform(0.38, 0.75)
        chosen = passers_by[generator.integers(len(passers_by))]
        aside = reach[side] * (1 if side else -1)
        placed.append(place_passer_by(chosen, view, level, "beside", generator, aside))
    return [one for one in placed if one is not None]


def seat(place: Place, person: Person, view: View, generator: np.random.Generator) -> None:
    """A chair, bench, stool, sofa or saddle beneath one who sits above the ground."""
    if person.kind not in ("sitting", "riding"):
        return
    names = load_body().joint_names
    left, right, pelvis = view.to_stage(
        person.joints[[names.index(n) for n in ("left_hip", "right_hip", "pelvis")]]
    )
    across = (left - right) * [1, 0, 1]
    across /= np.linalg.norm(across) + 1e-6
    forward = np.array([across[2], 0, -across[0]])
    body = view.to_stage(person.surface.vertices[::3])
    below = np.hypot(*(body - pelvis)[:, [0, 2]].T) < 0.16
    high = body[below, 1].min() + 0.01 if below.any() else pelvis[1] - 0.12
    if high < 0.15:
        return
    yaw = np.arctan2(-across[2], across[0])
    kind = generator.choice([PLAIN, PLANKS, STRIPES, MOTTLED, CHECKS])
    paint = place.add(
        material(generator, kind, colour(generator, 0.4), None, (generator.uniform(0.04, 0.15), 0.6), 0.12)
    )
    wide = 0.26 if person.kind == "riding" else generator.choice([0.46, 0.6, 1.4, 2.2])
    deep = 1.1 if person.kind == "riding" else generator.uniform(0.42, 0.55)
    middle = pelvis * [1, 0, 1] + forward * generator.uniform(0.04, 0.12)
    if generator.random() < 0.4:
        place.box(middle + above(high / 2), (wide, high, deep), paint, yaw)
    else:
        place.box(middle + above(high - 0.035), (wide, 0.07, deep), paint, yaw)
        for a in (-1, 1):
            for b in (-1, 1):
                leg = middle + across * a * (wide / 2 - 0.03) + forward * b * (deep / 2 - 0.03)
                place.box(leg + above(high / 2 - 0.03), (0.04, high - 0.06, 0.04), paint, yaw)
    if person.kind == "sitting" and generator.random() < 0.65:
        behind = middle - forward * (deep / 2 + 0.05)
        tall = generator.uniform(0.3, 0.65)
        place.box(
            behind + above(high + tall / 2), (wide, tall, 0.06), paint, yaw, generator.uniform(-0.1, 0.1)
        )


def hold(place: Place, person: Person, view: View, generator: np.random.Generator) -> None:
    """Something in a hand: a telephone, a cup, a book, a bag, a stick, a racket's or umbrella's length."""
    names = load_body().joint_names
    hand = view.to_stage(person.joints[[names.index(generator.choice(["left_hand", "right_hand"]))]])[0]
    toward = view.eye - hand
    hand = hand + 0.05 * toward / np.linalg.norm(toward)
    kind, yaw = generator.integers(6), generator.uniform(-1.5, 1.5)
    paint = place.add(
        material(
            generator,
            generator.choice([PLAIN, CELLS, STRIPES, MOTTLED]),
            colour(generator),
            colour(generator),
            tuple(generator.uniform(0.02, 0.1, 2)),
            0.08,
        )
    )
    if kind == 5:
        ball = colour(generator, 0.1)
        half = generator.uniform(0.03, 0.14)
        place.leaves.append(np.array([*hand, half, half, 0, *ball, 0.8, 0.08]))
        return
    size = ([0.08, 0.15, 0.015], [0.08, 0.1, 0.08], [0.18, 0.25, 0.04], [0.35, 0.3, 0.14],
            [0.03, generator.uniform(0.5, 1.5), 0.03])[kind]  # fmt: skip
    drop = above(-0.17 if kind == 3 else 0)
    place.box(hand + drop, size, paint, yaw, generator.normal(0, 0.6))


def obstruct(place: Place, person: Person, view: View, generator: np.random.Generator) -> None:
    """Something between the camera and the person: a table, a railing, a seat's back, a plant, a bonnet."""
    to_eye = view.eye * [1, 0, 1]
    reach = np.linalg.norm(to_eye) + 1e-6
    to_eye = to_eye / reach
    aside = np.array([to_eye[2], 0, -to_eye[0]])
    body = view.to_stage(person.surface.vertices[::7])
    tall = max(body[:, 1].max(), 0.3)
    # Near enough to be before every limb, never in the camera's lap.
    nearest = float((body @ to_eye).max()) + 0.08
    spot = nearest + generator.uniform(0.02, 0.35) * max(reach - nearest - 0.6, 0.05)
    middle = to_eye * spot + aside * generator.normal(0, 0.35)
    yaw = np.arctan2(to_eye[0], to_eye[2]) + generator.normal(0, 0.2)
    form = generator.choice([PLAIN, PLANKS, MOTTLED, CHECKS, CELLS, STRIPES, TILES])
    paint = place.add(
        material(
            generator,
            form,
            colour(generator, 0.45),
            colour(generator),
            tuple(generator.uniform(0.04, 0.4, 2)),
            generator.uniform(0.05, 0.2),
        )
    )
    kind = generator.integers(7)
    if kind == 0:
        high = generator.uniform(0.25, 0.6) * tall
        place.box(middle + above(high - 0.03), (generator.uniform(0.8, 2.4), 0.06, 0.6), paint, yaw)
        for side in (-0.5, 0.5):
            place.box(middle + aside * side + above(high / 2), (0.06, high, 0.06), paint, yaw)
        for _ in range(generator.integers(0, 4)):
            size = generator.uniform(0.06, 0.3, 3)
            thing = place.add(material(generator, CELLS, colour(generator), colour(generator), (0.1, 0.1)))
            place.box(
                middle + aside * generator.normal(0, 0.35) + above(high + size[1] / 2), size, thing, yaw
            )
    elif kind == 1:
        high, gap = generator.uniform(0.4, 0.75) * tall, generator.uniform(0.1, 0.3)
        for post in np.arange(-6, 7) * gap:
            place.box(middle + aside * post + above(high / 2), (0.025, high, 0.025), paint, yaw)
        place.box(middle + above(high), (13 * gap, 0.06, 0.05), paint, yaw)
    elif kind == 2:
        high = generator.uniform(0.3, 0.65) * tall
        place.box(middle + above(high / 2), (generator.uniform(0.4, 0.9), high, 0.1), paint, yaw)
    elif kind == 3:
        bush = generator.uniform(0.15, 0.45) * tall
        place.leaves.extend(
            foliage(generator, middle + above(generator.uniform(0, 0.7) * tall), bush, 260, (1, 1, 0.15))
        )
    elif kind == 4:
        high = generator.uniform(0.2, 0.5) * tall
        place.box(middle + above(high / 2), (generator.uniform(0.5, 4), high, 0.12), paint, yaw)
    elif kind == 5:
        half = generator.uniform(0.08, 0.3) * tall
        tone = colour(generator)
        spot = middle + above(generator.uniform(0.1, 0.9) * tall)
        place.leaves.append(
            np.array(
                [*spot, half * generator.uniform(0.8, 1.6), half, generator.normal(0, 0.4), *tone, 0.7, 0.15]
            )
        )
    else:
        place.box(
            middle + aside * generator.choice([-1, 1]) * 0.3 + above(1.3),
            (generator.uniform(0.05, 0.3), 2.8, 0.1),
            paint,
            yaw,
        )


def project_leaves(place: Place, view: View) -> np.ndarray:
    """The place's leaves (N, 11) in pixels as `backdrop.draw_leaves` takes them; none nearer than 0.3 m."""
    if not place.leaves:
        return np.zeros((0, 11))
    leaves = np.array(place.leaves)
    pixels, depth = view.project(view.from_stage(leaves[:, :3]))
    leaves[:, :2], leaves[:, 2] = pixels, depth
    leaves[:, 3:5] *= (view.focal / np.maximum(depth, 0.1))[:, None]
    leaves[:, 3:5] = np.maximum(leaves[:, 3:5], 0.7)
    inside = (depth > 0.3) & (depth < FAR) & (np.abs(pixels - view.size / 2) < view.size).all(1)
    return leaves[inside]
