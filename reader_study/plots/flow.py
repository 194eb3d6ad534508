"""The flow of photos and readers as a diagram: two columns of boxes, what was left out beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifier.plots.canvas import Drawing
from classifier.plots.figures import Figure
from classifier.plots.frame import PHONE, wrapped
from skinclinic.web.counts import grouped

_WIDTH, _BOX, _HEIGHT, _STEP, _LINE = 760.0, 200.0, 44.0, 72.0, 15.0
_TOP = 44.0


@dataclass(frozen=True)
class Step:
    """A box: what, how many (None: not known yet), and what left the way before the next, a line each."""

    label: str
    n: int | None
    leaving: Sequence[tuple[str, int]] = ()


def diagram(title: str, photos: Sequence[Step], readers: Sequence[Step]) -> Figure:
    """Both ways from top to bottom, beside each other, and below each other on a phone."""
    columns = (_("Of"), _("Step"), _("Number"))
    rows = [row for name, steps in _named(photos, readers) for step in steps for row in _rows(name, step)]
    wide = Drawing(_WIDTH, 0, title)
    half = _WIDTH / 2 - 10
    wide.height = max(
        _column(wide, x, 0, half, name, steps)
        for x, (name, steps) in zip((0.0, _WIDTH / 2 + 10), _named(photos, readers), strict=True)
    )
    narrow = Drawing(PHONE.width, 0, title)
    for name, steps in _named(photos, readers):
        narrow.height = _column(narrow, 1, narrow.height, narrow.width - 2, name, steps) + 8
    phone = Figure("participant-flow", title, narrow, columns, tuple(rows))
    return Figure("participant-flow", title, wide, columns, tuple(rows), phone=phone)


def _named(photos: Sequence[Step], readers: Sequence[Step]) -> list[tuple[str, Sequence[Step]]]:
    return [(_("Photos"), photos), (_("Readers"), readers)]


def _rows(name: str, step: Step) -> list[tuple[object, ...]]:
    return [(name, step.label, step.n), *((name, f"− {label}", n) for label, n in step.leaving)]


def _column(drawing: Drawing, x: float, y: float, width: float, name: str, steps: Sequence[Step]) -> float:
    """From ``y`` down; returns where it ends."""
    drawing.text(x + _BOX / 2, y + 22, name, size=13, anchor="middle", bold=True)
    y += _TOP
    for place, step in enumerate(steps):
        _box(drawing, x, y, step)
        foot = y + _HEIGHT
        leaving = [(label, n) for label, n in step.leaving if n]
        at = foot + 18
        for label, n in leaving:
            drawing.line([(x + _BOX / 2, at), (x + _BOX / 2 + 14, at)], "muted", 1)
            for text in wrapped(f"{grouped(n)} {label}", width - _BOX / 2 - 22, 10.5):
                drawing.text(x + _BOX / 2 + 19, at + 4, text, colour="muted", size=10.5)
                at += _LINE
        below = max(foot + _STEP - _HEIGHT, at + 6)
        if place < len(steps) - 1:
            drawing.line([(x + _BOX / 2, foot), (x + _BOX / 2, below)], "ink", 1.25)
            drawing.line(
                [(x + _BOX / 2 - 4, below - 6), (x + _BOX / 2, below), (x + _BOX / 2 + 4, below - 6)],
                "ink",
                1.25,
            )
        y = below
    return y


def _box(drawing: Drawing, x: float, y: float, step: Step) -> None:
    corners = [(x, y), (x + _BOX, y), (x + _BOX, y + _HEIGHT), (x, y + _HEIGHT), (x, y)]
    drawing.line([(a + 0.5, b + 0.5) for a, b in corners], "ink", 1)
    drawing.text(x + _BOX / 2, y + 18, step.label, size=11.5, anchor="middle")
    number = "–" if step.n is None else f"n = {grouped(step.n)}"
    drawing.text(x + _BOX / 2, y + 35, number, size=11.5, anchor="middle", bold=True)
