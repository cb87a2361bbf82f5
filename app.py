"""The demo: `python app.py`, or a Gradio Space. Arguments, a predictor, launch; nothing else."""

import argparse
import sys

import demo.environment  # noqa: F401 - before anything that imports Gradio
from demo import zero_gpu  # and before anything that imports torch
from demo.hands import find_hands
from demo.serving.limits import Limits
from demo.serving.logs import log_as_json
from demo.serving.memory import share_arenas
from demo.serving.start import launch
from demo.session import Models
from demo.theme import launch_options
from demo.ui import build_app
from hmnet.checkpoint import load_checkpoint
from hmnet.comparison import Comparison
from hmnet.device import DEVICES
from hmnet.engines import ENGINES
from hmnet.errors import HMNetError
from hmnet.predictor import Predictor


def main(arguments: list[str] | None = None) -> int:
    """Serves the page until it is stopped; returns 2 after one sentence when the weights cannot be had."""
    options = _parser().parse_args(arguments)
    share_arenas()
    if options.json_logs:
        log_as_json()
    try:
        hands = find_hands(options.hand_weights, options.device, options.engine)
        source = options.weights or options.repo
        predictor = Predictor(load_checkpoint(source, options.variant), options.device, engine=options.engine)
        models = Models(predictor, Comparison(predictor))
        # Only what is there before the page is served can be lent a GPU.
        zero_gpu.lend(models, *([hands.models] if zero_gpu.spaces and hands.there else []))
        limits = Limits.for_device(predictor.device, options.queue)
        page = build_app(models, at_once=limits.at_once, hands=hands)
    except HMNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    place = {"server_name": options.host, "server_port": options.port, "share": options.share}
    launch(page, limits, **place, **launch_options())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="HumanMeshNet in the browser: one photo to a 3D mesh.")
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1; 0.0.0.0 for every network)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="also open a public link through gradio.live")
    parser.add_argument(
        "--queue", type=_count, help="photos that may wait (default 40); further ones are refused"
    )
    parser.add_argument("--json-logs", action="store_true", help="log a JSON object a line: times, no photos")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--weights", help="folder of a checkpoint (default: the weights in assets/)")
    weights.add_argument(
        "--repo", help="Hugging Face repository of a checkpoint, as user/name or user/name@REVISION"
    )
    parser.add_argument("--variant", help="which of several checkpoints (default: hmnet)")
    parser.add_argument(
        "--hand-weights", help="folder of a checkpoint of hands (default: the weights in assets/, if any)"
    )
    parser.add_argument("--device", help=f"one of {', '.join(DEVICES)} (default: the fastest there is)")
    parser.add_argument("--engine", help=f"one of {', '.join(ENGINES)} (default: the fastest there is)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
