"""HEIC: sizes read from the container by hand (ISO/IEC 23008-12), pixels decoded by libheif (pillow-heif)."""

import struct
from collections import Counter
from collections.abc import Iterator

import pillow_heif
from PIL import Image

from .header import Header
from .profiles import BT2020, DISPLAY_P3, matrix_profile
from .refusals import PhotoRejected

NAME = "HEIC"

# Colour primaries of ISO/IEC 23091-2 that need converting; the rest is close to sRGB.
_WIDE_PRIMARIES = {9: BT2020, 12: DISPLAY_P3}


def inspect(data: bytes) -> Header:
    """Size of the primary picture after its cropping and turning, and the pixels it takes to get there.

    A small picture can be cut out of a huge one, or be tiled from the same large tile a thousand times, so the
    sizes of all parts are read from the container; libheif then holds the parts to them.
    """
    try:
        container = pillow_heif.open_heif(data)
        width, height = container.size
        exif = container.info.get("exif") or b""
        pixels = decoded_pixels(data)
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError, struct.error) as error:
        raise PhotoRejected("damaged", kind=NAME) from error
    return Header(
        width,
        height,
        data,
        exif=exif.removeprefix(b"Exif\0\0"),
        turns=False,
        notes=("first_frame_only",) if len(container) > 1 else (),
        decoded_pixels=pixels,
    )


def decode(payload: bytes) -> Image.Image:
    """The primary picture, fully decoded; libheif has applied its rotation and mirroring."""
    picture = pillow_heif.open_heif(payload)
    mode = picture.mode
    image = Image.frombytes(mode, picture.size, picture.data, "raw", mode, picture.stride)
    nclx = picture.info.get("nclx_profile") or {}
    primaries = _WIDE_PRIMARIES.get(nclx.get("color_primaries"))
    profile = picture.info.get("icc_profile") or (primaries and matrix_profile(primaries))
    if profile:
        image.info["icc_profile"] = profile
    return image


def decoded_pixels(data: bytes) -> int:
    """Pixels the costliest picture of the file takes: its own, or those of all parts it is made from.

    Raises ValueError or struct.error if the container cannot be followed.
    """
    sizes, parts = {}, {}
    for name, body in _boxes(data):
        if name == b"meta":
            children = dict(_boxes(body[4:]))
            sizes = _sizes(children[b"iprp"]) if b"iprp" in children else {}
            parts = _parts(children[b"iref"]) if b"iref" in children else {}
            break
    known = {}
    return max((_cost(item, sizes, parts, known) for item in sizes), default=0)


def _cost(item: int, sizes: dict[int, int], parts: dict[int, Counter], known: dict[int, int | None]) -> int:
    if item not in known:
        known[item] = None
        made_from = parts.get(item, {}).items()
        pixels = sum(times * _cost(part, sizes, parts, known) for part, times in made_from)
        known[item] = max(sizes.get(item, 0), pixels)
    if known[item] is None:
        raise ValueError("a picture is made from itself")
    return known[item]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = position + length if length else len(data)
        if end < start or end > len(data):
            raise ValueError("box reaches outside its parent")
        yield name, data[start:end]
        position = end


def _sizes(iprp: bytes) -> dict[int, int]:
    """Pixels of each item, from its `ispe` property (before any cropping)."""
    children = list(_boxes(iprp))
    properties = [prop for name, body in children if name == b"ipco" for prop in _boxes(body)]
    areas = {}
    for name, body in children:
        if name != b"ipma":
            continue
        version, flags = body[0], body[3]
        (count,) = struct.unpack_from(">I", body, 4)
        position = 8
        for _ in range(count):
            (item,) = struct.unpack_from(">I" if version else ">H", body, position)
            position += 4 if version else 2
            associations = body[position]
            position += 1
            for _ in range(associations):
                index = (
                    struct.unpack_from(">H", body, position)[0] & 0x7FFF
                    if flags & 1
                    else body[position] & 0x7F
                )
                position += 2 if flags & 1 else 1
                kind, value = properties[index - 1] if 0 < index <= len(properties) else (b"", b"")
                if kind == b"ispe":
                    width, height = struct.unpack_from(">II", value, 4)
                    areas[item] = max(areas.get(item, 0), width * height)
    return areas


def _parts(iref: bytes) -> dict[int, Counter]:
    """How often each item is used to make each derived item (`dimg` references)."""
    wide = iref[0] > 0
    number, step = (">I", 4) if wide else (">H", 2)
    made_from = {}
    for name, body in _boxes(iref[4:]):
        if name == b"dimg":
            (item,) = struct.unpack_from(number, body)
            (count,) = struct.unpack_from(">H", body, step)
            used = struct.unpack_from(f">{count}{number[1]}", body, step + 2)
            made_from.setdefault(item, Counter()).update(used)
    return made_from
