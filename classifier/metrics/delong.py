"""DeLong's variance of AUCs, their intervals and tests, in O(n log n)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from classifier.metrics import notes, roc
from classifier.metrics.proportions import Z95


@dataclass(frozen=True)
class AucEstimate:
    """An AUC with DeLong's 95 % interval, clipped to [0, 1].

    ``note`` (see notes.py) says why there is no variance, or why its 0 means little.
    """

    auc: float
    variance: float | None
    se: float | None
    low: float | None
    high: float | None
    positives: int
    negatives: int
    note: str = ""


@dataclass(frozen=True)
class AucTest:
    """Two AUCs compared; ``difference`` is a - b with its 95 % interval (not clipped).

    ``statistic`` is z with ``df`` None (paired, the same photos) or t with Welch's ``df`` (unpaired).
    """

    auc_a: float
    auc_b: float
    difference: float
    se: float | None
    low: float | None
    high: float | None
    statistic: float | None
    df: float | None
    p: float | None
    note: str = ""


def estimate(curve: roc.Roc) -> AucEstimate:
    """The AUC of ``curve`` with its interval."""
    area = roc.area(curve)
    if 1 in (curve.positives, curve.negatives):
        return AucEstimate(area, None, None, None, None, curve.positives, curve.negatives, notes.ONE_IN_CLASS)
    # The placement of a score is the share of the other class that it stands in order with.
    of_positives = (curve.true_negatives[:-1] + curve.true_negatives[1:]) / (2 * curve.negatives)
    of_negatives = (curve.true_positives[:-1] + curve.true_positives[1:]) / (2 * curve.positives)
    variance = float(
        _variance_of_mean(of_positives, roc.positives_by_score(curve), area)
        + _variance_of_mean(of_negatives, roc.negatives_by_score(curve), area)
    )
    se = math.sqrt(variance)
    note = ""
    if area in (0, 1):
        note = notes.PERFECT_SEPARATION
    elif variance == 0:
        note = notes.NO_VARIANCE
    return AucEstimate(
        area,
        variance,
        se,
        max(area - Z95 * se, 0.0),
        min(area + Z95 * se, 1.0),
        curve.positives,
        curve.negatives,
        note,
    )


def auc_estimate(scores: ArrayLike, truth: ArrayLike) -> AucEstimate:
    """The AUC of ``scores`` [n] for ``truth`` [n]. NotEvaluable without positives or negatives."""
    return estimate(roc.roc(scores, truth))


def placements(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Of each positive the share of negatives below it, of each negative that of positives above it.

    A tie counts half; both means are the AUC.
    """
    scores, truth = roc.checked(scores, truth)
    ranks = roc.midranks(scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    of_positives = (ranks[truth] - roc.midranks(scores[truth])) / negatives
    of_negatives = 1 - (ranks[~truth] - roc.midranks(scores[~truth])) / positives
    return of_positives, of_negatives


def covariance(columns: Sequence[ArrayLike], truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """AUCs [k] and their covariance [k, k] for ``columns``, k score vectors [n] of the same photos.

    ValueError with one positive or one negative, where there is no variance.
    """
    placed = [placements(column, truth) for column in columns]
    of_positives = np.stack([positive for positive, _negative in placed])
    of_negatives = np.stack([negative for _positive, negative in placed])
    if 1 in (of_positives.shape[1], of_negatives.shape[1]):
        raise ValueError("one positive or one negative gives no variance")
    spread = np.cov(of_positives) / of_positives.shape[1] + np.cov(of_negatives) / of_negatives.shape[1]
    return of_positives.mean(1), np.atleast_2d(spread)


def paired_test(
    scores_a: ArrayLike, scores_b: ArrayLike, truth: ArrayLike, groups: ArrayLike | None = None
) -> AucTest:
    """DeLong's test of two scores of the same photos. NotEvaluable without positives or negatives.

    With ``groups`` [n], labels of any kind (patients), of the photos, which within one are alike: Obuchowski 1997
    (Biometrics 53:567), whose variance is DeLong's where each has one photo.
    """
    truth = np.asarray(truth, bool)
    auc_a, auc_b = roc.auc(scores_a, truth), roc.auc(scores_b, truth)
    labels = np.arange(len(truth)) if groups is None else np.asarray(groups)
    names, whose = np.unique(labels, return_inverse=True)
    if whose.shape != truth.shape:
        raise ValueError(f"{len(whose)} groups for {len(truth)} photos")
    if 1 in (len(np.unique(whose[truth])), len(np.unique(whose[~truth]))):
        return _untested(auc_a, auc_b, notes.ONE_IN_CLASS)
    # The variance of the differences of placements equals Vaa + Vbb - 2 Vab, without cancellation.
    (pos_a, neg_a), (pos_b, neg_b) = placements(scores_a, truth), placements(scores_b, truth)
    pos, neg = pos_a - pos_b, neg_a - neg_b
    if not pos.any() and not neg.any():
        return AucTest(auc_a, auc_b, 0.0, 0.0, 0.0, 0.0, 0.0, None, 1.0, notes.SAME_ORDER)
    # Placements are thirds and sevenths: differences that are all equal may leave a trace of rounding.
    if np.ptp(pos) < 1e-12 and np.ptp(neg) < 1e-12:
        return _untested(auc_a, auc_b, notes.NO_VARIANCE)
    if len(names) == len(truth):
        variance = float(pos.var(ddof=1) / len(pos) + neg.var(ddof=1) / len(neg))
    else:
        variance = _variance_in_groups(pos, neg, whose[truth], whose[~truth], len(names))
    if variance <= 0:
        return _untested(auc_a, auc_b, notes.NO_VARIANCE)
    se, difference = math.sqrt(variance), auc_a - auc_b
    z = difference / se
    p = math.erfc(abs(z) / math.sqrt(2))
    return AucTest(auc_a, auc_b, difference, se, difference - Z95 * se, difference + Z95 * se, z, None, p)


def _variance_in_groups(
    pos: np.ndarray, neg: np.ndarray, of_pos: np.ndarray, of_neg: np.ndarray, groups: int
) -> float:
    """Of the mean of ``pos`` [m], which is that of ``neg`` [n], of groups by number; below 0 at worst by chance."""
    sides = []
    for values, whose in ((pos, of_pos), (neg, of_neg)):
        off = np.bincount(whose, (values - values.mean()) / len(values), minlength=groups)
        there = len(np.unique(whose))
        sides.append((off, there / (there - 1) * float(np.square(off).sum())))
    (off_pos, of_positives), (off_neg, of_negatives) = sides
    return of_positives + of_negatives + 2 * groups / (groups - 1) * float(off_pos @ off_neg)


def unpaired_test(a: AucEstimate, b: AucEstimate) -> AucTest:
    """Test of two AUCs from different photos: t with Welch's degrees of freedom."""
    if a.variance is None or b.variance is None:
        return _untested(a.auc, b.auc, notes.ONE_IN_CLASS)
    if a.variance + b.variance == 0:
        return _untested(a.auc, b.auc, notes.NO_VARIANCE)
    n_a, n_b = a.positives + a.negatives, b.positives + b.negatives
    both = a.variance + b.variance
    df = both**2 / (a.variance**2 / (n_a - 1) + b.variance**2 / (n_b - 1))
    se, difference = math.sqrt(both), a.auc - b.auc
    t = difference / se
    half = float(scipy.special.stdtrit(df, 0.975)) * se
    p = float(2 * scipy.special.stdtr(df, -abs(t)))
    note = a.note or b.note
    return AucTest(a.auc, b.auc, difference, se, difference - half, difference + half, t, df, p, note)


def _variance_of_mean(values: np.ndarray, counts: np.ndarray, mean: float) -> float:
    n = counts.sum()
    return float((counts * (values - mean) ** 2).sum() / (n - 1) / n)


def _untested(auc_a: float, auc_b: float, note: str) -> AucTest:
    return AucTest(auc_a, auc_b, auc_a - auc_b, None, None, None, None, None, None, note)
