"""The paper's ablations with equal budgets: `python -m hmnet.experiments --crops DIR --data TEST --runs DIR`.

Every variant of `hmnet.variants` in the paper's own form: ResNets of the pixels and of the part map, all from
random weights, the same number of images, the same crops, one view. For each it trains, keeps the weights
below --runs, measures them on the test set and writes OUTPUT/VARIANT/config.json with the errors. Started
again it goes on. Several can run side by side, each with other --variant names.

Differs from the paper: its ResNets begin with ImageNet's weights, which are none of a package registry's; and
what they see is averaged over 6 x 6 pixels, because two CPU cores have to train a dozen of them.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import torch

from hmnet import train
from hmnet.checkpoint import CONFIG, EMBEDDED, load_checkpoint, save_checkpoint
from hmnet.config import Preprocessing
from hmnet.errors import HMNetError
from hmnet.evaluate import record
from hmnet.model import build_hmnet
from hmnet.packing import recipe_without_paths
from hmnet.pose_errors import pose_errors
from hmnet.stage_pose import model_config
from hmnet.trainer import load_state
from hmnet.variants import VARIANTS

OUTPUT = EMBEDDED.parent / "experiments"
IMAGES, BATCH, RATE, AVERAGING, POOLING = 20_000, 32, 1e-3, 0.99, 6


def run_variant(name: str, options: argparse.Namespace) -> None:
    """Train a variant, pack it, measure it, and write down the errors; nothing is done twice."""
    run = options.runs / name
    recipe = _recipe(name, options, run)
    if not _finished(run, options.images):
        train.run(recipe)
    weights = run / "weights"
    _pack(recipe, weights, options)
    checkpoint = load_checkpoint(weights)
    true_parts = VARIANTS[name].parts == "true"
    errors = pose_errors(checkpoint, options.data, options.limit, true_parts, mirror=False)
    record(weights, errors)
    (options.output / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights / CONFIG, options.output / name / CONFIG)
    print(
        f"{name}: surface {errors['surface'].mean():.1f} mm, joints {errors['joint'].mean():.1f} mm",
        flush=True,
    )


def _recipe(name: str, options: argparse.Namespace, run: Path) -> argparse.Namespace:
    """The options of `python -m hmnet train` that train a variant."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    arguments = ["--stage", "joint", "--variant", name, "--data", options.crops, "--output", run,
                 "--images", options.images, "--batch", BATCH, "--rate", RATE, "--averaging", AVERAGING,
                 "--pooling", POOLING, "--rgb-input", "pixels", "--pictures-only", "--seed", options.seed,
                 "--threads", options.threads, "--workers", 0]  # fmt: skip
    arguments += ["--device", options.device] if options.device else []
    arguments += ["--resume"] if (run / "state.pt").is_file() else []
    return parser.parse_args([str(argument) for argument in arguments])


def _finished(run: Path, images: int) -> bool:
    return (run / "state.pt").is_file() and load_state(run / "state.pt")["images"] >= images


def _pack(recipe: argparse.Namespace, weights: Path, options: argparse.Namespace) -> None:
    """The averaged weights of a finished run with the embedded segmenter, as a checkpoint folder."""
    state, config = load_state(recipe.output / "state.pt"), model_config(recipe)
    model = build_hmnet(config)
    model.load_state_dict(state["averaged"])
    seen = {"images": state["images"], "steps": state["step"], "minutes": round(state["spent"] / 60, 1)}
    crops = json.loads((options.crops / "crops.json").read_text())["count"]
    data = {"hmnet": seen, "crops": crops, "seed": options.seed, "batch": BATCH, "rate": RATE}
    if options.pictures is not None:
        data["pictures"] = recipe_without_paths(options.pictures)
    extra = {"revision": options.revision, "commit": options.revision, "data": data}
    save_checkpoint(
        weights, model, load_checkpoint(EMBEDDED).segmenter, Preprocessing(), extra, model_config=config
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the variants one after the other; returns the exit code (0, or 2 for a mistake)."""
    parser = argparse.ArgumentParser(
        "python -m hmnet.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, what in (("crops", "crops that `python -m hmnet train --stage crops` made"),
                       ("data", "test shards"), ("runs", "states, logs and weights")):  # fmt: skip
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=f"folder of {what}")
    parser.add_argument(
        "--variant", nargs="+", default=list(VARIANTS), choices=VARIANTS, metavar="NAME",
        help=f"which to run (default: all): {', '.join(VARIANTS)}",
    )  # fmt: skip
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="shards that the crops are of, to write their recipe down",
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--images", type=int, default=IMAGES, metavar="N", help="each is trained on (%(default)s)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="measure on the first N test images only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.add_argument("--device", help="where to train (default: cuda if it is there, else cpu)")
    parser.add_argument("--revision", default="unversioned", help="short commit of the code")
    options = parser.parse_args(arguments)
    try:
        for name in options.variant:
            torch.manual_seed(options.seed)
            run_variant(name, options)
    except HMNetError as error:
        print(f"hmnet: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
