"""Whether a PNG holds all its rows: a decoder takes a packed stream that ends early for a picture with a black end."""

import struct
import zlib
from collections.abc import Iterator

from PIL import Image

_SIGNATURE_END = 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column and row of each pass of an interlaced picture, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def are_all_there(png: bytes, image: Image.Image) -> bool:
    """Whether the stream is as long as the picture needs. It is unpacked once more only where the picture ends as one
    would that is cut, or is interlaced and has its rows in no order."""
    width, height, depth, colour, _packing, _filter, is_interlaced = struct.unpack_from(">IIBBBBB", png, 16)
    if not is_interlaced and any(image.crop((0, height - 1, width, height)).tobytes()):
        return True
    bits, needed = depth * _CHANNELS.get(colour, 1), 0
    for left, top, across, down in _PASSES if is_interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            needed += rows * (1 + (columns * bits + 7) // 8)
    unpacker, found = zlib.decompressobj(), 0
    for body in _data(png):
        rest = body
        while rest and found < needed:
            found += len(unpacker.decompress(rest, 1 << 20))
            rest = unpacker.unconsumed_tail
    while found < needed and (more := unpacker.decompress(unpacker.unconsumed_tail, 1 << 20)):
        found += len(more)
    return found >= needed


def _data(png: bytes) -> Iterator[bytes]:
    position = _SIGNATURE_END
    while position + 12 <= len(png):
        end = position + 12 + int.from_bytes(png[position : position + 4])
        if png[position + 4 : position + 8] == b"IDAT":
            yield png[position + 8 : end - 4]
        position = end
