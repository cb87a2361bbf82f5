"""The Space's files started as the Hub starts them: with its requirements only, and with no GL library."""

import base64
import io
import json
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from huggingface_hub import HfApi
from PIL import Image
from space_environment import absent, make_environment, start

from hmnet.space import build

START_SECONDS = 240
PATIENCE = 120
"""Seconds for an answer, on a machine that does much else."""


@dataclass(frozen=True)
class Started:
    """A Space that runs. python: its environment's. tree: its files."""

    url: str
    python: Path
    tree: Path
    log: Path


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Started]]:
    """The same files started twice, side by side: "plain", and where there is "no GL"."""
    folder = tmp_path_factory.mktemp("space")
    tree = folder / "tree"
    build(tree, HfApi())
    spaces, processes = {}, []
    try:
        for name, without_gl in (("plain", False), ("no GL", True)):
            home = folder / name
            home.mkdir()
            python = make_environment(home / "environment", tree / "requirements.txt", without_gl)
            port = free_port()
            processes.append(start(python, tree, port, home, home / "log"))
            spaces[name] = Started(f"http://127.0.0.1:{port}", python, tree, home / "log")
        for space, process in zip(spaces.values(), processes, strict=True):
            wait_for(space, process)
        yield spaces
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(space: Started, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{space.url}/gradio_api/info").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.3)
    pytest.fail(f"The page did not start:\n{space.log.read_text()}")


def opened(url: str) -> dict[str, object]:
    """What a browser that opens the page is answered, by the components' ids in the page."""
    config = httpx.get(f"{url}/config", timeout=PATIENCE).json()
    components = {one["id"]: one["props"] for one in config["components"]}
    (load,) = (one for one in config["dependencies"] if [0, "load"] in one["targets"])
    asked = {
        "data": [components[number].get("value") for number in load["inputs"]],
        "fn_index": load["id"],
        "session_hash": uuid.uuid4().hex,
    }
    httpx.post(f"{url}/gradio_api/queue/join", json=asked, timeout=PATIENCE).raise_for_status()
    parameters = {"session_hash": asked["session_hash"]}
    with httpx.stream("GET", f"{url}/gradio_api/queue/data", params=parameters, timeout=PATIENCE) as events:
        messages = (json.loads(line[5:]) for line in events.iter_lines() if line.startswith("data:"))
        done = next(message for message in messages if message["msg"] == "process_completed")
    assert done["success"], done
    answers = zip(load["outputs"], done["output"]["data"], strict=True)
    # Numbers come first, and controls follow that share an id with none of them.
    return {components[number].get("elem_id"): answer for number, answer in answers}


def test_environment_has_only_what_is_required(spaces: dict[str, Started]) -> None:
    wanted, unwanted = ["gradio", "mcp", "torch", "pyrender"], ["pytest", "numba", "webdataset", "pip"]
    assert absent(spaces["plain"].python, [*wanted, *unwanted]) == unwanted


@pytest.mark.parametrize("name", ["plain", "no GL"])
def test_the_page_answers(name: str, spaces: dict[str, Started]) -> None:
    space = spaces[name]
    endpoints = httpx.get(f"{space.url}/gradio_api/info", timeout=PATIENCE).json()["named_endpoints"]
    assert {"/reconstruct", "/regularise", "/compare"} <= endpoints.keys()
    photo = handle_file(space.tree / "assets" / "examples" / "walking.jpg")
    person = Client(space.url, verbose=False, httpx_kwargs={"timeout": PATIENCE}).predict(
        photo, api_name="/reconstruct"
    )
    assert np.array(person["vertices"]).shape == (person["vertex_count"], 3)


def test_the_mesh_is_drawn_over_the_photo_with_and_without_gl(spaces: dict[str, Started]) -> None:
    answers = {name: opened(space.url) for name, space in spaces.items()}
    assert "software (no OpenGL" in answers["no GL"]["status"]
    assert "meshes are drawn in software" in spaces["no GL"].log.read_text()
    pictures = []
    for answer in answers.values():
        picture = answer["pictures"]["overlay"]["picture"]
        pictures.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.partition("base64,")[2])))))
        assert pictures[-1].shape[2] == 4 and 0.1 < (pictures[-1][..., 3] > 0).mean() < 0.9
    # Cut to the mesh, at whose edge the renderers may differ by a pixel.
    assert np.abs(np.subtract(pictures[0].shape, pictures[1].shape)).max() <= 2
    height, width = np.minimum(pictures[0].shape, pictures[1].shape)[:2]
    plain, software = (picture[:height, :width].astype(int) for picture in pictures)
    assert np.abs(plain - software).mean() < 12
