"""Meshes from files of other programs: .obj, .ply and .glb as `hmnet.export` writes them, y up, metres.

A file counts as untrusted: its size is bounded before it is parsed, nothing that it refers to is opened, and
its vertices are taken only in the number and so the order that the caller knows.
"""

import json
import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hmnet.errors import MeshFileError, told
from hmnet.export import upright

if TYPE_CHECKING:
    import trimesh

MAX_BYTES = 32 * 2**20
FARTHEST = 1e5
"""m; a larger coordinate is no person's, whatever unit the file is in."""
MAX_GLB_NODES = 1000
"""Nodes and scenes; what places them goes from each to all others."""
MAX_GLB_ITEMS = 1_000_000
"""Vertices, normals, colours and corners of faces together."""
GLB_JSON_AT = 20
"""Bytes before a GLB's JSON: its header of 12, and the length and the type of the chunk."""


def read_mesh(path: str | Path, vertex_counts: Sequence[int]) -> np.ndarray:
    """Vertices (N, 3) float32 of a mesh file, m, turned to the camera frame (y down, z away), order kept.

    vertex_counts: what N may be. Raises MeshFileError with one sentence for what is no such mesh.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in READERS:
        raise MeshFileError(
            f"Expected a mesh as {', '.join(READERS)}, got {told(path.name)!r}: save it as one of them."
        )
    name = told(path.name)
    data = _bytes_of(path, name)
    try:
        vertices = READERS[kind](data)
    except MeshFileError:
        raise
    # Whatever a parser stumbles over in a damaged file: it has no errors of its own.
    except Exception as error:
        raise MeshFileError(f"{name} cannot be read as {kind}: export it anew.") from error
    return _checked(vertices, name, vertex_counts)


def _bytes_of(path: Path, name: str) -> bytes:
    """The file's content, if it is not too large."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MeshFileError(
                f"{name} has {size / 2**20:.0f} MB: a mesh file may have {MAX_BYTES // 2**20} MB."
            )
        # A device or a pipe has no size and may never end.
        if not path.is_file():
            raise MeshFileError(f"{name} is no ordinary file: give the mesh's own.")
        # Some of the system's own files say that they are empty, and then never end.
        return path.read_bytes() if size else b""
    except MeshFileError:
        raise
    # A ValueError tells of a name that no file can have.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or told(error)
        raise MeshFileError(f"{name} cannot be opened ({reason}): check its name and permissions.") from error


def _checked(vertices: np.ndarray, name: str, vertex_counts: Sequence[int]) -> np.ndarray:
    """The vertices in the camera frame, if they are positions and as many as one of the counts."""
    if not len(vertices) or vertices.shape[1:] != (3,):
        raise MeshFileError(f"{name} has no vertices: export the mesh itself.")
    if len(vertices) not in vertex_counts:
        wanted = " or ".join(f"{count:,}" for count in vertex_counts)
        raise MeshFileError(
            f"{name} does not fit: expected {wanted} vertices in the template's order, got {len(vertices):,}."
        )
    # NaN fails the comparison too.
    if not (np.abs(vertices) <= FARTHEST).all():
        raise MeshFileError(
            f"{name} has coordinates that are no positions (NaN, infinite or beyond {FARTHEST:,.0f}): "
            "export it anew."
        )
    return upright(vertices).astype(np.float32)


def _obj_vertices(data: bytes) -> np.ndarray:
    """Only the vertices' own lines are parsed: materials and groups would split and reorder them."""
    lines = (line for line in data.splitlines() if line.split(maxsplit=1)[:1] == [b"v"])
    return _only_geometry(b"\n".join(lines), "obj").vertices


def _ply_vertices(data: bytes) -> np.ndarray:
    # Texture coordinates would split vertices.
    return _only_geometry(data, "ply", fix_texture=False, skip_materials=True).vertices


def _glb_vertices(data: bytes) -> np.ndarray:
    """Vertices of the only mesh, where its node puts it."""
    length = struct.unpack_from("<I", data, 12)[0]
    _check_glb(json.loads(data[GLB_JSON_AT : GLB_JSON_AT + length]))
    scene = _scene(data, "glb", skip_materials=True)
    nodes = scene.graph.nodes_geometry
    if len(nodes) != 1:
        raise MeshFileError(f"Expected one mesh in the GLB's scene, got {len(nodes)}: export it alone.")
    transform, geometry = scene.graph[nodes[0]]
    return scene.geometry[geometry].vertices @ transform[:3, :3].T + transform[:3, 3]


def _check_glb(described: dict) -> None:
    """Refuses a GLB whose description makes more of the file's bytes than a mesh of a person is."""
    pieces = sum(len(mesh["primitives"]) for mesh in described.get("meshes", ()))
    if pieces != 1:
        raise MeshFileError(f"Expected one mesh with one material in the GLB, got {pieces}: export it alone.")
    # With thousands of nodes below one another, placing them takes minutes.
    if sum(len(described.get(key, ())) for key in ("nodes", "scenes", "meshes")) > MAX_GLB_NODES:
        raise MeshFileError(f"The GLB has more than {MAX_GLB_NODES:,} nodes: export the mesh alone.")
    accessors = described.get("accessors", ())
    # An accessor without data stands for as many zeros as it says.
    if any("bufferView" not in accessor for accessor in accessors):
        raise MeshFileError("The GLB's data is sparse or compressed: export it uncompressed.")
    # One with a short stride tells the same bytes again and again.
    if sum(max(0, accessor["count"]) for accessor in accessors) > MAX_GLB_ITEMS:
        raise MeshFileError(f"The GLB has more than {MAX_GLB_ITEMS:,} items of data: export the mesh alone.")


def _only_geometry(data: bytes, kind: str, **options: bool) -> "trimesh.Trimesh | trimesh.PointCloud":
    """What a file holds that can only hold one mesh or one cloud of points."""
    geometries = list(_scene(data, kind, **options).geometry.values())
    if not geometries:
        raise MeshFileError(f"The .{kind} file has no vertices: export the mesh itself.")
    return geometries[0]


def _scene(data: bytes, kind: str, **options: bool) -> "trimesh.Scene":
    # Imported here: predicting needs no trimesh.
    import trimesh

    # From memory, so that trimesh makes no resolver: what the file refers to is neither opened nor fetched.
    return trimesh.load_scene(BytesIO(data), file_type=kind, process=False, **options)


READERS = {".obj": _obj_vertices, ".ply": _ply_vertices, ".glb": _glb_vertices}
