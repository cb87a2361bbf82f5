"""From a session to what the page draws: the four pictures and the panes of the 3D view."""

from collections.abc import Iterator

import numpy as np
import torch

from demo import captions, compare
from demo.figures import MESH_COLOUR
from demo.heat import Heat, nice_limit
from demo.photo_view import Figure2D, PhotoScene, shown
from demo.session import Session
from demo.viewer import Layout, Pane, Shade, Skeleton
from hmnet.camera import project
from hmnet.data.crop import Crop
from hmnet.render import cutout

RAW, REGULARISED, TRUTH, CHANGED = "#d9a282", "#8ecae6", "#a7c957", "#e0afd0"
"""Colours of the meshes: as the network gives it, averaged, true, from a changed part map."""
BRANCH, REGRESSED, TRUE = "#f97316", "#0ea5e9", "#65a30d"
"""Colours of skeletons in 3D: of the joint branch, regressed from the surface, true."""
OVER_PHOTO = "#ffffff"
"""Colour of the second skeleton over the photo; the first is warm on the person's right, cool on the left."""


def photo_scene(session: Session) -> PhotoScene:
    """The four pictures of the session's person or hand."""
    prediction = session.prediction
    crop = prediction.crop
    labels, true_labels = (_as_in_photo(one, crop) for one in (prediction.labels, session.true_labels))
    others = tuple(
        person.box for person in prediction.people if not np.allclose(person.box, prediction.box, atol=1)
    )
    skeletons = {captions.BRANCH: prediction.joints, captions.REGRESSED: prediction.regressed_joints}
    figures = tuple(
        Figure2D(name, OVER_PHOTO, project(joints, prediction.camera)) for name, joints in skeletons.items()
    )
    return PhotoScene(
        prediction.image, prediction.photo_size, prediction.box, np.array(crop.box), others,
        labels, true_labels, figures, _overlay(session), session.body_name,
        crop.turn,
    )  # fmt: skip


def _as_in_photo(labels: np.ndarray | None, crop: Crop) -> np.ndarray | None:
    """A crop's part ids (S, S) as the photo has them where the networks saw it in a mirror."""
    return labels[:, ::-1] if crop.in_mirror and labels is not None else labels


def _overlay(session: Session) -> np.ndarray:
    """The full surface (h, w, 4) uint8 as it lies over the shown photo."""
    prediction, body = session.prediction, session.body
    height, width = shown(prediction.image).shape[:2]
    camera = prediction.camera * np.array([width / prediction.photo_size[0], 1, 1])
    vertices = body.upsample(torch.as_tensor(prediction.vertices)).numpy()
    return cutout((width, height), vertices, body.full_faces.numpy(), camera, MESH_COLOUR)


def panes(session: Session, heat: Heat) -> tuple[list[Pane], list[Layout]]:
    """All panes of the 3D view, and which of them each lesson shows."""
    made = [
        *_own_panes(session, heat),
        *_change_panes(session),
        *_square_panes(session),
        *_variant_panes(session),
    ]
    names = {pane.name for pane in made}
    layouts = [
        Layout(name, title, tuple(pane for pane in wanted if pane in names))
        for name, (title, wanted) in captions.LAYOUTS.items()
    ]
    return made, [layout for layout in layouts if layout.panes]


def _own_panes(session: Session, heat: Heat) -> Iterator[Pane]:
    """HMNet's raw and regularised mesh, the heatmap, the joints, and the truth."""
    prediction = session.prediction
    raw, regularised = prediction.raw_vertices, prediction.vertices
    yield Pane("raw", *captions.PANES["raw"], vertices=raw, colour=RAW, shade=_error_shade(session, raw))
    yield Pane(
        "regularised", *captions.PANES["regularised"], vertices=regularised, raw=raw, colour=REGULARISED,
        shade=_error_shade(session, regularised),
    )  # fmt: skip
    yield Pane(
        "heat", heat.title, heat.sentence, vertices=regularised, raw=raw, colour=REGULARISED,
        shade=Shade(heat.values, heat.limit, heat.title), always_shaded=True,
    )  # fmt: skip
    skeletons = (
        Skeleton(captions.BRANCH, BRANCH, prediction.joints),
        Skeleton(captions.REGRESSED, REGRESSED, prediction.regressed_joints),
    )
    yield Pane(
        "joints", *captions.PANES["joints"], vertices=regularised, raw=raw, colour=REGULARISED,
        skeletons=skeletons, opacity=0.28,
    )  # fmt: skip
    if session.example is not None:
        truth = session.example
        yield Pane("truth", *captions.PANES["truth"], vertices=truth.vertices, colour=TRUTH)
        yield Pane(
            "true-joints", *captions.PANES["true-joints"], vertices=truth.vertices, colour=TRUTH,
            skeletons=(skeletons[0], Skeleton(captions.TRUE, TRUE, truth.joints)), opacity=0.28,
        )  # fmt: skip


def _change_panes(session: Session) -> Iterator[Pane]:
    """The mesh before and after the part map was changed, and how far that moved it."""
    before, after = session.untouched, session.prediction
    yield Pane(
        "before", *captions.PANES["before"], vertices=before.vertices, raw=before.raw_vertices,
        colour=REGULARISED, shade=_error_shade(session, before.vertices),
    )  # fmt: skip
    yield Pane(
        "after", *captions.PANES["after"], vertices=after.vertices, raw=after.raw_vertices, colour=CHANGED,
        shade=_error_shade(session, after.vertices),
    )  # fmt: skip
    moved = 1000 * np.linalg.norm(after.vertices - before.vertices, axis=1).astype(np.float32)
    title, sentence = captions.PANES["change"]
    sentence = captions.HAND_UNCHANGED if session.body.one_sided else sentence
    yield Pane(
        "change", title, compare.parts_sentence(session, session.body) or sentence, vertices=after.vertices,
        raw=after.raw_vertices, colour=CHANGED, shade=Shade(moved, nice_limit(moved), title),
        always_shaded=True,
    )  # fmt: skip


def _square_panes(session: Session) -> Iterator[Pane]:
    """The paper's Fig. 8, where the network trained without Eq. 3 is there."""
    for name, corner in compare.square(session, session.topology).items():
        error = "" if corner.surface is None else f", surface error {corner.surface:.0f} mm"
        yield Pane(
            name, corner.title, f"Roughness {corner.roughness:.1f} mm{error}.", vertices=corner.vertices,
            colour=REGULARISED if name.endswith("on") else RAW, shade=_error_shade(session, corner.vertices),
        )  # fmt: skip


def _variant_panes(session: Session) -> Iterator[Pane]:
    """Each variant's mesh under the lab's settings."""
    for name, (raw, regularised) in compare.variant_meshes(session, session.topology).items():
        title, sentence = captions.variant(name)
        yield Pane(
            f"variant-{name}", title, sentence, vertices=regularised, raw=raw, colour=REGULARISED,
            shade=_error_shade(session, regularised),
        )  # fmt: skip


def _error_shade(session: Session, vertices: np.ndarray) -> Shade | None:
    """The error of a mesh against the truth, on one scale for all; None where it is not known."""
    if session.example is None:
        return None
    values = 1000 * np.linalg.norm(vertices - session.example.vertices, axis=1).astype(np.float32)
    own = 1000 * np.linalg.norm(session.prediction.vertices - session.example.vertices, axis=1)
    return Shade(values, nice_limit(own), captions.ERROR)
