"""Two threads that keep slow work off the caller's: one makes items ahead of it, one takes them behind it."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_END = object()


def read_ahead(items: Iterable[Item], depth: int = 4) -> Iterator[Item]:
    """The items, made by a thread of its own, up to `depth` of them before they are asked for.

    What the items raise is raised here, in its turn. Closing the iterator, or leaving it to the garbage
    collector, ends the thread after the item that it is at.
    """
    made: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def make() -> None:
        try:
            for item in items:
                made.put((item, None))
                if stop.is_set():
                    return
            made.put((_END, None))
        except BaseException as error:  # the caller's to handle, whatever it is
            made.put((_END, error))
        finally:
            # A generator's open files are closed by the thread that used them.
            getattr(items, "close", lambda: None)()

    thread = threading.Thread(target=make, name="hmnet-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        while thread.is_alive():
            # The thread may wait for a free place.
            _empty(made)
            thread.join(0.01)


class WriteBehind(Generic[Item]):
    """Calls a function with one item after the other in a thread of its own.

    What it raises is raised by every later call here, and ends the work: later items are dropped. Use it as a
    context manager: leaving it waits for the items that were given, also when an error leaves it.
    """

    def __init__(self, take: Callable[[Item], None], depth: int = 4) -> None:
        """depth: so many items may wait; then `give` waits too."""
        self._take = take
        self._given: queue.Queue = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="hmnet-write-behind", daemon=True)
        self._thread.start()

    def give(self, item: Item) -> None:
        """Hand over an item; raises what an earlier one raised."""
        self._raise()
        self._given.put(item)

    def close(self) -> None:
        """Wait for what was given; raises what one of them raised."""
        if self._thread.is_alive():
            self._given.put(_END)
            self._thread.join()
        self._raise()

    def __enter__(self) -> "WriteBehind[Item]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except BaseException:
            # The error that leaves the block came first.
            if kind is None:
                raise

    def _work(self) -> None:
        while (item := self._given.get()) is not _END:
            if self._error is None:
                try:
                    self._take(item)
                except BaseException as error:  # the caller's to handle, whatever it is
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


def _empty(made: queue.Queue) -> None:
    try:
        while True:
            made.get_nowait()
    except queue.Empty:
        pass
