"""What files that leave are looked through for, in the bytes of each kind."""

import io
import json
import zipfile

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinclinic.services.leaving_files import Watched
from tests import factories

WATCHED = Watched({"PAT-0042": "code", "Kim Minji": "name", "mole_of_kim.jpg": "file", "P-1": "short"})
TEXTS = {
    "code": "the lesion of PAT-0042, right",
    "name": "read by Kim Minji",
    "file": "from mole_of_kim.jpg",
    "email": "ask minji@example.org",
    "phone": "call 010-1234-5678",
    "resident_number": "born as 900101-2123456",
}
# Near, and none of them; what is shorter than any code that could be told; numbers and hashes are of nobody.
HARMLESS = (
    "PAT-00421", "XPAT-0042", "P-1", "0.9001012123456", "9001012123456e-3", "900101212345690010121234569001012123456a",
    "2026-11-29T08:38:44.123456+00:00", "",
)  # fmt: skip


def written(kind: str, text: str) -> tuple[str, bytes]:
    if kind == "csv":
        return "a.csv", f'number,said\n1,"{text}"\n'.encode("utf-8-sig")
    if kind == "json":
        return "a.json", json.dumps({"a": [{"b": text}], text: 1}).encode()
    if kind == "svg":
        return "a.svg", f"<svg><title>{text.replace('@', '&#64;')}</title></svg>".encode()
    if kind == "xlsx":
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w") as archive:
            archive.writestr("xl/sharedStrings.xml", f"<t>{text}</t>")
        return "a.xlsx", book.getvalue()
    return "a.txt", text.encode()


@pytest.mark.parametrize("kind", ["csv", "json", "svg", "xlsx", "txt"])
def test_texts_of_each_kind(kind):
    for what, text in TEXTS.items():
        assert WATCHED.found_in(*written(kind, text)) == what
    for text in HARMLESS:
        # As numbers and hashes they stand in cells and values of their own.
        if kind in ("csv", "json") or not text[:1].isdigit():
            assert WATCHED.found_in(*written(kind, text)) == "", text
    assert WATCHED.found_in("cohort-of-pat-0042.txt", b"") == "code"
    assert WATCHED.found_in("a.pdf", b"%PDF /Title (PAT-0042)") == "code"


def test_pictures_are_pictures_and_nothing_else():
    clean = Image.new("RGB", (8, 8))

    def saved(kind: str, **more) -> bytes:
        file = io.BytesIO()
        clean.save(file, kind, **more)
        return file.getvalue()

    said = PngInfo()
    said.add_text("Comment", "x")
    exif = clean.getexif()
    exif[0x013B] = "somebody"
    for name, good, bad in (
        ("a.png", saved("PNG", dpi=(300, 300)), saved("PNG", pnginfo=said)),
        ("a.png", saved("PNG"), saved("PNG", exif=exif)),
        ("a.png", saved("PNG"), saved("PNG") + b"more"),
        ("a.tif", saved("TIFF", dpi=(300, 300)), saved("TIFF", exif=exif)),
        ("a.jpg", factories.jpeg_bytes(1), saved("JPEG", exif=exif)),
    ):
        assert WATCHED.found_in(name, good) == ""
        assert WATCHED.found_in(name, bad) != "", name
