"""Nothing is in a stored photo beside the picture, whatever hostile thing was sent; and it is found where it is."""

import io

import pytest
from PIL import Image, PngImagePlugin

from skinclinic import imaging
from tests import photo_bytes
from tests.cases import each

SECRET = b"Given Surname 900101"


def hostile() -> dict[str, bytes]:
    picture = photo_bytes.lesion()
    plain = photo_bytes.encoded(picture, "JPEG", quality=90)
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{SECRET.decode()}</x:xmpmeta>")
    thumbnail = b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"abc"
    return {
        "exif": photo_bytes.encoded(picture, "JPEG", exif=photo_bytes.telling_exif()),
        "xmp": photo_bytes.jpeg_with_segment(plain, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
        "iptc": photo_bytes.jpeg_with_segment(plain, 0xED, b"Photoshop 3.0\0" + SECRET),
        "icc": photo_bytes.encoded(picture, "JPEG", icc_profile=photo_bytes.srgb_profile()),
        "comment": photo_bytes.jpeg_with_segment(plain, 0xFE, SECRET),
        "maker": photo_bytes.jpeg_with_segment(plain, 0xEB, SECRET),
        "thumbnail": photo_bytes.jpeg_with_segment(plain, 0xE0, thumbnail),
        "tail": plain + b"PK\3\4" + SECRET,
        "fill": plain[:2] + b"\xff\xff\xff" + plain[2:],
        "png text": photo_bytes.encoded(picture, "PNG", pnginfo=text),
        "png tail": photo_bytes.encoded(picture, "PNG") + SECRET,
        "webp": photo_bytes.encoded(picture, "WEBP", exif=photo_bytes.telling_exif()),
        "tiff": photo_bytes.encoded(picture, "TIFF", description=SECRET.decode(), artist=SECRET.decode()),
    }


@pytest.fixture(scope="module")
def files():
    return hostile()


@each("kind", list(hostile()))
def test_what_is_stored_is_the_picture_alone(files, kind):
    sent = files[kind]
    if sent.startswith(b"\xff\xd8"):
        assert imaging.beside_picture(sent)
    stored = imaging.accept(sent)
    for data in (stored.jpeg, stored.thumbnail):
        assert imaging.beside_picture(data) == "" and SECRET not in data
        allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive", "progression"}
        assert Image.open(io.BytesIO(data)).info.keys() <= allowed


def test_what_it_holds_is_named(files):
    said = {
        kind: imaging.beside_picture(files[kind])
        for kind in ("exif", "xmp", "iptc", "icc", "comment", "tail")
    }
    assert said == {
        "exif": "Exif", "xmp": "XMP", "iptc": "IPTC", "icc": "a colour profile", "comment": "a comment",
        "tail": "bytes behind its end",
    }  # fmt: skip
    assert imaging.beside_picture(b"GIF89a") == "no JPEG"
    assert imaging.beside_picture(files["comment"][:900])


def test_what_a_png_holds_is_named(files):
    plain = photo_bytes.encoded(photo_bytes.lesion(), "PNG", dpi=(600, 600))
    assert imaging.beside_png(plain) == ""
    assert imaging.beside_png(files["png text"]) == "a part of kind tEXt"
    assert imaging.beside_png(files["png tail"]) == "bytes behind its end"
    assert imaging.beside_png(plain[:-5]) == "no whole PNG"
    assert imaging.beside_png(files["exif"]) == "no PNG"
