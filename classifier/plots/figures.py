"""The figures of a report: each a drawing, the points a reader may ask, and the same numbers as a table."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from django.utils.translation import pgettext

from classifier.metrics.proportions import proportion
from classifier.plots.axes import LOG_FLOOR, Axes, ticks
from classifier.plots.canvas import CIRCLE, DIAMOND, SQUARE, TRIANGLE, Drawing, series_colour
from classifier.plots.frame import LABEL, SMALL, WIDE, Entry, Form, foot, head, label, legend, wrapped
from classifier.plots.letters import text_width
from classifier.plots.notes import note_words
from classifier.plots.tables import ENDLESS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped

_SQUARE = 460.0
# Of the datasets of one figure.
MARKS = (CIRCLE, SQUARE, TRIANGLE, DIAMOND)
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Fewer photos than that say nothing of a group.
TOO_FEW = 10
# A curve among all, among other malignant and among other benign photos, in every figure of the product.
WAY_LOOKS = (("ink", ""), ("blue", "dotted"), ("vermillion", "dash-dotted"))


@dataclass(frozen=True)
class Point:
    """A place on the drawing and what is to be said of it."""

    x: float
    y: float
    said: str | Callable[[], str]

    @property
    def text(self) -> str:
        """Worked out when it is asked for: a file needs none of them."""
        return self.said if isinstance(self.said, str) else self.said()


@dataclass(frozen=True)
class Series:
    """A curve in its colour (and dash), or marks, with points that can be read out."""

    name: str
    colour: str
    dash: str = ""
    points: tuple[Point, ...] = ()
    is_curve: bool = False


@dataclass(frozen=True)
class Figure:
    """``name`` is that of its files. ``note`` says why there is nothing to draw, or what to beware of."""

    name: str
    title: str
    drawing: Drawing | None
    columns: tuple[str, ...]
    rows: tuple[tuple, ...]
    series: tuple[Series, ...] = field(default=())
    note: str = ""
    # Rows that are worth printing; those of a curve's points are for the CSV alone.
    printed: int | None = None
    # What is said above and below it: n, readers, model; that it is synthetic.
    facts: tuple[str, ...] = ()
    # The same laid out for a phone; a page that has it shows the one that fits.
    phone: "Figure | None" = None

    @property
    def caption(self) -> str:
        """All that is said above and below it, for where it stands without."""
        said = (self.title, *self.facts, self.note)
        return " ".join(text if text.endswith(".") else f"{text}." for text in dict.fromkeys(said) if text)


def framed(
    figure: Figure,
    form: Form,
    facts: Sequence[str],
    *,
    always: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Figure:
    """The same figure with its title and facts above and its notes below. ``always``: said whatever the form is."""
    if figure.drawing is None:
        return figure
    inside = figure.drawing
    drawing = Drawing(inside.width, inside.height, figure.title)
    lines = [*(facts if form.has_title else ()), *always]
    down = head(drawing, figure.title if form.has_title else "", lines)
    drawing.place(inside, 0, down)
    drawing.height = inside.height + down
    if form.has_notes:
        foot(drawing, [note for note in (figure.note, *notes) if note])
    series = tuple(
        replace(one, points=tuple(Point(point.x, point.y + down, point.said) for point in one.points))
        for one in figure.series
    )
    said = (*facts, *always, *notes)
    return replace(figure, drawing=drawing, series=series, facts=said)


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def threshold_text(value: float | str | None) -> str:
    """A threshold with four decimals, or more where it is smaller than that; an endless one may come as a word."""
    if value is None or isinstance(value, str):
        return ENDLESS.get(value or "", value or "–")
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.4f}" if value >= 0.001 or value <= 0 else f"{value:.2g}"


def counted(count: int, of: int) -> str:
    """A share with its counts and Wilson's interval."""
    found = proportion(count, of)
    if found.value is None or found.low is None or found.high is None:
        return _("not evaluable")
    counted = f"{grouped(found.count)}/{grouped(found.of)}"
    return f"{percent(found.value)} ({counted}; {100 * found.low:.1f}–{100 * found.high:.1f} %)"


def roc(
    name: str, title: str, curve: Mapping, youden: Mapping | None, aucs: Sequence[Mapping | None] = (),
    form: Form = WIDE,
) -> Figure:  # fmt: skip
    """Sensitivity over 1 - specificity of one disease: among all, other malignant and other benign photos.

    ``aucs``: the areas among these, where they are known. As a thumbnail: ``thumbnails.roc``.
    """
    positives = curve["positives"]
    ways = (
        (_("among all others"), "true_negatives", curve["negatives"]),
        (_("among other malignant"), "rejected_other_malignant", curve["other_malignant"]),
        (_("among other benign"), "rejected_other_benign", curve["other_benign"]),
    )
    columns = (
        _("Threshold"), _("True positives"), _("Positives"), _("True negatives"), _("Negatives"),
        _("Rejected other malignant"), _("Other malignant"), _("Rejected other benign"), _("Other benign"),
    )  # fmt: skip
    rows = _threshold_rows(curve)
    if not positives or not curve["negatives"]:
        return Figure(name, title, None, columns, rows, note=_("not evaluable"))
    drawing = _square(title, form)
    axes = Axes(drawing)
    axes.frame(_("1 − specificity"), _("Sensitivity"), SHARES, SHARES)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    series, entries = [], []
    for place, (words, field_name, total) in enumerate(ways):
        if not total:
            continue
        colour, dash = WAY_LOOKS[place]
        points = []
        for index, threshold in enumerate(curve["thresholds"]):
            hits, rejected = curve["true_positives"][index], curve[field_name][index]
            x, y = axes.x(1 - rejected / total), axes.y(hits / positives)
            points.append(Point(x, y, partial(_read_out, threshold, hits, positives, rejected, total)))
        drawing.line([(point.x, point.y) for point in points], colour, 2, dash)
        series.append(Series(words, colour, dash, tuple(points), is_curve=True))
        if auc := next(iter(aucs[place : place + 1]), None):
            words = f"{words}: AUC {auc_text(auc)}"
        entries.append(Entry(words, colour, dash=dash))
    if youden:
        specificity = youden["true_negatives"] / curve["negatives"]
        at = axes.x(1 - specificity), axes.y(youden["true_positives"] / positives)
        drawing.shape(*at, "ink", DIAMOND, 5, hollow=True)
        entries.append(Entry(_("Youden threshold of these photos (optimistic)"), "ink", DIAMOND, hollow=True))
    entries.append(Entry(_("No better than chance"), "muted", dash="dotted", width=1))
    drawing.height = legend(drawing, entries, axes.foot + 60)
    return Figure(name, title, drawing, columns, rows, tuple(series))


def _square(title: str, form: Form) -> Drawing:
    width = min(form.width, _SQUARE)
    return Drawing(width, width - 20, title)


def _threshold_rows(curve: Mapping) -> tuple[tuple, ...]:
    return tuple(
        (threshold, tp, curve["positives"], tn, curve["negatives"], mal, curve["other_malignant"], ben,
         curve["other_benign"])
        for threshold, tp, tn, mal, ben in zip(
            curve["thresholds"], curve["true_positives"], curve["true_negatives"],
            curve["rejected_other_malignant"], curve["rejected_other_benign"], strict=True,
        )
    )  # fmt: skip


def _read_out(threshold, hits: int, positives: int, rejected: int | None, negatives: int) -> str:
    parts = [
        _("threshold %(value)s") % {"value": threshold_text(threshold)},
        _("sensitivity %(value)s") % {"value": counted(hits, positives)},
    ]
    if rejected is not None and negatives:
        parts.append(_("specificity %(value)s") % {"value": counted(rejected, negatives)})
    return " · ".join(parts)


def thresholds(
    name: str, title: str, curves: Sequence[tuple[str, Mapping]], *, log: bool, marks: Sequence[tuple] = (),
    form: Form = WIDE,
) -> Figure:  # fmt: skip
    """Sensitivity and specificity over the threshold, a colour and, where there are several, a mark a dataset;
    ``marks`` are (name, threshold)."""
    columns = (_("Dataset"), _("Threshold"), _("Sensitivity"), _("Specificity"))
    rows, series, entries = [], [], []
    drawing = Drawing(form.width, min(400.0, form.width * 0.75), title)
    axes = Axes(drawing, x=(LOG_FLOOR, 1.0) if log else (0.0, 1.0), log=log, top=24, bottom=46)
    x_ticks = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0) if log else SHARES
    axes.frame(_("Threshold"), "", x_ticks, SHARES, x_label_below=34)
    for place, (dataset, curve) in enumerate(curves):
        colour = series_colour(place)
        both = [(_("sensitivity"), "true_positives", "positives", "")]
        if curve["negatives"]:
            both.append((_("specificity"), "true_negatives", "negatives", "dashed"))
        values = [_finite(value) for value in curve["thresholds"]]
        for words, field_name, total, dash in both:
            if not curve[total]:
                continue
            points = []
            for index, value in enumerate(values):
                text = partial(
                    _read_out, curve["thresholds"][index], curve["true_positives"][index], curve["positives"],
                    curve["true_negatives"][index], curve["negatives"],
                )  # fmt: skip
                points.append(Point(axes.x(value), axes.y(curve[field_name][index] / curve[total]), text))
            line = _steps(points)
            drawing.line(line, colour, 2, dash)
            # Told apart in grey as well, each dataset at places of its own.
            marked = MARKS[place % len(MARKS)] if len(curves) > 1 else ""
            for share in range(7) if marked else ():
                x = axes.left + axes.width * (share + 0.5 + 0.7 * place / len(curves)) / 7.5
                drawing.shape(x, _height(line, x), colour, marked, 4)
            series.append(Series(f"{dataset}, {words}", colour, dash, tuple(points), is_curve=True))
            entries.append(Entry(f"{dataset}, {words}", colour, dash=dash, marked=marked))
        rows += [
            (dataset, value, _share(tp, curve["positives"]), _share(tn, curve["negatives"]))
            for value, tp, tn in zip(
                curve["thresholds"], curve["true_positives"], curve["true_negatives"], strict=True
            )
        ]
    for words, value in marks:
        at = axes.x(_finite(value))
        drawing.line([(at, axes.top), (at, axes.foot)], "ink", 1, "dotted")
        # Above the axes, where no curve crosses it.
        anchor = "start" if at < axes.left + axes.width / 2 else "end"
        drawing.text(at, axes.top - 6, words, colour="muted", size=SMALL, anchor=anchor)
    drawing.height = legend(drawing, entries, axes.foot + 60)
    note = "" if series else _("not evaluable")
    return Figure(name, title, drawing if series else None, columns, tuple(rows), tuple(series), note)


def _finite(value: float | str) -> float:
    return {"inf": 1.0, "-inf": 0.0}[value] if isinstance(value, str) else value


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _steps(points: Sequence[Point]) -> list[tuple[float, float]]:
    """A share stays as it is until the next score: the curve goes in steps."""
    found: list[tuple[float, float]] = []
    for point in points:
        if found:
            found.append((point.x, found[-1][1]))
        found.append((point.x, point.y))
    return found


def _height(line: Sequence[tuple[float, float]], x: float) -> float:
    """Where a line of steps is at ``x``."""
    return next((y for at, y in reversed(line) if at <= x), line[0][1])


def confusion(
    name: str,
    title: str,
    matrix: Mapping,
    names: Mapping[str, str],
    *,
    columns_are: str = "",
    form: Form = WIDE,
) -> Figure:
    """Rows are what the photo shows, columns the model's first choice (or what ``columns_are`` says); the shade
    is the share of the row."""
    rows, keys = matrix["rows"], matrix["columns"]
    words = {
        key: f"{names.get(key, key)} ({grouped(sum(counts))})"
        for key, counts in zip(rows, matrix["counts"], strict=True)
    }
    room = form.width * (0.34 if form.is_narrow else 0.3)
    left = 40 + max(text_width(line, SMALL) for text in words.values() for line in wrapped(text, room, SMALL))
    cell = min(38.0, (form.width - left - 12) / len(keys))
    widest = max(
        (text_width(str(count), SMALL) for counts in matrix["counts"] for count in counts), default=0
    )
    # Where numbers would not fit beside the names, each name stands above its row.
    above = 14.0 if form.is_narrow and cell < widest + 2 else 0.0
    if above:
        left, room = 30.0, form.width - 42
        cell = (form.width - left - 12) / len(keys)
    top = 42 + max(text_width(names.get(key, key), SMALL) for key in keys)
    names_take = {key: 8 + 11.5 * len(wrapped(words[key], room, SMALL)) for key in rows}
    heights = {key: 20.0 if above else max(min(cell, 30.0), names_take[key]) for key in rows}
    drawing = Drawing(
        left + cell * len(keys) + 12, top + sum(heights.values()) + above * len(rows) + 10, title
    )
    columns_are = columns_are or _("Columns: the model's first choice")
    drawing.text(left, 14, columns_are, size=LABEL, bold=True)
    for column, key in enumerate(keys):
        drawing.text(left + cell * (column + 0.5) + 4, top - 8, names.get(key, key), size=SMALL, turned=True)
    points, y = [], top
    for key, counts in zip(rows, matrix["counts"], strict=True):
        total, height = sum(counts), heights[key]
        if above:
            drawing.text(left, y + above - 4, words[key], size=SMALL)
            y += above
        else:
            label(drawing, left - 8, y + height / 2, words[key], room, size=SMALL, anchor="end")
        for column, count in enumerate(counts):
            x, share = left + cell * column, count / total if total else 0
            shade(drawing, x, y, cell - 1, height - 1, share)
            if count:
                colour = "surface" if share > 0.65 else "ink"
                drawing.text(
                    x + cell / 2, y + height / 2 + 4, str(count), colour=colour, size=SMALL, anchor="middle"
                )
            said = partial(
                _taken_for, names.get(key, key), names.get(keys[column], keys[column]), count, total
            )
            points.append(Point(x + cell / 2, y + height / 2, said))
        y += height
    drawing.text(
        14, (top + y) / 2, _("Rows: the truth (photos)"), size=LABEL, bold=True, anchor="middle", turned=True
    )
    drawing.height = colour_key(drawing, left, y + 8, _("Share of the row"))
    table = tuple((names.get(key, key), *counts) for key, counts in zip(rows, matrix["counts"], strict=True))
    columns = (_("Truth"), *(names.get(key, key) for key in keys))
    return Figure(name, title, drawing, columns, table, (Series(_("Cells"), "ink", "", tuple(points)),))


def _taken_for(truth: str, answer: str, count: int, total: int) -> str:
    return _("%(truth)s taken for %(answer)s: %(share)s") % {
        "truth": truth, "answer": answer, "share": counted(count, total),
    }  # fmt: skip


def shade(drawing: Drawing, x: float, y: float, width: float, height: float, share: float) -> None:
    """A cell of a matrix, from nothing to all."""
    drawing.box(x, y, width, height, *(("blue", share) if share > 0.03 else ("grid", 0.35)))


def colour_key(drawing: Drawing, left: float, y: float, words: str) -> float:
    """What the shades mean, from 0 to 1; returns where it ends."""
    for place in range(20):
        shade(drawing, left + 5 * place, y, 5, 10, place / 19)
    drawing.text(left, y + 21, "0", colour="muted", size=SMALL)
    drawing.text(left + 100, y + 21, "1", colour="muted", size=SMALL, anchor="end")
    drawing.text(left + 108, y + 9, words, colour="muted", size=SMALL)
    return y + 28


def calibration(name: str, title: str, found: Mapping | None, form: Form = WIDE) -> Figure:
    """How often the disease is there, by how high its score is."""
    columns = (
        _("Scores from"), pgettext("end of a range", "to"), _("Photos"), _("With the disease"),
        _("Mean score"), _("Share observed"), _("Low"), _("High"),
    )  # fmt: skip
    if not found:
        return Figure(name, title, None, columns, (), note=_("not evaluable"))
    drawing = _square(title, form)
    axes = Axes(drawing)
    axes.frame(_("Mean score"), _("Share with the disease"), SHARES, SHARES)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    rows, points, joined = [], [], []
    for one in found["bins"]:
        seen = one["observed"]
        rows.append(
            (one["low"], one["high"], seen["of"], seen["count"], one["mean_score"], seen["value"], seen["low"],
             seen["high"])
        )  # fmt: skip
        if one["mean_score"] is None:
            continue
        x = axes.x(one["mean_score"])
        drawing.line([(x, axes.y(seen["low"])), (x, axes.y(seen["high"]))], "blue", 1.5)
        drawing.dot(x, axes.y(seen["value"]), "blue", 3.5 if seen["of"] >= TOO_FEW else 2)
        at = axes.y(seen["value"]) + (-8 if seen["value"] < 0.9 else 16)
        drawing.text(x + 5, at, str(seen["of"]), colour="muted", size=SMALL)
        if seen["of"] > 1:
            joined.append((x, axes.y(seen["value"])))
        text = _("mean score %(score)s: %(share)s have the disease") % {
            "score": f"{one['mean_score']:.3f}",
            "share": counted(seen["count"], seen["of"]),
        }
        points.append(Point(x, axes.y(seen["value"]), text))
    if len(joined) > 1:
        drawing.line(joined, "blue", 1)
    note = _("A dataset chosen by diagnosis has an artificial prevalence; every figure here depends on it.")
    # xgettext:no-python-format
    bins = _("Numbers: photos of a bin; lines: Wilson's 95 % interval; a bin of one photo is not joined.")
    note = f"{note} {bins}"
    return Figure(
        name, title, drawing, columns, tuple(rows), (Series(title, "blue", "", tuple(points)),), note
    )


def forest(
    name: str,
    title: str,
    groups: Sequence[tuple[str, Sequence[Mapping]]],
    overall: Mapping | None,
    form: Form = WIDE,
) -> Figure:
    """AUC with DeLong's interval by subgroup; too few photos of the disease are said, not drawn."""
    columns = (
        _("Division"), _("Group"), _("Photos"), _("With the disease"), _("AUC"), _("Low"), _("High"), _("Note"),
    )  # fmt: skip
    lines = [(_("All photos"), [overall])] if overall else []
    lines += [(division, list(rows)) for division, rows in groups if rows]
    share_of = {
        id(row): _("%(n)d of %(all)d") % {"n": row["positives"], "all": row["photos"]}
        for _division, rows in lines
        for row in rows
    }
    room = form.width * 0.3
    names = {id(row): wrapped(row["label"], room, LABEL) for _division, rows in lines for row in rows}
    text = max((text_width(line, LABEL) for found in names.values() for line in found), default=0)
    left = 40 + text + max(map(lambda said: text_width(said, LABEL), share_of.values()), default=0)
    areas = [auc_text(row["auc"]) for _division, rows in lines for row in rows if row["auc"]]
    widest = max((text_width(one, LABEL) for one in areas), default=0)
    right = 16.0 if form.is_narrow else 26 + widest
    heights = {
        id(row): (32.0 if form.is_narrow and row["auc"] else 20.0) + 13 * (len(names[id(row)]) - 1)
        for _division, rows in lines
        for row in rows
    }
    drawing = Drawing(form.width, 66 + 18 * len(lines) + sum(heights.values()), title)
    axes = Axes(drawing, left=left, x=(0.0, 1.0), top=10, right=right)
    axes.frame(_("AUC"), "", SHARES, ())
    drawing.line([(axes.x(0.5), axes.top), (axes.x(0.5), axes.foot)], "muted", 1, "dotted")
    y, table, points = axes.top + 14, [], []
    for division, rows in lines:
        drawing.text(12, y, division, size=LABEL, bold=True)
        y += 18
        for row in rows:
            auc, share = row["auc"], share_of[id(row)]
            for place, line in enumerate(names[id(row)]):
                drawing.text(20, y + 13 * place, line, size=LABEL)
            drawing.text(left - 12, y, share, colour="muted", size=LABEL, anchor="end")
            said = auc_text(auc) if auc else note_words(row["note"])
            if auc:
                at = axes.x(auc["auc"])
                if auc["low"] is not None:
                    drawing.line([(axes.x(auc["low"]), y - 4), (axes.x(auc["high"]), y - 4)], "blue", 2)
                drawing.dot(at, y - 4, "blue", 4)
                points.append(Point(at, y - 4, f"{division}, {row['label']}: {auc_text(auc)} · {share}"))
            if not auc:
                drawing.text(left + 8, y, said, colour="muted", size=LABEL)
            elif form.is_narrow:
                drawing.text(form.width - 16, y + 10, said, size=SMALL, anchor="end")
            else:
                drawing.text(form.width - right + 10, y, said, size=LABEL)
            table.append(
                (division, row["label"], row["photos"], row["positives"], auc and auc["auc"], auc and auc["low"],
                 auc and auc["high"], note_words(row["note"] or (auc["note"] if auc else "")))
            )  # fmt: skip
            y += heights[id(row)]
    # xgettext:no-python-format
    note = _("With the disease, of all photos; AUC with DeLong's 95 % interval.")
    return Figure(
        name, title, drawing, columns, tuple(table), (Series(_("AUC"), "blue", "", tuple(points)),), note
    )


def decision(name: str, title: str, found: Mapping | None, form: Form = WIDE) -> Figure:
    """Net benefit of listing by the model, of listing everybody and of listing nobody."""
    columns = (_("Threshold probability"), _("Model"), _("List all"))
    if not found:
        return Figure(name, title, None, columns, (), note=_("not evaluable"))
    top = max(found["prevalence"], max(found["net_benefit"]), 0.01) * 1.08
    low = -0.25 * top
    drawing = _square(title, form)
    axes = Axes(drawing, y=(low, top), left=66)
    axes.frame(_("Threshold probability"), _("Net benefit"), SHARES, ticks(low, top))
    ways = ((_("model"), "net_benefit", "blue", ""), (_("list all"), "list_all", "orange", "dashed"))
    series = []
    for words, field_name, colour, dash in ways:
        inside = [
            pair for pair in zip(found["probabilities"], found[field_name], strict=True) if pair[1] >= low
        ]
        points = tuple(
            Point(
                axes.x(t),
                axes.y(value),
                _("at %(probability)s: net benefit %(value)s")
                % {"probability": percent(t), "value": f"{value:.4f}"},
            )
            for t, value in inside
        )
        drawing.line([(point.x, point.y) for point in points], colour, 2, dash)
        series.append(Series(words, colour, dash, points, is_curve=True))
    drawing.line(axes.places([(0, 0), (1, 0)]), "ink", 1, "dotted")
    entries = [Entry(one.name, one.colour, dash=one.dash) for one in series]
    entries.append(Entry(pgettext("decision curve", "list nobody"), "ink", dash="dotted", width=1))
    drawing.height = legend(drawing, entries, axes.foot + 60)
    rows = tuple(zip(found["probabilities"], found["net_benefit"], found["list_all"], strict=True))
    note = _("Scores are read as probabilities, at the prevalence of this dataset: %(share)s.") % {
        "share": percent(found["prevalence"])
    }
    return Figure(name, title, drawing, columns, rows, tuple(series), note)


def auc_text(auc: Mapping | None) -> str:
    """An AUC with its interval, or why it has none."""
    if not auc:
        return _("not evaluable")
    if auc["low"] is None or auc["note"]:
        return f"{auc['auc']:.3f} ({note_words(auc['note'])})"
    return f"{auc['auc']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"
