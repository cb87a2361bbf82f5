"""A predictor of hands without weights: a posed hand in the middle of any photo, in a turned window.

As `fake_predictor` is for people. A photo whose middle is redder than blue shows a right hand, any other a
left one; `draw_hand` draws such a hand plainly, for test photos and examples.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from fake_predictor import RIPPLE, FakePredictor, fitting_camera
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

from demo.examples import load_examples
from demo.hands import Hands
from demo.session import Models
from hmnet.body.hand import hand_template, load_hand
from hmnet.camera import project
from hmnet.checkpoint import WeightsInfo
from hmnet.comparison import Answer
from hmnet.data.crop import Crop, extract_labels
from hmnet.errors import NoPersonFoundError
from hmnet.image import read_sized_image
from hmnet.mesh import MeshTopology, regularise
from hmnet.people_search import Person
from hmnet.person_box import Candidate
from hmnet.prediction import Prediction

LABELS_SIDE = 224
TURN = 0.4
"""Radians by which windows are turned."""
MIRROR = np.array([-1, 1, 1], np.float32)
RED, BLUE = (214, 130, 96), (96, 130, 214)
"""What right and left hands are drawn in."""


class FakeHandComparison:
    """One variant, which is off by 5 mm."""

    names = ("hand-unregularised",)

    def answers(self, prediction, true_labels=None):
        away = np.float32(0.005)
        return {self.names[0]: Answer(prediction.joints + away, prediction.raw_vertices + away)}


class FakeHandPredictor(FakePredictor):
    """Counts how often the "network" runs in `calls`; finds two hands, the shown one and one beside it."""

    def __init__(self):
        super().__init__()
        self.body = hand_template()
        self.topology = MeshTopology.from_faces(self.body.faces, len(self.body.vertices))
        info = WeightsInfo("made-up hand", "hand", "none")
        self.checkpoint = SimpleNamespace(info=info, folder=None)
        self.sides = []

    def predict(self, image, box=None, side=None):
        self.calls += 1
        self.sides.append(side)
        image, size = read_sized_image(image)
        if image.std() < 2:
            raise NoPersonFoundError("No hand was found in the photo: take one that shows a whole hand.")
        found = side or found_side(image)
        vertices = posed_hand(int(image.sum()) % 1000, found)
        camera = fitting_camera(vertices, size)
        points = project(vertices, camera)
        own = np.concatenate([points.min(0), points.max(0)]) if box is None else np.asarray(box, float)
        half = 0.7 * (own[2:] - own[:2]).max()
        middle = (own[:2] + own[2:]) / 2
        edges = tuple(np.concatenate([middle - half, middle + half]).tolist())
        crop = Crop(edges, TURN, in_mirror=found == "left")
        part_map = draw_hand(vertices, camera, size, found)[1]
        ripple = np.random.default_rng(0).normal(0, RIPPLE / 6, vertices.shape)
        raw = (vertices + ripple).astype(np.float32)
        joints = self.body.regress_joints(torch.as_tensor(vertices)).numpy() + np.float32(0.001)
        keypoints = project(joints, camera)
        beside = Person(np.array([2.0, 2.0, 40.0, 40.0]), 0.6)
        made = Prediction(
            image=image, photo_size=size, box=own, crop=crop, part_map=part_map,
            labels=extract_labels(part_map, crop, LABELS_SIDE), joints=joints, regressed_joints=joints,
            raw_vertices=raw, vertices=raw, camera=camera,
            named_joints=dict(zip(self.body.joint_names, joints, strict=True)),
            keypoints_2d=dict(zip(self.body.joint_names, keypoints, strict=True)),
            person=Candidate(keypoints, np.ones(21)), seen=np.zeros((1, 1), np.float32),
            timings={"read": 9.0, "parts": 20.0, "mesh": 30.0}, weights=self.checkpoint.info,
            people=(Person(own, 0.9), beside) if box is None else (),
            body=hand_template(found), side=found,
        )  # fmt: skip
        return self.regularise(made)

    def features(self, prediction):
        return {"photo": np.linspace(-1, 1, 1000), "parts": np.linspace(1, -1, 1000)}

    def regularise(self, prediction, iterations=1, strength=1.0, operator="average"):
        raw = torch.as_tensor(prediction.raw_vertices)
        vertices = regularise(raw, self.topology.neighbour_matrix, iterations, strength, operator)
        joints = self.body.regress_joints(vertices).numpy()
        return replace(prediction, vertices=vertices.numpy(), regressed_joints=joints)


def fake_hands(folder: Path | None = None) -> Hands:
    """Hands for the page, with the examples of a folder; `hands.models.predictor` counts."""
    examples = () if folder is None else load_examples(folder)
    return Hands(lambda: Models(FakeHandPredictor(), FakeHandComparison()), examples)


def found_side(image: np.ndarray) -> str:
    height, width = image.shape[:2]
    middle = image[height // 4 : -height // 4, width // 4 : -width // 4].reshape(-1, 3).mean(0)
    return "right" if middle[0] > middle[2] else "left"


def posed_hand(seed: int, side: str) -> np.ndarray:
    """(778, 3) float32 m, wrist-relative: a bent hand that points up."""
    rng = np.random.default_rng(seed)
    pose = torch.as_tensor(rng.normal(0, 0.15, (1, 48)), dtype=torch.float32)
    # At rest it points to the viewer's left, palm down.
    pose[:, :3] = torch.tensor([0.0, 0.0, 1.2])
    vertices = load_hand().pose(pose, surface="template").vertices
    root = hand_template().regress_joints(vertices)[:, :1]
    right = (vertices - root)[0].numpy()
    return right if side == "right" else right * MIRROR


def draw_hand(
    vertices: np.ndarray, camera: np.ndarray, size: tuple[int, int], side: str
) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 with a plain hand and its part map (H, W), farthest faces first."""
    body = hand_template(side)
    faces, points = body.faces.numpy(), project(vertices, camera)
    ramp = np.linspace(120, 180, size[1])[:, None, None]
    photo = Image.fromarray(np.broadcast_to(ramp, (size[1], size[0], 3)).astype(np.uint8))
    labels = Image.new("L", size)
    photo_pen, label_pen = ImageDraw.Draw(photo), ImageDraw.Draw(labels)
    skin = np.array(RED if side == "right" else BLUE)
    depths = vertices[faces][:, :, 2].mean(1)
    for face in np.argsort(-depths):
        corners = [tuple(point) for point in points[faces[face]]]
        light = 0.8 + 0.4 * (face % 7) / 7
        photo_pen.polygon(corners, fill=tuple(int(v) for v in (skin * light).clip(0, 255)))
        label_pen.polygon(corners, fill=int(body.face_parts[face]))
    return np.asarray(photo), np.asarray(labels)


def write_hand(
    folder: Path, name: str, seed: int, side: str = "right", size: tuple[int, int] = (320, 400)
) -> Path:
    """Writes an example with its ground truth in the form `demo.examples` documents; returns its photo."""
    folder.mkdir(parents=True, exist_ok=True)
    vertices = posed_hand(seed, side)
    camera = fitting_camera(vertices, size)
    photo, part_map = draw_hand(vertices, camera, size, side)
    joints = hand_template().regress_joints(torch.as_tensor(vertices)).numpy()
    path = folder / f"{name}.jpg"
    Image.fromarray(photo).save(path, quality=92)
    save_file(
        {"vertices": vertices.astype(np.float16), "joints": joints, "part_map": part_map, "camera": camera},
        path.with_suffix(".safetensors"),
    )
    path.with_suffix(".json").write_text(json.dumps({"title": name.capitalize()}))
    return path
