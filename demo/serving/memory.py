"""Memory that goes back to the system, where the C library is glibc: by itself it keeps what photos took."""

import ctypes

ARENA_MAX = -8
"""Of `mallopt`, as <malloc.h> numbers it."""
ARENAS = 2
"""Each has free pieces of its own; glibc would make eight for every core. That large pieces be given back at
once as well (M_MMAP_THRESHOLD) saves little more, and makes a photo wait twice as long."""


def share_arenas() -> bool:
    """Tells the C library to let threads share what is free; False where it is another library."""
    try:
        return bool(ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS))
    except (OSError, AttributeError, TypeError):
        return False


def give_back() -> bool:
    """Gives free memory back to the system; False where nothing could be given or it is another library."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError, TypeError):
        return False
