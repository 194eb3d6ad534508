"""Whether the numbers of a weights file can be those of a network: of a kind that is computed with, each at a place of
its own, all finite. Read from the file, without torch."""

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from classifier.networks.manifest import ModelRejected

# Kinds of floating-point numbers, as they lie in the file; bfloat16 is the upper half of float32.
_FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}
_BYTES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I32": 4, "I64": 8}
# What a network only counts with.
_COUNTERS = "num_batches_tracked"
_AT_ONCE = 1 << 22
LARGEST_HEADER = 16 * 1024 * 1024


def check_places(header: object) -> None:
    """Raise ModelRejected where tensors of a safetensors header share bytes, naming both; what else is wrong with a
    header is for the library that reads it."""
    if not isinstance(header, dict):
        return
    places = [
        (entry["data_offsets"], name)
        for name, entry in header.items()
        if name != "__metadata__" and isinstance(entry, dict) and _is_place(entry.get("data_offsets"))
    ]
    furthest, holder = 0, ""
    for (start, stop), name in sorted(places):
        if start < min(furthest, stop):
            raise ModelRejected(
                "weights_overlap",
                f"{name} and {holder} share bytes {start} to {min(furthest, stop)} of the weights; every tensor needs "
                "a place of its own.",
            )
        if stop > furthest:
            furthest, holder = stop, name


def read_header(file: BinaryIO) -> object:
    """The JSON at the head of a safetensors file, behind which ``file`` then stands; None where there is none, or one
    larger than any network's."""
    length = int.from_bytes(file.read(8), "little")
    if length > LARGEST_HEADER:
        return None
    try:
        return json.loads(file.read(length), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of a tensor that is named twice nobody knows which is read."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _is_place(offsets: object) -> bool:
    return isinstance(offsets, list) and len(offsets) == 2 and all(type(number) is int for number in offsets)


def check_numbers(weights_file: Path) -> None:
    """Of a file that ``structure.shapes_of`` could read. Raises ModelRejected."""
    with weights_file.open("rb") as file:
        header: Any = read_header(file)
        data = file.tell()
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    end = 0
    for name, entry in sorted(tensors.items(), key=lambda item: item[1]["data_offsets"]):
        kind, (start, stop) = entry["dtype"], entry["data_offsets"]
        if kind not in _FLOATS and not (name.endswith(_COUNTERS) and kind in _BYTES):
            raise ModelRejected(
                "weights_not_floating",
                f"{name} is stored as {kind}; the weights of a network are floating-point numbers.",
            )
        if start != end or stop - start != math.prod(entry["shape"]) * _BYTES[kind]:
            raise ModelRejected("weights_overlap", f"{name} does not have a place of its own in the weights.")
        end = stop
        if kind in _FLOATS and not _is_finite(weights_file, data + start, stop - start, kind):
            raise ModelRejected("weights_not_finite", f"Some weights are not finite numbers: {name}.")


def _is_finite(weights_file: Path, start: int, size: int, kind: str) -> bool:
    if not size:
        return True
    values = np.memmap(weights_file, _FLOATS[kind], "r", start, size // _BYTES[kind])
    parts = (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))
    if kind == "BF16":
        # All bits of the exponent are set in what is infinite or no number.
        return all(bool(((part & 0x7F80) != 0x7F80).all()) for part in parts)
    return all(bool(np.isfinite(part).all()) for part in parts)
