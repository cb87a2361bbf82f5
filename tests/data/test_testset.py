"""The fixed test sets: recognised byte for byte, and one sentence for whatever is not one of them."""

import json

import pytest

from hmnet.data import testset


@pytest.fixture
def folders(tmp_path):
    """A folder of two "shards", and one of sources."""
    shards, sources = tmp_path / "shards", tmp_path / "sources"
    for folder in (shards, sources):
        folder.mkdir()
    for name, content in (("00000.tar", b"one"), ("00001.tar", b"two")):
        (shards / name).write_bytes(content)
    (sources / "photo.jpg").write_bytes(b"photo")
    return shards, sources


def test_a_recorded_set_is_recognised_and_any_other_is_not(folders, tmp_path):
    shards, sources = folders
    record_file = tmp_path / "record.json"
    testset.record_set("full", "with a photo", shards, [sources], record_file)
    record = testset.read_record(record_file)
    assert testset.name_of(shards, record) == "full"
    assert "agree" in testset.verdict(shards, [sources], record)
    (shards / "00001.tar").write_bytes(b"two, rounded differently")
    assert testset.name_of(shards, record) is None
    said = testset.verdict(shards, [sources], record)
    assert "00001.tar" in said and "00000.tar" not in said and "'full'" in said


def test_other_sources_make_a_set_of_ones_own(folders, tmp_path):
    shards, sources = folders
    record_file = tmp_path / "record.json"
    testset.record_set("full", "with a photo", shards, [sources], record_file)
    (sources / "another.jpg").write_bytes(b"another")
    assert "of your own" in testset.verdict(shards, [sources], testset.read_record(record_file))
    assert "of your own" in testset.verdict(shards, [sources], {})


def test_sources_count_by_content_not_by_place(folders, tmp_path):
    _, sources = folders
    moved = tmp_path / "moved" / "deeper"
    moved.mkdir(parents=True)
    (moved / "renamed.jpg").write_bytes(b"photo")
    assert testset.sources_checksum([moved]) == testset.sources_checksum([sources])
    assert testset.sources_checksum([]) != testset.sources_checksum([sources])


def test_the_shipped_record_names_the_open_set():
    record = json.loads(testset.RECORD.read_text())
    assert record["open"]["sources"] == testset.sources_checksum([])
    assert len(record["open"]["shards"]) == testset.COUNT / 250
