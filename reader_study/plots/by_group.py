"""Figures of agreement between readers, and of subgroups of photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from classifier.plots.axes import Axes
from classifier.plots.canvas import STAR, Drawing
from classifier.plots.figures import (
    SHARES,
    TOO_FEW,
    Figure,
    Point,
    Series,
    colour_key,
    percent,
    shade,
)
from classifier.plots.frame import CROSS, LABEL, SMALL, WIDE, Entry, Form, cross, label, legend, wrapped
from classifier.plots.letters import text_width
from classifier.plots.notes import note_words
from reader_study.plots import marks
from reader_study.plots.by_reader import Groups, mark_of
from skinclinic.web.counts import gettext as _

Divisions = Sequence[tuple[str, Sequence[Mapping]]]


def agreement(name: str, title: str, found: Mapping, groups: Groups, form: Form = WIDE) -> Figure:
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
    # Columns are numbered where whole names would not fit above them, or not beside each other.
    longest = max(text_width(one, SMALL) for one in readers)
    room = form.width * (0.3 if form.is_narrow else 0.26)

    def cell_beside(left: float) -> float:
        return min(32.0, (form.width - left - 30) / (len(readers) + 1))

    left = 34 + min(longest, room)
    is_numbered = longest > 130 or cell_beside(left) < SMALL + 1
    if is_numbered:
        left = 34 + min(longest + text_width("00  ", SMALL), room)
    cell = cell_beside(left)
    has_values = cell >= text_width("0.00", SMALL) + 1
    top = 10 + max(24 if is_numbered else longest, text_width(_("Truth"), SMALL))
    heights = [
        max(cell, 12.0 * len(wrapped(_numbered(place, one, is_numbered), room, SMALL)))
        for place, one in enumerate(readers)
    ]
    drawing = Drawing(max(left + cell * (len(readers) + 1) + 30, 380.0), top + sum(heights) + 14, title)
    points = _cells(drawing, found, groups, _Grid(left, top, cell, heights, room, is_numbered, has_values))
    y = top + sum(heights)
    y = colour_key(drawing, left, y + 8, _("Cohen's kappa"))
    there = {one["group"] for one in found["readers"].values()}
    entries = [
        Entry(one or _("Readers"), *mark_of(groups, key)) for key, one in groups.items() if key in there
    ]
    drawing.height = legend(drawing, entries, y + 16)
    notes = [f"{text}." for text in agreement_texts(found)]
    notes.append(_("Pairs: on photos that both answered."))
    if not has_values:
        notes.append(_("The values are in the table of this figure."))
    series = (Series(_("Pairs"), "blue", "", tuple(points)),)
    return Figure(name, title, drawing, columns, table, series, " ".join(notes))


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


@dataclass(frozen=True)
class _Grid:
    left: float
    top: float
    cell: float
    heights: Sequence[float]
    room: float
    is_numbered: bool
    has_values: bool


def _cells(drawing: Drawing, found: Mapping, groups: Groups, grid: _Grid) -> list[Point]:
    """The kappas, with the readers' names before and above them."""
    pairs, cell, left, y = found["pairwise_kappa"], grid.cell, grid.left, grid.top
    readers = pairs["readers"]
    _heads(drawing, readers, grid)
    points = []
    for line, reader in enumerate(readers):
        height = grid.heights[line]
        colour, shape = mark_of(groups, found["readers"][reader]["group"])
        drawing.shape(left - 12, y + height / 2, colour, shape, 3.8)
        said = _numbered(line, reader, grid.is_numbered)
        label(drawing, left - 22, y + height / 2, said, grid.room, size=SMALL, anchor="end")
        values = (found["readers"][reader]["kappa_vs_truth"], *pairs["kappa"][line])
        for place, (head, value) in enumerate(zip([_("the truth"), *readers], values, strict=True)):
            if place == line + 1:
                continue
            x = left + cell * place + (10 if place else 0)
            share = min(max(value or 0.0, 0.0), 1.0)
            shade(drawing, x, y, cell - 1, height - 1, share)
            if value is None:
                continue
            if grid.has_values:
                text = f"{value:.2f}".replace("-", "−")
                ink = "surface" if share > 0.65 else "ink"
                drawing.text(x + cell / 2, y + height / 2 + 4, text, colour=ink, size=SMALL, anchor="middle")
            said = _("%(reader)s with %(other)s: kappa %(value).3f")
            said %= {"reader": reader, "other": head, "value": value}
            points.append(Point(x + cell / 2, y + height / 2, said))
        y += height
    return points


def _heads(drawing: Drawing, readers: Sequence[str], grid: _Grid) -> None:
    # As many numbers as have room beside each other.
    every = next(step for step in (1, 2, 5, 10, 20) if step * grid.cell >= 14 or step == 20)
    for place, head in enumerate([_("Truth"), *readers]):
        x = grid.left + grid.cell * (place + 0.5) + (10 if place else 0)
        if grid.is_numbered and place:
            if place % every == 0:
                drawing.text(x, grid.top - 6, str(place), size=SMALL, anchor="middle")
        else:
            drawing.text(x + 4, grid.top - 6, head, size=SMALL, turned=True)


def _numbered(place: int, reader: str, is_numbered: bool) -> str:
    return f"{place + 1}  {reader}" if is_numbered else reader


def subgroups(name: str, title: str, divisions: Divisions, form: Form = WIDE) -> Figure:
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
    drawing, axes = _subgroup_axes(title, form, divisions)
    readers: list[Point] = []
    model: list[Point] = []
    for division, row, y in _subgroup_rows(drawing, axes, divisions):
        for found, value, shape in (
            (readers, row["mean_accuracy"], CROSS), (model, row["model_accuracy"], STAR)
        ):  # fmt: skip
            if value is None:
                continue
            at = axes.x(value)
            if shape == STAR:
                drawing.shape(at, y - 4, "blue", STAR, 5, hollow=True)
            else:
                cross(drawing, at, y - 4, arm=5)
            found.append(Point(at, y - 4, f"{division}, {row['label']}: {percent(value)}"))
    entries = []
    if readers:
        entries.append(Entry(_("Mean of the readers"), "ink", CROSS))
    if model:
        entries.append(Entry(_("Model, its first choice"), "blue", STAR, hollow=True))
    drawing.height = legend(drawing, entries, axes.foot + 62)
    series = [Series(_("Readers"), "ink", "", tuple(readers)), Series(_("Model"), "blue", "", tuple(model))]
    note = _("Small groups say little; no test is made between them.")
    few = _("Too few: fewer than %(n)d photos; their values are in the table of this figure.") % {
        "n": TOO_FEW
    }
    if any(row["n"] < TOO_FEW for _division, rows in divisions for row in rows):
        note = f"{note} {few}"
    return Figure(name, title, drawing, columns, table, tuple(one for one in series if one.points), note)


def _subgroup_axes(title: str, form: Form, divisions: Divisions) -> tuple[Drawing, Axes]:
    count = sum(len(rows) + 1 for _division, rows in divisions)
    drawing = Drawing(form.width, 56 + 20 * count, title)
    axes = Axes(drawing, left=200.0 if form.is_narrow else 270.0, right=24, top=10, bottom=46)
    axes.frame(_("Accuracy"), "", SHARES, ())
    return drawing, axes


def _subgroup_rows(
    drawing: Drawing, axes: Axes, divisions: Divisions
) -> Iterator[tuple[str, Mapping, float]]:
    """Write the names; gives division, row and height of those that are large enough."""
    y = axes.top + 14
    for division, rows in divisions:
        drawing.text(12, y, division, size=LABEL, bold=True)
        y += 20
        for row in rows:
            drawing.text(20, y, row["label"], size=LABEL)
            n = marks.photos_text(row["n"])
            drawing.text(axes.left - 12, y, n, colour="muted", size=LABEL, anchor="end")
            if row["n"] < TOO_FEW:
                drawing.text(axes.left + 8, y, note_words("too_few_cases"), colour="muted", size=LABEL)
            else:
                yield division, row, y
            y += 20
