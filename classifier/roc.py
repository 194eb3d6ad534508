"""One-vs-rest ROC curves on plain numpy (float64): AUC, thresholds, Youden.

A score counts as positive when it is greater than the threshold. Candidate thresholds are minus infinity,
the midpoints between adjacent distinct scores, and infinity, so that ">" and ">=" agree.
"""

from dataclasses import dataclass

import numpy as np


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


def auc(scores, truth) -> float:
    """Area under the curve: the share of (positive, negative) pairs in order, a tie counting half.

    ``scores`` [n] finite numbers, ``truth`` [n] booleans. NotEvaluable without positives or negatives.
    """
    scores, truth = _checked(scores, truth)
    positives = int(truth.sum())
    ranks = midranks(scores)[truth].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


def midranks(values) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they take up."""
    _, inverse, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def roc(scores, truth) -> Roc:
    """Return the curve over all candidate thresholds. NotEvaluable without positives or negatives."""
    scores, truth = _checked(scores, truth)
    distinct = np.unique(scores)
    thresholds = np.concatenate([[-np.inf], distinct[:-1] + np.diff(distinct) / 2, [np.inf]])
    positive, negative = np.sort(scores[truth]), np.sort(scores[~truth])
    return Roc(
        thresholds=thresholds,
        true_positives=len(positive) - np.searchsorted(positive, thresholds, side="right"),
        true_negatives=np.searchsorted(negative, thresholds, side="right"),
        positives=len(positive),
        negatives=len(negative),
    )


def youden_optima(curve: Roc) -> list[OperatingPoint]:
    """All points with the greatest sensitivity + specificity, by rising threshold.

    The sum is compared in integers (TP*N + TN*P), so that ties are exact.
    """
    # int64 holds the products of counts up to three thousand million.
    gain = curve.true_positives * np.int64(curve.negatives) + curve.true_negatives * np.int64(curve.positives)
    return [_point(curve, index) for index in np.flatnonzero(gain == gain.max())]


def youden(curve: Roc) -> OperatingPoint:
    """The chosen Youden optimum: of all, the highest sensitivity, then the lowest threshold."""
    return min(youden_optima(curve), key=lambda point: (-point.sensitivity, point.threshold))


def most_specific(curve: Roc, *, least_sensitivity: float) -> OperatingPoint:
    """The highest threshold that still reaches ``least_sensitivity`` (0 to 1)."""
    return _point(curve, int(np.flatnonzero(curve.sensitivity >= least_sensitivity)[-1]))


def _point(curve: Roc, index: int) -> OperatingPoint:
    return OperatingPoint(
        float(curve.thresholds[index]), float(curve.sensitivity[index]), float(curve.specificity[index])
    )


def _checked(scores, truth) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    if scores.ndim != 1 or scores.shape != truth.shape:
        raise ValueError(f"scores {scores.shape} and truth {truth.shape} must be two vectors of one length")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if truth.all() or not truth.any():
        raise NotEvaluable("a ROC curve needs at least one positive and one negative")
    return scores, truth
