"""A Hub on this machine that serves an untrained checkpoint, and a cache of its own for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.hub_client import REPO, use_hub
from hub.hub_repository import Files, files_of
from hub.hub_server import HubServer


@pytest.fixture(scope="session")
def served_files(checkpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A checkpoint's files in a folder named after its variant, and a card."""
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(checkpoint_folder, root / "hmnet")
    (root / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return files_of(root)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where huggingface_hub keeps what was fetched."""
    return tmp_path / "cache"


@pytest.fixture
def hub(served_files: Files, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with the repository "somebody/weights"; nobody is logged in."""
    server = HubServer()
    server.add(REPO, served_files)
    use_hub(server.endpoint, cache, monkeypatch)
    monkeypatch.delenv("HMNET_REPO", raising=False)
    monkeypatch.setattr("hmnet.download.PAUSE", 0.01)
    yield server
    server.stop()
