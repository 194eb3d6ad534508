"""A plot area with its scales, ticks and labels on a drawing. Pure."""

import math
from collections.abc import Callable, Sequence

from classifier.plots.canvas import Drawing

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
    ):
        self.drawing, self.x_range, self.y_range, self.log = drawing, x, y, log
        self.left, self.top = left, top
        self.width = drawing.width - left - right
        self.height = drawing.height - top - bottom

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
        x_text: Callable[[float], str] = lambda value: f"{value:g}",
        y_text: Callable[[float], str] = lambda value: f"{value:g}",
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
            pen.text(14, self.top + self.height / 2, y_label, size=12, anchor="middle", turned=True)

    def places(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(self.x(x), self.y(y)) for x, y in points]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from low to high."""
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]
