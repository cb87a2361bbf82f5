"""Weights from a Hub on this machine: fetched, pinned, kept and checked, with a network and without."""

import contextlib
import io
import sys
import time
from pathlib import Path

import pytest
from fault_log import record_fault
from hub.hub_client import REPO, SOURCE, WEIGHTS, failure, use_hub, works_now
from hub.hub_repository import Files
from hub.hub_server import HubServer

from hmnet import checkpoint as checkpoint_module
from hmnet.checkpoint import load_checkpoint, load_from_hub
from hmnet.errors import CheckpointError
from hmnet.hub import fetch
from hmnet.hub_source import HubSource, parse_source

AT_ONCE = 5.0
"""Seconds; a try costs milliseconds, and huggingface_hub's own retries 23 seconds."""


def blob_of(folder: Path, name: str = WEIGHTS) -> Path:
    """The file in the cache's blobs that a commit's file is a link to."""
    return (folder / name).resolve()


def spoil(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a/b", HubSource("a/b")),
        ("a/b@main", HubSource("a/b", "main")),
        ("a/b.c-d@refs/pr/1", HubSource("a/b.c-d", "refs/pr/1")),
        ("a", None),
        ("a/b@", None),
        ("a/b/c", None),
        ("../b", None),
        ("a/b--c", None),
        ("a/b@../../main", None),
    ],
)
def test_what_names_a_repository(text: str, source: HubSource | None) -> None:
    assert parse_source(text) == source


def test_the_hub_is_asked_once_and_its_copy_answers_from_then_on(
    hub: HubServer, served_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fetch(SOURCE)
    for name, data in served_files.items():
        assert (folder / name).read_bytes() == data
    asked = len(hub.requests)
    assert asked > 0
    monkeypatch.setenv("HMNET_REPO", REPO)
    info = load_checkpoint().info
    commit = hub.repositories["model", REPO].branches["main"]
    assert (info.source, info.revision, info.notice) == (f"Hugging Face Hub {REPO}", commit, "")
    assert load_checkpoint(REPO).info == info
    assert len(hub.requests) == asked
    record_fault(
        "none: weights from the Hub", "fetched, then loaded twice", f"{asked} requests, then 0", True
    )


def test_a_revision_is_pinned(hub: HubServer, served_files: Files) -> None:
    first = hub.repositories["model", REPO].branches["main"]
    second = hub.add(REPO, served_files | {"README.md": b"---\n---\nsecond\n"})
    assert load_checkpoint(f"{REPO}@{first}").info.revision == first
    assert load_checkpoint(REPO, revision=first).info.revision == first
    assert load_checkpoint(REPO).info.revision == second
    with pytest.raises(CheckpointError, match="two revisions"):
        load_checkpoint(f"{REPO}@{first}", revision=second)
    assert "has no revision v9" in failure(HubSource(REPO, "v9"))


def test_only_weights_and_their_words_are_fetched(hub: HubServer, served_files: Files) -> None:
    others = {"optimizer.pt": b"\x80\x04.", "code.py": b"1/0", "photo.png": b"0", "empty.json": b""}
    hub.add(REPO, served_files | others)
    folder = fetch(SOURCE)
    assert (folder / "empty.json").read_bytes() == b""
    assert not [path for path in folder.rglob("*") if path.suffix in (".pt", ".py", ".png")]
    assert not any(hub.asked(f"/{name}") for name in ("optimizer.pt", "code.py", "photo.png"))


def test_the_hub_is_down_without_a_cache(
    hub: HubServer, cache: Path, checkpoint_folder: Path, served_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.stop()
    start = time.perf_counter()
    sentence = failure()
    seconds = time.perf_counter() - start
    assert f"{REPO} cannot be had from the Hugging Face Hub" in sentence and seconds < AT_ONCE
    monkeypatch.setattr(checkpoint_module, "EMBEDDED", checkpoint_folder)
    monkeypatch.setenv("HMNET_REPO", REPO)
    info = load_checkpoint().info
    assert info.source == "embedded" and REPO in info.notice and "embedded weights answer" in info.notice
    # Whoever names a repository themselves wants that one or nothing.
    with pytest.raises(CheckpointError, match="cannot be had"):
        load_checkpoint(REPO)
    with serving(served_files, cache, monkeypatch):
        seen = f"after {seconds:.2f} s: {info.notice}"
        record_fault("server down, no cache", "HMNET_REPO named it", seen, works_now())


def test_the_hub_is_down_with_a_cache(hub: HubServer) -> None:
    commit = load_checkpoint(REPO).info.revision
    hub.stop()
    start = time.perf_counter()
    folder = fetch(SOURCE)
    seconds = time.perf_counter() - start
    assert folder.name == commit and seconds < AT_ONCE
    assert load_checkpoint(f"{REPO}@{commit}").info.notice == ""
    record_fault("server down, cache there", "loaded", f"the cache answered in {seconds:.2f} s", True)


def test_offline_nothing_is_asked(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "holds no whole copy" in failure(local_files_only=True)
    assert hub.requests == []
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        assert "offline mode is enabled" in failure()
    assert hub.requests == []
    fetch(SOURCE)
    asked = len(hub.requests)
    assert fetch(SOURCE, local_files_only=True).is_dir() and len(hub.requests) == asked


@pytest.mark.parametrize("name", [WEIGHTS, "hmnet/config.json"])
@pytest.mark.parametrize("damage", ["a byte changed", "truncated", "emptied"])
def test_a_corrupt_cache_is_fetched_anew(name: str, damage: str, hub: HubServer, served_files: Files) -> None:
    blob = blob_of(fetch(SOURCE), name)
    if damage == "a byte changed":
        spoil(blob)
    else:
        blob.write_bytes(blob.read_bytes()[: 0 if damage == "emptied" else 100])
    assert "a corrupt" in failure(local_files_only=True)
    hub.requests.clear()
    folder = fetch(SOURCE)
    assert (folder / name).read_bytes() == served_files[name]
    fetched = hub.asked(f"GET /{REPO}/resolve")
    assert len(fetched) == 1 and name in fetched[0]
    record_fault(f"corrupt cache: {name} {damage}", "loaded", f"{len(fetched)} file fetched anew", True)


def test_a_corrupt_cache_without_a_network(
    hub: HubServer, cache: Path, checkpoint_folder: Path, served_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_module, "EMBEDDED", checkpoint_folder)
    spoil(blob_of(fetch(SOURCE)))
    hub.stop()
    sentence = failure()
    assert (
        f"held a corrupt {WEIGHTS}, and fetching it anew failed" in sentence and "cannot be had" in sentence
    )
    monkeypatch.setenv("HMNET_REPO", REPO)
    assert "embedded weights answer" in load_checkpoint().info.notice
    with serving(served_files, cache, monkeypatch):
        record_fault("corrupt cache, server down", "loaded", sentence, works_now())


def test_a_cache_that_another_program_filled_in_part(hub: HubServer) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, "hmnet/config.json")
    assert works_now()


def test_a_cache_whose_ref_is_empty(hub: HubServer, cache: Path) -> None:
    fetch(SOURCE)
    (cache / "models--somebody--weights" / "refs" / "main").write_text("")
    assert works_now()


def test_a_blob_that_links_to_a_store_is_checked_by_its_own_name(
    hub: HubServer, tmp_path: Path, served_files: Files
) -> None:
    blob = blob_of(fetch(SOURCE))
    # huggingface_hub 2 may keep contents once for all repositories, under sums of another kind.
    stored = blob.rename(tmp_path / ("0" * 64))
    blob.symlink_to(stored)
    asked = len(hub.requests)
    fetch(SOURCE)
    assert len(hub.requests) == asked
    spoil(stored)
    assert (fetch(SOURCE) / WEIGHTS).read_bytes() == served_files[WEIGHTS]


def test_a_copy_without_links_is_checked_by_the_configurations_sums(
    hub: HubServer, served_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.are_symlinks_supported", lambda *_: False)
    folder = fetch(SOURCE)
    assert not (folder / WEIGHTS).is_symlink()
    spoil(folder / WEIGHTS)
    assert (fetch(SOURCE) / WEIGHTS).read_bytes() == served_files[WEIGHTS]


def test_force_fetches_all_anew(hub: HubServer, served_files: Files) -> None:
    fetch(SOURCE)
    hub.requests.clear()
    fetch(SOURCE, force_download=True)
    contents = [request for request in hub.asked("GET /") if "/resolve/" in request]
    assert {name for name in served_files if any(one.endswith(name) for one in contents)} == set(served_files)


class Terminal(io.StringIO):
    """A terminal to write on."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(
    hub: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    fetch(SOURCE)
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    load_from_hub(REPO, cache_dir=cache / "other")
    assert REPO in terminal.getvalue() and "100%" in terminal.getvalue()


@contextlib.contextmanager
def serving(files: Files, cache: Path, monkeypatch: pytest.MonkeyPatch):
    """The Hub is back."""
    server = HubServer()
    server.add(REPO, files)
    use_hub(server.endpoint, cache, monkeypatch)
    yield server
    server.stop()
