"""TIFF: the first directory read by hand (TIFF 6.0), the file's picture handed on without anything else.

Pixels are decoded by Pillow, those that are compressed by libtiff.
"""

from io import BytesIO

import numpy as np
from PIL import Image, TiffImagePlugin

from . import named_profiles, tiff_colour, tiff_directory
from .header import Header
from .heif import in_two
from .refusals import PhotoRejected, _
from .sniff import CAMERA_RAW
from .spaces import Space
from .tiff_directory import Directory

NAME = "TIFF"

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_STRIPS, _ROWS, _STRIP_BYTES, _PLANES = 273, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_KIND_OF_PAGE, _PREDICTOR, _SAMPLE_FORMAT = 254, 317, 339
_DNG, _ICC, _XMP = 50706, 34675, 700
# Fill order, colour map, ink set, extra samples, JPEG tables, YCbCr's weights, subsampling, position and range.
_KEPT = {
    _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, 266, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANES,
    _PREDICTOR, 320, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, 332, 338, _SAMPLE_FORMAT, 347,
    529, 530, 531, 532, _ICC,
}  # fmt: skip
# None, LZW, JPEG, Deflate (two numbers), PackBits.
_COMPRESSIONS = {1, 5, 7, 8, 32946, 32773}
# White or black is zero, RGB, palette, CMYK, YCbCr.
_PHOTOMETRICS = {0, 1, 2, 3, 5, 6}
_RAW_PHOTOMETRICS = {32803, 34892}
_REDUCED_PAGE, _MASK_PAGE = 1, 4
_MOST_SAMPLES = 6
# A tile may be larger than a small picture, but not by any number.
_LARGEST_TILE = 1 << 22


def inspect(data: bytes) -> Header:
    """Size of the first page, and the file with a directory of what the picture needs and nothing more.

    Refuses in words what is no ordinary picture: camera raw files, whose first page is a preview, floating point,
    fax and other compressions.
    """
    try:
        directory, following = tiff_directory.read(data, tiff_directory.first(data))
        pages = tiff_directory.kinds_of_pages(data, following)
    except ValueError as error:
        raise PhotoRejected("damaged", kind=NAME) from error
    width, height = directory.number(_WIDTH), directory.number(_HEIGHT)
    if not width or not height:
        raise PhotoRejected("damaged", kind=NAME)
    _refuse_what_is_not_read(directory)
    space, notes = _colours(directory)
    if any(not kind & (_REDUCED_PAGE | _MASK_PAGE) for kind in pages):
        notes = ("first_frame_only", *notes)
    return Header(
        width,
        height,
        tiff_directory.rewritten(data, directory, _KEPT),
        exif=data,
        xmp=directory.entries.get(_XMP, (0, 0, b""))[2],
        space=space,
        notes=notes,
        decoded_pixels=_decoded_pixels(directory, width, height),
    )


def _colours(directory: Directory) -> tuple[Space | None, tuple[str, ...]]:
    """(the space to compute the colours in, notes): of a profile's only where 8 bits would not do."""
    if _ICC in directory.entries:
        is_deep = max(directory.numbers(_BITS) or [1]) == 16
        return (named_profiles.straight(directory.entries[_ICC][2]) if is_deep else None), ()
    space, unread = tiff_colour.space_of(directory)
    unread = unread or bool(directory.lost & {_ICC, *tiff_colour.TAGS})
    return space, ("profile_ignored",) if unread else ()


def _refuse_what_is_not_read(directory: Directory) -> None:
    photometric, bits = directory.number(_PHOTOMETRIC), directory.numbers(_BITS) or [1]
    if (
        _DNG in directory.entries
        or photometric in _RAW_PHOTOMETRICS
        or directory.number(_KIND_OF_PAGE) & (_REDUCED_PAGE | _MASK_PAGE)
    ):
        raise PhotoRejected("unsupported", kind=CAMERA_RAW)
    if directory.number(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its compression"))
    if photometric not in _PHOTOMETRICS or (photometric == 0 and max(bits) > 8):
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its kind of colours"))
    if directory.number(_PLANES, 1) == 2 and max(bits) > 8:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its kind of numbers"))
    formats = directory.numbers(_SAMPLE_FORMAT) or [1]
    samples = directory.number(_SAMPLES, 1)
    if not 1 <= samples <= _MOST_SAMPLES or max(bits) > 16 or len(set(bits)) != 1 or set(formats) != {1}:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its kind of numbers"))


def _check_places(directory: Directory, length: int, width: int, height: int) -> None:
    """Raise PhotoRejected if strips or tiles are missing, reach outside the file or are too large."""
    is_tiled = _TILES in directory.entries
    across, down = width, min(directory.number(_ROWS, height) or height, height)
    if is_tiled:
        across, down = directory.number(_TILE_WIDTH), directory.number(_TILE_HEIGHT)
        if not across or not down:
            raise PhotoRejected("damaged", kind=NAME)
        if across * down > max(_LARGEST_TILE, 4 * width * height):
            raise PhotoRejected("decompression_bomb", kind=NAME)
    planes = directory.number(_SAMPLES, 1) if directory.number(_PLANES, 1) == 2 else 1
    starts = directory.numbers(_TILES if is_tiled else _STRIPS)
    if len(starts) != -(-width // across) * -(-height // down) * planes:
        raise PhotoRejected("damaged", kind=NAME)
    if directory.number(_COMPRESSION, 1) == 1:
        # How long each is follows from its size, which is what the decoder goes by.
        samples = directory.number(_SAMPLES, 1) // planes
        row = -(-across * samples * directory.number(_BITS, 1) // 8)
        last = down if is_tiled else height % down or down
        sizes = [*[row * down] * (len(starts) // planes - 1), row * last] * planes
    else:
        sizes = directory.numbers(_TILE_BYTES if is_tiled else _STRIP_BYTES)
    if len(sizes) != len(starts):
        raise PhotoRejected("damaged", kind=NAME)
    if any(not size or start + size > length for start, size in zip(starts, sizes, strict=True)):
        raise PhotoRejected("damaged", kind=NAME)


def _decoded_pixels(directory: Directory, width: int, height: int) -> int:
    """Pixels of all tiles, which reach over the edge."""
    across, down = directory.number(_TILE_WIDTH), directory.number(_TILE_HEIGHT)
    if _TILES not in directory.entries or not across or not down:
        return width * height
    return -(-width // across) * across * -(-height // down) * down


def decode(header: Header) -> Image.Image:
    """The first page, fully decoded. Each of its strips or tiles has to lie inside the file."""
    end = tiff_directory.first(header.payload)
    directory, _next = tiff_directory.read(header.payload, end)
    _check_places(directory, end, header.width, header.height)
    try:
        image = TiffImagePlugin.TiffImageFile(BytesIO(header.payload))
    except (SyntaxError, KeyError) as error:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its kind of numbers")) from error
    image.load()
    if header.space and directory.number(_BITS) == 16:
        return _deep(header.payload, image)
    return image


def _deep(payload: bytes, image: Image.Image) -> Image.Image:
    """All bits of a grey or RGB picture of 16; any other is left as it is."""
    if image.mode.startswith("I"):
        return in_two(np.asarray(image), lambda band: band.astype(np.uint16))
    if image.mode != "RGB":
        return image
    # Of all who read photos few meet this.
    import cv2

    pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape != (image.height, image.width, 3):
        return image
    return in_two(pixels[..., ::-1])


def subsampling(image: Image.Image) -> str:
    """Full chroma: most sources have lost none."""
    return "4:4:4"
