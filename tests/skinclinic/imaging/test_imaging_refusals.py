"""Every kind of file that is refused, and the reason it is given."""

import functools
import io
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each


def refusal(data: bytes, **limits) -> imaging.PhotoRejected:
    with pytest.raises(imaging.PhotoRejected) as caught:
        imaging.accept(data, **limits)
    return caught.value


def zip_bytes() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.jpg", make.encoded(make.lesion(), "JPEG"))
    return file.getvalue()


@functools.cache
def large_picture(file_format: str) -> bytes:
    return make.encoded(make.lesion(320, 256), file_format)


def picture(file_format: str) -> bytes:
    return make.encoded(make.lesion(), file_format)


def jpeg_headers() -> bytes:
    """A good JPEG up to where its coded data begin."""
    jpeg = make.encoded(make.lesion(), "JPEG")
    scan = jpeg.index(b"\xff\xda")
    return jpeg[: scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4])]


JPEG_START = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
WINDOWS_PROGRAM = b"MZ\x90\x00" + bytes(56) + b"\x80\x00\x00\x00" + bytes(64) + b"PE\x00\x00"

OTHER_KINDS = {
    "text": (b"Dear doctor, the photo is attached.\n", "text file"),
    "Korean text in CP949": ("환자 사진을 첨부합니다.".encode("cp949"), "text file"),
    "text in UTF-16": ("Dear doctor".encode("utf-16"), "text file"),
    "HTML": (b"<!DOCTYPE html><html><body>photo</body></html>", "HTML"),
    "HTML after blanks": (b"\n\n  <html><script>alert(1)</script></html>", "HTML"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"/>', "SVG"),
    "SVG with XML head": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "XML": (b'<?xml version="1.0"?><patient/>', "XML"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "GIF": (picture("GIF"), "GIF"),
    "BigTIFF": (make.encoded(make.lesion(), "TIFF", big_tiff=True), "BigTIFF"),
    "camera raw file of Canon": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(100), "camera raw"),
    "newer camera raw file of Canon": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(100), "camera raw"),
    "camera raw file that shows a preview": (make.plain_tiff(make.lesion(), kind=[1]), "camera raw"),
    "digital negative": (make.plain_tiff(make.lesion(), dng=[1]), "camera raw"),
    "JPEG XL": (b"\xff\x0a" + bytes(100), "JPEG XL"),
    "BMP": (picture("BMP"), "BMP"),
    "icon": (picture("ICO"), "icon"),
    "JPEG 2000": (picture("JPEG2000"), "JPEG 2000"),
    "ZIP": (zip_bytes(), "ZIP"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(20), "gzip"),
    "Windows program": (WINDOWS_PROGRAM, "program"),
    "Linux program": (Path(sys.executable).read_bytes()[:4096], "program"),
    "shell script": (b"#!/bin/sh\nrm -rf /\n", "script"),
    "PHP": (b"<?php system($_GET['c']);", "script"),
    "video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100), "video"),
    "Matroska video": (b"\x1aE\xdf\xa3" + bytes(100), "video"),
    "sound": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), "sound"),
    "DICOM": (bytes(128) + b"DICM" + bytes(100), "DICOM"),
    "noise": (bytes(range(255, 127, -1)) * 4, "unknown kind"),
    "a single byte": (b"\x00", "unknown kind"),
    "Windows program behind a JPEG start": (JPEG_START + WINDOWS_PROGRAM, "program"),
    "Linux program behind a JPEG start": (b"\xff\xd8\xff\xe0\x7fELF\x02\x01\x01" + bytes(200), "program"),
    "Windows program in place of the picture": (jpeg_headers() + WINDOWS_PROGRAM, "program"),
    "Linux program in place of the picture": (
        jpeg_headers() + Path(sys.executable).read_bytes()[:4096],
        "program",
    ),
    "HTML behind a JPEG start": (JPEG_START + b"<html><script>alert(1)</script></html>", "HTML"),
    "text behind a JPEG start": (b"\xff\xd8\xff" + b"only pretending to be a photo", "text file"),
    "PDF behind a JPEG start": (b"\xff\xd8\xff\xe0\x00\x02" + b"%PDF-1.7\n" + bytes(100), "PDF"),
    "ZIP behind a PNG start": (make.PNG_SIGNATURE + zip_bytes(), "ZIP"),
}


@each("name", OTHER_KINDS)
def test_other_kinds_are_named(name):
    data, kind = OTHER_KINDS[name]
    rejected = refusal(data)
    assert rejected.code == "unsupported"
    assert kind in rejected.params["kind"]
    assert kind in rejected.message and "JPEG, PNG, WebP, HEIC, AVIF or TIFF" in rejected.message


def test_empty_file():
    assert refusal(b"").code == "empty"


def test_too_many_bytes():
    rejected = refusal(b"\xff\xd8\xff" + bytes(26 * 2**20))
    assert rejected.code == "too_large"
    assert "at most 25 MB" in rejected.message


def test_limit_of_bytes_can_be_set():
    data = make.encoded(make.lesion(), "JPEG")
    assert imaging.accept(data, max_bytes=len(data)).width == 160
    assert refusal(data, max_bytes=len(data) - 1).code == "too_large"


@each("file_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@each("share", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_truncated(file_format, share):
    whole = large_picture(file_format)
    rejected = refusal(whole[: int(len(whole) * share)])
    assert rejected.code in ("damaged", "unsupported")
    if share >= 0.3:
        assert rejected.code == "damaged"


def test_last_bytes_missing():
    for file_format in ("PNG", "WEBP", "HEIF", "AVIF"):
        assert refusal(make.encoded(make.lesion(), file_format)[:-1]).code == "damaged"


def test_truncated_although_another_part_of_the_program_tolerates_it(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    for file_format in ("JPEG", "PNG"):
        whole = make.encoded(make.lesion(320, 256), file_format)
        assert refusal(whole[: len(whole) // 2]).code == "damaged"


def test_truncated_progressive_jpeg():
    whole = make.encoded(make.lesion(320, 256), "JPEG", progressive=True)
    assert refusal(whole[: len(whole) // 2]).code == "damaged"


@pytest.mark.parametrize("part", [b"IHDR", b"IDAT", b"IEND"])
def test_png_with_bad_crc(part):
    data = bytearray(make.encoded(make.lesion(), "PNG"))
    start = data.index(part)
    length = int.from_bytes(data[start - 4 : start])
    data[start + 4 + length] ^= 1
    assert refusal(bytes(data)).code == "damaged"


def test_jpeg_with_two_frame_headers():
    """One reader would see the small size and another the large one."""
    small, large = make.encoded(make.lesion(), "JPEG"), make.jpeg_saying(60000, 60000)
    start = large.index(b"\xff\xc0")
    frame = large[start : start + 2 + int.from_bytes(large[start + 2 : start + 4])]
    at = small.index(b"\xff\xc0")
    assert refusal(small[:at] + frame + small[at:]).code == "damaged"
    assert refusal(small[: at + len(frame)] + frame + small[at + len(frame) :]).code == "damaged"


def test_heic_that_is_larger_than_it_says():
    assert refusal(make.heic_saying(80, 80)).code == "damaged"


@each("size, code", [((1, 1), "too_small"), ((63, 200), "too_small"), ((200, 63), "too_small")])
@each("file_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_too_small(size, code, file_format):
    rejected = refusal(make.encoded(make.flat("tan", size=size), file_format))
    assert rejected.code == code
    assert f"{size[0]} × {size[1]}" in rejected.message


@pytest.mark.parametrize("size", [(30, 4000), (4000, 30), (64, 4000), (100, 1001)])
def test_too_narrow(size):
    assert refusal(make.encoded(make.flat("tan", size=size), "PNG")).code == "too_narrow"


@pytest.mark.parametrize("size", [(64, 64), (100, 1000)])
def test_smallest_and_narrowest_that_pass(size):
    photo = imaging.accept(make.encoded(make.flat("tan", size=size), "PNG"))
    assert (photo.width, photo.height) == size


def test_limits_of_pixels_and_sides_can_be_set():
    data = make.encoded(make.flat("tan", size=(200, 100)), "PNG")
    assert imaging.accept(data, max_pixels=20_000, min_side=100).width == 200
    assert refusal(data, max_pixels=19_999).code == "too_many_pixels"
    assert refusal(data, min_side=101).code == "too_small"


def test_messages_can_be_translated_from_code_and_params():
    rejected = refusal(b"%PDF-1.7")
    assert imaging.MESSAGES[rejected.code] % rejected.params == rejected.message == str(rejected)


def test_a_row_more_than_50_megapixels():
    rejected = refusal(make.encoded(Image.new("1", (10_000, 5_001)), "PNG"))
    assert rejected.code == "too_many_pixels"
    assert "10000 × 5001 is 50.1 megapixels; at most 50 are" in rejected.message
