"""Orientation: however the camera held the pixels, the stored photo and its crops are the same."""

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
@each("file_format", ["JPEG", "PNG", "WEBP"])
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


def test_thumbnail_is_upright():
    turned = Image.fromarray(np.ascontiguousarray(STORED[6](corners())))
    photo = imaging.accept(make.lossless(turned, "JPEG", exif=make.telling_exif(6)))
    small = imaging.open_rgb(photo.thumbnail)
    assert small.size == (160, 96)
    assert np.abs(np.asarray(small.getpixel((10, 10))) - COLOURS["top left"]).max() <= 8
