"""Rows of the table of faults."""

import json
from pathlib import Path

import pytest
from fault_log import record_fault


def test_rows_are_added_and_the_same_on_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "faults.jsonl"
    monkeypatch.setenv("HMNET_FAULT_LOG", str(log))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    record_fault("first", "broke it", f"{tmp_path}/a/file is gone from http://127.0.0.1:5001/x", True)
    record_fault("second", "broke it", f"{tmp_path}/c/d/file is gone", False)
    assert [json.loads(line) for line in log.read_text().splitlines()] == [
        {
            "fault": "first",
            "done": "broke it",
            "seen": ".../file is gone from http://127.0.0.1/x",
            "next": True,
        },
        {"fault": "second", "done": "broke it", "seen": ".../file is gone", "next": False},
    ]


def test_nothing_is_written_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HMNET_FAULT_LOG", raising=False)
    monkeypatch.chdir(tmp_path)
    record_fault("first", "broke it", "it broke", True)
    assert list(tmp_path.iterdir()) == []
