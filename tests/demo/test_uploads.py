"""Only what was sent is read, whatever its name leads to."""

from pathlib import Path

import pytest

from demo.uploads import is_inside, sent_file
from hmnet.errors import ImageError


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "sent.jpg").write_bytes(b"a photo")
    (tmp_path / "secret.jpg").write_bytes(b"somebody else's")
    (folder / "link.jpg").symlink_to("../secret.jpg")
    (folder / "loop").symlink_to("loop")
    return folder


def test_what_was_sent_is_taken(cache: Path) -> None:
    assert sent_file({"path": str(cache / "sent.jpg")}, cache) == cache / "sent.jpg"


@pytest.mark.parametrize(
    # Of links in a circle and of names that no file can have, errors of Python's came through.
    "name",
    ["../secret.jpg", "link.jpg", "loop", "\ud800.jpg", "x" * 5000, "/etc/passwd", "sent.jpg\0", ""],
)
def test_nothing_else_is(cache: Path, name: str) -> None:
    with pytest.raises(ImageError):
        sent_file({"path": f"{cache}/{name}" if name and name[0] != "/" else name}, cache)


def test_what_leads_nowhere_is_not_inside(cache: Path) -> None:
    assert is_inside(cache / "sent.jpg", cache) and not is_inside(cache / "loop" / "a", cache)
