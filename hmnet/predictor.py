"""From any photo to a `Prediction`: the NumPy-facing door to the networks.

Person box, square crop, 24-part map (Phase 1), joints and raw vertices (Phases 2 and 3), neighbour average
(Eq. 3), and the camera that lays the mesh over the person.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse

from hmnet.body import BodyTemplate
from hmnet.body.hand import sided_template
from hmnet.camera import fit_camera, project, solve_camera
from hmnet.checkpoint import Checkpoint
from hmnet.data.crop import Crop, extract, in_photo, restore_labels, square_crop
from hmnet.engines import choose_engine
from hmnet.errors import DataError, NoPersonFoundError
from hmnet.image import ImageSource, read_sized_image
from hmnet.mesh import MeshTopology, regularise
from hmnet.movenet import KEYPOINT_NAMES
from hmnet.people_search import Person, find_people
from hmnet.person_box import BoxSearch, Candidate, check_box
from hmnet.prediction import Prediction

__all__ = ["Prediction", "Predictor"]

LEAST_KEYPOINTS = 6
"""So many sure keypoints lay the mesh over the photo; with fewer its parts do."""
LEAST_SHARE = 0.01
"""Of a crop's pixels, the share that a person covers at least."""


class Predictor:
    """The networks of a checkpoint behind an engine; keeps nothing else, so that threads may share it."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str | None = None,
        search: BoxSearch | None = None,
        mirror: bool = True,
        engine: str | None = None,
    ) -> None:
        """device, engine: see `hmnet.engines.choose_engine`; None takes the fastest there is.

        mirror: average the answers to the crop and to its mirror image (see `hmnet.look`). Raises
        HMNetError for a device or an engine that is unknown or not there.
        """
        self.engine = choose_engine(checkpoint, device, engine)
        self.checkpoint = checkpoint
        self.search = search or BoxSearch()
        self.mirror = mirror
        topology = MeshTopology.from_faces(self.body.faces, len(self.body.vertices))
        self._neighbours = topology.neighbour_matrix.float()
        regressors = [self.body.joint_regressor.to_dense(), self.body.keypoint_regressor]
        # Not by torch: its threads, once woken, keep an engine of another kind from the cores for a while.
        self._points = sparse.csr_array(torch.cat(regressors).numpy())

    @property
    def device(self) -> torch.device:
        """Where the networks are now: the CPU after a GPU that failed."""
        return self.engine.device

    @property
    def body(self) -> BodyTemplate:
        """The template that the vertices belong to."""
        return self.checkpoint.model.body

    def predict(self, image: ImageSource, box: Sequence[float] | np.ndarray | None = None) -> Prediction:
        """Everything about the person in a photo: the one in the box, or else the first that is found.

        image: whatever `hmnet.image.read_image` takes. box: (4,) xyxy in px of the upright photo.
        Raises ImageError, BoxError or NoPersonFoundError.
        """
        clock = Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        people = self._someone(photo) if box is None else []
        box = people[0].box / scale if box is None else check_box(box, size)
        clock.lap("find_person")
        (found,) = self._look_at_boxes(photo, size, [box], clock)
        if not shows_someone(found.labels):
            raise NoPersonFoundError("No person was found in the box: mark another one, or leave it out.")
        people = tuple(replace(person, box=person.box / scale) for person in people)
        return replace(self._answered([found], clock)[0], people=people)

    def predict_people(
        self, image: ImageSource, boxes: Sequence[Sequence[float]] | np.ndarray | None = None
    ) -> list[Prediction]:
        """As `predict`, of everybody in a photo, or of those in the boxes (N, 4), all at once.

        Who is given by a box that shows nobody is left out; `timings` are those of all together.
        """
        clock = Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        if boxes is None:
            boxes = [person.box / scale for person in self._someone(photo)]
        boxes = [check_box(box, size) for box in boxes]
        clock.lap("find_person")
        found = self._look_at_boxes(photo, size, boxes, clock) if boxes else []
        found = [one for one in found if shows_someone(one.labels)]
        return self._answered(found, clock) if found else []

    def with_parts(self, prediction: Prediction, labels: np.ndarray) -> Prediction:
        """The prediction as it would be had the segmenter given these part ids (S, S) over the crop.

        The segmenter does not run. Raises DataError for labels of another shape or with unknown parts.
        """
        size, most = self.checkpoint.preprocessing.image_size, len(self.body.part_names) - 1
        if labels.shape != (size, size) or labels.min() < 0 or labels.max() > most:
            raise DataError(
                f"Expected part ids from 0 to {most} of shape {(size, size)}, got {labels.min()} to "
                f"{labels.max()} of shape {labels.shape}: change a prediction's own labels."
            )
        changed = replace(_found_of(prediction), labels=labels.astype(np.uint8))
        (answered,) = self._answered([changed], Clock())
        return replace(answered, timings={**prediction.timings, **answered.timings}, people=prediction.people)

    def features(self, prediction: Prediction) -> dict[str, np.ndarray]:
        """The two vectors (N,) that are joined for the branches: of the "photo" and of its "parts"."""
        model = self.checkpoint.model
        seen, labels = (torch.from_numpy(array[:1]) for array in (prediction.seen, prediction.labels[None]))
        with torch.inference_mode():
            photo = model.rgb_encoder(seen.to(self.device))
            parts = model.part_encoder(labels.to(self.device).long())
        return {"photo": photo[0].cpu().numpy(), "parts": parts[0].cpu().numpy()}

    def _look_at_boxes(
        self, photo: np.ndarray, size: tuple[int, int], boxes: list[np.ndarray], clock: "Clock"
    ) -> list["Found"]:
        """What is seen in boxes (4,), px of the upright photo of that size; `photo` may be a smaller one."""
        scale = max(photo.shape[:2]) / max(size)
        margin = self.checkpoint.preprocessing.crop_margin
        crops = [square_crop(box * scale, margin) for box in boxes]
        return self._look_at_crops(photo, size, boxes, crops, clock)

    def _look_at_crops(
        self,
        photo: np.ndarray,
        size: tuple[int, int],
        boxes: list[np.ndarray],
        crops: list[Crop],
        clock: "Clock",
    ) -> list["Found"]:
        """What is seen in those crops, px of `photo`, of boxes as in `_look_at_boxes`."""
        side = self.checkpoint.preprocessing.image_size
        pictures = np.stack([extract(photo, crop, side) for crop in crops])
        clock.lap("crop")
        sight = self.engine.look(pictures, self.mirror)
        clock.lap("segment")
        people = [
            Candidate(crop.to_photo(places, side), heats)
            for places, heats, crop in zip(sight.keypoints, sight.heats, crops, strict=True)
        ]
        return [
            Found(photo, size, box, crop, sight.labels[index], person, sight.seen[index :: len(boxes)])
            for index, (box, crop, person) in enumerate(zip(boxes, crops, people, strict=True))
        ]  # fmt: skip

    def _answered(self, found: list["Found"], clock: "Clock") -> list[Prediction]:
        """Predictions of people who were found in one photo."""
        # All first views, then all mirrored ones.
        seen = np.stack([one.seen for one in found], 1)
        seen = seen.reshape(-1, *seen.shape[2:])
        joints, raw_vertices = self.engine.reconstruct(seen, np.stack([one.labels for one in found]))
        clock.lap("reconstruct")
        joints, raw_vertices = (
            [in_photo(points, one.crop) for points, one in zip(answer, found, strict=True)]
            for answer in (joints, raw_vertices)
        )
        meshes = [self._mesh(one) for one in raw_vertices]
        clock.lap("regularise")
        predictions = []
        for index, one in enumerate(found):
            mesh = meshes[index]
            named_joints = self._named(mesh)
            scale = max(one.photo.shape[:2]) / max(one.size)
            part_map = restore_labels(one.labels, one.crop, one.photo.shape[:2])
            camera = self._camera(mesh.vertices, mesh.keypoints, part_map, one.person)
            camera[0] /= scale
            side = ("left" if one.crop.in_mirror else "right") if self.body.one_sided else None
            predictions.append(Prediction(
                image=one.photo, photo_size=one.size, box=one.box,
                crop=replace(one.crop, box=tuple(float(edge) / scale for edge in one.crop.box)),
                part_map=part_map, labels=one.labels, joints=joints[index], regressed_joints=mesh.joints,
                raw_vertices=raw_vertices[index], vertices=mesh.vertices, camera=camera,
                named_joints=named_joints,
                keypoints_2d=_projected(named_joints, camera), person=one.person.scaled(1 / scale),
                seen=one.seen, timings=clock.laps, weights=self.checkpoint.info,
                body=sided_template(self.body.name, side) if side else self.body, side=side,
            ))  # fmt: skip
        clock.lap("camera")
        return predictions

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
        mesh = self._mesh(prediction.raw_vertices, iterations, strength, operator)
        named_joints = self._named(mesh)
        return replace(
            prediction,
            vertices=mesh.vertices,
            regressed_joints=mesh.joints,
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
        """Everybody found in a photo (H, W, 3) uint8, the largest and surest first."""
        return find_people(self.engine, photo, self.search, self.checkpoint.preprocessing.image_size)

    def _camera(
        self, vertices: np.ndarray, keypoints: np.ndarray, part_map: np.ndarray, person: Candidate
    ) -> np.ndarray:
        """The camera (3,) that lays the mesh over the person: over the keypoints, or else over the parts."""
        sure = person.heats >= self.search.least_heat
        if np.count_nonzero(sure) >= LEAST_KEYPOINTS:
            order = [self.body.keypoint_index(name) for name in KEYPOINT_NAMES]
            return fit_camera(keypoints[order][sure], person.keypoints[sure], person.heats[sure])
        return solve_camera(vertices, self.body.faces.numpy(), part_map, self.body.face_parts.numpy())

    def _mesh(
        self, raw_vertices: np.ndarray, iterations: int = 1, strength: float = 1.0, operator: str = "average"
    ) -> "_Mesh":
        """The regularised mesh with its joints and keypoints."""
        vertices = torch.from_numpy(raw_vertices)
        vertices = regularise(vertices, self._neighbours, iterations, strength, operator).numpy()
        points = self._points @ vertices
        joints, keypoints = np.split(points, [len(self.body.joint_names)])
        return _Mesh(vertices, joints, keypoints)

    def _named(self, mesh: "_Mesh") -> dict[str, np.ndarray]:
        # The skeleton's own joints win over keypoints of the same name.
        named = dict(zip(self.body.keypoint_names, mesh.keypoints, strict=True))
        return named | dict(zip(self.body.joint_names, mesh.joints, strict=True))


@dataclass(frozen=True)
class _Mesh:
    """vertices: (V, 3), regularised. joints: (J, 3) and keypoints: (K, 3) of it."""

    vertices: np.ndarray
    joints: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True)
class Found:
    """Somebody in a photo, before there is a mesh, by the names of `Prediction`.

    crop, person: in px of `photo`, which may be smaller than the photo as it came, whose size is `size`.
    """

    photo: np.ndarray
    size: tuple[int, int]
    box: np.ndarray
    crop: Crop
    labels: np.ndarray
    person: Candidate
    seen: np.ndarray


class Clock:
    """Milliseconds from lap to lap, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = 1000 * (now - self._last)
        self._last = now


def shows_someone(labels: np.ndarray) -> bool:
    return np.count_nonzero(labels) >= LEAST_SHARE * labels.size


def _found_of(prediction: Prediction) -> Found:
    """What the prediction's mesh was made of."""
    scale = max(prediction.image.shape[:2]) / max(prediction.photo_size)
    crop = replace(prediction.crop, box=tuple(edge * scale for edge in prediction.crop.box))
    return Found(
        prediction.image, prediction.photo_size, prediction.box, crop, prediction.labels,
        prediction.person.scaled(scale), prediction.seen,
    )  # fmt: skip


def _projected(points: dict[str, np.ndarray], camera: np.ndarray) -> dict[str, np.ndarray]:
    keypoints = project(np.stack(list(points.values())), camera)
    return dict(zip(points, keypoints, strict=True))
