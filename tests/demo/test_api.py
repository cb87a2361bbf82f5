"""The endpoints as programs use them: through gradio_client, over plain HTTP, as tools of the MCP server."""

import ast
import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from demo.api import endpoints
from demo.hands import Hands, Networks
from demo.uploads import forget, sent_file
from hmnet.errors import ImageError
from hmnet.mesh import regularise, roughness

NAMES = ["reconstruct", "regularise", "compare"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Gradio's folder for uploads, of these tests alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        patch.setattr("gradio.mcp.DEFAULT_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def url(models, body, topology, cache):
    with gr.Blocks(title="HumanMeshNet", analytics_enabled=False) as app:
        for name, endpoint in endpoints(Networks(models, Hands(None))).items():
            gr.api(endpoint, api_name=name)
    options = {"prevent_thread_lock": True, "quiet": True, "ssr_mode": False, "mcp_server": True}
    _, url, _ = app.launch(server_name="127.0.0.1", **options)
    yield url
    app.close()


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


@pytest.fixture(autouse=True)
def uploads_are_deleted(cache):
    """Whatever a test sends, and whatever comes of it, no file stays."""
    yield
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_photo_is_reconstructed_in_three_lines(url, example, models, body):
    client = Client(url, verbose=False)
    answer = client.predict(photo=handle_file(example.photo), api_name="/reconstruct")
    vertices = np.array(answer["vertices"])

    expected = models.predictor.predict(example.photo)
    assert vertices.shape == (answer["vertex_count"], 3) and answer["face_count"] == len(body.faces)
    np.testing.assert_allclose(vertices, expected.vertices, atol=6e-5)
    np.testing.assert_allclose(vertices * 1e4, (vertices * 1e4).round(), atol=1e-9)
    assert set(answer["joints"]) == set(expected.named_joints)
    assert answer["image"] == example.photo.name and answer["photo_size"] == [480, 640]


def test_a_box_is_passed_on(client, example):
    answer = client.predict(handle_file(example.photo), [40, 50, 300, 600.5], api_name="/reconstruct")
    assert answer["box"] == [40, 50, 300, 600.5]


def test_raw_vertices_are_what_regularise_takes(client, example):
    smooth, raw = (
        client.predict(handle_file(example.photo), regularised=regularised, api_name="/reconstruct")
        for regularised in (True, False)
    )
    assert raw["vertices"] != smooth["vertices"]
    again = client.predict(vertices=raw["vertices"], api_name="/regularise")
    np.testing.assert_allclose(again["vertices"], smooth["vertices"], atol=1.5e-4)


@pytest.mark.parametrize("operator", ["average", "taubin"])
def test_regularise_is_that_of_the_library(client, body, topology, operator):
    generator = torch.Generator().manual_seed(0)
    rough = body.vertices + 0.004 * torch.randn(body.vertices.shape, generator=generator)
    answer = client.predict(rough.tolist(), 3, 0.5, operator, api_name="/regularise")
    expected = regularise(rough.double(), topology.neighbour_matrix, 3, 0.5, operator)
    np.testing.assert_allclose(answer["vertices"], expected.numpy(), atol=6e-5)
    for name, vertices in (("before", rough.double()), ("after", expected)):
        millimetres = 1000 * float(roughness(vertices, topology.neighbour_matrix))
        assert answer[f"roughness_{name}_mm"] == pytest.approx(millimetres, abs=0.006)
    assert answer["roughness_after_mm"] < answer["roughness_before_mm"]


def test_variants_are_compared(client, example):
    answer = client.predict(handle_file(example.photo), api_name="/compare")
    # The Oracle needs a truth, which a photo has not.
    assert list(answer) == ["hmnet", "hmnet-unregularised"]
    assert answer["hmnet"]["title"] == "HMNet" and answer["hmnet"]["distance_mm"] == 0
    other = answer["hmnet-unregularised"]
    assert other["distance_mm"] == pytest.approx(1000 * 0.02 * 3**0.5, abs=0.01)
    assert other["sentence"] and other["roughness_mm"] < other["raw_roughness_mm"]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("regularise", {"vertices": [[0, 0, 0]]}, "Expected 1229 vertices of three numbers each"),
        ("regularise", {"vertices": [[0, 0], [1]]}, "Expected 1229 vertices"),
        ("regularise", {"vertices": "mesh"}, "Expected 1229 vertices"),
        ("regularise", {"vertices": [[None, 0, 0]] * 1229}, "Expected 1229 vertices"),
        ("regularise", {"iterations": 11}, "whole number from 0 to 10, got 11"),
        ("regularise", {"iterations": 1.5}, "whole number from 0 to 10, got 1.5"),
        ("regularise", {"strength": "much"}, "strength as a number from 0 to 1, got 'much'"),
        ("regularise", {"strength": 1.1}, "strength as a number from 0 to 1, got 1.1"),
        ("regularise", {"operator": "median"}, "Unknown operator 'median': choose one of average, taubin"),
        # A list cannot be looked up: a TypeError came through.
        ("regularise", {"operator": ["average"]}, "Unknown operator"),
        # No float holds it, or the answer was no number and so no JSON.
        ("regularise", {"vertices": [[10**400, 0, 0]] * 1229}, "Expected 1229 vertices"),
        ("regularise", {"vertices": [[1e308, -1e308, 0]] * 1229}, "Expected 1229 vertices"),
        ("reconstruct", {"photo": "photo.jpg"}, "Expected the photo as a file"),
        ("compare", {"photo": None}, "Expected the photo as a file"),
    ],
)
def test_bad_input_is_told_in_one_sentence(client, body, name, arguments, sentence):
    if name == "regularise":
        arguments = {"vertices": body.vertices.tolist(), **arguments}
    with pytest.raises(AppError) as error:
        client.predict(**arguments, api_name=f"/{name}")
    assert sentence in str(error.value) and "Traceback" not in str(error.value)


def test_a_bad_photo_and_a_bad_box_are_told_and_deleted(client, example, tmp_path):
    notes = tmp_path / "notes.jpg"
    notes.write_text("These are notes.")
    with pytest.raises(AppError, match=r"notes\.jpg is not a picture"):
        client.predict(handle_file(notes), api_name="/reconstruct")
    with pytest.raises(AppError, match="four numbers"):
        client.predict(handle_file(example.photo), [1, 2, 3], api_name="/reconstruct")


@pytest.mark.parametrize("mark", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_no_file_of_the_server_is_read(url, models, example, mark):
    """Neither with the mark of a file, which Gradio checks, nor without."""
    calls = models.predictor.calls
    sent = httpx.post(
        f"{url}gradio_api/call/reconstruct", json={"data": [{"path": str(example.photo), **mark}, None, True]}
    )
    answer = httpx.get(f"{url}gradio_api/call/reconstruct/{sent.json()['event_id']}", timeout=30).text
    assert "event: error" in answer and "vertices" not in answer
    assert models.predictor.calls == calls and example.photo.is_file()


def test_of_equal_uploads_the_later_is_told_when_the_file_is_gone(cache):
    with pytest.raises(ImageError, match=r"not here any more.*Send it again"):
        sent_file({"path": str(cache / "0" / "photo.jpg")}, cache)


def test_nothing_outside_the_cache_is_deleted(cache, tmp_path):
    outside = tmp_path / "photo.jpg"
    outside.write_bytes(b"mine")
    link = cache / "link.jpg"
    link.symlink_to(outside)
    for path in (outside, cache / ".." / outside.relative_to(cache.parent), link):
        forget(path, cache)
    assert outside.read_bytes() == b"mine"
    link.unlink()


def ask(url: str, work):
    """What `work(session)` gives in a session of an MCP client."""

    async def asked():
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await work(session)

    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked()).result()


def test_the_mcp_server_lists_documented_tools(url):
    tools = {tool.name: tool for tool in ask(url, lambda session: session.list_tools()).tools}
    assert list(tools) == NAMES
    for tool in tools.values():
        assert len(tool.description) > 40
        for name, schema in tool.inputSchema["properties"].items():
            assert len(schema["description"]) > 15, f"{tool.name} does not say what {name} is"
    assert tools["regularise"].inputSchema["properties"]["operator"]["enum"] == ["average", "taubin"]
    assert tools["reconstruct"].inputSchema["required"] == ["photo"]
    assert "url" in tools["reconstruct"].inputSchema["properties"]["photo"]["format"]


def test_an_mcp_tool_regularises(url, client, body):
    arguments = {"vertices": body.vertices.tolist(), "iterations": 2}
    answer = ask(url, lambda session: session.call_tool("regularise", arguments))
    assert not answer.isError
    expected = client.predict(**arguments, api_name="/regularise")
    assert str(expected["roughness_after_mm"]) in answer.content[0].text
    wrong = ask(url, lambda session: session.call_tool("regularise", {"vertices": [[1, 2, 3]]}))
    assert wrong.isError and "Expected 1229 vertices" in wrong.content[0].text


def test_an_mcp_tool_takes_a_photo_in_the_message(url, example: Path):
    photo = "data:image/jpeg;base64," + base64.b64encode(example.photo.read_bytes()).decode()
    answer = ask(url, lambda session: session.call_tool("compare", {"photo": photo}))
    assert not answer.isError
    # Gradio writes a dictionary as Python does.
    assert ast.literal_eval(answer.content[0].text)["hmnet"]["distance_mm"] == 0
