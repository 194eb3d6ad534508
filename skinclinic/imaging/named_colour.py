"""Pixels of a named colour space (`spaces`) to sRGB: bit depth kept until the end, HDR brought into range."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from PIL import Image

from .bands import bands
from .spaces import Space

_STEPS = 2**16 - 1
# Two levels of 255 cannot be seen.
_SAME_LEVELS = 2
# Light up to here is left as it is and what is brighter shares the rest: highlights run out without an edge, and the
# reference white itself moves by less than five of 255 levels.
_KNEE = 0.94


def convert(image: Image.Image, low: Image.Image | None, space: Space) -> Image.Image:
    """The RGB image in sRGB, changed in place.

    `low` holds the lower bytes where `image` has only the upper ones of 16 bits; it may be grey or have alpha.
    """
    levels, matrix = space.light(16 if low else 8), space.to_srgb()
    brightest = 1.0
    if space.is_hdr:
        brightest = max(float(light.max()) for _top, light in _strips(image, low, levels, matrix, space))
    for top, light in _strips(image, low, levels, matrix, space):
        if brightest > 1:
            light = _into_range(light, brightest)
        steps = (light.clip(0, 1) * _STEPS + 0.5).astype(np.uint16)
        image.paste(Image.fromarray(_encoding()[steps]), (0, top))
    return image


@lru_cache(maxsize=8)
def is_like_srgb(space: Space) -> bool:
    """Whether a space leaves a lattice of colours where sRGB has them."""
    if space.is_hdr:
        return False
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(convert(Image.fromarray(lattice), None, space)).astype(int)
    return int(np.abs(moved - lattice).max()) <= _SAME_LEVELS


def _strips(
    image: Image.Image, low: Image.Image | None, levels: np.ndarray, matrix: np.ndarray, space: Space
) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, float32[rows, width, 3] of linear sRGB light), from top to bottom."""
    for part in bands(image.size):
        codes = np.asarray(image.crop(part))
        if low:
            codes = codes.astype(np.uint16) << 8 | np.asarray(low.crop(part).convert("RGB"))
        yield part[1], space.shown(levels[codes]) @ matrix.T


def _into_range(light: np.ndarray, brightest: float) -> np.ndarray:
    """Light whose brightest is 1 (extended Reinhard above the knee); the hue of each pixel stays."""
    most = light.max(axis=-1, keepdims=True)
    over = np.maximum(most - _KNEE, 0) / (1 - _KNEE)
    whitest = (brightest - _KNEE) / (1 - _KNEE)
    pressed = _KNEE + (1 - _KNEE) * over * (1 + over / whitest**2) / (1 + over)
    return np.asarray(np.where(most > _KNEE, light * (pressed / np.maximum(most, _KNEE)), light), np.float32)


@lru_cache(maxsize=1)
def _encoding() -> np.ndarray:
    """uint8[65536]: the level of sRGB for light from 0 to 1."""
    light = np.linspace(0, 1, _STEPS + 1)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray((255 * level).round(), np.uint8)
