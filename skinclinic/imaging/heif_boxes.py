"""The parts of a HEIF container (ISO/IEC 14496-12 and 23008-12) that say how large its pictures are."""

import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator

Boxes = list[tuple[bytes, bytes]]
_LETTERS = re.compile(rb"[A-Za-z0-9 ]{4}")


def end_of_boxes(data: bytes) -> int:
    """Where the last whole top-level box ends."""
    end = 0
    while _LETTERS.fullmatch(data[end + 4 : end + 8]):
        length = int.from_bytes(data[end : end + 4])
        if length == 1:
            length = int.from_bytes(data[end + 8 : end + 16])
        if length == 0:
            return len(data)
        if length < 8 or end + length > len(data):
            break
        end += length
    return end


def decoded_pixels(data: bytes) -> int:
    """Pixels the costliest picture of the file takes: its own, or those of all parts it is made from.

    Raises ValueError or struct.error if the container cannot be followed.
    """
    children = meta(data)
    sizes, parts = areas(children), _parts(only(b"iref", children, default=bytes(4)))
    known: dict[int, int | None] = {}
    return max((_cost(item, sizes, parts, known) for item in sizes), default=0)


def meta(data: bytes) -> Boxes:
    """The boxes that describe the pictures of a file."""
    return list(boxes(only(b"meta", boxes(data))[4:]))


def areas(children: Boxes) -> dict[int, int]:
    """Pixels of each item, from its `ispe` property (before any cropping)."""
    found: dict[int, int] = {}
    for item, kind, value in properties(only(b"iprp", children)):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", value, 4)
            found[item] = max(found.get(item, 0), width * height)
    return found


def _cost(
    item: int, sizes: dict[int, int], parts: dict[int, Counter[int]], known: dict[int, int | None]
) -> int:
    if item not in known:
        known[item] = None
        made_from = parts.get(item, {}).items()
        pixels = sum(times * _cost(part, sizes, parts, known) for part, times in made_from)
        known[item] = max(sizes.get(item, 0), pixels)
    cost = known[item]
    if cost is None:
        raise ValueError("a picture is made from itself")
    return cost


def only(wanted: bytes, boxes: Iterable[tuple[bytes, bytes]], default: bytes | None = None) -> bytes:
    """The body of the one box of that name; with two, readers could choose differently."""
    bodies = [body for name, body in boxes if name == wanted]
    if not bodies and default is not None:
        return default
    if len(bodies) != 1:
        raise ValueError(f"{wanted.decode()} is missing or doubled")
    return bodies[0]


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
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


def properties(iprp: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(item, name, body) of each property of each item, in the file's order."""
    children = list(boxes(iprp))
    known = [prop for name, body in children if name == b"ipco" for prop in boxes(body)]
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
                if 0 < index <= len(known):
                    yield item, *known[index - 1]


def _parts(iref: bytes) -> dict[int, Counter[int]]:
    """How often each item is used to make each derived item (`dimg` references)."""
    wide = iref[0] > 0
    number, step = (">I", 4) if wide else (">H", 2)
    made_from: dict[int, Counter[int]] = {}
    for name, body in boxes(iref[4:]):
        if name == b"dimg":
            (item,) = struct.unpack_from(number, body)
            (count,) = struct.unpack_from(">H", body, step)
            used = struct.unpack_from(f">{count}{number[1]}", body, step + 2)
            made_from.setdefault(item, Counter()).update(used)
    return made_from
