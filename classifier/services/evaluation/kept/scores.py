"""The scores of an evaluation in order, kept beside its report, so that thresholds are chosen from them without a look
through all photos: of each disease, of a dataset and a model, one place is read.

Two rows of numbers a disease lie one after another in a file. ``below``: of its photos, from the highest score to the
lowest, the highest threshold that lists the photo and those before it. ``lowest``: the lowest score of each of its
patients (``metrics.conformal``), rising. Where they begin, and all else, is told with what ``values`` keeps. It
names nobody.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.metrics import conformal, roc
from classifier.metrics.youden import youden
from classifier.services.evaluation.kept import arrays as kept_arrays
from classifier.services.evaluation.report import Report
from classifier.services.evaluation.units import Photos
from skinclinic.vocabulary.diseases import DISEASE_KEYS


@dataclass(frozen=True)
class OfDisease:
    """``youden``: the threshold; None where the photos cannot tell the disease. ``photos``: of it, of patients who are
    still known; ``below`` is of all that were evaluated."""

    youden: float | None
    photos: int
    below: np.ndarray
    lowest: np.ndarray

    @property
    def positives(self) -> int:
        return len(self.below)

    def most_specific(self, least_sensitivity: float) -> float:
        """The highest threshold that still lists that share (more than 0, up to 1) of its photos."""
        least = math.ceil(least_sensitivity * self.positives)
        # As shares are compared, which no product decides.
        while least > 1 and (least - 1) / self.positives >= least_sensitivity:
            least -= 1
        while least / self.positives < least_sensitivity:
            least += 1
        return float(self.below[least - 1])


@dataclass(frozen=True)
class Ordered:
    """Of one dataset and model. ``units``: how many of the 12 diseases there are by kind (``Photos.units_by_kind``);
    ``gone``: as of ``Photos``."""

    units: dict[str, int]
    gone: int
    diseases: dict[str, OfDisease]


def of(report: Report, dataset: int, model: int, photos: Callable[[], Photos]) -> Ordered:
    """As they are kept; else as ``photos``, which reads the photos, tells. Raises NoReport, NotYet."""

    def look() -> tuple[dict[str, Any], np.ndarray]:
        of_photos = photos()
        return _look(report.scores(dataset, model), of_photos)

    told, values = kept_arrays.told(report, dataset, model, "scores", look)
    diseases = {
        key: OfDisease(
            one["youden"], one["photos"], values[slice(*one["below"])], values[slice(*one["lowest"])]
        )
        for key, one in told["diseases"].items()
    }
    return Ordered(told["units"], told["gone"], diseases)


def _look(kept: dict[str, np.ndarray], photos: Photos) -> tuple[dict[str, Any], np.ndarray]:
    """What is told, and the numbers."""
    diseases: dict[str, dict[str, Any]] = {}
    rows: list[np.ndarray] = []
    at = 0
    for place, key in enumerate(DISEASE_KEYS):
        scores, truth, there = kept["scores"][:, place], kept["truth"] == key, photos.truth == key
        try:
            curve = roc.roc(scores, truth)
            best, below = youden(curve).threshold, _below(curve)
        except roc.NotEvaluable:
            best, below = None, np.empty(0)
        lowest = conformal.in_order(conformal.lowest_scores(photos.scores[there, place], photos.units[there]))
        places = (at, at + len(below), at + len(below) + len(lowest))
        diseases[key] = {
            "youden": best, "photos": int(there.sum()), "below": places[:2], "lowest": places[1:],
        }  # fmt: skip
        rows += [below, lowest]
        at = places[2]
    units = photos.units_by_kind(np.isin(photos.truth, DISEASE_KEYS))
    return {"units": units, "gone": photos.gone, "diseases": diseases}, np.concatenate(rows)


def _below(curve: roc.Roc) -> np.ndarray:
    """For each number of positives, from one, the highest threshold that still lists so many."""
    listed = np.arange(1, curve.positives + 1)
    # They fall as the threshold rises.
    last = np.searchsorted(-curve.true_positives, -listed, side="right") - 1
    return curve.thresholds[last]
