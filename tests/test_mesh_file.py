"""What is read from mesh files, our own and others', and what is refused in one sentence."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from hmnet import mesh_file
from hmnet.body import load_body
from hmnet.errors import MeshFileError
from hmnet.export import write_glb, write_obj, write_ply
from hmnet.mesh_file import read_mesh

BODY = load_body()
COUNTS = (len(BODY.vertices), BODY.upsampling.shape[0])
ENOUGH = COUNTS[0]


@pytest.mark.parametrize(
    ("write", "name"), [(write_glb, "a.GLB"), (write_obj, "a.obj"), (write_ply, "a.ply")]
)
@pytest.mark.parametrize("full", [False, True])
def test_what_we_write_reads_back_in_the_camera_frame_and_order(write, name, full, tmp_path: Path) -> None:
    vertices = BODY.upsample(BODY.vertices) if full else BODY.vertices
    faces = BODY.full_faces if full else BODY.faces
    colours = np.random.default_rng(0).integers(0, 256, (len(vertices), 3), np.uint8)
    read = read_mesh(write(tmp_path / name, vertices, faces, colours), COUNTS)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, vertices.numpy(), atol=1e-6)


def test_an_obj_of_another_program_keeps_its_order(tmp_path: Path) -> None:
    # Materials, groups, normals and texture coordinates make readers split and reorder vertices.
    vertices, faces = BODY.vertices.numpy(), BODY.faces.numpy()
    lines = ["mtllib nowhere.mtl", "o body", *(f"v {x} {-y} {-z}" for x, y, z in vertices)]
    lines += [f"vt {i / 9} 0.5" for i in range(9)] + ["vn 0 0 1", "vn 0 1 0"]
    for i, face in enumerate(faces[::-1]):
        lines += [f"usemtl skin{i // 500}"] if i % 500 == 0 else []
        corners = (f"{corner + 1}/{(i + k) % 9 + 1}/{k % 2 + 1}" for k, corner in enumerate(face))
        lines.append("f " + " ".join(corners))
    (tmp_path / "a.obj").write_text("\r\n".join(lines))
    np.testing.assert_allclose(read_mesh(tmp_path / "a.obj", COUNTS), vertices, atol=1e-6)


def test_a_ply_s_texture_coordinates_split_nothing(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 1229\n"
    header += "".join(f"property float {name}\n" for name in ("x", "y", "z", "s", "t"))
    header += "element face 2\nproperty list uchar int vertex_indices\nproperty list uchar float texcoord\n"
    rows = "".join(f"{i} 0 0 0 0\n" for i in range(1229))
    corners = "3 0 1 2 6 0 0 0 1 1 1\n3 2 1 3 6 1 0 0.5 1 1 0\n"
    (tmp_path / "a.ply").write_text(header + "end_header\n" + rows + corners)
    np.testing.assert_array_equal(read_mesh(tmp_path / "a.ply", COUNTS)[:, 0], np.arange(1229))


def test_a_glb_s_node_places_its_mesh(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    mesh = trimesh.Trimesh(BODY.vertices.numpy() * [1, -1, -1], BODY.faces.numpy(), process=False)
    turned = trimesh.transformations.rotation_matrix(np.pi / 2, [0, 0, 1])
    turned[:3, 3] = 0.25, 1, 0
    scene.add_geometry(mesh, transform=turned)
    (tmp_path / "a.glb").write_bytes(scene.export(file_type="glb"))
    x, y, z = BODY.vertices.numpy().T
    # Y up: (x, y) -> (-y, x) + (0.25, 1).
    wanted = np.stack([y + 0.25, -(x + 1), z], 1)
    np.testing.assert_allclose(read_mesh(tmp_path / "a.glb", COUNTS), wanted, atol=1e-5)


def obj_of(row: str, count: int = ENOUGH) -> bytes:
    return f"{row}\n".encode() * count


def glb_of(described: object, blob: bytes = b"") -> bytes:
    head = json.dumps(described).encode()
    head += b" " * (-len(head) % 4)
    body = struct.pack("<II", len(head), 0x4E4F534A) + head
    body += struct.pack("<II", len(blob), 0x004E4942) + blob if blob else b""
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def one_mesh(accessor: dict, buffer: dict, view: dict | None = None) -> dict:
    """A GLB's description with a single mesh whose positions are that accessor."""
    return {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}], "buffers": [buffer],
        "bufferViews": [{"buffer": 0, "byteLength": 16, **(view or {})}],
        "accessors": [{"type": "VEC3", "componentType": 5126, **accessor}],
    }  # fmt: skip


CORNERS = {"byteLength": 36}
TWICE = one_mesh({"count": 3, "bufferView": 0}, CORNERS, CORNERS)
TWICE |= {"nodes": [{"mesh": 0}, {"mesh": 0}], "scenes": [{"nodes": [0, 1]}]}
DEEP = one_mesh({"count": 3, "bufferView": 0}, CORNERS, CORNERS)
DEEP |= {"nodes": [*({"children": [i + 1]} for i in range(2000)), {"mesh": 0}]}
COORDINATES = b"".join(b"property float %c\n" % axis for axis in b"xyz")
NUMBERLESS = b"ply\nformat ascii 1.0\nelement vertex 0\n" + COORDINATES + b"end_header\n"
LYING = NUMBERLESS.replace(b"ascii", b"binary_little_endian").replace(b"vertex 0", b"vertex 999999999999")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.stl", b"solid", r"Expected a mesh as \.obj, \.ply, \.glb, got 'a\.stl'"),
        ("a.pkl", b"cos\nsystem\n", "Expected a mesh as"),
        ("a.ply", b"", r"a\.ply cannot be read as \.ply"),
        ("a.ply", LYING, r"a\.ply cannot be read as \.ply"),
        ("a.ply", NUMBERLESS, "no vertices"),
        ("a.obj", b"f 1 2 3", "no vertices"),
        ("a.obj", bytes(range(256)) * 99, "no vertices"),
        ("a.obj", obj_of("v 0 0 one"), r"a\.obj cannot be read as \.obj"),
        ("a.obj", obj_of("v 0 0"), "no vertices"),
        ("a.obj", obj_of("v 0 0 1", 3), "expected 1,229 or 13,718 vertices in the template's order, got 3"),
        ("a.obj", obj_of("v 0 0 nan"), "no positions"),
        ("a.obj", obj_of("v 0 inf 0"), "no positions"),
        ("a.obj", obj_of("v 0 0 1e30"), "no positions"),
        ("a.glb", b"", r"a\.glb cannot be read as \.glb"),
        ("a.glb", glb_of([1]), r"a\.glb cannot be read as \.glb"),
        ("a.glb", b"glTF" + struct.pack("<IIII", 2, 0, 10**5, 0x4E4F534A) + b"[" * 10**5, "cannot be read"),
        ("a.glb", glb_of({"asset": {"version": "2.0"}}), "Expected one mesh with one material .* got 0"),
        ("a.glb", glb_of(TWICE, bytes(36)), "Expected one mesh in the GLB's scene, got 2"),
        ("a.glb", glb_of(one_mesh({"count": 10**10}, {"byteLength": 16})), "sparse or compressed"),
        # Placing nodes below one another took minutes.
        ("a.glb", glb_of(DEEP, bytes(36)), "more than 1,000 nodes"),
        (
            "a.glb",
            glb_of(one_mesh({"count": 10**8, "bufferView": 0}, {"byteLength": 16}, {"byteStride": 1})),
            "more than 1,000,000 items",
        ),
    ],
)  # fmt: skip
def test_what_is_no_mesh_of_ours_is_refused(name, content, sentence, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshFileError, match=sentence) as caught:
        read_mesh(tmp_path / name, COUNTS)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshFileError, match=r"a\.obj cannot be opened \(No such file"):
        read_mesh(tmp_path / "a.obj", COUNTS)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_never_ends_is_not_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    # A pipe was waited for, and a device, which has no size, was read until all memory was taken.
    make(tmp_path / "a.obj")
    with pytest.raises(MeshFileError, match=r"a\.obj is no ordinary file"):
        read_mesh(tmp_path / "a.obj", COUNTS)


def test_a_name_that_no_file_can_have_is_told() -> None:
    # A ValueError of Python's came through.
    with pytest.raises(MeshFileError, match="cannot be opened") as caught:
        read_mesh("a\0\n.obj", COUNTS)
    assert str(caught.value).isprintable()


def test_a_large_file_is_not_even_read(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a.obj"
    with path.open("wb") as file:
        file.truncate(mesh_file.MAX_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(MeshFileError, match="may have 32 MB"):
        read_mesh(path, COUNTS)


@pytest.mark.parametrize("uri", ["secret.bin", "/etc/passwd", "http://127.0.0.1:9/secret.bin"])
def test_nothing_that_a_file_names_is_opened(uri, tmp_path: Path, monkeypatch) -> None:
    points = np.arange(90, dtype="<f4").reshape(30, 3)
    (tmp_path / "secret.bin").write_bytes(points.tobytes())
    size = {"byteLength": points.nbytes}
    described = one_mesh({"count": 30, "bufferView": 0}, {"uri": uri, **size}, size)
    (tmp_path / "a.glb").write_bytes(glb_of(described))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MeshFileError, match="cannot be read"):
        read_mesh(tmp_path / "a.glb", (30,))
    if uri == "secret.bin":
        # What is refused is the reference: a reader that follows it finds the points.
        (mesh,) = trimesh.load_scene(tmp_path / "a.glb", process=False).geometry.values()
        np.testing.assert_array_equal(mesh.vertices, points)
