"""RESULTS.md says what is recorded, and the numbers decide its words."""

import json
from pathlib import Path

import pytest

from hmnet.__main__ import main
from hmnet.errors import DataError
from hmnet.results import METRICS, NAME, results
from hmnet.variants import VARIANTS

ROOT = Path(__file__).parents[1]
HMNET = {"surface": 100.0, "raw surface": 104.0, "roughness": 5.0, "raw roughness": 15.0}


def errors(surface: float, iou: float = 0.4, **more: float) -> dict[str, float]:
    """A config.json's metrics."""
    values = dict.fromkeys(METRICS, surface) | {"part mean IoU": iou, "roughness": 6.0, "raw roughness": 9.0}
    return values | {name.replace("_", " "): value for name, value in more.items()}


def write(weights: Path, name: str, metrics: dict[str, float], **more) -> None:
    folder = weights / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"variant": name, "metrics": metrics, **more}))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Four variants of which the paper's order holds."""
    data = {"hmnet": {"images": 1162240, "steps": 10996, "minutes": 136.5}}
    write(tmp_path, "hmnet", errors(100.0) | HMNET, data=data)
    write(tmp_path, "hmnet-oracle", errors(73.4, iou=1.0), base="hmnet", data=data)
    write(tmp_path, "baseline", errors(125.0), base="hmnet")
    write(tmp_path, "hmnet-unregularised", errors(101.0, raw_surface=103.0))
    return tmp_path


def row(text: str, start: str) -> list[str]:
    """The cells of the only table row that starts so."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    assert len(rows) == 1, rows
    return [cell.strip() for cell in rows[0].strip("|").split("|")]


def test_the_file_in_the_repository_is_what_the_recorded_errors_give() -> None:
    file = ROOT / NAME
    assert file.is_file(), "run `python -m hmnet results`"
    assert file.read_text(encoding="utf-8") == results(), (
        "errors were recorded: run `python -m hmnet results`"
    )


def test_every_number_is_a_recorded_or_a_published_one(weights: Path) -> None:
    text = results(weights)
    assert text.splitlines()[0].startswith("*Written by `python -m hmnet results`")
    assert row(text, "HMNet | published, SURREAL")[2:] == ["86.6", "71.9", "-", "-"]
    assert row(text, "HMNet-Oracle | published, SURREAL")[2:] == ["-"] * 4
    assert row(text, "HMNet | ours")[2:] == ["100.0"] * 4
    assert row(text, "HMNet / Baseline")[1:] == ["0.86", "0.80", "0.80", "0.80", "0.80"]
    assert row(text, "HMNet-Oracle / HMNet")[1:3] == ["0.73", "0.73"]
    assert row(text, "trained with Eq. 3")[1:] == ["104.0 (15.0)", "100.0 (5.0)"]
    assert row(text, "trained without")[1:] == ["103.0 (9.0)", "101.0 (6.0)"]
    trained = row(text, "HMNet-Oracle (`hmnet-oracle`)")
    assert trained[3].startswith("1,162,240 maps and crops in 10,996 steps, 136.5 minutes; on top of `hmnet`")
    assert row(text, "Baseline (`baseline`)")[3] == "not recorded"
    assert "--variant hmnet-oracle --record" in text and "--variant baseline --record" in text


def test_the_numbers_decide_the_words(weights: Path) -> None:
    text = results(weights)
    assert "0.80 in surface error, published 0.86; a gain as in the paper, and a larger one" in text
    assert "0.73 in surface error, published 0.73; the same gain as in the paper" in text
    assert "3.0 times smoother, and the surface error falls by 4.0 mm" in text
    assert (
        "lowest surface error of the four is that trained with Eq. 3 and averaged: the paper's corner" in text
    )

    write(weights, "baseline", errors(95.0))
    write(weights, "hmnet-unregularised", errors(98.0, raw_surface=97.0))
    text = results(weights)
    assert "the other way round: HMNet is the worse of the two here" in text
    assert "the surface error rises by 1.0 mm" in text
    assert "is that trained without, not averaged: not the paper's corner, trained with Eq. 3 and ave" in text
    for surface, words in ((101.0, "no gain here"), (110.0, "but a smaller one")):
        write(weights, "baseline", errors(surface))
        assert words in results(weights)


def test_what_cannot_be_compared_is_said(weights: Path) -> None:
    assert "record" not in results(weights).split("## What comes out different")[1]
    write(weights, "baseline", errors(125.0, iou=0.5))
    write(weights, "hmnet-oracle", errors(73.0, iou=0.4))
    text = results(weights)
    assert "Baseline was not measured on HMNet's test pictures" in text
    assert "HMNet-Oracle was measured with predicted part maps" in text
    assert "Trained without Eq. 3 was not measured" not in text


def test_variants_that_are_not_there_or_not_measured_are_no_numbers(weights: Path) -> None:
    (weights / "baseline" / "config.json").unlink()
    write(weights, "hmnet-unregularised", {})
    text = results(weights)
    assert row(text, "Baseline | ours, not measured")[2:] == ["-"] * 4
    assert row(text, "trained without")[1:] == ["-", "-"]
    assert "HMNet against Baseline: not measured here." in text
    assert all(variant.sentence in text for variant in VARIANTS.values())
    (weights / "hmnet" / "config.json").write_text("{")
    with pytest.raises(DataError, match="no readable"):
        results(weights)


def test_the_command_writes_a_file_and_names_mistakes(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tables.md"
    assert main(["results", "--weights", str(weights), "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == results(weights)
    assert "hmnet, hmnet-oracle, hmnet-unregularised, baseline" in capsys.readouterr().out
    assert main(["results", "--weights", str(weights), "--output", str(tmp_path / "none" / "x.md")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["results", "--weights", str(tmp_path / "empty"), "--output", str(file)]) == 2
    assert "evaluate --data TEST" in capsys.readouterr().err
