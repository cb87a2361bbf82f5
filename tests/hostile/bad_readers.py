"""Readers that do what none may do, to see that the harness notices."""

import os
import sys
import threading
import time
from pathlib import Path

from hmnet.errors import ImageError


def _reads(data: bytes, folder: Path) -> None:
    pass


def _refuses(data: bytes, folder: Path) -> None:
    raise ImageError(f"The file {folder / 'a.jpg'} is no picture: give another.")


def _crashes(data: bytes, folder: Path) -> None:
    os.abort()


def _waits(data: bytes, folder: Path) -> None:
    time.sleep(600)


def _computes(data: bytes, folder: Path) -> None:
    while True:
        pass


def _raises(data: bytes, folder: Path) -> None:
    raise KeyError("chunk")


def _prints(data: bytes, folder: Path) -> None:
    """A thread of a decoder dies with a traceback that nobody sees."""
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    sys.stderr.flush()


def _takes_memory(data: bytes, folder: Path) -> None:
    bytearray(os.urandom(2**20) * 500)


def _asks_for_memory(data: bytes, folder: Path) -> None:
    bytes(2**36)


def _swallows(data: bytes, folder: Path) -> None:
    try:
        _asks_for_memory(data, folder)
    except MemoryError as error:
        raise ImageError("The file is damaged: save it again.") from error


def _says_much(data: bytes, folder: Path) -> None:
    raise ImageError(f"The file is no picture, it begins with {'x' * 500}: give another.")


def _says_twice(data: bytes, folder: Path) -> None:
    raise ImageError("The file is no picture. Give another.")


def _breaks_lines(data: bytes, folder: Path) -> None:
    raise ImageError("The file\nis no picture: give another.")


def _tells_of_the_machine(data: bytes, folder: Path) -> None:
    raise ImageError("The file cannot be read by /usr/lib/decoder.so: give another.")


def _tells_a_traceback(data: bytes, folder: Path) -> None:
    raise ImageError("The file cannot be read (Traceback: KeyError): give another.")


READERS = {
    "reads": _reads,
    "refuses": _refuses,
    "crashes": _crashes,
    "waits": _waits,
    "computes": _computes,
    "raises": _raises,
    "prints": _prints,
    "takes memory": _takes_memory,
    "asks for memory": _asks_for_memory,
    "swallows": _swallows,
    "says much": _says_much,
    "says twice": _says_twice,
    "breaks lines": _breaks_lines,
    "tells of the machine": _tells_of_the_machine,
    "tells a traceback": _tells_a_traceback,
}
