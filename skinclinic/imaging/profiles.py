"""ICC profiles of colour spaces that cameras name without embedding a profile."""

import struct
from functools import lru_cache

import numpy as np

Chromaticity = tuple[float, float]
# Chromaticities (x, y) of red, green and blue; the white point of those named here is D65.
Primaries = tuple[Chromaticity, Chromaticity, Chromaticity]
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

D65 = (0.3127, 0.3290)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_ADOBE_GAMMA = 563 / 256


@lru_cache(maxsize=8)
def matrix_profile(primaries: Primaries, gamma: float | None = None) -> bytes:
    """A display profile (ICC.1:2010, version 4.3) of three primaries and one tone curve.

    `primaries` are three (x, y) chromaticities; `gamma` is a power, or None for the curve of sRGB.
    """
    if gamma is None:
        srgb = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para" + struct.pack(">IHH5i", 0, 3, 0, *map(_fixed, srgb))
    else:
        curve = b"para" + struct.pack(">IHHi", 0, 0, 0, _fixed(gamma))
    text = "RGB".encode("utf-16-be")
    text = b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(text), 28) + text + b"\0\0"
    columns = colourants(primaries)
    tags = {
        b"desc": text,
        b"cprt": text,
        b"wtpt": _xyz(_D50),
        b"rXYZ": _xyz(columns[:, 0]),
        b"gXYZ": _xyz(columns[:, 1]),
        b"bXYZ": _xyz(columns[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(value))
        body += value
    size, version = 128 + len(table) + len(body), 0x04300000
    header = struct.pack(">I4xI4s4s4s12x4s", size, version, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return header.ljust(68, b"\0") + _xyz(_D50)[8:] + bytes(48) + table + body


def adobe_rgb_profile() -> bytes:
    """Adobe RGB (1998), which many cameras only name in EXIF."""
    return matrix_profile(ADOBE_RGB, _ADOBE_GAMMA)


def colourants(primaries: Primaries, white: Chromaticity = D65) -> np.ndarray:
    """XYZ of the three primaries as columns, adapted from their white to the D50 of ICC profiles.

    Raises ValueError or numpy.linalg.LinAlgError for points that span no colours.
    """
    gains = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ _lift(white)))
    return np.asarray(np.linalg.solve(_BRADFORD, gains @ _BRADFORD @ _unadapted(primaries, white)))


def luminances(primaries: Primaries, white: Chromaticity = D65) -> np.ndarray:
    """How much each primary adds to the luminance of white."""
    return np.asarray(_unadapted(primaries, white)[1])


def _unadapted(primaries: Primaries, white: Chromaticity) -> np.ndarray:
    xyz = np.stack([_lift(point) for point in primaries], axis=1)
    return np.asarray(xyz * np.linalg.solve(xyz, _lift(white)))


def _lift(chromaticity: Chromaticity) -> np.ndarray:
    x, y = chromaticity
    if y <= 0:
        raise ValueError("a chromaticity without luminance")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(value: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *map(_fixed, value))


def _fixed(value: float) -> int:
    return round(float(value) * 65536)
