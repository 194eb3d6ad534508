"""What a PNG says of its colours, in the order of precedence of the standard (PNG, 3rd edition, 13.14)."""

from collections.abc import Mapping

import numpy as np

from . import profiles, spaces
from .profiles import Chromaticity, Primaries
from .spaces import Space

CHUNKS = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
# What a PNG in sRGB gives as its nearest exponent for programs that know no sRGB.
_GAMMA_OF_SRGB = 0.45455
_NEAR = 0.05
_NEAR_POINT = 0.002


def space_of(chunks: Mapping[bytes, bytes]) -> tuple[Space | None, bool]:
    """(the space that the first bodies of `CHUNKS` name, whether something there could not be read).

    None for colours by ICC profile, or without any word on them.
    """
    unread = False
    # Two code points of 2 say nothing, and leave it to what is said beside them.
    if (cicp := chunks.get(b"cICP")) and cicp[:2] != b"\2\2":
        # The third code point is the matrix, which is 0 in every PNG.
        if (
            len(cicp) == 4
            and cicp[2] == 0
            and (space := spaces.by_code(cicp[0], cicp[1], is_narrow=cicp[3] == 0))
        ):
            return space, False
        unread = True
    if b"iCCP" in chunks:
        return None, unread
    if b"sRGB" in chunks:
        return spaces.PLAIN, unread
    exponent, points = _exponent(chunks.get(b"gAMA")), _points(chunks.get(b"cHRM"))
    if not exponent and not points:
        return None, unread or b"gAMA" in chunks or b"cHRM" in chunks
    primaries, white = points or (profiles.SRGB, profiles.D65)
    if exponent and _is_srgbs_own(exponent, primaries, white):
        return spaces.PLAIN, unread
    return Space(primaries, white, exponent=1 / exponent if exponent else None), unread


def _exponent(body: bytes | None) -> float | None:
    if not body or len(body) != 4:
        return None
    exponent = int.from_bytes(body) / 100_000
    return exponent if 0.1 <= exponent <= 10 else None


def _points(body: bytes | None) -> tuple[Primaries, Chromaticity] | None:
    if not body or len(body) != 32:
        return None
    values = np.frombuffer(body, ">u4") / 100_000
    white, red, green, blue = ((float(x), float(y)) for x, y in values.reshape(4, 2))
    primaries = (red, green, blue)
    try:
        columns = profiles.colourants(primaries, white)
    except (ValueError, np.linalg.LinAlgError):
        return None
    # Points on one line, or a white outside their triangle, span no colours.
    usable = np.isfinite(columns).all() and min(profiles.luminances(primaries, white)) > 0.001
    return (primaries, white) if usable and np.linalg.cond(columns) < 1000 else None


def _is_srgbs_own(exponent: float, primaries: Primaries, white: Chromaticity) -> bool:
    """Whether these are the numbers by which a PNG in sRGB describes itself to older programs."""
    distance = np.abs(np.subtract((*primaries, white), (*profiles.SRGB, profiles.D65))).max()
    return abs(exponent / _GAMMA_OF_SRGB - 1) < _NEAR and bool(distance < _NEAR_POINT)
