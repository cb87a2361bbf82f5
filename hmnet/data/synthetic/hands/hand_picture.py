"""One synthetic photograph of a hand, in the form of `hmnet.data.synthetic.scenes.photograph.Sample`."""

import dataclasses

import numpy as np

from hmnet.data.synthetic.hands.hand_model import RenderedHand
from hmnet.data.synthetic.hands.hand_view import choose_hand_view
from hmnet.data.synthetic.people.person import Surface
from hmnet.data.synthetic.raster import halve_visible, labels_of, rasterise
from hmnet.data.synthetic.scenes.backdrop import FAR, draw_stage, photograph_crop
from hmnet.data.synthetic.scenes.darkroom import defocused, develop, feathered, motion_blurred
from hmnet.data.synthetic.scenes.furnishing import Place
from hmnet.data.synthetic.scenes.lighting import Lighting, choose_lighting
from hmnet.data.synthetic.scenes.photograph import Sample, Scenery
from hmnet.data.synthetic.scenes.places import choose_place
from hmnet.data.synthetic.scenes.shadow import CELLS
from hmnet.data.synthetic.scenes.viewpoint import View
from hmnet.data.synthetic.shading import shade

PHOTOGRAPHED = 0.85
"""Share of the pictures set in photographs, where there are some."""
ENLARGED = 4.0
"""Shadows are worked out on the hand so many times enlarged: as it is, it would lie within their tolerance,
and at a body's size the map's cells, which are those of the arm, would show as ripples."""
NEAREST_M = 0.1
"""What comes nearer to the lens is left out."""
CUT = HIDDEN = 0.1
"""Share of a hand's pixels beyond the frame, or behind something, from which a sample is marked so."""
LEAST_SEEN = 0.45
MOVING = 0.08
SURROUNDINGS = -0.4
"""Logarithm of the light around a hand over the light on it, as it is on average."""


def photograph_hand(hand: RenderedHand, scenery: Scenery, generator: np.random.Generator) -> Sample | None:
    """Light and photograph one hand; None when too little of it would be seen.

    Tags: "truncated", "occluded", "egocentric", "holding", "sleeve".
    """
    size = scenery.size
    view = choose_hand_view(hand.template, hand.egocentric, generator, size)
    surface, own = _before_the_lens(hand, view)
    place, lighting = _set_up(view, scenery, generator)
    points, depths = view.project(surface.vertices, zoom=2)
    face_index, weights, depth = rasterise(points, depths, surface.faces, 2 * size, 2 * size)
    part_map = labels_of(face_index[::2, ::2], surface.face_parts)
    whole, cut = _whole(surface, own, view)
    seen = np.count_nonzero(part_map)
    if seen < max(LEAST_SEEN * whole, 0.008 * size * size):
        return None
    lights, ambient = lighting.for_camera(view.axes)
    colours = shade(
        face_index, weights, surface.faces, surface.normals, surface.rest, surface.albedo, surface.cloth,
        surface.patterns, lights, ambient, ENLARGED * surface.vertices, surface.seams,
    )  # fmt: skip
    picture = _background(view, place, lighting, generator)
    layer, alpha = halve_visible(colours, face_index, np.zeros(depth.shape, bool))
    layer, alpha = feathered(layer, alpha, max(generator.normal(0.8, 0.3), 0.4) * size / 256)
    if generator.random() < MOVING:
        length, angle = generator.uniform(1.5, 9) * size / 256, generator.uniform(0, np.pi)
        layer, alpha = motion_blurred(layer, length, angle), motion_blurred(alpha, length, angle)
    picture = layer + (1 - alpha) * picture
    dim = lighting.kind in ("low", "party")
    image = develop(picture.astype(np.float32), 0.4 + alpha[..., 0], dim, generator)
    rows, columns = np.nonzero(part_map)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    camera = np.array([view.focal / view.distance, *(view.centre * view.distance / view.focal)], np.float32)
    facts = {"truncated": cut > CUT, "occluded": seen < (1 - HIDDEN) * (1 - cut) * whole,
             "egocentric": hand.egocentric, "holding": hand.holding, "sleeve": hand.sleeved}  # fmt: skip
    tags = tuple(name for name, true in facts.items() if true)
    keypoints, _ = view.project(hand.joints)
    return Sample(image, part_map, hand.template, hand.joints, camera, box, hand.kind, tags, keypoints)


def _before_the_lens(hand: RenderedHand, view: View) -> tuple[Surface, int]:
    """The surface without faces that come too near to the lens; and how many of them are the hand's own."""
    surface = hand.surface
    depth = surface.vertices[:, 2] + view.distance
    kept = (depth[surface.faces] > NEAREST_M).all(1)
    kept_surface = dataclasses.replace(
        surface, faces=surface.faces[kept], face_parts=surface.face_parts[kept]
    )
    return kept_surface, int(np.count_nonzero(kept[: hand.own_faces]))


def _whole(surface: Surface, own: int, view: View) -> tuple[int, float]:
    """Pixels of the hand with nothing before it and no frame around it, and the share beyond the frame."""
    points, depths = view.project(surface.vertices)
    margin = view.size // 2
    index, _, _ = rasterise(
        points + np.float32(margin), depths, surface.faces[:own], 2 * view.size, 2 * view.size
    )
    labels = labels_of(index, surface.face_parts) > 0
    whole = np.count_nonzero(labels)
    inside = np.count_nonzero(labels[margin:-margin, margin:-margin])
    return whole, 1 - inside / max(whole, 1)


def _set_up(view: View, scenery: Scenery, generator: np.random.Generator) -> tuple[Place, Lighting]:
    """The place and its light."""
    if not scenery.backgrounds or generator.random() > PHOTOGRAPHED:
        place = choose_place(generator)
        return place, choose_lighting(generator, place.indoors, view.turn)
    photo = scenery.backgrounds[generator.integers(len(scenery.backgrounds))]
    place = Place(indoors=bool(generator.random() < 0.55))
    place.photo = photograph_crop(photo, generator, scenery.size)
    tint = place.photo[::4, ::4].mean((0, 1))
    lighting = choose_lighting(generator, place.indoors, view.turn, tint)
    # The photograph was exposed for its own light: bring it to the level of the light on the hand.
    level = 0.25 * lighting.level.mean() * np.exp(generator.normal(0, 0.4))
    place.photo *= np.float32(level / max(tint.mean(), 0.02))
    return place, lighting


def _background(view: View, place: Place, lighting: Lighting, generator: np.random.Generator) -> np.ndarray:
    """Linear RGB (S, S, 3) of what is behind the hand, out of focus as it is behind near things."""
    if place.photo is not None:
        picture, depth = place.photo.copy(), np.full(place.photo.shape[:2], FAR, np.float32)
    else:
        nothing = np.full((view.size, view.size), -1, np.int32)
        no_shadows = np.zeros((2, CELLS, CELLS), np.float32)
        picture, depth = draw_stage(view, place, lighting, no_shadows, nothing, np.zeros((0, 13), np.float32))
    picture *= np.float32(np.exp(generator.normal(SURROUNDINGS, 0.35)))
    aperture = generator.exponential(1.6) * view.size / 256
    if place.photo is not None and generator.random() < 0.5:
        aperture = 0.0
    return defocused(picture, depth, view.distance, min(aperture, 6.0)) if aperture > 0.5 else picture
