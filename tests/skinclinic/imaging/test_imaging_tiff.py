"""TIFF: every usual way of storing a picture is read, everything else is refused in words."""

import cv2
import numpy as np
import pytest
from PIL import Image

from skinclinic import imaging
from skinclinic.imaging.profiles import adobe_rgb_profile
from tests import photo_bytes as make
from tests.cases import each

PICTURE = make.lesion(330, 250)


def refusal(data: bytes) -> imaging.PhotoRejected:
    with pytest.raises(imaging.PhotoRejected) as caught:
        imaging.accept(data)
    return caught.value


def farthest(data: bytes, expected: Image.Image = PICTURE) -> float:
    photo = imaging.accept(data)
    assert photo.source_format == "TIFF"
    difference = np.subtract(imaging.open_rgb(photo.jpeg), expected.convert("RGB"), dtype=int)
    return float(np.abs(difference).mean())


@each("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"])
@each("mode", ["RGB", "L", "1", "P", "RGBA", "CMYK"])
def test_compressions_and_layouts(compression, mode):
    picture = PICTURE.quantize(16) if mode == "P" else PICTURE.convert(mode)
    assert farthest(make.encoded(picture, "TIFF", compression=compression), picture) < 3


def test_jpeg_inside():
    assert farthest(make.encoded(PICTURE, "TIFF", compression="jpeg", quality=95)) < 5


@pytest.mark.parametrize("predictor", [1, 2])
def test_sixteen_bits(predictor):
    deep = np.asarray(PICTURE)[..., ::-1].astype(np.uint16) * 257
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    assert farthest(cv2.imencode(".tiff", deep, options)[1].tobytes()) < 3


def test_sixteen_bits_of_grey():
    grey = PICTURE.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert farthest(make.encoded(deep, "TIFF"), grey) < 3


def in_tiles(order: str = "<") -> bytes:
    """100 × 80 pixels in four tiles of 64 × 48."""
    picture = PICTURE.crop((0, 0, 100, 80))
    boxes = [(left, top, left + 64, top + 48) for top in (0, 48) for left in (0, 64)]
    tiles = [picture.crop(box).tobytes() for box in boxes]
    size = len(tiles[0])
    tags = {
        256: (4, [100]), 257: (4, [80]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]), 277: (3, [3]),
        322: (3, [64]), 323: (3, [48]), 324: (4, [8 + size * number for number in range(4)]), 325: (4, [size] * 4),
    }  # fmt: skip
    return make.tiff(tags, b"".join(tiles), order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiles_in_both_byte_orders(order):
    assert farthest(in_tiles(order), PICTURE.crop((0, 0, 100, 80))) < 3


def test_planes_one_after_the_other():
    picture = PICTURE.crop((0, 0, 100, 80))
    planes = b"".join(band.tobytes() for band in picture.split())
    tags = {
        256: (4, [100]), 257: (4, [80]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]), 277: (3, [3]),
        273: (4, [8, 8008, 16008]), 278: (4, [80]), 279: (4, [8000] * 3), 284: (3, [2]),
    }  # fmt: skip
    assert farthest(make.tiff(tags, planes), picture) < 3


def test_colours_by_profile():
    photo = imaging.accept(make.encoded(PICTURE, "TIFF", icc_profile=adobe_rgb_profile()))
    assert photo.notes == ("converted_to_srgb",)
    again = imaging.accept(make.encoded(PICTURE, "PNG", icc_profile=adobe_rgb_profile()))
    assert np.array_equal(imaging.open_rgb(photo.jpeg), imaging.open_rgb(again.jpeg))


def test_the_first_of_several_pages_is_taken_and_said():
    pages = make.encoded(PICTURE, "TIFF", save_all=True, append_images=[Image.new("RGB", (90, 90))] * 3)
    assert imaging.accept(pages).notes == ("first_frame_only",)
    assert farthest(pages) < 3


def test_a_small_copy_behind_the_page_is_nothing_to_speak_of():
    copy = Image.new("RGB", (90, 90))
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    pages = make.encoded(PICTURE, "TIFF", save_all=True, append_images=[copy])
    assert imaging.accept(pages).notes == ()


@each(
    "changes, detail",
    [
        ({"compression": [3]}, "compression"),
        ({"compression": [50000]}, "compression"),
        ({"photometric": [8]}, "colours"),
        ({"photometric": [32844]}, "colours"),
        ({"format": [3, 3, 3], "bits": [32, 32, 32]}, "numbers"),
        ({"format": [2, 2, 2]}, "numbers"),
        ({"bits": [8, 8, 16]}, "numbers"),
        ({"bits": [5, 5, 5]}, "numbers"),
        ({"samples": [60]}, "numbers"),
    ],
)
def test_what_is_stored_in_another_way_is_refused_in_words(changes, detail):
    rejected = refusal(make.plain_tiff(PICTURE, **changes))
    assert rejected.code == "unsupported_inside"
    assert detail in rejected.message and "TIFF" in rejected.message and "PNG or JPEG" in rejected.message


SIZE = len(PICTURE.tobytes())


@each(
    "changes",
    [
        {"width": None},
        {"height": [0]},
        {"starts": None},
        {"starts": [2**31]},
        {"rows": [10]},
        {"starts": [8] * 3},
        {"height": [260]},
        {"tiles": [8], "tile_sizes": [SIZE], "tile_width": [0], "tile_height": [64]},
    ],
)
def test_lies_about_its_places_are_damage(changes):
    assert refusal(make.plain_tiff(PICTURE, **changes)).code == "damaged"


@pytest.mark.parametrize("sizes", [None, [0], [SIZE // 2], [SIZE + 10_000]])
def test_the_length_of_what_is_not_compressed_follows_from_its_size(sizes):
    assert farthest(make.plain_tiff(PICTURE, sizes=sizes)) < 3


def test_compressed_data_outside_the_file_are_damage():
    packed = make.encoded(PICTURE, "TIFF", compression="tiff_lzw", tiffinfo={278: 250})
    at = packed.index(b"\x17\x01\x04\0\1\0\0\0") + 8
    beyond = packed[:at] + len(packed).to_bytes(4, "little") + packed[at + 4 :]
    assert refusal(beyond).code == "damaged"


@pytest.mark.parametrize("offset", [0, 7, 8, 2**31, 2**32 - 1])
def test_a_directory_that_is_not_there(offset):
    data = make.plain_tiff(PICTURE)
    assert refusal(data[:4] + offset.to_bytes(4, "little") + data[8:]).code in ("damaged", "unsupported")


def test_pages_in_a_circle_end():
    data = bytearray(make.plain_tiff(PICTURE))
    start = int.from_bytes(data[4:8], "little")
    end = start + 2 + 12 * int.from_bytes(data[start : start + 2], "little")
    data[end : end + 4] = data[4:8]
    assert imaging.accept(bytes(data)).width == PICTURE.width


@each("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@each("share", [0.2, 0.5, 0.8])
def test_spoilt_data_are_damage(compression, share):
    data = bytearray(make.encoded(PICTURE, "TIFF", compression=compression))
    at = 8 + int(share * (len(data) - 600))
    data[at : at + 200] = bytes(200) if compression != "packbits" else b"\x81" * 200
    try:
        photo = imaging.accept(bytes(data))
    except imaging.PhotoRejected as rejected:
        assert rejected.code in ("damaged", "unsupported")
    else:
        assert (photo.width, photo.height) == PICTURE.size
