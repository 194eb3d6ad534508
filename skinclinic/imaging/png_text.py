"""Metadata that programs put into the texts of a PNG: XMP, and the raw profiles of ImageMagick."""

import re

from . import exif
from .camera_dates import as_text

_XMP = b"XML:com.adobe.xmp"
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_TAKEN = b"Creation Time"
_RAW = {b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp"}
# A name, the number of bytes, then the bytes in hexadecimal digits, broken into lines.
_RAW_TEXT = re.compile(rb"\s*+\w++\s++(\d{1,9})\s++([0-9A-Fa-f\s]*+)")
_LONGEST, _LONGEST_DATE = 1 << 20, 64


def keeps(keyword: bytes) -> bool:
    """Whether a text of this name can say how the picture is held, or when it was taken."""
    return keyword in (_XMP, _TAKEN) or keyword in _RAW


def exif_and_xmp(texts: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """(TIFF block of EXIF data, XMP packet) of the texts by their names; empty where there is none."""
    found, xmp = b"", texts.get(_XMP, b"")
    for keyword, text in texts.items():
        data = _raw(text) if keyword in _RAW else b""
        if data.startswith(_XMP_HEAD) or keyword.endswith(b"xmp"):
            xmp = xmp or data.removeprefix(_XMP_HEAD)
        else:
            found = found or exif.block(data)
    return found, xmp


def dates(texts: dict[bytes, bytes]) -> tuple[str, ...]:
    """When the picture was made, as its texts say."""
    return (as_text(texts[_TAKEN][:_LONGEST_DATE]),) if texts.get(_TAKEN) else ()


def _raw(text: bytes) -> bytes:
    found = _RAW_TEXT.fullmatch(text[:_LONGEST])
    if not found:
        return b""
    digits = b"".join(found[2].split())
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))[: int(found[1])]
