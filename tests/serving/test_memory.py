"""Memory goes back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo.serving.memory import keep_little

CODE = """
import sys
from hmnet.speed.memory import status_of
from demo.serving.memory import give_back, keep_little
if sys.argv[1] == "large":
    keep_little()
pieces = [bytearray(300_000 if sys.argv[1] == "large" else 50_000) for _ in range(2000)]
keep = pieces[::50]
full = status_of("VmRSS")
del pieces
if sys.argv[1] == "small":
    give_back()
print(full - status_of("VmRSS"))
"""


@pytest.mark.parametrize(("kind", "least"), [("large", 500), ("small", 60)])
def test_what_is_free_is_the_system_s_again(kind, least):
    if not keep_little():
        pytest.skip("not glibc")
    command = [sys.executable, "-c", CODE, kind]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert float(done.stdout) > least
