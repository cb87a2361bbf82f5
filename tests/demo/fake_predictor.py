"""A predictor without weights: a posed Anny in the middle of any photo, rippled for the raw mesh.

It has what the page uses of the real predictor, so that the page can be tested without a network.
`draw_person` renders such a body plainly, for test photos and examples.
"""

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

from demo.session import Models
from hmnet.body import PART_COLOURS, load_body
from hmnet.body.template import load_anny
from hmnet.camera import project
from hmnet.checkpoint import WeightsInfo
from hmnet.comparison import Answer
from hmnet.data.crop import Crop, extract_labels
from hmnet.errors import NoPersonFoundError
from hmnet.image import read_sized_image
from hmnet.mesh import MeshTopology, regularise, vertex_normals
from hmnet.movenet import KEYPOINT_NAMES
from hmnet.person_box import BoxSearch, Candidate
from hmnet.predictor import Prediction

RIPPLE = 0.006
LABELS_SIDE = 192


class FakePredictor:
    """Counts how often the "network" runs in `calls`."""

    def __init__(self):
        self.body = load_body("anny")
        self.topology = MeshTopology.from_faces(self.body.faces, len(self.body.vertices))
        info = WeightsInfo("made-up body", "fake", "none")
        self.checkpoint = SimpleNamespace(info=info, folder=None)
        self.device = torch.device("cpu")
        self.engine = SimpleNamespace(name="none", words="a made-up body")
        self.search = BoxSearch()
        self.calls = 0

    def predict(self, image, box=None):
        self.calls += 1
        image, size = read_sized_image(image)
        if image.std() < 2:
            raise NoPersonFoundError("No person was found in the photo: try one that shows a whole person.")
        # Another photo, another pose: what the page shows must change.
        vertices = posed_vertices(int(image.sum()) % 1000)
        camera = fitting_camera(vertices, size)
        part_map = draw_person(vertices, camera, size)[1]
        points = project(vertices, camera)
        ripple = np.random.default_rng(0).normal(0, RIPPLE, vertices.shape)
        raw = (vertices + ripple).astype(np.float32)
        joints = self.body.regress_joints(torch.as_tensor(vertices)).numpy() + np.float32(0.005)
        keypoints = project(self.body.regress_keypoints(torch.as_tensor(vertices)).numpy(), camera)
        box = np.concatenate([points.min(0), points.max(0)]) if box is None else np.asarray(box)
        names = self.body.keypoint_names
        half = 0.55 * (box[2:] - box[:2]).max()
        middle = (box[:2] + box[2:]) / 2
        crop = Crop(tuple(np.concatenate([middle - half, middle + half]).tolist()))
        made = Prediction(
            image=image, photo_size=size, box=box, crop=crop,
            part_map=part_map, labels=extract_labels(part_map, crop, LABELS_SIDE), joints=joints,
            regressed_joints=joints, raw_vertices=raw, vertices=raw,
            camera=camera, keypoints_2d=dict(zip(self.body.keypoint_names, keypoints, strict=True)),
            named_joints=dict(zip(self.body.joint_names, joints, strict=True)),
            person=Candidate(keypoints[[names.index(name) for name in KEYPOINT_NAMES]], np.ones(17)),
            seen=np.zeros((2, 1), np.float32),
            timings={"read": 12.0, "parts": 40.0, "mesh": 46.0}, weights=self.checkpoint.info,
        )  # fmt: skip
        return self.regularise(made)

    def with_parts(self, prediction, labels):
        """The more labels change, the further the body moves to the right."""
        self.calls += 1
        moved = np.float32([(labels != prediction.labels).mean(), 0, 0])
        raw = prediction.raw_vertices + moved
        return self.regularise(replace(prediction, labels=labels, raw_vertices=raw))

    def regularise(self, prediction, iterations=1, strength=1.0, operator="average"):
        raw = torch.as_tensor(prediction.raw_vertices)
        vertices = regularise(raw, self.topology.neighbour_matrix, iterations, strength, operator)
        joints = self.body.regress_joints(vertices).numpy()
        return replace(prediction, vertices=vertices.numpy(), regressed_joints=joints)


class FakeComparison:
    """Two variants: one that is off by 2 cm, and the Oracle, where the true parts are known."""

    names = ("hmnet-oracle", "hmnet-unregularised")

    def answers(self, prediction, true_labels=None):
        raw, joints = prediction.raw_vertices, prediction.joints
        answers = {"hmnet-unregularised": Answer(joints + np.float32(0.02), raw + np.float32(0.02))}
        if true_labels is not None:
            answers["hmnet-oracle"] = Answer(joints, raw)
        return answers


class HeldPredictor(FakePredictor):
    """Answers when it may: `hold` makes all wait, `failure` is raised once."""

    def __init__(self):
        super().__init__()
        self.hold = threading.Event()
        self.hold.set()
        self.failure: Exception | None = None

    def predict(self, image, box=None):
        assert self.hold.wait(30)
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return super().predict(image, box)


def fake_models():
    """What the page is built around."""
    return Models(FakePredictor(), FakeComparison())


def posed_vertices(seed: int) -> np.ndarray:
    """(1229, 3) float32 m: Anny in a relaxed pose, arms lowered, bent at random."""
    anny = load_anny()
    phenotypes = torch.full((1, len(anny.phenotype_names)), 0.5)
    phenotypes[:, anny.phenotype_names.index("age")] = 2 / 3
    rng = np.random.default_rng(seed)
    angles = np.zeros((len(anny.bone_names), 3), np.float32)
    for bone, turn in (("upperarm01.L", (0, 0, 0.7)), ("upperarm01.R", (0, 0, -0.7)),
                       ("lowerarm01.L", (-0.6, 0, 0)), ("upperleg01.R", (-0.3, 0, 0))):  # fmt: skip
        angles[anny.bone_names.index(bone)] = np.asarray(turn) + rng.normal(0, 0.15, 3)
    cross = np.zeros((len(angles), 3, 3), np.float32)
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -angles[:, 2], angles[:, 1], -angles[:, 0]
    rotations = torch.matrix_exp(torch.as_tensor(cross - cross.transpose(0, 2, 1)))[None]
    vertices = anny.pose(phenotypes, rotations, "template").vertices
    body = load_body("anny")
    root = body.regress_joints(vertices)[:, body.joint_index("pelvis")]
    return (vertices - root[:, None])[0].numpy()


def fitting_camera(vertices: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The camera (3,) that shows the whole body in the middle of a (width, height) photo."""
    low, high = vertices[:, :2].min(0), vertices[:, :2].max(0)
    scale = 0.85 * float((np.asarray(size) / (high - low)).min())
    return np.array([scale, *(np.asarray(size) / 2 / scale - (low + high) / 2)], np.float32)


def draw_person(
    vertices: np.ndarray, camera: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 with a plain shaded body and its part map (H, W), farthest faces first."""
    body = load_body("anny")
    faces = body.faces.numpy()
    points = project(vertices, camera)
    normals = vertex_normals(torch.as_tensor(vertices), body.faces).numpy()[faces].mean(1)
    light = 0.35 + 0.65 * np.abs(normals @ np.array([-0.4, -0.5, -0.77]))
    shades = np.array([[150, 170, 190], [120, 140, 120]], np.float32)
    ramp = np.linspace(0, 1, size[1])[:, None, None]
    ground = np.broadcast_to(shades[0] * (1 - ramp) + shades[1] * ramp, (size[1], size[0], 3))
    photo = Image.fromarray(ground.astype(np.uint8))
    labels = Image.new("L", size)
    photo_pen, label_pen = ImageDraw.Draw(photo), ImageDraw.Draw(labels)
    for face in np.argsort(-vertices[faces][:, :, 2].mean(1)):
        part = int(body.face_parts[face])
        corners = [tuple(point) for point in points[faces[face]]]
        skin = 0.35 * np.asarray(PART_COLOURS[part]) + 0.65 * np.array([190, 150, 125])
        photo_pen.polygon(corners, fill=tuple(int(v) for v in skin * light[face]))
        label_pen.polygon(corners, fill=part)
    return np.asarray(photo), np.asarray(labels)


def write_example(folder: Path, name: str, seed: int, size: tuple[int, int] = (480, 640)) -> Path:
    """Writes an example with its ground truth in the form `demo.examples` documents; returns its photo."""
    folder.mkdir(parents=True, exist_ok=True)
    vertices = posed_vertices(seed)
    camera = fitting_camera(vertices, size)
    photo, part_map = draw_person(vertices, camera, size)
    joints = load_body("anny").regress_joints(torch.as_tensor(vertices)).numpy()
    path = folder / f"{name}.jpg"
    Image.fromarray(photo).save(path, quality=92)
    arrays = {
        "vertices": vertices.astype(np.float16), "joints": joints, "part_map": part_map, "camera": camera,
    }  # fmt: skip
    save_file(arrays, path.with_suffix(".safetensors"))
    path.with_suffix(".json").write_text(json.dumps({"title": name.capitalize()}))
    return path
