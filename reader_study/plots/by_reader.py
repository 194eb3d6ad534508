"""Figures with a line for each reader: accuracy, unaided and aided, agreement, time; and subgroups."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import CIRCLE, STAR, Drawing
from classifier.plots.figures import SHARES, Figure, Point, Series, counted, note_words, percent
from reader_study.plots import marks
from reader_study.plots.marks import Entry

_ROW, _WIDTH, _LEFT = 22.0, 640.0, 150.0
LABEL = 11.0
Groups = Mapping[str, str]


def _ordered(readers: Mapping[str, Mapping], groups: Groups) -> list[tuple[str, Mapping]]:
    """Group by group, in the order of the groups."""
    order = {group: place for place, group in enumerate(groups)}
    return sorted(readers.items(), key=lambda pair: order.get(pair[1]["group"], len(order)))


def _mark(groups: Groups, group: str) -> tuple[str, str]:
    return marks.group_mark(list(groups).index(group)) if group in groups else ("ink", CIRCLE)


def _entries(groups: Groups, readers: Mapping[str, Mapping]) -> list[Entry]:
    there = {one["group"] for one in readers.values()}
    return [
        Entry(name or _("Readers"), *_mark(groups, group)) for group, name in groups.items() if group in there
    ]


def accuracy(name: str, title: str, found: Mapping, model: Mapping | None, groups: Groups) -> Figure:
    """Each reader's share of right answers with Wilson's interval, beside the model's."""
    columns = (
        _("Reader"), _("Group"), _("Right"), _("Photos"), _("Missing answers"), _("Accuracy"), _("Low"), _("High"),
        _("Kappa with the truth"), _("Note"),
    )  # fmt: skip
    readers = _ordered(found["readers"], groups)
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
    drawing = Drawing(_WIDTH, 56 + _ROW * len(shown), title)
    axes = Axes(drawing, left=_LEFT, right=24, top=10, bottom=46)
    axes.frame(_("Accuracy"), "", SHARES, ())
    entries = _entries(groups, dict(shown))
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
    for place, (reader, one) in enumerate(shown):
        y = axes.top + _ROW * (place + 0.5)
        colour, shape = _mark(groups, one["group"])
        drawing.text(_LEFT - 10, y + 4, marks.shortened(reader, _LEFT - 20, 11), size=11, anchor="end")
        low, high = one["accuracy_ci"]
        drawing.line([(axes.x(low), y), (axes.x(high), y)], colour, 1.5)
        drawing.shape(axes.x(one["accuracy"]), y, colour, shape, marks.READER)
        points.append(Point(axes.x(one["accuracy"]), y, f"{reader}: {counted(one['right'], one['n'])}"))
    drawing.height = marks.legend(drawing, entries, axes.foot + 68) + 2
    return Figure(
        name, title, drawing, columns, table, (Series(_("Readers"), "ink", "", tuple(points)), *series)
    )


def slopes(name: str, title: str, changes: Mapping, sessions: tuple[str, str], groups: Groups) -> Figure:
    """Each reader's accuracy in the first and in the second session, on photos answered in both."""
    columns = (
        _("Reader"), _("Group"), _("Photos"), sessions[0], sessions[1], _("Wrong, then right"), _("Right, then wrong"),
        _("Exact p"),
    )  # fmt: skip
    readers = _ordered(changes["readers"], groups)
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
    drawing = Drawing(520.0, 460.0, title)
    axes = Axes(drawing, y=(low, high), left=62, right=110, top=14, bottom=40)
    axes.frame("", _("Accuracy"), (), ticks(low, high))
    left, right = axes.left + 70, axes.left + axes.width - 20
    for at, session in ((left, sessions[0]), (right, sessions[1])):
        drawing.line([(at, axes.top), (at, axes.foot)], "grid", 1)
        drawing.text(at, axes.foot + 18, marks.shortened(session, 150, 12), size=12, anchor="middle")
    points, ends = [], []
    for reader, one in shown:
        colour, shape = _mark(groups, one["group"])
        before, after = axes.y(one["accuracy_before"]), axes.y(one["accuracy_after"])
        drawing.line([(left, before), (right, after)], colour, 1.2)
        drawing.shape(left, before, colour, shape, marks.READER)
        drawing.shape(right, after, colour, shape, marks.READER)
        ends.append((after, reader, colour))
        said = _(
            "%(reader)s: %(before)s, then %(after)s; %(gained)d wrong answers became right, %(lost)d right ones wrong"
        )
        said %= {
            "reader": reader, "before": percent(one["accuracy_before"]), "after": percent(one["accuracy_after"]),
            "gained": one["wrong_to_right"], "lost": one["right_to_wrong"],
        }  # fmt: skip
        points.append(Point(right, after, said))
    # With more readers than lines the readout and the table name them.
    named = ends if len(ends) * LABEL <= axes.height else []
    for y, (reader, colour) in _apart(named, LABEL, axes.top, axes.foot):
        drawing.text(right + 12, y + 4, marks.shortened(reader, 96, 10.5), colour=colour, size=10.5)
    means = [
        sum(one[at] for _reader, one in shown) / len(shown) for at in ("accuracy_before", "accuracy_after")
    ]
    drawing.line([(left, axes.y(means[0])), (right, axes.y(means[1]))], "ink", 3)
    mean_said = _("mean of %(readers)s: %(before)s, then %(after)s") % {
        "readers": marks.readers_text(len(shown)), "before": percent(means[0]), "after": percent(means[1]),
    }  # fmt: skip
    mean = Series(_("Mean"), "ink", "", (Point(right, axes.y(means[1]), mean_said),))
    entries = [*_entries(groups, dict(shown)), Entry(_("Mean of the readers"), "ink")]
    drawing.height = marks.legend(drawing, entries, axes.foot + 46) + 2
    note = _("Only photos that a reader answered in both sessions.")
    return Figure(
        name, title, drawing, columns, table, (Series(_("Readers"), "ink", "", tuple(points)), mean), note
    )


def _apart(ends: list[tuple[float, str, str]], least: float, top: float, foot: float):
    """Labels moved apart by at least so much, as near to their places as that allows."""
    ends = sorted(ends)
    places: list[float] = []
    for y, _reader, _colour in ends:
        places.append(max(y, places[-1] + least) if places else max(y, top))
    over = places[-1] - foot if places else 0
    if over > 0:
        # Push back upwards from the foot.
        limit = foot
        for at in range(len(places) - 1, -1, -1):
            places[at] = min(places[at], limit)
            limit = places[at] - least
    return [(y, (reader, colour)) for y, (_at, reader, colour) in zip(places, ends, strict=True)]


def agreement(name: str, title: str, found: Mapping, groups: Groups) -> Figure:
    """Cohen's kappa of every two readers, and of each with the truth."""
    pairs = found["pairwise_kappa"]
    readers = pairs["readers"]
    columns = (_("Reader"), _("Kappa with the truth"), *readers)
    truth = [found["readers"][reader]["kappa_vs_truth"] for reader in readers]
    table = tuple((reader, truth[place], *pairs["kappa"][place]) for place, reader in enumerate(readers))
    if len(readers) < 2:
        return Figure(
            name, title, None, columns, table, note=note_words("one_reader" if readers else "no_answers")
        )
    cell, left, top = 32.0, 110.0, 92.0
    drawing = Drawing(left + cell * (len(readers) + 1) + 30, top + cell * len(readers) + 34, title)
    drawing.width = max(drawing.width, 420.0)
    points = []
    for place, head in enumerate([_("Truth"), *readers]):
        x = left + cell * place + (0 if place == 0 else 10)
        drawing.text(x + cell / 2 + 4, top - 8, marks.shortened(head, top - 16, 11), size=11, turned=True)
    for line, reader in enumerate(readers):
        y = top + cell * line
        colour, shape = _mark(groups, found["readers"][reader]["group"])
        drawing.shape(left - 14, y + cell / 2, colour, shape, 4)
        drawing.text(
            left - 24, y + cell / 2 + 4, marks.shortened(reader, left - 34, 11), size=11, anchor="end"
        )
        for place, (head, value) in enumerate(
            zip([_("the truth"), *readers], (truth[line], *pairs["kappa"][line]), strict=True)
        ):
            if place == line + 1:
                continue
            x = left + cell * place + (0 if place == 0 else 10)
            drawing.box(x, y, cell - 1, cell - 1, "grid")
            if value is None:
                continue
            share = min(max(value, 0.0), 1.0)
            drawing.box(x, y, cell - 1, cell - 1, "blue", share)
            ink = "surface" if share > 0.65 else "ink"
            drawing.text(x + cell / 2, y + cell / 2 + 4, f"{value:.2f}", colour=ink, size=10, anchor="middle")
            said = _("%(reader)s with %(other)s: kappa %(value).3f") % {
                "reader": reader, "other": head, "value": value,
            }  # fmt: skip
            points.append(Point(x + cell / 2, y + cell / 2, said))
    note = _("Pairs: on photos that both answered.")
    for place, text in enumerate([*agreement_texts(found), note]):
        drawing.text(6, top + cell * len(readers) + 22 + 15 * place, text, colour="muted", size=11)
        drawing.height = max(drawing.height, top + cell * len(readers) + 34 + 15 * place)
    return Figure(
        name, title, drawing, columns, table, (Series(_("Pairs"), "blue", "", tuple(points)),), note
    )


def agreement_texts(found: Mapping) -> list[str]:
    """How far all readers of a session, or of a group, agree; a line for each figure that there is."""
    lines = []
    if found["fleiss_kappa"] is not None:
        lines.append(
            _("Fleiss's kappa of all: %(value)s, %(n)d photos that all answered")
            % {
                "value": _with_interval(found["fleiss_kappa"], found["fleiss_ci"]),
                "n": found["fleiss_answered_only"]["images"],
            }
        )
        with_missing = found["fleiss_missing_as_category"]
        if (
            with_missing["kappa"] is not None
            and with_missing["images"] != found["fleiss_answered_only"]["images"]
        ):
            lines.append(
                _("with missing answers as an answer of their own: %(value)s, %(n)d photos")
                % {
                    "value": _with_interval(with_missing["kappa"], with_missing["ci"]),
                    "n": with_missing["images"],
                }
            )
    alpha = found["krippendorff"]
    if alpha["alpha"] is not None:
        lines.append(
            _("Krippendorff's alpha: %(value)s, %(n)d photos that two or more answered")
            % {"value": _with_interval(alpha["alpha"], alpha["ci"]), "n": alpha["images"]}
        )
    return lines


def _with_interval(value: float, ci: Sequence[float] | None) -> str:
    if not ci:
        return f"{value:.3f}"
    return _("%(value).3f (%(low).3f to %(high).3f)") % {"value": value, "low": ci[0], "high": ci[1]}


def time(name: str, title: str, readers: Mapping[str, Mapping], groups: Groups) -> Figure:
    """Each reader's median and mean time for a photo."""
    columns = (
        _("Reader"),
        _("Group"),
        _("Photos with a time"),
        _("Median seconds"),
        _("Mean seconds"),
        _("Minutes in all"),
    )
    ordered = [(reader, one, one["seconds"]) for reader, one in _ordered(readers, groups) if one["seconds"]]
    table = tuple(
        (
            reader, groups.get(one["group"]) or one["group"], known["n"], known["median"], known["mean"],
            known["total"] / 60,
        )
        for reader, one, known in ordered
    )  # fmt: skip
    if not ordered:
        return Figure(name, title, None, columns, (), note=_("not evaluable: no times are known"))
    # An axis needs a length also where nobody took any time.
    most = max(max(known["median"], known["mean"]) for _reader, _one, known in ordered) * 1.08 or 1.0
    drawing = Drawing(_WIDTH, 56 + _ROW * len(ordered), title)
    axes = Axes(drawing, x=(0.0, most), left=_LEFT, right=24, top=10, bottom=46)
    axes.frame(_("Seconds a photo"), "", ticks(0, most), ())
    points = []
    for place, (reader, one, known) in enumerate(ordered):
        y = axes.top + _ROW * (place + 0.5)
        colour, shape = _mark(groups, one["group"])
        drawing.text(_LEFT - 10, y + 4, marks.shortened(reader, _LEFT - 20, 11), size=11, anchor="end")
        drawing.line([(axes.x(known["median"]), y), (axes.x(known["mean"]), y)], colour, 1.5)
        drawing.line([(axes.x(known["mean"]), y - 5), (axes.x(known["mean"]), y + 5)], colour, 2)
        drawing.shape(axes.x(known["median"]), y, colour, shape, marks.READER)
        said = _("%(reader)s: median %(median).1f s, mean %(mean).1f s, %(n)d photos") % {
            "reader": reader, "median": known["median"], "mean": known["mean"], "n": known["n"],
        }  # fmt: skip
        points.append(Point(axes.x(known["median"]), y, said))
    entries = _entries(groups, {reader: one for reader, one, _known in ordered})
    drawing.height = marks.legend(drawing, entries, axes.foot + 68) + 2
    note = _(
        "The mark is the median, the short bar the mean: the time a photo was in sight before the answer."
    )
    return Figure(
        name, title, drawing, columns, table, (Series(_("Readers"), "ink", "", tuple(points)),), note
    )


def subgroups(name: str, title: str, divisions: Sequence[tuple[str, Sequence[Mapping]]]) -> Figure:
    """Readers' mean accuracy and the model's, by age, sex and skin type; ``label`` of each row is in words."""
    columns = (_("Division"), _("Group"), _("Photos"), _("Readers' mean accuracy"), _("Model's accuracy"))
    table = tuple(
        (division, row["label"], row["n"], row["mean_accuracy"], row["model_accuracy"])
        for division, rows in divisions
        for row in rows
    )
    if not table:
        return Figure(
            name, title, None, columns, (), note=_("not evaluable: nothing is known of the patients")
        )
    if all(
        row[value] is None
        for _division, rows in divisions
        for row in rows
        for value in ("mean_accuracy", "model_accuracy")
    ):
        return Figure(name, title, None, columns, table, note=note_words("no_answers"))
    count = sum(len(rows) + 1 for _division, rows in divisions)
    drawing = Drawing(_WIDTH, 56 + 20 * count, title)
    axes = Axes(drawing, left=270, right=24, top=10, bottom=46)
    axes.frame(_("Accuracy"), "", SHARES, ())
    y = axes.top + 14
    readers: list[Point] = []
    model: list[Point] = []
    for division, rows in divisions:
        drawing.text(12, y, division, size=12, bold=True)
        y += 20
        for row in rows:
            drawing.text(24, y, marks.shortened(row["label"], 170, 11), size=11)
            drawing.text(
                axes.left - 12, y, marks.photos_text(row["n"]), colour="muted", size=11, anchor="end"
            )
            for found, value, shape in (
                (readers, row["mean_accuracy"], marks.CROSS), (model, row["model_accuracy"], STAR)
            ):  # fmt: skip
                if value is None:
                    continue
                at = axes.x(value)
                if shape == STAR:
                    drawing.shape(at, y - 4, "blue", STAR, 5)
                else:
                    marks.cross(drawing, at, y - 4, arm=5)
                found.append(Point(at, y - 4, f"{division}, {row['label']}: {percent(value)}"))
            y += 20
    entries = []
    if readers:
        entries.append(Entry(_("Mean of the readers"), "ink", marks.CROSS))
    if model:
        entries.append(Entry(_("Model, its first choice"), "blue", STAR))
    drawing.height = marks.legend(drawing, entries, axes.foot + 68) + 2
    series = [Series(_("Readers"), "ink", "", tuple(readers)), Series(_("Model"), "blue", "", tuple(model))]
    note = _("Small groups say little; no test is made between them.")
    return Figure(name, title, drawing, columns, table, tuple(one for one in series if one.points), note)
