"""A prediction as files: what `python -m hmnet predict` leaves behind for each photo."""

import io
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hmnet.errors import OutputError
from hmnet.export import save, write_glb
from hmnet.prediction import Prediction
from hmnet.render import overlay

METRE_DIGITS, PIXEL_DIGITS, ANGLE_DIGITS = 5, 2, 4


def report_names(photos: Iterable[Path]) -> dict[str, Path]:
    """Each photo by the name its files will have: its stem, dots as underscores.

    Raises OutputError when two photos would write the same files.
    """
    names: dict[str, Path] = {}
    taken: dict[str, Path] = {}
    for photo in photos:
        name = photo.stem.replace(".", "_")
        # Some file systems do not tell capital letters from small ones.
        other = taken.setdefault(name.casefold(), photo)
        if other is not photo:
            raise OutputError(
                f"{other} and {photo} would both be written as {name}.json: rename one of them, or give each "
                "an output folder of its own."
            )
        names[name] = photo
    return names


def write_report(folder: Path, name: str, prediction: Prediction, photo: str) -> None:
    """Write NAME.glb, NAME_parts.png, NAME_overlay.png and, last, NAME.json.

    The glb holds the regularised full surface, coloured by parts; the pixels of NAME_parts.png are part ids
    with the parts' colours as palette. photo: the photo's file name. Raises OutputError.
    """
    body = prediction.body
    vertices = body.upsample(torch.from_numpy(prediction.vertices)).numpy()
    faces = body.full_faces.numpy()
    colours = np.array(body.part_colours, np.uint8)[body.full_vertex_parts.numpy()]
    write_glb(folder / f"{name}.glb", vertices, faces, colours)
    parts = Image.fromarray(prediction.part_map, "P")
    parts.putpalette([level for colour in body.part_colours for level in colour])
    camera = prediction.camera.copy()
    camera[0] *= prediction.image.shape[1] / prediction.photo_size[0]
    picture = Image.fromarray(overlay(prediction.image, vertices, faces, camera))
    save(folder / f"{name}_parts.png", _png(parts))
    save(folder / f"{name}_overlay.png", _png(picture, compress_level=3))
    save(folder / f"{name}.json", json.dumps(summary(prediction, photo), indent=1).encode())


def _png(image: Image.Image, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def summary(prediction: Prediction, photo: str) -> dict:
    """What NAME.json holds: points in m (camera frame, pelvis at the origin) and px of the upright photo.

    Of a hand the wrist is at the origin, and which one it is and its turn are said, see `hmnet.data.crop`.
    """
    weights, hand = prediction.weights, {}
    if prediction.side is not None:
        hand = {"side": prediction.side, "turn": round(prediction.crop.turn, ANGLE_DIGITS)}
    return {
        "image": photo,
        "photo_size": list(prediction.photo_size),
        "box": _rounded(prediction.box, PIXEL_DIGITS),
        **hand,
        "joints": {k: _rounded(v, METRE_DIGITS) for k, v in prediction.named_joints.items()},
        "keypoints_2d": {k: _rounded(v, PIXEL_DIGITS) for k, v in prediction.keypoints_2d.items()},
        "camera": _rounded(prediction.camera, METRE_DIGITS),
        "timings_ms": {stage: round(ms, 1) for stage, ms in prediction.timings.items()},
        "weights": {
            "source": weights.source,
            "variant": weights.variant,
            "revision": weights.revision,
        },
    }


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
