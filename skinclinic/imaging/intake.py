"""From uploaded bytes to a stored photo, or a refusal."""

import hashlib
import logging
import math
from dataclasses import dataclass
from datetime import datetime

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from . import avif, colour, exif, heif, jpeg, png, profiles, raster, sniff, tiff, webp
from .header import Header
from .refusals import PhotoRejected

logger = logging.getLogger(__name__)

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 64
MAX_RATIO = 10

# Tiles reach over the edge of the picture, and a map of brightness may come along.
_TILE_MARGIN = 1.5

# Encoding a decoded photo once more with the same tables gives very nearly the same length.
_SLACK = 0.02

_FORMATS = {"JPEG": jpeg, "PNG": png, "WEBP": webp, "HEIF": heif, "AVIF": avif, "TIFF": tiff}


@dataclass(frozen=True)
class AcceptedPhoto:
    """A photo fit to be stored.

    `jpeg` is upright, 8-bit sRGB, without metadata or trailing bytes; a file that is so already, as this
    product wrote it, is kept as it is. `width` and `height` are its pixels.
    `captured_at` is naive, by the camera's clock; `captured_offset` says by how many minutes that clock was ahead
    of UTC, where the file says so. `notes` are codes of `refusals.NOTES`. `sha256` is the hex
    digest of the bytes as uploaded. `thumbnail` is a JPEG of at most 320 pixels.
    """

    jpeg: bytes
    width: int
    height: int
    source_format: str
    captured_at: datetime | None
    captured_offset: int | None
    notes: tuple[str, ...]
    sha256: str
    thumbnail: bytes


def sha256(data: bytes) -> str:
    """Hex digest by which an uploaded file is known again."""
    return hashlib.sha256(data).hexdigest()


def accept(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE
) -> AcceptedPhoto:
    """Check, decode and re-encode an uploaded photo. Raises PhotoRejected with the reason.

    Sizes are judged by the header, before any pixel is decoded. `max_pixels` counts width × height,
    `min_side` the shorter side in pixels.
    """
    source_format = _format(data, max_bytes)
    header, image = _open(source_format, data, max_pixels, min_side)
    facts = exif.read(header.exif, header.xmp, header.dates)
    sampling = _FORMATS[source_format].subsampling(image)
    is_ours = isinstance(image, JpegImageFile) and jpeg.is_plain(data, image, raster.quantisation())
    image, notes = _in_srgb(image, header, facts)
    if header.turns and facts.turn is not None:
        image = image.transpose(facts.turn)
    encoded = raster.encode_jpeg(image, subsampling=sampling)
    # A photo that was stored and exported before comes back as the same bytes, unless something hides in it.
    if is_ours and abs(len(data) - len(encoded)) <= _SLACK * len(encoded):
        encoded = data
    return AcceptedPhoto(
        jpeg=encoded,
        width=image.width,
        height=image.height,
        source_format=source_format,
        captured_at=facts.taken.at if facts.taken else None,
        captured_offset=facts.taken.offset if facts.taken else None,
        notes=notes,
        sha256=sha256(data),
        thumbnail=raster.thumbnail(image),
    )


def check(data: bytes) -> tuple[str, ...]:
    """The notes that a photo would be stored with, without storing it. Raises PhotoRejected for whatever `accept`
    refuses."""
    header, image = _open(_format(data, MAX_BYTES), data, MAX_PIXELS, MIN_SIDE)
    return _in_srgb(image, header, exif.read(header.exif, header.xmp, header.dates))[1]


def _in_srgb(image: Image.Image, header: Header, facts: exif.Facts) -> tuple[Image.Image, tuple[str, ...]]:
    """(the picture in sRGB, all notes on the file)."""
    profile = image.info.get("icc_profile")
    notes: tuple[str, ...] = ()
    if not profile and not header.space:
        if facts.adobe_rgb:
            profile = profiles.adobe_rgb_profile()
        elif facts.other_colours and "profile_ignored" not in header.notes:
            notes = ("colours_not_named",)
    image, colour_notes = colour.to_srgb(image, profile, header.space)
    return image, header.notes + colour_notes + notes + facts.notes


def _format(data: bytes, max_bytes: int) -> str:
    if not data:
        raise PhotoRejected("empty")
    if len(data) > max_bytes:
        raise PhotoRejected(
            "too_large",
            megabytes=_one_decimal(len(data) / 2**20),
            limit_megabytes=_one_decimal(max_bytes / 2**20),
        )
    source_format = sniff.photo_format(data)
    if source_format is None:
        raise PhotoRejected("unsupported", kind=sniff.kind_of(data))
    return source_format


def _open(source_format: str, data: bytes, max_pixels: int, min_side: int) -> tuple[Header, Image.Image]:
    module = _FORMATS[source_format]
    try:
        header = module.inspect(data)
        check_size(header.width, header.height, max_pixels, min_side)
        if header.decoded_pixels > _TILE_MARGIN * max_pixels:
            raise PhotoRejected("decompression_bomb", kind=module.NAME)
        image = module.decode(header)
        if image.size == (header.width, header.height):
            return header, image
    except PhotoRejected as rejected:
        if rejected.code != "damaged":
            raise
    except MemoryError:
        raise
    except Exception:  # decoders raise almost anything on damaged files
        logger.info("Damaged %s file", module.NAME, exc_info=True)
    if hidden := sniff.hidden_kind(data):
        raise PhotoRejected("unsupported", kind=hidden)
    raise PhotoRejected("damaged", kind=module.NAME)


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE) -> None:
    """Raise PhotoRejected if a photo of this size is too large, too narrow or too small."""
    if width * height > max_pixels:
        raise PhotoRejected(
            "too_many_pixels",
            width=width,
            height=height,
            megapixels=_one_decimal(width * height / 1e6),
            limit_megapixels=_one_decimal(max_pixels / 1e6),
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PhotoRejected("too_narrow", width=width, height=height, limit_ratio=MAX_RATIO)
    if min(width, height) < min_side:
        raise PhotoRejected("too_small", width=width, height=height, minimum=min_side)


def _one_decimal(value: float) -> str:
    """Rounded up, so that what is over a limit also reads so."""
    return f"{math.ceil(value * 10) / 10:.1f}".removesuffix(".0")
