"""JPEG: markers walked by hand (ITU-T T.81 annex B), pixels decoded by Pillow."""

import re
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from . import iptc, jpeg_scans, mpf
from .bands import digest
from .exif import block, usable
from .header import Header
from .refusals import PhotoRejected, _

NAME = "JPEG"

_START, _END, _SCAN, _APP1, _APP2, _APP13, _COMMENT = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xED, 0xFE
_STANDALONE = {0x00, 0x01, _START, *range(0xD0, 0xD8)}
# Those of JPEG-LS too, which is another format behind the same markers.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
# Baseline, extended and progressive, the last two also with arithmetic coding.
_DECODED = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_BITS = 8
_NOT_FILL = re.compile(rb"[^\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Tables, one baseline or progressive frame, scans, restart intervals, the end.
_PLAIN = {0xC0, 0xC2, 0xC4, 0xDB, _SCAN, 0xDD, _END}
# Tables, the next scan, restart intervals, the number of lines, comments, the end.
_BETWEEN_SCANS = {0x00, 0x01, *range(0xD0, 0xD8), 0xC4, 0xDB, _SCAN, 0xDC, 0xDD, _COMMENT, _END}
_JFIF_LENGTH = 14
_PROFILE = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# In place of the end marker, where there is none behind the last scan.
_NO_END = -1
_END_BYTES, _SCAN_BYTES = b"\xff\xd9", b"\xff\xda"
# What a decoder would take for coded data if it still waited for some, with every restart marker it may wait for.
# A marker that it does not expect yet makes it give up; the two begin half a round apart, so that one is right.
_FILLERS = tuple(
    b"".join(byte * 512 + bytes([0xFF, 0xD0 + (first + number) % 8]) for number in range(64))
    for byte, first in ((b"\0", 0), (b"\xaa", 4))
)
# Each scan of a progressive file passes over the whole picture; programs write about ten.
_MOST_SCANS = 32
_MOST_MARKERS = 5000
# What a decoder makes of blocks that are missing: the middle of all levels, rounded either way.
_MIDDLE = {127, 128}
_BLOCK = 8
_OTHERS = {_APP2: "a colour profile", _APP13: "IPTC", _COMMENT: "a comment"}


def inspect(data: bytes) -> Header:
    """Size and extent of the first picture. Raises PhotoRejected if the markers lead nowhere."""
    kept = [data[:2]]
    frames: list[tuple[int, bytes]] = []
    scans: list[bytes] = []
    exif, xmp, dates = b"", b"", tuple[str, ...]()
    index: tuple[int, bytes] | None = None
    has_gain_map = has_end = False
    for marker, start, body, end in _segments(data):
        segment = data[body : min(end, body + 0xFFFF)]
        if marker in _FRAMES and len(segment) >= 6:
            frames.append((marker, segment))
        elif marker == _SCAN:
            scans.append(segment[:16])
        elif marker == _APP1:
            exif = exif or (usable(block(segment)) if segment.startswith(_EXIF) else b"")
            xmp = xmp or (segment[len(_XMP) :] if segment.startswith(_XMP) else b"")
            has_gain_map = has_gain_map or mpf.names_gain_map(segment)
        elif marker == _APP13:
            dates = dates or iptc.dates(segment)
        elif marker == _APP2:
            index = index or ((body, segment) if mpf.is_index(segment) else None)
            has_gain_map = has_gain_map or mpf.names_gain_map(segment)
        elif marker == _END:
            has_end = True
        if marker != _NO_END and _reaches_decoder(marker, segment):
            kept.append(data[start:end])
    if len(scans) > _MOST_SCANS:
        raise PhotoRejected("decompression_bomb", kind=NAME)
    _check_frame(frames, scans, has_end)
    width, height = _size(frames[0][1])
    notes = mpf.notes(data, end, index, has_gain_map) if has_end else ("end_missing",)
    return Header(
        width, height, b"".join(kept), exif=exif, xmp=xmp, dates=dates, notes=notes + _notes_on_profile(kept)
    )


def _size(frame: bytes) -> tuple[int, int]:
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    if not width or not height:
        raise PhotoRejected("damaged", kind=NAME)
    return width, height


def _notes_on_profile(segments: list[bytes]) -> tuple[str, ...]:
    """A decoder passes over a colour profile that does not have as many parts as it says."""
    places = [(segment, segment.find(_PROFILE, 4, 64)) for segment in segments if segment[:2] == b"\xff\xe2"]
    told = [segment[at + len(_PROFILE) + 1 :][:1] for segment, at in places if at > 0]
    return ("profile_ignored",) if told and told[0] != bytes([len(told) & 0xFF]) else ()


def _check_frame(frames: list[tuple[int, bytes]], scans: list[bytes], has_end: bool) -> None:
    """Raise PhotoRejected for what is not decoded, and where something of the picture is missing."""
    # A second frame header is an error to the decoder, and a way to say two sizes to two readers.
    if len(frames) != 1 or not scans:
        raise PhotoRejected("damaged", kind=NAME)
    marker, frame = frames[0]
    if marker not in _DECODED:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its compression"))
    if frame[0] != _BITS:
        raise PhotoRejected("unsupported_inside", kind=NAME, detail=_("its kind of numbers"))
    # Whoever mends a cut file writes an end mark behind what is left of it.
    if not (has_end and len(scans) == 1) and not jpeg_scans.tell_all(marker, frame, scans):
        raise PhotoRejected("damaged", kind=NAME)


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(marker, start, start of its body, end) of every segment; a scan's ends after its coded data.

    A file may end, or go on with something else, right behind a scan: then the last marker is `_NO_END`.
    """
    end, end_of_scan = 2, 0
    for _marker in range(_MOST_MARKERS):
        start = data.find(b"\xff", end)
        code = _NOT_FILL.search(data, start + 1) if start >= 0 else None
        if not code:
            break
        marker, body = code[0][0], code.end()
        # A photo goes on with what its next scan needs; anything else begins another one, or is none of its own.
        if end_of_scan and marker not in _BETWEEN_SCANS:
            break
        if marker in _STANDALONE:
            end = body
            continue
        if marker == _END:
            yield marker, start, body, body
            return
        length = int.from_bytes(data[body : body + 2])
        if length < 2 or body + length > len(data):
            break
        end = body + length
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, end)
            end = end_of_scan = found.start() if found else len(data)
        yield marker, start, body + 2, end
    if end_of_scan:
        yield _NO_END, end_of_scan, end_of_scan, end_of_scan
        return
    raise PhotoRejected("damaged", kind=NAME)


def _reaches_decoder(marker: int, segment: bytes) -> bool:
    """Pixels and what says how to read them: JFIF, ICC profile, Adobe's colour transform."""
    if marker == _APP2:
        return segment.startswith(_PROFILE)
    return marker != _COMMENT and not (0xE0 < marker < 0xEE or marker == 0xEF)


def decode(header: Header) -> Image.Image:
    """The picture, fully decoded. `JpegImageFile` and not `Image.open`, which may follow further frames.

    All rows have to be there: a decoder makes up what is missing, and not the same from different fillers. Where
    there is an end marker and one scan, what is missing shows in the last block.
    """
    coded = header.payload
    if coded.endswith(_END_BYTES):
        image = _decoded(coded)
        if coded.count(_SCAN_BYTES) == 1 and not _ends_in_the_middle(image):
            return image
        coded = coded.removesuffix(_END_BYTES)
    coded = coded.rstrip(b"\xff")
    first, second = _FILLERS
    # Two large pictures are not held beside each other.
    one = digest(_decoded(coded + first + _END_BYTES))
    image = _decoded(coded + second + _END_BYTES)
    if digest(image) != one:
        raise PhotoRejected("damaged", kind=NAME)
    return image


def _ends_in_the_middle(image: Image.Image) -> bool:
    """Whether the last block has only the levels that stand for none."""
    width, height = image.size
    left, top = (width - 1) // _BLOCK * _BLOCK, (height - 1) // _BLOCK * _BLOCK
    levels = image.crop((left, top, width, height)).tobytes()
    return _MIDDLE.issuperset(levels)


def _decoded(jpeg: bytes) -> Image.Image:
    image = JpegImageFile(BytesIO(jpeg))
    image.load()
    return image


def is_plain(data: bytes, image: JpegImageFile, tables: dict[int, list[int]]) -> bool:
    """Whether the file is as this product writes it: an RGB picture coded with these quantisation tables, and
    nothing beside it but a plain JFIF header. Storing such a file again must not change a byte."""
    if image.mode != "RGB" or image.quantization != tables or len(data) < 4:
        return False
    expected = 2
    for marker, start, body, end in _segments(data):
        # Neither fill bytes nor anything a decoder would skip on its way to the next marker.
        if start != expected or body - start != (2 if marker == _END else 4):
            return False
        if marker == 0xE0:
            if not data.startswith(b"JFIF\0", body) or end - body != _JFIF_LENGTH:
                return False
        elif marker not in _PLAIN:
            return False
        expected = end
    return expected == len(data)


def subsampling(image: JpegImageFile) -> str:
    """Chroma subsampling of the source, so that storing it neither loses nor invents chroma detail."""
    return {0: "4:4:4", 1: "4:2:2"}.get(get_sampling(image), "4:2:0")


def beside_picture(data: bytes) -> str:
    """What a file holds beside a picture and what decodes it, byte for byte: Exif, XMP, IPTC, a colour profile, a
    comment, anything between or behind its parts; "" for nothing."""
    if not data.startswith(b"\xff\xd8"):
        return "no JPEG"
    expected = 2
    try:
        for marker, start, body, end in _segments(data):
            if start != expected or body - start != (2 if marker == _END else 4):
                return "bytes between its parts"
            segment = data[body:end]
            if marker == _APP1:
                return "Exif" if segment.startswith(_EXIF) else "XMP"
            if marker == 0xE0:
                # Its last two bytes are the sides of a small picture that would follow.
                if not segment.startswith(b"JFIF\0") or len(segment) != _JFIF_LENGTH or any(segment[-2:]):
                    return "more than a header"
            elif marker not in _PLAIN:
                return _OTHERS.get(marker, f"a part of kind {marker:02X}")
            expected = end
    except PhotoRejected:
        return "no whole JPEG"
    return "" if expected == len(data) else "bytes behind its end"
