"""A plot area with its scales, ticks and labels on a drawing. Pure."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from classifier.plots.canvas import Drawing
from classifier.plots.frame import number

LEFT, RIGHT, TOP, BOTTOM = 58, 16, 16, 46
LOG_FLOOR = 1e-5


class Axes:
    """Places values of ``x`` and ``y`` ranges on the drawing. ``log``: the x axis is logarithmic."""

    def __init__(
        self,
        drawing: Drawing,
        *,
        x: tuple[float, float] = (0.0, 1.0),
        y: tuple[float, float] = (0.0, 1.0),
        log: bool = False,
        left: float = LEFT,
        top: float = TOP,
        right: float = RIGHT,
        bottom: float = BOTTOM,
        width: float | None = None,
        height: float | None = None,
    ):
        self.drawing, self.x_range, self.y_range, self.log = drawing, x, y, log
        self.left, self.top = left, top
        self.width = drawing.width - left - right if width is None else width
        self.height = drawing.height - top - bottom if height is None else height

    @property
    def foot(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """The place of a value; what lies outside is put on the edge."""
        low, high = self.x_range
        if self.log:
            low, high = math.log10(low), math.log10(high)
            value = math.log10(max(value, self.x_range[0]))
        share = (value - low) / (high - low)
        return self.left + self.width * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        low, high = self.y_range
        share = (value - low) / (high - low)
        return self.foot - self.height * min(max(share, 0.0), 1.0)

    def frame(
        self,
        x_label: str,
        y_label: str,
        x_ticks: Sequence[float],
        y_ticks: Sequence[float],
        *,
        x_text: Callable[[float], str] = number,
        y_text: Callable[[float], str] = number,
        x_label_below: float | None = None,
    ) -> None:
        """Grid, ticks and labels. ``x_label_below``: how far below the plot area the label of the x axis stands;
        else at the lower edge of the drawing."""
        pen = self.drawing
        for tick in x_ticks:
            at = self.x(tick)
            pen.line([(at, self.top), (at, self.foot)], "grid", 1)
            pen.text(at, self.foot + 16, x_text(tick), colour="muted", size=11, anchor="middle")
        for tick in y_ticks:
            at = self.y(tick)
            pen.line([(self.left, at), (self.left + self.width, at)], "grid", 1)
            if y_text(tick):
                pen.text(self.left - 6, at + 4, y_text(tick), colour="muted", size=11, anchor="end")
        pen.line(
            [(self.left, self.top), (self.left, self.foot), (self.left + self.width, self.foot)], "muted", 1
        )
        base = self.drawing.height - 8 if x_label_below is None else self.foot + x_label_below
        pen.text(self.left + self.width / 2, base, x_label, size=12, anchor="middle")
        if y_label:
            at = max(14.0, self.left - 42)
            pen.text(at, self.top + self.height / 2, y_label, size=12, anchor="middle", turned=True)

    def places(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        if self.log:
            return [(self.x(x), self.y(y)) for x, y in points]
        # As x and y do it, without a call for each of a curve's many points.
        (left, right), (low, high) = self.x_range, self.y_range
        across, up = right - left, high - low
        return [
            (
                self.left + self.width * min(max((x - left) / across, 0.0), 1.0),
                self.foot - self.height * min(max((y - low) / up, 0.0), 1.0),
            )
            for x, y in points
        ]

    def inside(self, points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
        """The parts of a line of values that lie within both ranges, as places on the drawing."""
        found: list[list[tuple[float, float]]] = []
        (left, right), (low, high) = self.x_range, self.y_range
        held = [left <= x <= right and low <= y <= high for x, y in points]
        if len(points) > 1 and all(held):
            return [self.places(points)]
        # Which edge a point lies beyond: of an inset, whole curves lie beyond one.
        sides = [
            (-1 if x < left else 1 if x > right else 0, -1 if y < low else 1 if y > high else 0)
            for x, y in points
        ]
        for (first, second), ((x, y), (to_x, to_y)) in zip(pairwise(points), pairwise(sides), strict=True):
            if x * to_x > 0 or y * to_y > 0:
                continue
            part = self._cut(first, second) if x or y or to_x or to_y else (first, second)
            if part is None:
                continue
            if found and found[-1][-1] == part[0]:
                found[-1].append(part[1])
            else:
                found.append(list(part))
        return [self.places(part) for part in found]

    def holds(self, x: float, y: float) -> bool:
        return self.x_range[0] <= x <= self.x_range[1] and self.y_range[0] <= y <= self.y_range[1]

    def _cut(
        self, first: tuple[float, float], second: tuple[float, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The part of a straight line inside (Liang and Barsky)."""
        start, end = 0.0, 1.0
        for a, b, (low, high) in (
            (first[0], second[0], self.x_range), (first[1], second[1], self.y_range)
        ):  # fmt: skip
            for step, room in ((a - b, a - low), (b - a, high - a)):
                if step == 0 and room < 0:
                    return None
                if step < 0:
                    start = max(start, room / step)
                elif step > 0:
                    end = min(end, room / step)
        if start > end:
            return None
        along = [
            (first[0] + t * (second[0] - first[0]), first[1] + t * (second[1] - first[1]))
            for t in (start, end)
        ]
        return along[0], along[1]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from low to high."""
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]
