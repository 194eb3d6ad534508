"""The head of an AV1 stream (AV1 Bitstream Specification, 5.5): how large its pictures are and in which colours.

A container may say anything of the stream in it; the decoder makes what the stream says.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_SEQUENCE_HEADER = 1
_MOST_UNITS = 1000


@dataclass(frozen=True)
class Sequence:
    """`primaries` and `transfer` are code points of ITU-T H.273, 2 where nothing is said."""

    width: int
    height: int
    primaries: int = 2
    transfer: int = 2


class _Bits:
    def __init__(self, data: bytes):
        self._data, self._place = data, 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number. Raises ValueError at the end."""
        end = self._place + count
        if end > 8 * len(self._data):
            raise ValueError("the stream's head is cut off")
        number = int.from_bytes(self._data[self._place // 8 : (end + 7) // 8])
        self._place = end
        return number >> (-end % 8) & ((1 << count) - 1)

    def skip_coded(self) -> None:
        """Pass over a number of unknown length."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        self.take(min(zeros, 32))


def sequences(stream: bytes) -> Iterator[Sequence]:
    """All sequence headers of a stream. Raises ValueError if it cannot be followed."""
    position = 0
    for _ in range(_MOST_UNITS):
        if position >= len(stream):
            return
        head = stream[position]
        position += 2 if head & 4 else 1
        size = len(stream) - position
        if head & 2:
            size, position = _number(stream, position)
        if size < 0 or position + size > len(stream):
            raise ValueError("a part of the stream is cut off")
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _sequence(_Bits(stream[position : min(position + size, position + 1024)]))
        position += size
    raise ValueError("a stream of too many parts")


def _number(stream: bytes, position: int) -> tuple[int, int]:
    number = 0
    for place in range(8):
        if position >= len(stream):
            break
        byte = stream[position]
        position += 1
        number |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return number, position
    raise ValueError("a number without end")


def _sequence(bits: _Bits) -> Sequence:
    profile, _still, is_reduced = bits.take(3), bits.take(1), bits.take(1)
    if is_reduced:
        bits.take(5)
    else:
        _skip_timing(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    _skip_tools(bits, is_reduced)
    is_deep = bits.take(1)
    if profile == 2 and is_deep:
        bits.take(1)
    if profile != 1:
        bits.take(1)
    if not bits.take(1):
        return Sequence(width, height)
    return Sequence(width, height, bits.take(8), bits.take(8))


def _skip_timing(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.skip_coded()
        if bits.take(1):
            delay = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    has_display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if has_display_delay and bits.take(1):
            bits.take(4)


def _skip_tools(bits: _Bits, is_reduced: int) -> None:
    if not is_reduced and bits.take(1):
        bits.take(4 + 3)
    bits.take(3)
    if not is_reduced:
        bits.take(4)
        has_order = bits.take(1)
        bits.take(2 if has_order else 0)
        forces_screen_tools = bits.take(1) or bits.take(1)
        if forces_screen_tools and not bits.take(1):
            bits.take(1)
        bits.take(3 if has_order else 0)
    bits.take(3)
