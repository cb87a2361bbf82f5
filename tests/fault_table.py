"""Runs the tests that break things, and writes down what came of each.

`python tests/fault_table.py --json FILE` writes the rows, of which `python -m hmnet results` makes the table
in RESULTS.md. Ends with pytest's exit code.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fault_log import VARIABLE

TESTS = Path(__file__).parent
BREAKING = sorted(
    path for path in TESTS.rglob("test_*.py") if "record_fault(" in path.read_text(encoding="utf-8")
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the tests and writes the rows that they recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "faults.jsonl"
        command = [sys.executable, "-m", "pytest", *map(str, BREAKING)]
        done = subprocess.run(command, cwd=TESTS.parent, env={**os.environ, VARIABLE: str(log)}, check=False)
        rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(
        f"{len(rows)} faults in {options.json}; the next request worked after {sum(x['next'] for x in rows)}."
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
