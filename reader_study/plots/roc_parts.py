"""What a figure of readers on the model's ROC curves shows: curves, readers, averages and the model's own places.

``readers_roc.py`` draws it alone, ``panels.py`` many of them as one figure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from classifier.plots.axes import Axes
from classifier.plots.canvas import CIRCLE, STAR
from classifier.plots.figures import Point, Series, counted, percent, threshold_text
from classifier.plots.frame import CROSS, Entry
from classifier.plots.notes import note_words
from reader_study.plots import marks
from skinclinic.vocabulary.diseases import BENIGN, MALIGNANT
from skinclinic.web.counts import gettext as _

ALL = "all"
WAYS = (ALL, MALIGNANT, BENIGN)
SD, CI = "sd", "ci"
# What the axes and curves are called: in our words, as the paper's Results define them, as its legend does.
OWN, PAPER_TEXT, PAPER_LEGEND = "own", "paper-text", "paper-legend"
LABELS = (OWN, PAPER_TEXT, PAPER_LEGEND)
# As in the paper's figure; apart in grey by their dashes.
TIERS = ((MALIGNANT, "blue", "dotted"), (BENIGN, "vermillion", "dash-dotted"))


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


# Puts (x, y) of the curve on the drawing.
Places = Callable[[Sequence[tuple[float, float]]], list[tuple[float, float]]]


@dataclass(frozen=True)
class Curve:
    """``points``: (1 - specificity, sensitivity). ``kind``: what it is, without numbers; ``area``: of the whole curve,
    in words."""

    entry: Entry
    points: tuple[tuple[float, float], ...]
    said: tuple
    kind: str
    area: str = ""


@dataclass(frozen=True)
class Place:
    """A point of a reader or readers (``who``), of the model or of an average; ``arms``: over what its interval goes,
    across and up."""

    entry: Entry
    x: float
    y: float
    said: str
    who: tuple[str, ...] = ()
    arms: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)


@dataclass
class Roc:
    """Everything of one figure, gathered once."""

    shown: Shown
    curves: list[Curve] = field(default_factory=list)
    readers: dict[Entry, list[Place]] = field(default_factory=dict)
    averages: list[Place] = field(default_factory=list)
    model: list[Place] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    # Of these, readers, averages and the model's own places.
    printed: int = 0

    @property
    def entries(self) -> list[Entry]:
        return [
            *(one.entry for one in self.curves), *(one.entry for one in self.model), *self.readers,
            *(one.entry for one in self.averages),
        ]  # fmt: skip

    @property
    def has_equal_places(self) -> bool:
        places = [place for group in self.readers.values() for place in group]
        return len({(one.x, one.y) for one in places}) < sum(len(one.who) for one in places)

    @cached_property
    def corner(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The ranges of x and y in which readers crowd; None where a closer look gains nothing."""
        places = [place for group in self.readers.values() for place in group]
        if len({(place.x, place.y) for place in places}) < 2:
            return None
        near = [*places, *self.averages]
        right = min(1.0, -(-(max(place.x for place in near) + 0.015) // 0.05) * 0.05)
        ys = [place.y for place in near]
        low, high = max(0.0, (min(ys) - 0.03) // 0.1 * 0.1), min(1.0, -(-(max(ys) + 0.03) // 0.1) * 0.1)
        if right > 0.5:
            return None
        return (0.0, round(max(right, 0.05), 2)), (round(low, 2), round(high, 2))

    def series(self, places: Places) -> tuple[Series, ...]:
        """What can be read out; ``places`` puts them on the drawing. Readers first: they are what is asked for."""
        found = [
            Series(
                one.kind, one.entry.colour, one.entry.dash,
                tuple(
                    Point(x, y, partial(_curve_said, *said))
                    for (x, y), said in zip(places(one.points), one.said, strict=True)
                ),
                is_curve=True,
            )
            for one in self.curves
        ]  # fmt: skip
        return (*self.places(places), *found)

    def closer(self, axes: Axes) -> list[Series]:
        """The same places where ``axes``, an enlarged part, shows them: there they can be told apart."""
        return [one for one in self.places(axes.places, axes.holds) if one.points]

    def places(
        self, places: Places, holds: Callable[[float, float], bool] = lambda _x, _y: True
    ) -> list[Series]:
        """Readers, averages and the model's own places, those that the axes hold."""
        found = [
            Series(
                entry.text.rpartition(" (n = ")[0],
                entry.colour,
                "",
                _points(places, [one for one in group if holds(one.x, one.y)]),
            )
            for entry, group in self.readers.items()
        ]
        found += [
            Series(one.entry.text, "ink", "", _points(places, [one] if holds(one.x, one.y) else []))
            for one in (*self.averages, *self.model)
        ]
        return found


def _points(places: Places, shown: Sequence[Place]) -> tuple[Point, ...]:
    at = places([(one.x, one.y) for one in shown])
    return tuple(Point(x, y, one.said) for (x, y), one in zip(at, shown, strict=True))


def gather(shown: Shown, *, tiers: bool = True) -> Roc:
    """Raises nothing: what is not there is not in it."""
    roc = Roc(shown)
    _readers(roc)
    _averages(roc)
    _model(roc)
    roc.printed = len(roc.rows)
    _curves(roc, tiers=tiers)
    return roc


def why_not(shown: Shown) -> str:
    """Why nothing can be drawn; empty where something can."""
    if not shown.disease["n_pos"]:
        return _("not evaluable: no photo of it")
    return "" if shown.others else _("not evaluable: no other photo of this kind")


def why_nobody(shown: Shown) -> str:
    """Why there is neither a curve nor a reader."""
    average = shown.read["average"]
    return note_words("not_a_choice" if average and shown.key not in average else "no_answers")


def area_text(auc: float | None, interval: Sequence[float] | None, note: str = "") -> str:
    """An AUC with DeLong's interval, short enough for a legend."""
    if auc is None:
        return ""
    if interval is None or note:
        return f"AUC {auc:.3f}"
    return f"AUC {auc:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def _curves(roc: Roc, *, tiers: bool) -> None:
    shown = roc.shown
    found, disease = shown.curves["diseases"][shown.key], shown.disease
    whole, sample = found["whole"], found["sample"]
    base, of = (whole, _("Whole test set")) if whole else (sample, _("Sample"))
    for tier, colour, dash in TIERS if shown.way == ALL and tiers else ():
        if base and base[f"other_{tier}"]:
            words = _("%(of)s, %(among)s") % {"of": of, "among": way_name(tier, shown.labels)}
            area = _area((disease.get("whole") or {}) if whole else disease, tier)
            _curve(roc, words, words, base, tier, Entry("", colour, dash=dash, width=1.8), area)
    if sample:
        area = _area(disease, shown.way)
        words = _("Model, sample (n = %(n)d)") % {"n": _n(sample, shown.way)}
        _curve(roc, words, _("Model, sample"), sample, shown.way, Entry("", "grey", width=2.6), area)
    if whole and _others_of(whole, shown.way):
        area = _area(disease.get("whole") or {}, shown.way)
        words = _("Model, whole test set (n = %(n)d)") % {"n": _n(whole, shown.way)}
        _curve(roc, words, _("Model, whole test set"), whole, shown.way, Entry("", "ink", width=1.4), area)


def _area(found: Mapping, way: str) -> str:
    """The area of a curve among all photos, or among those of one tier, in words."""
    one = found if way == ALL else (found.get("among") or {}).get(way) or {}
    return area_text(one.get("auc"), one.get("auc_ci"), one.get("auc_note", ""))


def _curve(roc: Roc, words: str, kind: str, curve: Mapping, way: str, look: Entry, area: str = "") -> None:
    positives, others = curve["positives"], _others_of(curve, way)
    counts = list(zip(curve["thresholds"], curve["true_positives"], curve[_rejected_name(way)], strict=True))
    points = tuple((1 - rejected / others, hits / positives) for _t, hits, rejected in counts)
    said = tuple((threshold, hits, positives, rejected, others) for threshold, hits, rejected in counts)
    text = f"{words}: {area}" if area else words
    roc.curves.append(
        Curve(Entry(text, look.colour, dash=look.dash, width=look.width), points, said, kind, area)
    )
    roc.rows += [_row(words, "", *counted_at) for counted_at in said]


def _readers(roc: Roc) -> None:
    shown = roc.shown
    by_group: dict[str, list[tuple[str, int, int, int, int]]] = {}
    for reader, one in shown.read["readers"].items():
        if (place := _reader(shown, reader, one)) is not None:
            by_group.setdefault(one["group"], []).append(place)
    for number, (group, name) in enumerate(shown.group_names.items()):
        if not (readers := by_group.get(group)):
            continue
        name = name or _("Readers")
        # Readers at the same place are one point that names them all.
        together: dict[tuple[int, int, int, int], list[str]] = {}
        for reader, *counts in readers:
            hits, positives, rejected, others = counts
            together.setdefault((hits, positives, rejected, others), []).append(reader)
            roc.rows.append(_row(name, reader, "", *counts))
        entry = Entry(f"{name} (n = {len(readers)})", *marks.group_mark(number))
        roc.readers[entry] = [
            Place(
                entry, 1 - rejected / others, hits / positives,
                _said(hits, positives, rejected, others, [", ".join(who)]), tuple(who),
            )
            for (hits, positives, rejected, others), who in together.items()
        ]  # fmt: skip


def _reader(shown: Shown, reader: str, one: Mapping) -> tuple[str, int, int, int, int] | None:
    point = one["points"].get(shown.key)
    if not point or point["sensitivity"] is None or point["specificity"] is None:
        return None
    if shown.way == ALL:
        return (
            reader,
            point["true_positives"],
            point["positives"],
            point["true_negatives"],
            point["negatives"],
        )
    among = shown.among or {}
    if not (others := among["given"][reader]):
        return None
    return reader, point["true_positives"], point["positives"], among["rejected"][reader], others


def _averages(roc: Roc) -> None:
    shown = roc.shown
    for number, (group, name) in enumerate(shown.group_names.items()):
        found = shown.read["groups"].get(group)
        if found and len(shown.group_names) > 1:
            colour, shape = marks.group_mark(number)
            words = _("Average: %(group)s") % {"group": name or _("Readers")}
            among = shown.among and shown.among["groups"].get(group)
            _average(roc, Entry(words, colour, shape, hollow=True), found, among)
    found = shown.read
    if shown.key in found.get("average", {}):
        # xgettext:no-python-format
        ninety_five = _("95 % interval")
        words = _("Average: %(readers)s, %(interval)s") % {
            "readers": marks.readers_text(found["n_readers"]),
            "interval": _("± SD") if shown.interval == SD else ninety_five,
        }
        _average(roc, Entry(words, "ink", CROSS), found, shown.among and shown.among["average"])


def _average(roc: Roc, entry: Entry, found: Mapping, among: Mapping | None) -> None:
    point = found["average"].get(roc.shown.key)
    if not point:
        return
    spec = among if among is not None else point
    sensitivity, specificity = point["sensitivity"], spec["specificity"]
    if sensitivity is None or specificity is None:
        return
    up, across = (
        _reach(one, name, roc.shown.interval) for one, name in ((point, "sensitivity"), (spec, "specificity"))
    )
    said = " · ".join(
        _mean_said(text, one, name)
        for text, one, name in (
            (_("sensitivity"), point, "sensitivity"), (_("specificity"), spec, "specificity")
        )
    )  # fmt: skip
    arms = ((1 - across[1], 1 - across[0]) if across else None, (up[0], up[1]) if up else None)
    roc.averages.append(Place(entry, 1 - specificity, sensitivity, said, (), arms))
    roc.rows.append((entry.text, "", "", sensitivity, "", "", specificity, "", ""))


def _model(roc: Roc) -> None:
    shown, disease = roc.shown, roc.shown.disease
    if at := disease["argmax"]:
        rejected = at["true_negatives"] if shown.way == ALL else shown.curves["argmax"][shown.way][shown.key]
        _model_place(roc, _("Model, its first choice"), at["true_positives"], rejected, STAR, [])
    if at := disease["youden"]:
        rejected = at["true_negatives"]
        if shown.way != ALL:
            rejected = round(disease[f"specificity_among_other_{shown.way}"] * shown.others)
        said = [_("threshold %(value)s") % {"value": threshold_text(at["threshold"])}]
        words = _("Model, Youden threshold (optimistic)")
        _model_place(roc, words, at["true_positives"], rejected, CIRCLE, said, at["threshold"])


def _model_place(
    roc: Roc, words: str, hits: int, rejected: int, shape: str, said: list[str], threshold=""
) -> None:
    positives, others = roc.shown.disease["n_pos"], roc.shown.others
    entry = Entry(words, "ink", shape, hollow=True)
    text = _said(hits, positives, rejected, others, said)
    roc.model.append(Place(entry, 1 - rejected / others, hits / positives, text))
    roc.rows.append(_row(words, "", threshold, hits, positives, rejected, others))


def _row(what: str, name: str, threshold, hits, positives, rejected, others) -> tuple:
    shares = hits / positives, rejected / others
    return what, name, threshold, shares[0], hits, positives, shares[1], rejected, others


def _curve_said(threshold, hits: int, positives: int, rejected: int, others: int) -> str:
    first = [_("threshold %(value)s") % {"value": threshold_text(threshold)}]
    return _said(hits, positives, rejected, others, first)


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
