"""A section of RESULTS.md that is made from the JSON which one command writes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hmnet.errors import DataError


def measured_section(
    title: str, path: Path, command: str, body: Callable[[Any], Sequence[str]], done: str = "measured"
) -> str:
    """Markdown: the title, what `body` makes of the JSON, the command; one sentence where there is no file.

    done: what the command does, as a participle. Raises DataError for a file that `body` cannot use.
    """
    head = f"## {title}"
    if not path.is_file():
        return f"{head}\n\nNot {done} yet: `{command}` does."
    try:
        parts = body(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(f"{path} cannot be used ({error!r}): make it anew by `{command}`.") from error
    return "\n\n".join([head, *parts, f"```sh\n{command}\n```"])
