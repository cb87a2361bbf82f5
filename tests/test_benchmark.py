"""The benchmark as a command: its tables, its JSON and chart, its ratios; no time is asserted."""

import json

import numpy as np
import pytest
from PIL import Image

from hmnet import benchmark
from hmnet.__main__ import main
from hmnet.speed.networks import Comparison, Timing
from hmnet.speed.runtimes import runtimes
from hmnet.speed.stopwatch import Spread

RATIOS = {"pipeline_vs_torch_fp32", "hmnet_vs_hmr", "share_of_peak"}


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    path = tmp_path_factory.mktemp("speed") / "new" / "speed.json"
    assert main(["benchmark", "--quick", "--only", "hmr", "--json", str(path)]) == 0
    return path


def test_everything_is_written(trial):
    result = json.loads(trial.read_text())
    assert set(result["ratios"]) == set(result["spread"]) == RATIOS
    assert all(isinstance(value, float) and value > 0 for value in result["ratios"].values())
    assert {(row["name"], row["runtime"]) for row in result["networks"]} == {
        (name, runtime) for name in ("hmnet", "hmr") for runtime in runtimes()
    }
    assert result["machine"]["cores"] > 0 and result["machine"]["processor"]
    with Image.open(trial.with_suffix(".png")) as chart:
        assert len(np.unique(np.asarray(chart.convert("L")))) > 20


def test_the_tables_are_printed(trial):
    result = json.loads(trial.read_text())
    text = "\n".join(benchmark.lines(result))
    for word in (
        "HMR",
        "openvino-f32",
        "GFLOP/s",
        "pipeline_vs_torch_fp32",
        "a second",
        result["machine"]["date"],
    ):
        assert word in text


def spread(value: float) -> Spread:
    return Spread(value, 0.9 * value, 1.1 * value)


def test_ratios_are_of_the_runtime_that_hmnet_uses():
    last = runtimes()[-1]
    networks = Comparison(
        {"hmnet": 1, "hmr": 1}, {"hmnet": 3.0, "hmr": 9.0},
        [Timing("hmnet", "torch", 1, spread(90.0), None), Timing("hmnet", last, 1, spread(10.0), None)],
        {("hmr", "torch"): spread(7.0), ("hmr", last): spread(2.0)},
    )  # fmt: skip
    found = benchmark._ratios(networks, {"torch": 50.0, last: 1000.0}, spread(4.0))
    # 3 GFLOPs in 10 ms are 300 of 1,000 GFLOP/s; the longest time is the lowest share.
    assert found["ratios"] == pytest.approx(
        {"pipeline_vs_torch_fp32": 4.0, "hmnet_vs_hmr": 2.0, "share_of_peak": 0.3}
    )
    low, high = found["spread"]["share_of_peak"]
    assert low == pytest.approx(0.3 / 1.1) and high == pytest.approx(0.3 / 0.9)


def test_mistakes_are_one_sentence(capsys, tmp_path):
    assert main(["benchmark", "--rounds", "-1"]) == 2
    assert capsys.readouterr().err == "hmnet: Expected 1 or more --rounds, got -1.\n"
    with pytest.raises(SystemExit):
        main(["benchmark", "--only", "everything"])
    assert "invalid choice" in capsys.readouterr().err
