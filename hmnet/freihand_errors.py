"""FreiHAND's protocol: `hmnet evaluate --data freihand --root DIR --weights HAND`.

The measures are those of the authors' eval.py (github.com/lmb-freiburg/freihand): the distances of joints and
vertices in the camera's frame and after Procrustes alignment, the area under their PCK curves up to 50 mm,
and F-scores at 5 and 15 mm; it prints cm, here they are mm. Most papers give the aligned ones.
Differs from eval.py: alignment never takes a mirror image; and of a mesh that is not MANO's eval.py lays the
vertices over the truth with the joints' rotation, but without dividing by the prediction's size.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.checkpoint import Checkpoint
from hmnet.data.datasets import info_of, open_dataset
from hmnet.data.freihand import HandSample
from hmnet.errors import DataError, OutputError
from hmnet.hand_metrics import f_scores, pck_auc
from hmnet.metrics import bootstrap_interval, point_errors, similarity_align, similarity_fit
from hmnet.placed_hands import PlacedHands, placed_hands
from hmnet.variants import form_of

NAME, BATCH = "freihand", 16
POINTS = ("joint", "joint from the wrist", "PA joint", "vertex", "PA vertex")
"""What is measured of points, as far as it can be; of each also the area under its curve."""
SCORES = ("F@5", "F@15", "PA F@5", "PA F@15")
DECIMALS = 6
"""Of metres in a submission."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only FreiHAND has."""
    parser.add_argument(
        "--submission", type=Path, metavar="FILE",
        help="write the hands of freihand's evaluation set as its server takes them (pred.json)",
    )  # fmt: skip
    parser.add_argument(
        "--whole-picture", action="store_true",
        help="search freihand's hands from the whole picture on, since its protocol gives no box",
    )  # fmt: skip


def run(checkpoint: Checkpoint, options: argparse.Namespace) -> None:
    """Print the protocol's measures of a hand's checkpoint, and write a submission where one is asked for."""
    body, info = checkpoint.model.body, info_of(NAME)
    split = options.split or info.measured
    _check(checkpoint, options, split)
    true_parts = options.true_parts or form_of(checkpoint.info.variant).parts == "true"
    samples = open_dataset(NAME, options.root, split, part_maps=true_parts)
    start = "from the whole picture on" if options.whole_picture else "true box"
    print(f"data: {info.title}, split {split} ({info.protocols.get(split, 'all pictures')}), {start}")
    if not same_vertices(checkpoint):
        print(
            f"vertex: not compared one by one, since the network's body is {body.name} and {info.title}'s is "
            f"MANO; F-scores compare its {body.upsampling.shape[0]} vertices with MANO's as two surfaces, "
            "aligned by the joints; joints of one name need not lie at the same place in both bodies"
        )
    chosen = range(min(len(samples), options.limit or len(samples)))
    errors, hands = freihand_errors(checkpoint, samples, chosen, true_parts, options.whole_picture)
    print(*error_lines(errors), sep="\n")
    if options.submission:
        write_submission(options.submission, hands)
        print(f"submission: {options.submission}, to be zipped for the server")


def _check(checkpoint: Checkpoint, options: argparse.Namespace, split: str) -> None:
    """DataError for weights of another body, and for options that do not go together."""
    if options.record:
        raise DataError("--record is for a rendered test set: errors on a dataset are printed only.")
    if not checkpoint.model.body.one_sided:
        raise DataError(
            f"FreiHAND shows hands, but the weights are of the body {checkpoint.model.body.name}: give "
            "weights of a hand as --weights."
        )
    if options.submission and (split != "evaluation" or options.limit is not None):
        raise DataError(
            "--submission needs all hands of the evaluation set: leave out --limit and any other --split."
        )
    if options.submission and not options.submission.absolute().parent.is_dir():
        raise OutputError(f"There is no folder for {options.submission}: make it, or name another file.")


def same_vertices(checkpoint: Checkpoint) -> bool:
    """Whether the network's vertices are MANO's, one by one; Anny's hand has as many, but others."""
    return checkpoint.model.body.name == "mano"


def freihand_errors(
    checkpoint: Checkpoint,
    samples: Sequence[HandSample],
    chosen: Sequence[int],
    true_parts: bool = False,
    whole_picture: bool = False,
) -> tuple[dict[str, np.ndarray], PlacedHands]:
    """The measures of the chosen samples, as `protocol_errors` names them, and the hands that were found.

    Raises DataError where nothing is chosen, and what reading a sample raises.
    """
    if not len(chosen):
        raise DataError("There is no sample to evaluate: give a larger --limit.")
    columns: dict[str, list[Tensor]] = {}
    found: list[PlacedHands] = []
    for start in range(0, len(chosen), BATCH):
        batch = [samples[index] for index in chosen[start : start + BATCH]]
        true = PlacedHands(
            *(
                torch.from_numpy(np.stack([points + sample.wrist for points, sample in pairs])).float()
                for pairs in ([(s.joints, s) for s in batch], [(s.vertices, s) for s in batch])
            )
        )
        if whole_picture:
            batch = [dataclasses.replace(sample, box=_rim(sample.image)) for sample in batch]
        found.append(placed_hands(checkpoint, batch, true_parts))
        for name, values in protocol_errors(found[-1], true, same_vertices(checkpoint)).items():
            columns.setdefault(name, []).append(values)
    hands = PlacedHands(*(torch.cat(parts) for parts in zip(*found, strict=True)))
    return {name: torch.cat(values).double().numpy() for name, values in columns.items()}, hands


def protocol_errors(found: PlacedHands, true: PlacedHands, paired: bool) -> dict[str, Tensor]:
    """The measures of B hands, each by its name: those of POINTS (B, points) mm, those of SCORES (B,).

    paired: whether the vertices of found and true are the same ones; if not, "vertex" and "PA vertex" are
    left out, and the alignment of the joints is the vertices' as well.
    """
    joints, rotation = similarity_fit(found.joints, true.joints)
    rows = {
        "joint": point_errors(found.joints, true.joints),
        "joint from the wrist": point_errors(_from_wrist(found.joints), _from_wrist(true.joints)),
        "PA joint": point_errors(joints, true.joints),
    }
    if paired:
        vertices = similarity_align(found.vertices, true.vertices)
        rows["vertex"] = point_errors(found.vertices, true.vertices)
        rows["PA vertex"] = point_errors(vertices, true.vertices)
    else:
        vertices = _moved_alike(found.vertices, found.joints, joints, rotation)
    aligned = f_scores(vertices, true.vertices)
    return rows | f_scores(found.vertices, true.vertices) | {f"PA {k}": v for k, v in aligned.items()}


def _moved_alike(points: Tensor, before: Tensor, after: Tensor, rotation: Tensor) -> Tensor:
    """Points (B, N, 3) moved by the similarity that brought points (B, M, 3) from before to after."""
    middles = before.mean(1, keepdim=True), after.mean(1, keepdim=True)
    sizes = [
        (p - middle).norm(dim=(1, 2), keepdim=True)
        for p, middle in zip((before, after), middles, strict=True)
    ]
    return sizes[1] / sizes[0] * (points - middles[0]) @ rotation.mT + middles[1]


def error_lines(errors: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Means with 95 % bootstrap intervals over the hands, and the area under each curve."""
    yield f"{len(errors['joint'])} images; mean error in mm [95 % interval], area under PCK's curve to 50 mm"
    for name in POINTS:
        if name in errors:
            mean, low, high = _mean(errors[name].mean(1))
            yield f"{name:22s} {mean:7.1f} [{low:5.1f}, {high:5.1f}]   AUC {pck_auc(errors[name]):.3f}"
    for name in SCORES:
        mean, low, high = _mean(errors[name])
        yield f"{name:22s} {mean:7.3f} [{low:5.3f}, {high:5.3f}]"


def write_submission(path: Path, hands: PlacedHands) -> None:
    """Write [joints of all hands, vertices of all hands] as JSON, m in the camera's frame.

    The server takes any mesh of 778 vertices for MANO's; the full surface of Anny's hand has more, so that it
    does not pair what is no pair. (Its aligned F-scores of such a mesh mean nothing, as it gives the aligned
    vertices a wrong size.) Raises OutputError where the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            for before, points in zip(("[[", "], ["), hands, strict=True):
                rounded = points.double().numpy().round(DECIMALS)
                file.write(before + ", ".join(json.dumps(hand.tolist()) for hand in rounded))
            file.write("]]")
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): name another file.") from error


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of values (N,) and the bounds of its interval."""
    low, high = (bound[0] for bound in bootstrap_interval(values[:, None]))
    return values.mean(), low, high


def _from_wrist(joints: Tensor) -> Tensor:
    wrist = HAND_JOINT_NAMES.index("wrist")
    return joints - joints[:, wrist : wrist + 1]


def _rim(image: np.ndarray) -> np.ndarray:
    """The box (4,) px of a picture (H, W, 3) as a whole."""
    return np.array([0, 0, image.shape[1], image.shape[0]], np.float64)
