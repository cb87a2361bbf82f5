"""Pictures that the browser sends to be saved."""

import base64

import pytest

from demo.saving import picture_of
from hmnet.errors import DataError

PNG = "data:image/png;base64,"


def test_a_picture_is_taken_out_of_its_address() -> None:
    assert picture_of(PNG + base64.b64encode(b"a picture").decode()) == b"a picture"


@pytest.mark.parametrize(
    "value", [None, "", 7, ["a"], "data:image/jpeg;base64,AAAA", "http://127.0.0.1/a.png"]
)
def test_anything_else_is_no_picture(value: object) -> None:
    assert picture_of(value) is None


@pytest.mark.parametrize("value", ["A", "%%%%", "\u00e9\ud800"])
def test_half_a_picture_is_told(value: str) -> None:
    # A ValueError of Python's came through.
    with pytest.raises(DataError, match="did not arrive whole"):
        picture_of(PNG + value)
