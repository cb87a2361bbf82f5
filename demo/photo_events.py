"""What the four pictures send back, checked: a browser may send anything."""

from collections.abc import Mapping

from hmnet.errors import BoxError
from hmnet.finite import finite_array


def chosen_point(event: object) -> tuple[float, float]:
    """The point {x, y} of a "choose" event, px of the upright photo; BoxError for anything else."""
    sent = event if isinstance(event, Mapping) else {}
    point = finite_array([sent.get("x"), sent.get("y")], (2,))
    if point is None:
        raise BoxError("Expected a point of two numbers x, y in px: click the person again.")
    return float(point[0]), float(point[1])


def dragged_box(event: object) -> list[float]:
    """The box {box: [x0, y0, x1, y1]} of a "box" event, px of the upright photo; BoxError for anything else.

    Whether it lies in the photo is for who uses it.
    """
    box = finite_array(event.get("box") if isinstance(event, Mapping) else None, (4,))
    if box is None:
        raise BoxError("Expected a box of four numbers x0, y0, x1, y1 in px: drag it again.")
    return box.tolist()
