"""RESULTS.md says what is recorded, in every section, and the one in the repository is up to date."""

from pathlib import Path

import pytest
from recorded_files import errors, row, write_config

from hmnet.__main__ import main
from hmnet.errors import DataError
from hmnet.findings import findings
from hmnet.recorded import equal_budget, shipped
from hmnet.results import NAME, results
from hmnet.tables import paper_table
from hmnet.variants import VARIANTS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Weights, experiments and figures; of the last nothing is there."""
    weights, experiments = tmp_path / "weights", tmp_path / "experiments"
    for name in ("hmnet", "hmnet-oracle", "hmnet-unregularised"):
        write_config(weights, name, errors(100.0 + len(name), iou=1.0 if "oracle" in name else 0.4))
    write_config(experiments, "hmnet", errors(200.0))
    write_config(experiments, "baseline", errors(250.0))
    return weights, experiments, tmp_path / "figures"


def test_the_file_in_the_repository_is_what_is_recorded() -> None:
    file = ROOT / NAME
    assert file.is_file(), "run `python -m hmnet results`"
    assert file.read_text(encoding="utf-8") == results(), (
        "something was recorded: run `python -m hmnet results`"
    )


def test_all_sections_are_of_the_recorded_errors(folders: tuple[Path, Path, Path]) -> None:
    text = results(*folders)
    families = equal_budget(folders[1]), shipped(folders[0])
    assert text.startswith("*Written by `python -m hmnet results`")
    assert all(paper_table(number, families) in text for number in (1, 2, 3, 4))
    assert all(f"- {finding.sentence}" in text for finding in findings(families))
    assert row(text, "HMNet / Baseline")[3] == "0.80"
    assert all(variant.sentence in text for variant in VARIANTS.values())
    assert text.index("## What comes out different") < text.index("## What comes out as in the paper")
    assert "Not measured yet: `python -m hmnet figure regulariser` makes it." in text


def test_other_numbers_give_another_text(folders: tuple[Path, Path, Path]) -> None:
    before = results(*folders)
    write_config(folders[1], "baseline", errors(150.0))
    after = results(*folders)
    assert (
        "HMNet / Baseline (equal budget): 0.80" in before and "HMNet / Baseline (equal budget): 1.33" in after
    )
    write_config(folders[1], "hmnet", {})
    gone = results(*folders)
    assert "| HMNet | ours, equal budget, not measured | - |" in gone and "(equal budget)" not in gone


def test_nothing_recorded_is_said_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluate --data TEST .*--variant hmnet --record"):
        results(tmp_path, tmp_path, tmp_path)


def test_the_command_writes_a_file_and_names_mistakes(
    folders: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tables.md"
    weights, experiments, figures = map(str, folders)
    options = ["--weights", weights, "--experiments", experiments, "--figures", figures]
    assert main(["results", *options, "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == results(*folders)
    assert "tables.md written" in capsys.readouterr().out
    assert main(["results", *options, "--output", str(tmp_path / "none" / "x.md")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["results", "--weights", str(tmp_path / "empty"), "--output", str(file)]) == 2
    assert "evaluate --data TEST" in capsys.readouterr().err
