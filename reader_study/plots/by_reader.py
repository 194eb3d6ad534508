"""Figures with a line for each reader: accuracy, time, and two sessions beside each other."""

from collections.abc import Callable, Mapping, Sequence

from classifier.plots.apart import apart
from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import CIRCLE, Drawing
from classifier.plots.figures import SHARES, Figure, Point, Series, counted, percent
from classifier.plots.frame import LABEL, READER, SMALL, WIDE, Entry, Form, label, legend, wrapped
from classifier.plots.letters import text_width
from classifier.plots.notes import note_words
from reader_study.plots import marks
from skinclinic.web.counts import gettext as _

_STEP = 11.5
Groups = Mapping[str, str]
Rows = Sequence[tuple[str, Mapping]]


def ordered(readers: Mapping[str, Mapping], groups: Groups) -> list[tuple[str, Mapping]]:
    """Group by group, in the order of the groups."""
    order = {group: place for place, group in enumerate(groups)}
    return sorted(readers.items(), key=lambda pair: order.get(pair[1]["group"], len(order)))


def mark_of(groups: Groups, group: str) -> tuple[str, str]:
    return marks.group_mark(list(groups).index(group)) if group in groups else ("ink", CIRCLE)


def _entries(groups: Groups, readers: Rows) -> list[Entry]:
    there = {one["group"] for _reader, one in readers}
    return [
        Entry(name or _("Readers"), *mark_of(groups, group))
        for group, name in groups.items()
        if group in there
    ]


class _Lines:
    """A line for each reader, high enough for the whole name, with an axis below."""

    def __init__(self, title: str, form: Form, names: Sequence[str], x: tuple[float, float]):
        room = form.width * (0.34 if form.is_narrow else 0.28)
        lines = [wrapped(name, room, LABEL) for name in names]
        left = 24 + max(text_width(line, LABEL) for name in lines for line in name)
        self._room = room
        self._heights = [max(20.0, 8 + 13.0 * len(name)) for name in lines]
        self.drawing = Drawing(form.width, 10 + sum(self._heights) + 46, title)
        self.axes = Axes(self.drawing, x=x, left=left, right=24, top=10, bottom=46)
        self._names = names

    def each(self) -> list[float]:
        """Write the names; returns the height of each."""
        found, y = [], self.axes.top
        for name, height in zip(self._names, self._heights, strict=True):
            label(self.drawing, self.axes.left - 10, y + height / 2, name, self._room, anchor="end")
            found.append(y + height / 2)
            y += height
        return found

    def legend(self, entries: Sequence[Entry]) -> None:
        self.drawing.height = legend(self.drawing, entries, self.axes.foot + 62)


def accuracy(
    name: str, title: str, found: Mapping, model: Mapping | None, groups: Groups, form: Form = WIDE
) -> Figure:
    """Each reader's share of right answers with Wilson's interval, beside the model's."""
    columns = (
        _("Reader"), _("Group"), _("Right"), _("Photos"), _("Missing answers"), _("Accuracy"), _("Low"), _("High"),
        _("Kappa with the truth"), _("Note"),
    )  # fmt: skip
    readers = ordered(found["readers"], groups)
    table = tuple(
        (
            reader, groups.get(one["group"]) or one["group"], one["right"], one["n"], one["missing"], one["accuracy"],
            *(one["accuracy_ci"] or (None, None)), one["kappa_vs_truth"],
            note_words(one["note"]) if one["note"] else "",
        )
        for reader, one in readers
    )  # fmt: skip
    shown = [(reader, one) for reader, one in readers if one["accuracy"] is not None]
    if not shown:
        return Figure(name, title, None, columns, table, note=note_words("no_answers"))
    page = _Lines(title, form, [reader for reader, _one in shown], (0.0, 1.0))
    drawing, axes = page.drawing, page.axes
    axes.frame(_("Accuracy"), "", SHARES, ())
    entries = _entries(groups, shown)
    mean = found["mean_accuracy"]
    drawing.line([(axes.x(mean), axes.top), (axes.x(mean), axes.foot)], "muted", 1.2, "dashed")
    series = [
        Series(_("Mean of the readers"), "muted", "", (Point(axes.x(mean), axes.top + 6, percent(mean)),))
    ]
    entries.append(
        Entry(_("Mean of the readers: %(share)s") % {"share": percent(mean)}, "muted", dash="dashed")
    )
    if model:
        at = axes.x(model["value"])
        drawing.line([(at, axes.top), (at, axes.foot)], "ink", 1.5)
        said = counted(model["count"], model["of"])
        entries.append(
            Entry(_("Model, its first choice: %(share)s") % {"share": percent(model["value"])}, "ink")
        )
        series.append(Series(_("Model, its first choice"), "ink", "", (Point(at, axes.top + 6, said),)))
    points = []
    for y, (reader, one) in zip(page.each(), shown, strict=True):
        colour, shape = mark_of(groups, one["group"])
        low, high = one["accuracy_ci"]
        drawing.line([(axes.x(low), y), (axes.x(high), y)], colour, 1.5)
        drawing.shape(axes.x(one["accuracy"]), y, colour, shape, READER)
        points.append(Point(axes.x(one["accuracy"]), y, f"{reader}: {counted(one['right'], one['n'])}"))
    page.legend(entries)
    readers_series = Series(_("Readers"), "ink", "", tuple(points))
    # xgettext:no-python-format
    note = _("Lines: Wilson's 95 % interval. A missing answer counts as wrong.")
    return Figure(name, title, drawing, columns, table, (readers_series, *series), note)


def time(name: str, title: str, readers: Mapping[str, Mapping], groups: Groups, form: Form = WIDE) -> Figure:
    """Each reader's median, quartiles and mean time for a photo."""
    columns = (
        _("Reader"), _("Group"), _("Photos with a time"), _("Median seconds"), _("First quartile"),
        _("Third quartile"), _("Mean seconds"), _("Minutes in all"),
    )  # fmt: skip
    found = [(reader, one, one["seconds"]) for reader, one in ordered(readers, groups) if one["seconds"]]
    table = tuple(
        (
            reader, groups.get(one["group"]) or one["group"], known["n"], known["median"], known.get("q1"),
            known.get("q3"), known["mean"], known["total"] / 60,
        )
        for reader, one, known in found
    )  # fmt: skip
    if not found:
        return Figure(name, title, None, columns, (), note=_("not evaluable: no times are known"))
    # An axis needs a length also where nobody took any time.
    ends = [known.get(value) or 0 for _r, _one, known in found for value in ("median", "mean", "q3")]
    most = max(ends) * 1.08 or 1.0
    page = _Lines(title, form, [reader for reader, _one, _known in found], (0.0, most))
    drawing, axes = page.drawing, page.axes
    axes.frame(_("Seconds a photo"), "", ticks(0, most), ())
    points, has_quartiles = [], False
    for y, (reader, one, known) in zip(page.each(), found, strict=True):
        colour, shape = mark_of(groups, one["group"])
        if known.get("q1") is not None:
            has_quartiles = True
            left, right = axes.x(known["q1"]), axes.x(known["q3"])
            drawing.box(left, y - 6, right - left, 12, colour, 0.22)
            ring = [(left, y - 6), (right, y - 6), (right, y + 6), (left, y + 6), (left, y - 6)]
            drawing.line(ring, colour, 1)
        mean = axes.x(known["mean"])
        drawing.line([(mean - 4, y - 4), (mean + 4, y + 4)], "ink", 1.2)
        drawing.line([(mean - 4, y + 4), (mean + 4, y - 4)], "ink", 1.2)
        drawing.shape(axes.x(known["median"]), y, colour, shape, READER)
        said = _("%(reader)s: median %(median).1f s, mean %(mean).1f s, %(n)d photos") % {
            "reader": reader, "median": known["median"], "mean": known["mean"], "n": known["n"],
        }  # fmt: skip
        points.append(Point(axes.x(known["median"]), y, said))
    page.legend(_entries(groups, [(reader, one) for reader, one, _known in found]))
    note = (
        _(
            "Mark: median. Box: first to third quartile. ×: mean. The time a photo was in sight before the answer."
        )
        if has_quartiles
        else _("Mark: median. ×: mean. The time a photo was in sight before the answer.")
    )
    return Figure(
        name, title, drawing, columns, table, (Series(_("Readers"), "ink", "", tuple(points)),), note
    )


def slopes(
    name: str, title: str, changes: Mapping, sessions: tuple[str, str], groups: Groups, form: Form = WIDE
) -> Figure:
    """Each reader's accuracy in the first and in the second session, on photos answered in both."""
    columns = (
        _("Reader"), _("Group"), _("Photos"), sessions[0], sessions[1], _("Wrong, then right"), _("Right, then wrong"),
        _("Exact p"),
    )  # fmt: skip
    readers = ordered(changes["readers"], groups)
    table = tuple(
        (
            reader, groups.get(one["group"]) or one["group"], one["images"], one["accuracy_before"],
            one["accuracy_after"], one["wrong_to_right"], one["right_to_wrong"], one["exact_p"],
        )
        for reader, one in readers
    )  # fmt: skip
    shown = [(reader, one) for reader, one in readers if one["images"]]
    if not shown:
        return Figure(name, title, None, columns, table, note=note_words("no_answers"))
    values = [one[at] for _reader, one in shown for at in ("accuracy_before", "accuracy_after")]
    low, high = max(0.0, min(values) - 0.05), min(1.0, max(values) + 0.05)
    # So high that every reader can be named on both sides.
    width = min(form.width, 560.0)
    room = width * 0.24
    lines = max(len(wrapped(reader, room - 8, SMALL)) for reader, _one in shown)
    step = _STEP + (lines - 1) * SMALL * 1.15
    tall = max(330.0, step * 1.1 * len(shown))
    drawing = Drawing(width, tall + 56, title)
    axes = Axes(drawing, y=(low, high), left=54, right=10, top=8 + step / 2, height=tall)
    axes.frame("", _("Accuracy"), (), ticks(low, high))
    left, right = axes.left + room + 18, axes.left + axes.width - room - 18
    for at, session in ((left, sessions[0]), (right, sessions[1])):
        drawing.line([(at, axes.top), (at, axes.foot)], "grid", 1)
        label(drawing, at, axes.foot + 16, session, right - left, anchor="middle")
    points = []
    for reader, one in shown:
        colour, shape = mark_of(groups, one["group"])
        before, after = axes.y(one["accuracy_before"]), axes.y(one["accuracy_after"])
        drawing.line([(left, before), (right, after)], colour, 1.2)
        points.append(Point(right, after, _change_said(reader, one)))
    for _reader, one in shown:
        colour, shape = mark_of(groups, one["group"])
        drawing.shape(left, axes.y(one["accuracy_before"]), colour, shape, READER)
        drawing.shape(right, axes.y(one["accuracy_after"]), colour, shape, READER)
    _named(drawing, axes, shown, left, "accuracy_before", -1, room, step)
    _named(drawing, axes, shown, right, "accuracy_after", 1, room, step)
    means = [
        sum(one[at] for _reader, one in shown) / len(shown) for at in ("accuracy_before", "accuracy_after")
    ]
    drawing.line([(left, axes.y(means[0])), (right, axes.y(means[1]))], "ink", 2.4, "dashed")
    mean_said = _("mean of %(readers)s: %(before)s, then %(after)s") % {
        "readers": marks.readers_text(len(shown)), "before": percent(means[0]), "after": percent(means[1]),
    }  # fmt: skip
    mean = Series(_("Mean"), "ink", "", (Point(right, axes.y(means[1]), mean_said),))
    mean_entry = _("Mean of the readers: %(before)s, then %(after)s") % {
        "before": percent(means[0]), "after": percent(means[1]),
    }  # fmt: skip
    entries = [*_entries(groups, shown), Entry(mean_entry, "ink", dash="dashed")]
    drawing.height = legend(drawing, entries, axes.foot + 48)
    counts = sorted({one["images"] for _reader, one in shown})
    used = f"{counts[0]}–{counts[-1]}" if len(counts) > 1 else str(counts[0])
    note = _("Only photos that a reader answered in both sessions; photos a reader: %(n)s.") % {"n": used}
    return Figure(
        name, title, drawing, columns, table, (Series(_("Readers"), "ink", "", tuple(points)), mean), note
    )


def _change_said(reader: str, one: Mapping) -> Callable[[], str]:
    def said() -> str:
        return _(
            "%(reader)s: %(before)s, then %(after)s; %(gained)d wrong answers became right, %(lost)d right ones wrong"
        ) % {
            "reader": reader, "before": percent(one["accuracy_before"]), "after": percent(one["accuracy_after"]),
            "gained": one["wrong_to_right"], "lost": one["right_to_wrong"],
        }  # fmt: skip

    return said


def _named(
    drawing: Drawing, axes: Axes, shown: Rows, x: float, value: str, side: int, room: float, step: float
) -> None:
    """Readers' whole names beside their points, each led to its own by a thin line."""
    places = [axes.y(one[value]) for _reader, one in shown]
    for (reader, _one), at, y in zip(shown, places, apart(places, step, axes.top, axes.foot), strict=True):
        drawing.line([(x + 6 * side, at), (x + 16 * side, y)], "muted", 0.6)
        anchor = "start" if side > 0 else "end"
        label(drawing, x + 18 * side, y - 0.5, reader, room - 8, size=SMALL, anchor=anchor)
