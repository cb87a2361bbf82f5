"""The section on hostile input: numbers of the JSON, a sentence where there are none."""

import json
from pathlib import Path

import pytest

from hmnet.errors import DataError
from hmnet.fuzz_section import fuzz_section

RESULT = {
    "date": "2026-01-02", "seed": 7, "cases": 1500, "seconds": 90,
    "limits": {"seconds": 10.0, "memory": 2000.0},
    "kinds": {"photo": {"read": 900, "refused": 300, "failed": 0},
              "ply": {"read": 100, "refused": 199, "failed": 1}},
    "slowest": {"kind": "photo", "case": "a bomb", "seconds": 2.345},
    "largest": {"kind": "ply", "case": "many faces", "memory": 1234},
    "versions": {"python": "3.12", "pillow": "12"},
}  # fmt: skip


def section(folder: Path, result: object) -> str:
    (folder / "fuzz.json").write_text(json.dumps(result))
    return fuzz_section(folder)


def test_numbers_are_told(tmp_path: Path) -> None:
    text = section(tmp_path, RESULT)
    assert (
        "1,500 files and messages, seed 7, on 2026-01-02, in 1.5 minutes, with python 3.12, pillow 12."
        in text
    )
    assert "| photo | 1,200 | 900 | 300 | 0 |" in text and "| ply | 300 | 100 | 199 | 1 |" in text
    assert "| **all** | 1,500 | 1,000 | 499 | 1 |" in text
    assert "10 s without an answer, or more than 2000 MB" in text
    assert "took 2.3 s of the processor (photo: a bomb), the largest 1,234 MB (ply: many faces)." in text
    assert "python -m tests.hostile.fuzz --count 10000" in text


def test_what_was_not_run_or_is_broken(tmp_path: Path) -> None:
    assert "Not run yet: `python -m tests.hostile.fuzz" in fuzz_section(tmp_path)
    for broken in ([1], {"kinds": {}}, {**RESULT, "kinds": {"photo": {"read": 1}}}):
        with pytest.raises(DataError, match="make it anew"):
            section(tmp_path, broken)
