"""Covers over what must not be seen of a photo: faces, eyes, tattoos.

A cover is one flat grey, never a blur or a mosaic: those keep a function of what was there, from which eyes and letters
have been computed back, and they look like skin to a network. Of the pixels under a flat colour nothing is kept.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from PIL import ImageDraw
from PIL.JpegImagePlugin import get_sampling

from .boxes import Box
from .raster import encode_jpeg, open_rgb, thumbnail
from .refusals import CoverRejected

SMALLEST_COVER = 8
MOST_COVERS = 40
BOX, ELLIPSE = "box", "ellipse"
# No skin, and the same in every theme.
GREY = (128, 128, 128)
_SIDES = ("x", "y", "width", "height")
_SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class Cover:
    """A box, or the ellipse within it, in whole pixels of the stored, upright photo."""

    x: int
    y: int
    width: int
    height: int
    shape: str = BOX

    def touches(self, box: Box) -> bool:
        """Whether it hides anything of the square; an ellipse counts as the box around it."""
        return (
            self.x < box.x + box.size
            and box.x < self.x + self.width
            and self.y < box.y + box.size
            and box.y < self.y + self.height
        )

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def check_covers(sent: object, width: int, height: int) -> list[Cover]:
    """The areas as whole pixels if each lies inside a photo of `width` × `height` pixels.

    `sent` may hold anything; an area is a mapping with x, y, width, height and, where it is no box, a shape. Numbers
    may be strings and are rounded. Raises CoverRejected, which names the area by its number.
    """
    areas = list(sent) if isinstance(sent, Iterable) and not isinstance(sent, str | bytes | Mapping) else []
    if not areas:
        raise CoverRejected("covers_none")
    if len(areas) > MOST_COVERS:
        raise CoverRejected("covers_too_many", n=len(areas), most=MOST_COVERS)
    return [_checked(n, area, width, height) for n, area in enumerate(areas, start=1)]


def covered(jpeg_bytes: bytes, covers: Iterable[Cover]) -> tuple[bytes, bytes]:
    """(the photo with the covers burnt in, its thumbnail), written anew. For bytes that `accept` wrote; others raise
    OSError. The rest of the photo is encoded once more, as finely as it was."""
    image = open_rgb(jpeg_bytes)
    sampling = _SAMPLINGS.get(get_sampling(image), "4:4:4")
    pen = ImageDraw.Draw(image)
    for one in covers:
        draw = pen.ellipse if one.shape == ELLIPSE else pen.rectangle
        draw((one.x, one.y, one.x + one.width - 1, one.y + one.height - 1), fill=GREY)
    return encode_jpeg(image, subsampling=sampling), thumbnail(image)


def _checked(n: int, area: object, width: int, height: int) -> Cover:
    if not isinstance(area, Mapping):
        raise CoverRejected("cover_not_numbers", n=n)
    x, y, across, down = (_whole(n, area.get(name)) for name in _SIDES)
    shape = area.get("shape") or BOX
    if shape not in (BOX, ELLIPSE):
        raise CoverRejected("cover_shape", n=n)
    if min(across, down) < SMALLEST_COVER:
        raise CoverRejected("cover_too_small", n=n, width=across, height=down, minimum=SMALLEST_COVER)
    if x < 0 or y < 0 or x + across > width or y + down > height:
        raise CoverRejected("cover_outside", n=n, photo_width=width, photo_height=height)
    return Cover(x, y, across, down, str(shape))


def _whole(n: int, value: object) -> int:
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
        if isinstance(value, bool) or not math.isfinite(number) or abs(number) > 10**7:
            raise ValueError
        return round(number)
    except (TypeError, ValueError, OverflowError):
        raise CoverRejected("cover_not_numbers", n=n) from None
