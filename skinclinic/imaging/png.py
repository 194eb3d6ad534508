"""PNG: chunks walked and checked by hand (ISO/IEC 15948), pixels decoded by Pillow."""

import zlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from . import bands, named_profiles, png_colour, png_rows, png_text
from .exif import block
from .header import Header
from .refusals import PhotoRejected
from .spaces import Space

NAME = "PNG"
SIGNATURE = b"\x89PNG\r\n\x1a\n"

# All that pixels and colours need; text, metadata and animation go no further.
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"IDAT", b"IEND"}
# What a picture is drawn by; all else says something.
_PLAIN = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"sBIT",
}  # fmt: skip
_WITH_TEXT = {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
_TOLD = {b"IHDR", b"IDAT", b"acTL", b"eXIf", *png_colour.CHUNKS}
_MOST_CHUNKS = 100_000
_MOST_UNPACKED = 8 * 1024 * 1024
_AT_ONCE = 1 << 16
_LONGEST_KEYWORD = 80


def inspect(data: bytes) -> Header:
    """Size, and the file rebuilt from the chunks the picture needs.

    Pillow does not check the CRC of image data and unpacks text while opening, so both are settled here.
    Raises PhotoRejected on a bad CRC, a missing end, or wanted texts and profiles that unpack to more than 8 MB.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    told: dict[bytes, bytes] = {}
    texts: dict[bytes, bytes] = {}
    position, unpacked = len(SIGNATURE), 0
    profile: tuple[()] | tuple[bytes, bytes] = ()
    for _ in range(_MOST_CHUNKS):
        kind, body, end = _chunk(data, position)
        if kind in _WITH_TEXT and _is_wanted(kind, bytes(body[:_LONGEST_KEYWORD]), texts, profile):
            keyword, text, grown = _text(kind, bytes(body), _MOST_UNPACKED - unpacked)
            unpacked += grown
            if kind == b"iCCP":
                profile = (keyword, text)
            else:
                texts[keyword] = text
        # Of two profiles the first counts, here and for the decoder.
        if kind in _KEPT and not (kind == b"iCCP" and kind in told):
            kept.append(memoryview(data)[position:end])
        # Colours that come after the pixels were not meant for them.
        if kind in _TOLD and not (kind in png_colour.CHUNKS and b"IDAT" in told):
            told.setdefault(kind, bytes(body) if kind != b"IDAT" else b"")
        position = end
        if kind == b"IEND":
            break
    else:
        raise PhotoRejected("damaged", kind=NAME)
    size = told.get(b"IHDR", b"")
    width, height = int.from_bytes(size[:4]), int.from_bytes(size[4:8])
    if not width or not height:
        raise PhotoRejected("damaged", kind=NAME)
    exif, xmp = png_text.exif_and_xmp(texts)
    space, unread = _space(told, *profile)
    notes = (
        *(["first_frame_only"] if b"acTL" in told else []),
        *(["tail_removed"] if data[position:].strip(b"\0") else []),
        *(["profile_ignored"] if unread else []),
    )
    exif = block(told.get(b"eXIf", b"")) or exif
    return Header(
        width, height, b"".join(kept), exif=exif, xmp=xmp, dates=png_text.dates(texts), space=space, notes=notes
    )  # fmt: skip


def beside_png(data: bytes) -> str:
    """What a file holds beside a picture and what draws it: text, Exif, a profile, anything behind its end; "" for
    nothing."""
    if not data.startswith(SIGNATURE):
        return "no PNG"
    kind, position = b"", len(SIGNATURE)
    try:
        while kind != b"IEND":
            kind, _body, position = _chunk(data, position)
            if kind not in _PLAIN:
                return f"a part of kind {kind.decode('latin-1')}"
    except PhotoRejected:
        return "no whole PNG"
    return "" if position == len(data) else "bytes behind its end"


def _is_wanted(kind: bytes, head: bytes, texts: Mapping[bytes, bytes], profile: tuple[bytes, ...]) -> bool:
    """Whether anything is made of this text: of each name the first counts, and most names say nothing of the picture.
    No other is unpacked."""
    if kind == b"iCCP":
        return not profile
    keyword = head.partition(b"\0")[0]
    return png_text.keeps(keyword) and keyword not in texts


def _space(told: Mapping[bytes, bytes], name: bytes = b"", profile: bytes = b"") -> tuple[Space | None, bool]:
    """(the space to compute the colours in, whether something that names them could not be read)."""
    if b"iCCP" in told and not profile:
        # What stands beside a profile that cannot be unpacked is all there is.
        return png_colour.space_of({kind: body for kind, body in told.items() if kind != b"iCCP"})[0], True
    space, unread = png_colour.space_of(told)
    if space or b"iCCP" not in told:
        return space, unread
    is_deep = told.get(b"IHDR", b"")[8:9] == b"\x10"
    space = named_profiles.hdr(profile, name.decode("ascii", "replace"))
    return space or (named_profiles.straight(profile) if is_deep else None), unread


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


def _text(kind: bytes, body: bytes, allowed: int) -> tuple[bytes, bytes, int]:
    """(keyword, text, bytes that were unpacked for it) of a chunk that has both; never unpacks more than `allowed`."""
    keyword, _nul, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return keyword, rest, 0
    if kind == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        if not is_packed:
            return keyword, rest, 0
    else:
        rest = rest[1:]
    text, grown = _unpacked(rest, allowed)
    return keyword, text, grown


def _unpacked(packed: bytes, allowed: int) -> tuple[bytes, int]:
    """(the text, what was unpacked for it); what breaks on the way is none, and was unpacked all the same."""
    unpacker, parts, grown = zlib.decompressobj(), [], 0
    try:
        while part := unpacker.decompress(packed, _AT_ONCE):
            packed = unpacker.unconsumed_tail
            parts.append(part)
            grown += len(part)
            if grown > allowed:
                raise PhotoRejected("decompression_bomb", kind=NAME)
    except zlib.error:
        return b"", grown + _AT_ONCE
    return b"".join(parts), grown


def decode(header: Header) -> Image.Image:
    """The picture, fully decoded. Where its colours have to be computed, all 16 bits of deep ones are kept."""
    image = PngImageFile(BytesIO(header.payload))
    modes = str(image.tile[0].args) if image.tile else ""
    key = image.info.get("transparency")
    image.load()
    if not png_rows.are_all_there(header.payload, image):
        raise PhotoRejected("damaged", kind=NAME)
    deep_key = key if modes == "RGB;16B" and isinstance(key, tuple) else None
    if header.space is None and not deep_key:
        return image
    if image.mode.startswith("I"):
        return _grey_in_two(image)
    if modes in ("RGB;16B", "RGBA;16B"):
        low = PngImageFile(BytesIO(header.payload))
        # Read as if its bytes stood the other way round: what comes out are the lower ones.
        low.tile = [low.tile[0]._replace(args=modes.replace("16B", "16L"))]
        low.load()
        if deep_key:
            _put_key(image, low, deep_key)
        if header.space is not None:
            image.info["low"] = low
    return image


def _put_key(image: Image.Image, low: Image.Image, key: tuple[int, ...]) -> None:
    """Make the pixels of a colour of 16 bits transparent; Pillow compares it with 8 of them."""

    def is_other(part: bands.Part) -> np.ndarray:
        levels = np.asarray(image.crop(part)).astype(np.uint16) << 8 | np.asarray(low.crop(part))
        return np.asarray((levels != key).any(axis=-1).astype(np.uint8) * 255)

    del image.info["transparency"]
    image.putalpha(bands.made("L", image.size, is_other))


def _grey_in_two(image: Image.Image) -> Image.Image:
    def levels(part: bands.Part) -> np.ndarray:
        return np.asarray(image.crop(part)).astype(np.uint16)

    upper = bands.made("L", image.size, lambda part: (levels(part) >> 8).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        upper.putalpha(
            bands.made("L", image.size, lambda part: (levels(part) != transparent).astype(np.uint8) * 255)
        )
    upper.info["low"] = bands.made("L", image.size, lambda part: (levels(part) & 0xFF).astype(np.uint8))
    return bands.instead(upper, image)


def subsampling(image: Image.Image) -> str:
    """Full chroma: the source has lost none."""
    return "4:4:4"
