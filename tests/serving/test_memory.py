"""Memory goes back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo.serving.memory import share_arenas

ROOT = Path(__file__).parents[2]
FREED = """
from hmnet.speed.memory import status_of
from demo.serving.memory import give_back
pieces = [bytearray(50_000) for _ in range(2000)]
keep = pieces[::50]
full = status_of("VmRSS")
del pieces
give_back()
print(full - status_of("VmRSS"))
"""
THREADS = """
import re, sys, threading
from pathlib import Path
from demo.serving.memory import share_arenas
if sys.argv[1] == "shared":
    share_arenas()
barrier, kept = threading.Barrier(12), []
def work():
    barrier.wait()
    kept.append(bytes(1000))
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
# An arena of its own is a reserved region of 64 MB.
print(Path("/proc/self/status").read_text().split("VmSize:")[1].split()[0])
"""


def output(code: str, *arguments: str) -> float:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.fixture(autouse=True)
def glibc():
    if not share_arenas():
        pytest.skip("not glibc")


def test_what_is_free_is_the_system_s_again():
    assert output(FREED) > 60


def test_threads_share_arenas():
    assert output(THREADS, "shared") < output(THREADS, "own") - 64 * 1024
