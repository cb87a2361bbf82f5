"""Arrays of finite numbers, and everything else that may come in their place."""

import numpy as np
import pytest

from hmnet.finite import finite_array


def test_numbers_are_taken_as_they_are() -> None:
    array = finite_array([[1, 2.5], [2**40, -3]], (2, 2))
    assert array is not None and array.dtype == np.float64
    np.testing.assert_array_equal(array, [[1, 2.5], [2**40, -3]])


@pytest.mark.parametrize(
    "value",
    [None, "ab", ["1", "2"], [True, False], [1, None], [1, [2]], [1], [1, 2, 3],
     [1, float("nan")], [1, 1e999],
     [1, 10**400], [1j, 2], {1: 2}, [[1], [2]], [[], []], np.array([1, "a"], object)],
)  # fmt: skip
def test_anything_else_is_none(value: object) -> None:
    assert finite_array(value, (2,)) is None


def test_lists_too_deep_are_none() -> None:
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert finite_array(deep, (2,)) is None
