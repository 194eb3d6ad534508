"""A drawing of a few kinds of marks in named colours, written as SVG. Pure; nothing here knows Django.

``pdf.to_pdf`` writes the same drawing as PDF, ``png.to_png`` turns that into pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

# Okabe and Ito's colours in the order in which series take them; black comes as ink.
SERIES = ("blue", "vermillion", "green", "orange", "purple", "sky")
COLOURS = {
    "ink": "#192023",
    "muted": "#536166",
    "grid": "#dfe4e5",
    "surface": "#ffffff",
    "blue": "#0072b2",
    "vermillion": "#d55e00",
    "green": "#009e73",
    "orange": "#e69f00",
    "purple": "#cc79a7",
    "sky": "#56b4e9",
    "grey": "#8a9599",
}
DASHES = {"": (), "dashed": (6, 4), "dotted": (2, 3)}
CIRCLE, SQUARE, TRIANGLE, DIAMOND, STAR = "circle", "square", "triangle", "diamond", "star"
# Corners on a circle of radius 1, y downwards; the factors make the areas look alike.
_STAR = tuple(
    (radius * math.sin(turn * math.pi / 5), -radius * math.cos(turn * math.pi / 5))
    for turn in range(10)
    for radius in ((1.45, 0.6)[turn % 2],)
)
CORNERS = {
    SQUARE: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    TRIANGLE: ((0.0, -1.25), (1.1, 0.8), (-1.1, 0.8)),
    DIAMOND: ((0.0, -1.3), (1.15, 0.0), (0.0, 1.3), (-1.15, 0.0)),
    STAR: _STAR,
}


def series_colour(place: int) -> str:
    """The colour of the series in this place."""
    return SERIES[place % len(SERIES)]


@dataclass(frozen=True)
class Line:
    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.5
    dash: str = ""


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True)
class Shape:
    """A point told by its shape as well: filled with a light rim, or ``hollow`` with a rim of its colour that
    lets through what is below."""

    x: float
    y: float
    radius: float
    colour: str
    shape: str = CIRCLE
    hollow: bool = False

    @property
    def rim(self) -> str:
        return self.colour if self.hollow else "surface"

    @property
    def rim_width(self) -> float:
        return 2.0 if self.hollow else 1.0

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Where its corners lie; of a circle there are none."""
        return [(self.x + dx * self.radius, self.y + dy * self.radius) for dx, dy in CORNERS[self.shape]]


@dataclass(frozen=True)
class Text:
    """``anchor``: start, middle or end. ``turned``: read upwards."""

    x: float
    y: float
    text: str
    colour: str = "ink"
    size: float = 12.0
    anchor: str = "start"
    bold: bool = False
    turned: bool = False


Mark = Line | Box | Dot | Shape | Text


@dataclass
class Drawing:
    """Marks on ``width`` × ``height``, painted in their order; ``title`` says what it shows."""

    width: float
    height: float
    title: str
    marks: list[Mark] = field(default_factory=list)

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, width: float = 1.5, dash: str = ""
    ) -> None:
        self.marks.append(Line(tuple(points), colour, width, dash))

    def box(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        self.marks.append(Box(x, y, width, height, colour, opacity))

    def dot(self, x: float, y: float, colour: str, radius: float = 3.5) -> None:
        self.marks.append(Dot(x, y, radius, colour))

    def shape(
        self,
        x: float,
        y: float,
        colour: str,
        shape: str = CIRCLE,
        radius: float = 4.5,
        *,
        hollow: bool = False,
    ) -> None:
        self.marks.append(Shape(x, y, radius, colour, shape, hollow))

    def text(self, x: float, y: float, text: str, **how: Any) -> None:
        self.marks.append(Text(x, y, text, **how))


def text_width(text: str, size: float) -> float:
    """About how wide a text is; Korean and other wide characters take a whole square."""
    return size * sum(1.0 if ord(character) > 0x1100 else 0.55 for character in text)


def to_svg(drawing: Drawing, *, alone: bool = False) -> str:
    """SVG. In a page colours are classes (``fig-blue``, ``fig-line-blue``); ``alone`` they are in the file."""
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    if alone:
        size += f' width="{drawing.width:g}" height="{drawing.height:g}" font-family="Pretendard, sans-serif"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" role="img" {size}>',
        f"<title>{escape(drawing.title)}</title>",
    ]
    if alone:
        parts.append(f'<rect width="100%" height="100%" fill="{COLOURS["surface"]}"/>')
    parts += [_mark(mark, alone) for mark in drawing.marks]
    return "".join([*parts, "</svg>"])


def _fill(colour: str, alone: bool) -> str:
    return f'fill="{COLOURS[colour]}"' if alone else f'class="fig-{colour}"'


def _mark(mark: Mark, alone: bool) -> str:
    if isinstance(mark, Line):
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.points)
        colour = f'stroke="{COLOURS[mark.colour]}"' if alone else f'class="fig-line-{mark.colour}"'
        dash = f' stroke-dasharray="{" ".join(map(str, DASHES[mark.dash]))}"' if mark.dash else ""
        return f'<polyline points="{points}" fill="none" {colour} stroke-width="{mark.width:g}"{dash}/>'
    if isinstance(mark, Box):
        opacity = "" if mark.opacity == 1 else f' fill-opacity="{mark.opacity:.3f}"'
        place = f'x="{mark.x:.2f}" y="{mark.y:.2f}" width="{mark.width:.2f}" height="{mark.height:.2f}"'
        return f"<rect {place} {_fill(mark.colour, alone)}{opacity}/>"
    if isinstance(mark, Dot):
        return (
            f'<circle cx="{mark.x:.2f}" cy="{mark.y:.2f}" r="{mark.radius:g}" {_fill(mark.colour, alone)}/>'
        )
    if isinstance(mark, Shape):
        return _shape(mark, alone)
    turn = f' transform="rotate(-90 {mark.x:.2f} {mark.y:.2f})"' if mark.turned else ""
    weight = ' font-weight="600"' if mark.bold else ""
    how = f'font-size="{mark.size:g}" text-anchor={quoteattr(mark.anchor)}{weight}{turn}'
    return f'<text x="{mark.x:.2f}" y="{mark.y:.2f}" {_fill(mark.colour, alone)} {how}>{escape(mark.text)}</text>'


def _shape(mark: Shape, alone: bool) -> str:
    fill = 'fill="none"' if mark.hollow else _fill(mark.colour, alone)
    if alone:
        how = f'{fill} stroke="{COLOURS[mark.rim]}"'
    elif mark.hollow:
        how = f'{fill} class="fig-line-{mark.rim}"'
    else:
        how = f'class="fig-{mark.colour} fig-line-{mark.rim}"'
    how += f' stroke-width="{mark.rim_width:g}"'
    if mark.shape == CIRCLE:
        return f'<circle cx="{mark.x:.2f}" cy="{mark.y:.2f}" r="{mark.radius:g}" {how}/>'
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.corners)
    return f'<polygon points="{points}" stroke-linejoin="round" {how}/>'
