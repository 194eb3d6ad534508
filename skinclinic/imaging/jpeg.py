"""JPEG: markers walked by hand (ITU-T T.81 annex B), pixels decoded by Pillow."""

import re
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from .header import Header
from .refusals import PhotoRejected

NAME = "JPEG"

_START, _END, _SCAN, _APP1, _APP2, _COMMENT = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xFE
_STANDALONE = {0x00, 0x01, _START, *range(0xD0, 0xD8)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOT_FILL = re.compile(rb"[^\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Tables, one baseline or progressive frame, scans, restart intervals, the end.
_PLAIN = {0xC0, 0xC2, 0xC4, 0xDB, _SCAN, 0xDD, _END}
_JFIF_LENGTH = 14
_EXIF = b"Exif\0\0"
_GAIN_MAP = b"hdrgm:Version"
# Each scan of a progressive file passes over the whole picture; programs write about ten.
_MOST_SCANS = 32
_MOST_MARKERS = 5000


def inspect(data: bytes) -> Header:
    """Size and extent of the first picture. Raises PhotoRejected if the markers lead nowhere."""
    kept = [data[:2]]
    frames, scans, exif = [], 0, b""
    several = gain_map = False
    for marker, start, body, end in _segments(data):
        segment = data[body : min(end, body + 0xFFFF)]
        if marker in _FRAMES and len(segment) >= 6:
            frames.append((int.from_bytes(segment[3:5]), int.from_bytes(segment[1:3])))
        elif marker == _SCAN:
            scans += 1
        elif marker == _APP1:
            exif = exif or (segment[len(_EXIF) :] if segment.startswith(_EXIF) else b"")
            gain_map = gain_map or _GAIN_MAP in segment
        elif marker == _APP2:
            several = several or segment.startswith(b"MPF\0")
        if _reaches_decoder(marker, segment):
            kept.append(data[start:end])
    if scans > _MOST_SCANS:
        raise PhotoRejected("decompression_bomb", kind=NAME)
    # A second frame header is an error to the decoder, and a way to say two sizes to two readers.
    if len(frames) != 1 or not min(frames[0]) or not scans:
        raise PhotoRejected("damaged", kind=NAME)
    notes = _notes_of_tail(data[end:].lstrip(b"\0"), several, gain_map)
    return Header(*frames[0], b"".join(kept), exif=exif, notes=notes)


def _notes_of_tail(tail: bytes, several: bool, gain_map: bool) -> tuple[str, ...]:
    """What is said of the bytes behind the first picture, which are not kept."""
    if tail and several and tail.startswith(b"\xff\xd8\xff"):
        # The second picture of a high-dynamic-range photo only says how to brighten the first.
        return () if gain_map else ("first_frame_only",)
    return ("tail_removed",) if tail else ()


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(marker, start, start of its body, end) of every segment; a scan's ends after its coded data."""
    end = 2
    for _ in range(_MOST_MARKERS):
        start = data.find(b"\xff", end)
        code = _NOT_FILL.search(data, start + 1) if start >= 0 else None
        if not code:
            break
        marker, body = code[0][0], code.end()
        if marker in _STANDALONE:
            end = body
            continue
        if marker == _END:
            yield marker, start, body, body
            return
        length = int.from_bytes(data[body : body + 2])
        end = body + length
        if length < 2 or end > len(data):
            break
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, end)
            if not found:
                break
            end = found.start()
        yield marker, start, body + 2, end
    raise PhotoRejected("damaged", kind=NAME)


def _reaches_decoder(marker: int, segment: bytes) -> bool:
    """Pixels and what says how to read them: JFIF, ICC profile, Adobe's colour transform."""
    if marker == _APP2:
        return segment.startswith(b"ICC_PROFILE\0")
    return marker != _COMMENT and not (0xE0 < marker < 0xEE or marker == 0xEF)


def decode(payload: bytes) -> Image.Image:
    """The picture, fully decoded. `JpegImageFile` and not `Image.open`, which may follow further frames."""
    image = JpegImageFile(BytesIO(payload))
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
