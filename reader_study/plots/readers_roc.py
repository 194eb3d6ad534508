"""Readers as points on the model's ROC curves, with a closer look at where they crowd."""

from collections.abc import Iterator

from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import Drawing
from classifier.plots.figures import SHARES, Figure, framed
from classifier.plots.frame import (
    AVERAGE,
    CROSS,
    READER,
    SMALL,
    WIDE,
    Entry,
    Form,
    cross,
    legend,
    number,
)
from reader_study.plots import marks
from reader_study.plots.roc_parts import (
    ALL,
    CI,
    LABELS,
    OWN,
    PAPER_LEGEND,
    PAPER_TEXT,
    SD,
    WAYS,
    Place,
    Roc,
    Shown,
    axis_name,
    gather,
    labels_note,
    way_name,
    why_nobody,
    why_not,
)  # fmt: skip
from skinclinic.vocabulary.diseases import BENIGN, MALIGNANT
from skinclinic.web.counts import gettext as _

__all__ = ["ALL", "CI", "LABELS", "OWN", "PAPER_LEGEND", "PAPER_TEXT", "SD", "WAYS", "Shown", "figure", "labels_note",
           "paint", "way_name"]  # fmt: skip

_LEFT, _RIGHT, _FOOT = 54.0, 14.0, 44.0
_MOST = 440.0
# How much larger a mark is that lies around another one.
_AROUND = 0.4


def figure(
    shown: Shown, name: str, form: Form = WIDE, always: tuple[str, ...] = (), *, small: bool = False
) -> Figure:
    """One figure; ``small``: as a thumbnail, without words."""
    columns = (
        _("What"), _("Name"), _("Threshold"), _("Sensitivity"), _("True positives"), _("Positives"),
        _("Specificity"), _("Rejected"), _("Others"),
    )  # fmt: skip
    if why := why_not(shown):
        return Figure(name, shown.title, None, columns, (), note=why)
    roc = gather(shown, tiers=not small)
    if not roc.entries:
        return Figure(name, shown.title, None, columns, (), note=why_nobody(shown))
    if small:
        return _thumbnail(roc, name)
    drawing = Drawing(form.width, 0, shown.title)
    corner = roc.corner
    room = form.width - _LEFT - _RIGHT
    side = room if form.is_narrow else min(_MOST, (room - _LEFT) / 2 if corner else room)
    top = 18.0 if corner else 10.0
    axes = Axes(drawing, left=_LEFT, top=top, width=side, height=side)
    axes.frame(axis_name(shown.way, shown.labels), _("Sensitivity"), SHARES, SHARES, x_label_below=34)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    paint(roc, axes, is_whole=bool(corner))
    down = axes.foot + _FOOT
    closer = None
    if corner:
        _outline(axes, corner)
        if form.is_narrow:
            closer = Axes(
                drawing, x=corner[0], y=corner[1], left=_LEFT, top=down + 22, width=side, height=side * 0.8
            )
        else:
            left = axes.left + side + _LEFT
            closer = Axes(drawing, x=corner[0], y=corner[1], left=left, top=top, width=side, height=side)
        _frame(closer, axis_name(shown.way, shown.labels))
        said = _("The framed part, enlarged")
        # On the right: readers stand at the left, their marks above the frame as well.
        right = closer.left + closer.width
        drawing.text(right, closer.top - 8, said, colour="muted", size=SMALL, anchor="end")
        paint(roc, closer)
        down = max(down, closer.foot + _FOOT)
    entries = [*roc.entries, Entry(_("No better than chance"), "muted", dash="dotted", width=1)]
    drawing.height = legend(drawing, entries, down + 14)
    series = roc.series(axes.places) if form.has_points else ()
    if closer and form.has_points:
        series = (*series, *roc.closer(closer))
    found = Figure(name, shown.title, drawing, columns, tuple(roc.rows), series, printed=roc.printed)
    notes = [one for one in (labels_note(shown.labels), _notes(roc)) if one]
    return framed(found, form, list(_lines(shown)), always=always, notes=notes)


def _notes(roc: Roc) -> str:
    notes = []
    if any(one.area for one in roc.curves):
        # xgettext:no-python-format
        notes.append(_("AUC with DeLong's 95 % interval; it is not to be compared with one reader's point."))
    if roc.has_equal_places:
        notes.append(_("A number at a mark counts the readers at that place."))
    return " ".join(notes)


def _thumbnail(roc: Roc, name: str) -> Figure:
    drawing = Drawing(180.0, 180.0, roc.shown.title)
    axes = Axes(drawing, left=6, top=6, right=6, bottom=6)
    drawing.line(axes.places([(0, 1), (0, 0), (1, 0)]), "muted", 1)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    roc.averages, roc.model = [], []
    paint(roc, axes, radius=2.6)
    return Figure(name, roc.shown.title, drawing, (), ())


def paint(roc: Roc, axes: Axes, *, radius: float = READER, thin: float = 1.0, is_whole: bool = False) -> None:
    """What lies within the axes: curves, then readers, then averages and the model, hollow, so that none is hidden.

    ``is_whole``: a part of it is drawn enlarged as well; the numbers of its readers stand there, where there is room.
    """
    drawing = axes.drawing
    for curve in roc.curves:
        for part in axes.inside(curve.points):
            drawing.line(part, curve.entry.colour, curve.entry.width * thin, curve.entry.dash)
    _readers(roc, axes, radius, roc.corner if is_whole else None)
    for place in roc.averages:
        if axes.holds(place.x, place.y):
            _average(axes, place, radius)
    for place in roc.model:
        if axes.holds(place.x, place.y):
            drawing.shape(
                axes.x(place.x), axes.y(place.y), "ink", place.entry.shape, radius * 1.2, hollow=True
            )


def _readers(roc: Roc, axes: Axes, radius: float, enlarged) -> None:
    """One mark for each place; of groups at the same place the later lies within the earlier, and all are counted,
    but for those in the part that is ``enlarged`` elsewhere."""
    drawing = axes.drawing
    there: dict[tuple[float, float], list[Place]] = {}
    for place in (place for group in roc.readers.values() for place in group):
        if axes.holds(place.x, place.y):
            there.setdefault((axes.x(place.x), axes.y(place.y)), []).append(place)
    for (x, y), places in there.items():
        for inside, place in zip(range(len(places) - 1, -1, -1), places, strict=True):
            around = 1 + _AROUND * inside
            drawing.shape(x, y, place.entry.colour, place.entry.shape, radius * around)
    # Above all marks, so that none hides a number.
    for (x, y), places in there.items():
        count = sum(len(place.who) for place in places)
        one = places[0]
        is_enlarged = enlarged and all(
            low <= value <= high for value, (low, high) in zip((one.x, one.y), enlarged, strict=True)
        )
        if count > 1 and radius >= READER * 0.7 and not is_enlarged:
            away = radius * (1 + _AROUND * (len(places) - 1))
            drawing.text(x + away + 1, y - away * 0.7, str(count), size=SMALL)


def _average(axes: Axes, place: Place, radius: float) -> None:
    drawing, x, y = axes.drawing, axes.x(place.x), axes.y(place.y)
    across, up = place.arms
    if place.entry.shape != CROSS:
        drawing.shape(x, y, place.entry.colour, place.entry.shape, AVERAGE * radius / READER, hollow=True)
        return
    if across:
        drawing.line([(axes.x(across[0]), y), (axes.x(across[1]), y)], "ink", 1)
    if up:
        drawing.line([(x, axes.y(up[0])), (x, axes.y(up[1]))], "ink", 1)
    cross(drawing, x, y, arm=6 * radius / READER)


def _outline(axes: Axes, corner) -> None:
    (left, right), (low, high) = corner
    ring = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    axes.drawing.line(axes.places(ring), "muted", 0.8)


def _frame(axes: Axes, x_label: str) -> None:
    axes.frame(
        x_label,
        "",
        ticks(*axes.x_range, 4),
        ticks(*axes.y_range),
        x_text=number,
        y_text=number,
        x_label_below=34,
    )
    right = axes.left + axes.width
    axes.drawing.line([(axes.left, axes.top), (right, axes.top), (right, axes.foot)], "muted", 0.8)


def _lines(shown: Shown) -> Iterator[str]:
    yield _("%(n)d photos of the disease, %(others)d %(among)s; %(readers)s; session: %(session)s") % {
        "n": shown.disease["n_pos"],
        "others": shown.others,
        "among": {
            ALL: _("others"),
            MALIGNANT: _("other malignant"),
            BENIGN: _("other benign"),
        }[shown.way],
        "readers": marks.readers_text(shown.read.get("n_readers", 0)),
        "session": marks.session_name(shown.session),
    }
