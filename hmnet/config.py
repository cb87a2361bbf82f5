"""Configurations: frozen, plain values, saved beside the weights they belong to."""

import math
from dataclasses import dataclass

from hmnet.errors import CheckpointError, told

HANDS = ("hand", "mano")
"""The bodies that are a hand, by the names of `hmnet.body.load_body`."""
PART_ENCODINGS = ("code", "label", "one-hot")
RGB_INPUTS = ("sighting", "pixels")
MOST_IMAGE, MOST_MARGIN, MOST_FEATURES, MOST_POOLING, MOST_WIDTH = 1024, 10.0, 8192, 64, 1024
"""Far beyond what is of use: a config.json that asks for more would have all memory taken."""


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the networks' input; part of every checkpoint.

    image_size: side of the square crop, px, a multiple of 32. crop_margin: share by which the crop is larger
    than the longer side of the person box. mean, std: of RGB in [0, 1].
    Differs from the paper: 192 instead of 224 px, the size that MoveNet's features were learnt at.
    """

    image_size: int = 192
    crop_margin: float = 0.1
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        _check_range("image_size", self.image_size, 32, MOST_IMAGE)
        _check_range("crop_margin", self.crop_margin, 0, MOST_MARGIN)
        if self.image_size % 32:
            raise CheckpointError(f"Expected image_size as a multiple of 32, got {self.image_size}.")
        for name, values, least in (("mean", self.mean, -math.inf), ("std", self.std, 0)):
            numbers = [value for value in values if type(value) in (int, float) and math.isfinite(value)]
            if len(numbers) != 3 or len(values) != 3 or min(numbers) <= least:
                raise CheckpointError(
                    f"Expected {name} as three numbers, one for each colour, those of std above 0, got "
                    f"{told(values)}."
                )


def preprocessing_of(body: str) -> Preprocessing:
    """How photos are prepared for networks of that body, a name of `hmnet.body.load_body`.

    Hands are shown as `hmnet.handnet` learnt them: at 224 px, with more around them.
    """
    if body in HANDS:
        return Preprocessing(224, 0.4, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return Preprocessing()


@dataclass(frozen=True)
class ModelConfig:
    """HMNet's form.

    variant: name of the checkpoint's row. body: template name. feature_size: width of each encoder's
    output and of the branches' hidden layers. part_encoding: how the part map enters (see
    `hmnet.model.PartCode`). rgb_input: what the RGB encoder sees of the picture (see
    `hmnet.model.SightingEncoder`). input_pooling: part map and pixels are averaged over squares of this side
    before the encoders; 1 is the paper's.
    """

    variant: str = "hmnet"
    body: str = "anny"
    feature_size: int = 1000
    part_encoding: str = "code"
    rgb_input: str = "sighting"
    input_pooling: int = 1

    def __post_init__(self) -> None:
        _check_range("feature_size", self.feature_size, 1, MOST_FEATURES)
        _check_range("input_pooling", self.input_pooling, 1, MOST_POOLING)
        for what, value, known in (
            ("part encoding", self.part_encoding, PART_ENCODINGS), ("RGB input", self.rgb_input, RGB_INPUTS)
        ):  # fmt: skip
            if value not in known:
                raise CheckpointError(f"Unknown {what} {told(value)!r}: choose one of {', '.join(known)}.")


@dataclass(frozen=True)
class SegmenterConfig:
    """The part segmenter's form.

    width: channels of the decoder. foreground_threshold: a pixel belongs to the person when its
    background probability is below this; calibrated on photos, not on rendered images.
    """

    width: int = 64
    foreground_threshold: float = 0.5

    def __post_init__(self) -> None:
        _check_range("width", self.width, 1, MOST_WIDTH)
        _check_range("foreground_threshold", self.foreground_threshold, 0, 1)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    # Not a number fails the comparison too.
    if not low <= value <= high:
        raise CheckpointError(f"Expected {name} from {low} to {high}, got {told(value)}.")
