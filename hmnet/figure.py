"""The paper's figures, measured and drawn anew, and figures of our own: `python -m hmnet figure NAME`.

regulariser   Fig. 8      what Eq. 3 does, in training and after it, over iterations and strength
noisy-parts   Fig. 3, 7   the error as body parts go missing, are swapped or are wrong
shape-range   Fig. 9      stature, girths and sex of people across Anny's range, recovered against true
gallery       Fig. 5 to 7 photo, parts, meshes of HMNet and of the photo alone, from two sides, in rows
noisy-truth   Fig. 4      what true joints are worth where the meshes to learn from are bad (recorded metrics)
engines       ours        what compiled networks and bfloat16 do to the answers
clip          ours        what following and smoothing do to clips that are rendered for it
hands         ours        a contact sheet of the hands in photos of yours: --photos DIR --output SHEET.jpg
"""

import argparse
import importlib
from pathlib import Path

from hmnet.errors import DataError

RESULTS = Path(__file__).parents[1] / "assets" / "results"
FIGURES = ("regulariser", "noisy-parts", "shape-range", "gallery", "noisy-truth", "engines", "clip", "hands")

TESTED = ("regulariser", "noisy-parts", "gallery", "engines")
"""Those that are measured on test pictures."""
PICTURES = (".jpg", ".jpeg", ".png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet figure`."""
    parser.add_argument("name", choices=FIGURES, metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--data", type=Path, help="folder of test shards from `hmnet generate --split test`")
    parser.add_argument("--photos", type=Path, help="gallery, hands: a folder of photos")
    parser.add_argument("--limit", type=int, help="the first N pictures only")
    parser.add_argument("--weights", help="folder or Hub repo of the weights (default: the embedded ones)")
    parser.add_argument(
        "--output", type=Path, default=RESULTS, metavar="DIR",
        help="folder (default: assets/results); of hands the picture's file",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Measure, draw and write one figure."""
    from hmnet.figures.drawing import write_figure

    if options.limit is not None and options.limit < 1:
        raise DataError(f"Expected --limit of 1 or more pictures, got {options.limit}.")
    if options.name == "hands":
        _sheet_of_hands(options)
        return
    result, figure = _make(options)
    result = {"figure": options.name, "command": _command(options)} | result
    print(*write_figure(options.output, options.name, result, figure), sep="\n")


def _sheet_of_hands(options: argparse.Namespace) -> None:
    """Photos of somebody's own are no result: the sheet goes where it is asked to."""
    if options.photos is None or options.output.suffix.lower() not in PICTURES:
        raise DataError("The figure hands needs --photos DIR and --output FILE, a .jpg or .png.")
    from hmnet.checkpoint import HAND_VARIANT, load_checkpoint
    from hmnet.figures import hands
    from hmnet.figures.drawing import write_picture
    from hmnet.hand_predictor import predictor_of

    predictor = predictor_of(load_checkpoint(options.weights, HAND_VARIANT))
    picture, words = hands.make(predictor, options.photos, options.limit)
    write_picture(options.output, picture)
    print(*words, options.output, sep="\n")


def _make(options: argparse.Namespace) -> tuple:
    module = importlib.import_module(f"hmnet.figures.{options.name.replace('-', '_')}")
    if options.name == "noisy-truth":
        from hmnet.recorded import EXPERIMENTS

        return module.make(EXPERIMENTS)
    from hmnet.checkpoint import load_checkpoint

    if options.name == "gallery":
        if (options.data is None) == (options.photos is None):
            raise DataError("The gallery needs either --data SHARDS or --photos DIR.")
        return module.make(load_checkpoint(options.weights), options.data, options.photos, options.limit)
    if options.name in ("shape-range", "clip"):
        return module.make(load_checkpoint(options.weights), options.limit)
    if options.data is None:
        raise DataError(f"The figure {options.name} needs --data SHARDS, a folder of test pictures.")
    return module.make(load_checkpoint(options.weights), options.data, options.limit)


def _command(options: argparse.Namespace) -> str:
    """What was run, without the folders of this machine."""
    words = ["python -m hmnet figure", options.name]
    words += ["--data TEST"] if options.data and options.name in TESTED else []
    words += ["--photos DIR"] if options.photos else []
    words += [f"--limit {options.limit}"] if options.limit else []
    return " ".join(words)
