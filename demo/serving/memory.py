"""Memory that goes back to the system, where the C library is glibc: by itself it keeps what photos took."""

import ctypes

MMAP_THRESHOLD, ARENA_MAX = -3, -8
"""Of `mallopt`, as <malloc.h> numbers them."""
LARGE = 256 * 1024
"""Bytes from which on a piece is the system's own, and goes back when it is freed."""
ARENAS = 2
"""Each has free pieces of its own; glibc would make eight for every core."""


def keep_little() -> bool:
    """Tells the C library to give large pieces back at once; False where it is another library."""
    try:
        library = ctypes.CDLL(None)
        return bool(library.mallopt(MMAP_THRESHOLD, LARGE)) and bool(library.mallopt(ARENA_MAX, ARENAS))
    except (OSError, AttributeError, TypeError):
        return False


def give_back() -> bool:
    """Gives free memory back to the system; False where nothing could be given or it is another library."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError, TypeError):
        return False
