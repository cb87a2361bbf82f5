"""Each way in which fetching weights from a Hub fails: what is said, and that the next try works."""

import errno
import hashlib
import io
import json
import pickle
import time
from pathlib import Path

import pytest
import torch
from fault_log import record_fault
from hub.hub_client import REPO, SOURCE, WEIGHTS, failure, works_now
from hub.hub_repository import Files
from hub.hub_server import HubServer

from hmnet.checkpoint import load_checkpoint
from hmnet.errors import CheckpointError
from hmnet.hub import fetch
from hmnet.hub_source import HubSource

AT_ONCE = 5.0
"""Seconds; a try costs milliseconds, and huggingface_hub's own retries 23 seconds."""


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
