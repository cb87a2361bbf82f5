"""Noisy ground truth: recorded errors are drawn as they are, and what is not recorded is named."""

import json

import pytest

from hmnet.errors import DataError
from hmnet.figures import noisy_truth

RECORDED = {"hmnet": 100.0, "hmnet-noisy": 110.0, "single-task": 105.0, "single-task-noisy": 135.0}


def record(folder, name, surface):
    (folder / name).mkdir()
    metrics = {"surface": surface, "joint": surface - 10, "PA surface": surface / 2, "roughness": 9.0}
    (folder / name / "config.json").write_text(json.dumps({"metrics": metrics}))


def test_the_cost_of_bad_meshes(tmp_path):
    for name, surface in RECORDED.items():
        record(tmp_path, name, surface)
    result, figure = noisy_truth.make(tmp_path)
    assert result["errors"]["single-task-noisy"] == {"surface": 135, "joint": 125, "PA surface": 67.5}
    cost = result["cost of bad meshes"]
    assert [row["surface"] for row in cost.values()] == [10, 30]
    assert [row["PA surface"] for row in cost.values()] == [5, 15]
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [100, 105, 110, 135]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Surface error", "Joint error", "PA surface error",
    ]  # fmt: skip


def test_what_is_not_recorded_is_named(tmp_path):
    record(tmp_path, "hmnet", 100.0)
    (tmp_path / "single-task").mkdir()
    (tmp_path / "single-task" / "config.json").write_text('{"metrics": {"surface": 1}}')
    with pytest.raises(DataError, match=r"none of hmnet-noisy, single-task, single-task-noisy: .*hmnet"):
        noisy_truth.make(tmp_path)


def test_a_damaged_record_is_named(tmp_path):
    record(tmp_path, "hmnet", 100.0)
    (tmp_path / "hmnet" / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"hmnet/config.json is no JSON"):
        noisy_truth.make(tmp_path)
