"""The sections on serving: numbers of the JSON, a sentence where there are none, errors for other forms."""

import json

import pytest

from hmnet.errors import DataError
from hmnet.serving_section import FAULTS, LOAD, faults_section, load_section

FIGURES = {
    "visitors": 50, "seconds": 301.2, "thinks": [1.0, 4.0], "leaves": 0.15, "visits": 1234, "refused": 7,
    "left while waiting": 180, "meshes checked": 1050, "files checked": 1049, "errors": {"ReadError": 2},
    "times": {"photo to mesh": {"count": 1050, "p50": 1.234, "p95": 4.567, "most": 8.9}},
    "memory": [[0, 1000.0], [70, 1500.0], [90, 1502.0], [200, 1510.0], [280, 1504.0], [299, 1506.0]],
    "machine": {"cores": 2, "processor": "A CPU"}, "ready afterwards": True, "alive": True,
}  # fmt: skip


def written(folder, name, content):
    (folder / name).write_text(json.dumps(content))
    return folder


def test_the_load_test_is_told(tmp_path):
    text = load_section(written(tmp_path, LOAD, FIGURES))
    assert "50 visitors at once for 5.0 minutes" in text and "2 cores (A CPU)" in text
    assert "| 1,234 | 1,050 | 1,049 | 7 | 180 | 2 |" in text
    assert "| photo to mesh | 1,050 | 1.23 | 4.57 | 8.90 |" in text
    assert "1,501 MB in the second minute, 1,505 MB in the last (+4 MB), 1,510 MB at most" in text
    assert "python -m tests.load" in text


def test_a_short_run_tells_the_memory_at_its_end(tmp_path):
    text = load_section(written(tmp_path, LOAD, {**FIGURES, "seconds": 30.0}))
    assert "Memory at the end: 1,506 MB." in text


def test_faults_are_a_table_and_a_failing_next_request_shows(tmp_path):
    rows = [
        {"fault": "disk full", "done": "a photo sent", "seen": "a|b\nc", "next": True},
        {"fault": "other", "done": "tried", "seen": "x" * 999, "next": False},
    ]
    text = faults_section(written(tmp_path, FAULTS, rows))
    assert "2 faults tried, by the tests; after 1 of them the next request worked." in text
    assert "| disk full | a photo sent | a\\|b c | works |" in text
    assert "…" in text and "FAILS" in text and "x" * 500 not in text


def test_what_was_not_measured_is_said(tmp_path):
    assert "Not measured yet: `python -m tests.load" in load_section(tmp_path)
    assert "Not measured yet: `python tests/fault_table.py" in faults_section(tmp_path)


@pytest.mark.parametrize(("section", "name"), [(load_section, LOAD), (faults_section, FAULTS)])
def test_another_form_is_refused(tmp_path, section, name):
    with pytest.raises(DataError, match="make it anew by"):
        section(written(tmp_path, name, [{"visitors": 1}]))
