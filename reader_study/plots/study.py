"""All figures of a study from its report and its curves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import combinations

from django.utils.translation import gettext as _

from classifier.plots import figures as shared
from classifier.plots.figures import Figure, framed
from classifier.plots.frame import WIDE, Form
from classifier.plots.notes import note_words
from reader_study.plots import by_group, by_reader, differences, marks, panels, readers_roc
from reader_study.plots.readers_roc import Shown
from reader_study.statistics.verdicts import FIRST_CHOICE, POINTS
from skinclinic.vocabulary import skin_types, spoken
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Whose confusion matrix; a reader may be called anything, so that a reader's own has a prefix.
MODEL, POOLED, _READER = "model", "readers", "reader:"
NO_ANSWER = "missing"


def disease_name(key: str) -> str:
    """A disease, or "no answer", in the current language."""
    if key == NO_ANSWER:
        return _("No answer")
    return spoken.disease(key)


def of_reader(code: str) -> str:
    """How the confusion matrix of one reader is asked for."""
    return _READER + code


@dataclass(frozen=True)
class StudyFigures:
    """The figures of one report. ``groups``: names by key, in the order of their marks.

    ``primary``: diseases whose comparison with the model is primary. ``is_synthetic``: said on every figure.
    """

    report: Mapping
    curves: Mapping
    groups: Mapping[str, str] = field(default_factory=dict)
    primary: Sequence[str] = ()
    is_synthetic: bool = False
    labels: str = readers_roc.OWN
    interval: str = readers_roc.CI
    form: Form = WIDE
    # What the files are of, and when it was computed.
    origin: str = ""
    made: datetime | None = None

    @property
    def group_names(self) -> dict[str, str]:
        """Names of all groups of the report; those that nobody named are called by their key."""
        known = {key: name for key, name in self.groups.items() if key in self.report["groups"]}
        return known | {key: key for key in self.report["groups"] if key not in known}

    def dataset(self, name: str) -> Mapping:
        return self.report["datasets"][name]

    def session(self, dataset: str, session: str) -> Mapping:
        return self.dataset(dataset)["sessions"][session]

    def roc(
        self, dataset: str, session: str, key: str, way: str = readers_roc.ALL, *, small: bool = False
    ) -> Figure:
        """Readers on the model's curve of one disease."""
        name = marks.file_name(dataset, key, session, "roc", "" if way == readers_roc.ALL else f"among-{way}")
        shown = self._shown(dataset, session, key, way)
        return self._signed(readers_roc.figure(shown, name, self.form, self._always, small=small))

    def _shown(self, dataset: str, session: str, key: str, way: str = readers_roc.ALL) -> Shown:
        title = f"{disease_name(key)}, {dataset}"
        if way != readers_roc.ALL:
            title = f"{title}: {readers_roc.way_name(way, self.labels)}"
        return Shown(
            self.dataset(dataset), self.curves[dataset], session, key, title, self.group_names, way, self.labels,
            self.interval,
        )  # fmt: skip

    def panels(self, session: str, chosen: panels.Chosen = ()) -> Figure:
        """Many diseases in one figure; those of the paper where none are ``chosen``."""
        chosen = [
            one
            for one in chosen or panels.default(self.report)
            if session in self.dataset(one[0])["sessions"]
        ][: panels.MOST]
        title = _("Readers on the model's ROC curves: %(session)s") % {"session": marks.session_name(session)}
        names = [(disease_name(key), dataset) for dataset, key in chosen]
        shown = [self._shown(dataset, session, key) for dataset, key in chosen]
        facts = [
            f"{dataset}: {marks.photos_text(found['n'])}, {marks.readers_text(found['sessions'][session]['n_readers'])}"
            for dataset in dict.fromkeys(dataset for dataset, _key in chosen)
            if (found := self.dataset(dataset))
        ]
        figure = panels.figure(
            shown, names, marks.file_name("panels", session), title, self.form,
            [*(["; ".join(facts)] if facts else []), *self._model_fact], self._always,
        )  # fmt: skip
        return self._signed(figure)

    def accuracy(self, dataset: str, session: str) -> Figure:
        title = _("Accuracy of the readers: %(dataset)s, %(session)s") % _of(dataset, session)
        model = self.dataset(dataset)["argmax_accuracy"]
        found = by_reader.accuracy(
            marks.file_name(dataset, session, "accuracy"),
            title,
            self.session(dataset, session),
            model,
            self.group_names,
            self.form,
        )
        return self._titled(found, dataset, session)

    def against_model(self, dataset: str, session: str) -> Figure:
        title = _("Model against readers: %(dataset)s, %(session)s") % _of(dataset, session)
        tests = self.dataset(dataset)["ai_vs_readers"][session]
        # The operating point, on which alone a conclusion rests.
        point = self.report["settings"].get("operating_point", FIRST_CHOICE)
        way = POINTS[point]
        rows = {
            key: {**(tests[key].get(way) or tests[key]), "too_few": tests[key]["too_few"]}
            for key in DISEASE_KEYS
        }
        names = {key: disease_name(key) for key in rows}
        margin = self.report["settings"]["margin"]
        found = differences.forest(
            marks.file_name(dataset, session, "model-against-readers"),
            title,
            rows,
            names,
            margin,
            self.primary,
            note_words(self.dataset(dataset)["design"][session]["note"]),
            self.form,
            is_first_choice=point == FIRST_CHOICE,
        )
        return self._titled(found, dataset, session)

    def slopes(self, dataset: str, first: str, second: str) -> Figure:
        title = _("Each reader in two sessions: %(dataset)s") % {"dataset": dataset}
        name = marks.file_name(dataset, first, "and", second)
        changes = self.dataset(dataset)["changes"][f"{first}_vs_{second}"]
        found = by_reader.slopes(
            name,
            title,
            changes,
            (marks.session_name(first), marks.session_name(second)),
            self.group_names,
            self.form,
        )
        return self._titled(found, dataset)

    def agreement(self, dataset: str, session: str) -> Figure:
        title = _("Agreement: %(dataset)s, %(session)s") % _of(dataset, session)
        name = marks.file_name(dataset, session, "agreement")
        found = by_group.agreement(name, title, self.session(dataset, session), self.group_names, self.form)
        return self._titled(found, dataset, session)

    def time(self, dataset: str, session: str) -> Figure:
        title = _("Time: %(dataset)s, %(session)s") % _of(dataset, session)
        readers = self.session(dataset, session)["readers"]
        name = marks.file_name(dataset, session, "time")
        found = by_reader.time(name, title, readers, self.group_names, self.form)
        return self._titled(found, dataset, session)

    def subgroups(self, dataset: str, session: str) -> Figure:
        title = _("Subgroups: %(dataset)s, %(session)s") % _of(dataset, session)
        divisions = [
            (division_name(division), [row | {"label": group_label(division, row["label"])} for row in rows])
            for division, rows in self.session(dataset, session)["subgroups"].items()
        ]
        found = by_group.subgroups(
            marks.file_name(dataset, session, "subgroups"), title, divisions, self.form
        )
        return self._titled(found, dataset, session)

    def areas(self, dataset: str, key: str) -> Figure:
        """The model's area under the curve of one disease by age, sex and skin type."""
        title = _("Model, area under the curve by subgroup: %(disease)s, %(dataset)s")
        title %= {"disease": disease_name(key), "dataset": dataset}
        name = marks.file_name(dataset, key, "areas")
        disease = self.dataset(dataset)["diseases"][key]
        if not disease["evaluable"]:
            return Figure(name, title, None, (), (), note=note_words(disease["note"]))
        divisions = [
            (division_name(division), [row | {"label": group_label(division, row["label"])} for row in rows])
            for division, rows in disease["subgroups"].items()
        ]
        low, high = disease["auc_ci"] or (None, None)
        whole = {
            "label": _("all"), "photos": disease["n_pos"] + disease["n_neg"], "positives": disease["n_pos"],
            "auc": {"auc": disease["auc"], "low": low, "high": high, "note": disease["auc_note"]}, "note": "",
        }  # fmt: skip
        return self._titled(shared.forest(name, title, divisions, whole, self.form), dataset)

    def confusion(self, dataset: str, session: str, who: str) -> Figure:
        """The confusion matrix of the model, of the readers together, or of one (``of_reader``)."""
        if who == MODEL:
            title = _("Confusion matrix of the model: %(dataset)s") % {"dataset": dataset}
            matrix, columns_are = self.dataset(dataset)["confusion"], ""
            session = ""
        else:
            found = self.session(dataset, session)
            is_pooled = who == POOLED
            code = who.removeprefix(_READER)
            matrix = found["confusion"] if is_pooled else found["readers"][code]["confusion"]
            if is_pooled and not found["n_readers"]:
                matrix = None
            said = _of(dataset, session) | {"who": _("all readers together") if is_pooled else code}
            title = _("Confusion matrix of %(who)s: %(dataset)s, %(session)s") % said
            columns_are = _("Columns: the answers")
        name = marks.file_name(dataset, session, "confusion", who)
        if matrix is None:
            why = "no_scores" if who == MODEL else "no_answers"
            return Figure(name, title, None, (), (), note=note_words(why))
        matrix = _without_empty_last(matrix)
        names = {key: disease_name(key) for key in (*DISEASE_KEYS, NO_ANSWER)}
        figure = shared.confusion(name, title, matrix, names, columns_are=columns_are, form=self.form)
        return self._titled(figure, dataset, session if who == POOLED else "")

    @property
    def _always(self) -> tuple[str, ...]:
        return (marks.synthetic_note(True),) if self.is_synthetic else ()

    @property
    def _model_fact(self) -> list[str]:
        model = (self.report.get("about") or {}).get("model")
        return [_("Model: %(name)s") % {"name": model["name"]}] if model else []

    def _titled(self, figure: Figure, dataset: str, session: str = "") -> Figure:
        """With its title, its n, the model and what is synthetic written around it."""
        facts = [marks.photos_text(self.dataset(dataset)["n"])]
        if session:
            facts.append(marks.readers_text(self.session(dataset, session)["n_readers"]))
        facts += self._model_fact
        return self._signed(framed(figure, self.form, ["; ".join(facts)], always=self._always))

    def _signed(self, figure: Figure) -> Figure:
        """For the file's own record."""
        if figure.drawing is not None:
            figure.drawing.origin, figure.drawing.made = self.origin, self.made
        return figure

    def makers(self) -> list[tuple[str, Callable[[], Figure]]]:
        """What makes each figure, with its folder, but for the confusion matrix of each single reader."""
        return [(f"figures/{folder}/", make) for folder, make in self._makers()]

    def _makers(self) -> Iterator[tuple[str, Callable[[], Figure]]]:
        for session in self.report["sessions"]:
            yield "panels", partial(self.panels, session)
        for dataset, found in self.report["datasets"].items():
            yield "confusion", partial(self.confusion, dataset, "", MODEL)
            for key in DISEASE_KEYS:
                # A single line, where nothing is known of the patients, is on the ROC curve already.
                if any(found["diseases"][key].get("subgroups", {}).values()):
                    yield "areas", partial(self.areas, dataset, key)
            for session in found["sessions"]:
                for key in DISEASE_KEYS:
                    for way in readers_roc.WAYS:
                        folder = "roc" if way == readers_roc.ALL else f"roc-among-{way}"
                        yield folder, partial(self.roc, dataset, session, key, way)
                yield "readers", partial(self.accuracy, dataset, session)
                yield "model", partial(self.against_model, dataset, session)
                yield "readers", partial(self.agreement, dataset, session)
                yield "readers", partial(self.time, dataset, session)
                yield "model", partial(self.subgroups, dataset, session)
                yield "confusion", partial(self.confusion, dataset, session, POOLED)
            for first, second in combinations(found["sessions"], 2):
                yield "sessions", partial(self.slopes, dataset, first, second)


def _of(dataset: str, session: str) -> dict[str, str]:
    return {"dataset": dataset, "session": marks.session_name(session)}


def _without_empty_last(matrix: Mapping) -> Mapping:
    """Without the column of missing answers where none is missing."""
    if matrix["columns"][-1] != NO_ANSWER or any(counts[-1] for counts in matrix["counts"]):
        return matrix
    return {
        "rows": matrix["rows"],
        "columns": matrix["columns"][:-1],
        "counts": [counts[:-1] for counts in matrix["counts"]],
    }


def division_name(name: str) -> str:
    return {"age": _("Age"), "sex": _("Sex"), "skin_type": _("Fitzpatrick skin type")}[name]


def group_label(division: str, label: str) -> str:
    """A subgroup's label for people."""
    if label == "unknown":
        return _("not known")
    if label == "70 and over":
        return _("70 and over")
    if division == "sex":
        return {"female": _("Female"), "male": _("Male"), "other": _("Other")}.get(label, label)
    if division == "skin_type":
        return _("Type %(roman)s") % {"roman": skin_types.name(int(label))}
    return label
