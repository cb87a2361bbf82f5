"""The paper's errors (section 4) of a checkpoint on a rendered test set, image by image."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.body.full_surface import on_surface_of
from hmnet.checkpoint import Checkpoint
from hmnet.config import HANDS
from hmnet.data.crop import Crop, extract, extract_labels, normalise, square_crop
from hmnet.data.dataset_sample import DatasetSample
from hmnet.data.hand_windows import upright_points
from hmnet.data.shards import StoredSample, read_shards, shard_paths
from hmnet.errors import DataError
from hmnet.hand_metrics import f_scores
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.mesh import MeshTopology, neighbour_average, normal_deviation, roughness
from hmnet.metrics import (
    each_part_iou,
    joint_error,
    pa_joint_error,
    pa_point_errors,
    part_confusion,
    part_iou,
    part_means,
    point_errors,
    similarity_align,
    surface_error,
)
from hmnet.upright_hand import upright_hands

BATCH = 32
MESH_ERRORS = ("surface", "joint", "PA surface", "PA joint", "roughness", "normal deviation")
FULL = ("full surface",)
HAND_SCORES = ("F@5", "F@15", "PA F@5", "PA F@15")
EACH_JOINT = ("each joint", "PA each joint")
BRANCH_ERRORS = ("joint branch", "PA joint branch")


@torch.inference_mode()
def pose_errors(
    checkpoint: Checkpoint,
    data: Path,
    limit: int | None = None,
    true_parts: bool = False,
    mirror: bool = True,
    crops: Sequence[Crop] | None = None,
) -> dict[str, np.ndarray]:
    """Errors of N test samples in mm, and IoU of the part maps that HMNet was given.

    MESH_ERRORS, (N,) each: of the regularised mesh, and with "raw " before the name of the raw one; joints
    are regressed from the mesh, "normal deviation" is in degrees. BRANCH_ERRORS, (N,): of the joint branch's
    own joints, or of the raw mesh's where a variant has no such branch.
    "full surface" (N,): of the regularised mesh after upsampling, so that templates can be compared.
    Of the regularised mesh also "part surface", "PA part surface" (N, P), means over each part's vertices,
    and "each joint", "PA each joint" (N, J); PA aligns the body as a whole.
    Of a hand also HAND_SCORES (N,), see `hmnet.hand_metrics`, and EACH_JOINT (N, J) of the raw mesh.
    "part IoU" (1, P), "part mean IoU" and "person IoU" (1,).
    The crop is the true box, as in the paper. mirror: average with the answers to the mirror images, but not
    of a body that has none. crops: those of the samples, where `crops_of` has found them before. Raises
    DataError where there is no sample, or where the samples are of another
    body than the network's.
    """
    model, segmenter = checkpoint.model.eval(), checkpoint.segmenter.eval()
    body = model.body
    neighbours = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    columns: dict[str, list[Tensor]] = {}
    part_count = len(body.part_names) - 1
    confusion = torch.zeros(part_count + 1, part_count + 1, dtype=torch.long)
    chosen = list(samples(data, limit))
    for images, true_maps, stored, joints in batches(chosen, checkpoint, crops):
        vertices = _true_surface(stored, body)
        look = look_at(segmenter, images, mirror and not body.one_sided)
        maps = true_maps if true_parts else segmenter.label(part_logits(segmenter, look))
        output = reconstruct(model, look, maps)
        confusion += part_confusion(maps, true_maps, part_count)
        averaged = neighbour_average(output.vertices, neighbours)
        rows = _mesh_errors(averaged, vertices, joints, body, neighbours)
        raw = _mesh_errors(output.vertices, vertices, joints, body, neighbours)
        rows |= {f"raw {name}": raw[name] for name in MESH_ERRORS}
        rows |= {
            "full surface": surface_error(body.upsample(averaged), body.upsample(vertices)),
            "joint branch": joint_error(output.joints, joints),
            "PA joint branch": pa_joint_error(output.joints, joints),
        }
        if body.name in HANDS:
            rows |= hand_scores(averaged, vertices) | {f"raw {name}": raw[name] for name in EACH_JOINT}
        for name, values in rows.items():
            columns.setdefault(name, []).append(values)
    if not columns:
        raise DataError(f"There is no sample to evaluate in {data}: give other shards, or a larger --limit.")
    result = {name: torch.cat(values).double().numpy() for name, values in columns.items()}
    mean_iou, person_iou = part_iou(confusion)
    result["part mean IoU"], result["person IoU"] = np.array([mean_iou]), np.array([person_iou])
    result["part IoU"] = each_part_iou(confusion)[None].numpy()
    return result


def hand_scores(mesh: Tensor, vertices: Tensor) -> dict[str, Tensor]:
    """HAND_SCORES (B,) of meshes (B, V, 3), as they are and laid over the truth."""
    aligned = f_scores(similarity_align(mesh, vertices), vertices)
    return f_scores(mesh, vertices) | {f"PA {name}": values for name, values in aligned.items()}


def _true_surface(stored: Tensor, body: BodyTemplate) -> Tensor:
    """Stored true vertices (B, T, 3) on the network's template, (B, V, 3); DataError for another body's."""
    vertices = on_surface_of(body, stored)
    if vertices.shape[1] != len(body.vertices):
        raise DataError(
            f"The samples' bodies have {vertices.shape[1]} vertices, but the network's body {body.name} has "
            f"{len(body.vertices)}: give samples of that body, or weights for the body anny."
        )
    return vertices


def _mesh_errors(
    mesh: Tensor, vertices: Tensor, joints: Tensor, body: BodyTemplate, neighbours: Tensor
) -> dict[str, Tensor]:
    """All errors of meshes (B, V, 3) by the names of `pose_errors`, (B,), (B, P) or (B, J) each."""
    regressed, part_count = body.regress_joints(mesh), len(body.part_names) - 1
    surface, pa_surface = point_errors(mesh, vertices), pa_point_errors(mesh, vertices)
    each_joint, pa_each_joint = point_errors(regressed, joints), pa_point_errors(regressed, joints)
    return {
        "surface": surface.mean(1),
        "joint": each_joint.mean(1),
        "PA surface": pa_surface.mean(1),
        "PA joint": pa_each_joint.mean(1),
        "roughness": 1000 * roughness(mesh, neighbours),
        "normal deviation": normal_deviation(mesh, body.faces, neighbours),
        "part surface": part_means(surface, body.vertex_parts, part_count),
        "PA part surface": part_means(pa_surface, body.vertex_parts, part_count),
        "each joint": each_joint,
        "PA each joint": pa_each_joint,
    }


def batches(
    chosen: Sequence[StoredSample], checkpoint: Checkpoint, crops: Sequence[Crop] | None = None
) -> Iterator[tuple[Tensor, ...]]:
    """The samples in those crops, or in `crops_of` them, in batches of BATCH.

    Pictures (B, 3, S, S) normalised, true part ids (B, S, S), vertices (B, V, 3) and joints (B, J, 3) in m,
    in the frame of the crop.
    """
    preprocessing = checkpoint.preprocessing
    size = preprocessing.image_size
    for start in range(0, len(chosen), BATCH):
        chunk = chosen[start : start + BATCH]
        own = crops_of(chunk, checkpoint) if crops is None else crops[start : start + BATCH]
        pictures = [extract(s.image, crop, size) for s, crop in zip(chunk, own, strict=True)]
        maps = [extract_labels(s.part_map, crop, size) for s, crop in zip(chunk, own, strict=True)]
        yield (
            normalise(np.stack(pictures), preprocessing),
            torch.from_numpy(np.stack(maps)).long(),
            _in_crops([s.vertices for s in chunk], own),
            _in_crops([s.joints for s in chunk], own),
        )


def _in_crops(points: Sequence[np.ndarray], crops: Sequence[Crop]) -> Tensor:
    """Points (N, 3) of each sample in the frame of its crop, (B, N, 3) float32."""
    turned = [upright_points(*pair) for pair in zip(points, crops, strict=True)]
    return torch.from_numpy(np.stack(turned)).float()


def crops_of(chunk: Sequence[StoredSample | DatasetSample], checkpoint: Checkpoint) -> list[Crop]:
    """The crops of the samples' true boxes that the checkpoint's networks are shown.

    A hand's is turned upright and drawn anew around its landmarks by `hmnet.upright_hand`, as for any photo.
    """
    size, margin = checkpoint.preprocessing.image_size, checkpoint.preprocessing.crop_margin
    if not checkpoint.model.body.one_sided:
        return [square_crop(s.box, margin) for s in chunk]

    def look(pictures: np.ndarray) -> np.ndarray:
        return checkpoint.segmenter.features(normalise(pictures, checkpoint.preprocessing))[-1].numpy()

    hands = upright_hands(look, [s.image for s in chunk], [s.box for s in chunk], margin, size)
    return [hand.crop for hand in hands]


def samples(data: Path, limit: int | None = None) -> Iterator[StoredSample]:
    """The first `limit` samples of a folder of shards, or all of them."""
    return itertools.islice(read_shards(shard_paths(data)), limit)
