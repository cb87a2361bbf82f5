"""The command line: `python -m hmnet COMMAND`; without a command it lists them.

Each command imports what it needs only when it runs, so that help comes at once and predicting needs no
training packages. Mistakes end with one sentence and exit code 2.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hmnet.errors import DataError, HMNetError, OutputError

USER_ERROR, INTERRUPTED = 2, 130
TRAINING_PACKAGES = ("numba", "webdataset")
"""What generating, training and evaluating need beyond requirements.txt."""
COMMANDS = {
    "predict": "reconstruct the person in photos and videos: joints, mesh, body parts, pictures",
    "train": "train the networks, one stage at a time",
    "generate": "render synthetic photographs with ground truth, to train or test on",
    "evaluate": "measure a checkpoint's errors on rendered images and on photos",
    "figure": "measure and draw one of the paper's figures",
    "profile": "tell where time and memory go, from the start of a process on",
    "benchmark": "time the networks and the whole way to a mesh, beside the peers",
    "push": "upload a checkpoint and its model card to the Hugging Face Hub",
    "space": "create or update the demo's Space on the Hugging Face Hub",
    "results": "write RESULTS.md: the paper's tables beside the errors recorded with the weights",
}
DESCRIPTION = "HumanMeshNet: a 3D human mesh from one photo, or from each frame of a video."
EPILOGUE = """examples:
  python -m hmnet predict photo.jpg clip.mp4 --output results
  python -m hmnet generate --count 1000 --output data/test --split test
  python -m hmnet evaluate --data data/test
  python -m hmnet results

`python -m hmnet COMMAND --help` explains a command's options."""
GENERATE_EPILOGUE = """Without further options everything comes from the program itself: authored poses,
procedural clothes, rooms and landscapes. A killed run goes on when it is started again. Several machines can
share the work: each takes a --part of one recipe, or a --seed of its own; `train` takes several folders."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0, 2 for a user's mistake, 130 when interrupted)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parser = _parser(arguments[0] if arguments else "")
        if not arguments:
            parser.print_help(sys.stderr)
            return USER_ERROR
        options = parser.parse_args(arguments)
        if getattr(options, "output", None) is not None:
            # A contact sheet is a file.
            is_file = getattr(options, "name", None) == "hands"
            _prepare_folder(options.output.parent if is_file else options.output)
        return options.run(options) or 0
    except HMNetError as error:
        print(f"hmnet: {error}", file=sys.stderr)
        return USER_ERROR
    except ModuleNotFoundError as error:
        if error.name not in TRAINING_PACKAGES:
            raise
        print(
            f"hmnet: this command needs the package {error.name}: run `pip install -r requirements-dev.txt` "
            "first.",
            file=sys.stderr,
        )
        return USER_ERROR
    except KeyboardInterrupt:
        print("hmnet: stopped.", file=sys.stderr)
        return INTERRUPTED


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser, with the options of the command that is about to run only."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m hmnet", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=style
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    subparsers = {
        name: commands.add_parser(name, help=line, description=f"{line.capitalize()}.", formatter_class=style)
        for name, line in COMMANDS.items()
    }
    if command == "generate":
        _add_generate_arguments(subparsers[command])
    elif command in COMMANDS:
        module = importlib.import_module(f"hmnet.{command}")
        subparsers[command].description = module.__doc__
        module.add_arguments(subparsers[command])
        subparsers[command].set_defaults(run=module.run)
    return parser


def _add_generate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = GENERATE_EPILOGUE
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder for the shards")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--count", type=_positive, help="how many pictures")
    what.add_argument(
        "--test-set", action="store_true", help="the fixed test set: 1,500 pictures, checked by checksum"
    )
    parser.add_argument("--seed", type=int, help="equal seeds give equal pictures (default 0)")
    parser.add_argument(
        "--split",
        choices=("train", "test"),
        help="test has backgrounds, poses and garments that train never shows (default train)",
    )
    parser.add_argument(
        "--body",
        choices=("anny", "hand"),
        default="anny",
        help="what is in the pictures: people, or right hands with finger-wise parts (default anny)",
    )
    parser.add_argument("--backgrounds", metavar="DIR", help="folder of photographs without people")
    parser.add_argument(
        "--poses", nargs="*", default=[], metavar="DIR", help="folders of further motion clips"
    )
    parser.add_argument("--clothes", metavar="DIR", help="folder of MakeHuman garments and hair (.mhclo)")
    parser.add_argument(
        "--part",
        type=_part,
        default=(0, 1),
        metavar="K/N",
        help="every Nth shard from the Kth on, for N machines that share one recipe (default 0/1)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=os.cpu_count() or 1,
        help="processes (default: one for each core, here %(default)s)",
    )
    parser.set_defaults(run=_generate)


def _generate(options: argparse.Namespace) -> None:
    from hmnet.data import testset
    from hmnet.data.synthetic.generate import Recipe, generate

    if options.test_set and (options.seed is not None or options.split or options.body != "anny"):
        raise DataError("--test-set has its own seed, split and body: leave --seed, --split and --body out.")
    count, seed, split = options.count, options.seed or 0, options.split or "train"
    if options.test_set:
        count, seed, split = testset.COUNT, testset.SEED, "test"
    recipe = Recipe(
        count, seed, split, options.backgrounds, tuple(options.poses), options.clothes, options.body
    )
    generate(recipe, options.output, options.workers, options.part)
    if options.test_set and options.part == (0, 1):
        folders = [Path(f) for f in (options.backgrounds, *options.poses, options.clothes) if f]
        print(testset.verdict(options.output, folders, testset.read_record()))


def _part(text: str) -> tuple[int, int]:
    first, slash, step = text.partition("/")
    if not (slash and first.isdigit() and step.isdigit() and int(first) < int(step)):
        raise argparse.ArgumentTypeError(f"expected K/N with 0 <= K < N, got {text}")
    return int(first), int(step)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return number


def _prepare_folder(folder: Path) -> None:
    """Make an output folder and try it before anything slow runs; OutputError when it cannot be written."""
    trial = folder / ".write-trial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"The output folder {folder} cannot be written ({error.strerror or error}): choose another one."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
