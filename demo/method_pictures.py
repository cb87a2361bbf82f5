"""The little pictures of the Method tab: what each step of the pipeline made of the photo that is shown."""

import base64
from dataclasses import replace
from io import BytesIO

import numpy as np
import torch
from PIL import Image

from demo import figures
from demo.bodies import bones_of, joint_colours
from demo.session import Session
from hmnet.camera import project
from hmnet.data.crop import extract
from hmnet.predictor import Prediction
from hmnet.render import overlay, view

SIDE = 256
"""px of every picture."""
RAW = (217, 162, 130)
"""The raw mesh's colour, as in the 3D view; the others have MESH_COLOUR."""
ROW = 125
"""Numbers in a row of bars: 1,000 fill a square with eight."""
HALF = 0.46
"""Of a row's height, the longest bar."""
LONGEST = 98
"""Percentile from which on bars are cut: a few numbers stand far out."""
JPEG_QUALITY = 85


def pictures(session: Session) -> dict[str, np.ndarray]:
    """What the steps made, (SIDE, SIDE, 3) uint8 each: image, parts, joints, raw, regularised, overlay."""
    prediction, body = session.prediction, session.body
    crop = _crop(prediction)
    keypoints = prediction.crop.to_crop(project(prediction.joints, prediction.camera), SIDE)
    full = body.upsample(torch.as_tensor(prediction.vertices)).numpy()
    camera = _crop_camera(prediction)
    # What is up in the crop is up in the overlay, as far as the mesh is seen from the front.
    full[:, :2] = full[:, :2] @ prediction.crop.axes.T
    full_faces = body.full_faces.flip(1) if prediction.crop.in_mirror else body.full_faces
    return {
        "image": crop,
        "parts": figures.draw_parts(crop, prediction.labels, palette=body.part_colours),
        "joints": figures.draw_skeleton(
            crop, dict(zip(body.joint_names, keypoints, strict=True)), bones_of(body), joint_colours(body)
        ),
        "raw": view(prediction.raw_vertices, body.faces, size=SIDE, colour=RAW),
        "regularised": view(prediction.vertices, body.faces, size=SIDE, colour=figures.MESH_COLOUR),
        "overlay": overlay(crop, full, full_faces, camera, colour=figures.MESH_COLOUR),
    }


def data_url(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 as the address of an inline JPEG."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def bars(values: np.ndarray) -> str:
    """A vector (N,) as an SVG of N bars up and down, in rows of ROW, in the text's colour; few are cut."""
    values = np.asarray(values, np.float64).ravel()
    rows = -(-len(values) // ROW)
    heights = HALF * (values / max(np.percentile(np.abs(values), LONGEST), 1e-9)).clip(-1, 1)
    lines = "".join(
        f"M{place % ROW + 0.5:g} {place // ROW + 0.5:g}v{-height:.2f}" for place, height in enumerate(heights)
    )
    return (
        f'<svg viewBox="0 0 {ROW} {rows}" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{lines}" fill="none" stroke="currentColor"/></svg>'
    )


def _crop(prediction: Prediction) -> np.ndarray:
    """What the networks saw, (SIDE, SIDE, 3)."""
    scale = prediction.image.shape[1] / prediction.photo_size[0]
    crop = replace(prediction.crop, box=tuple(edge * scale for edge in prediction.crop.box))
    return extract(prediction.image, crop, SIDE)


def _crop_camera(prediction: Prediction) -> np.ndarray:
    """The camera (3,) of the photo as one of the crop at SIDE px, for points turned by the crop's axes."""
    scale, *shift = prediction.camera
    # Where the origin of the points is seen.
    origin = prediction.crop.to_crop(scale * np.array(shift), SIDE)
    scale = scale * SIDE / prediction.crop.side
    return np.array([scale, *(origin / scale)])
