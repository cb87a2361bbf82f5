"""What another program reads back from our .glb, .obj and .ply files."""

import itertools
import json
import multiprocessing
import resource
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from fault_log import record_fault

from hmnet.body import PART_COLOURS, load_body
from hmnet.errors import OutputError
from hmnet.export import OBJECT_NAME, linear_colours, save, upright, write_glb, write_obj, write_ply

BODY = load_body()
WRITERS = {"glb": write_glb, "obj": write_obj, "ply": write_ply}
each_kind = pytest.mark.parametrize("kind", WRITERS)


def read(path: Path) -> trimesh.Trimesh:
    return trimesh.load(path, force="mesh", process=False)


@each_kind
def test_a_mesh_reads_back_y_up_in_metres(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / f"body.{kind}", BODY.vertices, BODY.faces)
    mesh = read(path)
    np.testing.assert_array_equal(mesh.faces, BODY.faces.numpy())
    np.testing.assert_allclose(mesh.vertices, BODY.vertices.numpy() * [1, -1, -1], atol=1e-6)
    # The head is up, the toes point at the viewer (+z), and the surface is not inside out.
    head = mesh.vertices[[i for i, part in enumerate(BODY.vertex_parts) if part >= 23]]
    feet = mesh.vertices[[i for i, part in enumerate(BODY.vertex_parts) if part in (5, 6)]]
    assert head[:, 1].min() > 0.5 and feet[:, 1].max() < -0.5
    assert abs(feet[:, 2].max()) > abs(feet[:, 2].min())
    assert mesh.is_watertight and 0.04 < mesh.volume < 0.12


@each_kind
def test_the_full_surface_keeps_count_order_and_colours(kind: str, tmp_path: Path) -> None:
    vertices = BODY.upsample(BODY.vertices)
    colours = np.array(PART_COLOURS, np.uint8)[BODY.full_vertex_parts.numpy()]
    mesh = read(WRITERS[kind](tmp_path / f"full.{kind}", vertices, BODY.full_faces, colours))
    assert len(mesh.vertices) == 13_718 and len(mesh.faces) == 27_420
    np.testing.assert_array_equal(mesh.faces, BODY.full_faces.numpy())
    np.testing.assert_allclose(mesh.vertices, upright(vertices), atol=1e-6)
    expected = linear_colours(colours) if kind == "glb" else colours
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], expected)


@each_kind
def test_any_colour_is_kept(kind: str, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (len(BODY.vertices), 3), np.uint8)
    mesh = read(WRITERS[kind](tmp_path / f"coloured.{kind}", BODY.vertices, BODY.faces, colours))
    expected = linear_colours(colours) if kind == "glb" else colours
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], expected)


def test_linear_colours_are_those_of_the_standard() -> None:
    # IEC 61966-2-1: middle grey of 188 carries half the light, and the ends stay.
    np.testing.assert_array_equal(linear_colours(np.uint8([[0, 188, 255]])), [[0, 128, 255]])


def test_a_glb_names_its_object(tmp_path: Path) -> None:
    content = write_glb(tmp_path / "body.glb", BODY.vertices, BODY.faces).read_bytes()
    assert content[:4] == b"glTF"
    (length,) = struct.unpack("<I", content[12:16])
    nodes = json.loads(content[20 : 20 + length])["nodes"]
    assert [node["name"] for node in nodes if "mesh" in node] == [OBJECT_NAME]
    # No node turns or scales the mesh: Blender's object has no transformation of its own.
    assert not any({"matrix", "rotation", "scale", "translation"} & node.keys() for node in nodes)


def test_an_obj_names_its_object_and_unit_and_asks_for_no_other_file(tmp_path: Path) -> None:
    lines = write_obj(tmp_path / "body.obj", BODY.vertices, BODY.faces).read_text().splitlines()
    assert f"o {OBJECT_NAME}" in lines
    assert any(line.startswith("#") and "metre" in line and "y up" in line for line in lines)
    assert not any(line.startswith(("mtllib", "usemtl")) for line in lines)
    assert list(tmp_path.iterdir()) == [tmp_path / "body.obj"]


def test_a_ply_says_its_unit(tmp_path: Path) -> None:
    content = write_ply(tmp_path / "body.ply", BODY.vertices, BODY.faces).read_bytes()
    header = content.partition(b"end_header")[0].decode().splitlines()
    assert header[:2] == ["ply", "format binary_little_endian 1.0"]
    assert [line for line in header if line.startswith("comment")] == [
        f"comment {OBJECT_NAME}, unit: metre, y up, a body at rest faces +z"
    ]


@each_kind
def test_a_folder_that_cannot_be_written_is_named(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=rf"body\.{kind} cannot be written .*No such file"):
        WRITERS[kind](tmp_path / "nowhere" / f"body.{kind}", BODY.vertices, BODY.faces)


def test_a_process_killed_while_it_writes_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, contents = tmp_path / "mesh.glb", {bytes([letter]) * 4_000_000 for letter in b"abc"}

    def keep_writing() -> None:
        for content in itertools.cycle(contents):
            save(path, content)

    for delay in np.linspace(0.02, 0.08, 12):
        process = multiprocessing.get_context("fork").Process(target=keep_writing)
        process.start()
        while not path.exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        process.join()
        assert path.read_bytes() in contents
    assert save(path, b"next").read_bytes() == b"next"
    record_fault(
        "process killed during an export", "12 times, at other moments", "a whole file each time", True
    )


def test_a_disk_that_is_full_keeps_the_old_file(tmp_path: Path) -> None:
    path = save(tmp_path / "mesh.glb", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written") as told:
            save(path, b"new" * 4096)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    seen = str(told.value).replace(str(tmp_path), "DIR")
    record_fault("disk full during an export", "a larger file than it takes", seen, True)
