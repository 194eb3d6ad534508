"""Curves for plots and tables: what every threshold gives, thinned to what a plot can show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import roc
from classifier.metrics.groups import AS_BENIGN, tier_groups
from classifier.metrics.operating import Truth
from skinclinic.vocabulary.diseases import BENIGN, MALIGNANT


@dataclass(frozen=True)
class ThresholdCurve:
    """Counts at rising ``thresholds`` of one disease; divide by the n of the same name.

    A photo is rejected when its score is not greater than the threshold.
    A dataset without negatives still has the counts of true positives, and one without positives the others.
    """

    key: str
    policy: str
    positives: int
    negatives: int
    other_malignant: int
    other_benign: int
    thresholds: np.ndarray
    true_positives: np.ndarray
    true_negatives: np.ndarray
    rejected_other_malignant: np.ndarray
    rejected_other_benign: np.ndarray


def threshold_curve(
    scores: ArrayLike,
    truth: Truth,
    key: str,
    *,
    policy: str = AS_BENIGN,
    points: int = 400,
    keep: Sequence[float] = (),
) -> ThresholdCurve:
    """The curve of disease ``key`` from its ``scores`` [n].

    No more than about ``points`` thresholds are kept, such that neither sensitivity nor specificity moves by
    more than 2/points unless it does so at one threshold; those nearest to ``keep`` (the Youden optimum, say)
    stay.
    """
    scores = np.asarray(scores, float)
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("a curve needs scores, and they must be finite")
    thresholds = roc.candidates(scores)
    positive = truth.codes == truth.names.index(key)
    groups = {
        tier: np.isin(truth.codes, [truth.names.index(k) for k in keys if k != key and k in truth.names])
        for tier, keys in tier_groups(policy).items()
    }
    true_negatives = _rejected(scores[~positive], thresholds)
    true_positives = int(positive.sum()) - _rejected(scores[positive], thresholds)
    kept = _thinned(thresholds, true_positives, true_negatives, points, keep)
    return ThresholdCurve(
        key,
        policy,
        int(positive.sum()),
        int((~positive).sum()),
        int(groups[MALIGNANT].sum()),
        int(groups[BENIGN].sum()),
        thresholds[kept],
        true_positives[kept],
        true_negatives[kept],
        _rejected(scores[groups[MALIGNANT]], thresholds[kept]),
        _rejected(scores[groups[BENIGN]], thresholds[kept]),
    )


def _rejected(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(scores), thresholds, side="right")


def _thinned(
    thresholds: np.ndarray,
    true_positives: np.ndarray,
    true_negatives: np.ndarray,
    points: int,
    keep: Sequence[float],
) -> np.ndarray:
    """Places of the thresholds to keep, rising."""
    way = sum(
        np.abs(counts - counts[0]) / max(abs(int(counts[-1] - counts[0])), 1)
        for counts in (true_positives, true_negatives)
    )
    # One threshold for each cell of the way from (1, 0) to (0, 1), which is at most 2 long.
    cell = np.floor(way * points / 2)
    kept = np.flatnonzero(np.append(True, np.diff(cell) > 0))
    wanted = [int(np.abs(thresholds[1:-1] - value).argmin()) + 1 for value in keep if len(thresholds) > 2]
    return np.unique(np.concatenate([kept, wanted, [0, len(thresholds) - 1]]).astype(np.intp))
