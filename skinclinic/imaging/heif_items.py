"""The items of a HEIF container (ISO/IEC 14496-12, 8.11): which is the main one, and the bytes of each."""

import struct
from collections.abc import Iterator

from .heif_boxes import Boxes, boxes, only


def primary(children: Boxes) -> int:
    """The item that is the picture to show."""
    body = only(b"pitm", children)
    return int(struct.unpack_from(">I" if body[0] else ">H", body, 4)[0])


def streams(data: bytes, children: Boxes, kind: bytes) -> Iterator[tuple[int, bytes]]:
    """(item, its bytes) of every item of a kind. Raises ValueError if their places cannot be followed."""
    wanted = {item for item, found in kinds(children) if found == kind}
    inside = only(b"idat", children, default=b"")
    # Each byte is part of one picture; items that share them are a way to make much of little.
    left = 2 * len(data)
    for item, is_inside, extents in _places(only(b"iloc", children)):
        if item not in wanted:
            continue
        source = inside if is_inside else data
        parts = []
        for start, length in extents:
            length = length or len(source) - start
            left -= length
            if left < 0 or start + length > len(source):
                raise ValueError("an item reaches outside the file")
            parts.append(source[start : start + length])
        yield item, b"".join(parts)


def kinds(children: Boxes) -> Iterator[tuple[int, bytes]]:
    """(item, what it is) of every item."""
    iinf = only(b"iinf", children)
    for name, body in boxes(iinf[6 if not iinf[0] else 8 :]):
        if name == b"infe" and body[0] >= 2:
            number, start = (">H", 8) if body[0] == 2 else (">I", 10)
            yield struct.unpack_from(number, body, 4)[0], body[start : start + 4]


def _places(iloc: bytes) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """(item, whether its bytes lie in `idat`, start and length of each part)."""
    version, sizes = iloc[0], struct.unpack_from(">H", iloc, 4)[0]
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    position = 6

    def number(size: int) -> int:
        nonlocal position
        position += size
        if position > len(iloc):
            raise ValueError("the places of the items are cut off")
        return int.from_bytes(iloc[position - size : position])

    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        base, extents = number(base_size), []
        for _ in range(number(2)):
            if version:
                number(index_size)
            start = base + number(offset_size)
            extents.append((start, number(length_size)))
        if method > 1:
            raise ValueError("an item made from other items")
        yield item, method == 1, extents
