"""The figures of a report: each a drawing, the points a reader may ask, and the same numbers as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from classifier.metrics.proportions import proportion
from classifier.plots.axes import LOG_FLOOR, Axes, ticks
from classifier.plots.canvas import Drawing, series_colour

SQUARE = (460.0, 440.0)
WIDE = (680.0, 400.0)
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_DASHES = ("", "dashed", "dotted")


@dataclass(frozen=True)
class Point:
    """A place on the drawing and what is to be said of it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Series:
    """A curve in its colour (and dash), with points that can be read out."""

    name: str
    colour: str
    dash: str = ""
    points: tuple[Point, ...] = ()


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


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def threshold_text(value: float | str | None) -> str:
    """A threshold with four decimals, or more where it is smaller than that."""
    if value is None or isinstance(value, str):
        return str(value or "–")
    return f"{value:.4f}" if value >= 0.001 or value <= 0 else f"{value:.2g}"


def counted(count: int, of: int) -> str:
    """A share with its counts and Wilson's interval."""
    found = proportion(count, of)
    if found.value is None or found.low is None or found.high is None:
        return _("not evaluable")
    return (
        f"{percent(found.value)} ({found.count}/{found.of}; {100 * found.low:.1f}–{100 * found.high:.1f} %)"
    )


def roc(name: str, title: str, curve: Mapping, youden: Mapping | None, *, small: bool = False) -> Figure:
    """Sensitivity over 1 - specificity of one disease: among all, other malignant and other benign photos.

    ``small``: as a thumbnail, without words.
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
    drawing = Drawing(*((200.0, 200.0) if small else SQUARE), title)
    axes = Axes(drawing, left=6, top=6, right=6, bottom=6) if small else Axes(drawing)
    if small:
        drawing.line(axes.places([(0, 1), (0, 0), (1, 0)]), "muted", 1)
    else:
        axes.frame(_("1 − specificity"), _("Sensitivity"), SHARES, SHARES)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    series = []
    for place, (words, field_name, total) in enumerate(ways):
        if not total:
            continue
        colour, dash = series_colour(place), _DASHES[place]
        points = []
        for index, threshold in enumerate(curve["thresholds"]):
            hits, rejected = curve["true_positives"][index], curve[field_name][index]
            x, y = axes.x(1 - rejected / total), axes.y(hits / positives)
            points.append(Point(x, y, _read_out(threshold, hits, positives, rejected, total)))
        drawing.line([(point.x, point.y) for point in points], colour, 2, dash)
        series.append(Series(words, colour, dash, tuple(points)))
    if youden:
        specificity = youden["true_negatives"] / curve["negatives"]
        drawing.dot(axes.x(1 - specificity), axes.y(youden["true_positives"] / positives), "ink", 4.5)
    if not small:
        entries = [(one.name, one.colour, one.dash) for one in series]
        _legend(drawing, entries, axes.left + axes.width, axes.foot)
    return Figure(name, title, drawing, columns, rows, tuple(series))


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
    name: str, title: str, curves: Sequence[tuple[str, Mapping]], *, log: bool, marks: Sequence[tuple] = ()
) -> Figure:
    """Sensitivity and specificity over the threshold, a colour a dataset; ``marks`` are (name, threshold)."""
    columns = (_("Dataset"), _("Threshold"), _("Sensitivity"), _("Specificity"))
    rows, series = [], []
    drawing = Drawing(*WIDE, title)
    axes = Axes(drawing, x=(LOG_FLOOR, 1.0) if log else (0.0, 1.0), log=log, bottom=74)
    x_ticks = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0) if log else SHARES
    # The legend stands below the label of the axis.
    axes.frame(_("Threshold"), "", x_ticks, SHARES, x_label_below=32)
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
                text = _read_out(
                    curve["thresholds"][index], curve["true_positives"][index], curve["positives"],
                    curve["true_negatives"][index], curve["negatives"],
                )  # fmt: skip
                points.append(Point(axes.x(value), axes.y(curve[field_name][index] / curve[total]), text))
            drawing.line(_steps(points), colour, 2, dash)
            series.append(Series(f"{dataset}, {words}", colour, dash, tuple(points)))
        rows += [
            (dataset, value, _share(tp, curve["positives"]), _share(tn, curve["negatives"]))
            for value, tp, tn in zip(
                curve["thresholds"], curve["true_positives"], curve["true_negatives"], strict=True
            )
        ]
    for words, value in marks:
        at = axes.x(_finite(value))
        drawing.line([(at, axes.top), (at, axes.foot)], "ink", 1, "dotted")
        drawing.text(at + 3, axes.top + 11, words, colour="muted", size=10)
    _legend_below(drawing, [(one.name, one.colour, one.dash) for one in series], axes)
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


def confusion(
    name: str, title: str, matrix: Mapping, names: Mapping[str, str], *, columns_are: str = ""
) -> Figure:
    """Rows are what the photo shows, columns the model's first choice (or what ``columns_are`` says); the shade
    is the share of the row."""
    rows, keys = matrix["rows"], matrix["columns"]
    cell, left, top = 38.0, 232.0, 160.0
    drawing = Drawing(left + cell * len(keys) + 16, top + cell * len(rows) + 40, title)
    for column, key in enumerate(keys):
        x = left + cell * (column + 0.5) + 4
        drawing.text(x, top - 8, _short(names.get(key, key), 26), size=11, turned=True)
    points = []
    for line, (key, counts) in enumerate(zip(rows, matrix["counts"], strict=True)):
        total = sum(counts)
        y = top + cell * line
        label = f"{_short(names.get(key, key), 30)} ({total})"
        drawing.text(left - 8, y + cell / 2 + 4, label, size=11, anchor="end")
        for column, count in enumerate(counts):
            x, share = left + cell * column, count / total if total else 0
            drawing.box(x, y, cell - 1, cell - 1, "grid")
            if count:
                drawing.box(x, y, cell - 1, cell - 1, "blue", share)
                colour = "surface" if share > 0.65 else "ink"
                drawing.text(
                    x + cell / 2, y + cell / 2 + 4, str(count), colour=colour, size=11, anchor="middle"
                )
            said = _("%(truth)s taken for %(answer)s: %(share)s") % {
                "truth": names.get(key, key),
                "answer": names.get(keys[column], keys[column]),
                "share": counted(count, total),
            }
            points.append(Point(x + cell / 2, y + cell / 2, said))
    columns_are = columns_are or _("Columns: the model's first choice")
    drawing.text(left, top + cell * len(rows) + 22, columns_are, colour="muted", size=11)
    table = tuple((names.get(key, key), *counts) for key, counts in zip(rows, matrix["counts"], strict=True))
    columns = (_("Truth"), *(names.get(key, key) for key in keys))
    return Figure(name, title, drawing, columns, table, (Series(_("Cells"), "ink", "", tuple(points)),))


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def calibration(name: str, title: str, found: Mapping | None) -> Figure:
    """How often the disease is there, by how high its score is."""
    columns = (
        _("Scores from"), pgettext("end of a range", "to"), _("Photos"), _("With the disease"),
        _("Mean score"), _("Share observed"), _("Low"), _("High"),
    )  # fmt: skip
    if not found:
        return Figure(name, title, None, columns, (), note=_("not evaluable"))
    drawing = Drawing(*SQUARE, title)
    axes = Axes(drawing)
    axes.frame(_("Mean score"), _("Share with the disease"), SHARES, SHARES)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    rows, points = [], []
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
        drawing.dot(x, axes.y(seen["value"]), "blue")
        text = _("mean score %(score)s: %(share)s have the disease") % {
            "score": f"{one['mean_score']:.3f}",
            "share": counted(seen["count"], seen["of"]),
        }
        points.append(Point(x, axes.y(seen["value"]), text))
    drawing.line([(point.x, point.y) for point in points], "blue", 1.5)
    note = _("A dataset chosen by diagnosis has an artificial prevalence; every figure here depends on it.")
    return Figure(
        name, title, drawing, columns, tuple(rows), (Series(title, "blue", "", tuple(points)),), note
    )


def forest(
    name: str, title: str, groups: Sequence[tuple[str, Sequence[Mapping]]], overall: Mapping | None
) -> Figure:
    """AUC with DeLong's interval by subgroup; too few photos of the disease are said, not drawn."""
    columns = (
        _("Division"),
        _("Group"),
        _("Photos"),
        _("With the disease"),
        _("AUC"),
        _("Low"),
        _("High"),
        _("Note"),
    )
    lines = [(_("All photos"), [overall])] if overall else []
    lines += [(division, list(rows)) for division, rows in groups if rows]
    count = sum(len(rows) + 1 for _division, rows in lines)
    height = 20.0
    drawing = Drawing(680, 66 + height * count, title)
    axes = Axes(drawing, left=330, x=(0.0, 1.0), top=10)
    axes.frame(_("AUC"), "", SHARES, (), x_text=lambda value: f"{value:g}")
    drawing.line([(axes.x(0.5), axes.top), (axes.x(0.5), axes.foot)], "muted", 1, "dotted")
    y, table, points = axes.top + 14, [], []
    for division, rows in lines:
        drawing.text(12, y, division, size=12, bold=True)
        y += height
        for row in rows:
            auc = row["auc"]
            share = _("%(n)d of %(all)d") % {"n": row["positives"], "all": row["photos"]}
            drawing.text(24, y, _short(row["label"], 26), size=11)
            drawing.text(axes.left - 12, y, share, colour="muted", size=11, anchor="end")
            if auc:
                at = axes.x(auc["auc"])
                if auc["low"] is not None:
                    drawing.line([(axes.x(auc["low"]), y - 4), (axes.x(auc["high"]), y - 4)], "blue", 2)
                drawing.dot(at, y - 4, "blue", 4)
                points.append(Point(at, y - 4, f"{division}, {row['label']}: {auc_text(auc)} · {share}"))
            else:
                drawing.text(axes.left + 8, y, note_words(row["note"]), colour="muted", size=11)
            table.append(
                (division, row["label"], row["photos"], row["positives"], auc and auc["auc"], auc and auc["low"],
                 auc and auc["high"], note_words(row["note"] or (auc["note"] if auc else "")))
            )  # fmt: skip
            y += height
    return Figure(name, title, drawing, columns, tuple(table), (Series(_("AUC"), "blue", "", tuple(points)),))


def decision(name: str, title: str, found: Mapping | None) -> Figure:
    """Net benefit of listing by the model, of listing everybody and of listing nobody."""
    columns = (_("Threshold probability"), _("Model"), _("List all"))
    if not found:
        return Figure(name, title, None, columns, (), note=_("not evaluable"))
    top = max(found["prevalence"], max(found["net_benefit"]), 0.01) * 1.08
    low = -0.25 * top
    drawing = Drawing(*SQUARE, title)
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
        series.append(Series(words, colour, dash, points))
    drawing.line(axes.places([(0, 0), (1, 0)]), "ink", 1, "dotted")
    legend = [(one.name, one.colour, one.dash) for one in series]
    legend.append((pgettext("decision curve", "list nobody"), "ink", "dotted"))
    _legend(drawing, legend, axes.left + axes.width, axes.top + 12 + 18 * len(legend))
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


def note_words(code: str) -> str:
    """A note of the metrics for people."""
    return {
        "": "",
        "no_positives": _("not evaluable: no photo of it"),
        "no_negatives": _("not evaluable: no other photo"),
        "one_in_class": _("one photo in a class: no interval"),
        "perfect_separation": _("perfect separation: no interval"),
        "no_variance": _("no variance: no interval"),
        "same_order": _("the same order"),
        "too_few_positives": _("too few"),
        "no_fit": _("no fit"),
        "no_probabilities": _("not evaluable: the scores are no probabilities"),
        "no_scores": _("not evaluable: no scores of a model"),
        "no_answers": _("not evaluable: no answers"),
        "not_a_choice": _("not among the choices"),
        "one_reader": _("not evaluable: one reader"),
        "normal_limit": _("the readers do not differ: normal distribution"),
        "one_answer": _("not evaluable: one answer throughout"),
        "no_common_answers": _("not evaluable: no photo that all readers answered"),
        "no_discordant": _("no photo on which one alone was right"),
        "other_images": _("readers read different photos"),
        "not_asked": _("not evaluable: readers were not asked"),
        "no_model_answer": _("not evaluable: the model does not answer this question"),
        "no_threshold": _("not evaluable: no threshold was fixed for it"),
        "pooled": _("datasets together: an estimate, from which nothing is concluded"),
        "blocks": _("each reader read the part of the photos that the design gave them"),
        "not_assigned": _("not assigned"),
        "many_missing": _("too many answers are missing"),
        "no_common_images": _("not comparable: no photo in both sessions"),
        "too_few_cases": _("too few"),
        "one_test": _("there is one test"),
        "constant_scores": _("not evaluable: the score is the same for every photo"),
        "no_freedom": _("too few readers or photos: no interval"),
        "no_auc_of_a_reader": _("not evaluable: a reader rated one class only"),
        "negative_variance": _("the estimate of the variance is below 0: no interval"),
        "other_readers": _("not comparable: not the same readers"),
    }[code]


def _legend(drawing: Drawing, entries: Sequence[tuple[str, str, str]], right: float, foot: float) -> None:
    """In the corner at right and foot, the last entry lowest."""
    width = 34 + 6.4 * max(len(name) for name, _colour, _dash in entries)
    for place, (name, colour, dash) in enumerate(reversed(entries)):
        y = foot - 14 - 18 * place
        drawing.line([(right - width, y - 4), (right - width + 24, y - 4)], colour, 2, dash)
        drawing.text(right - width + 30, y, name, size=11)


def _legend_below(drawing: Drawing, entries: Sequence[tuple[str, str, str]], axes: Axes) -> None:
    """In lines below the axis; the drawing grows by what they need."""
    x, y = axes.left, axes.foot + 56
    for name, colour, dash in entries:
        width = 44 + 6.6 * len(name)
        if x + width > drawing.width and x > axes.left:
            x, y = axes.left, y + 18
        drawing.line([(x, y - 4), (x + 24, y - 4)], colour, 2, dash)
        drawing.text(x + 30, y, name, size=11)
        x += width
    drawing.height = max(drawing.height, y + 12)
