"""ZIPs that no honest program writes, made byte by byte."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Member:
    """A file of a ZIP; what is None is told truthfully."""

    name: bytes
    data: bytes = b""
    method: int = 0
    said_size: int | None = None
    said_packed: int | None = None
    crc: int | None = None
    flags: int = 0
    attributes: int = 0
    # The place another member's data begins at.
    at: int | None = None

    def packed(self) -> bytes:
        if self.method != 8:
            return self.data
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()

    def fields(self, packed: bytes) -> tuple:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        return (
            self.flags, self.method, 0, 33, crc,
            len(packed) if self.said_packed is None else self.said_packed,
            len(self.data) if self.said_size is None else self.said_size,
            len(self.name),
        )  # fmt: skip


def write(
    path: Path, members: list[Member], *, count: int | None = None, directory_size: int | None = None
) -> Path:
    """Write the members; ``count`` and ``directory_size`` are what the end of the ZIP says, if not the truth."""
    body, directory = bytearray(), bytearray()
    for member in members:
        packed = member.packed()
        place = len(body) if member.at is None else member.at
        fields = member.fields(packed)
        if member.at is None:
            body += struct.pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, *fields, 0) + member.name + packed
        directory += (
            struct.pack(
                "<4sHHHHHHLLLHHHHHLL",
                b"PK\x01\x02",
                0x031E,
                20,
                *fields,
                0,
                0,
                0,
                0,
                member.attributes,
                place,
            )
            + member.name
        )
    entries = min(len(members) if count is None else count, 0xFFFF)
    size = len(directory) if directory_size is None else directory_size
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, entries, entries, size, len(body), 0)
    path.write_bytes(bytes(body + directory) + end)
    return path


def write_zip64(path: Path, count: int) -> Path:
    """A directory of so many entries, all of one name and no file, and a 64-bit end that says half of them."""
    entry = struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\x01\x02", 0x031E, *[20] * 5, *[0] * 3, 1, *[0] * 6) + b"x"
    directory = entry * count
    end64 = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count // 2, count // 2, len(directory), 0
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(directory + end64 + locator + end)
    return path
