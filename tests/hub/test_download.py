"""Downloads that stop: a process is killed, the next one goes on; two at once do not disturb each other."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_log import record_fault
from hub.hub_client import REPO, WEIGHTS
from hub.hub_repository import Files, git_sum
from hub.hub_server import HubServer

from hmnet.download import has_sum
from hmnet.hub import fetch
from hmnet.hub_source import HubSource

FETCH = "import sys; from hmnet.hub import HubSource, fetch; print(fetch(HubSource(sys.argv[1])))"


def fetching(hub: HubServer, cache: Path) -> subprocess.Popen:
    """A process that fetches the weights."""
    environment = os.environ | {"HF_ENDPOINT": hub.endpoint, "HF_HUB_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, REPO],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def partial_file(cache: Path, least: int) -> Path:
    """The unfinished file, once it has so many bytes."""
    for _ in range(300):
        for path in cache.rglob("*.incomplete"):
            if path.stat().st_size >= least:
                return path
        time.sleep(0.05)
    raise AssertionError("nothing was fetched in 15 seconds")


def test_a_killed_download_is_resumed(hub: HubServer, cache: Path, served_files: Files) -> None:
    size = len(served_files[WEIGHTS])
    hub.faults.stalls = {WEIGHTS: size // 2}
    process = fetching(hub, cache)
    partial = partial_file(cache, size // 4)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    kept = partial.stat().st_size
    hub.faults.stalls = {}
    hub.requests.clear()
    process = fetching(hub, cache)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (Path(said.strip()) / WEIGHTS).read_bytes() == served_files[WEIGHTS]
    (resumed,) = [request for request in hub.asked("GET /content/") if WEIGHTS in request]
    assert resumed.endswith(f" bytes={kept}-")
    assert not list(cache.rglob("*.incomplete"))
    record_fault(
        "killed (SIGKILL) during a download", f"after {kept:,} of {size:,} bytes",
        f"the next run asked for {resumed.split()[-1]}", process.returncode == 0,
    )  # fmt: skip


@pytest.mark.parametrize("left", ["garbage", "too much"])
def test_a_spoilt_unfinished_file_is_thrown_away(
    left: str, hub: HubServer, cache: Path, served_files: Files
) -> None:
    folder = fetch(HubSource(REPO))
    blob = (folder / WEIGHTS).resolve()
    partial = blob.with_name(f"{blob.name}.incomplete")
    partial.write_bytes(b"\1" * 1000 if left == "garbage" else blob.read_bytes() + b"\1")
    blob.unlink()
    assert (fetch(HubSource(REPO)) / WEIGHTS).read_bytes() == served_files[WEIGHTS]


def test_a_server_that_sends_no_parts_is_asked_for_all(
    hub: HubServer, cache: Path, served_files: Files
) -> None:
    hub.faults.cuts = {WEIGHTS: [1_000_000]}
    hub.faults.whole_only = True
    assert (fetch(HubSource(REPO)) / WEIGHTS).read_bytes() == served_files[WEIGHTS]
    assert len(hub.asked("bytes=")) == 2  # for the Hub's address, and for the one that it leads to


def test_two_at_once_fetch_each_file_once(hub: HubServer, served_files: Files) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(fetch, [HubSource(REPO)] * 2)
    assert first == second and (first / WEIGHTS).read_bytes() == served_files[WEIGHTS]
    assert len([request for request in hub.asked("GET /content/") if WEIGHTS in request]) == 1


def test_both_kinds_of_sums(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert has_sum(path, sha256) and has_sum(path, git_sum(b"abc"))
    # As `git hash-object` prints it.
    assert git_sum(b"abc") == "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"
    path.write_bytes(b"abd")
    assert not has_sum(path, sha256) and not has_sum(path, git_sum(b"abc"))
