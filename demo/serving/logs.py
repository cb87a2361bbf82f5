"""Logs as one JSON object a line, for machines to read: what ran and for how long, never of what.

No line holds an address, a file's name or anything of a photo.
"""

import json
import logging
import sys
from datetime import datetime, timezone

log = logging.getLogger("hmnet.serving")
FACTS = "facts"


class JsonLines(logging.Formatter):
    """Time, level, logger, message, what the caller put into `extra={"facts": {...}}`, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(level: int = logging.INFO) -> None:
    """Writes what the program logs to the standard error stream, a JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("hmnet", "demo"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def tell(message: str, level: int = logging.INFO, **facts: object) -> None:
    """One line of the log with these facts."""
    log.log(level, message, extra={FACTS: facts})
