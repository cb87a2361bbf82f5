"""The section of RESULTS.md on hostile input, from what `python -m tests.hostile.fuzz --json` wrote."""

from pathlib import Path

from hmnet.measured_section import measured_section

NAME = "fuzz"
COMMAND = "python -m tests.hostile.fuzz --count 10000 --seed 0 --json assets/results/fuzz.json"
VERDICTS = ("read", "refused", "failed")
ABOUT = (
    "Valid files of every kind that is read, hostile ones made by hand, and changed ones: bits turned, "
    "pieces cut, repeated and spliced, lengths and counts at the limits, and changes inside the format that "
    "keep its frame whole. Each is given to the reader that the page or the command line uses, in a process "
    "of its own. Refused: by our own error, in one sentence that names nothing of the machine. Failed: any "
    "other error, a crash, a printed traceback, {seconds:g} s without an answer, or more than {memory:g} MB "
    "beyond what the process had before."
)


def fuzz_section(folder: Path) -> str:
    """Markdown; one sentence where nothing was run. Raises DataError for a file of another form."""
    return measured_section("Hostile input", folder / f"{NAME}.json", COMMAND, _parts, done="run")


def _parts(result: dict) -> list[str]:
    return [_run(result), ABOUT.format(**result["limits"]), _table(result["kinds"]), _worst(result)]


def _run(result: dict) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    return (
        f"{result['cases']:,} files and messages, seed {result['seed']}, on {result['date']}, in "
        f"{result['seconds'] / 60:.1f} minutes, with {versions}."
    )


def _table(kinds: dict[str, dict[str, int]]) -> str:
    """A row for each kind and one for all, from the counts by verdict."""
    total = {verdict: sum(counts[verdict] for counts in kinds.values()) for verdict in VERDICTS}
    rows = [f"| kind | cases | {' | '.join(VERDICTS)} |", "|---|---|---|---|---|"]
    for kind, counts in {**kinds, "**all**": total}.items():
        numbers = [sum(counts[verdict] for verdict in VERDICTS), *(counts[verdict] for verdict in VERDICTS)]
        rows.append(f"| {kind} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(rows)


def _worst(result: dict) -> str:
    slow, large = result["slowest"], result["largest"]
    return (
        f"The slowest took {slow['seconds']:.1f} s of the processor ({slow['kind']}: {slow['case']}), the "
        f"largest {large['memory']:,} MB ({large['kind']}: {large['case']})."
    )
