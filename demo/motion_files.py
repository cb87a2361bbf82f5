"""What a visitor can take along of a clip: the video with the mesh, the movement as a GLB, the numbers."""

import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from demo.motion import Film
from hmnet.errors import OutputError
from hmnet.export import save
from hmnet.predictor import Prediction, Predictor
from hmnet.render import overlay
from hmnet.report import summary
from hmnet.video.animation import KeyFrames, write_animation
from hmnet.video.smoothing import smoothed
from hmnet.video.writing import VideoWriter

FILES = {
    "overlay": ("Video (MP4)", "humanmeshnet_overlay.mp4"),
    "animation": ("Movement (GLB)", "humanmeshnet_movement.glb"),
    "numbers": ("Numbers (JSON)", "humanmeshnet_clip.json"),
}
"""Kind: label, file name. All of the smoothed, regularised meshes."""
NAME = "clip"
"""What files call the clip: a visitor's own name for it is not kept."""


def write(film: Film, predictor: Predictor, kind: str, folder: Path) -> Path:
    """Writes the film as one of FILES into a folder and returns the path. Raises OutputError."""
    if kind not in FILES:
        raise OutputError(f"Unknown kind of file {kind!r}: choose one of {', '.join(FILES)}.")
    path = Path(folder) / FILES[kind][1]
    people = smoothed(
        predictor, [moment.prediction for moment in film.moments], [moment.seconds for moment in film.moments]
    )
    if kind == "overlay":
        return _write_video(film, people, predictor, path)
    if kind == "animation":
        keys = KeyFrames()
        for moment, person in zip(film.moments, people, strict=True):
            if person is not None:
                keys.add(person.vertices, moment.seconds)
        return write_animation(path, keys, predictor.body)
    frames = [
        {"seconds": round(moment.seconds, 4), **({} if person is None else summary(person, NAME))}
        for moment, person in zip(film.moments, people, strict=True)
    ]
    return save(path, json.dumps({"rate": film.rate, "frames": frames}, indent=1).encode())


def _write_video(film: Film, people: list[Prediction | None], predictor: Predictor, path: Path) -> Path:
    """The frames with the mesh over them."""
    faces = predictor.body.full_faces.numpy()
    with VideoWriter(path, film.rate) as writer:
        for moment, person in zip(film.moments, people, strict=True):
            image = np.asarray(Image.open(io.BytesIO(moment.picture)))
            if person is not None:
                surface = predictor.body.upsample(torch.from_numpy(person.vertices))
                image = overlay(image, surface, faces, person.camera)
            writer.write(image, moment.seconds)
    return path
