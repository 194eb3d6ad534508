"""What stays of a file: the first picture and its date; no place, no serial number, nothing behind the end."""

import functools
import io
import zipfile
from datetime import datetime

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description photoshop:City="Secret City"/></x:xmpmeta>'
SECRETS = (*make.SECRETS, b"Secret City", b"Secret comment", b"Secret caption")


def telling(file_format: str) -> bytes:
    """A file with everything in it that should not stay."""
    exif = make.telling_exif()
    if file_format == "JPEG":
        data = make.encoded(make.lesion(), "JPEG", exif=exif, xmp=XMP, comment=b"Secret comment")
        return make.jpeg_with_segment(
            data, 0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0eSecret caption"
        )
    if file_format == "PNG":
        text = PngInfo()
        text.add_text("Comment", "Secret comment")
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return make.encoded(make.lesion(), "PNG", exif=exif, pnginfo=text)
    if file_format == "TIFF":
        block = Image.Exif()
        block.load(exif.tobytes())
        block[0x010E] = "Secret caption"
        return make.encoded(make.lesion(), "TIFF", exif=block)
    return make.encoded(make.lesion(), file_format, exif=exif.tobytes(), xmp=XMP)


def markers(jpeg: bytes) -> set[int]:
    """Marker codes of a JPEG up to its first scan."""
    found, position = set(), 2
    while jpeg[position + 1] != 0xDA:
        found.add(jpeg[position + 1])
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4])
    return found


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_metadata_is_gone_and_the_date_is_kept(file_format):
    data = telling(file_format)
    assert sum(secret in data for secret in SECRETS) >= 4, "the test file tells nothing"
    photo = imaging.accept(data)
    assert photo.captured_at == datetime(2024, 3, 2, 10, 11, 12)
    for stored in (photo.jpeg, photo.thumbnail):
        assert not [secret for secret in SECRETS if secret in stored]
        assert markers(stored) <= {0xE0, 0xDB, 0xC0, 0xC4}
        assert stored.endswith(b"\xff\xd9")
        assert not Image.open(io.BytesIO(stored)).getexif()


def test_embedded_thumbnail_is_gone():
    """The thumbnail in EXIF may show what was cut off the photo."""
    inner = make.encoded(make.flat("red"), "JPEG")
    tiff = make.exif_block([(0x0112, 3, 1, 1)], extra=inner)
    data = make.jpeg_with_segment(make.encoded(make.lesion(), "JPEG"), 0xE1, b"Exif\0\0" + tiff)
    photo = imaging.accept(data)
    assert (photo.width, photo.height, photo.notes) == (160, 120, ())
    assert photo.jpeg.count(b"\xff\xd8\xff") == 1


@each(
    "taken",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:02:30 10:00:00",
        "yesterday",
        "9999:01:01 00:00:00",
        "",
    ],
)
def test_impossible_dates_are_no_dates(taken):
    data = make.encoded(make.lesion(), "JPEG", exif=make.telling_exif(taken=taken))
    assert imaging.accept(data).captured_at is None


def test_no_exif_no_date():
    assert imaging.accept(make.encoded(make.lesion(), "JPEG")).captured_at is None


def test_digitised_date_stands_in():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9004] = "2019:12:31 23:59:59"
    data = make.encoded(make.lesion(), "JPEG", exif=exif)
    assert imaging.accept(data).captured_at == datetime(2019, 12, 31, 23, 59, 59)


@each("cut", range(0, 200, 7))
def test_broken_exif_does_not_cost_the_photo(cut):
    exif = make.telling_exif().tobytes()
    body = exif[:cut] + b"\xff" * 20 + exif[cut + 20 :]
    data = make.jpeg_with_segment(make.encoded(make.lesion(), "JPEG"), 0xE1, body)
    assert {imaging.accept(data).width, imaging.accept(data).height} == {160, 120}


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("payload.html", "<script>alert(1)</script>" * 40)
    return file.getvalue()


TAILS = {
    "ZIP": archive(),
    "HTML": b"<html><script>alert(1)</script></html>",
    "program": b"MZ\x90\x00" + bytes(range(256)),
    "another end marker": b"hidden\xff\xd9hidden\xff\xd9",
}


@functools.cache
def picture(file_format: str) -> bytes:
    return make.encoded(make.lesion(), file_format)


@each("file_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@each("tail", TAILS)
def test_polyglots_lose_their_tail(file_format, tail):
    photo = imaging.accept(picture(file_format) + TAILS[tail])
    assert photo.notes == ("tail_removed",)
    assert (photo.width, photo.height) == (160, 120)
    assert TAILS[tail][:20] not in photo.jpeg and b"script" not in photo.jpeg
    assert photo.jpeg.index(b"\xff\xd9") == len(photo.jpeg) - 2


def test_program_in_a_comment_is_gone():
    payload = b"<?php system($_GET['c']); ?>"
    photo = imaging.accept(make.encoded(make.lesion(), "JPEG", comment=payload))
    assert payload not in photo.jpeg and photo.notes == ()


def test_padding_is_no_tail():
    assert imaging.accept(make.encoded(make.lesion(), "JPEG") + bytes(512)).notes == ()


def frames() -> list[Image.Image]:
    return [make.flat((200, 40, 40)), make.flat((40, 40, 200))]


@pytest.mark.parametrize("file_format", ["MPO", "WEBP", "PNG", "AVIF", "TIFF"])
def test_first_frame_only(file_format):
    first, second = frames()
    photo = imaging.accept(make.encoded(first, file_format, save_all=True, append_images=[second]))
    assert photo.notes == ("first_frame_only",)
    assert photo.source_format == {"MPO": "JPEG"}.get(file_format, file_format)
    red, _, blue = np.asarray(imaging.open_rgb(photo.jpeg)).reshape(-1, 3).mean(axis=0)
    assert red > 180 and blue < 60


@pytest.mark.parametrize("main, note", [(0, "first_frame_only"), (1, "main_picture_only")])
def test_several_pictures_in_a_heic(main, note):
    file = io.BytesIO()
    several = pillow_heif.from_pillow(frames()[0])
    several.add_from_pillow(frames()[1])
    several.save(file, primary_index=main)
    photo = imaging.accept(file.getvalue())
    assert photo.notes == (note,)
    assert np.asarray(imaging.open_rgb(photo.jpeg))[40, 40, 2 * main] > 180


def test_a_tone_map_in_a_heic_is_no_second_picture():
    """It takes the place of the second picture here, as a kind of item that only HDR screens know."""
    file = io.BytesIO()
    several = pillow_heif.from_pillow(frames()[0])
    several.add_from_pillow(frames()[1])
    several.save(file, primary_index=0)
    before, kind, after = file.getvalue().rpartition(b"hvc1\0")
    assert kind and before.endswith(b"\0\0\2\0\0")
    assert imaging.accept(before + b"tmap\0" + after).notes == ("gain_map_removed",)


def test_gain_map_of_a_phone_photo_is_no_second_picture():
    """Phones put a second JPEG behind the photo that only says how to brighten it."""
    first, second = frames()
    mpo = make.encoded(first, "MPO", save_all=True, append_images=[second])
    photo = imaging.accept(
        make.jpeg_with_segment(mpo, 0xE1, b'http://ns.adobe.com/xap/1.0/\0 hdrgm:Version="1.0"')
    )
    assert photo.notes == ("gain_map_removed",)
    assert len(photo.jpeg) < len(mpo)


def test_same_bytes_same_hash():
    data = make.encoded(make.lesion(), "JPEG")
    assert imaging.accept(data).sha256 == imaging.sha256(bytearray(data))
    assert imaging.accept(data + b"x").sha256 != imaging.sha256(data)


def test_accepting_again_changes_nothing_but_grain():
    photo = imaging.accept(make.encoded(make.lesion(), "JPEG"))
    again = imaging.accept(photo.jpeg)
    assert (again.width, again.height, again.notes) == (photo.width, photo.height, ())
    difference = np.subtract(imaging.open_rgb(again.jpeg), imaging.open_rgb(photo.jpeg), dtype=int)
    assert np.abs(difference).mean() < 1


@pytest.mark.parametrize(
    "size, expected", [((640, 480), (320, 240)), ((300, 3000), (32, 320)), ((200, 100), (200, 100))]
)
def test_thumbnail_size(size, expected):
    photo = imaging.accept(make.encoded(make.flat("tan", size=size), "JPEG"))
    assert Image.open(io.BytesIO(photo.thumbnail)).size == expected


def test_open_rgb_refuses_what_was_not_stored():
    with pytest.raises(OSError):
        imaging.open_rgb(b"not a photo")
