"""One synthetic photograph: a posed and dressed body before a camera, somewhere, in some light.

Vertices are given in the frame of the viewing ray through the body's root, so that what the network must
predict is how the person looks from where the camera stands, wherever the person is in the frame.
"""

import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from hmnet.body.parts import PART_INDEX
from hmnet.data.synthetic.people.person import Person
from hmnet.data.synthetic.raster import halve_visible, hides, labels_of, rasterise
from hmnet.data.synthetic.scenes.backdrop import (
    box_mesh,
    draw_leaves,
    draw_stage,
    groundlike,
    photograph_crop,
)
from hmnet.data.synthetic.scenes.darkroom import defocused, develop, feathered, motion_blurred
from hmnet.data.synthetic.scenes.furnishing import Place
from hmnet.data.synthetic.scenes.lighting import Lighting, choose_lighting
from hmnet.data.synthetic.scenes.places import choose_place
from hmnet.data.synthetic.scenes.shadow import ground_shadows
from hmnet.data.synthetic.scenes.staging import (
    KEPT_PASSERS_BY,
    SEATED,
    PasserBy,
    Placed,
    cut_out,
    hold,
    neighbours,
    obstruct,
    place_passer_by,
    project_leaves,
    seat,
)  # fmt: skip
from hmnet.data.synthetic.scenes.texture import MOTTLED, material, noise_tiles
from hmnet.data.synthetic.scenes.viewpoint import View, choose_view, extent
from hmnet.data.synthetic.shading import shade
from hmnet.errors import DataError

SIZE = 256
SLICES = ("truncated", "occluded", "crowded", "seated", "from behind")
"""What makes a picture hard, each marked on the samples it is true of."""
CUT = HIDDEN = 0.1
"""Share of a person's pixels beyond the frame, or behind something, from which a sample is marked so."""
SURROUNDINGS = -0.8
"""Logarithm of the light around a person over the light on them, as it is on average."""
CROWD = 0.004
"""Share of the picture that other people must fill for it to be crowded."""


@dataclass(frozen=True)
class Sample:
    """One training image, square, SIZE px a side unless its scenery says otherwise.

    image: (H, W, 3) uint8. part_map: (H, W) uint8. vertices: (V, 3) m, root-relative, frame of the viewing
    ray. joints: (J, 3) likewise. camera: (3,) weak perspective s (px/m), tx, ty (m). box: (4,) xyxy px of
    the visible body. kind: the pose's kind. tags: which of SLICES the picture belongs to.
    keypoints: (J, 2) px, the joints in the picture, of hands only.
    """

    image: np.ndarray
    part_map: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    camera: np.ndarray
    box: np.ndarray
    kind: str
    tags: tuple[str, ...]
    keypoints: np.ndarray | None = None


@dataclass
class Scenery:
    """What pictures are set in: photographs when given, else drawn places; people of earlier pictures.

    backgrounds: (H, W, 3) uint8 each. passers_by: filled as pictures are made. size: px a side. occluded:
    share of the pictures with something between camera and person.
    """

    backgrounds: list[np.ndarray]
    passers_by: list[PasserBy] = field(default_factory=list)
    size: int = SIZE
    occluded: float = 0.35

    @classmethod
    def load(cls, folder: Path | None) -> "Scenery":
        """Photographs of a folder (JPEG or PNG), decoded once a process; none without a folder.

        Raises DataError for a folder that is missing or holds no readable picture; warns of and skips
        single pictures that cannot be read.
        """
        return cls(list(_photographs(folder)) if folder else [])


@lru_cache(maxsize=1)
def _photographs(folder: Path) -> tuple[np.ndarray, ...]:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder of background pictures: give an existing one or none.")
    pictures = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png")):
        try:
            with Image.open(path) as image:
                picture = np.asarray(image.convert("RGB"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            warnings.warn(f"{path} is skipped, it is no readable picture ({error}).", stacklevel=3)
            continue
        pictures.append(picture)
    if not pictures:
        raise DataError(f"{folder} holds no readable JPEG or PNG picture: give another folder or none.")
    return tuple(pictures)


def photograph(
    person: Person, scenery: Scenery, generator: np.random.Generator, view: View | None = None
) -> Sample | None:
    """Light and photograph one person; None when too little of them would be seen.

    view: where the camera stands, of the scenery's size; chosen for the person where there is none.
    """
    size = scenery.size
    view = view or choose_view(person.surface.vertices, person.joints, person.up, generator, size)
    place, lighting = _set_up(person, view, scenery, generator)
    drawn = _draw_person(person, view, lighting)
    whole = labels_of(drawn.face_index[::2, ::2], person.surface.face_parts)
    shown = np.count_nonzero(whole)
    if shown < 0.012 * size * size:
        return None
    picture, depth, hidden = _draw_place(person, view, place, lighting, drawn.depth)
    # People are where the light is: what is around them gets a little less of it.
    picture *= np.float32(np.exp(generator.normal(SURROUNDINGS, 0.3)))
    aperture = generator.exponential(1.3) * size / 256
    if place.photo is not None and aperture < 1.6 * size / 256:
        # Most photographs have what blur they need already.
        aperture = 0.0
    others, before = _others(picture, depth, view, scenery, lighting, generator)
    if aperture > 0.5:
        picture = defocused(picture, depth, view.distance, min(aperture, 5.0))
    layer, alpha = halve_visible(drawn.colours, drawn.face_index, hidden)
    layer, alpha = feathered(layer, alpha, max(generator.normal(1.1, 0.35), 0.45) * size / 256)
    moving = generator.random() < 0.05
    if moving:
        length, angle = generator.uniform(1.5, 6) * size / 256, generator.uniform(0, np.pi)
        layer, alpha = motion_blurred(layer, length, angle), motion_blurred(alpha, length, angle)
    picture = layer + (1 - alpha) * picture
    part_map = np.where(hidden[::2, ::2], 0, whole).astype(np.uint8)
    for placed in before:
        solid = placed.over(picture)
        part_map[placed.window][solid] = 0
        others[placed.window] |= solid
    left = np.count_nonzero(part_map)
    if left < max(0.45 * shown, 0.008 * size * size):
        return None
    _remember(scenery, layer, alpha, moving or hidden.any(), view, lighting, generator)
    weight = 0.4 + alpha[..., 0]
    image = develop(picture, weight, lighting.kind in ("low", "party"), generator)
    rows, columns = np.nonzero(part_map)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    camera = np.array([view.focal / view.distance, *(view.centre * view.distance / view.focal)], np.float32)
    facts = {
        "truncated": _share_cut(person, view) > CUT,
        "occluded": left < (1 - HIDDEN) * shown,
        "crowded": np.count_nonzero(others & (part_map == 0)) > CROWD * size * size,
        "seated": person.kind in SEATED,
        "from behind": np.count_nonzero(whole == PART_INDEX["torso back"])
        > np.count_nonzero(whole == PART_INDEX["torso front"]),
    }
    tags = tuple(name for name in SLICES if facts[name])
    return Sample(image, part_map, person.template, person.joints, camera, box, person.kind, tags)


def _set_up(person, view, scenery, generator) -> tuple[Place, Lighting]:
    """Choose the place and its light and put the things there that belong to the person."""
    tint = None
    if scenery.backgrounds and generator.random() < 0.7:
        photo = scenery.backgrounds[generator.integers(len(scenery.backgrounds))]
        place = Place(indoors=bool(generator.random() < 0.4))
        place.photo = photograph_crop(photo, generator, scenery.size)
        place.plane(0, 0.0, material(generator, MOTTLED, np.full(3, 0.3)))
        tint = place.photo[::4, ::4].mean((0, 1))
    else:
        place = choose_place(generator)
    lighting = choose_lighting(generator, place.indoors, view.turn, tint)
    if place.photo is not None:
        # The photograph was exposed for its own light: bring it to the level of the light on the person.
        level = 0.2 * lighting.level.mean() * np.exp(generator.normal(0, 0.35))
        place.photo *= np.float32(level / max(tint.mean(), 0.02))
    seat(place, person, view, generator)
    if generator.random() < 0.8 * scenery.occluded:
        obstruct(place, person, view, generator)
    if generator.random() < 0.6 * scenery.occluded:
        hold(place, person, view, generator)
    return place, lighting


@dataclass(frozen=True)
class _Drawn:
    """A person at twice the picture's size: colours (2S, 2S, 3), face_index and depth (2S, 2S)."""

    colours: np.ndarray
    face_index: np.ndarray
    depth: np.ndarray


def _draw_person(person: Person, view: View, lighting: Lighting) -> _Drawn:
    surface = person.surface
    points, depths = view.project(surface.vertices, zoom=2)
    face_index, weights, depth = rasterise(points, depths, surface.faces, 2 * view.size, 2 * view.size)
    lights, ambient = lighting.for_camera(view.axes)
    colours = shade(
        face_index, weights, surface.faces, surface.normals, surface.rest, surface.albedo, surface.cloth,
        surface.patterns, lights, ambient, surface.vertices, surface.seams,
    )  # fmt: skip
    return _Drawn(colours, face_index, depth)


def _draw_place(person, view, place, lighting, person_depth):
    """Linear RGB (S, S, 3), depth (S, S), and where the place hides the person, (2S, 2S) bool."""
    boxes = np.array(place.boxes).reshape(-1, 9)
    corners, faces, sides = box_mesh(boxes)
    points, depths = view.project(view.from_stage(corners), zoom=2)
    # A box that reaches behind the lens cannot be projected.
    kept = np.repeat(depths.reshape(-1, 8).min(1) > 0.25, 12)
    index, _, nearest = rasterise(points, depths, faces[kept], 2 * view.size, 2 * view.size)
    index = index[::2, ::2]
    if kept.any():
        side_of_face = (np.nonzero(kept)[0] // 2).astype(np.int32)
        index = np.where(index >= 0, side_of_face[index], np.int32(-1))
    shadows = ground_shadows(
        np.concatenate([view.to_stage(person.surface.vertices), _box_points(boxes)]),
        lighting.lights[0, :3], lighting.softness,
    )  # fmt: skip
    if place.photo is not None:
        shadows *= groundlike(place.photo)
    picture, depth = draw_stage(view, place, lighting, shadows, index, sides)
    leaves = project_leaves(place, view)
    leaves[:, 6:9] *= lighting.level
    leaf_depth = draw_leaves(picture, depth, leaves, noise_tiles())
    return picture, depth, hides(nearest, person_depth, leaf_depth, 0.02)


def _box_points(boxes: np.ndarray) -> np.ndarray:
    """Points (N, 3) all over the boxes near the person, dense enough to throw a shadow."""
    near = boxes[(np.hypot(boxes[:, 0], boxes[:, 2]) < 2.5) & (boxes[:, 3:6].max(1) < 1.5)]
    steps = np.linspace(-1, 1, 14)
    grid = np.stack(np.meshgrid(steps, [-1, 0, 1], steps, indexing="ij"), -1).reshape(-1, 3)
    local = grid * near[:, None, 3:6]
    c, s = np.cos(near[:, None, 6]), np.sin(near[:, None, 6])
    turned = np.stack(
        [c * local[..., 0] + s * local[..., 2], local[..., 1], c * local[..., 2] - s * local[..., 0]], -1
    )
    return (turned + near[:, None, :3]).reshape(-1, 3)


def _others(picture, depth, view, scenery, lighting, generator) -> tuple[np.ndarray, list[Placed]]:
    """Put people of earlier pictures behind; where they are (S, S) bool, and those who come before."""
    others, known, chance = np.zeros(depth.shape, bool), scenery.passers_by, generator.random()
    if not known or chance > 0.42:
        return others, []
    if chance < 0.14:
        everybody = neighbours(known, view, lighting.level, generator)
    elif chance < 0.2:
        everybody = _placed(["before"], view, known, lighting, generator)
    else:
        ways = ["close"] if chance < 0.26 else []
        ways += ["behind"] * generator.choice([1, 2, 4], p=[0.6, 0.28, 0.12])
        everybody = _placed(ways, view, known, lighting, generator)
    everybody.sort(key=lambda one: -one.depth)
    for one in everybody:
        if one.depth > view.distance:
            far = depth[one.window]
            solid = one.over(picture, one.depth < far)
            far[solid] = one.depth
            others[one.window] |= solid
    return others, [one for one in everybody if one.depth <= view.distance]


def _placed(ways, view, known, lighting, generator) -> list[Placed]:
    placed = [
        place_passer_by(known[generator.integers(len(known))], view, lighting.level, way, generator)
        for way in ways
    ]
    return [one for one in placed if one is not None]


def _remember(scenery, layer, alpha, spoilt, view, lighting, generator) -> None:
    """Keep the person for later pictures, unless spoilt: hidden in part, or a blur of motion."""
    slot = int(generator.integers(KEPT_PASSERS_BY))
    if spoilt:
        return
    kept = cut_out(layer, alpha, view, lighting.level)
    if kept is None:
        return
    if len(scenery.passers_by) < KEPT_PASSERS_BY:
        scenery.passers_by.append(kept)
    else:
        scenery.passers_by[slot] = kept


def _share_cut(person: Person, view: View) -> float:
    """Share of the person's drawn pixels that lie beyond the frame, from a small drawing of all of them."""
    points, depths = view.project(person.surface.vertices)
    low, high = extent(points)
    if (low >= 0).all() and (high <= view.size).all():
        return 0.0
    zoom = np.float32(96 / max((high - low).max(), 1e-3))
    index, _, _ = rasterise((points - low) * zoom, depths, person.surface.faces, 97, 97)
    rows, columns = np.nonzero(index >= 0)
    x, y = (columns + 0.5) / zoom + low[0], (rows + 0.5) / zoom + low[1]
    inside = (x >= 0) & (y >= 0) & (x < view.size) & (y < view.size)
    return 1 - float(np.count_nonzero(inside)) / max(len(rows), 1)
