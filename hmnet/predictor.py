"""From any photo to a `Prediction`: the NumPy-facing door to the networks.

Person box, square crop, 24-part map (Phase 1), joints and raw vertices (Phases 2 and 3), neighbour average
(Eq. 3), and the camera that lays the mesh over the person.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.camera import project, solve_camera
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.data.crop import (
    OUTSIDE,
    Crop,
    extract,
    extract_labels,
    normalise,
    restore_labels,
    square_crop,
)
from hmnet.errors import HMNetError, NoPersonFoundError
from hmnet.image import ImageSource, read_sized_image
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.model import HMNetOutput
from hmnet.person_box import BoxSearch, check_box, find_people, likeness, mask_box, most_inside

STRIDE = 32
"""The segmenter's sides are multiples of this."""
DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Prediction:
    """What was found in one photo. Points: metres, camera frame, relative to the pelvis.

    image: (H, W, 3) uint8, the upright photo, scaled down when very large. photo_size: (width, height) of the
    upright photo as it came; all other pixel values are in its pixels.
    box: (4,) xyxy, the person. crop: the square that the networks saw.
    part_map: (H, W) uint8 over `image`, 0 outside the crop.
    joints: (J, 3) of the joint branch. regressed_joints: (J, 3) of the regularised mesh.
    raw_vertices: (V, 3) of the surface branch. vertices: (V, 3), regularised.
    camera: (3,) weak perspective s, tx, ty. named_joints: the regressed joints by name, and the body's
    keypoints whose names are not among them, (3,) each. keypoints_2d: their projections, (2,) px each.
    timings: ms a stage. weights: which weights answered.
    """

    image: np.ndarray
    photo_size: tuple[int, int]
    box: np.ndarray
    crop: Crop
    part_map: np.ndarray
    joints: np.ndarray
    regressed_joints: np.ndarray
    raw_vertices: np.ndarray
    vertices: np.ndarray
    camera: np.ndarray
    named_joints: dict[str, np.ndarray]
    keypoints_2d: dict[str, np.ndarray]
    timings: dict[str, float]
    weights: WeightsInfo


class Predictor:
    """Holds the networks of a checkpoint on one device; keeps nothing else, so that threads may share it."""

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, search: BoxSearch | None = None
    ) -> None:
        """device: "cpu", "cuda" or "mps"; None takes the fastest there is. Moves the checkpoint's networks.

        Raises HMNetError for a device that is unknown or not there.
        """
        self.device = choose_device(device)
        self.checkpoint = checkpoint
        self.search = search or BoxSearch()
        self._model = checkpoint.model.to(self.device, memory_format=torch.channels_last).eval()
        self._segmenter = checkpoint.segmenter.to(self.device, memory_format=torch.channels_last).eval()
        self._neighbours = MeshTopology.from_faces(self.body.faces, len(self.body.vertices)).neighbour_matrix

    @property
    def body(self) -> BodyTemplate:
        """The template that the vertices belong to."""
        return self.checkpoint.model.body

    def predict(self, image: ImageSource, box: Sequence[float] | np.ndarray | None = None) -> Prediction:
        """Everything about the person in a photo: the one in the box, or else the largest.

        image: whatever `hmnet.image.read_image` takes. box: (4,) xyxy in px of the upright photo.
        Raises ImageError, BoxError or NoPersonFoundError.
        """
        clock = _Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        box = self.find_box(photo) if box is None else check_box(box, size) * scale
        clock.lap("find_person")
        preprocessing = self.checkpoint.preprocessing
        crop = square_crop(box, preprocessing.crop_margin)
        # Cutting out costs as much as labelling does, so equal sizes share one picture.
        sizes = {preprocessing.segmenter_size, preprocessing.image_size}
        pictures = {size: extract(photo, crop, size) for size in sizes}
        labels = self.segment(pictures[preprocessing.segmenter_size])
        if np.count_nonzero(labels) < self.search.least_area * labels.size:
            raise NoPersonFoundError("No person was found in the box: mark another one, or leave it out.")
        clock.lap("segment")
        output = self.reconstruct(pictures[preprocessing.image_size], labels)
        joints, raw_vertices = output.joints[0].cpu(), output.vertices[0].cpu()
        clock.lap("reconstruct")
        vertices, regressed_joints, named_joints = self._mesh(raw_vertices, 1, 1.0)
        clock.lap("regularise")
        part_map = restore_labels(labels, crop, photo.shape[:2])
        camera = solve_camera(vertices, self.body.faces.numpy(), part_map, self.body.face_parts.numpy())
        camera[0] /= scale
        clock.lap("camera")
        return Prediction(
            image=photo,
            photo_size=size,
            box=box / scale,
            crop=Crop(tuple(float(edge) / scale for edge in crop.box)),
            part_map=part_map,
            joints=joints.numpy(),
            regressed_joints=regressed_joints,
            raw_vertices=raw_vertices.numpy(),
            vertices=vertices,
            camera=camera,
            named_joints=named_joints,
            keypoints_2d=_projected(named_joints, camera),
            timings=clock.laps,
            weights=self.checkpoint.info,
        )

    def regularise(self, prediction: Prediction, iterations: int = 1, strength: float = 1.0) -> Prediction:
        """The prediction with its raw vertices averaged anew (Eq. 3); the networks do not run.

        0 iterations give the raw mesh. The camera stays. Raises TopologyError for negative iterations.
        """
        vertices, regressed_joints, named_joints = self._mesh(
            torch.from_numpy(prediction.raw_vertices), iterations, strength
        )
        return replace(
            prediction,
            vertices=vertices,
            regressed_joints=regressed_joints,
            named_joints=named_joints,
            keypoints_2d=_projected(named_joints, prediction.camera),
        )

    def find_box(self, photo: np.ndarray) -> np.ndarray:
        """Box (4,) of the largest person in a photo (H, W, 3) uint8, in its px.

        The whole photo is looked at first, then a window around what may be a person, so that it fills the
        segmenter's input. What shows more of a person's parts there counts for more than what is larger.
        Raises NoPersonFoundError.
        """
        best, best_score, best_like = None, 0.0, 0.0
        for side in self.search.sides:
            for first in self._first_look(photo, side):
                box, like = self._second_look(photo, first)
                score = like**4 * float(np.prod(box[2:] - box[:2])) ** 0.5
                if like >= self.search.least_likeness and score > best_score:
                    best, best_score, best_like = box, score, like
            if best is not None and best_like >= self.search.sure:
                break
        if best is None:
            raise NoPersonFoundError(
                "No person was found in the photo: take one that shows a whole person, or mark the person "
                "with a box."
            )
        return best.clip(0, [photo.shape[1], photo.shape[0]] * 2)

    def _first_look(self, photo: np.ndarray, side: int) -> list[np.ndarray]:
        """Boxes (4,) in px of the photo of what may be people, the likeliest few."""
        picture, scale, (width, height) = _shrink_whole(photo, side)
        foreground, parts = (whole[:height, :width] for whole in self._look(picture))
        people = self._people(foreground)
        people.sort(key=lambda mask: likeness(parts[mask]) ** 4 * mask.sum() ** 0.5, reverse=True)
        return [mask_box(mask) / scale for mask in people[: self.search.looks]]

    def _second_look(self, photo: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, float]:
        """A better box (4,) in px of the photo for a first one, and how much it shows a person."""
        window = square_crop(first, self.search.margin)
        side = self.checkpoint.preprocessing.segmenter_size
        foreground, parts = self._look(extract(photo, window, side))
        person = most_inside(self._people(foreground), window.to_crop(first.reshape(2, 2), side).ravel())
        if person is None:
            return first, 0.0
        box = window.to_photo(mask_box(person).reshape(2, 2), side).ravel()
        return box, likeness(parts[person])

    def segment(self, picture: np.ndarray) -> np.ndarray:
        """Part ids (S, S) uint8 in a person crop (S, S, 3) uint8; S is the preprocessing's segmenter_size."""
        with torch.inference_mode():
            labels = self._segmenter.label(self._segmenter(self._normalised(picture)))[0]
        return labels.to(torch.uint8).cpu().numpy()

    def reconstruct(self, picture: np.ndarray, labels: np.ndarray) -> HMNetOutput:
        """Joints (1, J, 3) and raw vertices (1, V, 3) for a person crop (S, S, 3) uint8 and its part ids.

        S is the preprocessing's image_size; the part ids (N, N) may have another size.
        """
        whole = Crop((0.0, 0.0, float(len(labels)), float(len(labels))))
        labels = extract_labels(labels, whole, len(picture))
        with torch.inference_mode():
            part_map = torch.from_numpy(labels).to(self.device).long()[None]
            return self._model(self._normalised(picture), part_map)

    def _mesh(
        self, raw_vertices: Tensor, iterations: int, strength: float
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Regularised vertices (V, 3), their joints (J, 3) and all named points, on the CPU."""
        body = self.body
        vertices = neighbour_average(raw_vertices, self._neighbours, iterations, strength)
        joints = body.regress_joints(vertices).numpy()
        keypoints = body.regress_keypoints(vertices).numpy()
        # The skeleton's own joints win over keypoints of the same name.
        named = dict(zip(body.keypoint_names, keypoints, strict=True))
        named |= dict(zip(body.joint_names, joints, strict=True))
        return vertices.numpy(), joints, named

    def _people(self, foreground: np.ndarray) -> list[np.ndarray]:
        return find_people(foreground, 1 - self._segmenter.config.foreground_threshold, self.search)

    def _look(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Foreground probability (H, W) and the parts' own (H, W, 24) for a picture (H, W, 3) uint8."""
        with torch.inference_mode():
            logits = self._segmenter(self._normalised(picture))[0]
            foreground, parts = 1 - logits.softmax(0)[0], logits[1:].softmax(0).movedim(0, 2)
        return foreground.cpu().numpy(), parts.cpu().numpy()

    def _normalised(self, picture: np.ndarray) -> Tensor:
        """A picture (H, W, 3) uint8 as the networks' input (1, 3, H, W)."""
        return normalise(picture[None], self.checkpoint.preprocessing).to(self.device)


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


def _shrink_whole(photo: np.ndarray, side: int) -> tuple[np.ndarray, float, tuple[int, int]]:
    """The whole photo with its longer side at `side` px, on grey that fills up to multiples of STRIDE.

    Returns the canvas, its px per px of the photo, and the (width, height) that the photo takes of it.
    """
    scale = side / max(photo.shape[:2])
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    canvas = np.empty((-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), np.uint8)
    canvas[:] = OUTSIDE
    shrunk = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas[:height, :width] = shrunk
    return canvas, scale, (width, height)


def _projected(points: dict[str, np.ndarray], camera: np.ndarray) -> dict[str, np.ndarray]:
    keypoints = project(np.stack(list(points.values())), camera)
    return dict(zip(points, keypoints, strict=True))
