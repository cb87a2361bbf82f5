"""Reconstruct the person in photos and videos, or a hand in photos: joints, mesh, body parts, pictures."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hmnet.errors import (
    BoxError,
    CheckpointError,
    DataError,
    HMNetError,
    ImageError,
    NoPersonFoundError,
    OutputError,
    VideoError,
)

if TYPE_CHECKING:
    from hmnet.predictor import Prediction, Predictor

# Help comes at once: whatever imports NumPy or torch is imported where it is used.

PHOTO_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".ppm",
)  # fmt: skip
"""What is taken for a photo in a folder; a file given by its own name is one whatever it is called."""
USER_ERROR = 2
EPILOGUE = """For each photo NAME.jpg, the output folder receives
  NAME.json          joints in metres (camera frame: x right, y down, z away, relative to the pelvis),
                     keypoints in pixels of the photo, person box, camera, timings, weights used
  NAME.glb           the body's surface, for Blender and other 3D programs
  NAME_parts.png     the 24 body parts found
  NAME_overlay.png   the surface drawn over the photo
With --hand they are about a hand: its 21 joints, relative to the wrist, and 16 parts; NAME.json says also
which hand it is, and by how many radians it is turned from pointing up.
For each video NAME.mp4, in which one person is followed,
  NAME/000000.json   and .glb for each frame with the person, numbered as in the video
  NAME_overlay.mp4   the surface drawn over the video
  NAME.glb           the movement, animated; at most 250 key frames
  NAME.json          boxes, frames without the person, smoothing, timings, weights used
Of a folder all photos and videos are taken. A dot within NAME becomes an underscore. A file that cannot be
used is named with the reason, the others are still done, and the exit code is then 2. Interrupting (Ctrl-C)
keeps what is done, that of an unfinished video too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = EPILOGUE
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="photo or video of a person, or folder of them; photo of a hand",
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--weights",
        metavar="FOLDER|REPO",
        help="a checkpoint's folder, or a Hugging Face repository as user/name or user/name@REVISION "
        "(default: the repository that the environment variable HMNET_REPO names, else the weights that come "
        "with the program)",
    )
    parser.add_argument("--variant", help="which of several networks (default: hmnet, with --hand hand)")
    parser.add_argument("--hand", action="store_true", help="find a hand instead of a person; photos only")
    parser.add_argument(
        "--side", choices=("left", "right"), help="with --hand: which one it is (default: what it looks like)"
    )
    parser.add_argument(
        "--box",
        metavar="X0,Y0,X1,Y1",
        help="the person's box in pixels of the upright photo, or of a video's first frame (default: the "
        "largest person is found), or the hand's; for one photo or video only",
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest there is)")
    parser.add_argument("--engine", help="torch or openvino (default: the fastest there is)")
    video = parser.add_argument_group("videos")
    video.add_argument("--every", type=_count, default=1, metavar="N", help="only every Nth frame")
    video.add_argument("--limit", type=_seconds, metavar="SECONDS", help="only so much from the beginning")
    video.add_argument(
        "--no-smoothing", action="store_true", help="each frame as the networks answer it, jitter and all"
    )
    video.add_argument("--no-frame-meshes", action="store_true", help="no .glb for each frame")


def run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code."""
    if options.side is not None and not options.hand:
        raise DataError("--side says which hand is looked for: add --hand.")
    from hmnet.report import report_names

    files = list(_files(options.paths, options.output))
    names = report_names(files)
    box = _parse_box(options.box)
    if box is not None and len(names) > 1:
        raise BoxError(f"--box marks the person in one photo, but {len(names)} were given: run one by one.")
    predictor = _predictor(options)
    weights = predictor.checkpoint.info
    print(
        f"Weights: {weights.source}, variant {weights.variant}, revision {weights.revision}; "
        f"device {predictor.device}; engine {predictor.engine.words}"
    )
    if weights.notice:
        print(f"hmnet: {weights.notice}", file=sys.stderr)
    photos = {name: path for name, path in names.items() if not _is_video(path)}
    videos = {name: path for name, path in names.items() if _is_video(path)}
    done = _photos(photos, _asked(predictor, box, options), options.output)
    done += sum(_video(name, path, predictor, box, options) for name, path in videos.items())
    kinds = " and ".join(kind for kind, some in (("photos", photos), ("videos", videos)) if some)
    print(f"{done} of {len(names)} {kinds} done.")
    return USER_ERROR if done < len(names) else 0


def _predictor(options: argparse.Namespace) -> "Predictor":
    """The predictor that the options ask for; CheckpointError for weights of hands without --hand, or others
    with it."""
    from hmnet.checkpoint import HAND_VARIANT, load_checkpoint
    from hmnet.hand_predictor import predictor_of

    variant = HAND_VARIANT if options.hand and options.variant is None else options.variant
    checkpoint = load_checkpoint(options.weights, variant)
    name = checkpoint.info.variant
    if options.hand and not checkpoint.model.body.one_sided:
        raise CheckpointError(f"The weights {name} are of people: give those of a hand, or leave --hand out.")
    if checkpoint.model.body.one_sided and not options.hand:
        raise CheckpointError(f"The weights {name} are of a hand: add --hand, or give others.")
    return predictor_of(checkpoint, options.device, options.engine)


def _asked(
    predictor: "Predictor", box: list[float] | None, options: argparse.Namespace
) -> Callable[[Path], "Prediction"]:
    """What answers to a photo."""
    if options.hand:
        return lambda photo: predictor.predict(photo, box, options.side)
    return lambda photo: predictor.predict(photo, box)


def _photos(photos: dict[str, Path], predict: Callable[[Path], "Prediction"], output: Path) -> int:
    """Do the photos; returns how many could be used. While one is written, the next is already read."""
    from hmnet.report import write_report
    from hmnet.video.overlap import read_ahead

    def answers() -> Iterator["tuple[str, Path, Prediction | HMNetError]"]:
        for name, photo in photos.items():
            try:
                yield name, photo, predict(photo)
            except (ImageError, BoxError, NoPersonFoundError) as error:
                yield name, photo, error

    done = 0
    for name, photo, answer in read_ahead(answers(), 1):
        if isinstance(answer, HMNetError):
            _complain(photo, answer)
            continue
        write_report(output, name, answer, photo.name)
        total = sum(answer.timings.values())
        print(f"{photo} -> {output / name}.json ({total:.0f} ms)", flush=True)
        done += 1
    return done


def _video(
    name: str, path: Path, predictor: "Predictor", box: list[float] | None, options: argparse.Namespace
) -> bool:
    """Do a video; returns whether it could be used."""
    from tqdm import tqdm

    from hmnet.image import MAX_SIDE
    from hmnet.video.clip import open_clip
    from hmnet.video.report import VideoOptions, write_video_report
    from hmnet.video.smoothing import Smoothing

    if options.hand:
        _complain(path, VideoError("Hands are found in photos only: give a photo, or leave --hand out."))
        return False
    smoothing = None if options.no_smoothing else Smoothing()
    chosen = VideoOptions(box, smoothing, not options.no_frame_meshes)
    try:
        clip = open_clip(path, every=options.every, longest=MAX_SIDE, stop=options.limit)
        # Without a terminal tqdm writes nothing.
        frames = tqdm(clip, path.name, clip.frame_count, unit=" frames", leave=False, disable=None)
        content = write_video_report(options.output, name, clip, frames, predictor, chosen)
    except (VideoError, BoxError, NoPersonFoundError) as error:
        _complain(path, error)
        return False
    if clip.notice:
        print(f"hmnet: {clip.notice}", file=sys.stderr)
    empty = len(content["frames_without_person"])
    print(
        f"{path} -> {options.output / name}.json ({content['frame_count']} frames, "
        f"{content['frames_per_second']:.1f} a second{f', {empty} without the person' if empty else ''})",
        flush=True,
    )
    return True


def _files(paths: list[Path], output: Path) -> Iterator[Path]:
    """The files given and those of the folders given, each once.

    Raises DataError for a folder without any, OutputError for one that is the output folder as well.
    """
    given: set[Path] = set()
    skipped = 0
    for path in paths:
        usable = [path]
        if path.is_dir():
            if path.absolute() == output.absolute():
                raise OutputError(
                    f"{path} is to be read and written: choose another output folder, or overlays would be "
                    "taken for photos the next time."
                )
            inside = _inside(path)
            usable = [one for one in inside if _is_photo(one) or _is_video(one)]
            skipped += len(inside) - len(usable)
        if not usable:
            raise DataError(f"The folder {path} holds no photo and no video: give another one.")
        for one in usable:
            if one.absolute() not in given:
                given.add(one.absolute())
                yield one
    if skipped:
        print(f"hmnet: {skipped} other files in the folders were skipped.", file=sys.stderr)


def _inside(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read ({error.strerror}): check it.") from error
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES


def _is_video(path: Path) -> bool:
    from hmnet.video.clip import SUFFIXES

    return path.suffix.lower() in SUFFIXES


def _complain(path: Path, error: HMNetError) -> None:
    place = "" if path.name in str(error) else f"{path}: "
    print(f"hmnet: {place}{error}", file=sys.stderr)


def _parse_box(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        box = [float(number) for number in text.split(",")]
    except ValueError:
        box = []
    if len(box) != 4:
        raise BoxError(f"Expected --box as four numbers X0,Y0,X1,Y1 in pixels, got {text!r}.")
    return box


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text}")
    return seconds
