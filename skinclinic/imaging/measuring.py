"""Lengths that were marked on a photo, in mm, with how far the marking may be off. Pure.

A length of known mm on the same photo, a ruler or a round sticker, tells how many mm a pixel is. Both ends of both
lengths are marked by hand, each a pixel or two beside where it should be; what follows from that for the mm is told,
and no digit that it does not carry. What the lens bends and what is tilted away from the camera comes on top and is
not known.
"""

import math
from dataclasses import dataclass

# How far each end may be off, in pixels: of the photo, or of the screen it was marked on, whichever is more.
PER_END = 1.5
# A scale shorter than this is none: two pixels off would be a fifth of it.
SHORTEST_SCALE = 20.0
# A length that may be off by more than this share of itself says nothing.
MOST_UNSURE = 1 / 3

Points = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """A length on a photo from (x1, y1) to (x2, y2), in pixels as stored; ``off``: how far each end may be off."""

    points: Points
    off: float = PER_END

    @property
    def pixels(self) -> float:
        x1, y1, x2, y2 = self.points
        return math.hypot(x2 - x1, y2 - y1)

    @property
    def unsure(self) -> float:
        """As a share of the length, of both ends together: both off by as much, away from each other."""
        return 2 * self.off / max(self.pixels, 1e-9)


@dataclass(frozen=True)
class Length:
    """``mm`` may be off by ``off``."""

    mm: float
    off: float

    @property
    def decimals(self) -> int:
        """A tenth of a millimetre at most, and that only where it is carried."""
        return 1 if self.off < 0.5 else 0

    @property
    def mm_told(self) -> str:
        return f"{self.mm:.{self.decimals}f}"

    @property
    def off_told(self) -> str:
        """Rounded up: never less than it is."""
        step = 10**self.decimals
        return f"{math.ceil(self.off * step - 1e-9) / step:.{self.decimals}f}"


def in_mm(line: Line, scale: Line, scale_mm: float) -> Length | None:
    """A marked length by a marked scale of known mm; None where it would be too unsure to say anything."""
    unsure = math.hypot(line.unsure, scale.unsure)
    if scale.pixels < SHORTEST_SCALE or unsure > MOST_UNSURE:
        return None
    mm = line.pixels / scale.pixels * scale_mm
    return Length(mm, mm * unsure)
