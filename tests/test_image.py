"""Photos as people really hand them over, good and bad."""

import io
import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmnet.errors import ImageError
from hmnet.image import MAX_BYTES, MAX_SIDE, read_image, read_sized_image

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 30), (30, 30, 220), (128, 128, 128)

NOISE = np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)


def quarters(width: int = 48, height: int = 32) -> np.ndarray:
    """Red top left, green top right, blue bottom left, grey bottom right."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, GREY
    return image


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def corners(image: np.ndarray) -> np.ndarray:
    return image[[3, 3, -4, -4], [3, -4, 3, -4]].astype(int)


def assert_close(image: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> None:
    assert image.shape == expected.shape and image.dtype == np.uint8
    assert np.abs(image.astype(int) - expected).max() <= tolerance


@pytest.mark.parametrize("form", ["path", "text path", "bytes", "PIL", "array"])
def test_every_kind_of_source(form: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(quarters()))
    source = {
        "path": path, "text path": str(path), "bytes": path.read_bytes(), "PIL": Image.open(path),
        "array": quarters(),
    }[form]  # fmt: skip
    assert_close(read_image(source), quarters())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    # How a camera stores the upright picture for each value of the tag (EXIF 2.3, table 6).
    upright = quarters()
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: upright.transpose(1, 0, 2)[::-1],
        7: upright[::-1, ::-1].transpose(1, 0, 2), 8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    image, size = read_sized_image(encoded(np.ascontiguousarray(stored), kind, exif=exif, **options))
    assert size == (48, 32) and image.shape == (32, 48, 3)
    assert np.abs(corners(image) - corners(upright)).max() <= 6


def test_damaged_exif_does_not_cost_the_photo() -> None:
    data = encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xffnonsense")
    assert read_image(data).shape == (32, 48, 3)


def test_transparency_is_composited_on_white() -> None:
    rgba = np.dstack([quarters(), np.full((32, 48), 255, np.uint8)])
    rgba[:16, :24, 3] = 0
    rgba[16:, :24, 3] = 128
    image = read_image(encoded(rgba))
    assert (image[3, 3] == 255).all()
    assert_close(image[None, -4, 3], np.array([[143, 143, 237]]), 1)
    assert tuple(image[3, -4]) == GREEN
    assert_close(read_image(rgba), image)


def test_grey_with_alpha() -> None:
    grey = np.dstack([np.full((32, 48), 40, np.uint8), np.full((32, 48), 255, np.uint8)])
    grey[:16, :, 1] = 0
    image = read_image(encoded(Image.fromarray(grey, "LA")))
    assert (image[:16] == 255).all() and (image[16:] == 40).all()


def test_palette_with_a_transparent_colour() -> None:
    palette = Image.fromarray(quarters()).quantize(8)
    assert_close(read_image(encoded(palette)), quarters(), 4)
    red = palette.getpixel((0, 0))
    image = read_image(encoded(palette, transparency=red))
    assert (image[3, 3] == 255).all() and np.abs(corners(image)[1:] - corners(quarters())[1:]).max() <= 4


@pytest.mark.parametrize("mode", ["L", "1", "CMYK"])
def test_other_colour_modes(mode: str) -> None:
    picture = Image.fromarray(quarters()).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert_close(read_image(encoded(picture, kind)), np.asarray(picture.convert("RGB")))


def test_cmyk_jpeg() -> None:
    # Photoshop's and Pillow's CMYK JPEGs are stored inverted.
    image = read_image(encoded(Image.fromarray(quarters()).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(corners(image) - corners(quarters())).max() < 12


def test_a_pil_image_is_not_changed() -> None:
    picture = Image.open(io.BytesIO(encoded(quarters(500, 300), "JPEG")))
    assert read_image(picture, max_side=50).shape == (30, 50, 3)
    assert picture.size == (500, 300)
    assert_close(read_image(Image.fromarray(quarters()).convert("YCbCr")), quarters(), 3)


def test_16_bit_photos_keep_their_brightness() -> None:
    ramp = np.linspace(0, 65535, 48).round().astype(np.uint16)[None].repeat(32, 0)
    expected = np.rint(ramp / 257.0)[..., None].repeat(3, 2)
    assert_close(read_image(encoded(Image.fromarray(ramp))), expected, 1)
    assert_close(read_image(encoded(Image.fromarray(ramp), "TIFF")), expected, 1)
    assert_close(read_image(ramp), expected, 1)
    assert_close(read_image(_png(48, 32, 16, 2, _png_rows(quarters().astype(">u2") * 257))), quarters(), 1)


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
        assert np.abs(read_image(data).astype(int) - RED).max() < 12


@pytest.mark.parametrize(
    "array",
    [
        quarters() / 255, (quarters() / 255).astype(np.float32), quarters().astype(float),
        quarters().astype(np.int64), np.dstack([quarters(), np.full((32, 48), 255)]),
    ],
)  # fmt: skip
def test_arrays_of_other_types(array: np.ndarray) -> None:
    assert_close(read_image(array), quarters())


def test_grey_and_bool_arrays() -> None:
    grey = quarters()[..., 0]
    assert_close(read_image(grey), grey[..., None].repeat(3, 2))
    assert_close(read_image(grey[..., None]), grey[..., None].repeat(3, 2))
    assert_close(read_image(grey > 100), 255 * (grey > 100)[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.full((32, 32, 3), np.nan), "not finite"),
        (np.full((32, 32, 3), -0.5), "from -0.5 to -0.5"),
        (np.full((32, 32, 3), 300.0), "to 300"),
        (np.full((32, 32, 3), 70000), "to 70000"),
        (np.zeros((32, 32, 2)), r"shape \(32, 32, 2\)"),
        (np.zeros((1, 32, 32, 3), np.uint8), r"shape \(1, 32, 32, 3\)"),
        (np.zeros((0, 32, 3), np.uint8), r"shape \(0, 32, 3\)"),
        (np.full((32, 32), "a"), "type <U1"),
    ],
)
def test_bad_arrays_are_named(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        read_image(array)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photos_are_scaled_down(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image, size = read_sized_image(encoded(quarters(5000, 3000), kind, exif=exif))
    assert size == (3000, 5000) and image.shape == (MAX_SIDE, round(MAX_SIDE * 0.6), 3)
    turned = np.rot90(quarters(), -1)
    assert np.abs(corners(image) - corners(turned)).max() <= 6
    assert read_image(quarters(300, 200), max_side=100).shape == (67, 100, 3)


def test_a_bomb_is_refused_from_its_header() -> None:
    bomb = _png(50_000, 50_000, 8, 2, b"\0" * 1000)
    tracemalloc.start()
    with pytest.raises(ImageError, match=r"more than 120 megapixels.*scale it down"):
        read_image(bomb)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
    with pytest.raises(ImageError, match="more than 120 megapixels"):
        read_image(_png(12_500, 10_000, 8, 2, b"\0" * 1000))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"photo\.jpg is empty \(0 bytes\)"),
        (b"Dear diary, today I renamed a text file.\n" * 20, r"photo\.jpg is not a picture.*expected JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not a picture"),
        (encoded(quarters(400, 300), "JPEG")[:2000], r"photo\.jpg is truncated or damaged .*again"),
        (encoded(quarters(400, 300), "JPEG")[:12], r"photo\.jpg is"),
        (encoded(NOISE)[:9000], "truncated or damaged"),
        (encoded(quarters(9, 40)), r"9 x 40 px: a photo needs at least 16 px"),
    ],
)
def test_bad_files_are_named(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=sentence) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_folder_missing_file_and_wrong_type(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match=r"There is no file .*nowhere\.jpg"):
        read_image(tmp_path / "nowhere.jpg")
    with pytest.raises(ImageError, match=r"cannot be read|no file"):
        read_image("x" * 5000)
    with pytest.raises(ImageError, match=r"cannot be read|no file"):
        read_image("a\0b.jpg")
    with pytest.raises(ImageError, match="got NoneType"):
        read_image(None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_damaged_bytes_never_raise_anything_else(kind: str) -> None:
    generator = np.random.default_rng(0)
    whole = np.frombuffer(encoded(quarters(), kind), np.uint8)
    for _ in range(60):
        data = whole[: generator.integers(1, len(whole) + 1)].copy()
        data[generator.integers(0, len(data), 3)] = generator.integers(0, 256, 3)
        try:
            image = read_image(data.tobytes())
        except ImageError:
            continue
        assert image.dtype == np.uint8 and image.ndim == 3


def test_a_palette_that_is_not_there_is_told() -> None:
    # Pillow stops at an assertion about it, and only after decoding.
    with pytest.raises(ImageError, match="truncated or damaged"):
        read_image(_png(16, 16, 8, 3, bytes(17 * 16)))


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_never_ends_is_not_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    # A pipe was waited for, and a device was read until all memory was taken.
    make(tmp_path / "photo.jpg")
    with pytest.raises(ImageError, match=r"photo\.jpg is no ordinary file"):
        read_image(tmp_path / "photo.jpg")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "photo.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match="has more than 512 MB"):
        read_image(tmp_path / "photo.jpg")


def test_a_name_breaks_no_sentence() -> None:
    # Names went into the sentence as they were: line ends, signs that turn the text round, any length.
    with pytest.raises(ImageError) as caught:
        read_image("a\nb\u202egpj" + "x" * 999)
    sentence = str(caught.value)
    assert sentence.isprintable() and len(sentence) < 300


def test_16_bits_are_scaled_piece_by_piece() -> None:
    # All of a photo as float64 took 8 times its memory, and 100 megapixels more than 10 s.
    levels = np.arange(16_000_000, dtype=np.uint16).reshape(4000, 4000)
    tracemalloc.start()
    image = read_image(levels, max_side=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.shape == (64, 64, 3) and peak < 4 * levels.nbytes
    small = levels[:100, :100] * 7
    assert_close(read_image(small), np.rint(small / 257.0)[..., None].repeat(3, 2))


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _png_rows(pixels: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in pixels)
