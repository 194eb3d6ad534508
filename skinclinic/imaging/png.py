"""PNG: chunks walked and checked by hand (ISO/IEC 15948), pixels decoded by Pillow."""

import zlib
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from .header import Header
from .refusals import PhotoRejected

NAME = "PNG"
SIGNATURE = b"\x89PNG\r\n\x1a\n"

# All that pixels and colours need; text, metadata and animation go no further.
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"IDAT", b"IEND"}
_MOST_CHUNKS = 100_000
_MOST_UNPACKED = 8 * 1024 * 1024


def inspect(data: bytes) -> Header:
    """Size, and the file rebuilt from the chunks the picture needs.

    Pillow does not check the CRC of image data and unpacks text while opening, so both are settled here.
    Raises PhotoRejected on a bad CRC, a missing end, or text and profiles that unpack to more than 8 MB.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    position = len(SIGNATURE)
    width = height = unpacked = 0
    animated, exif = False, b""
    for _ in range(_MOST_CHUNKS):
        kind, body, end = _chunk(data, position)
        if kind == b"IHDR" and len(body) >= 8:
            width, height = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
        elif kind in (b"zTXt", b"iTXt", b"iCCP"):
            unpacked += _unpacked_size(kind, bytes(body), _MOST_UNPACKED - unpacked)
        elif kind == b"acTL":
            animated = True
        elif kind == b"eXIf":
            exif = bytes(body)
        if kind in _KEPT:
            kept.append(memoryview(data)[position:end])
        position = end
        if kind == b"IEND":
            break
    else:
        raise PhotoRejected("damaged", kind=NAME)
    if not width or not height:
        raise PhotoRejected("damaged", kind=NAME)
    notes = ["first_frame_only"] if animated else []
    if data[position:].strip(b"\0"):
        notes.append("tail_removed")
    return Header(width, height, b"".join(kept), exif=exif, notes=tuple(notes))


def _chunk(data: bytes, position: int) -> tuple[bytes, memoryview, int]:
    """Kind, body and end of the chunk at `position`. Raises PhotoRejected if it is cut off or its CRC is wrong."""
    kind = data[position + 4 : position + 8]
    end = position + 12 + int.from_bytes(data[position : position + 4])
    body = memoryview(data)[position + 8 : end - 4]
    if len(kind) < 4 or end > len(data):
        raise PhotoRejected("damaged", kind=NAME)
    if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end]):
        raise PhotoRejected("damaged", kind=NAME)
    return kind, body, end


def _unpacked_size(kind: bytes, body: bytes, allowed: int) -> int:
    """Bytes a compressed chunk unpacks to; never unpacks more than `allowed`."""
    _name, _nul, rest = body.partition(b"\0")
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return 0
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        rest = rest[1:]
    try:
        size = len(zlib.decompressobj().decompress(rest, allowed + 1))
    except zlib.error:
        return 0
    if size > allowed:
        raise PhotoRejected("decompression_bomb", kind=NAME)
    return size


def decode(payload: bytes) -> Image.Image:
    """The picture, fully decoded."""
    image = PngImageFile(BytesIO(payload))
    image.load()
    return image


def subsampling(image: Image.Image) -> str:
    """Full chroma: the source has lost none."""
    return "4:4:4"
