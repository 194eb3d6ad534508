"""Further pictures behind a JPEG (CIPA DC-007): previews, gain maps and depth belong to the photo, others do not."""

import re
import struct
from collections.abc import Iterator

_HEAD = b"MPF\0"
_PICTURES = 0xB002
_ENTRY = 16
_PREVIEW, _GAIN_MAP, _UNDEFINED = 0x010000, 0x050000, 0
_MOST_PICTURES = 100
# Adobe's and Google's gain maps, ISO 21496-1, and what phones keep beside a photo: gain map, depth, mattes.
_AUXILIARY = re.compile(
    rb"hdrgm:Version|urn:iso:std:iso:ts:21496|urn:com:apple:photo:20\d\d:aux:|apple[\w:/.\-]{0,60}HDRGainMap"
    rb"|Semantic=[\"'](?:GainMap|Depth)|GDepth:|/photos/1\.0/depthmap",
    re.IGNORECASE,
)
# The frame of a picture of one component: beside a photo, of no declared type, it is a map of something.
_GREY_FRAME = re.compile(rb"\xff[\xc0-\xc2]\0\x0b\x08.{4}\x01", re.DOTALL)
# What says that the photo itself has a gain map beside it.
_GAIN_MAP_BESIDE = re.compile(
    rb"hdrgm:Version|urn:iso:std:iso:ts:21496|Semantic=[\"']GainMap|HDRGainMap", re.IGNORECASE
)
_HEAD_OF_PICTURE = 1 << 16


def is_index(segment: bytes) -> bool:
    """Whether an APP2 segment lists the pictures of the file."""
    return segment.startswith(_HEAD)


def names_gain_map(segment: bytes) -> bool:
    """Whether a segment of the photo says that its file holds a gain map."""
    return _GAIN_MAP_BESIDE.search(segment) is not None


def notes(data: bytes, end: int, index: tuple[int, bytes] | None, has_gain_map: bool) -> tuple[str, ...]:
    """What is said of the bytes behind the first picture, which ends at `end`; they are not kept.

    `index` is the segment that lists the pictures and where its body begins.
    """
    if not data[end:].strip(b"\0"):
        return ()
    others = list(_others(data, end, *index)) if index else []
    kinds = [kind for kind, _end in others]
    if has_gain_map and "auxiliary" not in kinds and "picture" in kinds:
        # The photo names a map that does not name itself.
        kinds[kinds.index("picture")] = "auxiliary"
    rest = data[max((stop for _kind, stop in others), default=len(data)) :]
    tail = ("tail_removed",) if rest.strip(b"\0") else ()
    if "picture" in kinds or (index and not others and not has_gain_map and _begins_picture(data, end)):
        return ("first_frame_only", *tail)
    if "auxiliary" in kinds or (has_gain_map and _begins_picture(data, end)):
        return ("gain_map_removed", *tail)
    return tail if others else ("tail_removed",)


def _begins_picture(data: bytes, end: int) -> bool:
    return data[end : end + 64].lstrip(b"\0").startswith(b"\xff\xd8\xff")


def _others(data: bytes, end: int, start: int, segment: bytes) -> Iterator[tuple[str, int]]:
    """What each further picture of the index is, 'preview', 'auxiliary' or 'picture', and where it ends."""
    for kind, offset, size in _entries(segment):
        place = start + len(_HEAD) + offset
        if offset == 0 or place < end or not data.startswith(b"\xff\xd8", place):
            continue
        head = data[place : place + min(size, _HEAD_OF_PICTURE)]
        if kind & 0xFF0000 == _PREVIEW:
            yield "preview", place + size
        elif (
            kind == _GAIN_MAP or _AUXILIARY.search(head) or (kind == _UNDEFINED and _GREY_FRAME.search(head))
        ):
            yield "auxiliary", place + size
        else:
            yield "picture", place + size


def _entries(segment: bytes) -> Iterator[tuple[int, int, int]]:
    """(type, offset, size) of each picture of an index; nothing if it cannot be followed."""
    tiff = segment[len(_HEAD) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if not order:
        return
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        for field in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, _kind, length, place = struct.unpack_from(order + "HHII", tiff, field)
            if tag == _PICTURES:
                for entry in range(place, place + min(length, _ENTRY * _MOST_PICTURES), _ENTRY):
                    attribute, size, offset = struct.unpack_from(order + "III", tiff, entry)
                    yield attribute & 0xFFFFFF, offset, size
    except struct.error:
        return
