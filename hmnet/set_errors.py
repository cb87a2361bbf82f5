"""The errors of a checkpoint on one of the paper's datasets: `hmnet evaluate --data surreal --root DIR`.

The paper's metrics (section 4): surface error, joint error of the joints regressed from the mesh, both in mm
relative to the pelvis, and both again after Procrustes alignment.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.checkpoint import Checkpoint
from hmnet.data.crop import normalise
from hmnet.data.dataset_sample import DatasetSample, cut, on_template
from hmnet.data.datasets import DATASETS, info_of, open_dataset, shared_joints
from hmnet.data.human36m import JOINTS
from hmnet.errors import DataError
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import (
    bootstrap_interval,
    joint_error,
    pa_joint_error,
    pa_surface_error,
    surface_error,
)
from hmnet.variants import form_of

BATCH = 32
SMPL_BODIES = ("smpl", "smpl-1723")
REGRESSOR = "J_regressor_h36m.npy"
"""Human3.6M's 17 joints from SMPL's surface (17, 6890), published by others; used where --root has it."""
FOURTEEN = tuple(name for name in JOINTS if name not in ("pelvis", "spine", "jaw"))
"""The joints of Protocol 2: twelve of the limbs, the neck and the top of the head."""

JointsOf = Callable[[Tensor], Tensor]
"""From template vertices (B, V, 3) to joints (B, K, 3)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only datasets have."""
    parser.add_argument("--root", type=Path, help=f"folder of the dataset that --data names ({_names()})")
    parser.add_argument("--split", help="of that dataset (default: the one that the paper's code measures)")
    parser.add_argument(
        "--every", type=int, metavar="N", help="take each Nth frame of its videos (default: the protocol's)"
    )
    parser.add_argument(
        "--runs", type=int, nargs="+", default=[0], help="which of SURREAL's renderings (default 0)"
    )


def names_set(data: Path, root: Path | None) -> bool:
    """Whether --data names a dataset rather than a folder; DataError where it does and --root is missing."""
    if str(data) not in DATASETS or (root is None and data.is_dir()):
        return False
    if root is None:
        title = info_of(str(data)).title
        raise DataError(f"--data {data} needs --root DIR, the folder of {title}.")
    return True


def run(checkpoint: Checkpoint, options: argparse.Namespace) -> None:
    """Print the paper's metrics on the dataset that --data names."""
    if options.record:
        raise DataError("--record is for a rendered test set: errors on a dataset are printed only.")
    name, body = str(options.data), checkpoint.model.body
    if body.one_sided:
        raise DataError(
            f"{info_of(name).title} shows whole bodies, but the weights are of the body {body.name}: give "
            "other --weights, or --data freihand."
        )
    info, true_parts = info_of(name), options.true_parts or form_of(checkpoint.info.variant).parts == "true"
    samples = open_dataset(
        name, options.root, options.split, every=options.every, runs=options.runs,
        surfaces=body.name in SMPL_BODIES, part_maps=true_parts,
    )  # fmt: skip
    split = options.split or info.measured
    print(f"data: {info.title}, split {split} ({info.protocols.get(split, 'all')}), true box")
    if samples.left_out:
        print(f"left out: {samples.left_out} samples that do not show the person or lack a joint")
    places, joints_of, which = joints_compared(samples.joint_names, body, options.root)
    print(f"joints compared: {len(places)}, {which}")
    if body.name not in SMPL_BODIES:
        print(
            f"surface: not compared, since the network's body is {body.name} and {info.title}'s is SMPL; "
            "joints of one name need not lie at the same place in both bodies"
        )
    chosen = range(min(len(samples), options.limit or len(samples)))
    errors, actions = set_errors(
        checkpoint, samples, chosen, places, joints_of, true_parts, not options.one_view
    )
    print(*error_lines(errors, actions), sep="\n")


@torch.inference_mode()
def set_errors(
    checkpoint: Checkpoint,
    samples: Sequence[DatasetSample],
    chosen: Sequence[int],
    places: Sequence[int],
    joints_of: JointsOf,
    true_parts: bool = False,
    mirror: bool = True,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Errors (N,) in mm of the chosen samples by name, and what the person does in each.

    Of the regularised mesh: "joint", "PA joint"; where samples have surfaces "surface", "PA surface" on the
    network's template, and "full surface" on SMPL's 6,890 vertices. places, joints_of: of `joints_compared`.
    Raises DataError where nothing is chosen, and what reading a sample raises.
    """
    if not len(chosen):
        raise DataError("There is no sample to evaluate: give a larger --limit.")
    model, segmenter = checkpoint.model.eval(), checkpoint.segmenter.eval()
    body = model.body
    neighbours = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    columns: dict[str, list[Tensor]] = {}
    actions: list[str] = []
    for batch in _batches(samples, chosen):
        pictures, maps = zip(*(cut(sample, checkpoint.preprocessing) for sample in batch), strict=True)
        look = look_at(segmenter, normalise(np.stack(pictures), checkpoint.preprocessing), mirror)
        part_map = torch.from_numpy(np.stack(maps)).long()
        if not true_parts:
            part_map = segmenter.label(part_logits(segmenter, look))
        mesh = neighbour_average(reconstruct(model, look, part_map).vertices, neighbours)
        joints = torch.from_numpy(np.stack([sample.joints[places] for sample in batch]))
        found = joints_of(mesh)
        rows = {"joint": joint_error(found, joints), "PA joint": pa_joint_error(found, joints)}
        if batch[0].vertices is not None:
            rows |= _surface_errors(body, mesh, np.stack([sample.vertices for sample in batch]))
        for name, values in rows.items():
            columns.setdefault(name, []).append(values)
        actions += [sample.action for sample in batch]
    return {name: torch.cat(values).double().numpy() for name, values in columns.items()}, actions


def joints_compared(
    joint_names: Sequence[str], body: BodyTemplate, root: Path
) -> tuple[list[int], JointsOf, str]:
    """Which of a set's joints are compared, what gives them from a mesh, and a phrase that says so.

    For Human3.6M and a network of SMPL's surface: Protocol 2's 14 by Human3.6M's own regressor, where its
    file is in the set's folder. Else the joints that set and body both name, by the template's regressor.
    """
    path = root / REGRESSOR
    if tuple(joint_names) == JOINTS and body.name in SMPL_BODIES and path.is_file():
        places = [JOINTS.index(name) for name in FOURTEEN]
        matrix = _read_regressor(path)[places]
        return places, lambda mesh: matrix @ body.upsample(mesh), f"by {REGRESSOR}: {', '.join(FOURTEEN)}"
    of_set, of_body = shared_joints(joint_names, body.joint_names)
    which = "all of the body's"
    if len(of_set) < len(body.joint_names):
        which = ", ".join(joint_names[place] for place in of_set)
    return of_set, lambda mesh: body.regress_joints(mesh)[:, of_body], which


def error_lines(errors: dict[str, np.ndarray], actions: Sequence[str]) -> Iterator[str]:
    """Means in mm with 95 % bootstrap intervals, and the means of each action where actions are named."""
    yield f"{len(errors['joint'])} images; mean error in mm [95 % interval]"
    for name, values in errors.items():
        low, high = (bound[0] for bound in bootstrap_interval(values[:, None]))
        yield f"{name:16s} {values.mean():7.1f} [{low:5.1f}, {high:5.1f}]"
    known = sorted(set(actions) - {""})
    if known:
        yield f"\n{'action':16s} images   joint  PA joint"
    for action in known:
        own = np.array([other == action for other in actions])
        joint, aligned = (errors[name][own].mean() for name in ("joint", "PA joint"))
        yield f"{action:16s} {own.sum():6d} {joint:7.1f} {aligned:9.1f}"


def _surface_errors(body: BodyTemplate, mesh: Tensor, vertices: np.ndarray) -> dict[str, Tensor]:
    """Errors (B,) of template vertices (B, V, 3) against SMPL's surface (B, 6890, 3)."""
    whole = torch.from_numpy(vertices)
    true = on_template(body, whole)
    return {
        "surface": surface_error(mesh, true),
        "PA surface": pa_surface_error(mesh, true),
        "full surface": surface_error(body.upsample(mesh), whole),
    }


def _batches(samples: Sequence[DatasetSample], chosen: Sequence[int]) -> Iterator[list[DatasetSample]]:
    for start in range(0, len(chosen), BATCH):
        yield [samples[index] for index in chosen[start : start + BATCH]]


def _read_regressor(path: Path) -> Tensor:
    try:
        matrix = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as an array ({error}): copy it anew, or take it away."
        ) from error
    if matrix.shape != (len(JOINTS), 6890):
        raise DataError(
            f"{path}: expected a matrix (17, 6890), got {matrix.shape}: copy it anew, or take it away."
        )
    return torch.from_numpy(matrix.astype(np.float32))


def _names() -> str:
    return ", ".join(DATASETS)
