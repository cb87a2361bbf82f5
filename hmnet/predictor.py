"""From any photo to a `Prediction`: the NumPy-facing door to the networks.

Person box, square crop, 24-part map (Phase 1), joints and raw vertices (Phases 2 and 3), neighbour average
(Eq. 3), and the camera that lays the mesh over the person.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hmnet.body import PART_COUNT, BodyTemplate
from hmnet.camera import fit_camera, project, solve_camera
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.data.crop import OUTSIDE, Crop, extract, normalise, restore_labels, square_crop
from hmnet.errors import DataError, HMNetError, NoPersonFoundError
from hmnet.image import ImageSource, read_sized_image
from hmnet.look import Look, look_at, part_logits, reconstruct
from hmnet.mesh import MeshTopology, regularise
from hmnet.model import HMNetOutput
from hmnet.movenet import KEYPOINT_NAMES
from hmnet.person_box import (
    LEAST_SIDE,
    BoxSearch,
    Candidate,
    check_box,
    distinct,
    find_candidates,
    mask_box,
    middle_candidates,
    person_mask,
)

STRIDE = 32
"""Sides of what the networks look at are multiples of this."""
LEAST_KEYPOINTS = 6
"""So many sure keypoints lay the mesh over the photo; with fewer its parts do."""
LIKENESS_POWER = 1.5
"""How much likeness counts against size where a photo shows several people; from 0.8 to 2.1 the development
photos' own people come first."""
LEAST_SHARE = 0.01
"""Of a crop's pixels, the share that a person covers at least."""
DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Person:
    """Somebody found in a photo. box: (4,) xyxy in its px. likeness: how surely it is a person, in [0, 1]."""

    box: np.ndarray
    likeness: float


@dataclass(frozen=True)
class Prediction:
    """What was found in one photo. Points: metres, camera frame, relative to the pelvis.

    image: (H, W, 3) uint8, the upright photo, scaled down when very large. photo_size: (width, height) of the
    upright photo as it came; all other pixel values are in its pixels.
    box: (4,) xyxy, the person. crop: the square that the networks saw.
    part_map: (H, W) uint8 over `image`, 0 outside the crop. labels: (S, S) uint8, the same over the crop, as
    HMNet was given it.
    joints: (J, 3) of the joint branch. regressed_joints: (J, 3) of the regularised mesh.
    raw_vertices: (V, 3) of the surface branch. vertices: (V, 3), regularised.
    camera: (3,) weak perspective s, tx, ty. named_joints: the regressed joints by name, and the body's
    keypoints whose names are not among them, (3,) each. keypoints_2d: their projections, (2,) px each.
    timings: ms a stage. weights: which weights answered. people: everybody found, boxes in px of the upright
    photo; nobody where the box was given.
    """

    image: np.ndarray
    photo_size: tuple[int, int]
    box: np.ndarray
    crop: Crop
    part_map: np.ndarray
    labels: np.ndarray
    joints: np.ndarray
    regressed_joints: np.ndarray
    raw_vertices: np.ndarray
    vertices: np.ndarray
    camera: np.ndarray
    named_joints: dict[str, np.ndarray]
    keypoints_2d: dict[str, np.ndarray]
    timings: dict[str, float]
    weights: WeightsInfo
    people: tuple[Person, ...] = ()


class Predictor:
    """Holds the networks of a checkpoint on one device; keeps nothing else, so that threads may share it."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str | None = None,
        search: BoxSearch | None = None,
        mirror: bool = True,
    ) -> None:
        """device: "cpu", "cuda" or "mps"; None takes the fastest there is. Moves the checkpoint's networks.

        mirror: average the answers to the crop and to its mirror image (see `hmnet.look`). Raises
        HMNetError for a device that is unknown or not there.
        """
        self.device = choose_device(device)
        self.checkpoint = checkpoint
        self.search = search or BoxSearch()
        self.mirror = mirror
        self._model = checkpoint.model.to(self.device, memory_format=torch.channels_last).eval()
        self._segmenter = checkpoint.segmenter.to(self.device, memory_format=torch.channels_last).eval()
        self._neighbours = MeshTopology.from_faces(self.body.faces, len(self.body.vertices)).neighbour_matrix

    @property
    def body(self) -> BodyTemplate:
        """The template that the vertices belong to."""
        return self.checkpoint.model.body

    def predict(self, image: ImageSource, box: Sequence[float] | np.ndarray | None = None) -> Prediction:
        """Everything about the person in a photo: the one in the box, or else the first that is found.

        image: whatever `hmnet.image.read_image` takes. box: (4,) xyxy in px of the upright photo.
        Raises ImageError, BoxError or NoPersonFoundError.
        """
        clock = _Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        people = self._someone(photo) if box is None else []
        box = people[0].box if box is None else check_box(box, size) * scale
        clock.lap("find_person")
        crop = square_crop(box, self.checkpoint.preprocessing.crop_margin)
        look = self._crop_look(photo, crop)
        labels = self.segment(look)[0]
        if np.count_nonzero(labels) < LEAST_SHARE * labels.size:
            raise NoPersonFoundError("No person was found in the box: mark another one, or leave it out.")
        clock.lap("segment")
        answer = self._answer(photo, crop, look, labels, clock)
        answer["camera"][0] /= scale
        return Prediction(
            image=photo,
            photo_size=size,
            box=box / scale,
            crop=Crop(tuple(float(edge) / scale for edge in crop.box)),
            **answer,
            keypoints_2d=_projected(answer["named_joints"], answer["camera"]),
            timings=clock.laps,
            weights=self.checkpoint.info,
            people=tuple(replace(person, box=person.box / scale) for person in people),
        )

    def with_parts(self, prediction: Prediction, labels: np.ndarray) -> Prediction:
        """The prediction as it would be had the segmenter given these part ids (S, S) over the crop.

        The segmenter does not run. Raises DataError for labels of another shape or with unknown parts.
        """
        size = self.checkpoint.preprocessing.image_size
        if labels.shape != (size, size) or labels.min() < 0 or labels.max() > PART_COUNT:
            raise DataError(
                f"Expected part ids from 0 to {PART_COUNT} of shape {(size, size)}, got {labels.min()} to "
                f"{labels.max()} of shape {labels.shape}: change a prediction's own labels."
            )
        clock = _Clock()
        crop, scale = _shown_crop(prediction)
        look = self.crop_look(prediction)
        answer = self._answer(prediction.image, crop, look, labels.astype(np.uint8), clock)
        answer["camera"][0] /= scale
        return replace(
            prediction,
            **answer,
            keypoints_2d=_projected(answer["named_joints"], answer["camera"]),
            timings={**prediction.timings, **clock.laps},
        )

    def crop_look(self, prediction: Prediction) -> Look:
        """What the networks saw of the prediction's person."""
        return self._crop_look(prediction.image, _shown_crop(prediction)[0])

    def features(self, prediction: Prediction) -> dict[str, np.ndarray]:
        """The two vectors (N,) that are joined for the branches: of the "photo" and of its "parts"."""
        look, model = self.crop_look(prediction), self._model
        labels = torch.from_numpy(prediction.labels[None]).to(self.device).long()
        with torch.inference_mode():
            seen = model.rgb_encoder(model.rgb_encoder.see(look.image, look.features))
            parts = model.part_encoder(labels)
        return {"photo": seen[0].cpu().numpy(), "parts": parts[0].cpu().numpy()}

    def _crop_look(self, photo: np.ndarray, crop: Crop) -> Look:
        size = self.checkpoint.preprocessing.image_size
        return self.look(extract(photo, crop, size)[None], self.mirror)

    def _answer(
        self, photo: np.ndarray, crop: Crop, look: Look, labels: np.ndarray, clock: "_Clock"
    ) -> dict[str, Any]:
        """What HMNet answers to a crop and its part ids (S, S), by `Prediction`'s names; px of this photo."""
        output = self.reconstruct(look, labels[None])
        joints, raw_vertices = output.joints[0].cpu(), output.vertices[0].cpu()
        clock.lap("reconstruct")
        vertices, regressed_joints, named_joints = self._mesh(raw_vertices)
        clock.lap("regularise")
        part_map = restore_labels(labels, crop, photo.shape[:2])
        person = middle_candidates(look.features[-1])[0]
        person = person.scaled(crop.side / len(labels), crop.box[:2])
        camera = self._camera(vertices, part_map, person)
        clock.lap("camera")
        return {
            "part_map": part_map, "labels": labels, "joints": joints.numpy(),
            "regressed_joints": regressed_joints, "raw_vertices": raw_vertices.numpy(),
            "vertices": vertices, "camera": camera, "named_joints": named_joints,
        }  # fmt: skip

    def regularise(
        self,
        prediction: Prediction,
        iterations: int = 1,
        strength: float = 1.0,
        operator: str = "average",
    ) -> Prediction:
        """The prediction with its raw vertices averaged anew (Eq. 3); the networks do not run.

        operator: one of `hmnet.mesh.OPERATORS`. 0 iterations give the raw mesh. The camera stays. Raises
        TopologyError for negative iterations and unknown operators.
        """
        vertices, regressed_joints, named_joints = self._mesh(
            torch.from_numpy(prediction.raw_vertices), iterations, strength, operator
        )
        return replace(
            prediction,
            vertices=vertices,
            regressed_joints=regressed_joints,
            named_joints=named_joints,
            keypoints_2d=_projected(named_joints, prediction.camera),
        )

    def _someone(self, photo: np.ndarray) -> list[Person]:
        """Everybody found in a photo; NoPersonFoundError when that is nobody."""
        people = self.find_people(photo)
        if not people:
            raise NoPersonFoundError(
                "No person was found in the photo: take one that shows a whole person, or mark the person "
                "with a box."
            )
        return people

    def find_people(self, photo: np.ndarray) -> list[Person]:
        """Everybody found in a photo (H, W, 3) uint8, the largest and surest first.

        The whole photo is looked at in several sizes, then a window around each that may be a person, so that
        they fill the networks' input; their box is that of their visible parts there.
        """
        first = [one for side in self.search.sides for one in self._first_look(photo, side)]
        candidates = distinct(first, self.search)[: self.search.looks]
        if not candidates:
            return []
        looks = self._second_look(photo, candidates)
        kept = distinct([candidate for candidate, _ in looks], self.search)
        people = [
            Person(box.clip(0, [photo.shape[1], photo.shape[0]] * 2), candidate.likeness)
            for candidate, box in looks
            if any(candidate is one for one in kept) and candidate.likeness >= self.search.least_likeness
        ]
        # What lies beyond the photo's edge for the most part has no box that could be looked at.
        people = [one for one in people if (one.box[2:] - one.box[:2]).min() >= LEAST_SIDE]
        return sorted(people, key=_standing, reverse=True)

    def _first_look(self, photo: np.ndarray, side: int) -> list[Candidate]:
        """Who may be a person in the whole photo at that size, in its px."""
        picture, scale = _shrink_whole(photo, side)
        dense = self.look(picture[None]).features[-1][0]
        return [candidate.scaled(1 / scale) for candidate in find_candidates(dense, self.search)]

    def _second_look(
        self, photo: np.ndarray, candidates: list[Candidate]
    ) -> list[tuple[Candidate, np.ndarray]]:
        """Each again from near, with a better box (4,), both in px of the photo."""
        size = self.checkpoint.preprocessing.image_size
        windows = [square_crop(one.box(self.search.least_heat), self.search.margin) for one in candidates]
        look = self.look(np.stack([extract(photo, window, size) for window in windows]))
        found = []
        people = middle_candidates(look.features[-1])
        for window, person, labels in zip(windows, people, self.segment(look), strict=True):
            mask = person_mask(labels > 0, person, self.search)
            box = mask_box(mask) if mask.any() else person.box(self.search.least_heat)
            box = window.to_photo(box.reshape(2, 2), size).ravel()
            found.append((person.scaled(window.side / size, window.box[:2]), box))
        return found

    def look(self, pictures: np.ndarray, mirror: bool = False) -> Look:
        """A look at pictures (B, H, W, 3) uint8, sides multiples of 32, and at their mirror images."""
        image = normalise(pictures, self.checkpoint.preprocessing).to(self.device)
        with torch.inference_mode():
            return look_at(self._segmenter, image, mirror)

    def segment(self, look: Look) -> np.ndarray:
        """Part ids (B, S, S) uint8 of person crops."""
        with torch.inference_mode():
            labels = self._segmenter.label(part_logits(self._segmenter, look))
        return labels.to(torch.uint8).cpu().numpy()

    def reconstruct(self, look: Look, labels: np.ndarray) -> HMNetOutput:
        """Joints (B, J, 3) and raw vertices (B, V, 3) for person crops and their part ids (B, S, S)."""
        with torch.inference_mode():
            return reconstruct(self._model, look, torch.from_numpy(labels).to(self.device).long())

    def _camera(self, vertices: np.ndarray, part_map: np.ndarray, person: Candidate) -> np.ndarray:
        """The camera (3,) that lays the mesh over the person: over the keypoints, or else over the parts."""
        sure = person.heats >= self.search.least_heat
        if np.count_nonzero(sure) >= LEAST_KEYPOINTS:
            keypoints = self.body.regress_keypoints(torch.from_numpy(vertices)).numpy()
            order = [self.body.keypoint_index(name) for name in KEYPOINT_NAMES]
            return fit_camera(keypoints[order][sure], person.keypoints[sure], person.heats[sure])
        return solve_camera(vertices, self.body.faces.numpy(), part_map, self.body.face_parts.numpy())

    def _mesh(
        self, raw_vertices: Tensor, iterations: int = 1, strength: float = 1.0, operator: str = "average"
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Regularised vertices (V, 3), their joints (J, 3) and all named points, on the CPU."""
        body = self.body
        vertices = regularise(raw_vertices, self._neighbours, iterations, strength, operator)
        joints = body.regress_joints(vertices).numpy()
        keypoints = body.regress_keypoints(vertices).numpy()
        # The skeleton's own joints win over keypoints of the same name.
        named = dict(zip(body.keypoint_names, keypoints, strict=True))
        named |= dict(zip(body.joint_names, joints, strict=True))
        return vertices.numpy(), joints, named


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name, or the fastest there is; HMNetError when it is unknown or not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(device for device, found in there.items() if found))
    kind = name.split(":")[0]
    if kind not in there:
        raise HMNetError(f"Unknown device {name!r}: choose one of {', '.join(DEVICES)}.")
    try:
        # Allocating tells more than asking: "cuda:7" may not be there while CUDA is.
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise HMNetError(
            f"The device {name} is not available here: leave it out to use the fastest there is."
        ) from error


class _Clock:
    """Milliseconds from lap to lap, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = 1000 * (now - self._last)
        self._last = now


def _shrink_whole(photo: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """The whole photo with its longer side at `side` px, on grey that fills up to multiples of STRIDE.

    Returns the canvas and its px per px of the photo.
    """
    scale = side / max(photo.shape[:2])
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    canvas = np.empty((-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), np.uint8)
    canvas[:] = OUTSIDE
    shrunk = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas[:height, :width] = shrunk
    return canvas, scale


def _standing(person: Person) -> float:
    """What a photo is of: rather what is large, and surely a person."""
    return person.likeness**LIKENESS_POWER * float(np.prod(person.box[2:] - person.box[:2])) ** 0.5


def _shown_crop(prediction: Prediction) -> tuple[Crop, float]:
    """The crop in px of the prediction's image, and that image's px per px of the photo."""
    scale = prediction.image.shape[1] / prediction.photo_size[0]
    return Crop(tuple(edge * scale for edge in prediction.crop.box)), scale


def _projected(points: dict[str, np.ndarray], camera: np.ndarray) -> dict[str, np.ndarray]:
    keypoints = project(np.stack(list(points.values())), camera)
    return dict(zip(points, keypoints, strict=True))
