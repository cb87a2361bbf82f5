"""Training, stage by stage: `python -m hmnet train --stage segmenter|maps|crops|joint|dataset|pack`.

segmenter   part labels from rendered photographs, over MoveNet's features; of hands also what MediaPipe's
            hand landmarks learn from them
maps        the part encoder and the branches, from endless corrupted part maps without pictures
crops       person crops labelled by the trained segmenter
joint       the whole of HMNet, on those crops and on further fresh part maps
dataset     HMNet on SURREAL, UP-3D or Human3.6M from the user's own files, as the paper trains
pack        the averaged weights of segmenter and joint as a checkpoint folder

A stage ends after --minutes or after --images; each but crops and pack writes a resumable state, a log and
curves for TensorBoard to its output folder. `python -m hmnet.recipe` runs all stages in one sequence.

Several GPUs, machines or CPUs train together when torchrun starts them, each process with a batch of its own:
`torchrun --nproc-per-node 4 -m hmnet train --stage segmenter ...` (not crops and pack).
"""

import argparse
from pathlib import Path

import torch

from hmnet.config import HANDS, preprocessing_of
from hmnet.data.crops import make_crops
from hmnet.data.folders import training_shards
from hmnet.device import choose_device
from hmnet.errors import DataError, HMNetError
from hmnet.packing import pack
from hmnet.parallel import joined, local_device, processes
from hmnet.segmentation import build_segmenter, segmenter_config
from hmnet.stage_dataset import add_arguments as add_dataset_arguments
from hmnet.stage_dataset import train_dataset, use_preset
from hmnet.stage_hand import train_hand_segmenter
from hmnet.stage_pose import check_hand, train_joint, train_maps
from hmnet.stage_segmenter import train_segmenter
from hmnet.trainer import load_weights
from hmnet.variants import BASE, VARIANTS

STAGES = ("segmenter", "maps", "crops", "joint", "dataset", "pack")
BATCH, RATE = 32, 1e-3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet train`."""
    parser.add_argument("--stage", required=True, choices=STAGES, help="what to train (see above)")
    parser.add_argument(
        "--data", type=Path, nargs="+", action="extend", metavar="DIR",
        help="folders of shards (segmenter, crops, pack), or the folder of crops (joint)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, required=True, help="folder for states and logs")
    parser.add_argument(
        "--features", type=Path, metavar="JSON",
        help="original file of MoveNet, or of MediaPipe's hand landmarks with --body hand (default: as in "
        "the embedded weights; segmenter)",
    )  # fmt: skip
    parser.add_argument("--segmenter", type=Path, help="a trained segmenter: state, or (crops) .safetensors")
    parser.add_argument(
        "--initial", type=Path, help="training state or .safetensors file to start from (all but crops)"
    )
    parser.add_argument(
        "--poses", type=Path, nargs="*", default=[], help="folders of motion clips (maps, joint)"
    )
    parser.add_argument("--threshold", type=float, default=0.5, help="foreground threshold (pack)")
    parser.add_argument(
        "--eight-bits", action="store_true", help="HMNet's weights in 8 bits, as variants are kept (pack)"
    )
    parser.add_argument("--revision", default="unversioned", help="short commit of the code (pack)")
    parser.add_argument(
        "--source", action="append", metavar="TEXT",
        help="what a folder of pictures, clips or clothes is and on what terms, for the model card (pack)",
    )  # fmt: skip
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=_positive, default=60, help="how long to train (default 60)")
    budget.add_argument(
        "--images", type=_whole, metavar="N",
        help="how many images to train on, in whole batches, instead of --minutes: repeatable to the bit",
    )  # fmt: skip
    parser.add_argument(
        "--batch", type=int, help=f"images a step, of each process (default {BATCH}; dataset: its preset's)"
    )
    parser.add_argument("--size", type=int, default=192, help="side of the segmenter's windows, px")
    parser.add_argument(
        "--rate", type=float, help=f"highest learning rate (default {RATE}; dataset: its preset's)"
    )
    parser.add_argument(
        "--averaging", type=float, default=0.999, metavar="DECAY",
        help="decay of the averaged weights per step; shorter runs want a faster one (default 0.999)",
    )  # fmt: skip
    parser.add_argument("--device", help="cpu, cuda, cuda:1 or mps (default: cuda if it is there, else cpu)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.add_argument(
        "--workers", type=int, metavar="N",
        help="processes that prepare the batches (default 0; joint 1); the batches stay the same",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="0/1", help="use every Nth shard from K on, as K/N (default 0/1)")
    parser.add_argument(
        "--pooling", type=int, default=4, help="average inputs over squares of this side (default 4)"
    )
    parser.add_argument("--encoding", default="code", help="how part maps enter: code, label or one-hot")
    parser.add_argument(
        "--rgb-input", default="sighting", help="what the RGB encoder sees: sighting or pixels"
    )
    parser.add_argument(
        "--body", default="anny", choices=("anny", "hand"),
        help="what the pictures show: people, or right hands (default anny)",
    )  # fmt: skip
    parser.add_argument(
        "--pictures-only", action="store_true", help="no fresh part maps among the crops (joint)"
    )
    parser.add_argument(
        "--branches-only", action="store_true",
        help="with --initial: the encoders keep their weights, as they do for variants; so an HMNet is "
        "trained on that variants can be compared with (joint)",
    )  # fmt: skip
    parser.add_argument(
        "--variant", default=BASE, choices=list(VARIANTS),
        help="which of the paper's variants (joint, dataset, pack; default hmnet). With --initial, hmnet's "
        "weights, stage joint trains only what makes the others differ",
    )  # fmt: skip
    add_dataset_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the state in --output")


def run(options: argparse.Namespace) -> None:
    """Run one stage, together with the other processes if torchrun started several.

    Raises HMNetError for a missing input, an unknown device or a loss that is no number.
    """
    if options.stage == "dataset":
        use_preset(options)
    if options.body == "hand" and options.stage in ("maps", "joint", "pack"):
        check_hand(options)
    options.batch = BATCH if options.batch is None else options.batch
    options.rate = RATE if options.rate is None else options.rate
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(local_device(options.device or ("cuda" if torch.cuda.is_available() else "cpu")))
    torch.manual_seed(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    training = {
        "segmenter": train_hand_segmenter if options.body in HANDS else train_segmenter,
        "maps": train_maps,
        "joint": train_joint,
        "dataset": train_dataset,
    }
    with joined(device):
        if options.stage in training:
            training[options.stage](options, device)
        elif processes() > 1:
            raise HMNetError(f"Stage {options.stage} is for one process: start it without torchrun.")
        elif options.stage == "crops":
            _crops(options, device)
        else:
            pack(options)


def _crops(options: argparse.Namespace, device: torch.device) -> None:
    if options.segmenter is None:
        raise DataError("Stage crops needs --data SHARDS and --segmenter STATE.")
    shards = training_shards(options.data, options.part, options.body)
    segmenter = build_segmenter(segmenter_config(options.body), options.body)
    segmenter.load_state_dict(load_weights(options.segmenter))
    workers = options.workers or 0
    preprocessing = preprocessing_of(options.body)
    make_crops(shards, options.output, segmenter, preprocessing, options.seed, device, workers, options.body)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return number
