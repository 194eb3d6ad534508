"""Values over time as the points of an SVG: a true axis of days, and lines only between points that may be joined.
Pure; knows neither lesions nor models.

The picture is ``width`` × ``HEIGHT`` units; the plot lies inside its margins, larger values higher up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

HEIGHT = 190
LEFT, RIGHT, TOP, BOTTOM = 46, 18, 16, 30
WIDE, PHONE = 640, 340


@dataclass(frozen=True)
class Point:
    """A value on a day. ``group``: points of one group are joined; "": of none, drawn hollow and joined to nothing.
    ``said``: the point in words. ``off``: how far it may be off, as a bar."""

    on: date
    value: float
    said: str
    group: str = ""
    off: float = 0.0
    url: str = ""


@dataclass(frozen=True)
class Placed:
    point: Point
    x: float
    y: float
    shape: int
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """``lines``: "x,y x,y" with the place of their group; ``groups``: the names of those places."""

    points: list[Placed]
    lines: list[tuple[str, int]]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    groups: list[str] = field(default_factory=list)
    has_single: bool = False
    width: int = WIDE
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        return HEIGHT - BOTTOM


def figure(points: Sequence[Point], *, top: float | None = None, width: int = WIDE) -> Figure:
    """Lay out points; the values begin at 0 and end at ``top``, by default above the largest."""
    ordered = sorted(points, key=lambda point: point.on)
    groups = list(dict.fromkeys(point.group for point in ordered if point.group))
    first, last = _range(ordered)
    days = (last - first).days
    y_values = _steps(top if top is not None else max((one.value + one.off for one in ordered), default=1.0))

    def x(day: date) -> float:
        return round(LEFT + (day - first).days / days * (width - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        inside = min(max(value, 0.0), y_values[-1])
        return round(TOP + (1 - inside / y_values[-1]) * (HEIGHT - TOP - BOTTOM), 1)

    placed = [
        Placed(
            point, x(point.on), y(point.value), groups.index(point.group) % 4 + 1 if point.group else 0,
            y(point.value - point.off), y(point.value + point.off),
        )
        for point in ordered
    ]  # fmt: skip
    lines = []
    for place, group in enumerate(groups):
        joined = [f"{one.x},{one.y}" for one in placed if one.point.group == group]
        if len(joined) > 1:
            lines.append((" ".join(joined), place % 4 + 1))
    decimals = max(0, -math.floor(math.log10(y_values[1]) + 1e-9))
    y_ticks = [(y(value), f"{value:.{decimals}f}") for value in y_values]
    x_ticks = [(x(day), text) for day, text in _days(first, last, 6 if width >= WIDE else 3)]
    return Figure(placed, lines, x_ticks, y_ticks, groups, any(not one.group for one in ordered), width)


def _range(points: Sequence[Point]) -> tuple[date, date]:
    """The days of the axis: a little more than those of the points, a fortnight at least."""
    days = [point.on for point in points] or [date(2000, 1, 1)]
    first, last = min(days), max(days)
    room = max(7, (last - first).days // 20)
    return first - timedelta(days=room), last + timedelta(days=room)


def _steps(top: float) -> list[float]:
    """Two to six round values from 0 to at least ``top``."""
    top = max(top, 1e-3)
    power = 10 ** math.floor(math.log10(top / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if top / (factor * power) <= 5.001)
    return [round(n * step, 10) for n in range(math.ceil(top / step - 1e-9) + 1)]


def _days(first: date, last: date, most: int) -> list[tuple[date, str]]:
    """Ticks at the first of months or years where a few of them lie in the range, else at its ends."""
    for months in (1, 2, 3, 6, 12, 24, 60, 120):
        found = [day for day in _firsts(first, last) if (day.year * 12 + day.month - 1) % months == 0]
        if 2 <= len(found) <= most:
            return [(day, str(day.year) if months >= 12 else f"{day:%Y-%m}") for day in found]
    room = (last - first).days // 5
    return [(day, day.isoformat()) for day in (first + timedelta(days=room), last - timedelta(days=room))]


def _firsts(first: date, last: date) -> list[date]:
    """The first days of months in the range."""
    day, found = first.replace(day=1), []
    while day <= last:
        if day >= first:
            found.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return found
