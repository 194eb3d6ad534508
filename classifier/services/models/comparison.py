"""Two models on the same photos: paired tests of their AUCs, and where their first choices differ."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from classifier.metrics import roc
from classifier.metrics.delong import AucTest, paired_test
from classifier.metrics.proportions import inside
from classifier.metrics.subgroups import LEAST_POSITIVES
from classifier.plots.notes import note_words
from classifier.services.evaluation import standing, units
from classifier.services.evaluation.kept import gallery as kept_gallery
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import NotYet, Report
from classifier.services.evaluation.standing import Standing
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# With fewer patients with or without a disease nothing is tested.
LEAST = LEAST_POSITIVES
# Raise it when what is kept is of another form.
_FORM = 2
# So many photos on which they differ are told of.
MOST_DIFFERING = 60
COMPARED = "compared"


@dataclass(frozen=True)
class Line:
    """A disease; ``test`` is None where it cannot be evaluated, ``note`` says why it has no interval. ``patients``:
    those of the ``positives``, lesions and photos standing for unknown ones; ``too_few`` to be tested."""

    key: str
    positives: int
    patients: int
    test: AucTest | None
    note: str
    too_few: bool


@dataclass(frozen=True)
class Differing:
    """A photo on which the first choices differ, with the score each model gives to its own."""

    item: int
    photo: int
    name: str
    truth: str
    first: str
    first_score: float
    second: str
    second_score: float

    @property
    def right(self) -> str:
        """Who is right: first, second or neither."""
        return {self.first: "first", self.second: "second"}.get(self.truth, "neither")


@dataclass(frozen=True)
class Comparison:
    """``table`` counts photos of the 12: both right, first only, second only, both wrong.

    ``differing``: of the photos on which they differ, ``differ`` in all, the MOST_DIFFERING with the highest scores.
    ``doubts``: what speaks against comparing them; then no test is made, and ``lines`` have none."""

    lines: tuple[Line, ...]
    differing: tuple[Differing, ...]
    differ: int
    table: dict[str, int]
    doubts: tuple[Standing, ...] = ()


def compare(report: Report, dataset: int, first: int, second: int) -> Comparison:
    """Compare two models of an evaluation on one of its datasets, as it is kept beside the report, else by the scores.

    Photos of a patient count as alike. Where one may have seen the photos, and of a disease with or without which there
    are fewer than LEAST patients, differences are told with their intervals, but not tested. Raises NoReport; NotYet
    where the photos are more than a request looks through, and no job has yet.
    """
    told = _told(report, dataset, first, second)
    doubts = _doubts(report, dataset, first, second)
    lines = []
    for key, one in told["lines"].items():
        test = AucTest(**one["test"]) if one["test"] else None
        too_few = min(one["patients"]) < LEAST
        if test and (doubts or too_few):
            test = replace(test, statistic=None, p=None)
        note = note_words(test.note) if test and test.note else ""
        lines.append(Line(key, one["positives"], one["patients"][0], test, note, too_few))
    names = kept_gallery.names_of(one["item"] for one in told["differing"])
    differing = tuple(Differing(name=names.get(one["item"], ""), **one) for one in told["differing"])
    return Comparison(tuple(lines), differing, told["differ"], told["table"], doubts)


def look_for_asked(report: Report, dataset: int, first: int) -> None:
    """Work out the comparisons of ``first`` that somebody asked for, and those that no longer hold. Raises NoReport."""
    models = {one["pk"] for one in report.models}
    for what in kept_values.asked(report, dataset, first):
        name, _dash, second = what.partition("-")
        if name == COMPARED and int(second) in models:
            _told(report, dataset, first, int(second))


def _told(report: Report, dataset: int, first: int, second: int) -> dict[str, Any]:
    what = f"{COMPARED}-{second}"

    def look() -> dict[str, Any]:
        try:
            report.look_through(report.dataset(dataset)["photos"])
        except NotYet:
            kept_values.ask(report, dataset, first, what)
            raise
        a, b = report.scores(dataset, first), report.scores(dataset, second)
        return _look(a, b, units.whose(dataset, a["items"].tolist()))

    told: dict[str, Any] = kept_values.told(report, dataset, first, what, look, _FORM)
    return told


def _look(a: dict[str, np.ndarray], b: dict[str, np.ndarray], patients: np.ndarray) -> dict[str, Any]:
    """Of the scores of two models, and whose the photos are [n]; it names no photo."""
    truth = a["truth"]
    lines = {}
    for place, key in enumerate(DISEASE_KEYS):
        shown = truth == key
        try:
            found = paired_test(a["scores"][:, place], b["scores"][:, place], shown, patients)
            test = asdict(_within(found))
        except roc.NotEvaluable:
            test = None
        counts = [len(np.unique(patients[side])) for side in (shown, ~shown)]
        lines[key] = {"positives": int(shown.sum()), "patients": counts, "test": test}
    choices = [np.array(DISEASE_KEYS)[one["scores"].argmax(1)] for one in (a, b)]
    right = [choice == truth for choice in choices]
    known = np.isin(truth, DISEASE_KEYS)
    table = {
        "both": int((right[0] & right[1]).sum()),
        "first": int((right[0] & ~right[1]).sum()),
        "second": int((~right[0] & right[1]).sum()),
        "neither": int((known & ~right[0] & ~right[1]).sum()),
    }
    places = np.flatnonzero(choices[0] != choices[1])
    sure = np.maximum(a["scores"].max(1), b["scores"].max(1))[places]
    differing = [
        {
            "item": int(a["items"][at]), "photo": int(a["photos"][at]), "truth": str(truth[at]),
            "first": str(choices[0][at]), "first_score": float(a["scores"][at].max()),
            "second": str(choices[1][at]), "second_score": float(b["scores"][at].max()),
        }
        for at in places[np.argsort(-sure, kind="stable")][:MOST_DIFFERING]
    ]  # fmt: skip
    return {"lines": lines, "table": table, "differ": len(places), "differing": differing}


def _within(test: AucTest) -> AucTest:
    """The test with its interval cut to what a difference of two AUCs can be."""
    low, high = inside(test.low, test.high) or (test.low, test.high)
    return replace(test, low=low, high=high)


def _doubts(report: Report, dataset: int, *models: int) -> tuple[Standing, ...]:
    title = report.dataset(dataset)["title"]
    found = [
        standing.of_pair(report.row, (dataset, title), (model, report.model(model)["name"]))
        for model in models
    ]
    return tuple(one for one in found if one.is_in_doubt)
