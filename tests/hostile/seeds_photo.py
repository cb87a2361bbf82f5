"""Photos: valid ones of every kind that is read, and hostile ones made by hand."""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from .mutate_photo import png

SIZE = 48, 40
"""(width, height) px of the valid ones."""


def valid_photos() -> dict[str, bytes]:
    """Files by name, each of which a photo is read from."""
    rgb = picture()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a picture", zip=True)
    grey16 = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    profile = b"\0" * 36 + b"acsp" + b"\0" * 88
    made = {
        "jpeg": saved(rgb, "JPEG"),
        "jpeg progressive": saved(rgb, "JPEG", progressive=True, subsampling=2),
        "jpeg CMYK": saved(rgb.convert("CMYK"), "JPEG"),
        "jpeg grey": saved(rgb.convert("L"), "JPEG", optimize=True),
        "jpeg EXIF": saved(rgb, "JPEG", exif=exif),
        "jpeg ICC": saved(rgb, "JPEG", icc_profile=profile),
        "png": saved(rgb, "PNG"),
        "png grey": saved(rgb.convert("L"), "PNG"),
        "png alpha": saved(rgb.convert("RGBA"), "PNG"),
        "png palette": saved(rgb.quantize(16), "PNG", transparency=3),
        "png 1 bit": saved(rgb.convert("1"), "PNG"),
        "png 16 bit": saved(grey16, "PNG"),
        "png text, ICC, EXIF": saved(rgb, "PNG", pnginfo=text, icc_profile=profile, exif=exif),
        "png interlaced": interlaced(),
        "apng": saved(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)]),
        "webp": saved(rgb, "WEBP", exif=exif),
        "webp lossless": saved(rgb.convert("RGBA"), "WEBP", lossless=True),
        "webp animated": saved(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(180)]),
        "gif": saved(rgb.quantize(32), "GIF"),
        "gif animated": saved(rgb, "GIF", save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)]),
        "bmp": saved(rgb, "BMP"),
        "bmp palette": saved(rgb.quantize(16), "BMP"),
        "tiff": saved(rgb, "TIFF", exif=exif),
        "tiff LZW": saved(rgb, "TIFF", compression="tiff_lzw"),
        "tiff deflate": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "tiff JPEG": saved(rgb, "TIFF", compression="jpeg"),
        "tiff float": saved(Image.fromarray(np.asarray(rgb.convert("L"), np.float32) / 255), "TIFF"),
        "tiff fax": saved(rgb.convert("1"), "TIFF", compression="group4"),
        "mpo": saved(rgb, "MPO", save_all=True, append_images=[rgb]),
        "ppm": saved(rgb, "PPM"),
        "pgm as text": b"P2 20 20 255\n" + b" ".join(b"%d" % (i % 256) for i in range(400)),
        "pfm": b"Pf\n20 20\n-1.0\n" + np.linspace(0, 1, 400, dtype="<f4").tobytes(),
    }
    if "AVIF" in Image.SAVE:
        made["avif"] = saved(rgb, "AVIF")
    return made


def hostile_photos() -> dict[str, bytes]:
    """Files by name that ask for too much, are two things at once, or lie."""
    jpeg = saved(picture(), "JPEG")
    return {
        "empty": b"",
        "one byte": b"\x89",
        "zeros": bytes(100_000),
        "1 px": saved(Image.new("RGB", (1, 1)), "PNG"),
        "65,535 px wide": saved(Image.new("L", (65535, 1)), "PNG"),
        "65,535 px wide, high enough": saved(Image.new("L", (65535, 20)), "PNG"),
        "65,535 px wide jpeg": saved(Image.new("L", (65500, 16)), "JPEG"),
        "119 megapixels": flat_png(10_900, 10_900),
        "118 megapixels of 16 bit": flat_png(10_860, 10_860, 16),
        "118 megapixels, interlaced": flat_png(10_860, 10_860, interlace=1),
        "bomb": flat_png(50_000, 50_000),
        "bomb in its header": png([(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))]),
        "gif bomb": b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0xF0, 0, 0)
        + bytes(6)
        + gif_picture(65535, 65535),
        "gif of 118 megapixels": b"GIF89a"
        + struct.pack("<HHBBB", 10_860, 10_860, 0xF0, 0, 0)
        + bytes(6)
        + gif_picture(10_860, 10_860),
        "gif whose first picture lies outside": b"GIF89a"
        + struct.pack("<HHBBB", 20, 20, 0xF0, 0, 0)
        + bytes(6)
        + gif_picture(10_860, 10_860),
        "bmp bomb": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
        "bmp of run lengths": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 58, 40, 10_000, 10_000, 1, 8, 1, 4, 0, 0, 1, 1)
        + bytes(4)
        + b"\xff\0" * 9,
        "ppm bomb": b"P6 99999999 99999999 255\n",
        "ppm of 118 megapixels": b"P4 10860 10860\n" + bytes(5000),
        "ppm with an endless number": b"P6 " + b"1" * 100_000,
        "ppm text bomb": b"P1 10860 10860\n" + b"1" * 100_000,
        "tiff that links to itself": _tiff([(256, 4, 1, 20), (257, 4, 1, 20)], following=8),
        "tiff of endless strips": _tiff(
            [(256, 4, 1, 20), (257, 4, 1, 20), (273, 4, 2**31, 8), (278, 4, 1, 1)]
        ),
        "tiff with an endless tag": _tiff([(256, 4, 1, 20), (257, 4, 1, 20), (270, 2, 2**32 - 1, 8)]),
        "tiff bomb": _tiff(
            [(256, 4, 1, 65535), (257, 4, 1, 65535), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)]
        ),
        "text bomb in a png": text_bomb(b"zTXt", b"Comment\0\0"),
        "international text bomb in a png": text_bomb(b"iTXt", b"Comment\0\1\0\0\0"),
        "many texts in a png": text_bomb(b"zTXt", b"Comment\0\0", 900_000, 200),
        "ICC bomb in a png": text_bomb(b"iCCP", b"icc\0\0"),
        "huge chunk length": saved(picture(), "PNG").replace(b"\0\0\0\x0dIHDR", b"\x7f\xff\xff\xffIHDR"),
        "endless chunks": png(
            [(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0)), *[(b"tEXt", b"a\0b")] * 50_000]
        ),
        "EXIF bomb": saved(
            picture(),
            "JPEG",
            exif=b"Exif\0\0MM\0*\0\0\0\x08" + b"\xff\xff" + b"\x01\x12\0\x04\xff\xff\xff\xff\0\0\0\0" * 5000,
        ),
        "EXIF that links to itself": saved(
            picture(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08"
        ),
        "many ICC pieces": with_segments(jpeg, [(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000))] * 200),
        "many scans": jpeg[:-2] + jpeg[jpeg.index(b"\xff\xda") : -2] * 2000 + b"\xff\xd9",
        "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
        "svg with an entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "a thousand million laughs": b'<!DOCTYPE l [<!ENTITY a "ha">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
        + b"]><svg>&j;</svg>",
        "jpeg and zip": jpeg + zipped(),
        "zip and jpeg": zipped() + jpeg,
        "jpeg and html": jpeg + b"<html><script>alert(1)</script></html>",
        "html in a jpeg's comment": with_segments(jpeg, [(0xFE, b"<script>alert(1)</script>")]),
        "gif and script": b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)",
        "jpeg named png": jpeg,
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file",
        "ico": b"\0\0\1\0\1\0\0\0\0\0\1\0 \0" + struct.pack("<II", 2**31, 22),
        "xbm": b"#define a_width 40\n#define a_height 40\nstatic char a_bits[] = {" + b"0x00," * 200,
        "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    }


def picture() -> Image.Image:
    """A small colourful picture that is no plain surface."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    levels = np.stack([rows * 6, columns * 5, (rows * columns) % 256], -1)
    return Image.fromarray(levels.astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat_png(width: int, height: int, depth: int = 1, interlace: int = 0) -> bytes:
    """A grey PNG of one value; its packed pixels are few, whatever its size."""
    packer = zlib.compressobj(1)
    row = bytes(1 + (width * depth + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(min(height, 12_000))) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlace)
    return png([(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")])


def interlaced() -> bytes:
    """A grey PNG of 16 x 16 px in Adam7's seven passes."""
    passes = ((2, 2), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8), (16, 8))
    rows = b"".join((b"\0" + bytes(range(width))) * height for width, height in passes)
    header = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 1)
    return png([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def gif_picture(width: int, height: int) -> bytes:
    """One picture of a GIF that says it is that large and has hardly any data."""
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0;"


def text_bomb(kind: bytes, head: bytes, length: int = 70_000_000, count: int = 1) -> bytes:
    """A small PNG with a packed text that is that many bytes long once unpacked, so many times."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(10**6)) for _ in range(max(1, length // 10**6))) + packer.flush()
    header = struct.pack(">IIBBBBB", 20, 20, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(21 * 20))
    return png([(b"IHDR", header), *[(kind, head + packed)] * count, (b"IDAT", pixels), (b"IEND", b"")])


def with_segments(jpeg: bytes, segments: list[tuple[int, bytes]]) -> bytes:
    """A JPEG with more segments behind its beginning."""
    more = (struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return jpeg[:2] + b"".join(more) + jpeg[2:]


def zipped() -> bytes:
    """An archive whose one file wants to be written outside of the folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        # Without a date: the seeds are the same each time.
        archive.writestr(zipfile.ZipInfo("../../outside.txt"), "written")
    return file.getvalue()


def _tiff(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A TIFF with one directory at byte 8; entries are (tag, type, count, value)."""
    rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", following) + bytes(64)
