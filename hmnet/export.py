"""Meshes as files for other programs: .glb, .obj and .ply, y up, metres, a body at rest facing +z.

The vertices keep their order and number, so that files of two people can be compared vertex by vertex.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from hmnet.errors import OutputError

if TYPE_CHECKING:
    import trimesh

Array = np.ndarray | torch.Tensor
OBJECT_NAME = "HumanMeshNet"
"""What Blender and its like call the object; a .ply has no place for a name but its file's."""
UNITS = "unit: metre, y up, a body at rest faces +z"
OBJ_DIGITS = 6
"""Of a coordinate behind the point: micrometres."""


def write_glb(path: str | Path, vertices: Array, faces: Array, vertex_colours: Array | None = None) -> Path:
    """Write a mesh as binary glTF and return the path.

    vertices: (V, 3) m, camera frame. faces: (F, 3). vertex_colours: (V, 3) uint8 sRGB, kept as the linear
    colours that glTF asks for. Raises OutputError when the file cannot be written.
    """
    colours = None if vertex_colours is None else linear_colours(np.asarray(vertex_colours))
    scene = _mesh(vertices, faces, colours).scene()
    return save(path, scene.export(file_type="glb", include_normals=True))


def write_obj(path: str | Path, vertices: Array, faces: Array, vertex_colours: Array | None = None) -> Path:
    """Write a mesh as Wavefront OBJ and return the path; arguments and errors as in `write_glb`.

    Colours stand behind the coordinates, as sRGB in [0, 1], which Blender and MeshLab read.
    """
    mesh = _mesh(vertices, faces, vertex_colours)
    header = f"{OBJECT_NAME}\n# {UNITS}"
    text = mesh.export(file_type="obj", header=header, digits=OBJ_DIGITS, include_normals=False)
    return save(path, text.encode())


def write_ply(path: str | Path, vertices: Array, faces: Array, vertex_colours: Array | None = None) -> Path:
    """Write a mesh as binary PLY and return the path; arguments and errors as in `write_glb`."""
    written = _mesh(vertices, faces, vertex_colours).export(file_type="ply")
    header, end, content = written.partition(b"end_header\n")
    # trimesh has its own address as the comment.
    lines = [line for line in header.splitlines() if not line.startswith(b"comment")]
    lines.insert(2, f"comment {OBJECT_NAME}, {UNITS}".encode())
    return save(path, b"\n".join(lines) + b"\n" + end + content)


def upright(vertices: Array) -> np.ndarray:
    """Points (..., 3) of the camera frame, y down and z away, as float64 with y up and z to the viewer.

    Half a turn about x: triangles keep their sides, and it is its own inverse.
    """
    return np.asarray(vertices, np.float64) * [1, -1, -1]


def linear_colours(colours: np.ndarray) -> np.ndarray:
    """sRGB uint8 of any shape as linear uint8 (IEC 61966-2-1)."""
    levels = np.asarray(colours, np.float64) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return (255 * linear).round().astype(np.uint8)


def save(path: str | Path, content: bytes) -> Path:
    """Write a file as a whole or not at all, and return its path.

    OutputError says what to do when that fails; a file that was there before is then still there. A program
    that is killed meanwhile leaves NAME.part beside it at most.
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): "
            "choose a folder that exists and is writable."
        ) from error
    return path


def _mesh(vertices: Array, faces: Array, colours: Array | None) -> "trimesh.Trimesh":
    """The mesh in the files' frame, named, with colours (V, 3) uint8 or none."""
    # Imported here: predicting needs no trimesh.
    import trimesh

    mesh = trimesh.Trimesh(upright(vertices), np.asarray(faces, np.int64), process=False)
    mesh.metadata["name"] = OBJECT_NAME
    if colours is not None:
        opaque = np.full((len(mesh.vertices), 1), 255, np.uint8)
        mesh.visual.vertex_colors = np.concatenate([np.asarray(colours, np.uint8), opaque], 1)
    return mesh
