"""The app as its own process, and what it says of its memory."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 180.0
RESIDENT = "process_resident_memory_bytes"


@contextmanager
def served(*arguments: str, log: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address and the process of `python app.py`, as soon as it is ready."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "app.py", "--port", str(port), "--json-logs", *arguments]
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=os.environ)
        try:
            _wait(address, process, log)
            yield address, process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def resident_megabytes(figures: str) -> float:
    """Of the process, from the text of /metrics."""
    return next(float(x.split()[1]) for x in figures.splitlines() if x.startswith(RESIDENT)) / 2**20


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The app ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{address}/readyz").status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise RuntimeError(f"The app was not ready within {START_SECONDS:.0f} s: {log.read_text()[-2000:]}")
