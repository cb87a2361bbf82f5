"""The errors of a checkpoint on rendered pictures and on photos: `python -m hmnet evaluate`.

--data TEST                       the paper's metrics on a rendered test set, by part and by joint as well
--data NAME --root DIR            the paper's metrics on surreal, up3d or human36m, from the set's own files
--data freihand --root DIR        FreiHAND's measures of a hand's weights, and its submission
--photos DIR --reference FILE     the joints found in photos against reference poses, nobody's box given
--photos DIR --masks DIR          the segmenter's IoU of person against background on photos
--table N                         the paper's table N, published rows beside the errors that were recorded
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hmnet import freihand_errors, set_errors
from hmnet.body import BodyTemplate
from hmnet.checkpoint import CONFIG, Checkpoint, load_checkpoint
from hmnet.data import testset
from hmnet.data.crop import extract, extract_labels, normalise, square_crop
from hmnet.errors import DataError, NoPersonFoundError
from hmnet.hand_metrics import pck_auc
from hmnet.image import read_image
from hmnet.look import look_at, part_logits
from hmnet.metrics import bootstrap_interval
from hmnet.model_card import write_model_card
from hmnet.person_box import mask_box
from hmnet.photo_scores import PhotoScore, Reference, read_reference, score_lines, score_photo
from hmnet.pose_errors import (
    BRANCH_ERRORS,
    EACH_JOINT,
    FULL,
    HAND_SCORES,
    MESH_ERRORS,
    pose_errors,
    samples,
)
from hmnet.predictor import Predictor
from hmnet.published import TABLES
from hmnet.report import summary
from hmnet.tables import paper_table
from hmnet.variants import form_of

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NAME, CELL = 22, 22
"""Widths of a row's name and of a mean with its interval."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet evaluate`."""
    parser.add_argument(
        "--data", type=Path,
        help="folder of test shards from `hmnet generate --split test`, or the name of a dataset in --root",
    )  # fmt: skip
    set_errors.add_arguments(parser)
    freihand_errors.add_arguments(parser)
    parser.add_argument("--limit", type=int, help="evaluate the first N samples only")
    parser.add_argument(
        "--true-parts", action="store_true", help="feed the true part map, as hmnet-oracle is always fed"
    )
    parser.add_argument(
        "--one-view", action="store_true", help="without the average with the mirror image's answer"
    )
    parser.add_argument("--weights", help="folder or Hub repo of the weights (default: the embedded ones)")
    parser.add_argument("--variant", help="which of several networks (default: hmnet)")
    parser.add_argument(
        "--record", action="store_true", help="write the means into config.json of the --weights folder"
    )
    parser.add_argument(
        "--table", type=int, choices=sorted(TABLES), metavar="N",
        help="print the paper's table 1, 2, 3 or 4: published rows beside ours, and what measured each",
    )  # fmt: skip
    parser.add_argument("--photos", type=Path, help="folder of photos, with --reference or --masks")
    parser.add_argument("--reference", type=Path, help="JSON file of reference poses by the photos' stems")
    parser.add_argument(
        "--quality", default="good", help="which references to use, as good,fair (default: %(default)s)"
    )
    parser.add_argument(
        "--ground-truth",
        action="store_true",
        help="score against the measured poses of the reference, of whatever quality",
    )
    parser.add_argument("--masks", type=Path, help="folder of person masks (PNG) named like the photos")
    parser.add_argument(
        "--only", nargs="*", metavar="STEM", help="photos to use (default: all with a reference or a mask)"
    )


def run(options: argparse.Namespace) -> None:
    """Print what was asked for; a table last, so that it shows what was recorded just before."""
    if options.data is not None or options.masks is not None or options.reference is not None:
        _measure(options)
    elif options.table is None:
        raise DataError(
            "Nothing to evaluate: give --data SHARDS, or --photos DIR with --reference FILE or --masks "
            "DIR, or --table N."
        )
    if options.table is not None:
        print(paper_table(options.table))


def _measure(options: argparse.Namespace) -> None:
    if options.photos is None and (options.masks or options.reference):
        raise DataError(
            "--reference and --masks need --photos: the folder of the photos that they belong to."
        )
    dataset = options.data is not None and set_errors.names_set(options.data, options.root)
    references = {}
    if options.reference is not None:
        qualities = options.quality.split(",")
        references = read_reference(options.reference, qualities, options.ground_truth, options.only)
    checkpoint = load_checkpoint(options.weights, options.variant)
    info = checkpoint.info
    print(f"weights: {info.source}, variant {info.variant}, revision {info.revision}")
    if dataset:
        protocol = freihand_errors if str(options.data) == freihand_errors.NAME else set_errors
        protocol.run(checkpoint, options)
    elif options.data is not None:
        _run_data(checkpoint, options)
    if options.masks is not None:
        for threshold, score in mask_scores(checkpoint, options.photos, options.masks, options.only):
            print(f"foreground threshold {threshold:.1f}: IoU {score:.3f}")
    # Last, since a predictor moves the networks to the fastest device.
    if references:
        print(*score_lines(photo_scores(Predictor(checkpoint), options.photos, references)), sep="\n")


def _run_data(checkpoint: Checkpoint, options: argparse.Namespace) -> None:
    name = testset.name_of(options.data, testset.read_record())
    print(f"data: the fixed test set {name!r}" if name else "data: none of the fixed test sets")
    true_parts = options.true_parts or form_of(checkpoint.info.variant).parts == "true"
    errors = pose_errors(checkpoint, options.data, options.limit, true_parts, not options.one_view)
    print_errors(errors, checkpoint.model.body)
    print_slices(errors, [s.tags for s in samples(options.data, options.limit)])
    print_iou(errors)
    print_hand_scores(errors)
    if options.record:
        folder = Path(options.weights or "")
        record(folder if (folder / CONFIG).is_file() else folder / checkpoint.info.variant, errors)


def record(folder: Path, errors: dict[str, np.ndarray]) -> None:
    """Write the means of whole bodies, and a hand's areas under PCK, into config.json and the model card.

    folder: the checkpoint's. Raises DataError when the folder is no checkpoint's.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise DataError(f"--record needs the checkpoint's folder as --weights; {folder} has no config.json.")
    config = json.loads(path.read_text())
    whole = {name: values for name, values in errors.items() if values.ndim == 1}
    means = {name: float(values.mean()) for name, values in whole.items()} | areas(errors)
    config["metrics"] = {name: round(value, 3) for name, value in means.items()}
    path.write_text(json.dumps(config, indent=1))
    write_model_card(folder)


def print_errors(errors: Mapping[str, np.ndarray], body: BodyTemplate) -> None:
    """Means in mm with 95 % bootstrap intervals over the images: of whole bodies, by part and by joint.

    A part's IoU stands beside its errors.
    """
    regularised, raw, branch = (
        _cells(np.stack([errors[prefix + name] for name in names], 1))
        for prefix, names in (("", MESH_ERRORS + FULL), ("raw ", MESH_ERRORS), ("", BRANCH_ERRORS))
    )
    print(
        f"{len(errors['surface'])} test images; mean error in mm [95 % interval], normal deviation in degrees"
    )
    # No regulariser touches the joint branch, so it stands with what the networks gave.
    none = f"{'-':>6s}"
    columns = {"regularised": [*regularised, *[none] * len(branch)], "raw": [*raw, none, *branch]}
    _print_columns("", MESH_ERRORS + FULL + BRANCH_ERRORS, columns)
    parts = {"surface": _cells(errors["part surface"]), "PA surface": _cells(errors["PA part surface"])}
    parts["IoU"] = [f"{value:.3f}" for value in errors["part IoU"][0]]
    print()
    _print_columns("part", body.part_names[1:], parts)
    joints = {"joint": _cells(errors["each joint"]), "PA joint": _cells(errors["PA each joint"])}
    print()
    _print_columns("joint", body.joint_names, joints)


def _cells(values: np.ndarray) -> list[str]:
    """The mean of each column of (N, K) with its interval, as text."""
    bounds = zip(values.mean(0), *bootstrap_interval(values), strict=True)
    return [f"{mean:6.1f} [{low:5.1f}, {high:5.1f}]" for mean, low, high in bounds]


def _print_columns(kind: str, names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
    """A line with the kind of the names and the columns' titles, then a row a name."""
    rows = zip((kind, *names), *((title, *cells) for title, cells in columns.items()), strict=True)
    for name, *cells in rows:
        print(f"{name:{NAME}s}" + "".join(f"  {cell:<{CELL}s}" for cell in cells).rstrip())


def print_slices(errors: Mapping[str, np.ndarray], tags: list[tuple[str, ...]]) -> None:
    """Means over the samples that share a tag, and over those without any; nothing where none is tagged."""
    columns = ("surface", "joint", "PA surface", "PA joint")
    rows = {tag: np.array([tag in own for own in tags]) for tag in sorted({t for own in tags for t in own})}
    if not rows:
        return
    rows["none of these"] = np.array([not own for own in tags])
    print(f"\n{'slice':16s} images " + " ".join(f"{name:>10s}" for name in columns) + "  (mm)")
    for tag, chosen in rows.items():
        if chosen.any():
            means = " ".join(f"{errors[name][chosen].mean():10.1f}" for name in columns)
            print(f"{tag:16s} {chosen.sum():6d} {means}")


def print_iou(errors: Mapping[str, np.ndarray]) -> None:
    """How well the part maps of all images agree with the true ones."""
    print()
    for name in ("part mean IoU", "person IoU"):
        print(f"{name:{NAME}s}  {errors[name][0]:.3f}")


def print_hand_scores(errors: Mapping[str, np.ndarray]) -> None:
    """F-scores and the area under the curve of PCK, as hand papers give them; nothing of other bodies."""
    if HAND_SCORES[0] not in errors:
        return
    print()
    for name in HAND_SCORES:
        print(f"{name:{NAME}s}  {errors[name].mean():.3f}")
    for name, area in areas(errors).items():
        print(f"{name:{NAME}s}  {area:.3f}")


def areas(errors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Areas in [0, 1] under the curve of PCK by name, from `pose_errors` of a hand; none of other bodies."""
    if HAND_SCORES[0] not in errors:
        return {}
    return {f"AUC, {name}": pck_auc(errors[name]) for name in EACH_JOINT}


def photo_scores(predictor: Predictor, photos: Path, references: Mapping[str, Reference]) -> list[PhotoScore]:
    """The score of each reference's photo; a miss where no person is found.

    Raises DataError where a photo is not in the folder, ImageError where it cannot be read.
    """
    # All of them first, so that a wrong folder is known before anything slow runs.
    files = {name: _photo_named(name, photos) for name in references}
    scores = []
    for name, reference in references.items():
        try:
            # Rounded as `predict` writes it, so that its files score the same.
            found = summary(predictor.predict(files[name]), name)
        except NoPersonFoundError:
            found = {"joints": {}, "keypoints_2d": {}}
        scores.append(score_photo(name, reference, found["joints"], found["keypoints_2d"]))
    return scores


@torch.inference_mode()
def mask_scores(
    checkpoint: Checkpoint, photos: Path, masks: Path, only: list[str] | None = None
) -> list[tuple[float, float]]:
    """Mean foreground IoU over photos at each threshold, in crops around the masks' own boxes.

    Raises DataError where there is no mask, no photo for one, or one of another size or without a person.
    """
    files = [f for f in sorted(masks.glob("*.png")) if only is None or f.stem in only]
    if not files:
        raise DataError(f"No mask (*.png) to use in {masks}: give the folder of the person masks.")
    scores = [_mask_score(checkpoint, _photo_named(file.stem, photos), file) for file in files]
    return list(zip(THRESHOLDS, np.mean(scores, 0).tolist(), strict=True))


def _mask_score(checkpoint: Checkpoint, photo: Path, file: Path) -> list[float]:
    """IoU of the person found with the mask in a file, at each threshold."""
    segmenter, preprocessing = checkpoint.segmenter.eval(), checkpoint.preprocessing
    image, mask = read_image(photo), read_image(file)[..., 0] > 127
    if mask.shape != image.shape[:2]:
        raise DataError(f"{file.name} is {mask.shape} px but its photo {image.shape[:2]}: use equal sizes.")
    if not mask.any():
        raise DataError(f"{file.name} masks nobody: paint the person white, or leave the file out.")
    crop, size = square_crop(mask_box(mask), preprocessing.crop_margin), preprocessing.image_size
    picture = normalise(extract(image, crop, size)[None], preprocessing)
    logits = part_logits(segmenter, look_at(segmenter, picture, mirror=True))
    true = extract_labels(mask.astype(np.uint8), crop, size) > 0
    found = (segmenter.label(logits, threshold)[0].numpy() > 0 for threshold in THRESHOLDS)
    return [(person & true).sum() / max((person | true).sum(), 1) for person in found]


def _photo_named(stem: str, photos: Path) -> Path:
    """The picture of that stem in a folder; DataError when there is none."""
    known = Image.registered_extensions()
    files = sorted(photos.iterdir()) if photos.is_dir() else []
    photo = next((f for f in files if f.stem == stem and f.suffix.lower() in known), None)
    if photo is None:
        raise DataError(f"No photo {stem}.* in {photos}: give the folder of the photos that were asked for.")
    return photo
