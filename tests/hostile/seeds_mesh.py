"""Meshes: valid ones as other programs write them, and hostile ones made by hand."""

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hmnet.export import write_glb, write_obj, write_ply

from .mutate_mesh import glb

COUNT = 24
"""Vertices of the valid meshes; small ones are changed where it matters more often."""
XYZ = b"property float x\nproperty float y\nproperty float z\n"
VERTICES = np.random.default_rng(0).uniform(-1, 1, (COUNT, 3)).astype(np.float32)
FACES = np.stack([np.arange(COUNT - 2), np.arange(1, COUNT - 1), np.arange(2, COUNT)], 1)


def objs() -> dict[str, bytes]:
    """OBJ files by name."""
    rows = "".join(f"v {x} {y} {z}\n" for x, y, z in VERTICES)
    faces = "".join(f"f {a + 1}/1/1 {b + 1}/1/1 {c + 1}/1/1\n" for a, b, c in FACES)
    valid = {
        "ours": _written(write_obj, "a.obj", COUNT),
        "another program's": f"mtllib a.mtl\no body\n{rows}vt 0 0\nvn 0 0 1\nusemtl skin\n{faces}".encode(),
        "only points": rows.encode(),
        "windows": f"# a file\r\n{rows}".replace("\n", "\r\n").encode(),
    }
    hostile = {
        "empty": b"",
        "no vertices": b"f 1 2 3\n" * 100,
        "nan": b"v nan 0 0\n" * COUNT,
        "inf": b"v 0 -inf 0\n" * COUNT,
        "too far": b"v 1e39 0 1e300\n" * COUNT,
        "1,000,000 vertices": b"v 0 0 0\n" * 10**6,
        "a million faces": rows.encode() + b"f 1 2 3\n" * 10**6,
        "one endless line": b"v " + b"1" * 4_000_000,
        "endless numbers": b"v " + b"1" * 1_000_000 + b" 2 3\n" + rows.encode(),
        "a million numbers": b"v " + b"1 " * 1_000_000,
        "references out of range": rows.encode() + b"f 999999999999 -5 0\n",
        "other files": b"mtllib /etc/passwd\nmtllib ../../../../etc/passwd\nmaplib http://127.0.0.1:9/x\n"
        + rows.encode(),
        "all line ends": rows.replace("\n", "\x0b\x0c\x1c\x85\r").encode("latin1"),
        "continued lines": b"v 1 \\\n" * 100_000,
    }
    return {**valid, **hostile}


def plys() -> dict[str, bytes]:
    """PLY files by name."""
    number = b"%d" % COUNT
    little = b"ply\nformat binary_little_endian 1.0\nelement vertex "
    text = b"ply\nformat ascii 1.0\nelement vertex "
    rows = b"".join(b"%f %f %f\n" % tuple(row) for row in VERTICES)
    valid = {
        "ours": _written(write_ply, "a.ply", COUNT),
        "ascii": text + number + b"\n" + XYZ + b"end_header\n" + rows,
        "big endian": b"ply\nformat binary_big_endian 1.0\nelement vertex "
        + number
        + b"\n"
        + XYZ
        + b"end_header\n"
        + VERTICES.astype(">f4").tobytes(),
        "ascii faces": text
        + number
        + b"\n"
        + XYZ
        + b"element face 2\nproperty list uchar int vertex_indices\nend_header\n"
        + rows
        + b"3 0 1 2\n3 1 2 3\n",
    }
    lists = b"element face 10000000\nproperty list uchar int vertex_indices\n"
    hostile = {
        "empty": b"",
        "no end": b"ply\nformat ascii 1.0\n" + b"comment a\n" * 300_000,
        "999,999,999,999 vertices": little + b"999999999999\n" + XYZ + b"end_header\n",
        "1,000,000,000 vertices": little + b"1000000000\n" + XYZ + b"end_header\n" + bytes(300),
        "minus one vertex": little + b"-1\n" + XYZ + b"end_header\n" + bytes(300),
        "10,000,000 faces": little
        + number
        + b"\n"
        + XYZ
        + lists
        + b"end_header\n"
        + VERTICES.tobytes()
        + bytes(99),
        "10,000,000 empty faces": little
        + number
        + b"\n"
        + XYZ
        + lists
        + b"end_header\n"
        + VERTICES.tobytes()
        + bytes(10**7),
        "10,000,000 faces as text": text
        + number
        + b"\n"
        + XYZ
        + lists
        + b"end_header\n"
        + rows
        + b"3 0 1 2\n" * 10**5,
        "faces of 4,000,000,000 corners": little
        + number
        + b"\n"
        + XYZ
        + b"element face 1\nproperty list uint int "
        b"vertex_indices\nend_header\n" + VERTICES.tobytes() + b"\xff\xff\xff\xef" + bytes(99),
        "nothing in an element": little + b"99999999\nelement face 99999999\nend_header\n",
        "ten thousand elements": b"ply\nformat ascii 1.0\n"
        + b"".join(b"element e%d 1\nproperty float x\n" % i for i in range(10_000))
        + b"end_header\n",
        "ten thousand properties": text
        + number
        + b"\n"
        + b"".join(b"property float p%d\n" % i for i in range(10_000))
        + b"end_header\n",
        "nan": text + number + b"\n" + XYZ + b"end_header\n" + b"nan inf -inf\n" * COUNT,
        "a texture": text.replace(b"element", b"comment TextureFile /etc/passwd\nelement")
        + number
        + b"\n"
        + XYZ
        + b"end_header\n"
        + rows,
    }
    return {**valid, **hostile}


def glbs() -> dict[str, bytes]:
    """GLB files by name."""
    content = VERTICES.tobytes() + FACES.astype("<u4").tobytes()
    valid = {
        "ours": _written(write_glb, "a.glb", COUNT),
        "another program's": glb(_text(described()), content),
    }
    return {**valid, **_hostile_glbs(content)}


def described(**other: object) -> dict:
    """What a GLB's JSON says of VERTICES and FACES; `other` replaces what stands at its top."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "rotation": [0, 0, 0, 1], "translation": [0, 1, 0]}],
        "meshes": [
            {"name": "body", "primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": 4}]}
        ],
        "buffers": [{"byteLength": VERTICES.nbytes + 12 * len(FACES)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": VERTICES.nbytes},
            {"buffer": 0, "byteOffset": VERTICES.nbytes, "byteLength": 12 * len(FACES)},
        ],
        "accessors": [
            {"bufferView": 0, "type": "VEC3", "componentType": 5126, "count": COUNT},
            {"bufferView": 1, "type": "SCALAR", "componentType": 5125, "count": 3 * len(FACES)},
        ],
        **other,
    }


def _hostile_glbs(content: bytes) -> dict[str, bytes]:
    sparse = {"type": "SCALAR", "componentType": 5125, "count": 30_000_000}
    points = {"bufferView": 0, "type": "VEC3", "componentType": 5126, "count": COUNT}
    short = [{"buffer": 0, "byteLength": VERTICES.nbytes, "byteStride": 1}]
    loop = [{"mesh": 0, "children": [1]}, {"children": [0]}]
    deep = [{"children": [i + 1]} for i in range(20_000)] + [{"mesh": 0}]
    picture = {
        "images": [{"uri": "file:///etc/passwd"}],
        "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
    }
    wide = [{"mesh": 0, "matrix": [float("nan")] * 16}]
    whole = {
        "10,000,000 faces of nothing": described(accessors=[points, sparse]),
        "10,000,000 faces, sparse": described(
            accessors=[points, {**sparse, "bufferView": 1, "sparse": {"count": 1}}]
        ),
        "10,000,000 faces of short strides": described(
            accessors=[points, {**sparse, "bufferView": 0}], bufferViews=short
        ),
        "minus one": described(accessors=[{**points, "count": -1}, {**points, "count": -(2**63)}]),
        "counts that are no numbers": described(
            accessors=[{**points, "count": "24"}, {**points, "count": 1e300}]
        ),
        "a loop of nodes": described(nodes=loop),
        "a node that is its own child": described(nodes=[{"mesh": 0, "children": [0]}]),
        "20,000 nodes deep": described(nodes=deep),
        "100,000 nodes": described(nodes=[{"mesh": 0}] * 100_000, scenes=[{"nodes": list(range(100_000))}]),
        "a node nowhere": described(nodes=wide),
        "a file of its own": described(buffers=[{"uri": "/etc/passwd", "byteLength": 500}]),
        "an address": described(buffers=[{"uri": "http://127.0.0.1:9/x", "byteLength": 500}]),
        "data in its address": described(buffers=[{"uri": "data:;base64," + "A" * 10**6, "byteLength": 500}]),
        "a picture of its own": described(**picture),
        "Draco": described(extensionsRequired=["KHR_draco_mesh_compression"]),
        "no meshes": described(meshes=[]),
        "200,000 meshes": described(meshes=[{"primitives": []}] * 200_000 + described()["meshes"]),
    }
    files = {name: glb(_text(what), content) for name, what in whole.items()}
    text = _text(described())
    head = b"glTF" + struct.pack("<III", 2, 10**5, len(text)) + struct.pack("<I", 0x4E4F534A)
    return {
        **files,
        "empty": b"",
        "lists within lists": glb(b"[" * 100_000 + b"]" * 100_000),
        "a dict within dicts": glb(b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        "not UTF-8": glb(b"\xff\xfe" + text, content),
        "a length too long": b"glTF" + struct.pack("<IIII", 2, 2**32 - 1, 2**32 - 1, 0x4E4F534A) + text,
        "version 1": head.replace(struct.pack("<I", 2), struct.pack("<I", 1)) + text,
        "no JSON": glb(b"", content),
        "a number of 5,000 digits": glb(text.replace(b'"count": 24', b'"count": ' + b"9" * 5000), content),
    }


def _text(value: object) -> bytes:
    return json.dumps(value).encode()


def _written(write: object, name: str, count: int) -> bytes:
    """The file that the project itself writes."""
    with TemporaryDirectory() as folder:
        colours = np.zeros((count, 3), np.uint8)
        return write(Path(folder) / name, VERTICES, FACES, colours).read_bytes()
