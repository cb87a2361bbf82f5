"""Meshes as files for other programs: glTF's binary form, y up, metres, a body at rest facing +z."""

from pathlib import Path

import numpy as np
import torch

from hmnet.errors import OutputError

Array = np.ndarray | torch.Tensor


def write_glb(path: str | Path, vertices: Array, faces: Array, vertex_colours: Array | None = None) -> Path:
    """Write a mesh as .glb and return the path.

    vertices: (V, 3) m, camera frame. faces: (F, 3). vertex_colours: (V, 3) uint8 sRGB.
    The vertices keep their order and number. Raises OutputError when the file cannot be written.
    """
    # Imported here: predicting needs no trimesh.
    import trimesh

    vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int64)
    # Half a turn about x: from y down, z away to y up, z towards the viewer; triangles keep their sides.
    mesh = trimesh.Trimesh(vertices * [1, -1, -1], faces, process=False)
    if vertex_colours is not None:
        opaque = np.full((len(vertices), 1), 255, np.uint8)
        mesh.visual.vertex_colors = np.concatenate([np.asarray(vertex_colours, np.uint8), opaque], 1)
    path = Path(path)
    try:
        path.write_bytes(mesh.export(file_type="glb", include_normals=True))
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): "
            "choose a folder that exists and is writable."
        ) from error
    return path
