"""Pictures of a mesh: over the photo, or on its own from any side.

The only place, with `hmnet.export`, that leaves the camera frame (x right, y down, z away): OpenGL has y
up and looks along -z. Pictures come from pyrender on EGL; where no OpenGL context can be made, a z-buffer
in NumPy draws the same scene. Which of them answers is decided once, see `renderer_name`.
"""

import logging
import math
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from hmnet.mesh import vertex_normals
from hmnet.zbuffer import rasterise

log = logging.getLogger(__name__)

Array = np.ndarray | torch.Tensor

BODY_COLOUR = (186, 200, 222)
"""sRGB, a light blue-grey that stands out from skin, clothes and most backgrounds."""
BACKGROUND = (244, 245, 248)
MARGIN = 1.06


@dataclass(frozen=True)
class Light:
    """A directional light; `towards` points from the body to the light in the camera frame."""

    towards: tuple[float, float, float]
    strength: float


LIGHTS = (
    Light((-0.60, -0.80, -0.80), 0.86),  # key: above the viewer's left shoulder
    Light((0.90, -0.10, -0.55), 0.26),  # fill: from the right, so that no side goes black
    Light((0.35, -0.60, 0.75), 0.38),  # rim: from behind and above, lifts the outline off the photo
)
AMBIENT = 0.20


@dataclass(frozen=True)
class Scene:
    """What a renderer draws, in pixels: points (V, 3) with x right, y down, z away in px.

    normals: (V, 3) unit, same axes. colours: (V, 3) linear 0..1. size: (width, height) px.
    """

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    size: tuple[int, int]


def overlay(
    image: np.ndarray,
    vertices: Array,
    faces: Array,
    camera: Array,
    colour: Sequence[int] = BODY_COLOUR,
    vertex_colours: Array | None = None,
    opacity: float = 1.0,
) -> np.ndarray:
    """The mesh drawn over a photo, (H, W, 3) uint8.

    image: (H, W, 3) uint8 RGB. vertices: (V, 3) m, camera frame. faces: (F, 3).
    camera: (3,) weak perspective s, tx, ty in px of this image. colour: sRGB 0..255 of the whole body, unless
    vertex_colours (V, 3) uint8 sRGB are given. opacity: 0 (photo only) to 1 (mesh covers the photo).
    """
    height, width = image.shape[:2]
    out = image.copy()
    drawn = _draw_in_photo((width, height), vertices, faces, camera, colour, vertex_colours)
    if drawn is not None:
        picture, place = drawn
        out[place] = _composite(picture, out[place], opacity)
    return out


def cutout(
    size: tuple[int, int],
    vertices: Array,
    faces: Array,
    camera: Array,
    colour: Sequence[int] = BODY_COLOUR,
    vertex_colours: Array | None = None,
) -> np.ndarray:
    """The mesh alone, to be laid over a photo of (width, height) px later: (H, W, 4) uint8 sRGB.

    Alpha is straight, 0 where the mesh is not; there the colour is black. The other arguments are those of
    `overlay`, which a photo under this picture equals.
    """
    out = np.zeros((size[1], size[0], 4), np.uint8)
    drawn = _draw_in_photo(size, vertices, faces, camera, colour, vertex_colours)
    if drawn is not None:
        picture, place = drawn
        straight = picture[..., :3] / picture[..., 3:].clip(1e-6)
        rgba = np.concatenate([straight, picture[..., 3:]], -1)
        out[place] = np.rint(255 * rgba).clip(0, 255)
    return out


def view(
    vertices: Array,
    faces: Array,
    yaw: float = 0.0,
    pitch: float = 0.0,
    size: int = 512,
    colour: Sequence[int] = BODY_COLOUR,
    vertex_colours: Array | None = None,
    background: Sequence[int] = BACKGROUND,
) -> np.ndarray:
    """The mesh on a plain background as seen by a viewer who walks around it, (size, size, 3) uint8.

    vertices: (V, 3) m, camera frame. yaw, pitch: degrees; at 0, 0 the viewer is the photo's camera, yaw
    takes the viewer to the right and pitch upwards. The scale is the same from every side, so that a body
    that turns does not grow. The other arguments are those of `overlay`.
    """
    vertices = np.asarray(vertices, np.float64)
    centred = vertices - (vertices.min(0) + vertices.max(0)) / 2
    radius = max(np.linalg.norm(centred, axis=1).max(), 1e-6)
    points = centred @ _viewer_axes(yaw, pitch).T * (size / (2 * MARGIN * radius))
    points[:, :2] += size / 2
    picture = _draw(points, faces, colour, vertex_colours, (size, size))
    return _composite(picture, np.full((size, size, 3), background, np.uint8), 1.0)


def renderer_name() -> str:
    """Which renderer draws on this machine, and why, in words for a person."""
    return _renderer().name


def renderer_works() -> bool:
    """Whether a triangle is drawn."""
    corners = np.array([[0.0, 0, 0], [0, 8, 0], [8, 0, 0]])
    picture = _draw(corners, np.arange(3)[None], BODY_COLOUR, None, (8, 8))
    return bool(0.3 < picture[..., 3].mean() < 0.7)


def _viewer_axes(yaw: float, pitch: float) -> np.ndarray:
    """Rows: the viewer's right, down and forward directions in the camera frame."""
    yaw, pitch = math.radians(yaw), math.radians(pitch)
    forward = np.array([-math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
    right = np.array([math.cos(yaw), 0.0, math.sin(yaw)])
    return np.stack([right, np.cross(forward, right), forward])


def _draw_in_photo(
    size: tuple[int, int],
    vertices: Array,
    faces: Array,
    camera: Array,
    colour: Sequence[int],
    vertex_colours: Array | None,
) -> tuple[np.ndarray, tuple[slice, slice]] | None:
    """What `_draw` gives for the window of a (width, height) photo that holds the mesh, and the window's rows
    and columns: a figure in a large photo costs what it covers. None where the mesh is beyond the photo."""
    scale, *shift = np.asarray(camera, np.float64)
    points = np.asarray(vertices, np.float64) * scale
    points[:, :2] += scale * np.array(shift)
    low = np.floor(points[:, :2].min(0)).clip(0).astype(int)
    high = np.minimum(np.ceil(points[:, :2].max(0)).astype(int) + 1, size)
    if (high <= low).any():
        return None
    points[:, :2] -= low
    picture = _draw(points, faces, colour, vertex_colours, tuple(int(n) for n in high - low))
    return picture, (slice(low[1], high[1]), slice(low[0], high[0]))


def _draw(
    points: np.ndarray,
    faces: Array,
    colour: Sequence[int],
    vertex_colours: Array | None,
    size: tuple[int, int],
) -> np.ndarray:
    """The mesh as (H, W, 4) float32 sRGB 0..1, premultiplied by its coverage."""
    faces = np.ascontiguousarray(faces, np.int64)
    normals = vertex_normals(torch.as_tensor(points), torch.as_tensor(faces)).numpy()
    srgb = np.broadcast_to(colour, points.shape) if vertex_colours is None else np.asarray(vertex_colours)
    scene = Scene(points, normals, faces, (srgb / 255.0) ** 2.2, size)
    return _draw_anyhow(scene)


def _draw_anyhow(scene: Scene) -> np.ndarray:
    """The scene by the renderer there is; one that failed is replaced, at last by the one in software."""
    while True:
        renderer = _renderer()
        try:
            return renderer.draw(scene)
        except Exception as error:  # the driver's errors, a lost context, a thread that is gone
            if isinstance(renderer, SoftwareRenderer):
                raise
            _choice.replace(renderer, error)


def _composite(picture: np.ndarray, behind: np.ndarray, opacity: float) -> np.ndarray:
    mixed = 255 * opacity * picture[..., :3] + (1 - opacity * picture[..., 3:]) * behind
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def _renderer() -> "GLRenderer | SoftwareRenderer":
    return _choice.renderer()


class _Choice:
    """The renderer of this process: OpenGL's as long as it works, then the one in software."""

    MOST_FAILURES = 3
    """OpenGL is made anew after each but the last: a driver that fails all the time costs everybody time."""

    def __init__(self) -> None:
        self._lock, self._renderer, self._failures = threading.Lock(), None, 0

    def renderer(self) -> "GLRenderer | SoftwareRenderer":
        with self._lock:
            if self._renderer is None:
                self._renderer = self._made()
            return self._renderer

    def replace(self, failed: "GLRenderer", error: Exception) -> None:
        """Drops a renderer that failed; nothing where another thread did already."""
        with self._lock:
            if self._renderer is failed:
                log.warning("The renderer failed (%s): it is replaced.", _reason(error))
                self._renderer, self._failures = None, self._failures + 1

    def _made(self) -> "GLRenderer | SoftwareRenderer":
        if self._failures >= self.MOST_FAILURES:
            return SoftwareRenderer(f"it failed {self._failures} times")
        try:
            return GLRenderer()
        except Exception as error:  # PyOpenGL fails with whatever the missing driver makes it stumble over
            log.warning("No OpenGL context (%s): meshes are drawn in software.", _reason(error))
            return SoftwareRenderer(_reason(error))


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


class GLRenderer:
    """pyrender on EGL; the thread that makes the context is the only one that may draw with it."""

    SECONDS = 30
    """Of one picture; a driver that takes longer hangs."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "hmnet-render")
        driver = self._thread.submit(self._open).result(self.SECONDS)
        self.name = f"pyrender on EGL ({driver})"

    def draw(self, scene: Scene) -> np.ndarray:
        """The scene as (H, W, 4) float32 sRGB 0..1, premultiplied by its coverage; from any thread."""
        return self._thread.submit(self._draw, scene).result(self.SECONDS)

    def _open(self) -> str:
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        # pyrender 0.1.45 asks for a name that NumPy 2 dropped.
        np.infty = np.inf
        import pyglet

        # pyrender imports pyglet for its window, and that wants an X server's libraries unless told so.
        pyglet.options["headless"] = True
        import pyrender
        from OpenGL.GL import GL_RENDERER, glGetString

        self._pyrender = pyrender
        self._offscreen = pyrender.OffscreenRenderer(64, 64)
        driver = glGetString(GL_RENDERER).decode()
        # Some drivers give a context and then draw nothing: half a picture of white must come out.
        corners = np.array([[0.0, 0, 0], [0, 64, 0], [64, 0, 0]])
        facing = np.tile([0.0, 0, -1], (3, 1))
        drawn = self._draw(Scene(corners, facing, np.arange(3)[None], np.ones((3, 3)), (64, 64)))
        if not 0.4 < drawn[..., 3].mean() < 0.6:
            raise RuntimeError(f"{driver} draws nothing")
        return driver

    def _draw(self, scene: Scene) -> np.ndarray:
        pyrender = self._pyrender
        width, height = scene.size
        to_gl = np.array([1.0, -1.0, -1.0])
        points = (scene.points - [width / 2, height / 2, scene.points[:, 2].min() - 1]) * to_gl
        depth = float(-points[:, 2].min()) + 1
        stage = pyrender.Scene(bg_color=(0, 0, 0, 0), ambient_light=(AMBIENT,) * 3)
        primitive = pyrender.Primitive(
            positions=points.astype(np.float32),
            normals=(scene.normals * to_gl).astype(np.float32),
            color_0=scene.colours.astype(np.float32),
            indices=scene.faces.astype(np.uint32),
            material=pyrender.MetallicRoughnessMaterial(
                metallicFactor=0.0, roughnessFactor=0.6, doubleSided=True
            ),
        )
        stage.add(pyrender.Mesh([primitive]))
        stage.add(pyrender.OrthographicCamera(width / 2, height / 2, znear=0.01, zfar=depth))
        for light in LIGHTS:
            # Lambert's law divides by pi.
            lamp = pyrender.DirectionalLight(intensity=light.strength * math.pi)
            stage.add(lamp, pose=_pose_of_light(np.array(light.towards) * to_gl))
        self._offscreen.viewport_width, self._offscreen.viewport_height = width, height
        rgba, _ = self._offscreen.render(stage, flags=pyrender.RenderFlags.RGBA)
        return rgba.astype(np.float32) / 255


def _pose_of_light(towards: np.ndarray) -> np.ndarray:
    """A pose (4, 4) whose -z axis runs from the light to the body."""
    z = towards / np.linalg.norm(towards)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], 1)
    return pose


class SoftwareRenderer:
    """The same scene by a z-buffer in NumPy, for machines without OpenGL; slower, needs nothing."""

    MOST_PIXELS = 1_000_000

    def __init__(self, reason: str) -> None:
        self.name = f"software (no OpenGL: {reason})"

    def draw(self, scene: Scene) -> np.ndarray:
        """The scene as (H, W, 4) float32 sRGB 0..1, premultiplied by its coverage."""
        width, height = scene.size
        # Drawn twice as large and averaged down, for smooth edges; large pictures the other way round.
        factor = min(2.0, math.sqrt(self.MOST_PIXELS / (width * height)))
        large = (max(1, round(width * factor)), max(1, round(height * factor)))
        points = scene.points * [large[0] / width, large[1] / height, factor]
        attributes = np.concatenate([scene.normals, scene.colours], 1)
        covered, values = rasterise(points, scene.faces, attributes, large)
        shaded = np.zeros((large[1] * large[0], 4), np.float32)
        shaded[covered] = _shade(values[:, :3], values[:, 3:])
        # Premultiplied and averaged channel by channel: Pillow would divide RGBA by its alpha.
        channels = shaded.reshape(large[1], large[0], 4).transpose(2, 0, 1)
        resized = [
            Image.fromarray(channel).resize((width, height), Image.Resampling.BOX)
            for channel in np.ascontiguousarray(channels)
        ]
        return np.stack([np.asarray(channel) for channel in resized], -1)


def _shade(normals: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Lambert's law with the studio's lights: linear colours (N, 3) to sRGB and coverage (N, 4)."""
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    light = np.full(len(normals), AMBIENT)
    for lamp in LIGHTS:
        towards = np.array(lamp.towards) / np.linalg.norm(lamp.towards)
        light += lamp.strength * (normals @ towards).clip(0)
    srgb = (colours * light[:, None]).clip(0, 1) ** (1 / 2.2)
    return np.concatenate([srgb, np.ones((len(srgb), 1))], 1)


_choice = _Choice()
