"""What was done to break the program, and what came of it: rows for a table, where somebody asks for them."""

import json
import os
import re
import tempfile
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
    row = {"fault": name, "done": what_was_done, "seen": _told_anywhere(what_happened), "next": next_works}
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _told_anywhere(text: str) -> str:
    """The text without what differs from run to run: the test's own folder and the local server's port."""
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/\S*/", ".../", text)
    return re.sub(r"(127\.0\.0\.1):\d+", r"\1", text)
