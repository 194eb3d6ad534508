"""Large pictures a few rows at a time, so that what is made on the way is small."""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

Part = tuple[int, int, int, int]
# Rows are taken together, about so many pixels at once.
_PIXELS_AT_ONCE = 2**18


def bands(size: tuple[int, int]) -> Iterator[Part]:
    """The picture's rows from top to bottom: left, top, right and bottom of each band."""
    width, height = size
    rows = max(1, _PIXELS_AT_ONCE // width)
    for top in range(0, height, rows):
        yield 0, top, width, min(top + rows, height)


def made(mode: str, size: tuple[int, int], pixels: Callable[[Part], np.ndarray]) -> Image.Image:
    """A picture of uint8 pixels that are asked for band by band."""
    image = Image.new(mode, size)
    for part in bands(size):
        image.paste(Image.fromarray(pixels(part)), part)
    return image


def rows_of(levels: np.ndarray, part: Part) -> np.ndarray:
    """A band of an array of rows."""
    return levels[part[1] : part[3]]


def digest(image: Image.Image) -> bytes:
    """The same for the same pixels, and for no others."""
    found = hashlib.sha256()
    for part in bands(image.size):
        found.update(image.crop(part).tobytes())
    return found.digest()


def instead(new: Image.Image, old: Image.Image) -> Image.Image:
    """The new picture; the pixels of the old one go at once, whoever still has it."""
    if new is not old:
        old.close()
    return new
