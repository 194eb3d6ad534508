"""AVIF: sizes and colours read from container and stream by hand, pixels decoded by libavif.

Pillow decodes 8 bits; deeper pictures come through OpenCV, which keeps their bits.
"""

import re
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image

from . import av1, heif, heif_boxes, heif_items
from .exif import TRANSPOSE
from .header import Header
from .refusals import PhotoRejected
from .spaces import PLAIN, by_code

NAME = "AVIF"

_SEQUENCE_BRAND, _STILL_BRAND = b"avis", b"avif"
# What Pillow would read on its own on opening: EXIF and XMP.
_METADATA_ITEM = re.compile(rb"(infe(?:\x02.{3}.{4}|\x03.{3}.{6}))(?:Exif|mime)", re.DOTALL)
# A stream may round the sides of its pictures up to whole blocks.
_ROUNDED_UP = 64


def inspect(data: bytes) -> Header:
    """Size of the primary picture after its cropping and turning, and the pixels it takes to get there.

    The decoder makes pictures as large as the stream says, before anybody compares: the streams are held to the
    sizes of the container here. Of a film the still picture is taken.
    """
    is_film = data[8:12] == _SEQUENCE_BRAND
    if is_film:
        data = data[:8] + _STILL_BRAND + data[12:]
    header = heif.inspect(data, NAME)
    try:
        children = heif_boxes.meta(header.payload)
        found = _check_streams(header.payload, children)
        payload = _without_metadata(header.payload)
    except PhotoRejected:
        raise
    except (ValueError, IndexError, struct.error) as error:
        raise PhotoRejected("damaged", kind=NAME) from error
    notes, space = header.notes, header.space
    if not _names_colours(children) and found:
        space = by_code(found.primaries, found.transfer)
        notes += () if space else ("profile_ignored",)
        space = None if space == PLAIN else space
    if is_film and "first_frame_only" not in notes:
        notes += ("first_frame_only",)
    return Header(
        header.width,
        header.height,
        payload,
        exif=header.exif,
        xmp=header.xmp,
        turns=False,
        space=space,
        notes=notes,
        decoded_pixels=header.decoded_pixels,
    )


def _check_streams(data: bytes, children: heif_boxes.Boxes) -> av1.Sequence | None:
    """The head of the primary picture's stream. Raises PhotoRejected where a stream is larger than it should be."""
    sizes, primary = heif_boxes.areas(children), heif_items.primary(children)
    found = None
    for item, stream in heif_items.streams(data, children, b"av01"):
        for sequence in av1.sequences(stream):
            least = max(sequence.width - _ROUNDED_UP, 0) * max(sequence.height - _ROUNDED_UP, 0)
            if least > sizes.get(item, 0):
                raise PhotoRejected("decompression_bomb", kind=NAME)
            if found is None or item == primary:
                found = sequence
    return found


def _without_metadata(data: bytes) -> bytes:
    """The file with its metadata marked as of no known kind; nothing moves."""
    body = heif_boxes.only(b"meta", heif_boxes.boxes(data))
    start = data.index(body)
    return data[:start] + _METADATA_ITEM.sub(rb"\1skip", body) + data[start + len(body) :]


def _names_colours(children: heif_boxes.Boxes) -> bool:
    primary = heif_items.primary(children)
    iprp = heif_boxes.only(b"iprp", children)
    return any(item == primary and kind == b"colr" for item, kind, _value in heif_boxes.properties(iprp))


def decode(header: Header) -> Image.Image:
    """The primary picture, fully decoded, cut out and turned as its container says."""
    container = pillow_heif.open_heif(header.payload)
    small = Image.open(BytesIO(header.payload), formats=[NAME])
    turn = TRANSPOSE.get(small.getexif().get(ExifTags.Base.Orientation, 1))
    bits = int(container.info["bit_depth"])
    if header.space and bits > 8:
        image = _deep(header.payload, bits)
    else:
        small.load()
        image = small
    image = _cut_out(image, header.payload)
    if turn is not None:
        image = _each(image, lambda part: part.transpose(turn))
    image.info["chroma"] = container.info.get("chroma")
    if profile := small.info.get("icc_profile"):
        image.info["icc_profile"] = profile
    return image


def _deep(payload: bytes, bits: int) -> Image.Image:
    # Of all who read photos few meet this.
    import cv2

    pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise OSError("not decoded")
    # Blue first; the most of `bits` becomes the most of 16.
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(pixels.shape[2]) if pixels.ndim == 3 else None

    def levels(band: np.ndarray) -> np.ndarray:
        band = band if order is None else band[..., order]
        return np.asarray((band << (16 - bits)) | (band >> (2 * bits - 16)))

    return heif.in_two(pixels, levels)


def _cut_out(image: Image.Image, payload: bytes) -> Image.Image:
    """The part of the picture that its clean aperture names; usually there is none."""
    children = heif_boxes.meta(payload)
    primary = heif_items.primary(children)
    for item, kind, value in heif_boxes.properties(heif_boxes.only(b"iprp", children)):
        if item == primary and kind == b"clap":
            return _each(image, partial(Image.Image.crop, box=_aperture(value, *image.size)))
    return image


def _aperture(value: bytes, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a clean aperture (ISO/IEC 14496-12, 12.1.4) in a picture of this size."""
    numbers = struct.unpack_from(">IIIIiIiI", value)
    wide, high, right, down = (Fraction(*numbers[place : place + 2]) for place in (0, 2, 4, 6))
    left, top = int((width - wide) / 2 + right), int((height - high) / 2 + down)
    box = (left, top, left + int(wide), top + int(high))
    if left < 0 or top < 0 or box[2] > width or box[3] > height:
        raise OSError("a clean aperture that reaches outside the picture")
    return box


def _each(image: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The picture changed, and that of its lower bytes with it."""
    changed = change(image)
    if low := image.info.get("low"):
        changed.info["low"] = change(low)
    return changed


def subsampling(image: Image.Image) -> str:
    """Chroma subsampling of the source, so that storing it neither loses nor invents chroma detail."""
    return heif.subsampling(image)
