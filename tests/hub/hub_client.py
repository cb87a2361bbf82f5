"""How a test asks the local Hub: huggingface_hub's settings, and tries that fail or work."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from hmnet.errors import CheckpointError
from hmnet.hub import fetch
from hmnet.hub_source import HubSource

REPO = "somebody/weights"
SOURCE = HubSource(REPO)
WEIGHTS = "hmnet/hmnet.safetensors"


def use_hub(endpoint: str, cache: Path, monkeypatch: pytest.MonkeyPatch, token: str | None = None) -> None:
    """Let huggingface_hub ask that endpoint and keep its cache in that folder, with that token or none."""
    constants = huggingface_hub.constants
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
    # The server speaks Git's large file storage, not Xet's protocol.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)


def failure(source: HubSource = SOURCE, **options: object) -> str:
    """The one sentence that fetching ends with."""
    with pytest.raises(CheckpointError) as caught:
        fetch(source, **options)
    return str(caught.value)


def works_now(source: HubSource = SOURCE) -> bool:
    """Whether the next try brings whole weights."""
    return (fetch(source) / WEIGHTS).is_file()
