"""Many diseases in one figure, as Figure 3 of Han et al. 2018: a panel a disease and dataset, lettered from a.

Each has the disease's whole name, dataset and numbers, the model's curve on the sample (grey) and on the whole test
set where that is known (black), its curves among other malignant and other benign photos, readers and averages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from classifier.plots.axes import Axes
from classifier.plots.canvas import Drawing
from classifier.plots.figures import Figure, Series, framed
from classifier.plots.frame import READER, SMALL, WIDE, Entry, Form, legend, wrapped
from reader_study.plots.readers_roc import paint
from reader_study.plots.roc_parts import Curve, Roc, Shown, gather, why_nobody, why_not
from skinclinic.web.counts import gettext as _

# The diseases of the paper's figure, where a study has them; there are no more letters than panels may have.
PAPER = ("bcc", "scc", "iec", "mm")
MOST = 24
_HALVES = (0.0, 0.5, 1.0)
_LEFT, _GAP = 40.0, 14.0
_LINE = 12.0
Chosen = Sequence[tuple[str, str]]


def default(report: Mapping) -> Chosen:
    """(dataset, disease) of the paper's four diseases in the first two datasets; of others where a study has none."""
    found = []
    for dataset in list(report["datasets"])[:2]:
        diseases = report["datasets"][dataset]["diseases"]
        there = [key for key in (*PAPER, *diseases) if diseases[key]["n_pos"]]
        paper = [key for key in dict.fromkeys(there) if key in PAPER]
        found += [(dataset, key) for key in (paper or list(dict.fromkeys(there)))[:4]]
    return found


def figure(shown: Sequence[Shown], names: Sequence[tuple[str, str]], name: str, title: str, form: Form = WIDE,
           facts: Sequence[str] = (), always: Sequence[str] = ()) -> Figure:  # fmt: skip
    """``names``: disease and dataset of each panel in words."""
    columns = (
        _("Panel"), _("Disease"), _("Dataset"), _("What"), _("Name"), _("Threshold"), _("Sensitivity"),
        _("True positives"), _("Positives"), _("Specificity"), _("Rejected"), _("Others"),
    )  # fmt: skip
    rocs = [None if why_not(one) else gather(one) for one in shown]
    if not any(roc and roc.entries for roc in rocs):
        return Figure(name, title, None, columns, (), note=_("not evaluable"))
    across = min(len(shown), 2 if form.is_narrow else 4)
    width = (form.width - _LEFT - _GAP * across) / across
    drawing = Drawing(form.width, 0, title)
    rows: list[tuple] = []
    series: list[Series] = []
    top = 4.0
    for first in range(0, len(shown), across):
        line = range(first, min(first + across, len(shown)))
        heads = [
            [
                *((text, "ink") for text in wrapped(names[place][0], (width - 14) / 1.04, SMALL)),
                *(
                    (text, "muted")
                    for text in wrapped(_where(names[place][1], shown[place]), width - 14, SMALL)
                ),
            ]
            for place in line
        ]
        down = top + _LINE * max(map(len, heads)) + 8
        lowest = down + width
        for column, place in enumerate(line):
            left = _LEFT + column * (width + _GAP)
            letter, one, roc = chr(ord("a") + place), shown[place], rocs[place]
            drawing.text(left - 2, top + _LINE, letter, size=13, bold=True)
            for number, (text, colour) in enumerate(heads[column], 1):
                at = top + _LINE * number
                drawing.text(left + 14, at, text, colour=colour, size=SMALL, bold=colour == "ink")
            axes = Axes(drawing, left=left, top=down, width=width, height=width)
            _frame(axes, is_first=column == 0, is_last=place + across >= len(shown))
            if roc is None or not roc.entries:
                why = why_not(one) or why_nobody(one)
                for number, text in enumerate(wrapped(why, width - 16, SMALL)):
                    drawing.text(left + 8, down + 30 + _LINE * number, text, colour="muted", size=SMALL)
                continue
            _paint(roc, axes)
            # Readers, averages and the model's places; points of so many curves would be a page of their own.
            if form.has_points:
                series += [replace(one, name=f"{letter}, {one.name}") for one in roc.places(axes.places)]
            lowest = max(lowest, _areas(drawing, roc, left, down + width + 16, width))
            rows += [(letter, *names[place], *row) for row in roc.rows]
        top = lowest + 14
    drawing.text(_LEFT + (form.width - _LEFT) / 2, top + 6, _("1 − specificity"), size=11, anchor="middle")
    drawing.height = legend(drawing, _entries([roc for roc in rocs if roc]), top + 28)
    found = Figure(name, title, drawing, columns, tuple(rows), tuple(series))
    return framed(found, form, facts, always=always, notes=_notes([roc for roc in rocs if roc]))


def _where(dataset: str, one: Shown) -> str:
    return _("%(dataset)s, %(n)d of %(all)d") % {
        "dataset": dataset, "n": one.disease["n_pos"], "all": one.disease["n_pos"] + one.disease["n_neg"],
    }  # fmt: skip


def _frame(axes: Axes, *, is_first: bool, is_last: bool) -> None:
    drawing = axes.drawing
    axes.frame("", "", _HALVES, _HALVES, y_text=(lambda v: f"{v:g}") if is_first else (lambda v: ""))
    if is_first:
        drawing.text(
            axes.left - 28,
            axes.top + axes.height / 2,
            _("Sensitivity"),
            size=11,
            anchor="middle",
            turned=True,
        )
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")


def _paint(roc: Roc, axes: Axes) -> None:
    inset = _inset(roc, axes)
    paint(roc, axes, radius=READER * 0.72, thin=0.8, is_whole=inset is not None)
    if inset:
        drawing = axes.drawing
        box = (inset.left, inset.top, inset.width, inset.height)
        drawing.box(box[0] - 1, box[1] - 1, box[2] + 2, box[3] + 2, "surface")
        ring = [
            (inset.left, inset.top), (inset.left + inset.width, inset.top), (inset.left + inset.width, inset.foot),
            (inset.left, inset.foot), (inset.left, inset.top),
        ]  # fmt: skip
        paint(roc, inset, radius=READER * 0.72, thin=0.8)
        drawing.line(ring, "muted", 0.8)
        for value in (inset.x_range[0], inset.x_range[1]):
            anchor = "start" if value == inset.x_range[0] else "end"
            drawing.text(
                inset.x(value), inset.foot + 10, f"{value:g}", colour="muted", size=SMALL, anchor=anchor
            )
        for value, dy in ((inset.y_range[0], 0), (inset.y_range[1], 8)):
            drawing.text(
                inset.left - 2, inset.y(value) + dy, f"{value:g}", colour="muted", size=SMALL, anchor="end"
            )


def _inset(roc: Roc, axes: Axes) -> Axes | None:
    """A closer look at the readers in the lower right, where that hides nothing; None where something is there."""
    if roc.corner is None:
        return None
    side = axes.width * 0.5
    left, top = axes.left + axes.width - side - 2, axes.foot - side - 14
    low_x, high_y = (left - 22 - axes.left) / axes.width, (axes.foot - top + 4) / axes.height
    under = [point for curve in roc.curves for point in _dense(curve)]
    under += [(one.x, one.y) for group in roc.readers.values() for one in group]
    under += [(one.x, one.y) for one in (*roc.averages, *roc.model)]
    if any(x > low_x and y < high_y for x, y in under):
        return None
    return Axes(axes.drawing, x=roc.corner[0], y=roc.corner[1], left=left, top=top, width=side, height=side)


def _dense(curve: Curve) -> list[tuple[float, float]]:
    return [
        (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
        for a, b in zip(curve.points, curve.points[1:], strict=False)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]


def _areas(drawing: Drawing, roc: Roc, left: float, y: float, width: float) -> float:
    """AUCs below a panel, those of all photos first, each with a piece of its curve."""
    y += 14
    for curve in sorted(roc.curves, key=lambda one: bool(one.entry.dash)):
        if curve.area:
            look = curve.entry
            drawing.line([(left - 10, y - 4), (left + 8, y - 4)], look.colour, look.width, look.dash)
            for text in wrapped(curve.area, width - 4, SMALL):
                drawing.text(left + 12, y, text, size=SMALL)
                y += _LINE
    return y


def _entries(rocs: Sequence[Roc]) -> list[Entry]:
    """Of every kind one, without the numbers of one panel."""
    found: dict[tuple, Entry] = {}
    for roc in rocs:
        kinds = {one.entry: one.kind for one in roc.curves}
        for entry in roc.entries:
            look = (entry.colour, entry.shape, entry.dash, entry.hollow)
            found.setdefault(look, replace(entry, text=kinds.get(entry, entry.text)))
    return [*found.values(), Entry(_("No better than chance"), "muted", dash="dotted", width=1)]


def _notes(rocs: Sequence[Roc]) -> list[str]:
    # xgettext:no-python-format
    first = _("Beside each dataset: photos of the disease of all photos. AUC with DeLong's 95 % interval.")
    notes = [first]
    if any(roc.corner for roc in rocs):
        notes.append(_("Small frames enlarge where the readers are."))
    if any(roc.has_equal_places for roc in rocs):
        notes.append(_("A number at a mark counts the readers at that place."))
    return notes
