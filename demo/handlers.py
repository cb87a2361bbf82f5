"""What the page's controls do: plain functions from values to values, without Gradio."""

import json
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import numpy as np
import torch

from demo import figures
from demo.examples import Example
from hmnet.body import BodyTemplate
from hmnet.camera import project
from hmnet.export import write_glb
from hmnet.mesh import MeshTopology, roughness
from hmnet.metrics import joint_error, pa_surface_error, surface_error
from hmnet.predictor import Prediction, Predictor
from hmnet.render import overlay
from hmnet.report import summary

MESH_COLOUR = (142, 202, 230)
SHARES = "Each part's share of the person's pixels."
TRUTH, MOVED = "truth", "moved"
"""What a heatmap shows: distance to the ground truth, or how far the regulariser moved each vertex."""


@dataclass(frozen=True)
class Lab:
    """Settings of the regulariser (Eq. 3): on or off, how often, how strongly (0..1)."""

    enabled: bool = True
    iterations: int = 1
    strength: float = 1.0


@dataclass(frozen=True)
class Session:
    """What one visitor looks at: the last prediction and, for a rendered example, its truth."""

    prediction: Prediction
    example: Example | None


@dataclass(frozen=True)
class Heat:
    """A heatmap over the V template vertices.

    kind: TRUTH or MOVED. values: (V,) float32 mm. limit: mm at the colour bar's end. sentence: what it shows.
    """

    kind: str
    values: np.ndarray
    limit: float
    sentence: str


def reconstruct(predictor: Predictor, photo: Path | np.ndarray, example: Example | None, lab: Lab) -> Session:
    """Runs the networks on a photo. Raises HMNetError for what is not a usable photo of a person."""
    return regularise(predictor, Session(predictor.predict(photo), example), lab)


def choose(predictor: Predictor, session: Session, point: tuple[float, float], lab: Lab) -> Session | None:
    """Runs the networks on the person at a point, in pixels of the photo panel; None where nobody else is.

    Of several boxes around the point the smallest counts. An example keeps to the person whose truth it has.
    """
    prediction = session.prediction
    if session.example is not None:
        return None
    x, y = np.asarray(point) / _shown(prediction)[1]
    around = [p for p in prediction.people if p.box[0] <= x <= p.box[2] and p.box[1] <= y <= p.box[3]]
    if not around:
        return None
    box = min(around, key=lambda person: np.prod(person.box[2:] - person.box[:2])).box
    if np.allclose(box, prediction.box, atol=1):
        return None
    # The session keeps a large photo at a smaller size: from here on that is the photo.
    scale = prediction.image.shape[1] / prediction.photo_size[0]
    people = tuple(replace(person, box=person.box * scale) for person in prediction.people)
    chosen = replace(predictor.predict(prediction.image, box * scale), people=people)
    return regularise(predictor, Session(chosen, None), lab)


def regularise(predictor: Predictor, session: Session, lab: Lab) -> Session:
    """The same prediction under other regulariser settings; the networks do not run."""
    iterations = lab.iterations if lab.enabled else 0
    return replace(session, prediction=predictor.regularise(session.prediction, iterations, lab.strength))


def photo_panel(session: Session) -> np.ndarray:
    """The photo with the person box and the networks' crop, and faintly the boxes of others, uint8."""
    prediction = session.prediction
    image, scale = _shown(prediction)
    others = [p.box * scale for p in prediction.people if not np.allclose(p.box, prediction.box, atol=1)]
    return figures.draw_box(image, prediction.box * scale, np.array(prediction.crop.box) * scale, others)


def people_line(session: Session) -> str:
    """HTML: how many people were found, and what to do about it; empty for one."""
    count = len(session.prediction.people)
    if count < 2 or session.example is not None:
        return ""
    return f'<p class="people">{count} people were found: click another one in the photo with the boxes.</p>'


def parts_panel(session: Session) -> np.ndarray:
    """The part map over the photo, uint8."""
    return figures.draw_parts(_shown(session.prediction)[0], session.prediction.part_map)


def parts_legend(session: Session | None) -> str:
    """HTML list of the parts found; for a rendered example also how many pixels carry their true part."""
    if session is None:
        return figures.part_legend(np.zeros((1, 1), np.uint8)) + _caption(SHARES)
    predicted = session.prediction.part_map
    truth = None if session.example is None else session.example.part_map
    if truth is None or truth.shape != predicted.shape:
        return figures.part_legend(predicted) + _caption(SHARES)
    person = (truth > 0) | (predicted > 0)
    agreement = 100 * float((truth == predicted)[person].mean())
    return figures.part_legend(predicted) + _caption(
        f"{SHARES} {agreement:.0f}% of them carry their true part."
    )


def joints_panel(session: Session, body: BodyTemplate) -> np.ndarray:
    """The joint branch's 24 joints, projected by the solved camera, over the photo, uint8."""
    prediction = session.prediction
    image, scale = _shown(prediction)
    keypoints = project(prediction.joints, prediction.camera) * scale
    return figures.draw_skeleton(image, dict(zip(body.joint_names, keypoints, strict=True)))


def mesh_panel(session: Session, body: BodyTemplate) -> np.ndarray:
    """The regularised mesh's full surface over the photo, uint8."""
    prediction = session.prediction
    image, scale = _shown(prediction)
    camera = prediction.camera * np.array([scale, 1, 1])
    vertices = body.upsample(torch.as_tensor(prediction.vertices)).numpy()
    return overlay(image, vertices, body.full_faces.numpy(), camera, colour=MESH_COLOUR)


def heat(session: Session, body: BodyTemplate) -> Heat:
    """Distance of every vertex to the ground truth where there is one, else how far it was moved."""
    prediction = session.prediction
    if session.example is None:
        offsets = prediction.vertices - prediction.raw_vertices
    else:
        offsets = prediction.vertices - session.example.vertices
    values = 1000 * np.linalg.norm(offsets, axis=-1).astype(np.float32)
    worst = int(values.argmax())
    where = body_part(body, worst)
    if session.example is None:
        if not values.any():
            sentence = "The regulariser is off: no vertex moved."
        else:
            sentence = (
                f"How far the regulariser moved each vertex: {values.mean():.1f} mm on average, "
                f"{values[worst]:.0f} mm at most ({where}). "
                "This is no error: a photo has no ground truth."
            )
        return Heat(MOVED, values, _nice_limit(values), sentence)
    truth = torch.as_tensor(session.example.vertices)[None]
    predicted = torch.as_tensor(prediction.vertices)[None]
    surface = float(surface_error(predicted, truth))
    aligned = float(pa_surface_error(predicted, truth))
    # From the mesh, not the joint branch, as the paper does.
    regressed, true = prediction.regressed_joints, session.example.joints
    joints = float(joint_error(torch.as_tensor(regressed)[None], torch.as_tensor(true)[None]))
    sentence = (
        f"Distance to this rendered example's ground truth: surface error {surface:.0f} mm ({aligned:.0f} mm "
        f"after Procrustes alignment), joint error {joints:.0f} mm; largest {values[worst]:.0f} mm ({where})."
    )
    return Heat(TRUTH, values, _nice_limit(values), sentence)


def body_part(body: BodyTemplate, vertex: int) -> str:
    """Name of the part that a template vertex belongs to."""
    return figures.PART_NAMES[int(body.vertex_parts[vertex])]


def roughness_line(session: Session, topology: MeshTopology) -> str:
    """Mean distance to the one-ring mean before and after regularising, as a sentence in mm."""
    before, after = (
        1000 * float(roughness(torch.as_tensor(vertices), topology.neighbour_matrix))
        for vertices in (session.prediction.raw_vertices, session.prediction.vertices)
    )
    return f"Roughness (mean distance to the neighbours' mean): {before:.1f} mm raw, {after:.1f} mm now."


def status_line(session: Session | None, predictor: Predictor) -> str:
    """HTML: which weights and revision answer, on which device, and the stages' timings."""
    weights = predictor.checkpoint.info
    facts = [
        ("Weights", f"{weights.source}"),
        ("Variant", weights.variant),
        ("Revision", weights.revision),
        ("Device", str(predictor.device)),
    ]
    if session is not None:
        timings = session.prediction.timings
        facts += [(stage.replace("_", " "), f"{ms:.0f} ms") for stage, ms in timings.items()]
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts)
    notice = f'<p class="notice">{escape(weights.notice)}</p>' if weights.notice else ""
    return f'<dl class="status">{cells}</dl>{notice}'


def export_glb(session: Session, body: BodyTemplate, folder: Path) -> Path:
    """Writes the regularised full surface as glTF (metres, y up), coloured by part."""
    vertices = body.upsample(torch.as_tensor(session.prediction.vertices))
    colours = np.asarray(figures.PART_COLOURS, np.uint8)[body.full_vertex_parts.numpy()]
    return write_glb(folder / "humanmeshnet.glb", vertices, body.full_faces, colours)


def export_json(session: Session, body: BodyTemplate, folder: Path) -> Path:
    """Writes what `python -m hmnet predict` writes as NAME.json, and the joint branch's joints besides."""
    name = "photo" if session.example is None else session.example.photo.name
    branch = dict(zip(body.joint_names, session.prediction.joints.round(5).tolist(), strict=True))
    content = {**summary(session.prediction, name), "joint_branch": branch}
    path = folder / "humanmeshnet.json"
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def _shown(prediction: Prediction) -> tuple[np.ndarray, float]:
    """The photo at the page's size, and that size over the original photo's."""
    image = figures.shrink(prediction.image)
    return image, image.shape[1] / prediction.photo_size[0]


def _nice_limit(values: np.ndarray) -> float:
    """The 99th percentile rounded up to 1, 2 or 5 times a power of ten, at least 1 mm."""
    top = max(1.0, float(np.percentile(values, 99)))
    power = 10.0 ** np.floor(np.log10(top))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= top))


def _caption(sentence: str) -> str:
    return f'<p class="caption">{sentence}</p>'
