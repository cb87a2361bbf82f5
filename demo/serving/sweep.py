"""What visitors sent and what was made for them, deleted in time, also after a server that was killed."""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from demo.serving.memory import give_back

log = logging.getLogger(__name__)

EVERY, OLD = 60.0, 600.0
"""Seconds from sweep to sweep, and of age from which on a file goes. An upload goes as soon as it was read;
this is for those that nobody asked about, and for files that were made to be downloaded."""


def sweep(folder: Path, age: float = OLD) -> int:
    """Deletes files and empty folders below `folder` that have not changed for `age` seconds; how many files.

    What vanishes meanwhile, or cannot be deleted, is passed over.
    """
    limit, old, deleted = time.time() - age, [], 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.lstat().st_mtime <= limit:
                old.append(path)
    # The deepest first, so that a folder comes when it is empty already.
    for path in sorted(old, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                deleted += 1
    return deleted


class Sweeper:
    """Sweeps a folder, and free memory, from time to time, in a thread that ends with the process."""

    def __init__(self, folder: Path, every: float = EVERY, age: float = OLD) -> None:
        self._folder, self._every, self._age = folder, every, age
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="hmnet-sweep", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while True:
            try:
                sweep(self._folder, self._age)
                give_back()
            except Exception:  # the next sweep may succeed; without sweeps the disk fills up
                log.exception("The sweep of %s failed.", self._folder)
            if self._stopped.wait(self._every):
                return
