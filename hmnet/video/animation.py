"""A person's movement as one binary glTF 2.0: the template with a morph target for each key frame.

The file's frame is that of `hmnet.export`: y up, metres, a body at rest facing +z, the pelvis at the origin.
Written here since trimesh writes neither morph targets nor animations.
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from hmnet.body import PART_COLOURS, BodyTemplate
from hmnet.errors import DataError
from hmnet.export import OBJECT_NAME, linear_colours, save, upright
from hmnet.mesh import vertex_normals

MOST_KEYS = 250
"""Key frames at most, ten seconds of video; each takes 29 kB, and viewers hold all of them in memory."""
FLOAT, UBYTE, UINT = 5126, 5121, 5125
ARRAYS, ELEMENTS = 34962, 34963
TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}


@dataclass
class KeyFrames:
    """Meshes with their moments, thinned out evenly as they come: a long video needs no more memory.

    most: beyond so many every second one is dropped, and of those that follow only as many are kept.
    """

    most: int = MOST_KEYS
    seconds: list[float] = field(default_factory=list)
    vertices: list[np.ndarray] = field(default_factory=list)
    _every: int = 1
    _seen: int = 0

    def add(self, vertices: np.ndarray, seconds: float) -> None:
        """The next mesh (V, 3) m, camera frame; seconds: later than the last."""
        if self._seen % self._every == 0:
            self.seconds.append(seconds)
            self.vertices.append(vertices)
        self._seen += 1
        if len(self.seconds) > self.most:
            del self.seconds[1::2], self.vertices[1::2]
            self._every *= 2


def write_animation(path: str | Path, keys: KeyFrames, body: BodyTemplate) -> Path:
    """Write the key frames as an animated glb, coloured by parts, and return the path.

    Between key frames the vertices move on straight lines; so they do over frames without a person. Raises
    DataError without any key frame, OutputError when the file cannot be written.
    """
    if not keys.seconds:
        raise DataError("There is no key frame to animate: the person was found in no frame.")
    return save(path, animation_glb(keys, body))


def animation_glb(keys: KeyFrames, body: BodyTemplate) -> bytes:
    """The file that `write_animation` writes, for at least one key frame."""
    faces = body.faces
    shapes = upright(np.stack(keys.vertices)).astype(np.float32)
    normals = vertex_normals(torch.from_numpy(shapes), faces).numpy().astype(np.float32)
    opaque = np.full((len(body.vertex_parts), 1), 255, np.uint8)
    colours = linear_colours(np.array(PART_COLOURS, np.uint8)[body.vertex_parts.numpy()])
    file = _Binary()
    primitive = {
        "attributes": {
            "POSITION": file.add(shapes[0], ARRAYS, bounds=True),
            "NORMAL": file.add(normals[0], ARRAYS),
            "COLOR_0": file.add(np.concatenate([colours, opaque], 1), ARRAYS, normalised=True),
        },
        "indices": file.add(faces.numpy().astype(np.uint32).ravel(), ELEMENTS),
        "material": 0,
    }
    # The first key frame is the mesh itself; each other one is a target, given as what it adds.
    pairs = list(zip(shapes[1:] - shapes[0], normals[1:] - normals[0], strict=True))
    content = {
        "asset": {"version": "2.0", "generator": OBJECT_NAME},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": OBJECT_NAME}],
        "meshes": [{"name": OBJECT_NAME, "primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.6}}],
    }
    if pairs:
        primitive["targets"] = [
            {"POSITION": file.add(shape, ARRAYS, bounds=True), "NORMAL": file.add(normal, ARRAYS)}
            for shape, normal in pairs
        ]
        content["meshes"][0]["weights"] = [0] * len(pairs)
        # Of each key frame one weight for each target: all of its own.
        weights = np.eye(len(pairs) + 1, dtype=np.float32)[:, 1:]
        times = np.array(keys.seconds, np.float32) - np.float32(keys.seconds[0])
        sampler = {"input": file.add(times, bounds=True), "output": file.add(weights.ravel())}
        channel = {"sampler": 0, "target": {"node": 0, "path": "weights"}}
        animation = {"name": "movement", "samplers": [sampler], "channels": [channel]}
        content["animations"] = [animation]
    return file.glb(content)


class _Binary:
    """The numbers of a glTF file, each array at a multiple of 4 bytes, and what describes them."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._views: list[dict] = []
        self._accessors: list[dict] = []

    def add(
        self, array: np.ndarray, target: int | None = None, bounds: bool = False, normalised: bool = False
    ) -> int:
        """An array (N,) or (N, C) of float32, uint32 or uint8; returns its accessor's number.

        target: what a graphics card uses it for. bounds: state its least and greatest values.
        """
        kind = {"float32": FLOAT, "uint32": UINT, "uint8": UBYTE}[array.dtype.name]
        view = {"buffer": 0, "byteOffset": len(self._data), "byteLength": array.nbytes}
        if target is not None:
            view["target"] = target
        accessor = {
            "bufferView": len(self._views),
            "componentType": kind,
            "count": len(array),
            "type": TYPES[array.shape[1] if array.ndim == 2 else 1],
        }
        if bounds:
            accessor["min"] = np.atleast_1d(array.min(0)).tolist()
            accessor["max"] = np.atleast_1d(array.max(0)).tolist()
        if normalised:
            accessor["normalized"] = True
        self._views.append(view)
        self._accessors.append(accessor)
        self._data += array.tobytes()
        self._data += bytes(-len(self._data) % 4)
        return len(self._accessors) - 1

    def glb(self, content: dict) -> bytes:
        """The whole file."""
        buffers = {"buffers": [{"byteLength": len(self._data)}]}
        content = {**content, "accessors": self._accessors, "bufferViews": self._views, **buffers}
        text = json.dumps(content, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._data), b"BIN\0") + self._data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
