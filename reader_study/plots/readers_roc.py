"""Readers as points on the model's ROC curves: Figure 3 of Han et al. 2018 and its supplement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifier.plots.axes import Axes
from classifier.plots.canvas import CIRCLE, STAR, Drawing
from classifier.plots.figures import (
    SHARES,
    Figure,
    Point,
    Series,
    counted,
    note_words,
    percent,
    threshold_text,
)
from reader_study.plots import marks
from reader_study.plots.marks import Entry
from skinclinic.vocabulary.diseases import BENIGN, MALIGNANT

ALL = "all"
WAYS = (ALL, MALIGNANT, BENIGN)
SD, CI = "sd", "ci"
# What the axes and curves are called: in our words, as the paper's Results define them, as its legend does.
OWN, PAPER_TEXT, PAPER_LEGEND = "own", "paper-text", "paper-legend"
LABELS = (OWN, PAPER_TEXT, PAPER_LEGEND)
WIDTH, SIDE, _LEFT = 600.0, 450.0, 74.0


@dataclass(frozen=True)
class Shown:
    """What one figure shows. ``found``: the report of the dataset, ``curves`` what goes with it.

    ``group_names`` in the order of their marks; ``way``: among which photos specificity is taken.
    """

    found: Mapping
    curves: Mapping
    session: str
    key: str
    title: str
    group_names: Mapping[str, str]
    way: str = ALL
    labels: str = OWN
    interval: str = CI
    is_synthetic: bool = False

    @property
    def disease(self) -> Mapping:
        return self.found["diseases"][self.key]

    @property
    def read(self) -> Mapping:
        return self.found["sessions"].get(self.session) or {"readers": {}, "groups": {}, "average": {}}

    @property
    def among(self) -> Mapping | None:
        """The readers among the other photos of one tier; None where all count."""
        if self.way == ALL or self.session not in self.curves["among"]:
            return None
        return self.curves["among"][self.session][self.way].get(self.key)

    @property
    def others(self) -> int:
        if self.way == ALL:
            return self.disease["n_neg"]
        return self.disease[f"n_other_{self.way}"]


def way_name(way: str, labels: str = OWN) -> str:
    """Among which photos, in our words or as the paper calls it."""
    if way == ALL:
        return _("among all others")
    if labels == OWN:
        return _("among other malignant") if way == MALIGNANT else _("among other benign")
    # The legend of the paper's figure exchanges the two names of its text.
    is_malignant = (way == MALIGNANT) == (labels == PAPER_TEXT)
    return _("specificity (malignant)") if is_malignant else _("specificity (benign)")


def axis_name(way: str, labels: str) -> str:
    if way == ALL:
        return _("1 − specificity")
    if labels == OWN:
        return (
            _("1 − specificity among other malignant")
            if way == MALIGNANT
            else _("1 − specificity among other benign")
        )
    return f"1 − {way_name(way, labels)}"


def labels_note(labels: str) -> str:
    """What the paper's labels mean here; shown wherever they are."""
    if labels == OWN:
        return ""
    if labels == PAPER_TEXT:
        text = _(
            "Labels as in the equations of Han et al. 2018: specificity (malignant) is taken among other malignant "
            "photos, specificity (benign) among other benign ones."
        )
    else:
        text = _(
            "Labels as in the legend of Figure 3 of Han et al. 2018: specificity (benign) is taken among other "
            "malignant photos, specificity (malignant) among other benign ones."
        )
    return f"{text} " + _(
        "The paper defines the two the other way round in its text and its legend, and divides by a number that "
        "includes the disease itself, so that it cannot reach 1. Here the disease itself is left out."
    )


def figure(shown: Shown, name: str, *, small: bool = False) -> Figure:
    """One figure; ``small``: as a thumbnail, without words."""
    columns = (
        _("What"), _("Name"), _("Threshold"), _("Sensitivity"), _("True positives"), _("Positives"),
        _("Specificity"), _("Rejected"), _("Others"),
    )  # fmt: skip
    disease = shown.disease
    if not disease["n_pos"] or not shown.others:
        return Figure(name, shown.title, None, columns, (), note=_why_not(shown))
    drawing = Drawing(180.0, 180.0, shown.title) if small else Drawing(WIDTH, WIDTH, shown.title)
    if small:
        axes = Axes(drawing, left=6, top=6, right=6, bottom=6)
        drawing.line(axes.places([(0, 1), (0, 0), (1, 0)]), "muted", 1)
    else:
        top = marks.head(drawing, shown.title, _lines(shown))
        drawing.height = top + SIDE + 46
        axes = Axes(drawing, left=_LEFT, top=top, right=WIDTH - _LEFT - SIDE, bottom=46)
        axes.frame(axis_name(shown.way, shown.labels), _("Sensitivity"), SHARES, SHARES)
    drawing.line(axes.places([(0, 0), (1, 1)]), "muted", 1, "dotted")
    pen = _Pen(shown, drawing, axes, small)
    pen.curves()
    pen.model_points()
    pen.readers()
    pen.averages()
    if not pen.entries:
        return Figure(name, shown.title, None, columns, (), note=_why_nobody(shown))
    if not small:
        y = marks.legend(drawing, pen.entries, axes.foot + 68) + 2
        if note := labels_note(shown.labels):
            # In the drawing, so that it stays with every file.
            for line in marks.wrapped(note, WIDTH - 24, 10.5):
                drawing.text(12, y + 4, line, colour="muted", size=10.5)
                y += 14
        drawing.height = y + 4
    return Figure(name, shown.title, drawing, columns, tuple(pen.rows), tuple(pen.series))


def _why_not(shown: Shown) -> str:
    if not shown.disease["n_pos"]:
        return _("not evaluable: no photo of it")
    return _("not evaluable: no other photo of this kind")


def _why_nobody(shown: Shown) -> str:
    """Why there is neither a curve nor a reader."""
    average = shown.read["average"]
    return note_words("not_a_choice" if average and shown.key not in average else "no_answers")


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
    if shown.is_synthetic:
        yield marks.synthetic_note(True)


class _Pen:
    """Draws the parts one after the other, and keeps legend, series and rows of the table."""

    def __init__(self, shown: Shown, drawing: Drawing, axes: Axes, small: bool):
        self.shown, self.drawing, self.axes, self.small = shown, drawing, axes, small
        self.entries: list[Entry] = []
        self._series: list[tuple[int, Series]] = []
        self._rows: list[tuple[int, tuple]] = []

    @property
    def series(self) -> list[Series]:
        """Readers first: they are what is asked for."""
        return [one for _rank, one in sorted(self._series, key=lambda pair: pair[0])]

    @property
    def rows(self) -> list[tuple]:
        return [row for _rank, row in sorted(self._rows, key=lambda pair: pair[0])]

    def curves(self) -> None:
        found = self.shown.curves["diseases"][self.shown.key]
        whole, sample = found["whole"], found["sample"]
        tiers = [] if self.shown.way != ALL or self.small else [(MALIGNANT, "blue"), (BENIGN, "vermillion")]
        base, of = (whole, _("Whole test set")) if whole else (sample, _("Sample"))
        for tier, colour in tiers:
            if base and base[f"other_{tier}"]:
                words = _("%(of)s, %(among)s") % {"of": of, "among": way_name(tier, self.shown.labels)}
                self._curve(words, base, tier, colour, 1.5, "dotted")
        if sample:
            n = _n(sample, self.shown.way)
            self._curve(_("Model, sample (n = %(n)d)") % {"n": n}, sample, self.shown.way, "grey", 2.5)
        if whole and _others_of(whole, self.shown.way):
            n = _n(whole, self.shown.way)
            self._curve(_("Model, whole test set (n = %(n)d)") % {"n": n}, whole, self.shown.way, "ink", 1.6)

    def _curve(self, words: str, curve: Mapping, way: str, colour: str, width: float, dash: str = "") -> None:
        positives, others = curve["positives"], _others_of(curve, way)
        points = []
        for threshold, hits, rejected in zip(
            curve["thresholds"], curve["true_positives"], curve[_rejected_name(way)], strict=True
        ):
            x, y = self.axes.x(1 - rejected / others), self.axes.y(hits / positives)
            said = [_("threshold %(value)s") % {"value": threshold_text(threshold)}]
            points.append(Point(x, y, _said(hits, positives, rejected, others, said)))
            self._row(3, words, "", threshold, hits, positives, rejected, others)
        self.drawing.line([(point.x, point.y) for point in points], colour, width, dash)
        self.entries.append(Entry(words, colour, dash=dash))
        self._series.append((3, Series(words, colour, dash, tuple(points))))

    def readers(self) -> None:
        by_group: dict[str, list[tuple[str, int, int, int, int]]] = {}
        for reader, one in self.shown.read["readers"].items():
            if (place := self._reader(reader, one)) is not None:
                by_group.setdefault(one["group"], []).append(place)
        for number, (group, name) in enumerate(self.shown.group_names.items()):
            if not (readers := by_group.get(group)):
                continue
            colour, shape = marks.group_mark(number)
            name = name or _("Readers")
            # Readers at the same place are one point that names them all.
            together: dict[tuple[int, int, int, int], list[str]] = {}
            for reader, *counts in readers:
                hits, positives, rejected, others = counts
                together.setdefault((hits, positives, rejected, others), []).append(reader)
                self._row(0, name, reader, "", *counts)
            points = []
            for (hits, positives, rejected, others), who in together.items():
                x, y = self.axes.x(1 - rejected / others), self.axes.y(hits / positives)
                self.drawing.shape(x, y, colour, shape, 2.6 if self.small else marks.READER)
                points.append(Point(x, y, _said(hits, positives, rejected, others, [", ".join(who)])))
            self.entries.append(Entry(f"{name} (n = {len(readers)})", colour, shape))
            self._series.append((0, Series(name, colour, "", tuple(points))))

    def _reader(self, reader: str, one: Mapping) -> tuple[str, int, int, int, int] | None:
        point = one["points"].get(self.shown.key)
        if not point or point["sensitivity"] is None or point["specificity"] is None:
            return None
        if self.shown.way == ALL:
            return (
                reader,
                point["true_positives"],
                point["positives"],
                point["true_negatives"],
                point["negatives"],
            )
        among = self.shown.among or {}
        if not (others := among["given"][reader]):
            return None
        return reader, point["true_positives"], point["positives"], among["rejected"][reader], others

    def averages(self) -> None:
        if self.small:
            return
        shown = self.shown
        for number, (group, name) in enumerate(shown.group_names.items()):
            found = shown.read["groups"].get(group)
            if found and len(shown.group_names) > 1:
                colour, shape = marks.group_mark(number)
                among = shown.among and shown.among["groups"].get(group)
                words = _("Average: %(group)s") % {"group": name or _("Readers")}
                entry = Entry(words, colour, shape, hollow=True)
                self._average(entry, found, among, lambda x, y, how=(colour, shape): self._hollow(x, y, *how))
        found = shown.read
        if shown.key in found.get("average", {}) and found["average"][shown.key]["sensitivity"] is not None:
            # xgettext:no-python-format
            ninety_five = _("95 % interval")
            kind = _("± SD") if shown.interval == SD else ninety_five
            words = _("Average: %(readers)s, %(interval)s") % {
                "readers": marks.readers_text(found["n_readers"]),
                "interval": kind,
            }
            entry = Entry(words, "ink", marks.CROSS)
            self._average(entry, found, shown.among and shown.among["average"], None)

    def _hollow(self, x: float, y: float, colour: str, shape: str) -> None:
        self.drawing.shape(x, y, colour, shape, 6, hollow=True)

    def _average(self, entry: Entry, found: Mapping, among: Mapping | None, draw) -> None:
        point = found["average"].get(self.shown.key)
        if not point:
            return
        spec = among if among is not None else point
        sensitivity, specificity = point["sensitivity"], spec["specificity"]
        if sensitivity is None or specificity is None:
            return
        up, across = (
            _reach(one, name, self.shown.interval)
            for one, name in ((point, "sensitivity"), (spec, "specificity"))
        )
        x, y = self.axes.x(1 - specificity), self.axes.y(sensitivity)
        if draw:
            draw(x, y)
        else:
            turned = (1 - across[1], 1 - across[0]) if across else None
            marks.cross_with_interval(self.drawing, self.axes, 1 - specificity, sensitivity, turned, up)
        said = " · ".join(
            _mean_said(text, one, name)
            for text, one, name in (
                (_("sensitivity"), point, "sensitivity"), (_("specificity"), spec, "specificity")
            )
        )  # fmt: skip
        self.entries.append(entry)
        self._series.append((1, Series(entry.text, "ink", "", (Point(x, y, said),))))
        self._rows.append((1, (entry.text, "", "", sensitivity, "", "", specificity, "", "")))

    def model_points(self) -> None:
        if self.small:
            return
        disease = self.shown.disease
        if disease["argmax"]:
            at = disease["argmax"]
            rejected = (
                at["true_negatives"]
                if self.shown.way == ALL
                else self.shown.curves["argmax"][self.shown.way][self.shown.key]
            )
            words = _("Model, its first choice")
            self._model_point(words, at["true_positives"], rejected, STAR, [])
        if disease["youden"]:
            at = disease["youden"]
            rejected = at["true_negatives"]
            if self.shown.way != ALL:
                rejected = round(disease[f"specificity_among_other_{self.shown.way}"] * self.shown.others)
            words = _("Model, Youden threshold (optimistic)")
            said = [_("threshold %(value)s") % {"value": threshold_text(at["threshold"])}]
            self._model_point(words, at["true_positives"], rejected, CIRCLE, said, at["threshold"])

    def _model_point(
        self, words: str, hits: int, rejected: int, shape: str, said: list[str], threshold=""
    ) -> None:
        positives, others = self.shown.disease["n_pos"], self.shown.others
        x, y = self.axes.x(1 - rejected / others), self.axes.y(hits / positives)
        hollow = shape == CIRCLE
        self.drawing.shape(x, y, "ink", shape, 5.5, hollow=hollow)
        self.entries.append(Entry(words, "ink", shape, hollow=hollow))
        self._series.append(
            (2, Series(words, "ink", "", (Point(x, y, _said(hits, positives, rejected, others, said)),)))
        )
        self._row(2, words, "", threshold, hits, positives, rejected, others)

    def _row(self, rank: int, what: str, name: str, threshold, hits, positives, rejected, others) -> None:
        shares = hits / positives, rejected / others
        self._rows.append(
            (rank, (what, name, threshold, shares[0], hits, positives, shares[1], rejected, others))
        )


def _reach(found: Mapping, name: str, interval: str) -> Sequence[float] | None:
    if interval == CI:
        return found[f"{name}_ci"]
    sd, mean = found[f"{name}_sd"], found[name]
    return None if sd is None else (max(mean - sd, 0.0), min(mean + sd, 1.0))


def _mean_said(text: str, found: Mapping, name: str) -> str:
    said = f"{text} {percent(found[name])}"
    if found[f"{name}_sd"] is not None:
        said += _(", SD %(sd)s") % {"sd": percent(found[f"{name}_sd"])}
    if found[f"{name}_ci"] is not None:
        low, high = found[f"{name}_ci"]
        said += _(", 95 %% interval %(low).1f–%(high).1f %%") % {"low": 100 * low, "high": 100 * high}
    return said


def _said(hits: int, positives: int, rejected: int, others: int, first: list[str]) -> str:
    parts = [
        *first,
        _("sensitivity %(value)s") % {"value": counted(hits, positives)},
        _("specificity %(value)s") % {"value": counted(rejected, others)},
    ]
    return " · ".join(parts)


def _rejected_name(way: str) -> str:
    return "true_negatives" if way == ALL else f"rejected_other_{way}"


def _others_of(curve: Mapping, way: str) -> int:
    return curve["negatives"] if way == ALL else curve[f"other_{way}"]


def _n(curve: Mapping, way: str) -> int:
    return curve["positives"] + _others_of(curve, way)
