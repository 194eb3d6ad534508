"""The few facts taken from EXIF (CIPA DC-008) before all of it is stripped.

Stripped it is twice over: each format's ``inspect`` passes on only what its decoder needs (``Header.payload``), and
``raster.encode_jpeg`` writes the pixels anew, without any metadata. A file that has none already (``jpeg.is_plain``) is
kept as it is (``intake.accept``).

Read by hand: a general reader copies every field, and a few kilobytes of EXIF can name gigabytes of them.
"""

import struct
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _DETAILS, _INTEROPERABILITY = 0x0112, 0x8769, 0xA005
_TAKEN, _DIGITISED, _INDEX = 0x9003, 0x9004, 0x0001
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
_LONGEST = 64


@dataclass(frozen=True)
class Facts:
    """`turn`: what makes the picture upright, or None. `captured_at`: naive, by the camera's clock.
    `adobe_rgb`: the camera says that the colours are Adobe RGB."""

    turn: Image.Transpose | None = None
    captured_at: datetime | None = None
    adobe_rgb: bool = False


def read(tiff: bytes) -> Facts:
    """Facts from the TIFF block of EXIF data. Broken data counts as none: the pixels matter more."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return Facts()
    main = _directory(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0])
    details = _directory(tiff, order, main.get(_DETAILS))
    interoperability = _directory(tiff, order, details.get(_INTEROPERABILITY))
    dates = (_date(details.get(tag)) for tag in (_TAKEN, _DIGITISED))
    orientation = main.get(_ORIENTATION)
    return Facts(
        turn=_TRANSPOSE.get(orientation) if isinstance(orientation, int) else None,
        captured_at=next((date for date in dates if date), None),
        adobe_rgb=interoperability.get(_INDEX) == b"R03\0",
    )


def _directory(tiff: bytes, order: str, offset: int | bytes | None) -> dict[int, int | bytes]:
    """Values of one directory: whole numbers of single fields, bytes of short texts."""
    values: dict[int, int | bytes] = {}
    if not isinstance(offset, int) or offset + 2 > len(tiff):
        return values
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    for start in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHI", tiff, start)
        length = _BYTES_OF_TYPE.get(kind, 0) * number
        if kind in (3, 4) and number == 1:
            values[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), tiff, start + 8)[0]
        elif kind in (2, 7) and 0 < length <= _LONGEST:
            place = start + 8 if length <= 4 else struct.unpack_from(order + "I", tiff, start + 8)[0]
            values[tag] = tiff[place : place + length]
    return values


def _date(value: int | bytes | None) -> datetime | None:
    if not isinstance(value, bytes):
        return None
    try:
        date = datetime.strptime(value.decode("ascii").strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - by the camera's clock
    except ValueError:
        return None
    # A clock that was never set shows dates that no later step could store or sort.
    return date if 1970 <= date.year < 2100 else None
