"""The readers under test, by kind of case: each is called as the page or the command line calls it."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

# Before Gradio is imported, which imports the Hub's client: no outside host is asked.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from demo import link, motion, photo_events, report_page, saving, session, uploads
from demo.api import endpoints
from demo.lessons import Lessons
from hmnet.body import load_body
from hmnet.body.pickles import read_pickle
from hmnet.checkpoint import CONFIG, MODEL, SEGMENTER, load_checkpoint, save_checkpoint
from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig
from hmnet.errors import HMNetError, NoPersonFoundError
from hmnet.image import read_image
from hmnet.mesh import MeshTopology
from hmnet.mesh_file import read_mesh
from hmnet.model import build_hmnet
from hmnet.person_box import check_box
from hmnet.report import report_names
from hmnet.segmentation import build_segmenter
from hmnet.video.clip import open_clip
from hmnet.weights_file import fill, read_weights

from . import seeds_clip, seeds_mesh, seeds_photo
from .seeds_weights import CANARY

BODY = load_body()
TOPOLOGY = MeshTopology.from_faces(BODY.faces, len(BODY.vertices))
COUNTS = (seeds_mesh.COUNT, len(BODY.vertices), BODY.upsampling.shape[0])
SIZE = 640, 480
"""(width, height) px of the photo that boxes and points are of."""
CONTROLS = (True, "average", 1, 1.0, "auto", False, None, False, [], False, 0.0)
"""Values of the lessons' controls."""
FRAMES = 20
"""Of a clip, that are read; the page shows after each how far it is."""


class Nobody:
    """A predictor that checks what it is asked, as the real one does, and finds nobody."""

    def predict(self, image: object, box: object = None) -> None:
        photo = read_image(image)
        if box is not None:
            check_box(box, photo.shape[1::-1])
        raise NoPersonFoundError("No person was found in the photo: try one that shows a whole person.")


MODELS = SimpleNamespace(predictor=Nobody())
REGULARISE = endpoints(MODELS, BODY, TOPOLOGY)["regularise"]
LIVE = motion.Live(MODELS.predictor)
SESSION = SimpleNamespace(
    prediction=SimpleNamespace(
        image=np.zeros((*SIZE[::-1], 3), np.uint8), photo_size=SIZE, box=np.array([0.0, 0, 9, 9]),
        people=(SimpleNamespace(box=np.array([20.0, 20, 60, 60])), SimpleNamespace(box=np.array([0.0, 0, 99, 99]))),
    ),
    example=None,
)  # fmt: skip


def photo(data: bytes, folder: Path) -> None:
    image = read_image(data)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or max(image.shape) > 2048:
        raise AssertionError(f"read as {image.dtype} {image.shape}")


def obj(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.obj")


def ply(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.ply")


def glb(data: bytes, folder: Path) -> None:
    _mesh(data, folder / "a.glb")


def _mesh(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    vertices = read_mesh(path, COUNTS)
    if vertices.shape not in {(count, 3) for count in COUNTS} or not np.isfinite(vertices).all():
        raise AssertionError(f"read as {vertices.shape}, finite: {np.isfinite(vertices).all()}")


def clip(data: bytes, folder: Path) -> None:
    opened = open_clip(
        data, fps=motion.MOST_RATE, longest=motion.SHOWN_SIDE, most_seconds=motion.MOST_SECONDS
    )
    for number, frame in enumerate(opened, 1):
        if frame.image.shape[1::-1] != opened.size or max(opened.size) > motion.SHOWN_SIDE:
            raise AssertionError(f"frames of {frame.image.shape} in a clip of {opened.size}")
        if number == FRAMES:
            break


def live(data: bytes, folder: Path) -> None:
    answer = LIVE.answer(json.loads(data))
    json.dumps(answer, allow_nan=False)
    if "problem" in answer:
        raise HMNetError(answer["problem"])


def regularise(data: bytes, folder: Path) -> None:
    message = json.loads(data)
    if not isinstance(message, dict) or not message.keys() <= {
        "vertices",
        "iterations",
        "strength",
        "operator",
    }:
        raise HMNetError("Gradio lets no other arguments through.")
    _answered(REGULARISE, **{"vertices": None, **message})


def _answered(endpoint: Any, **arguments: object) -> None:
    """An endpoint's answer, which must be JSON; its errors come as Gradio's."""
    import gradio as gr

    try:
        json.dumps(endpoint(**arguments), allow_nan=False)
    except gr.Error as error:
        raise HMNetError(str(error.message)) from error


def box(data: bytes, folder: Path) -> None:
    """A dragged box and a point that was clicked."""
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"box": message, "point": message}
    session.choose(MODELS, SESSION, photo_events.chosen_point(message.get("point")))
    check_box(photo_events.dragged_box(message), SIZE)


def query(data: bytes, folder: Path) -> None:
    message = json.loads(data)
    asked = message if isinstance(message, dict) else {"view": message}
    settings = link.settings_of({name: str(value) for name, value in asked.items()})
    again = link.settings_of(dict(pair.split("=") for pair in link.query(asked).split("&") if pair))
    if not isinstance(settings, link.Settings) or not isinstance(again, link.Settings):
        raise AssertionError(f"{settings}, {again}")


def save(data: bytes, folder: Path) -> None:
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"picture": message, "view": message}
    png = saving.picture_of(message.get("picture"))
    if png is not None:
        report_page.picture(png, "A picture")
    link.query(Lessons.linked(CONTROLS, "beach-1", link.view_state(message.get("view"))))


def config(data: bytes, folder: Path) -> None:
    """config.json beside weights that fit the smallest network; its sums are put right, so that all is read."""
    checkpoint, sums = _checkpoint(folder)
    for name, right in sums.items():
        data = data.replace(
            json.dumps({name: "0" * 64})[1:-1].encode(), json.dumps({name: right})[1:-1].encode()
        )
    (checkpoint / CONFIG).write_bytes(data)
    load_checkpoint(checkpoint)
    _nothing_executed(folder)


@lru_cache(maxsize=1)
def _checkpoint(folder: Path) -> tuple[Path, dict[str, str]]:
    """A folder with weights for the networks of `seeds_weights.config`, and their sums."""
    checkpoint, model_config = folder / "checkpoint", ModelConfig(feature_size=8)
    segmenter = build_segmenter(SegmenterConfig(width=8))
    save_checkpoint(
        checkpoint, build_hmnet(model_config), segmenter, Preprocessing(), {}, model_config=model_config
    )
    for name in ("hmnet.pt", "pytorch_model.bin"):
        (checkpoint / name).write_bytes(b"\x80\x04N.")
    return checkpoint, {
        name: hashlib.sha256((checkpoint / name).read_bytes()).hexdigest() for name in (MODEL, SEGMENTER)
    }


def weights(data: bytes, folder: Path) -> None:
    path = folder / MODEL
    path.write_bytes(data)
    layer = torch.nn.Linear(6, 4)
    fill(layer, read_weights(path, hashlib.sha256(data).hexdigest()), path)
    _nothing_executed(folder)


def pickled(data: bytes, folder: Path) -> None:
    path = folder / "body.pkl"
    path.write_bytes(data)
    try:
        read_pickle(path)
    finally:
        _nothing_executed(folder)


def _nothing_executed(folder: Path) -> None:
    if (folder / CANARY).exists():
        (folder / CANARY).unlink()
        raise AssertionError("a pickle was executed")


def name(data: bytes, folder: Path) -> None:
    """A file's name, as the command line or a visitor's browser gives it."""
    _prepared(folder)
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"name": message}
    asked = message.get("name")
    asked = asked if isinstance(asked, str) else repr(asked)
    readers = {"photo": read_image, "mesh": _mesh_named, "clip": open_clip, "weights": load_checkpoint}
    reader = readers.get(str(message.get("reader")))
    if reader is not None:
        reader(asked)
    else:
        _upload({"path": message.get("name")}, folder)
    report_names([Path(asked)])


def _mesh_named(path: str) -> None:
    read_mesh(path, COUNTS)


def _upload(message: object, folder: Path) -> None:
    cache, secret = folder / "cache", folder / "secret.jpg"
    try:
        with uploads.read_once(uploads.sent_file(message, cache), cache) as path:
            if path.resolve().parent != cache.resolve():
                raise AssertionError(f"{path} is outside of {cache}")
            read_image(path)
    finally:
        if not secret.is_file():
            raise AssertionError("a file outside of the cache was deleted")


def _prepared(folder: Path) -> None:
    """Files of all sorts in the working folder."""
    cache = folder / "cache"
    if not cache.is_dir():
        cache.mkdir()
        files = _files()
        for path, content in files.items():
            (folder / path).write_bytes(content)
        (folder / "folder.obj").mkdir()
        for path in ("pipe", "pipe.obj"):
            os.mkfifo(folder / path)
        for path in ("zero.jpg", "zero.obj"):
            (folder / path).symlink_to("/dev/zero")
        (folder / "loop").symlink_to("loop")
        (folder / "link.jpg").symlink_to("inside.jpg")
        (cache / "link.jpg").symlink_to("../secret.jpg")
    (cache / "inside.jpg").write_bytes(_files()["secret.jpg"])


@lru_cache(maxsize=1)
def _files() -> dict[str, bytes]:
    jpeg = seeds_photo.saved(seeds_photo.picture(), "JPEG")
    return {
        "secret.jpg": jpeg, "inside.jpg": jpeg, "inside.obj": seeds_mesh.objs()["only points"],
        "inside.mp4": seeds_clip.clip("mp4", "libx264", "yuv420p", 2),
    }  # fmt: skip


READERS = {
    "photo": photo, "obj": obj, "ply": ply, "glb": glb, "clip": clip, "camera message": live, "regularise": regularise,
    "box and point": box, "link": query, "saving": save, "config.json": config, "weights": weights, "pickle": pickled,
    "file name": name,
}  # fmt: skip
