"""The section on speed: numbers of the JSON, a sentence where there are none."""

import json

import pytest

from hmnet.errors import DataError
from hmnet.speed_section import speed_section

TIME = {"median": 12.0, "low": 11.0, "high": 14.0}
RESULT = {
    "machine": {"processor": "Abacus", "cores": 2, "system": "Linux", "torch": "2.9", "date": "2026-01-02"},
    "networks": [
        {"title": "HMNet", "runtime": "openvino-f32", "batch": 1, "milliseconds": TIME, "memory": None,
         "parameters": 32_600_000, "gigaflops": 1.62},
        {"title": "HMR", "runtime": "openvino-f32", "batch": 16, "milliseconds": TIME, "memory": 321.4,
         "parameters": 26_800_000, "gigaflops": 8.2},
    ],
    "pipeline": {"torch, cpu, float32": TIME},
    "runtime": "openvino-f32",
    "ratios": {"pipeline_vs_torch_fp32": 3.1, "hmnet_vs_hmr": 1.5, "share_of_peak": 0.24},
    "spread": {"pipeline_vs_torch_fp32": [3.0, 3.2], "hmnet_vs_hmr": [1.4, 1.6], "share_of_peak": [0.2, 0.3]},
    "ratios_by_runtime": [{"peer": "hmr", "runtime": "torch", "median": 1.7, "low": 1.6, "high": 1.8}],
    "peak_gflops": {"openvino-f32": 448.0},
}  # fmt: skip
GROWTH = {
    "template": {"369": {"torch": TIME}, "13718": {"torch": TIME}},
    "people": {"2": {"batched": TIME, "one by one": TIME}},
    "users": {"4": {"a second": 80.0, "median": 50.0, "p95": 61.0}},
}


def section(folder, result) -> str:
    (folder / "benchmark.json").write_text(json.dumps(result))
    return speed_section(folder)


def test_numbers_are_told(tmp_path):
    text = section(tmp_path, RESULT)
    assert "| HMNet | openvino-f32 | 1 | 12.0 (11.0 to 14.0) | - | 32.6 | 1.62 |" in text
    assert "| HMR | openvino-f32 | 16 | 12.0 (11.0 to 14.0) | 321 | 26.8 | 8.20 |" in text
    assert "torch, cpu, float32: 12.0 (11.0 to 14.0) ms, 83 a second" in text
    assert "openvino-f32 against torch float32: 3.10 (3.00 to 3.20)" in text
    assert "HMNet against HMR: 1.50 (1.40 to 1.60)" in text and "GraphCMR:" not in text
    assert "(448 GFLOP/s in openvino-f32) that HMNet reaches: 24 % (20 to 30)" in text
    assert "hmr in torch: 1.70" in text and "Abacus, 2 cores" in text and "on 2026-01-02" in text
    assert "How the cost grows" not in text and "![" not in text


def test_growth_and_the_chart(tmp_path):
    (tmp_path / "benchmark.png").write_bytes(b"")
    text = section(tmp_path, {**RESULT, "growth": GROWTH, "engine": "torch, cpu"})
    assert "13,718 vertices: 12.0 (torch)" in text and "2: 12 batched, 12 one by one" in text
    assert "4: 80 photos a second, 50 ms median wait, 61 ms at the 95th percentile" in text
    assert "![Speed](" in text


def test_what_was_not_measured_or_is_broken(tmp_path):
    assert "Not measured yet: `python -m hmnet benchmark" in speed_section(tmp_path)
    with pytest.raises(DataError, match="make it anew"):
        section(tmp_path, {"machine": {}})
