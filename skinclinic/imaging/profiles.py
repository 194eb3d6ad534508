"""ICC profiles of colour spaces that cameras name without embedding a profile."""

import struct
from functools import lru_cache

import numpy as np

# Chromaticities (x, y) of red, green and blue; the white point of all is D65.
# Chromaticities (x, y) of red, green and blue.
Primaries = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

_D65 = np.array([0.3127, 0.3290])
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
    colourants = _colourants(primaries)
    tags = {
        b"desc": text,
        b"cprt": text,
        b"wtpt": _xyz(_D50),
        b"rXYZ": _xyz(colourants[:, 0]),
        b"gXYZ": _xyz(colourants[:, 1]),
        b"bXYZ": _xyz(colourants[:, 2]),
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


def _colourants(primaries: Primaries) -> np.ndarray:
    """XYZ of the three primaries as columns, adapted from D65 to the D50 of ICC profiles."""
    xyz = np.stack([_lift(np.array(point)) for point in primaries], axis=1)
    white = _lift(_D65)
    xyz = xyz * np.linalg.solve(xyz, white)
    gains = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.linalg.solve(_BRADFORD, gains @ _BRADFORD @ xyz)


def _lift(chromaticity: np.ndarray) -> np.ndarray:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(value: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *map(_fixed, value))


def _fixed(value: float) -> int:
    return round(float(value) * 65536)
