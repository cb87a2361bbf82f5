"""The two threads beside the caller's: order, errors, and that they end."""

import threading
import time
from collections.abc import Iterator

import pytest

from hmnet.video.overlap import WriteBehind, read_ahead


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(("hmnet-read", "hmnet-write"))]


def numbers(made: list[int], count: int = 100) -> Iterator[int]:
    try:
        for number in range(count):
            made.append(number)
            yield number
    finally:
        made.append(-1)


def test_items_come_in_order_and_ahead() -> None:
    made: list[int] = []
    items = read_ahead(numbers(made), depth=2)
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    # One was taken, two wait, one is on its way; no more are made before somebody asks.
    time.sleep(0.05)
    assert made == [0, 1, 2, 3]
    assert list(items) == list(range(1, 100)) and made[-1] == -1
    assert not threads()


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_closing_early_ends_the_thread_and_closes_what_it_read(taken: int) -> None:
    made: list[int] = []
    items = read_ahead(numbers(made), depth=3)
    for number in range(taken):
        assert next(items) == number
    items.close()
    assert not threads()
    assert taken == 0 or (made[-1] == -1 and len(made) < taken + 7)


def test_an_error_comes_in_its_turn() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    items = read_ahead(broken())
    assert next(items) == 1
    with pytest.raises(KeyError, match="two"):
        next(items)
    assert not threads()


def test_everything_given_is_taken_in_order_before_the_block_ends() -> None:
    taken: list[int] = []

    def slowly(item: int) -> None:
        time.sleep(0.002)
        taken.append(item)

    with WriteBehind(slowly, depth=2) as behind:
        for item in range(20):
            behind.give(item)
    assert taken == list(range(20)) and not threads()


def test_what_the_function_raises_is_raised_to_the_giver_and_ends_the_work() -> None:
    taken: list[int] = []

    def broken(item: int) -> None:
        if item == 3:
            raise ValueError("three")
        taken.append(item)

    with pytest.raises(ValueError, match="three"), WriteBehind(broken, depth=1) as behind:
        for item in range(50):
            behind.give(item)
    assert taken == [0, 1, 2] and not threads()
    with pytest.raises(ValueError, match="three"), WriteBehind(broken) as behind:
        behind.give(3)


def test_an_error_of_the_block_itself_wins_and_what_was_given_is_still_taken() -> None:
    taken: list[int] = []
    with pytest.raises(KeyboardInterrupt), WriteBehind(taken.append) as behind:
        behind.give(1)
        raise KeyboardInterrupt
    assert taken == [1] and not threads()
