"""The few errors this package raises for something the caller can mend.

Each carries one sentence that says what was expected, what came and what to do. The command line
prints that sentence and exits with 2; the demo shows it as a notice. A traceback means a bug.
"""

MOST_TOLD = 160
"""Characters of a name, a value or another program's message within one of our sentences."""


def told(value: object, most: int = MOST_TOLD) -> str:
    """A name, a value or another program's message as it may stand in a sentence.

    On one line, without signs that steer a screen or turn the text round, of at most `most` characters.
    """
    text = " ".join(str(value)[: 10 * most].split())
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[1 - most // 2 :]}"


class HMNetError(ValueError):
    """Base of all errors meant to be read by a user."""


class TopologyError(HMNetError):
    """A mesh whose faces and vertices do not fit the operation asked for."""


class BodyError(HMNetError):
    """A body asset that is missing, corrupt or of an unknown name."""


class ImageError(HMNetError):
    """A file or array that is not a usable photo."""


class VideoError(HMNetError):
    """A file that is not a usable video."""


class BoxError(HMNetError):
    """A person box that is empty or lies outside the photo."""


class NoPersonFoundError(HMNetError):
    """No person was found in the photo."""


class CheckpointError(HMNetError):
    """Weights that are missing, corrupt or of an unknown variant."""


class DataError(HMNetError):
    """A dataset, shard or pose file that is missing or not of the expected form."""


class OutputError(HMNetError):
    """An output folder that cannot be written."""


class UploadError(HMNetError):
    """Files that the Hugging Face Hub does not take."""


class MeshFileError(HMNetError):
    """A mesh file that cannot be read, or whose vertices are not the template's."""


class SpaceError(HMNetError):
    """A Space whose files are missing, or that is asked for in a way that cannot be."""


class NoGPUError(HMNetError):
    """A GPU that is lent for one call at a time, and was not to be had for one."""
