"""One-vs-rest ROC curves on plain numpy (float64): AUC, partial AUC, thresholds, Youden.

A score counts as positive when it is greater than the threshold. Candidate thresholds are minus infinity,
the midpoints between adjacent distinct scores, and infinity, so that ">" and ">=" agree.

A curve holds counts, not rates: with them areas, ties and variances are exact. What is computed from curves
(intervals, tests, calibration, the whole evaluation of a model) is in classifier/metrics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


class NotEvaluable(ValueError):
    """There is no positive or no negative, so there is no ROC curve: never report 0 or 0.5 for it."""


@dataclass(frozen=True)
class Roc:
    """A ROC curve: at ``thresholds[i]`` (rising), how many positives and negatives are classified rightly."""

    thresholds: np.ndarray
    true_positives: np.ndarray
    true_negatives: np.ndarray
    positives: int
    negatives: int

    @property
    def sensitivity(self) -> np.ndarray:
        """Share of the positives whose score is greater than each threshold."""
        return self.true_positives / self.positives

    @property
    def specificity(self) -> np.ndarray:
        """Share of the negatives whose score is not greater than each threshold."""
        return self.true_negatives / self.negatives


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with the sensitivity and specificity it gives."""

    threshold: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class PartialAuc:
    """Area between the specificities ``least_specificity`` and 1.

    ``standardized`` is McClish's: 0.5 for no discrimination in that range, 1 for a perfect one.
    """

    least_specificity: float
    area: float
    standardized: float


def auc(scores: ArrayLike, truth: ArrayLike) -> float:
    """Area under the curve: the share of (positive, negative) pairs in order, a tie counting half.

    ``scores`` [n] finite numbers, ``truth`` [n] booleans. NotEvaluable without positives or negatives.
    """
    return area(roc(scores, truth))


def area(curve: Roc) -> float:
    """The area under ``curve``, its pairs counted in integers."""
    # Twice the negatives below each positive, those of the same score once.
    below = curve.true_negatives[:-1] + curve.true_negatives[1:]
    twice = int((positives_by_score(curve) * below).sum())
    return twice / (2 * curve.positives * curve.negatives)


def positives_by_score(curve: Roc) -> np.ndarray:
    """How many positives have each distinct score, rising."""
    return -np.diff(curve.true_positives)


def negatives_by_score(curve: Roc) -> np.ndarray:
    """How many negatives have each distinct score, rising."""
    return np.diff(curve.true_negatives)


def midranks(values: ArrayLike) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they take up."""
    _, inverse, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def roc(scores: ArrayLike, truth: ArrayLike) -> Roc:
    """Return the curve over all candidate thresholds. NotEvaluable without positives or negatives."""
    scores, truth = checked(scores, truth)
    order = np.argsort(scores)
    ranked = scores[order]
    # Where each run of equal scores ends.
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    positives_up_to = np.cumsum(truth[order], dtype=np.int64)[last]
    positives = int(positives_up_to[-1])
    return Roc(
        thresholds=_candidates(ranked[last]),
        true_positives=positives - np.concatenate([[0], positives_up_to]),
        true_negatives=np.concatenate([[0], last + 1 - positives_up_to]),
        positives=positives,
        negatives=len(scores) - positives,
    )


def partial_auc(curve: Roc, least_specificity: float) -> PartialAuc:
    """Area over the specificities from ``least_specificity`` (0 to less than 1) to 1, by trapezoids.

    The curve is cut by linear interpolation where no threshold gives exactly that specificity.
    """
    if not 0 <= least_specificity < 1:
        raise ValueError(f"least specificity {least_specificity} must be from 0 to less than 1")
    specificity, sensitivity = curve.specificity, curve.sensitivity
    first = int(np.searchsorted(specificity, least_specificity, side="left"))
    x, y = specificity[first:], sensitivity[first:]
    if x[0] > least_specificity:
        before = slice(first - 1, first + 1)
        cut = np.interp(least_specificity, specificity[before], sensitivity[before])
        x, y = np.concatenate([[least_specificity], x]), np.concatenate([[cut], y])
    found = float(np.trapezoid(y, x))
    most = 1 - least_specificity
    least = most**2 / 2
    return PartialAuc(least_specificity, found, (1 + (found - least) / (most - least)) / 2)


def most_specific(curve: Roc, *, least_sensitivity: float) -> OperatingPoint:
    """The highest threshold that still reaches ``least_sensitivity`` (0 to 1)."""
    return point_at(curve, int(np.flatnonzero(curve.sensitivity >= least_sensitivity)[-1]))


def most_sensitive(curve: Roc, *, least_specificity: float) -> OperatingPoint:
    """The lowest threshold that reaches ``least_specificity`` (0 to 1)."""
    return point_at(curve, int(np.flatnonzero(curve.specificity >= least_specificity)[0]))


def checked(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Scores [n] as float64 and truth [n] as booleans; ValueError, or NotEvaluable with one class alone."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    if scores.ndim != 1 or scores.shape != truth.shape:
        raise ValueError(f"scores {scores.shape} and truth {truth.shape} must be two vectors of one length")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if truth.all() or not truth.any():
        raise NotEvaluable("a ROC curve needs at least one positive and one negative")
    return scores, truth


def candidates(scores: ArrayLike) -> np.ndarray:
    """Minus infinity, the midpoints between adjacent distinct ``scores``, and infinity."""
    return _candidates(np.unique(np.asarray(scores, float)))


def _candidates(distinct: np.ndarray) -> np.ndarray:
    middle = distinct[:-1] + np.diff(distinct) / 2
    # Between two neighbouring floats the midpoint may round up to the greater score, which it must not exclude.
    middle = np.where(middle < distinct[1:], middle, distinct[:-1])
    return np.concatenate([[-np.inf], middle, [np.inf]])


def point_at(curve: Roc, index: int) -> OperatingPoint:
    return OperatingPoint(
        float(curve.thresholds[index]), float(curve.sensitivity[index]), float(curve.specificity[index])
    )
