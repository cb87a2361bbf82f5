"""The sections of RESULTS.md on serving the page to many: the load test's report, the table of faults."""

from pathlib import Path
from statistics import median

from hmnet.measured_section import measured_section

LOAD, LOAD_COMMAND = "load.json", "python -m tests.load --json assets/results/load.json"
FAULTS, FAULTS_COMMAND = "faults.json", "python tests/fault_table.py --json assets/results/faults.json"
MINUTE = 60.0
WIDEST = 240
"""Characters of what was seen of a fault."""


def load_section(folder: Path) -> str:
    """Markdown; one sentence where nothing was measured. Raises DataError for a file of another form."""
    return measured_section("Under load", folder / LOAD, LOAD_COMMAND, _load)


def faults_section(folder: Path) -> str:
    """Markdown; one sentence where nothing was tried. Raises DataError for a file of another form."""
    return measured_section("Faults", folder / FAULTS, FAULTS_COMMAND, _faults)


def _load(figures: dict) -> list[str]:
    (low, high), machine = figures["thinks"], figures["machine"]
    about = (
        f"{figures['visitors']} visitors at once for {figures['seconds'] / MINUTE:.1f} minutes, each with a "
        "photo of their own, before `python app.py` with its own limits on the same "
        f"{machine['cores']} cores ({machine['processor']}). A visit opens the page, sends the photo, moves "
        f"a slider twice, saves the numbers; {low:g} to {high:g} s pass between two steps, and "
        f"{100 * figures['leaves']:.0f} % leave while the photo is waiting. Every mesh and every file that "
        "came is compared with what the same photo gives by itself."
    )
    names = ("visits", "meshes checked", "files checked", "refused", "left while waiting")
    told = {name: figures[name] for name in names} | {"errors": sum(figures["errors"].values())}
    counts = [f"| {' | '.join(told)} |", "|---" * len(told) + "|",
              f"| {' | '.join(f'{count:,}' for count in told.values())} |"]  # fmt: skip
    note = (
        "Refused is who was told how many are ahead, and came back then; an error is anything else that is "
        "no answer, and any mesh or file of another photo."
    )
    times = ["| seconds | times | half below | 95 % below | longest |", "|---|---|---|---|---|"]
    for what, one in figures["times"].items():
        spread = " | ".join(f"{one[name]:.2f}" for name in ("p50", "p95", "most"))
        times.append(f"| {what} | {one['count']:,} | {spread} |")
    memory = _memory(figures["memory"], figures["seconds"])
    return [about, "\n".join(counts), note, "\n".join(times), memory]


def _memory(samples: list, seconds: float) -> str:
    """samples: [seconds, MB] each. The last minute beside the second, when all caches have filled."""

    def between(start: float, end: float) -> float:
        return median(megabytes for at, megabytes in samples if start <= at <= end)

    if seconds < 3 * MINUTE:
        return f"Memory at the end: {samples[-1][1]:,.0f} MB."
    before, after = between(MINUTE, 2 * MINUTE), between(seconds - MINUTE, seconds)
    return (
        f"Memory of the server: {before:,.0f} MB in the second minute, {after:,.0f} MB in the last "
        f"({after - before:+,.0f} MB), {max(megabytes for _, megabytes in samples):,.0f} MB at most."
    )


def _faults(rows: list) -> list[str]:
    working = sum(row["next"] for row in rows)
    table = ["| fault | tried | what was seen | next request |", "|---|---|---|---|"]
    for row in rows:
        seen = " ".join(row["seen"].split()).replace("|", "\\|")
        seen = seen if len(seen) <= WIDEST else seen[: WIDEST - 1] + "…"
        table.append(f"| {row['fault']} | {row['done']} | {seen} | {'works' if row['next'] else 'FAILS'} |")
    return [f"{len(rows)} faults tried, by the tests; after {working} of them the next request worked.",
            "\n".join(table)]  # fmt: skip
