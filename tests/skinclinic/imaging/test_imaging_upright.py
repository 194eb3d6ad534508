"""Orientation: however the camera held the pixels, the stored photo and its crops are the same."""

import time
import zlib

import numpy as np
import pytest
from PIL import Image

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each

COLOURS = {
    "top left": (200, 60, 50),
    "top right": (60, 180, 70),
    "bottom left": (50, 70, 200),
    "rest": (230, 220, 80),
}


def corners() -> np.ndarray:
    """An upright picture, 160 wide and 96 high, with another colour in each quarter."""
    pixels = np.empty((96, 160, 3), np.uint8)
    pixels[:48, :80], pixels[:48, 80:], pixels[48:, :80], pixels[48:, 80:] = COLOURS.values()
    return pixels


# From the wording of the standard: what edge of the scene the first row and the first column show.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
}


def stored_pixels(photo: imaging.AcceptedPhoto) -> np.ndarray:
    return np.asarray(imaging.open_rgb(photo.jpeg)).astype(int)


@each("orientation", STORED)
@each("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_upright(orientation, file_format):
    turned = Image.fromarray(np.ascontiguousarray(STORED[orientation](corners())))
    data = make.lossless(turned, file_format, exif=make.telling_exif(orientation))
    photo = imaging.accept(data)
    assert (photo.width, photo.height) == (160, 96)
    assert np.abs(stored_pixels(photo) - corners()).max() <= 4


@each("orientation", STORED)
def test_crop_is_cut_from_the_upright_photo(orientation):
    turned = Image.fromarray(np.ascontiguousarray(STORED[orientation](corners())))
    photo = imaging.accept(make.lossless(turned, "JPEG", exif=make.telling_exif(orientation)))
    box = imaging.check_box((100, 4, 40), photo.width, photo.height)
    crop = imaging.crop(imaging.open_rgb(photo.jpeg), box)
    assert crop.size == (40, 40)
    assert np.abs(np.asarray(crop).astype(int) - COLOURS["top right"]).max() <= 4


@each("orientation", STORED)
def test_avif_is_turned_by_its_container(orientation):
    turned = Image.fromarray(np.ascontiguousarray(STORED[orientation](corners())))
    options = {"quality": 100, "subsampling": "4:4:4", "exif": make.telling_exif(orientation)}
    photo = imaging.accept(make.encoded(turned, "AVIF", **options))
    assert (photo.width, photo.height) == (160, 96)
    assert np.abs(stored_pixels(photo) - corners()).max() <= 6


def test_avif_is_not_turned_by_its_exif():
    options = {"quality": 100, "subsampling": "4:4:4", "exif": make.telling_exif(6)}
    avif = make.encoded(Image.fromarray(corners()), "AVIF", **options)
    assert avif.count(b"irot\x03") == 1
    photo = imaging.accept(avif.replace(b"irot\x03", b"irot\x00"))
    assert (photo.width, photo.height) == (160, 96)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_turned_once(orientation):
    """The container turns a HEIC; its EXIF orientation is only a record of that."""
    turned = Image.fromarray(np.ascontiguousarray(STORED[orientation](corners())))
    data = make.lossless(turned, "HEIF", exif=make.telling_exif(orientation).tobytes())
    photo = imaging.accept(data)
    assert (photo.width, photo.height) == (160, 96)
    assert np.abs(stored_pixels(photo) - corners()).max() <= 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_impossible_orientation_is_ignored(orientation):
    tiff = make.exif_block([(0x0112, 3, 1, orientation)])
    data = make.jpeg_with_segment(make.lossless(Image.fromarray(corners()), "JPEG"), 0xE1, b"Exif\0\0" + tiff)
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


def test_big_endian_exif():
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0" + bytes(4)
    turned = Image.fromarray(np.ascontiguousarray(corners()[::-1, ::-1]))
    data = make.jpeg_with_segment(make.lossless(turned, "JPEG"), 0xE1, b"Exif\0\0" + tiff)
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


def lying(file_format: str, **options) -> bytes:
    """The picture as a camera held by its side stores it; nothing says so yet."""
    return make.lossless(Image.fromarray(np.ascontiguousarray(STORED[6](corners()))), file_format, **options)


TIFF_6 = make.exif_block([(0x0112, 3, 1, 6)])
XMP_6 = b'<x:xmpmeta><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>'
XMP_ELEMENT_6 = b"<rdf:Description><tiff:Orientation>6</tiff:Orientation></rdf:Description>"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
EXIF_HEAD = b"Exif\0\0"


def raw_profile(name: bytes, data: bytes) -> bytes:
    """As ImageMagick writes a profile into a PNG's texts."""
    digits = data.hex().encode()
    lines = b"\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return b"\n" + name + b"\n%8d\n" % len(data) + lines + b"\n"


def text(keyword: bytes, value: bytes, kind: bytes = b"tEXt") -> bytes:
    if kind == b"zTXt":
        return make.chunk(kind, keyword + b"\0\0" + zlib.compress(value))
    if kind == b"iTXt":
        return make.chunk(kind, keyword + b"\0\1\0\0\0" + zlib.compress(value))
    return make.chunk(kind, keyword + b"\0" + value)


RAW_EXIF = raw_profile(b"exif", EXIF_HEAD + TIFF_6)
RAW_APP1 = raw_profile(b"generic", EXIF_HEAD + TIFF_6)
CHUNKS = {
    "raw profile": text(b"Raw profile type exif", RAW_EXIF),
    "packed raw profile": text(b"Raw profile type exif", RAW_EXIF, b"zTXt"),
    "international raw profile": text(b"Raw profile type exif", RAW_EXIF, b"iTXt"),
    "raw segment": text(b"Raw profile type APP1", RAW_APP1, b"zTXt"),
    "raw segment of XMP": text(b"Raw profile type APP1", raw_profile(b"generic", XMP_HEAD + XMP_6), b"zTXt"),
    "raw profile of XMP": text(b"Raw profile type xmp", raw_profile(b"xmp", XMP_6), b"zTXt"),
    "doubled head": make.chunk(b"eXIf", EXIF_HEAD + TIFF_6),
    "head three times": make.chunk(b"eXIf", EXIF_HEAD * 3 + TIFF_6),
    "XMP": make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_6),
    "packed XMP": text(b"XML:com.adobe.xmp", XMP_ELEMENT_6, b"iTXt"),
}


@each("place", CHUNKS)
def test_a_png_says_it_in_many_places(place):
    png = lying("PNG")
    photo = imaging.accept(png[:33] + CHUNKS[place] + png[33:])
    assert np.abs(stored_pixels(photo) - corners()).max() <= 4
    assert photo.notes == ()


SEGMENTS = {
    "doubled head": EXIF_HEAD * 2 + TIFF_6,
    "XMP": XMP_HEAD + XMP_6,
    "XMP element": XMP_HEAD + XMP_ELEMENT_6,
    "XMP of another prefix": XMP_HEAD + XMP_6.replace(b"tiff:", b"t:").replace(b":tiff", b":t"),
    "as a byte": EXIF_HEAD + make.exif_block([(0x0112, 1, 1, 6)]),
}


@each("place", SEGMENTS)
def test_a_jpeg_says_it_in_many_places(place):
    data = make.jpeg_with_segment(lying("JPEG"), 0xE1, SEGMENTS[place])
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


@each("broken", [b"", b"garbage", b"II*\0"])
def test_a_broken_segment_does_not_hide_the_good_one(broken):
    data = make.jpeg_with_segment(lying("JPEG"), 0xE1, EXIF_HEAD + TIFF_6)
    data = make.jpeg_with_segment(data, 0xE1, EXIF_HEAD + broken)
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


def test_a_tiff_says_it_in_xmp():
    data = lying("TIFF", tiffinfo={700: XMP_6})
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


def test_a_webp_says_it_in_xmp():
    assert np.abs(stored_pixels(imaging.accept(lying("WEBP", xmp=XMP_6))) - corners()).max() <= 4


@each("orientation", [1, 3])
def test_exif_counts_before_xmp(orientation):
    png = make.lossless(Image.fromarray(np.ascontiguousarray(STORED[orientation](corners()))), "PNG")
    exif = make.chunk(b"eXIf", make.exif_block([(0x0112, 3, 1, orientation)]))
    data = png[:33] + exif + CHUNKS["XMP"] + png[33:]
    assert np.abs(stored_pixels(imaging.accept(data)) - corners()).max() <= 4


@each(
    "value",
    [
        b"",
        b"exif",
        b"\nexif\n 99999999999999999999 \n00",
        b"\nexif\n 4\nzz",
        b" " * 2**20 + b"z",
        b"\nexif\n8\n4",
    ],
)
def test_a_broken_raw_profile_says_nothing(value):
    png = make.lossless(Image.fromarray(corners()), "PNG")
    started = time.process_time()
    photo = imaging.accept(png[:33] + text(b"Raw profile type exif", value) + png[33:])
    assert np.abs(stored_pixels(photo) - corners()).max() <= 4
    assert time.process_time() - started < 1


def test_thumbnail_is_upright():
    turned = Image.fromarray(np.ascontiguousarray(STORED[6](corners())))
    photo = imaging.accept(make.lossless(turned, "JPEG", exif=make.telling_exif(6)))
    small = imaging.open_rgb(photo.thumbnail)
    assert small.size == (160, 96)
    assert np.abs(np.asarray(small.getpixel((10, 10))) - COLOURS["top left"]).max() <= 8
