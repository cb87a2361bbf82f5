"""A few hundred hostile files in each run of the tests; and the harness notices what it is there for."""

import json
from pathlib import Path

import pytest

from . import bad_readers, fuzz
from .corpus import KINDS, cases
from .pool import Pool
from .worker import FAILED, READ, REFUSED, Case, Limits, Outcome

TIGHT = Limits(seconds=1.0, address_space=2**30, memory=300.0)
NOTICED = {
    "crashes": "crash: the process ended with -6",
    "waits": "hang: no answer",
    "computes": "hang: no answer",
    "raises": "exception: Traceback",
    "prints": "a traceback was printed",
    "takes memory": "memory: it took",
    "asks for memory": "memory: it asked",
    "swallows": "memory: it asked",
    "says much": "words: longer than",
    "says twice": "words: several sentences",
    "breaks lines": "words: control characters",
    "tells of the machine": "words: a path of the machine",
    "tells a traceback": "words: a traceback",
}


@pytest.fixture(scope="module")
def of_bad_readers() -> dict[str, Outcome]:
    """What comes of a case for each of them, and of a good one's afterwards."""
    kinds = [*bad_readers.READERS, "reads"]
    with Pool(bad_readers.__name__, TIGHT) as pool:
        return {one.case.kind: one for one in pool.run(Case(kind, "a case", b"") for kind in kinds)}


def test_no_reader_fails() -> None:
    outcomes = list(fuzz.fuzzed(300, seed=1))
    failed = [(one.case.kind, one.case.name, one.words) for one in outcomes if one.verdict == FAILED]
    assert not failed
    told = fuzz.report(outcomes, 1)
    assert told["cases"] == len(outcomes) >= 290 and told["kinds"].keys() == KINDS.keys()
    # Too many that are refused at the first look, or none, would test nothing.
    photos = told["kinds"]["photo"]
    assert min(photos[READ], photos[REFUSED]) > 20


def test_what_a_reader_may_do(of_bad_readers: dict[str, Outcome]) -> None:
    assert of_bad_readers["reads"].verdict == READ
    refused = of_bad_readers["refuses"]
    assert refused.verdict == REFUSED and refused.words.endswith("is no picture: give another.")


@pytest.mark.parametrize(("kind", "words"), NOTICED.items())
def test_what_no_reader_may_do_is_noticed(kind: str, words: str, of_bad_readers: dict[str, Outcome]) -> None:
    assert of_bad_readers[kind].verdict == FAILED
    assert of_bad_readers[kind].words.startswith(words)


def test_every_bad_reader_is_looked_at() -> None:
    assert NOTICED.keys() | {"reads", "refuses"} == bad_readers.READERS.keys()


def test_equal_seeds_give_equal_cases() -> None:
    first, again, other = (list(cases(200, seed)) for seed in (3, 3, 4))
    assert first == again and first != other
    assert {case.kind for case in first} == set(KINDS)


def test_a_failure_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Outcome(Case("photo", "a bomb", b"abc"), FAILED, "crash: ...", 2.0, 99.0)
    good = Outcome(Case("ply", "a mesh", b"ply"), READ, "", 1.0, 100.0)
    monkeypatch.setattr(fuzz, "fuzzed", lambda *arguments: iter([bad, good]))
    report, folder = tmp_path / "fuzz.json", tmp_path / "kept"
    assert fuzz.main(["--json", str(report), "--keep", str(folder)]) == 1
    (kept,) = folder.glob("photo-*[!t]")
    assert kept.read_bytes() == b"abc" and "crash" in kept.with_name(kept.name + ".txt").read_text()
    told = json.loads(report.read_text())
    assert told["kinds"]["photo"] == {READ: 0, REFUSED: 0, FAILED: 1}
    assert told["slowest"]["case"] == "a bomb" and told["largest"]["memory"] == 100
    assert "a bomb" in capsys.readouterr().out
