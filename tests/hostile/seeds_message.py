"""What browsers and programs send as JSON, and names of files: valid messages and hostile ones."""

import base64
from typing import Any

from .mutate_json import DEEP, written
from .seeds_photo import flat_png, picture, saved

JPEG = "data:image/jpeg;base64,"
PNG = "data:image/png;base64,"
NAMES = (
    "inside.jpg",
    "inside.obj",
    "inside.mp4",
    "",
    ".",
    "..",
    "../secret.jpg",
    "../../../../etc/passwd",
    "/etc/passwd",
    "/etc/shadow",
    "/dev/zero",
    "/dev/random",
    "/dev/stdin",
    "/dev/fd/0",
    "/proc/self/mem",
    "/proc/self/environ",
    "/proc/kmsg",
    "pipe",
    "link.jpg",
    "loop",
    "zero.jpg",
    "zero.obj",
    "pipe.obj",
    "folder.obj",
    "cache/inside.jpg",
    "cache/../secret.jpg",
    "cache/link.jpg",
    "C:\\Windows\\win.ini",
    "..\\..\\secret.jpg",
    "inside.jpg\0.png",
    "\0",
    "a\nTraceback (most recent call last):\n.jpg",
    "x" * 300 + ".jpg",
    "y" * 5000,
    "x/" * 3000,
    "<img src=x onerror=alert(1)>.jpg",
    "\u202egpj.exe",
    "\ud800.jpg",
    "http://127.0.0.1:9/a.jpg",
    "file:///etc/passwd",
    "concat:a|b",
    "pipe:0",
    "data:,x",
    "-rf",
    "~root/.ssh/id_rsa",
    "$(id).jpg",
    "weights.pt",
    "pytorch_model.bin",
    "model.pkl",
    "user/repository/extra",
)
READERS = ("photo", "mesh", "clip", "weights", "upload")


def live() -> dict[str, bytes]:
    """A camera's pictures."""
    jpeg = _url(JPEG, saved(picture(), "JPEG"))
    messages: dict[str, Any] = {
        "a picture": {"picture": jpeg, "box": None},
        "with a box": {"picture": jpeg, "box": [1.5, 2, 30, 30]},
        "a box of no numbers": {"picture": jpeg, "box": [float("nan"), "1", None, 10**400]},
        "a box of huge numbers": {"picture": jpeg, "box": [10**400] * 4},
        "a deep box": {"picture": jpeg, "box": DEEP},
        "another picture": {"picture": _url(PNG, saved(picture(), "PNG")), "box": None},
        "a png by the name of a jpeg": {"picture": _url(JPEG, flat_png(50_000, 50_000)), "box": None},
        "a bomb": {"picture": _url(JPEG, flat_png(10_800, 10_800)), "box": None},
        "no base64": {"picture": JPEG + "\u00e9\ud800", "box": None},
        "nothing": {"picture": JPEG, "box": None},
        "too long": {"picture": JPEG + "A" * 500_000, "box": None},
        "a list": [],
        "a word": "picture",
    }
    return _texts(messages)


def regularise(vertices: list[list[float]]) -> dict[str, bytes]:
    """What the endpoint of that name takes; vertices: a valid mesh."""
    valid = {"vertices": vertices, "iterations": 2, "strength": 0.5, "operator": "average"}
    messages = {
        "valid": valid,
        "taubin": {**valid, "operator": "taubin"},
        "no vertices": {**valid, "vertices": []},
        "not a number": {**valid, "vertices": [[float("nan")] * 3] * len(vertices)},
        "huge": {**valid, "vertices": [[1e308, -1e308, 1e308]] * len(vertices)},
        "too huge": {**valid, "vertices": [[10**400] * 3] * len(vertices)},
        "words": {**valid, "vertices": "vertices"},
        "deep": {**valid, "vertices": DEEP},
        "uneven": {**valid, "vertices": [*vertices[:-1], [1]]},
        "for ever": {**valid, "iterations": 10**400},
        "a truth": {**valid, "iterations": True, "strength": True},
        "another operator": {**valid, "operator": "__import__('os')"},
        "no operator": {**valid, "operator": ["average"]},
    }
    return _texts(messages)


def boxes() -> dict[str, bytes]:
    """Boxes that a visitor drags."""
    values = {
        "valid": [10, 20, 200, 300.5],
        "beyond the photo": [-5, -5, 9999, 9999],
        "nothing": None,
        "words": "0 0 9 9",
        "huge": [10**400] * 4,
        "no numbers": [float("nan")] * 4,
        "a hundred thousand": list(range(100_000)),
        "long words": ["9" * 5000] * 4,
        "deep": DEEP,
        "empty": [5, 5, 5, 5],
        "backwards": [9e99, 9e99, 0, 0],
    }
    return {**_texts({name: {"box": value} for name, value in values.items()}), "a list": b"[1, 2, 3, 4]"}


def points() -> dict[str, bytes]:
    """Points that a visitor clicks."""
    messages = {
        "valid": {"x": 30, "y": 40.5},
        "nobody": {"x": 600, "y": 400},
        "nothing": {},
        "words": {"x": "30", "y": "9" * 5000},
        "huge": {"x": 10**400, "y": -(10**400)},
        "no numbers": {"x": float("nan"), "y": float("inf")},
        "lists": {"x": [0] * 1000, "y": {}},
        "deep": {"x": DEEP},
        "a list": [30, 40],
    }
    return _texts(messages)


def links() -> dict[str, bytes]:
    """Queries of the page's address."""
    view = '{"layout":"pair","turn":0.5}'
    messages = {
        "valid": {
            "example": "beach-1",
            "iterations": "3",
            "strength": "0.5",
            "operator": "taubin",
            "limit": "40",
            "view": view,
            "dropped": "head,torso",
            "noise": "0.2",
            "enabled": "0",
            "lesson": "heat",
            "against": "truth",
        },
        "a script": {"example": "<script>", "view": '{"a":"</script>"}', "lesson": "javascript:alert(1)"},
        "traversal": {"example": "../../../../etc/passwd", "lesson": "..", "against": "/"},
        "numbers": {"iterations": "1e999", "strength": "nan", "limit": "-inf", "noise": "0x1p-2"},
        "long": {"dropped": "head," * 20_000, "view": "9" * 100_000, "strength": "9" * 100_000},
        "digits": {"iterations": "\u0663", "strength": "1_0", "limit": "\uff14\uff10", "noise": " 0.5 "},
        "unknown": {"__class__": "x", "self": "y", "session": "z"},
    }
    return _texts(messages)


def savings() -> dict[str, bytes]:
    """Pictures and the view's state, as the page sends them to be saved."""
    png = saved(picture(), "PNG")
    messages = {
        "valid": {"picture": _url(PNG, png), "view": '{"layout":"pair","turn":0.5}'},
        "nothing": {"picture": None, "view": "{}"},
        "no base64": {"picture": PNG + "A", "view": "{"},
        "not ASCII": {"picture": PNG + "é", "view": "[]"},
        "no png": {"picture": _url(PNG, b"<script>"), "view": "null"},
        "a jpeg": {"picture": _url(JPEG, saved(picture(), "JPEG")), "view": '"layout"'},
        "a script in it": {
            "picture": _url(PNG, png[:8] + b"<script>"),
            "view": '{"layout":["a"],"x":"</script>"}',
        },
        "an address": {"picture": "http://127.0.0.1/x.png", "view": "[" * 5000 + "]" * 5000},
        "no text": {"picture": 5, "view": 7},
        "a long view": {"picture": None, "view": '{"a":' + "9" * 5000 + "}"},
        "a wide view": {"picture": None, "view": '{"a":"' + "x" * 200_000 + '"}'},
    }
    return _texts(messages)


def names() -> dict[str, bytes]:
    """Names of files, each for each reader."""
    messages = {
        f"{reader} {index}": {"reader": reader, "name": name}
        for reader in READERS
        for index, name in enumerate(NAMES)
    }
    return _texts(messages)


def _texts(messages: dict[str, Any]) -> dict[str, bytes]:
    return {name: written(value) for name, value in messages.items()}


def _url(head: str, data: bytes) -> str:
    return head + base64.b64encode(data).decode()
