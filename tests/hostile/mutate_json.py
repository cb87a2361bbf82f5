"""Changes of a JSON text that leave it JSON: what is inside is no longer what a reader expects."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

DEEP = "deep\u0001"
"""Stands for lists within lists until the text is written: Python's writer goes no thousand deep."""
DEPTH = 400
STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    0.5,
    -0.5,
    1e-320,
    1e308,
    10**30,
    10**400,
    -(10**400),
    2**31,
    2**63,
    2**64,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "0",
    "1e999",
    "nan",
    " ",
    "\0",
    "\ud800",
    "\n\nTraceback",
    "x" * 5000,
    "../../../../etc/passwd",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "${jndi:ldap://127.0.0.1/}",
    "\u202etxt.exe",
    [],
    {},
    [[]],
    [None],
    [1, 2],
    [1, [2]],
    [0] * 3000,
    ["a"] * 4,
    {"path": "/etc/passwd"},
    {"__proto__": {}},
    DEEP,
    [float("nan")] * 4,
    [10**400] * 4,
    [True] * 4,
    ["0", "0", "9", "9"],
)


def mutate_json(text: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A JSON text with one to three values or keys changed; another text is left as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for _ in range(rng.randint(1, 3)):
        value = changed(value, rng)
    return written(value)


def changed(value: Any, rng: Random) -> Any:
    """The value with one change somewhere inside."""
    inside = isinstance(value, (dict, list)) and value and rng.random() < 0.9
    if inside and isinstance(value, dict):
        return _changed_dict(value, rng)
    if inside:
        return _changed_list(value, rng)
    return _near(value, rng) if rng.random() < 0.4 else rng.choice(STRANGE)


def written(value: Any) -> bytes:
    """The value as JSON, with Python's NaN and Infinity, in ASCII."""
    return json.dumps(value).replace(json.dumps(DEEP), "[" * DEPTH + "]" * DEPTH).encode()


def _changed_dict(value: dict, rng: Random) -> dict:
    key = rng.choice(list(value))
    what = rng.random()
    if what < 0.1:
        return {name: one for name, one in value.items() if name != key}
    if what < 0.2:
        return {**value, rng.choice(("", "x", "__class__", "path", key * 2, "\0")): rng.choice(STRANGE)}
    return {**value, key: changed(value[key], rng)}


def _changed_list(value: list, rng: Random) -> list:
    at = rng.randrange(len(value))
    what = rng.random()
    if what < 0.1:
        return value[:at] + value[at + 1 :]
    if what < 0.2:
        return [*value[:at], rng.choice(STRANGE), *value[at:]]
    if what < 0.25:
        return value + value
    return [*value[:at], changed(value[at], rng), *value[at + 1 :]]


def _near(value: Any, rng: Random) -> Any:
    """A value of the same type that may just be too large, too small or too long."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice((-1, 1, 10, 10**6)) if rng.random() < 0.7 else -value
    if isinstance(value, float):
        return value * rng.choice((-1, 0, 2, 1e6, 1e300))
    if isinstance(value, str):
        at = rng.randrange(len(value) + 1)
        return (
            value[:at]
            + rng.choice(("", "\0", "=", "é", "%", value[:9] * 3))
            + value[at + rng.randint(0, 2) :]
        )
    return rng.choice(STRANGE)
