"""Any photo a person may hand over, as an upright (H, W, 3) uint8 RGB array."""

import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from hmnet.errors import ImageError, told

MAX_SIDE = 2048
"""px; longer photos are scaled down to this, since no network input is larger than a few hundred."""
MIN_SIDE = 16
"""px; nothing smaller can show a person."""
MAX_PIXELS = 120_000_000
"""A header that claims more than this is refused unread: 50,000 x 50,000 would decode to 7.5 GB."""
BEHIND_TRANSPARENCY = (255, 255, 255)
"""Transparent pixels are composited on white: cut-out photos are nearly always made for a white page."""
MAX_BYTES = 512 * 2**20
"""A larger file is not read: 120 megapixels take 360 MB even when nothing is compressed."""
BLOCK = 2**22
"""Values that are scaled to 8 bits at a time; as floats all of a large photo would take gigabytes."""
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
READABLE = "JPEG, PNG, WebP, GIF, BMP or TIFF"

EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

ImageSource = str | os.PathLike | bytes | Image.Image | np.ndarray


def read_image(source: ImageSource, max_side: int = MAX_SIDE) -> np.ndarray:
    """The photo as (H, W, 3) uint8 RGB, upright, its longer side at most `max_side` px.

    source: a path, the bytes of a file, a PIL image, or an array (H, W), (H, W, 1), (H, W, 3) or
    (H, W, 4) of uint8, of bool, of whole numbers 0..255, of uint16 0..65535, or of floats in [0, 1] or
    [0, 255] (the first when none exceeds 1).
    EXIF orientation is applied, transparency is composited on white, of an animation the first frame is
    taken; grey, palette, CMYK, 1-bit and 16-bit photos become RGB.
    Raises ImageError for whatever is not a usable photo.
    """
    return read_sized_image(source, max_side)[0]


def read_sized_image(source: ImageSource, max_side: int = MAX_SIDE) -> tuple[np.ndarray, tuple[int, int]]:
    """Like `read_image`, with the upright photo's own (width, height) in px before any scaling."""
    if _is_ready(source, max_side):
        return source.copy(), source.shape[1::-1]
    if isinstance(source, np.ndarray):
        image, name = Image.fromarray(_as_uint8(source, "The array")), "The array"
    elif isinstance(source, Image.Image):
        image, name = source, "The image"
    elif isinstance(source, bytes | bytearray | memoryview):
        image, name = _open(bytes(source), "The uploaded file"), "The uploaded file"
    elif isinstance(source, str | os.PathLike):
        name = told(Path(source).name)
        image = _open(_read_file(Path(source)), name)
    else:
        raise ImageError(
            f"Expected a path, the bytes of a file, a PIL image or an array, got {type(source).__name__}."
        )
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(name)
    if min(image.size) < MIN_SIDE:
        raise ImageError(
            f"{name} is {image.width} x {image.height} px: a photo needs at least {MIN_SIDE} px a side."
        )
    size = image.size
    # The caller's own PIL image is loaded but never changed.
    _decode(image, name, None if image is source else max_side)
    if image.format not in ("JPEG", "MPO"):
        # Only a JPEG is decoded at reduced size; a TIFF on the other hand turns itself upright on loading.
        size = image.size
    orientation = _orientation(image)
    if orientation >= 5:
        size = size[::-1]
    # Scaled before it is turned and composited: on a 100-megapixel photo each pass costs a second.
    image = _scaled(_plain(image, name), max_side)
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    if image.mode == "RGBA":
        page = Image.new("RGBA", image.size, BEHIND_TRANSPARENCY)
        image = Image.alpha_composite(page, image)
    return np.array(image.convert("RGB")), size


def _is_ready(source: ImageSource, max_side: int) -> bool:
    """Whether nothing is to be done: so a video's frames come, and PIL would cost a millisecond."""
    if not isinstance(source, np.ndarray) or source.dtype != np.uint8 or source.ndim != 3:
        return False
    return source.shape[2] == 3 and min(source.shape[:2]) >= MIN_SIDE and max(source.shape[:2]) <= max_side


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{told(path)} is a folder: give the photo's own file.")
        if not path.exists():
            raise ImageError(f"There is no file {told(path)}: check the name.")
        # A device or a pipe may never end.
        if not path.is_file():
            raise ImageError(f"{told(path)} is no ordinary file: give the photo's own.")
        size = path.stat().st_size
        # Some of the system's own files say that they are empty, and then never end.
        if not size:
            return b""
        if size > MAX_BYTES:
            raise ImageError(
                f"{told(path)} has more than {MAX_BYTES // 2**20} MB: scale the photo down first."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(
            f"{told(path)} cannot be read ({_reason(error)}): check its name and permissions."
        ) from error


def _reason(error: OSError | ValueError) -> str:
    """Why a file cannot be read, without its name once more."""
    return getattr(error, "strerror", None) or told(error)


def _open(data: bytes, name: str) -> ImageFile.ImageFile:
    """The picture with its header read and nothing decoded."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes): save or download the photo again.")
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with warnings.catch_warnings():
            # Pillow warns of photos below our limit as possible bombs, and of damaged metadata.
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not a picture this program can read, whatever its name says: expected {READABLE}."
        ) from error
    except Exception as error:  # a damaged header can raise nearly anything in a decoder
        raise _damaged(name, error) from error


def _decode(image: Image.Image, name: str, draft_side: int | None) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A JPEG decodes at 1/2, 1/4 or 1/8 much faster, never below the size asked for.
            if draft_side:
                image.draft(None, (draft_side, draft_side))
            image.load()
    except Exception as error:  # as above: a decoder's errors are OSError, SyntaxError, struct.error, ...
        raise _damaged(name, error) from error


def _plain(image: Image.Image, name: str) -> Image.Image:
    """The picture in mode RGB, or RGBA where it has transparency."""
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_as_uint8(np.array(image), name))
    try:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    except Exception as error:  # a palette that is not there, or too short, shows only here
        raise _damaged(name, error) from error


def _scaled(image: Image.Image, max_side: int) -> Image.Image:
    scale = max_side / max(image.size)
    if scale >= 1:
        return image
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _orientation(image: Image.Image) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged metadata must not cost the photo itself
        return 1


def _as_uint8(array: np.ndarray, name: str) -> np.ndarray:
    """An array (H, W[, C]) of any supported type as (H, W), (H, W, 3) or (H, W, 4) uint8."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageError(
            f"{name} has shape {array.shape}: expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype.kind not in "uif":
        raise ImageError(f"{name} has values of type {array.dtype}: expected whole numbers or floats.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ImageError(f"{name} holds values that are not finite numbers: expected 0..1 or 0..255.")
    low, high = float(array.min()), float(array.max())
    top, tolerance = _full_scale(array.dtype, high)
    if low < -tolerance or high > top + tolerance:
        raise ImageError(
            f"{name} holds values from {low:g} to {high:g}: expected 0..1, 0..255, or whole numbers 0..65535."
        )
    scaled = np.empty(array.shape, np.uint8)
    rows = max(1, BLOCK * len(array) // array.size)
    for start in range(0, len(array), rows):
        block = array[start : start + rows].clip(0, top) * (255 / top)
        scaled[start : start + rows] = np.rint(block).astype(np.uint8)
    return scaled


def _full_scale(dtype: np.dtype, high: float) -> tuple[int, float]:
    """The value that means white, and by how much floats may overshoot it after resampling."""
    if dtype.kind == "f":
        top = 1 if high <= 1.01 else 255
        return top, 0.01 * top
    return (65535 if dtype == np.uint16 or high > 255 else 255), 0.0


def _too_large(name: str) -> ImageError:
    return ImageError(
        f"{name} claims more than {MAX_PIXELS // 1_000_000} megapixels and was not opened: "
        "scale it down first."
    )


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(
        f"{name} is truncated or damaged ({told(error).rstrip('.') or type(error).__name__}): "
        "save or download it again."
    )
