"""A link that brings back a page's settings; whatever a link says wrongly is as if it were not said.

Only rendered examples can be named in a link: a visitor's photo leaves nothing behind that could be.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from demo.bodies import HAND_LIMBS, LIMBS
from demo.part_change import PartChange
from demo.session import Lab
from hmnet.mesh import OPERATORS

MODES = ("body", "hand")
MOST_ITERATIONS = 10
FARTHEST_LIMIT = 1000.0
"""mm at the end of the heatmap's colours, at most."""
MOST_STATE = 10_000
"""Characters of the view's state, as JSON; a link takes far fewer."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
VIEW = re.compile(r'[A-Za-z0-9_.,:;~*+/={}"\[\]-]{1,300}')
"""The 3D view's own state, such as short JSON: no tag, no entity, no escape, no quotation of a script's."""


@dataclass(frozen=True)
class Settings:
    """What a link may set; the defaults are the page's own.

    mode: "body" or "hand", what the page reconstructs. example: stem of a rendered example's file; it may
    name none that is there. enabled, iterations, strength,
    operator: of `demo.session.Lab`. lesson: name of the tab shown. against, align, limit: of the heatmap's
    choice. dropped, swapped, noise, true_parts: of `demo.part_change.PartChange`. view: the 3D view's own
    state.
    """

    mode: str = "body"
    example: str | None = None
    enabled: bool = True
    iterations: int = 1
    strength: float = 1.0
    operator: str = "average"
    lesson: str | None = None
    against: str = "auto"
    align: bool = False
    limit: float | None = None
    dropped: tuple[str, ...] = ()
    swapped: bool = False
    noise: float = 0.0
    true_parts: bool = False
    view: str | None = None

    @property
    def lab(self) -> Lab:
        """The regulariser's settings."""
        return Lab(self.enabled, self.iterations, self.strength, self.operator)

    @property
    def change(self) -> PartChange:
        """The change of the part map."""
        return PartChange(self.true_parts, self.dropped, self.swapped, self.noise)


def query(settings: Mapping[str, Any]) -> str:
    """The query string, without its "?", of settings by the names of `Settings`; defaults are left out.

    What `settings_of` would not take is left out too.
    """
    told = {name: _word(value) for name, value in settings.items() if name in READERS and value is not None}
    kept = settings_of(told)
    different = (field.name for field in fields(Settings) if getattr(kept, field.name) != field.default)
    return urlencode({name: told[name] for name in different}, safe=",:;~*/")


def view_state(text: object) -> dict:
    """The 3D view's state from the JSON that the browser sent; empty for anything else."""
    try:
        state = json.loads(text) if isinstance(text, str) and len(text) <= MOST_STATE else None
    # Lists within lists within lists end Python's stack.
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def settings_of(query: Mapping[str, str]) -> Settings:
    """The settings that a link's query says; unknown names and bad values are ignored."""
    read = {name: READERS[name](text) for name, text in query.items() if name in READERS}
    return Settings(**{name: value for name, value in read.items() if value is not None})


def _word(value: Any) -> str:
    """A setting as it stands in a query."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)


def _flag(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def _number(low: float, high: float) -> Callable[[str], float | None]:
    """A reader of numbers from low to high."""

    def read(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) and low <= value <= high else None

    return read


def _iterations(text: str) -> int | None:
    # Not int(): that also takes "1_0", " 3 " and digits of any script.
    return int(text) if re.fullmatch(r"[0-9]{1,2}", text) and int(text) <= MOST_ITERATIONS else None


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    """A reader of texts that a pattern takes as a whole."""
    return lambda text: text if pattern.fullmatch(text) else None


def _limbs(text: str) -> tuple[str, ...]:
    """The limbs of people and of hands among comma-separated names, each once, in their order."""
    return tuple(limb for limb in (*LIMBS, *HAND_LIMBS) if limb in text.split(","))


READERS: dict[str, Callable[[str], Any]] = {
    "mode": lambda text: text if text in MODES else None,
    "example": _matching(NAME),
    "enabled": _flag,
    "iterations": _iterations,
    "strength": _number(0, 1),
    "operator": lambda text: text if text in OPERATORS else None,
    "lesson": _matching(NAME),
    "against": _matching(NAME),
    "align": _flag,
    "limit": _number(1, FARTHEST_LIMIT),
    "dropped": _limbs,
    "swapped": _flag,
    "noise": _number(0, 1),
    "true_parts": _flag,
    "view": _matching(VIEW),
}
"""How each of the settings is read: its value, or None for a bad one."""
