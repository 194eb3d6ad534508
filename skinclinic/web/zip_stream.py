"""A ZIP whose length is known before it is written, so that a download can go on at any byte. Pure.

Files are stored, not compressed (photos are compressed already), and carry no time: the same members give the
same bytes.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_NO_TIME = (1980, 1, 1, 0, 0, 0)
# Sizes by the ZIP specification (APPNOTE 4.3 and 4.5): local header, data descriptor, entry of the central
# directory, its extra field for an offset beyond 2 GiB, end record, and the two records of a large archive.
_LOCAL, _DESCRIPTOR, _CENTRAL, _FAR, _END, _LARGE_END = 30, 16, 46, 12, 22, 56 + 20


class MemberChanged(Exception):
    """A member did not give as many bytes as was said; the ZIP must not be finished."""


@dataclass(frozen=True)
class Member:
    """A file of the ZIP: its name, its bytes' number (less than 2 GiB), and how to get them."""

    name: str
    size: int
    read: Callable[[], Iterable[bytes]]


class _Tail(io.RawIOBase):
    """A file to write a ZIP into, a piece at a time: it cannot be sought, so nothing is held back."""

    def __init__(self) -> None:
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last look."""
        data, self._data = bytes(self._data), bytearray()
        return data


def length(members: Sequence[Member]) -> int:
    """How many bytes ``chunks`` gives."""
    offset = central = 0
    for member in members:
        name = len(member.name.encode())
        central += _CENTRAL + name + (_FAR if offset > zipfile.ZIP64_LIMIT else 0)
        offset += _LOCAL + name + member.size + _DESCRIPTOR
    is_large = (
        len(members) > zipfile.ZIP_FILECOUNT_LIMIT
        or offset > zipfile.ZIP64_LIMIT
        or central > zipfile.ZIP64_LIMIT
    )
    return offset + central + (_LARGE_END if is_large else 0) + _END


def chunks(members: Sequence[Member], start: int = 0) -> Iterator[bytes]:
    """The ZIP from byte ``start`` on, a piece at a time. Members before it are read (for their checksums)
    and not given. Raises MemberChanged."""
    for piece in _all(members):
        if start < len(piece):
            yield piece[start:]
        start = max(start - len(piece), 0)


def _all(members: Sequence[Member]) -> Iterator[bytes]:
    out = _Tail()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, _NO_TIME)
            info.file_size = member.size
            with archive.open(info, "w") as file:
                written = 0
                for piece in member.read():
                    written += file.write(piece)
                    yield out.take()
                if written != member.size:
                    raise MemberChanged(member.name)
            yield out.take()
    yield out.take()


def compressed(files: Iterable[tuple[str, bytes | Iterator[bytes]]]) -> Iterator[bytes]:
    """A ZIP of these files, compressed and so of no length known beforehand, a file at a time, or a piece of one that
    comes in pieces."""
    out = _Tail()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, _NO_TIME)
            if isinstance(content, bytes):
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            else:
                info.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info, "w", force_zip64=True) as file:
                    for piece in content:
                        file.write(piece)
                        yield out.take()
            yield out.take()
    yield out.take()
