"""Configurations: frozen, plain values, saved beside the weights they belong to."""

from dataclasses import dataclass

from hmnet.errors import CheckpointError

PART_ENCODINGS = ("code", "label", "one-hot")


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the networks' input; part of every checkpoint.

    image_size: side of the square crop, px. segmenter_size: side at which the parts are labelled, px.
    crop_margin: share by which the crop is larger than the longer side of the person box.
    mean, std: of RGB in [0, 1].
    """

    image_size: int = 224
    segmenter_size: int = 224
    crop_margin: float = 0.1
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelConfig:
    """HMNet's form.

    variant: name of the checkpoint's row. body: template name. feature_size: width of each encoder's
    output and of the branches' hidden layers. part_encoding: how the part map enters (see
    `hmnet.model.PartCode`). input_pooling: both inputs
    are averaged over squares of this side before the encoders; 1 is the paper's.
    """

    variant: str = "hmnet"
    body: str = "anny"
    feature_size: int = 1000
    part_encoding: str = "code"
    input_pooling: int = 1

    def __post_init__(self) -> None:
        if self.part_encoding not in PART_ENCODINGS:
            raise CheckpointError(
                f"Unknown part encoding {self.part_encoding!r}: choose one of {', '.join(PART_ENCODINGS)}."
            )


@dataclass(frozen=True)
class SegmenterConfig:
    """The part segmenter's form.

    width: channels of the decoder. foreground_threshold: a pixel belongs to the person when its
    background probability is below this; calibrated on photos, not on rendered images.
    """

    width: int = 64
    foreground_threshold: float = 0.5
