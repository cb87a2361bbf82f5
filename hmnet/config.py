"""Configurations: frozen, plain values, saved beside the weights they belong to."""

from dataclasses import dataclass

from hmnet.errors import CheckpointError

PART_ENCODINGS = ("code", "label", "one-hot")
RGB_INPUTS = ("sighting", "pixels")


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
        for what, value, known in (
            ("part encoding", self.part_encoding, PART_ENCODINGS), ("RGB input", self.rgb_input, RGB_INPUTS)
        ):  # fmt: skip
            if value not in known:
                raise CheckpointError(f"Unknown {what} {value!r}: choose one of {', '.join(known)}.")


@dataclass(frozen=True)
class SegmenterConfig:
    """The part segmenter's form.

    width: channels of the decoder. foreground_threshold: a pixel belongs to the person when its
    background probability is below this; calibrated on photos, not on rendered images.
    """

    width: int = 64
    foreground_threshold: float = 0.5
