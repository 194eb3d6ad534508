"""Mean ± SD over models trained alike with different seeds. It is no confidence interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifier.metrics.evaluation import DiseaseResult, Evaluation
from classifier.metrics.operating import AtThreshold


@dataclass(frozen=True)
class MeanSd:
    """Mean and SD (ddof=1) over the runs; ``values`` has every run's, None where it was not evaluable.

    Both are None when no run has a finite value, the SD also with one run. ``unstable``: the SD exceeds the
    mean, so that the mean describes no run.
    """

    mean: float | None
    sd: float | None
    values: tuple[float | None, ...]
    unstable: bool


@dataclass(frozen=True)
class RunRow:
    """One row of a table of results: a disease, or the average over ``diseases`` within each run."""

    key: str
    diseases: int
    auc: MeanSd
    sensitivity: MeanSd
    specificity: MeanSd
    threshold: MeanSd


@dataclass(frozen=True)
class RunSummary:
    """``rows`` by disease, their average (taken within each run first), and top-1 over the runs."""

    runs: int
    rows: tuple[RunRow, ...]
    average: RunRow
    top_1: MeanSd
    class_balanced_top_1: MeanSd


def mean_sd(values: Sequence[float | None]) -> MeanSd:
    """Summarise one figure of each run."""
    values = tuple(None if value is None else float(value) for value in values)
    there = [value for value in values if value is not None]
    if not there or not all(map(math.isfinite, there)):
        return MeanSd(None, None, values, False)
    mean = float(np.mean(there))
    sd = float(np.std(there, ddof=1)) if len(there) > 1 else None
    return MeanSd(mean, sd, values, sd is not None and sd > abs(mean))


def across_runs(evaluations: Sequence[Evaluation], *, thresholds: str = "") -> RunSummary:
    """Summarise evaluations of K runs on the same photos.

    Sensitivity and specificity are those at each run's Youden optimum, or at the given ``thresholds`` of that
    name. ValueError when the photos differ.
    """
    if not evaluations:
        raise ValueError("there are no runs to summarise")
    first = evaluations[0]
    if any(other.photos_of != first.photos_of or other.keys != first.keys for other in evaluations):
        raise ValueError("runs can be summarised only on the same photos and diseases")
    columns = zip(*(evaluation.diseases for evaluation in evaluations), strict=True)
    rows = tuple(_row(results, thresholds) for results in columns)
    tops = [next(top for top in evaluation.ranking.top if top.k == 1) for evaluation in evaluations]
    return RunSummary(
        len(evaluations),
        rows,
        _average(rows, len(evaluations)),
        mean_sd([top.right.value for top in tops]),
        mean_sd([top.class_balanced for top in tops]),
    )


def _row(results: Sequence[DiseaseResult], thresholds: str) -> RunRow:
    points: list[AtThreshold | None] = [
        result.given[thresholds] if thresholds else result.youden for result in results
    ]
    return RunRow(
        results[0].key,
        1,
        mean_sd([result.auc.auc if result.auc else None for result in results]),
        mean_sd([point.sensitivity.value if point else None for point in points]),
        mean_sd([point.specificity.value if point else None for point in points]),
        mean_sd([point.threshold if point else None for point in points]),
    )


def _average(rows: Sequence[RunRow], runs: int) -> RunRow:
    evaluable = [row for row in rows if None not in row.auc.values]

    def over_diseases(name: str) -> MeanSd:
        values = [getattr(row, name).values for row in evaluable]
        return mean_sd([float(np.mean(run)) for run in zip(*values, strict=True)] or [None] * runs)

    return RunRow("", len(evaluable), *map(over_diseases, ("auc", "sensitivity", "specificity", "threshold")))
