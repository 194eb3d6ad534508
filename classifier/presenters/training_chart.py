"""Curves of a training as the points of an SVG. Pure.

The picture is ``WIDTH`` × ``HEIGHT`` units; the plot lies inside its margins, larger values higher up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 36, 18, 10, 30
COLOURS = 6
LABEL_APART = 9


@dataclass(frozen=True)
class Series:
    """One line: values of (epoch, value); ``number`` of its run, which chooses the colour."""

    number: int
    values: Sequence[tuple[float, float]]
    is_dashed: bool = False


@dataclass(frozen=True)
class Line:
    points: str
    last: tuple[float, float]
    number: int
    colour: int
    is_dashed: bool
    label_y: float = 0.0


@dataclass(frozen=True)
class Chart:
    """What the template draws: lines, and ticks of (place, text) along each axis."""

    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def chart(
    series: Sequence[Series], epochs: int, low: float | None = None, high: float | None = None
) -> Chart:
    """Lay out lines over epochs 1 to ``epochs``; the range follows the values where it is not given."""
    values = [value for one in series for _epoch, value in one.values]
    ticks = _ticks(
        min(values, default=0.0) if low is None else low, max(values, default=1.0) if high is None else high
    )
    bottom, top = ticks[0], ticks[-1]

    def x(epoch: float) -> float:
        span = max(epochs - 1, 1)
        return round(LEFT + (epoch - 1) / span * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        inside = min(max(value, bottom), top)
        return round(TOP + (top - inside) / (top - bottom) * (HEIGHT - TOP - BOTTOM), 1)

    lines = []
    for one in series:
        places = [(x(epoch), y(value)) for epoch, value in one.values]
        if places:
            points = " ".join(f"{left},{up}" for left, up in places)
            colour = (one.number - 1) % COLOURS + 1
            lines.append(Line(points, places[-1], one.number, colour, one.is_dashed))
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    step = max(1, math.ceil(epochs / 6))
    marks = [1, *(n for n in range(step, epochs + 1, step) if n > 1)]
    return Chart(
        _labelled(lines),
        [(x(epoch), str(epoch)) for epoch in marks],
        [(y(value), f"{value:.{decimals}f}") for value in ticks],
    )


def _labelled(lines: list[Line]) -> list[Line]:
    """Give each line's number a place beside its end, apart from the others'."""
    places: dict[int, float] = {}
    free = -math.inf
    for n in sorted(range(len(lines)), key=lambda n: lines[n].last[1]):
        if not lines[n].is_dashed:
            places[n] = free = max(lines[n].last[1], free + LABEL_APART)
    over = max(0.0, free - (HEIGHT - BOTTOM))
    return [replace(line, label_y=round(places.get(n, 0.0) - over, 1)) for n, line in enumerate(lines)]


def _ticks(low: float, high: float) -> list[float]:
    """Two to seven round values from at most ``low`` to at least ``high``."""
    span = max(high - low, 1e-3)
    power = 10 ** math.floor(math.log10(span / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= 5.001)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]
