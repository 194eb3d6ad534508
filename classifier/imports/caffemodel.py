"""Layers and their numbers from a caffemodel: Caffe's NetParameter in protobuf's wire format.

Only the handful of fields that hold parameters are read. Numbers stay where they lie in the file until they
are used, and a size that a file claims is compared with what is there, never allocated.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from classifier.networks.manifest import ModelRejected

# The most that protobuf itself reads.
LARGEST_BYTES = 2**31 - 1
MOST_FIELDS = 200_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# NetParameter: field of the layers -> fields of name and blobs in them (today's and the older kind).
_LAYERS = {100: (1, 7), 2: (4, 6)}
_SHAPE, _DIM, _DATA, _DOUBLE_DATA = 7, 1, 5, 8
_LEGACY_SHAPE = (1, 2, 3, 4)  # num, channels, height, width


@dataclass(frozen=True)
class Blob:
    """``values``: the numbers in a row. ``shape``: as the file says; ``legacy``: filled up in front with 1."""

    shape: tuple[int, ...]
    values: np.ndarray
    legacy: bool

    def misfit(self, shape: tuple[int, ...]) -> str:
        """Why the blob is not one of this shape, or ""."""
        wanted = (1,) * (4 - len(shape)) + shape if self.legacy else shape
        if self.shape != wanted:
            return f"is {in_words(self.shape)}, needs {in_words(shape)}"
        if len(self.values) != math.prod(shape):
            return f"should be {in_words(shape)} and holds {len(self.values)} numbers"
        return ""


def in_words(shape: tuple[int, ...]) -> str:
    """A shape as "64x3x7x7"."""
    return "x".join(map(str, shape[:8])) or "a single number"


def read(path: Path) -> dict[str, list[Blob]]:
    """Return the blobs of every layer that has some. Raises ModelRejected.

    The blobs' values are views of the file, which must stay as it is while they are in use.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_BYTES:
            _refuse("it is larger than 2 GB")
        content = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    except OSError as error:
        raise ModelRejected("caffemodel_unreadable", f"The caffemodel cannot be read: {error}.") from error
    return parse(content)


def parse(content: np.ndarray) -> dict[str, list[Blob]]:
    """The same for bytes uint8 [n]."""
    wire = _Wire(content)
    layers: dict[str, list[Blob]] = {}
    for number, _kind, value in wire.fields(0, len(content)):
        if number not in _LAYERS or not isinstance(value, tuple):
            continue
        name, blobs = _layer(wire, value, *_LAYERS[number])
        if not blobs:
            continue
        if name in layers:
            _refuse(f"it has two layers named {name!r}")
        layers[name] = blobs
    if not layers:
        _refuse("there is no layer with parameters in it")
    return layers


def _layer(wire: "_Wire", span: tuple[int, int], name_field: int, blob_field: int) -> tuple[str, list[Blob]]:
    name, blobs = "", []
    for number, _kind, value in wire.fields(*span):
        if number == name_field and isinstance(value, tuple):
            name = wire.text(*value)
        elif number == blob_field and isinstance(value, tuple):
            blobs.append(_blob(wire, value))
    return name, blobs


def _blob(wire: "_Wire", span: tuple[int, int]) -> Blob:
    shape: tuple[int, ...] = ()
    legacy: dict[int, int] = {}
    parts: dict[str, list[np.ndarray]] = {"<f4": [], "<f8": []}
    for number, kind, value in wire.fields(*span):
        if number == _SHAPE and isinstance(value, tuple):
            shape += _dims(wire, value)
        elif number in _LEGACY_SHAPE and isinstance(value, int):
            legacy[number] = value
        elif isinstance(value, int):
            continue
        elif number == _DATA and kind in (_BYTES, _FIXED32):
            parts["<f4"].append(wire.numbers(value, "<f4"))
        elif number == _DOUBLE_DATA and kind in (_BYTES, _FIXED64):
            parts["<f8"].append(wire.numbers(value, "<f8"))
    # As in Caffe: numbers in double precision come before those in single.
    found = parts["<f8"] or parts["<f4"]
    values = found[0] if len(found) == 1 else np.concatenate(found or [np.empty(0, np.float32)])
    if legacy:
        return Blob(tuple(legacy.get(number, 0) for number in _LEGACY_SHAPE), values, legacy=True)
    return Blob(shape, values, legacy=False)


def _dims(wire: "_Wire", span: tuple[int, int]) -> tuple[int, ...]:
    dims: list[int] = []
    for number, _kind, value in wire.fields(*span):
        if number != _DIM:
            continue
        if isinstance(value, int):
            dims.append(value)
        elif isinstance(value, tuple):
            dims += wire.varints(value)
        if len(dims) > 32:
            _refuse("a blob has more than 32 axes")
    return tuple(dims)


# A number; (start, end) of bytes; numbers of fixed width as uint8 [count, width].
_Value = int | tuple[int, int] | np.ndarray


class _Wire:
    """Fields of protobuf messages, at most MOST_FIELDS of them in the whole file."""

    def __init__(self, content: np.ndarray):
        self._numbers = content
        self._bytes = content.data
        self._left = MOST_FIELDS

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, _Value]]:
        """Yield (field number, kind, value) of the message from ``at`` to ``end``.

        ``value``: the number; for bytes their (start, end); for numbers of fixed width, of which a run of
        the same field is one, an array uint8 [count, width].
        """
        while at < end:
            start = at
            self._left -= 1
            if self._left < 0:
                _refuse(f"it has more than {MOST_FIELDS} fields, more than any network")
            tag, at = self._varint(at, end)
            number, kind = tag >> 3, tag & 7
            value: _Value
            if kind == _VARINT:
                value, at = self._varint(at, end)
            elif kind == _BYTES:
                length, at = self._varint(at, end)
                value = (at, at + length)
                at += length
            elif kind in (_FIXED32, _FIXED64):
                value, at = self._run(start, at - start, 4 if kind == _FIXED32 else 8, end)
            else:
                _refuse("it is not in protobuf's format")
            if at > end or not number:
                _refuse("it is cut off or not in protobuf's format")
            yield number, kind, value

    def text(self, start: int, end: int) -> str:
        return bytes(self._bytes[start : min(end, start + 200)]).decode("utf-8", "replace")

    def varints(self, span: tuple[int, int]) -> list[int]:
        at, end = span
        values: list[int] = []
        while at < end and len(values) <= 32:
            value, at = self._varint(at, end)
            values.append(value)
        return values

    def numbers(self, value: tuple[int, int] | np.ndarray, kind: str) -> np.ndarray:
        """The numbers of a packed field or of a run of single ones."""
        if isinstance(value, tuple):
            value = self._numbers[slice(*value)]
            if len(value) % np.dtype(kind).itemsize:
                _refuse("a blob's numbers are cut off")
        return np.ascontiguousarray(value).reshape(-1).view(kind)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                _refuse("it is cut off or not in protobuf's format")
            byte = self._bytes[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
        raise _refusal("it is not in protobuf's format")

    def _run(self, start: int, tag_width: int, width: int, end: int) -> tuple[np.ndarray, int]:
        """How often the field at ``start`` is repeated without another between, looked at in growing steps."""
        step = tag_width + width
        tag = self._numbers[start : start + tag_width]
        most, count, look = (end - start) // step, 0, 16
        if not most:
            _refuse("it is cut off or not in protobuf's format")
        while count < most:
            look = min(2 * look, most - count)
            rows = self._numbers[start + count * step : start + (count + look) * step].reshape(look, step)
            same = (rows[:, :tag_width] == tag).all(axis=1)
            if not same.all():
                count += int(same.argmin())
                break
            count += look
        found = self._numbers[start : start + count * step].reshape(count, step)[:, tag_width:]
        return found, start + count * step


def _refusal(why: str) -> ModelRejected:
    return ModelRejected("caffemodel_unreadable", f"The caffemodel cannot be read: {why}.")


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)
