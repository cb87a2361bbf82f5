"""The errors of hands, by variant: `python -m hmnet.hand_results --data TEST`.

Every variant of hands below --weights is measured on the same test pictures, its mesh averaged (Eq. 3) and
raw. OUTPUT/hands.json gets the errors and their differences, and `python -m hmnet results` makes a section of
RESULTS.md of it. A difference is that of the same pictures, one by one: its interval is much narrower than
those of the two means.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from hmnet.checkpoint import EMBEDDED, Checkpoint, load_checkpoint, variants_of
from hmnet.data.crop import Crop
from hmnet.errors import DataError, HMNetError
from hmnet.evaluate import record
from hmnet.figures.drawing import write_numbers
from hmnet.hand_metrics import pck_auc
from hmnet.hand_section import NAME
from hmnet.metrics import bootstrap_interval
from hmnet.packing import recipe_without_paths
from hmnet.pose_errors import BATCH, EACH_JOINT, crops_of, pose_errors, samples
from hmnet.variants import HAND, HAND_VARIANTS, form_of

OUTPUT = EMBEDDED.parent / "results"
ERRORS = ("surface", "joint", "PA surface", "PA joint", "roughness")
AVERAGED, RAW = "averaged", "raw"
PREFIXES = {AVERAGED: "", RAW: "raw "}
"""Of the names in `hmnet.pose_errors`, by the mesh that they are of."""
UNREGULARISED, SINGLE_TASK = "hand-unregularised", "hand-single-task"
CHANGES = {
    "Training through Eq. 3 and averaging, instead of neither,": ((HAND, AVERAGED), (UNREGULARISED, RAW)),
    "Training through Eq. 3, both meshes averaged,": ((HAND, AVERAGED), (UNREGULARISED, AVERAGED)),
    "Averaging HMNet's mesh": ((HAND, AVERAGED), (HAND, RAW)),
    "Averaging the mesh of the network trained without Eq. 3": (
        (UNREGULARISED, AVERAGED),
        (UNREGULARISED, RAW),
    ),
    "The joint branch": ((HAND, AVERAGED), (SINGLE_TASK, AVERAGED)),
}
"""What is changed: variant and mesh with it, and those without it."""

Errors = Mapping[str, Mapping[str, np.ndarray]]
"""What `hmnet.pose_errors.pose_errors` gives, by variant, all of the same pictures."""


def measure(weights: Path, data: Path, limit: int | None = None) -> dict[str, dict[str, np.ndarray]]:
    """The errors of each variant of hands in a folder of variants, HMNet first, on a folder of test shards.

    limit: the first N pictures only. Raises DataError where there is no HMNet of hands or no sample of hands,
    CheckpointError for damaged weights.
    """
    there = variants_of(weights)
    if HAND not in there:
        raise DataError(
            f"There are no weights of the variant {HAND} in {weights}: give the folder that holds it, and "
            "beside it the other variants."
        )
    # All variants see through the same segmenter, so the windows are found once.
    crops, errors = _windows(load_checkpoint(weights, HAND), data, limit), {}
    for name in (name for name in HAND_VARIANTS if name in there):
        true_parts = form_of(name).parts == "true"
        checkpoint = load_checkpoint(weights, name)
        errors[name] = pose_errors(checkpoint, data, limit, true_parts, crops=crops)
        surface, joint = (errors[name][error].mean() for error in ("surface", "joint"))
        print(f"{name}: surface {surface:.2f} mm, joints {joint:.2f} mm", flush=True)
    return errors


@torch.inference_mode()
def _windows(checkpoint: Checkpoint, data: Path, limit: int | None) -> list[Crop]:
    """The windows that the checkpoint's networks are shown of each sample."""
    chosen = list(samples(data, limit))
    chunks = (chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH))
    return [crop for chunk in chunks for crop in crops_of(chunk, checkpoint)]


def rows_of(errors: Errors) -> list[dict]:
    """A row for each variant and mesh: means in mm with 95 % intervals, and both areas under PCK."""
    rows = []
    for name, own in errors.items():
        for mesh, prefix in PREFIXES.items():
            found = _spans(np.stack([own[prefix + error] for error in ERRORS], 1))
            areas = {f"AUC, {joints}": pck_auc(own[prefix + joints]) for joints in EACH_JOINT}
            rows.append({"variant": name, "mesh": mesh, "errors": found, **areas})
    return rows


def changes_of(errors: Errors) -> list[dict]:
    """Mean differences in mm, with less without, of those CHANGES whose variants were both measured."""
    changes = []
    for what, pair in CHANGES.items():
        if not {name for name, _ in pair} <= errors.keys():
            continue
        with_it, without = (
            np.stack([errors[name][PREFIXES[mesh] + error] for error in ERRORS], 1) for name, mesh in pair
        )
        changes.append({"what": what, "errors": _spans(with_it - without)})
    return changes


def _spans(values: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean and 95 % interval of each of ERRORS, from values (N, 5)."""
    columns = zip(ERRORS, values.mean(0), *bootstrap_interval(values), strict=True)
    return {name: {"mean": mean, "low": low, "high": high} for name, mean, low, high in columns}


def _trained(config: dict) -> dict:
    """Revision and images of a variant's config.json, as far as it says them."""
    data, places = config.get("data", {}), {"images": "hmnet", "own": "variant"}
    seen = {name: data[place]["images"] for name, place in places.items() if place in data}
    return {"revision": config.get("revision"), **seen}


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; returns the exit code (0, or 2 for a mistake)."""
    parser = argparse.ArgumentParser(
        "python -m hmnet.hand_results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="test shards of `hmnet generate --body hand --split test`",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=Path, default=EMBEDDED, metavar="DIR",
        help="folder of hand and of its variants in folders of their names (default: the embedded)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--limit", type=int, metavar="N", help="measure on the first N test pictures only")
    parser.add_argument(
        "--record", action="store_true", help="write the means into each variant's config.json as well"
    )
    options = parser.parse_args(arguments)
    try:
        errors = measure(options.weights, options.data, options.limit)
        places = variants_of(options.weights)
        result = {
            "images": len(errors[HAND]["surface"]),
            "pictures": recipe_without_paths(options.data),
            "weights": {name: _trained(places[name][1]) for name in errors},
            "part mean IoU": errors[HAND]["part mean IoU"][0],
            "rows": rows_of(errors),
            "changes": changes_of(errors),
        }
        print(f"{write_numbers(options.output, NAME, result)}: `python -m hmnet results` shows it.")
        for name in errors if options.record else ():
            record(places[name][0], errors[name])
    except HMNetError as error:
        print(f"hmnet: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
