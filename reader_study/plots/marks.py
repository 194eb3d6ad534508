"""What the figures of a study share: the marks of groups, titles and legends. Pure but for translations."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classifier.plots.axes import Axes
from classifier.plots.canvas import CIRCLE, DIAMOND, SQUARE, STAR, TRIANGLE, Drawing, Line, text_width
from classifier.plots.figures import Figure

# Colour and shape by the place of a group; the paper's professors are red, its clinicians blue.
GROUP_MARKS = (
    ("vermillion", CIRCLE), ("blue", SQUARE), ("green", TRIANGLE), ("purple", DIAMOND), ("orange", SQUARE),
    ("sky", TRIANGLE), ("muted", DIAMOND), ("green", CIRCLE),
)  # fmt: skip
LINE, CROSS = "line", "cross"
ROW = 18.0
READER, AVERAGE = 4.6, 7.0


@dataclass(frozen=True)
class Entry:
    """A line of a legend: a line (``dash``), a cross or a shape in a colour, and what it is."""

    text: str
    colour: str
    shape: str = LINE
    dash: str = ""
    hollow: bool = False


def group_mark(place: int) -> tuple[str, str]:
    """Colour and shape of the group in this place."""
    return GROUP_MARKS[place % len(GROUP_MARKS)]


def readers_text(count: int) -> str:
    return ngettext("%(n)d reader", "%(n)d readers", count) % {"n": count}


def photos_text(count: int) -> str:
    return ngettext("%(n)d photo", "%(n)d photos", count) % {"n": count}


def file_name(*parts: str) -> str:
    """Parts of a figure's file name, joined, without what file systems mind."""
    tidy = (re.sub(r"[^\w.]+", "-", part).strip("-.").lower() for part in parts)
    return "-".join(part for part in tidy if part) or "figure"


def head(drawing: Drawing, title: str, lines: Iterable[str]) -> float:
    """Write title and lines at the top, wrapped to the width; returns where the drawing goes on."""
    y = 20.0
    for text in wrapped(title, drawing.width - 24, 14):
        drawing.text(12, y, text, size=14, bold=True)
        y += 18
    for line in lines:
        for text in wrapped(line, drawing.width - 24, 11.5):
            drawing.text(12, y, text, colour="muted", size=11.5)
            y += 15
    return y


def titled(figure: Figure, lines: Sequence[str]) -> Figure:
    """The same figure with its title and lines written above it."""
    if figure.drawing is None:
        return figure
    drawing = Drawing(figure.drawing.width, figure.drawing.height, figure.title)
    down = head(drawing, figure.title, lines)
    drawing.height += down
    for mark in figure.drawing.marks:
        if isinstance(mark, Line):
            drawing.marks.append(replace(mark, points=tuple((x, y + down) for x, y in mark.points)))
        else:
            drawing.marks.append(replace(mark, y=mark.y + down))
    series = tuple(
        replace(one, points=tuple(replace(point, y=point.y + down) for point in one.points))
        for one in figure.series
    )
    return replace(figure, drawing=drawing, series=series)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines that fit."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def shortened(text: str, width: float, size: float) -> str:
    """The text, cut with a dot-dot-dot where it would not fit."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"


def legend(drawing: Drawing, entries: Sequence[Entry], y: float, *, left: float = 12) -> float:
    """Write entries in as many columns as fit, from ``y`` down; returns where they end."""
    room = drawing.width - left - 12
    widest = max(34 + text_width(entry.text, 11) for entry in entries)
    columns = max(1, int(room // (widest + 14)))
    rows = -(-len(entries) // columns)
    for place, entry in enumerate(entries):
        x = left + (place // rows) * (room / columns)
        _entry(drawing, entry, x, y + ROW * (place % rows))
    return y + ROW * rows


def _entry(drawing: Drawing, entry: Entry, x: float, y: float) -> None:
    middle = y - 4
    if entry.shape == LINE:
        drawing.line([(x, middle), (x + 24, middle)], entry.colour, 2, entry.dash)
    elif entry.shape == CROSS:
        cross(drawing, x + 12, middle, entry.colour)
    else:
        radius = AVERAGE if entry.hollow and entry.shape != STAR else READER
        drawing.shape(x + 12, middle, entry.colour, entry.shape, min(radius, 6), hollow=entry.hollow)
    drawing.text(x + 32, y, entry.text, size=11)


def cross(drawing: Drawing, x: float, y: float, colour: str = "ink", arm: float = 6) -> None:
    drawing.line([(x - arm, y), (x + arm, y)], colour, 3)
    drawing.line([(x, y - arm), (x, y + arm)], colour, 3)


def cross_with_interval(
    drawing: Drawing,
    axes: Axes,
    x: float,
    y: float,
    across: Sequence[float] | None,
    up: Sequence[float] | None,
) -> None:
    """A cross at (x, y) of the axes; its thin arms reach over the intervals ``across`` and ``up``."""
    at_x, at_y = axes.x(x), axes.y(y)
    if across:
        drawing.line([(axes.x(across[0]), at_y), (axes.x(across[1]), at_y)], "ink", 1.2)
    if up:
        drawing.line([(at_x, axes.y(up[0])), (at_x, axes.y(up[1]))], "ink", 1.2)
    cross(drawing, at_x, at_y)


def synthetic_note(drawn: bool) -> str:
    """What stands on every figure of a study that is no real one."""
    if not drawn:
        return ""
    return _("Synthetic: the lesions were drawn or the readers simulated. Nothing here is about patients.")


def session_name(key: str) -> str:
    """A session in words; one of a file with a name of its own keeps it."""
    return {"unaided": _("unaided"), "aided": _("aided")}.get(key, key)
