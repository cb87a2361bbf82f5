"""Files that visitors and programs send: read once, then deleted."""

import filecmp
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hmnet.errors import ImageError

GONE = "The file is not here any more: it is deleted once it was read, or after some minutes. Send it again."


@contextmanager
def read_once(upload: Path, cache: Path) -> Iterator[Path]:
    """Gives an upload to be read and deletes it afterwards, whatever happens.

    Raises ImageError where it is gone already: whoever reads it would tell the visitor its path.
    """
    if not upload.is_file():
        raise ImageError(GONE)
    try:
        yield upload
    finally:
        forget(upload, cache)


def forget(upload: Path, cache: Path) -> None:
    """Deletes an uploaded file in Gradio's cache, and nothing outside that cache."""
    if not is_waiting(upload, cache):
        return
    for copy in _copies(upload, cache):
        copy.unlink(missing_ok=True)
    upload.unlink(missing_ok=True)


def is_waiting(upload: Path, cache: Path) -> bool:
    """Whether a file is an upload that nobody has read yet."""
    return is_inside(upload, cache) and upload.is_file()


def _copies(upload: Path, cache: Path) -> list[Path]:
    """Other files of the same content that Gradio's MCP server left behind.

    It writes a photo that came as "data:..." to HASH/file.EXTENSION, and sends itself another copy of that.
    """
    if upload.stem != "file":
        return []
    named = (folder / upload.name for folder in cache.iterdir())
    return [one for one in named if one.is_file() and filecmp.cmp(one, upload, shallow=False)]


def sent_file(value: object, cache: Path) -> Path:
    """The path of a file that a program sent, from Gradio's description {"path": ...} of it.

    Gradio checks only descriptions that carry its mark, so the path is checked here: it must be an upload.
    Raises ImageError.
    """
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise ImageError("Expected the photo as a file: pass gradio_client.handle_file(PATH_OR_ADDRESS).")
    if not is_inside(Path(path), cache):
        raise ImageError("The photo is not a file that was sent here: pass gradio_client.handle_file(PATH).")
    if not _is_file(Path(path)):
        raise ImageError(GONE)
    return Path(path)


def _is_file(path: Path) -> bool:
    """Whether there is a file of that name, which may be longer than any can be."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a path lies in a folder once links and dots are followed; not where they lead nowhere."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    # Links in a circle, which Python before 3.13 calls a RuntimeError, and names that no file can have.
    except (OSError, RuntimeError, ValueError):
        return False
