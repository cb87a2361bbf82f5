"""Where time and memory go: every step is there, growth is seen where there is some. No time is asserted."""

import json
import subprocess
import sys

import numpy as np
import pytest

from hmnet import profile
from hmnet.__main__ import main
from hmnet.speed.residency import growth
from hmnet.speed.startup import STEPS


def test_the_command_prints_and_writes_every_step(tmp_path, capsys):
    path = tmp_path / "profile.json"
    assert main(["profile", "--starts", "1", "--repeats", "1", "--photos", "3", "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    assert set(result["startup"]) == {*STEPS, "total"}
    assert result["startup"]["total"] >= sum(result["startup"][step] for step in STEPS)
    assert len(result["stages"]) == 4
    for stages in result["stages"].values():
        assert {"crop", "segment", "reconstruct", "regularise", "camera"} <= set(stages)
    assert set(result["files"]) == {"full surface", "overlay", "glb", "json"}
    assert 0 < result["memory"]["at first"] <= result["memory"]["peak"]
    printed = capsys.readouterr().out
    for word in ("first prediction", "torch, cpu, float32, box known", "overlay", "memory over 3 photos"):
        assert word in printed


GROWING = """
import json
import numpy as np
from hmnet.speed.residency import growth, resident
held = []
grown = growth(lambda _: held.append(np.ones(2**20)), 20)
print(json.dumps([grown, resident()]))
"""


def test_memory_that_grows_is_seen():
    # In a process of its own: what other tests gave back could be taken first, and nothing would grow.
    printed = subprocess.run([sys.executable, "-c", GROWING], check=True, capture_output=True, text=True)
    grown, now = json.loads(printed.stdout)
    # 8 MB each time.
    assert 600 < grown["per hundred"] < 1000
    assert now >= grown["at last"] - 1


def test_memory_that_stays_is_flat():
    block = np.ones(2**20)
    assert abs(growth(lambda _: block.sum(), 20)["per hundred"]) < 100


@pytest.mark.parametrize("option", ["--photos", "--repeats", "--starts"])
def test_a_count_below_one_is_a_sentence(option, capsys):
    assert main(["profile", option, "0"]) == 2
    assert capsys.readouterr().err == f"hmnet: Expected 1 or more {option}, got 0.\n"


def test_the_most_expensive_operators_are_named():
    assert "aten::" in profile.operators()
