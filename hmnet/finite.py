"""Arrays of finite numbers from what a browser or a program sent, which may be anything."""

import numpy as np

NUMBERS = "iuf"
"""Kinds of NumPy's types that are numbers; whole ones beyond 64 bits come as objects."""


def finite_array(value: object, shape: tuple[int, ...]) -> np.ndarray | None:
    """The value as float64 of that shape; None where it is no such array, or holds one that is not finite."""
    try:
        array = np.asarray(value)
    # Uneven lists; numbers that no type holds; lists within lists within lists.
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    if array.shape != shape or array.dtype.kind not in NUMBERS or not np.isfinite(array).all():
        return None
    return array.astype(np.float64)
