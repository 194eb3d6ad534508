"""A figure as a thumbnail: curves without words, with no more points than can be seen. Pure."""

from collections.abc import Mapping

import numpy as np
from django.utils.translation import gettext as _

from classifier.plots.axes import Axes
from classifier.plots.canvas import DIAMOND, Drawing
from classifier.plots.figures import WAY_LOOKS, Figure

SIDE = 200.0
_EDGE = 6.0
# In units of the drawing, which pages show at most twice as large.
GRAIN = 0.25


def roc(name: str, title: str, curve: Mapping, youden: Mapping | None) -> Figure:
    """The curves of ``figures.roc`` without table and points to be read out."""
    if not curve["positives"] or not curve["negatives"]:
        return Figure(name, title, None, (), (), note=_("not evaluable"))
    drawing = Drawing(SIDE, SIDE, title)
    axes = Axes(drawing, left=_EDGE, top=_EDGE, right=_EDGE, bottom=_EDGE)
    drawing.line(axes.places([(0, 1), (0, 0), (1, 0)]), "muted", 1)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    ways = (
        ("true_negatives", curve["negatives"]),
        ("rejected_other_malignant", curve["other_malignant"]),
        ("rejected_other_benign", curve["other_benign"]),
    )
    y = axes.foot - axes.height * np.asarray(curve["true_positives"], float) / curve["positives"]
    for (rejected, total), (colour, dash) in zip(ways, WAY_LOOKS, strict=True):
        if total:
            x = axes.left + axes.width * (1 - np.asarray(curve[rejected], float) / total)
            drawing.line(thinned(x, y), colour, 2, dash)
    if youden:
        specificity = youden["true_negatives"] / curve["negatives"]
        at = axes.x(1 - specificity), axes.y(youden["true_positives"] / curve["positives"])
        drawing.shape(*at, "ink", DIAMOND, 3, hollow=True)
    return Figure(name, title, drawing, (), ())


def thinned(x: np.ndarray, y: np.ndarray, grain: float = GRAIN) -> list[tuple[float, float]]:
    """The curve through ``x`` [n] and ``y`` [n], which only ever rises or falls in each, by points of its own so few
    that the line through them stays within ``grain`` of it."""
    points = np.column_stack([x, y])
    # Of points in one step of half a grain along the curve the first, and the last of all.
    step = np.floor(np.abs(np.diff(points, axis=0, prepend=points[:1])).sum(1).cumsum() / (grain / 2))
    chosen = np.flatnonzero(np.diff(step, prepend=-1.0))
    points = points[np.union1d(chosen, [len(points) - 1])]
    return [(float(a), float(b)) for a, b in points[_corners(points, grain / 2)]]


def _corners(points: np.ndarray, most: float) -> list[int]:
    """Which of ``points`` [n, 2] are needed so that no other is further than ``most`` from the line through them
    (Douglas and Peucker 1973, doi:10.3138/FM57-6770-U75U-7727)."""
    needed, parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        begin, way = points[first], points[last] - points[first]
        between = points[first + 1 : last] - begin
        length = float(np.hypot(*way))
        if length:
            far = np.abs(way[0] * between[:, 1] - way[1] * between[:, 0]) / length
        else:
            far = np.hypot(between[:, 0], between[:, 1])
        at = int(far.argmax())
        if far[at] > most:
            middle = first + 1 + at
            needed.add(middle)
            parts += [(first, middle), (middle, last)]
    return sorted(needed)
