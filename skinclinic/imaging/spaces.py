"""Colour spaces that a file names instead of describing: by the code points of ITU-T H.273 or by numbers.

What HEIC, AVIF and PNG call CICP is three code points: primaries, transfer (the curve), matrix.
"""

from dataclasses import dataclass

import numpy as np

from .profiles import BT2020, D65, DISPLAY_P3, SRGB, Chromaticity, Primaries, colourants, luminances

# Diffuse white of an HDR picture in cd/m² (ITU-R BT.2408): what becomes the white of sRGB.
_REFERENCE_WHITE = 203.0
_PQ, _HLG = 16, 18
# Display-referred HLG on the display that the standard has in mind (ITU-R BT.2100): cd/m², exponent.
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_FILM_WHITE = (0.310, 0.316)
_DCI_WHITE = (0.314, 0.351)

_PRIMARIES: dict[int, tuple[Primaries, Chromaticity]] = {
    1: (SRGB, D65),
    2: (SRGB, D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _FILM_WHITE),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),
    6: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    7: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), _FILM_WHITE),
    9: (BT2020, D65),
    11: (DISPLAY_P3, _DCI_WHITE),
    12: (DISPLAY_P3, D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), D65),
}
# Exponents. Those of video (1, 6, 7, 11, 12, 14, 15) are made for displays as dark rooms have them; a still picture
# marked so was made to look right with the curve of sRGB, and every browser shows it with that. 2 says nothing.
_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_LIKE_SRGB = {1, 2, 6, 7, 11, 12, 13, 14, 15}


@dataclass(frozen=True)
class Space:
    """Where the colours of a picture lie. `exponent` is that of a plain power curve; without one `transfer` is the
    code point of the curve. `is_narrow`: black and white are not at the ends of the range, as in video."""

    primaries: Primaries = SRGB
    white: Chromaticity = D65
    transfer: int = 13
    exponent: float | None = None
    is_narrow: bool = False

    @property
    def is_hdr(self) -> bool:
        """Whether the picture may be brighter than the white of paper."""
        return self.exponent is None and self.transfer in (_PQ, _HLG)

    def light(self, bits: int) -> np.ndarray:
        """float32[2 ** bits]: the light of each level of one channel; 1 is white, of HDR the reference white."""
        level = np.arange(2**bits, dtype=np.float64)
        if self.is_narrow:
            step = 2.0 ** (bits - 8)
            level = ((level - 16 * step) / (219 * step)).clip(0, 1)
        else:
            level /= 2**bits - 1
        return _light(level, self.transfer, self.exponent).astype(np.float32)

    def to_srgb(self) -> np.ndarray:
        """float32[3,3]: linear light of this space to that of sRGB, white to white."""
        matrix = np.linalg.solve(colourants(SRGB), colourants(self.primaries, self.white))
        return np.asarray(matrix, np.float32)

    def shown(self, light: np.ndarray) -> np.ndarray:
        """Light[…,3] as a display gives it: HLG leaves the last step to the display."""
        if self.exponent is not None or self.transfer != _HLG:
            return light
        scene = light @ luminances(self.primaries, self.white).astype(np.float32)
        gain = scene ** np.float32(_HLG_GAMMA - 1) * np.float32(_HLG_PEAK / _REFERENCE_WHITE)
        return np.asarray(light * gain[..., None], np.float32)


PLAIN = Space()


def by_code(primaries: int, transfer: int, *, is_narrow: bool = False) -> Space | None:
    """The space of two code points, or None for one that is not known here."""
    if primaries not in _PRIMARIES or not (
        transfer in _LIKE_SRGB or transfer in _EXPONENTS or transfer in (_PQ, _HLG)
    ):
        return None
    points, white = _PRIMARIES[primaries]
    return Space(
        points,
        white,
        13 if transfer in _LIKE_SRGB else transfer,
        exponent=_EXPONENTS.get(transfer),
        is_narrow=is_narrow,
    )


def _light(level: np.ndarray, transfer: int, exponent: float | None) -> np.ndarray:
    if exponent is not None:
        return np.asarray(level**exponent)
    if transfer == _PQ:
        return _pq(level) / _REFERENCE_WHITE
    if transfer == _HLG:
        return _hlg(level)
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def _pq(level: np.ndarray) -> np.ndarray:
    """cd/m² (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = level ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg(level: np.ndarray) -> np.ndarray:
    """Light of the scene, 0 to 1 (ITU-R BT.2100)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
