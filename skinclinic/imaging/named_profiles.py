"""ICC profiles that are better computed as the space they stand for than applied to 8 bits (ICC.1:2022).

Those of HDR, whose curves alone would say grey; and straight lines, which leave next to no dark steps in 8 bits.
"""

import re
import struct

import numpy as np

from .profiles import Chromaticity, Primaries
from .spaces import Space, by_code

_MOST_TAGS = 100
_HDR = re.compile(rb"(?:2084|\bPQ\b|_PQ_|\bPQ_)|(\bHLG\b|_HLG_|\bHLG_)")
_WIDE = re.compile(rb"20[-_ .]?20|21[-_ .]?00|ITUR")
_D50_POINT = (0.34567, 0.35850)
# Exponents so near to one that 8 bits hold no more than a straight line's.
_STRAIGHT = (0.8, 1.3)
_PRIMARIES_OF_WIDE, _PRIMARIES_OF_P3, _PQ, _HLG = 9, 12, 16, 18
_LONGEST_NAME = 400
_CURVES = (b"rTRC", b"gTRC", b"bTRC")
# Levels at which a curve is told from others, and by how much of its light at the last it may differ.
_LOOKED_AT = (0.25, 0.4, 0.5, 0.6, 0.7, 0.8)
_LEAST_STEPS, _SAME_CURVE = 64, 0.02


def hdr(profile: bytes, name: str = "") -> Space | None:
    """The HDR space that a profile names by code points, or by its name (``name``: that of a PNG's chunk)."""
    tags = _tags(profile)
    value = tags.get(b"cicp", b"")
    if len(value) >= 12:
        space = by_code(value[8], value[9], is_narrow=value[11] == 0)
        return space if space and space.is_hdr else None
    described = tags.get(b"desc", b"")[:_LONGEST_NAME].replace(b"\0", b"")
    called = name.encode("ascii", "replace") + b" " + described
    if not (found := _HDR.search(called)):
        return _hdr_by_curve(tags)
    return by_code(
        _PRIMARIES_OF_WIDE if _WIDE.search(called) else _PRIMARIES_OF_P3, _HLG if found[1] else _PQ
    )


def _hdr_by_curve(tags: dict[bytes, bytes]) -> Space | None:
    """The HDR space of a profile of three primaries whose curve is that of PQ or HLG."""
    curve, *others = (tags.get(name, b"") for name in _CURVES)
    table = np.frombuffer(curve[12 : len(curve) // 2 * 2], ">u2")
    if b"A2B0" in tags or curve[:4] != b"curv" or others != [curve, curve] or len(table) < _LEAST_STEPS:
        return None
    if not table[-1] or not (points := _primaries(tags)):
        return None
    light = np.interp(_LOOKED_AT, np.linspace(0, 1, len(table)), table / 65535)
    for transfer in (_PQ, _HLG):
        space = Space(points, _D50_POINT, transfer)
        told = space.light(16)[(np.array(_LOOKED_AT) * 65535).round().astype(int)]
        if np.abs(light / max(light[-1], 1e-6) - told / told[-1]).max() <= _SAME_CURVE:
            return space
    return None


def straight(profile: bytes) -> Space | None:
    """The space of a profile of three primaries, or of grey, whose curve is a straight line or nearly one."""
    tags, kind = _tags(profile), profile[16:20]
    names = {b"RGB ": _CURVES, b"GRAY": (b"kTRC",)}.get(kind)
    if not names or b"A2B0" in tags:
        return None
    exponents = {_exponent(tags.get(name, b"")) for name in names}
    exponent = exponents.pop()
    if exponents or exponent is None or not _STRAIGHT[0] <= exponent <= _STRAIGHT[1]:
        return None
    if kind == b"GRAY":
        return Space(exponent=exponent)
    points = _primaries(tags)
    return Space(points, _D50_POINT, exponent=exponent) if points else None


def _primaries(tags: dict[bytes, bytes]) -> Primaries | None:
    red, green, blue = (_point(tags.get(name, b"")) for name in (b"rXYZ", b"gXYZ", b"bXYZ"))
    if not red or not green or not blue:
        return None
    try:
        usable = np.isfinite(Space((red, green, blue), _D50_POINT).to_srgb()).all()
    except (ValueError, np.linalg.LinAlgError):
        return None
    return (red, green, blue) if usable else None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    tags: dict[bytes, bytes] = {}
    if len(profile) < 132:
        return tags
    count = min(int.from_bytes(profile[128:132]), _MOST_TAGS, (len(profile) - 132) // 12)
    for number in range(count):
        name, start, length = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags.setdefault(name, profile[start : start + length])
    return tags


def _exponent(curve: bytes) -> float | None:
    """That of a curve that is a plain power."""
    if curve[:4] == b"curv" and len(curve) >= 12:
        count = int.from_bytes(curve[8:12])
        if count == 0:
            return 1.0
        return int.from_bytes(curve[12:14]) / 256 if count == 1 else None
    if curve[:4] == b"para" and curve[8:10] == b"\0\0" and len(curve) >= 16:
        return int.from_bytes(curve[12:16], signed=True) / 65536
    return None


def _point(value: bytes) -> Chromaticity | None:
    if value[:4] != b"XYZ " or len(value) < 20:
        return None
    x, y, z = struct.unpack_from(">3i", value, 8)
    return (x / (x + y + z), y / (x + y + z)) if y > 0 and x + y + z > 0 else None
