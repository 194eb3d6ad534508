"""What a TIFF without a colour profile says of its colours (TIFF 6.0, section 20): white, primaries and curve."""

import struct

import numpy as np

from . import profiles
from .profiles import Chromaticity, Primaries
from .spaces import PLAIN, Space
from .tiff_directory import Directory

TAGS = (_CURVE, _WHITE, _PRIMARIES) = (301, 318, 319)
_STEPS, _MOST = 256, 65535
# By how much of white a table may differ from the curve that it is taken for.
_SAME_LIGHT = 0.003


def space_of(directory: Directory) -> tuple[Space | None, bool]:
    """(the space that is named, whether something there could not be read)."""
    named = [tag for tag in TAGS if tag in directory.entries]
    if not named:
        return None, False
    points = _points(directory)
    exponent, is_read = _exponent(directory)
    if points is None or not is_read:
        return None, True
    space = Space(*points, exponent=exponent)
    return (None if space == PLAIN else space), False


def _points(directory: Directory) -> tuple[Primaries, Chromaticity] | None:
    white, points = _rationals(directory, _WHITE, 2), _rationals(directory, _PRIMARIES, 6)
    if white is None or points is None:
        return None
    red, green, blue = (tuple(points[at : at + 2]) for at in (0, 2, 4)) if points else profiles.SRGB
    primaries: Primaries = ((red[0], red[1]), (green[0], green[1]), (blue[0], blue[1]))
    at = (white[0], white[1]) if white else profiles.D65
    try:
        columns = profiles.colourants(primaries, at)
    except (ValueError, np.linalg.LinAlgError):
        return None
    usable = np.isfinite(columns).all() and min(profiles.luminances(primaries, at)) > 0.001
    return (primaries, at) if usable and np.linalg.cond(columns) < 1000 else None


def _rationals(directory: Directory, tag: int, count: int) -> list[float] | None:
    """The fractions of a tag; none if it is not there, None if they cannot be read."""
    if tag not in directory.entries:
        return []
    kind, number, value = directory.entries[tag]
    if kind != 5 or number != count:
        return None
    parts = struct.unpack(f"{directory.order}{2 * count}I", value)
    if not all(parts[1::2]):
        return None
    return [over / under for over, under in zip(parts[::2], parts[1::2], strict=True)]


def _exponent(directory: Directory) -> tuple[float | None, bool]:
    """(the exponent of the curve, None for that of sRGB; whether it could be read)."""
    if _CURVE not in directory.entries:
        return None, True
    table = np.array(directory.numbers(_CURVE), float) / _MOST
    if len(table) not in (_STEPS, 3 * _STEPS):
        return None, False
    levels = np.arange(_STEPS) / (_STEPS - 1)
    curves = table.reshape(-1, _STEPS)
    if np.abs(curves - PLAIN.light(8)).max() <= _SAME_LIGHT:
        return None, True
    middle = max(float(curves[0][_STEPS // 2]), 1e-6)
    exponent = float(np.log(middle) / np.log(levels[_STEPS // 2]))
    fits = 0.1 <= exponent <= 10 and np.abs(curves - levels**exponent).max() <= _SAME_LIGHT
    return (exponent, True) if fits else (None, False)
