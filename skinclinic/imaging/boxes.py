"""Square crop boxes in pixels of the stored, upright photo."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .refusals import BoxRejected

SMALLEST_BOX = 32


@dataclass(frozen=True)
class Box:
    """Left edge, top edge and side of a square, in whole pixels."""

    x: int
    y: int
    size: int


# What ``check_box`` takes; it may come from a form or a file and hold anything.
BoxLike = Box | Mapping[str, object] | Iterable[object]


def largest_centred_square(width: int, height: int) -> Box:
    """The largest square in the middle of a photo of `width` × `height` pixels."""
    size = min(width, height)
    return Box((width - size) // 2, (height - size) // 2, size)


def check_box(box_like: BoxLike, width: int, height: int) -> Box:
    """The box as whole pixels if it fits a photo of `width` × `height` pixels.

    `box_like` is a Box, a sequence (x, y, size) or (x, y, width, height), or a mapping with x, y and either
    size or width and height; numbers may be strings and are rounded. Raises BoxRejected: not numbers, empty,
    not square, smaller than 32 pixels, or not wholly inside the photo.
    """
    x, y, box_width, box_height = (_whole(value) for value in _four(box_like))
    if box_width <= 0 or box_height <= 0:
        raise BoxRejected("box_empty")
    if box_width != box_height:
        raise BoxRejected("box_not_square", width=box_width, height=box_height)
    if x < 0 or y < 0 or x + box_width > width or y + box_height > height:
        raise BoxRejected("box_outside", photo_width=width, photo_height=height)
    if box_width < SMALLEST_BOX:
        raise BoxRejected("box_too_small", size=box_width, minimum=SMALLEST_BOX)
    return Box(x, y, box_width)


def crop(image: Image.Image, box: Box) -> Image.Image:
    """The square of the upright photo inside a checked box."""
    return image.crop((box.x, box.y, box.x + box.size, box.y + box.size))


def _four(box_like: BoxLike) -> tuple[object, object, object, object]:
    if isinstance(box_like, Box):
        return box_like.x, box_like.y, box_like.size, box_like.size
    try:
        if isinstance(box_like, Mapping):
            sides = [box_like[name] for name in ("size", "width", "height") if box_like.get(name) is not None]
            return box_like["x"], box_like["y"], sides[0], sides[-1]
        x, y, *sides = box_like
        if isinstance(box_like, str | bytes) or not 1 <= len(sides) <= 2:
            raise BoxRejected("box_not_numbers")
        return x, y, sides[0], sides[-1]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BoxRejected("box_not_numbers") from error


def _whole(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BoxRejected("box_not_numbers") from error
    if isinstance(value, bool) or not math.isfinite(number):
        raise BoxRejected("box_not_numbers")
    return round(number)
