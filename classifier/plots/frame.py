"""What every figure has around it: title, facts, legend and notes, for a screen or for a column of a journal. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifier.plots.canvas import STAR, Drawing
from classifier.plots.letters import text_width

LINE, CROSS = "line", "cross"
ROW = 17.0
TITLE, LABEL, SMALL = 13.0, 11.0, 10.0
READER, AVERAGE = 4.2, 7.2


@dataclass(frozen=True)
class Form:
    """How a figure is laid out. ``width`` of the drawing: letters of 10 are 6 points at 85 mm in 400, 7 at 174 mm in
    720. Without ``has_title`` there are no title and facts, without ``has_notes`` no notes: the caption has them."""

    width: float = 720.0
    has_title: bool = True
    has_notes: bool = True
    # Whether its points can be asked for what they say: on a page, not in a file.
    has_points: bool = True

    @property
    def is_narrow(self) -> bool:
        return self.width < 560


# For two columns of a journal and wide screens, for one column, and for a phone, which shows it in its own size.
WIDE, NARROW, PHONE = Form(), Form(400.0), Form(340.0)


@dataclass(frozen=True)
class Entry:
    """A line of a legend: a line (``dash``), with marks of a kind (``marked``) or not, a cross or a shape in a colour,
    and what it is."""

    text: str
    colour: str
    shape: str = LINE
    dash: str = ""
    hollow: bool = False
    width: float = 2.0
    marked: str = ""


def head(drawing: Drawing, title: str, lines: Iterable[str]) -> float:
    """Write title and lines at the top, wrapped to the width; returns where the drawing goes on."""
    y = 0.0
    for text in wrapped(title, drawing.width - 24, TITLE * 1.07):
        y += 18
        drawing.text(12, y, text, size=TITLE, bold=True)
    for line in lines:
        for text in wrapped(line, drawing.width - 24, LABEL):
            y += 15
            drawing.text(12, y, text, colour="muted", size=LABEL)
    return y + 8 if y else 0.0


def foot(drawing: Drawing, notes: Iterable[str]) -> None:
    """Write notes at the foot of a drawing, which grows by them."""
    y = drawing.height
    for note in notes:
        y += 4
        for text in wrapped(note, drawing.width - 24, SMALL):
            y += 13
            drawing.text(12, y, text, colour="muted", size=SMALL)
    drawing.height = y + 8 if y > drawing.height else drawing.height


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines that fit; a word that is wider than a line is broken."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
            continue
        while text_width(word, size) > width and len(word) > 1:
            cut = next(
                n for n in range(len(word) - 1, 0, -1) if n == 1 or text_width(word[:n], size) <= width
            )
            lines.append(word[:cut])
            word = word[cut:]
        lines.append(word)
    return lines


def label(
    drawing: Drawing, x: float, y: float, text: str, width: float, *, size: float = LABEL, **how: object
) -> int:
    """A whole name in as many lines as it needs, around the height of ``y``; returns how many."""
    lines = wrapped(text, width, size)
    step = size * 1.15
    for place, line in enumerate(lines):
        drawing.text(x, y + 4 + step * (place - (len(lines) - 1) / 2), line, size=size, **how)
    return len(lines)


def legend(
    drawing: Drawing, entries: Sequence[Entry], y: float, *, left: float = 12, columns: int | None = None
) -> float:
    """Write entries in as many columns as fit, from ``y`` down; returns where they end."""
    room = drawing.width - left - 12
    if columns is None:
        widest = max((34 + text_width(entry.text, LABEL) for entry in entries), default=room)
        columns = max(1, int(room // (widest + 14)))
    width = room / columns
    rows = -(-len(entries) // columns)
    lowest = y
    for column in range(columns):
        at = y
        for entry in entries[column * rows : (column + 1) * rows]:
            lines = wrapped(entry.text, width - 36, LABEL)
            sample(drawing, entry, left + column * width, at)
            for line in lines:
                drawing.text(left + column * width + 32, at, line, size=LABEL)
                at += ROW if line is lines[-1] else 13
        lowest = max(lowest, at)
    return lowest


def sample(drawing: Drawing, entry: Entry, x: float, y: float) -> None:
    """What an entry of a legend looks like in the figure."""
    middle = y - 4
    if entry.shape == LINE:
        drawing.line([(x, middle), (x + 26, middle)], entry.colour, entry.width, entry.dash)
        if entry.marked:
            drawing.shape(x + 13, middle, entry.colour, entry.marked, 4)
    elif entry.shape == CROSS:
        cross(drawing, x + 13, middle, entry.colour)
    else:
        radius = AVERAGE if entry.hollow and entry.shape != STAR else READER
        drawing.shape(x + 13, middle, entry.colour, entry.shape, radius, hollow=entry.hollow)


def cross(drawing: Drawing, x: float, y: float, colour: str = "ink", arm: float = 6) -> None:
    """Thin, so that it hides nothing."""
    drawing.line([(x - arm, y), (x + arm, y)], colour, 1.4)
    drawing.line([(x, y - arm), (x, y + arm)], colour, 1.4)


def number(value: float) -> str:
    """A number of an axis: a true minus, no power of ten in letters."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text.replace("-", "−") if float(text) else "0"
