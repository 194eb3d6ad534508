"""Directories of a TIFF file: tags and where their values lie."""

import struct
from dataclasses import dataclass

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
_MOST_PAGES = 100
_KIND_OF_PAGE = 254


@dataclass(frozen=True)
class Directory:
    """`entries`: type, count and bytes of each tag's values, in the byte order `order`. `lost`: tags whose values are
    not there."""

    order: str
    entries: dict[int, tuple[int, int, bytes]]
    lost: frozenset[int] = frozenset()

    def numbers(self, tag: int) -> list[int]:
        """The whole numbers of a tag; none if it is missing or of another type."""
        kind, count, value = self.entries.get(tag, (0, 0, b""))
        return list(struct.unpack(f"{self.order}{count}{_NUMBERS[kind]}", value)) if kind in _NUMBERS else []

    def number(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        return next(iter(self.numbers(tag)), default)


def first(data: bytes) -> int:
    """Where the first directory begins. Raises ValueError if this is no TIFF file."""
    if data[:4] not in _ORDERS or len(data) < 8:
        raise ValueError("no TIFF file")
    return int(struct.unpack_from(_ORDERS[data[:4]] + "I", data, 4)[0])


def read(data: bytes, offset: int) -> tuple[Directory, int]:
    """(a directory, where the next one begins or 0). Raises ValueError if it is cut off.

    Of a doubled tag the first counts. A value outside the file counts as none, and so do values that make more of
    the file than its bytes.
    """
    order = _ORDERS[data[:4]]
    entries: dict[int, tuple[int, int, bytes]] = {}
    lost: set[int] = set()
    left = len(data)
    (count,) = _unpack(order + "H", data, offset)
    for start in range(offset + 2, offset + 2 + 12 * count, 12):
        tag, kind, number = _unpack(order + "HHI", data, start)
        length = _BYTES_OF_TYPE.get(kind, 0) * number
        if not length or tag in entries:
            continue
        place = start + 8 if length <= 4 else _unpack(order + "I", data, start + 8)[0]
        if length > left or place + length > len(data):
            lost.add(tag)
            continue
        left -= length
        entries[tag] = (kind, number, data[place : place + length])
    return Directory(order, entries, frozenset(lost)), int(
        _unpack(order + "I", data, offset + 2 + 12 * count)[0]
    )


def kinds_of_pages(data: bytes, offset: int) -> list[int]:
    """What each further page says it is: 0 for a page as any other, 1 for a smaller copy, 4 for a mask."""
    found, seen = list[int](), set[int]()
    while offset and offset not in seen and len(found) < _MOST_PAGES:
        seen.add(offset)
        try:
            directory, following = read(data, offset)
        except ValueError:
            break
        found.append(directory.number(_KIND_OF_PAGE))
        offset = following
    return found


def rewritten(data: bytes, directory: Directory, tags: set[int]) -> bytes:
    """The file with one directory of these tags, behind all data; what else there was leads nowhere."""
    body = data + b"\0" * (len(data) % 2)
    return (
        body[:4]
        + struct.pack(directory.order + "I", len(body))
        + body[8:]
        + _written(directory, tags, len(body))
    )


def _written(directory: Directory, tags: set[int], offset: int) -> bytes:
    kept = sorted((tag, *directory.entries[tag]) for tag in tags if tag in directory.entries)
    table, values = struct.pack(directory.order + "H", len(kept)), b""
    behind = offset + 2 + 12 * len(kept) + 4
    for tag, kind, count, value in kept:
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack(directory.order + "I", behind + len(values))
            values += value + b"\0" * (len(value) % 2)
        table += struct.pack(directory.order + "HHI", tag, kind, count) + place
    return table + bytes(4) + values


def _unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise ValueError("a directory is cut off") from error
