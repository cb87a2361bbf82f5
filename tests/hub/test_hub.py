"""Weights from a Hub on this machine: fetched, kept, checked; and each way in which that fails."""

import contextlib
import errno
import hashlib
import io
import json
import pickle
import sys
import time
from pathlib import Path

import pytest
import torch
from fault_log import record_fault
from hub.conftest import REPO
from hub.hub_repository import Files
from hub.hub_server import HubServer, use_hub

from hmnet import checkpoint as checkpoint_module
from hmnet.checkpoint import load_checkpoint, load_from_hub
from hmnet.errors import CheckpointError
from hmnet.hub import HubSource, fetch, parse_source

SOURCE = HubSource(REPO)
WEIGHTS = "hmnet/hmnet.safetensors"
AT_ONCE = 2.0
"""Seconds; a try costs milliseconds, and huggingface_hub's own retries 23 seconds."""


def failure(source: HubSource = SOURCE, **options: object) -> str:
    """The one sentence that fetching ends with."""
    with pytest.raises(CheckpointError) as caught:
        fetch(source, **options)
    return str(caught.value)


def works_now(source: HubSource = SOURCE) -> bool:
    """Whether the next try brings whole weights."""
    return (fetch(source) / WEIGHTS).is_file()


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


def test_pickles_are_refused(hub: HubServer, served_files: Files) -> None:
    hub.add("somebody/pickles", {"config.json": b"{}", "pytorch_model.bin": pickle.dumps({"a": 1})})
    sentence = failure(HubSource("somebody/pickles"))
    assert "holds its weights as pickles (pytorch_model.bin)" in sentence and "refused" in sentence
    assert not hub.asked("GET /somebody/pickles/resolve")
    record_fault("a repository of pickles", "pytorch_model.bin on the Hub", sentence, works_now())


@pytest.mark.parametrize("form", ["pickle", "torch.save"])
def test_pickles_under_another_name_are_refused(form: str, hub: HubServer, served_files: Files) -> None:
    data = io.BytesIO()
    if form == "pickle":
        pickle.dump({"weight": 1}, data)
    else:
        torch.save({"weight": torch.zeros(1)}, data)
    config = json.loads(served_files["hmnet/config.json"])
    config["sha256"]["hmnet.safetensors"] = hashlib.sha256(data.getvalue()).hexdigest()
    changed = {"hmnet/config.json": json.dumps(config).encode(), WEIGHTS: data.getvalue()}
    hub.add("somebody/disguised", served_files | changed)
    with pytest.raises(CheckpointError, match="is a pickle, whatever its name says") as caught:
        load_checkpoint("somebody/disguised")
    record_fault(f"a pickle ({form}) named .safetensors", "pushed as weights", str(caught.value), works_now())


def test_no_such_repository(hub: HubServer, served_files: Files) -> None:
    sentence = failure(HubSource("somebody/else"))
    assert sentence.startswith(
        "There is no repository somebody/else on the Hugging Face Hub, or it is private"
    )
    hub.add("somebody/else", served_files)
    record_fault("404: no such repository", "asked for it", sentence, works_now(HubSource("somebody/else")))


def test_no_such_file(hub: HubServer) -> None:
    hub.faults.missing_files = {WEIGHTS}
    sentence = failure()
    assert sentence.startswith(f"{REPO} lists the file {WEIGHTS} but does not have it")
    hub.faults.missing_files = {"hmnet/config.json"}
    assert f"{REPO} lists the file hmnet/config.json" in failure()
    hub.faults.missing_files = set()
    record_fault("404: no such file", f"{WEIGHTS} listed but missing", sentence, works_now())


def test_a_repository_without_weights(hub: HubServer) -> None:
    hub.add("somebody/empty", {"README.md": b"nothing"})
    assert failure(HubSource("somebody/empty")).startswith("somebody/empty holds no weights")


def test_a_gated_repository(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.faults.gated = True
    sentence = failure()
    assert sentence.startswith(f"{REPO} is gated: accept its terms at {hub.endpoint}/{REPO}")
    monkeypatch.setenv("HF_TOKEN", hub.reader)
    record_fault("401: gated", "no token", sentence, works_now())


def test_a_token_that_the_hub_does_not_know(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    sentence = failure()
    assert f"refuses {REPO} to this token" in sentence
    monkeypatch.delenv("HF_TOKEN")
    record_fault("401: unknown token", "HF_TOKEN=hf_unknown", sentence, works_now())


def test_a_token_reaches_the_hub(hub: HubServer) -> None:
    hub.faults.gated = True
    assert (fetch(SOURCE, token=hub.reader) / WEIGHTS).is_file()


def test_a_wrong_checksum_once(hub: HubServer, served_files: Files) -> None:
    hub.faults.wrong_bytes = {WEIGHTS: 1}
    assert (fetch(SOURCE) / WEIGHTS).read_bytes() == served_files[WEIGHTS]
    assert len(hub.asked(f"GET /{REPO}/resolve")) == len(served_files) + 1


@pytest.mark.parametrize("name", [WEIGHTS, "hmnet/config.json"])
def test_a_wrong_checksum_twice(name: str, hub: HubServer) -> None:
    hub.faults.wrong_bytes = {name: 2}
    sentence = failure()
    assert sentence.startswith(f"{name} of {REPO} came twice with another checksum")
    record_fault(f"wrong checksum: {name}", "a byte changed on its way, twice", sentence, works_now())


def test_the_connection_is_cut_once(hub: HubServer, served_files: Files) -> None:
    half = len(served_files[WEIGHTS]) // 2
    hub.faults.cuts = {WEIGHTS: [half]}
    assert (fetch(SOURCE) / WEIGHTS).read_bytes() == served_files[WEIGHTS]
    (resumed,) = [request for request in hub.asked("bytes=") if "/content/" in request]
    start = int(resumed.split("bytes=")[1].rstrip("-"))
    assert 0 < start <= half
    record_fault(
        "connection cut half-way", f"closed after {half:,} bytes", f"went on at byte {start:,}", True
    )


def test_the_connection_is_cut_again_and_again(hub: HubServer, served_files: Files) -> None:
    hub.faults.cuts = {WEIGHTS: [1_000_000] * 3}
    sentence = failure()
    assert "was cut 3 times, at last after" in sentence and "goes on from there" in sentence
    hub.requests.clear()
    works = works_now()
    # Not one of the bytes that came before the cuts is asked for again.
    (resumed,) = [request for request in hub.asked("GET /content/") if WEIGHTS in request]
    assert int(resumed.split("bytes=")[1].rstrip("-")) > 2_000_000
    record_fault("connection cut again and again", "3 times, after 1 MB each", sentence, works)


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


def test_a_hub_that_is_broken_or_silent(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.faults.broken = True
    assert "cannot be had from the Hugging Face Hub" in failure() and "500" in failure()
    hub.faults.broken = False
    monkeypatch.setattr("hmnet.hub.TIMEOUT", 0.3)
    hub.faults.silent = True
    start = time.perf_counter()
    sentence = failure()
    seconds = time.perf_counter() - start
    assert "cannot be had" in sentence and 0.2 < seconds < AT_ONCE
    hub.faults.silent = False
    record_fault("a silent Hub", f"given up after {seconds:.1f} s (5 s in earnest)", sentence, works_now())


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


def test_a_cache_that_cannot_be_written(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = failure(cache_dir=tmp_path / "file" / "cache")
    assert sentence.startswith(f"The local cache for {REPO} cannot be written (Not a directory)")
    record_fault("cache not writable", "a file in the folder's place", sentence, works_now())


def test_a_full_disk(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hmnet.download._append", full)
        sentence = failure()
    assert "cannot be written (No space left on device): make room" in sentence
    record_fault("disk full", "during a download", sentence, works_now())


def test_a_configuration_that_names_another_sum_than_the_hub(hub: HubServer, served_files: Files) -> None:
    changed = served_files[WEIGHTS][:-1] + b"\1"
    hub.add("somebody/mixed", served_files | {WEIGHTS: changed})
    with pytest.raises(CheckpointError, match=r"SHA-256 differs from config\.json's") as caught:
        load_checkpoint("somebody/mixed")
    assert str(caught.value).startswith("The repository somebody/mixed does not fit")
    hub.add("somebody/mixed", served_files)
    main = HubSource("somebody/mixed", hub.repositories["model", "somebody/mixed"].branches["main"])
    record_fault("config.json of other weights", "pushed both", str(caught.value), works_now(main))


def test_a_cache_that_another_program_filled_in_part(hub: HubServer) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, "hmnet/config.json")
    assert works_now()


def test_a_cache_whose_ref_is_empty(hub: HubServer, cache: Path) -> None:
    fetch(SOURCE)
    (cache / "models--somebody--weights" / "refs" / "main").write_text("")
    assert works_now()


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
