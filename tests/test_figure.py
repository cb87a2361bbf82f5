"""The command `figure`: what it writes and hands on, and one sentence for each mistake."""

import json
from pathlib import Path

import pytest

import hmnet.figures.noisy_parts
import hmnet.figures.noisy_truth
from hmnet.__main__ import main
from hmnet.figure import FIGURES
from hmnet.figures.drawing import new_figure


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What the figure noisy-parts was asked for; it is not measured."""
    calls = []

    def make(*arguments):
        calls.append(arguments)
        return {"images": 3}, new_figure(2, 1)

    monkeypatch.setattr(hmnet.figures.noisy_parts, "make", make)
    monkeypatch.setattr("hmnet.checkpoint.load_checkpoint", lambda source: f"weights of {source}")
    return calls


def test_a_figure_and_its_command_are_written(asked, tmp_path, capsys):
    output = tmp_path / "new"
    command = ["figure", "noisy-parts", "--data", str(tmp_path), "--limit", "3", "--weights", "some/where"]
    assert main([*command, "--output", str(output)]) == 0
    assert asked == [("weights of some/where", tmp_path, 3)]
    assert sorted(path.name for path in output.iterdir()) == ["noisy-parts.json", "noisy-parts.png"]
    written = json.loads((output / "noisy-parts.json").read_text())
    assert written == {
        "figure": "noisy-parts",
        "command": "python -m hmnet figure noisy-parts --data TEST --limit 3",
        "images": 3,
    }
    assert capsys.readouterr().out.split() == [str(output / f"noisy-parts.{end}") for end in ("json", "png")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["noisy-parts"], "needs --data SHARDS"),
        (["regulariser", "--limit", "0", "--data", "x"], "1 or more pictures, got 0"),
        (["gallery"], "either --data SHARDS or --photos DIR"),
        (["gallery", "--data", "x", "--photos", "y"], "either --data SHARDS or --photos DIR"),
        (["regulariser", "--data", "absent"], "No shard"),
        (["hands"], "needs --photos DIR and --output FILE"),
        (["hands", "--photos", "x"], "needs --photos DIR and --output FILE"),
        (["noisy-parts", "--data", "x", "--weights", "absent/away/far"], "no folder"),
    ],
)
def test_mistakes_end_in_a_sentence(arguments, words, tmp_path: Path, capsys):
    assert main(["figure", *arguments, "--output", str(tmp_path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("hmnet: ") and words in lines[0]
    assert not list(tmp_path.iterdir())


def test_noisy_truth_measures_nothing(tmp_path, monkeypatch):
    folders = []
    monkeypatch.setattr(
        hmnet.figures.noisy_truth, "make", lambda folder: folders.append(folder) or ({}, new_figure(2, 1))
    )
    assert main(["figure", "noisy-truth", "--output", str(tmp_path)]) == 0
    assert folders[0].parts[-2:] == ("assets", "experiments")


def test_every_figure_has_a_module_and_a_line_of_help(capsys):
    with pytest.raises(SystemExit):
        main(["figure", "--help"])
    text = capsys.readouterr().out
    for name in FIGURES:
        assert name in text
        assert (Path(hmnet.figures.__file__).parent / f"{name.replace('-', '_')}.py").is_file()
