"""A drawing of a few kinds of marks in named colours. Pure; nothing here knows Django.

``svg``, ``pdf`` and ``eps`` write the same drawing, ``pixels`` turns its PDF into pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from classifier.plots.letters import text_width

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
DASHES = {"": (), "dashed": (6, 4), "dotted": (1.5, 2.5), "dash-dotted": (8, 3, 1.5, 3)}
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
        return 1.6 if self.hollow else 0.8

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

    @property
    def start(self) -> float:
        """Where it begins, seen from its place along its line."""
        return -{"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * text_width(self.text, self.size)

    @property
    def rim(self) -> float:
        """How thick a rim makes it bold."""
        return 0.028 * self.size if self.bold else 0.0


Mark = Line | Box | Dot | Shape | Text


@dataclass
class Drawing:
    """Marks on ``width`` × ``height``, painted in their order; ``title`` says what it shows.

    ``origin``: what it belongs to (a study), ``made``: when its numbers were computed; both for a file's own record.
    """

    width: float
    height: float
    title: str
    marks: list[Mark] = field(default_factory=list)
    origin: str = ""
    made: datetime | None = None

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

    def place(self, other: "Drawing", left: float, top: float) -> None:
        """Put the marks of another drawing here, its upper left corner at (left, top)."""
        self.marks += [moved(mark, left, top) for mark in other.marks]


def moved(mark: Mark, right: float, down: float) -> Mark:
    if isinstance(mark, Line):
        points = tuple((x + right, y + down) for x, y in mark.points)
        return Line(points, mark.colour, mark.width, mark.dash)
    # As dataclasses.replace does it, in a third of the time: a study's figures have a hundred thousand marks.
    return type(mark)(**{**vars(mark), "x": mark.x + right, "y": mark.y + down})
