"""What was done to break the program, and what came of it: rows for a table, where somebody asks for them."""

import json
import os
from pathlib import Path

VARIABLE = "HMNET_FAULT_LOG"
"""Environment variable that names the file to which the rows are added."""


def record_fault(name: str, what_was_done: str, what_happened: str, next_works: bool) -> None:
    """Add {"fault", "done", "seen", "next"} as one line of JSON to the file that HMNET_FAULT_LOG names.

    what_happened: the sentence that came, or what was measured. next_works: whether the next try worked.
    """
    log = os.environ.get(VARIABLE)
    if not log:
        return
    row = {"fault": name, "done": what_was_done, "seen": what_happened, "next": next_works}
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
