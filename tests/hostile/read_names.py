"""Names of files, given to every reader as the command line or a visitor's browser gives them."""

import json
import os
from functools import lru_cache
from pathlib import Path

from demo import uploads
from hmnet.checkpoint import load_checkpoint
from hmnet.image import read_image
from hmnet.mesh_file import read_mesh
from hmnet.report import report_names
from hmnet.video.clip import open_clip

from . import seeds_clip, seeds_mesh, seeds_photo
from .read_files import COUNTS


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
        "secret.jpg": jpeg,
        "inside.jpg": jpeg,
        "inside.obj": seeds_mesh.objs()["only points"],
        "inside.mp4": seeds_clip.clip("mp4", "libx264", "yuv420p", 2),
    }
