"""A value by months or quarters, with its interval, and what it is held against. Pure but for translations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import Drawing, series_colour
from classifier.plots.figures import MARKS, SHARES, Figure, Point, Series
from classifier.plots.frame import WIDE, Entry, Form, legend

_HEIGHT = 300.0
_MOST_NAMES, _MOST_NAMES_NARROW = 9, 4


@dataclass(frozen=True)
class Value:
    """Of one period: a value from ``low`` to ``high``, of ``n``, and how it is said. ``value`` None: not told.
    ``periods``: of so many together, of which this is the last."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    said: str
    periods: int = 1


@dataclass(frozen=True)
class Course:
    """``values`` [periods] of one thing; ``limit``: what it is held against, ``limit_name`` says what that is."""

    name: str
    values: Sequence[Value]
    limit: float | None = None
    limit_name: str = ""


def over_time(
    name: str,
    title: str,
    periods: Sequence[str],
    courses: Sequence[Course],
    *,
    y_label: str,
    top: float | None = 1.0,
    form: Form = WIDE,
    note: str = "",
) -> Figure:
    """Values with their intervals by period; only neighbours that are both told are connected. ``top``: the end of the
    scale, None: a little above the highest."""
    columns = (pgettext("of time", "Period"), _("What"), _("Value"), _("Low"), _("High"), _("n"))
    rows = tuple(
        (_span(periods, place, one), course.name, one.value, one.low, one.high, one.n)
        for course in courses
        for place, one in _of_each(periods, course.values)
    )
    told = [one for course in courses for one in course.values if one.value is not None]
    if not told:
        return Figure(name, title, None, columns, rows, note=_("too few in every period"))
    end = top if top is not None else max(max(one.high or 0, one.value or 0) for one in told) * 1.08 or 1.0
    drawing = Drawing(form.width, min(_HEIGHT, form.width * 0.75), title)
    axes = Axes(drawing, x=(-0.5, len(periods) - 0.5), y=(0.0, end), bottom=50)
    step = -(-len(periods) // (_MOST_NAMES_NARROW if form.is_narrow else _MOST_NAMES))
    axes.frame(
        pgettext("of time", "Period"), y_label, list(range(0, len(periods), step)),
        SHARES if top == 1.0 else ticks(0, end),
        x_text=lambda place: periods[int(place)], x_label_below=36,
    )  # fmt: skip
    series: list[Series] = []
    entries: list[Entry] = []
    for number, course in enumerate(courses):
        beside = (number - (len(courses) - 1) / 2) * min(0.16, 3.0 / max(len(periods), 1))
        points = _course(axes, course, number, beside, periods)
        series.append(Series(course.name, series_colour(number), "", points))
        entries += _entries(course, number)
    drawing.height = legend(drawing, entries, axes.foot + 62)
    return Figure(name, title, drawing, columns, rows, tuple(series), note)


def _of_each(periods: Sequence[str], values: Sequence[Value]) -> list[tuple[int, Value]]:
    """The values with the places of their periods, but for those that are told with a later one."""
    if len(values) != len(periods):
        raise ValueError(f"{len(values)} values for {len(periods)} periods")
    within = {place - back for place, one in enumerate(values) for back in range(1, one.periods)}
    return [(place, one) for place, one in enumerate(values) if place not in within]


def _span(periods: Sequence[str], place: int, one: Value) -> str:
    """“2026-03”, or “2026-03 – 2026-05”."""
    last = periods[place]
    return last if one.periods == 1 else f"{periods[place + 1 - one.periods]} – {last}"


def _course(
    axes: Axes, course: Course, number: int, beside: float, periods: Sequence[str]
) -> tuple[Point, ...]:
    """Draw one thing, ``beside`` the middle of its periods."""
    pen, colour = axes.drawing, series_colour(number)
    if course.limit is not None:
        at = axes.y(course.limit)
        pen.line([(axes.left, at), (axes.left + axes.width, at)], colour, 1, "dashed")
    points: list[tuple[int, int, Point]] = []
    for place, one in enumerate(course.values):
        if one.value is None:
            continue
        x, first = axes.x(place + beside), place + 1 - one.periods
        if one.periods > 1:
            pen.line([(axes.x(first + beside), axes.y(one.value)), (x, axes.y(one.value))], colour, 2.5)
        if one.low is not None and one.high is not None:
            pen.line([(x, axes.y(one.low)), (x, axes.y(one.high))], colour, 1.5)
        said = f"{_span(periods, place, one)}, {course.name}: {one.said}"
        points.append((first, place, Point(x, axes.y(one.value), said)))
    for (_first, last, before), (first, _last, after) in pairwise(points):
        if first == last + 1:
            pen.line([(before.x, before.y), (after.x, after.y)], colour, 1)
    told = tuple(point for _first, _last, point in points)
    for point in told:
        pen.shape(point.x, point.y, colour, MARKS[number % len(MARKS)], 4)
    return told


def _entries(course: Course, number: int) -> list[Entry]:
    colour = series_colour(number)
    found = [Entry(course.name, colour, marked=MARKS[number % len(MARKS)])]
    if course.limit is not None:
        found.append(Entry(course.limit_name, colour, dash="dashed", width=1))
    return found
