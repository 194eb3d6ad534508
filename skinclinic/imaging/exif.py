"""The few facts taken from EXIF (CIPA DC-008) and XMP before all of it is stripped.

Stripped it is twice over: each format's ``inspect`` passes on only what its decoder needs (``Header.payload``), and
``raster.encode_jpeg`` writes the pixels anew, without any metadata. A file that has none already (``jpeg.is_plain``) is
kept as it is (``intake.accept``).

Read by hand: a general reader copies every field, and a few kilobytes of EXIF can name gigabytes of them.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image

from . import camera_dates
from .camera_dates import Taken

TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEAD = b"Exif\0\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION, _DETAILS, _INTEROPERABILITY = 0x0112, 0x8769, 0xA005
_TAKEN, _DIGITISED, _INDEX, _COLOURS = 0x9003, 0x9004, 0x0001, 0xA001
_OFFSET_OF = {_TAKEN: 0x9011, _DIGITISED: 0x9012}
_OFFSET = 0x9010
_READ = {
    _ORIENTATION, _DETAILS, _INTEROPERABILITY, _TAKEN, _DIGITISED, _INDEX, _COLOURS, _OFFSET, *_OFFSET_OF.values(),
}  # fmt: skip
# Adobe RGB: what some programs write for it, beside the standard's own way, an index of R03.
_SRGB_COLOURS, _ADOBE_COLOURS, _OTHER_COLOURS = 1, 2, 0xFFFF
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 129: 1}
# The standard's own types of these facts are 3 and 4; some programs write a byte, TIFF the place of a directory.
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
_LONGEST = 64
_XMP_ORIENTATION = re.compile(rb"\b\w+:Orientation(?:\s*=\s*[\"']|>\s*)([1-8])\s*[\"'<]")
# When the picture was taken, as cameras and programs that describe photos write it; the first of these counts.
_XMP_DATES = (b"DateTimeOriginal", b"DateCreated", b"DateTimeDigitized", b"CreateDate")
_XMP_DATE = re.compile(rb"\b\w+:(" + b"|".join(_XMP_DATES) + rb")(?:\s*=\s*[\"']|>\s*)([^\"'<>]{4,64})")


@dataclass(frozen=True)
class Facts:
    """`turn`: what makes the picture upright, or None. `taken`: when, by the camera's clock.
    `adobe_rgb`: the camera says that the colours are Adobe RGB; `other_colours`: that they are not sRGB.
    `notes`: codes of `refusals.NOTES`."""

    turn: Image.Transpose | None = None
    taken: Taken | None = None
    adobe_rgb: bool = False
    other_colours: bool = False
    notes: tuple[str, ...] = ()


def block(data: bytes) -> bytes:
    """The TIFF block of EXIF data, whose head some programs leave out and others write twice."""
    while data.startswith(_HEAD):
        data = data[len(_HEAD) :]
    return data


def usable(tiff: bytes) -> bytes:
    """The block if it is one of EXIF data, else nothing, so that another one may be it."""
    return tiff if tiff[:4] in _ORDERS and len(tiff) > 8 else b""


def read(tiff: bytes, xmp: bytes = b"", dates: Iterable[str] = ()) -> Facts:
    """Facts from the TIFF block of EXIF data. Broken data counts as none: the pixels matter more.

    An orientation that EXIF does not name is taken from XMP, and a date from there or from ``dates``, what other
    places of the file say.
    """
    order = _ORDERS.get(tiff[:4])
    main: dict[int, int | bytes] = {}
    if order and len(tiff) >= 8:
        main = _directory(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0])
    details = _directory(tiff, order or "<", main.get(_DETAILS))
    interoperability = _directory(tiff, order or "<", details.get(_INTEROPERABILITY))
    taken, notes = _taken([*_dates(details), *((text, "") for text in (*_dates_in(xmp), *dates))])
    return Facts(
        turn=TRANSPOSE.get(_orientation(main, xmp)),
        taken=taken,
        adobe_rgb=_is_adobe_rgb(details.get(_COLOURS), interoperability.get(_INDEX)),
        other_colours=details.get(_COLOURS) == _OTHER_COLOURS,
        notes=notes,
    )


def _orientation(main: dict[int, int | bytes], xmp: bytes) -> int:
    told = main.get(_ORIENTATION)
    if isinstance(told, int) and 1 <= told <= 8:
        return told
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1


def _is_adobe_rgb(colours: int | bytes | None, index: int | bytes | None) -> bool:
    if colours == _ADOBE_COLOURS:
        return True
    return colours != _SRGB_COLOURS and isinstance(index, bytes) and index.startswith(b"R03")


def _dates(details: dict[int, int | bytes]) -> Iterator[tuple[str, str]]:
    """Each date of EXIF with what a field of its own says of its zone."""
    for tag, offset_tag in _OFFSET_OF.items():
        yield _text(details.get(tag)), _text(details.get(offset_tag)) or _text(details.get(_OFFSET))


def _dates_in(xmp: bytes) -> Iterator[str]:
    found = {name: value for name, value in _XMP_DATE.findall(xmp)}
    return (camera_dates.as_text(found[name]) for name in _XMP_DATES if name in found)


def _taken(dates: Iterable[tuple[str, str]]) -> tuple[Taken | None, tuple[str, ...]]:
    """The first date that can be right, and a note if what was written cannot."""
    now = datetime.now(UTC).replace(tzinfo=None)
    notes: tuple[str, ...] = ()
    for text, offset in dates:
        if camera_dates.says_nothing(text):
            continue
        taken = camera_dates.read(text, offset)
        if taken and camera_dates.is_plausible(taken, now):
            return taken, ()
        notes = ("date_not_taken",)
    return None, notes


def _text(value: int | bytes | None) -> str:
    return camera_dates.as_text(value) if isinstance(value, bytes) else ""


def _directory(tiff: bytes, order: str, offset: int | bytes | None) -> dict[int, int | bytes]:
    """The facts of one directory: whole numbers of single fields, bytes of the beginning of texts."""
    values: dict[int, int | bytes] = {}
    if not isinstance(offset, int) or offset + 2 > len(tiff):
        return values
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    for start in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHI", tiff, start)
        length = _BYTES_OF_TYPE.get(kind, 0) * number
        if tag not in _READ:
            continue
        if kind in _NUMBERS and number == 1:
            values[tag] = struct.unpack_from(order + _NUMBERS[kind], tiff, start + 8)[0]
        elif kind in (2, 7, 129) and length > 0:
            place = start + 8 if length <= 4 else struct.unpack_from(order + "I", tiff, start + 8)[0]
            values[tag] = tiff[place : place + min(length, _LONGEST)]
    return values
