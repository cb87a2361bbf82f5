"""The paper's metrics on a rendered test set, and the segmenter's on photos: `python -m hmnet evaluate`."""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmnet.checkpoint import Checkpoint, load_checkpoint
from hmnet.data import testset
from hmnet.data.crop import extract, extract_labels, normalise, square_crop
from hmnet.data.shards import StoredSample, read_shards, shard_paths
from hmnet.errors import DataError
from hmnet.image import read_image
from hmnet.mesh import MeshTopology, neighbour_average, roughness
from hmnet.metrics import (
    joint_error,
    pa_joint_error,
    pa_surface_error,
    part_confusion,
    part_iou,
    surface_error,
)
from hmnet.model_card import write_model_card

BATCH = 32
RESAMPLES = 1000
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet evaluate`."""
    parser.add_argument("--data", type=Path, help="folder of test shards from `hmnet generate --split test`")
    parser.add_argument("--limit", type=int, help="evaluate the first N samples only")
    parser.add_argument(
        "--true-parts", action="store_true", help="feed the true part map (the paper's Oracle)"
    )
    parser.add_argument("--weights", help="folder or Hub repo of the weights (default: the embedded ones)")
    parser.add_argument(
        "--record", action="store_true", help="write the means into config.json of the --weights folder"
    )
    parser.add_argument(
        "--photos", type=Path, help="folder of photos, with --masks: the segmenter's IoU on them"
    )
    parser.add_argument("--masks", type=Path, help="folder of person masks (PNG) named like the photos")
    parser.add_argument(
        "--only", nargs="*", help="stems of the photos to use (default: all that have a mask)"
    )


def run(options: argparse.Namespace) -> None:
    """Print what was asked for."""
    if options.data is None and options.masks is None:
        raise DataError("Nothing to evaluate: give --data SHARDS, or --photos DIR with --masks DIR.")
    checkpoint = load_checkpoint(options.weights)
    print(f"weights: {checkpoint.info.source}, revision {checkpoint.info.revision}")
    if options.data is not None:
        name = testset.name_of(options.data, testset.read_record())
        print(f"data: the fixed test set {name!r}" if name else "data: none of the fixed test sets")
        errors = pose_errors(checkpoint, options.data, options.limit, options.true_parts)
        print_table(errors)
        print_slices(errors, [s.tags for s in _samples(options.data, options.limit)])
        if options.record:
            record(Path(options.weights or ""), errors)
    if options.masks is not None:
        if options.photos is None:
            raise DataError("--masks needs --photos: the folder of the photos that the masks belong to.")
        for threshold, score in mask_scores(checkpoint, options.photos, options.masks, options.only):
            print(f"foreground threshold {threshold:.1f}: IoU {score:.3f}")


@torch.inference_mode()
def pose_errors(
    checkpoint: Checkpoint, data: Path, limit: int | None = None, true_parts: bool = False
) -> dict[str, np.ndarray]:
    """Errors of every test sample, (N,) each, in mm; parts in IoU.

    The crop is the true box, as in the paper. Joints are regressed from the mesh, not the joint branch's.
    """
    model, segmenter = checkpoint.model.eval(), checkpoint.segmenter.eval()
    body = model.body
    neighbours = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    columns: dict[str, list[Tensor]] = {}
    confusion = torch.zeros(25, 25, dtype=torch.long)
    for images, pictures, true_maps, vertices, joints in _batches(checkpoint, data, limit):
        labels = segmenter.label(segmenter(pictures))
        maps = true_maps if true_parts else _resized(labels, images.shape[-1])
        confusion += part_confusion(maps, true_maps)
        raw = model(images, maps).vertices
        averaged = neighbour_average(raw, neighbours)
        for name, mesh in (("", averaged), ("raw ", raw)):
            regressed = body.regress_joints(mesh)
            rows = {
                "surface": surface_error(mesh, vertices),
                "joint": joint_error(regressed, joints),
                "PA surface": pa_surface_error(mesh, vertices),
                "PA joint": pa_joint_error(regressed, joints),
                "roughness": 1000 * roughness(mesh, neighbours),
            }
            for key, value in rows.items():
                columns.setdefault(name + key, []).append(value)
    mean_iou, person_iou = part_iou(confusion)
    result = {name: torch.cat(values).double().numpy() for name, values in columns.items()}
    result["part mean IoU"], result["person IoU"] = np.array([mean_iou]), np.array([person_iou])
    return result


def _batches(checkpoint: Checkpoint, data: Path, limit: int | None) -> Iterator[tuple[Tensor, ...]]:
    """Batches: images at HMNet's size and at the segmenter's, true maps, vertices and joints."""
    samples = list(_samples(data, limit))
    preprocessing = checkpoint.preprocessing
    size, margin = preprocessing.image_size, preprocessing.crop_margin
    for start in range(0, len(samples), BATCH):
        chunk = samples[start : start + BATCH]
        crops = [square_crop(s.box, margin) for s in chunk]
        images, pictures = (
            normalise(
                np.stack([extract(s.image, c, side) for s, c in zip(chunk, crops, strict=True)]),
                preprocessing,
            )
            for side in (size, preprocessing.segmenter_size)
        )
        maps = [extract_labels(s.part_map, c, size) for s, c in zip(chunk, crops, strict=True)]
        yield (
            images,
            pictures,
            torch.from_numpy(np.stack(maps)).long(),
            torch.from_numpy(np.stack([s.vertices for s in chunk])),
            torch.from_numpy(np.stack([s.joints for s in chunk])),
        )


def _samples(data: Path, limit: int | None) -> Iterator[StoredSample]:
    return itertools.islice(read_shards(shard_paths(data)), limit)


def _resized(labels: Tensor, size: int) -> Tensor:
    """Part ids (B, N, N) as (B, size, size), each pixel taking the nearest label, as the predictor does."""
    index = ((torch.arange(size) + 0.5) * labels.shape[-1] / size).long()
    return labels[:, index][:, :, index]


def record(folder: Path, errors: dict[str, np.ndarray]) -> None:
    """Write the means into a checkpoint's config.json and model card; DataError when that is none."""
    path = folder / "config.json"
    if not path.is_file():
        raise DataError(f"--record needs the checkpoint's folder as --weights; {folder} has no config.json.")
    config = json.loads(path.read_text())
    config["metrics"] = {name: round(float(values.mean()), 3) for name, values in errors.items()}
    path.write_text(json.dumps(config, indent=1))
    write_model_card(folder)


def print_table(errors: dict[str, np.ndarray]) -> None:
    """Mean of each column with a 95 % bootstrap interval over the samples."""
    generator = np.random.default_rng(0)
    count = max(len(v) for v in errors.values())
    print(f"{count} test images; mean [95 % interval]")
    for name, values in errors.items():
        if len(values) == 1:
            print(f"{name:16s} {values[0]:.3f}")
            continue
        picks = generator.integers(0, len(values), (RESAMPLES, len(values)))
        low, high = np.percentile(values[picks].mean(1), [2.5, 97.5])
        print(f"{name:16s} {values.mean():6.1f} mm [{low:.1f}, {high:.1f}]")


def print_slices(errors: dict[str, np.ndarray], tags: list[tuple[str, ...]]) -> None:
    """Means over the samples that share a tag, and over those without any; nothing where none is tagged."""
    columns = ("surface", "joint", "PA surface", "PA joint")
    rows = {tag: np.array([tag in own for own in tags]) for tag in sorted({t for own in tags for t in own})}
    if not rows:
        return
    rows["none of these"] = np.array([not own for own in tags])
    print(f"{'slice':16s} images " + " ".join(f"{name:>10s}" for name in columns) + "  (mm)")
    for tag, chosen in rows.items():
        if chosen.any():
            means = " ".join(f"{errors[name][chosen].mean():10.1f}" for name in columns)
            print(f"{tag:16s} {chosen.sum():6d} {means}")


@torch.inference_mode()
def mask_scores(
    checkpoint: Checkpoint, photos: Path, masks: Path, only: list[str] | None = None
) -> list[tuple[float, float]]:
    """Mean foreground IoU over photos at each threshold, in crops around the masks' own boxes."""
    segmenter = checkpoint.segmenter.eval()
    preprocessing = checkpoint.preprocessing
    files = [f for f in sorted(masks.glob("*.png")) if only is None or f.stem in only]
    if not files:
        raise DataError(f"No mask (*.png) to use in {masks}: give the folder of the person masks.")
    scores = np.zeros((len(files), len(THRESHOLDS)))
    for row, file in enumerate(files):
        photo = next((p for p in photos.glob(f"{file.stem}.*")), None)
        if photo is None:
            raise DataError(f"No photo {file.stem}.* in {photos}: give the photos that the masks belong to.")
        image = read_image(photo)
        mask = read_image(file)[..., 0] > 127
        if mask.shape != image.shape[:2]:
            raise DataError(
                f"{file.name} is {mask.shape} px but its photo {image.shape[:2]}: use equal sizes."
            )
        rows, columns = np.nonzero(mask)
        crop = square_crop(
            (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), preprocessing.crop_margin
        )
        size = preprocessing.segmenter_size
        logits = segmenter(normalise(extract(image, crop, size)[None], preprocessing))
        true = extract_labels(mask.astype(np.uint8), crop, size) > 0
        for column, threshold in enumerate(THRESHOLDS):
            found = segmenter.label(logits, threshold)[0].numpy() > 0
            scores[row, column] = (found & true).sum() / max((found | true).sum(), 1)
    return list(zip(THRESHOLDS, scores.mean(0).tolist(), strict=True))
