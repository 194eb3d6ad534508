"""WebP: the RIFF container read by hand (RFC 9649), pixels decoded by Pillow."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from .bands import made, rows_of
from .exif import block
from .header import Header
from .refusals import PhotoRejected

NAME = "WebP"
_ANIMATION = 0x02
_MOST_CHUNKS = 10_000
# Pixels from which on memory counts; less is read with what is loaded anyway.
_LARGE = 12_000_000


def inspect(data: bytes) -> Header:
    """Canvas size from the first chunk; Pillow allocates the canvas twice on opening, so not from Pillow."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise PhotoRejected("damaged", kind=NAME)
    width, height, animated = _first_chunk(data[12:16], data[20:42])
    exif, xmp = (
        next((data[start:stop] for kind, start, stop in _chunks(data, end) if kind == wanted), b"")
        for wanted in (b"EXIF", b"XMP ")
    )
    notes = ["first_frame_only"] if animated else []
    if data[end:].strip(b"\0"):
        notes.append("tail_removed")
    return Header(width, height, data[:end], exif=block(exif), xmp=xmp, notes=tuple(notes))


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, int, int]]:
    position = 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > end:
            break
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], position + 8, position + 8 + length
        position += 8 + length + length % 2


def _first_chunk(kind: bytes, body: bytes) -> tuple[int, int, bool]:
    """(width, height, animated) of the canvas."""
    if kind == b"VP8X" and len(body) >= 10:
        width, height = int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        return width, height, bool(body[0] & _ANIMATION)
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, False
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        height = int.from_bytes(body[8:10], "little") & 0x3FFF
        if width and height:
            return width, height, False
    raise PhotoRejected("damaged", kind=NAME)


def decode(header: Header) -> Image.Image:
    """The first frame, fully decoded."""
    if header.width * header.height > _LARGE and "first_frame_only" not in header.notes:
        return _large(header.payload)
    image = WebPImageFile(BytesIO(header.payload))
    image.load()
    return image


def _large(payload: bytes) -> Image.Image:
    """The same pixels with half the memory: Pillow's decoder is one for films, which has two canvases."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise OSError("not decoded")
    # Blue first.
    mode, order = ("RGBA", [2, 1, 0, 3]) if pixels.shape[2] == 4 else ("RGB", [2, 1, 0])
    size = pixels.shape[1], pixels.shape[0]
    image = made(mode, size, lambda part: rows_of(pixels, part)[..., order])
    for kind, start, stop in _chunks(payload, len(payload)):
        if kind == b"ICCP":
            image.info.setdefault("icc_profile", payload[start:stop])
    return image


def subsampling(image: Image.Image) -> str:
    """Full chroma: the source may be lossless, and does not say."""
    return "4:4:4"
