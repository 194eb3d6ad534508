"""Two models on the same photos: paired tests of their AUCs, and where their first choices differ."""

from dataclasses import dataclass, replace

import numpy as np

from classifier.metrics import roc
from classifier.metrics.delong import AucTest, paired_test
from classifier.metrics.proportions import inside
from classifier.plots import figures
from classifier.services.evaluation import standing
from classifier.services.evaluation.report import Report
from classifier.services.evaluation.standing import Standing
from skinclinic.vocabulary.diseases import DISEASE_KEYS


@dataclass(frozen=True)
class Line:
    """A disease; ``test`` is None where it cannot be evaluated, ``note`` says why it has no interval."""

    key: str
    positives: int
    test: AucTest | None
    note: str


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

    ``doubts``: what speaks against comparing them; then no test is made, and ``lines`` have none."""

    lines: tuple[Line, ...]
    differing: tuple[Differing, ...]
    table: dict[str, int]
    doubts: tuple[Standing, ...] = ()


def compare(report: Report, dataset: int, first: int, second: int) -> Comparison:
    """Compare two models of an evaluation on one of its datasets.

    Where one may have seen the photos, differences are told with their intervals, but not tested.
    """
    doubts = _doubts(report, dataset, first, second)
    a, b = report.scores(dataset, first), report.scores(dataset, second)
    truth = a["truth"]
    lines = []
    for place, key in enumerate(DISEASE_KEYS):
        shown = truth == key
        try:
            test = _within(paired_test(a["scores"][:, place], b["scores"][:, place], shown))
            if doubts:
                test = replace(test, statistic=None, p=None)
        except roc.NotEvaluable:
            test = None
        note = figures.note_words(test.note) if test and test.note else ""
        lines.append(Line(key, int(shown.sum()), test, note))
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
    differing = tuple(
        Differing(
            int(a["items"][at]), int(a["photos"][at]), str(a["names"][at]), str(truth[at]), str(choices[0][at]),
            float(a["scores"][at].max()), str(choices[1][at]), float(b["scores"][at].max()),
        )
        for at in places[np.argsort(-sure, kind="stable")]
    )  # fmt: skip
    return Comparison(tuple(lines), differing, table, doubts)


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
