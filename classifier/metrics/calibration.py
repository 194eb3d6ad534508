"""How well scores agree with frequencies: logistic recalibration, Brier score, reliability curve.

A dataset sampled by diagnosis has an artificial prevalence, and every figure here depends on it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import notes, roc
from classifier.metrics.proportions import Z95, Proportion, proportion

# Scores are kept off 0 and 1, whose log odds are infinite. Stored scores have six decimals or more.
LEAST_SCORE = 1e-6
BINS = 10
# How far the fit may move any log odds at a time.
LONGEST_STEP = 4.0


@dataclass(frozen=True)
class Fitted:
    """A coefficient with its standard error and 95 % interval (Wald)."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """Photos with scores from ``low`` to ``high`` (the last bin with its end): mean score, share observed."""

    low: float
    high: float
    mean_score: float | None
    observed: Proportion


@dataclass(frozen=True)
class Calibration:
    """log odds(disease) = intercept + slope · log odds(score); ideal are 0 and 1.

    ``in_the_large`` is the intercept with the slope held at 1. ``brier_scaled`` is 1 - Brier / that of always
    saying the prevalence. ``clipped`` scores lay nearer to 0 or 1 than LEAST_SCORE. ``note`` is "no_fit" when
    intercept and slope have no finite solution.
    """

    prevalence: float
    brier: float
    brier_scaled: float
    intercept: Fitted | None
    slope: Fitted | None
    in_the_large: Fitted
    clipped: int
    bins: tuple[Bin, ...]
    note: str = ""


def calibration(
    scores: ArrayLike, truth: ArrayLike, *, bins: int = BINS, equal_counts: bool = False
) -> Calibration:
    """``scores`` [n] from 0 to 1. Bins of equal width, or of about equal counts.

    NotEvaluable without positives or negatives.
    """
    scores, truth = roc.checked(scores, truth)
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError("scores must be probabilities from 0 to 1 to be calibrated")
    within = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
    log_odds = np.log(within) - np.log1p(-within)
    prevalence = float(truth.mean())
    brier = float(((scores - truth) ** 2).mean())
    (in_the_large,) = _logistic(np.ones((1, len(truth))), truth, log_odds, [0])
    intercept = slope = None
    note = notes.NO_FIT
    if log_odds[truth].min() < log_odds[~truth].max() and log_odds[~truth].min() < log_odds[truth].max():
        design = np.stack([np.ones_like(log_odds), log_odds])
        start = [np.log(prevalence) - np.log1p(-prevalence), 0]
        intercept, slope = _logistic(design, truth, np.zeros_like(log_odds), start)
        note = ""
    return Calibration(
        prevalence,
        brier,
        1 - brier / (prevalence * (1 - prevalence)),
        intercept,
        slope,
        in_the_large,
        int((within != scores).sum()),
        _bins(scores, truth, bins, equal_counts),
        note,
    )


def _logistic(design: np.ndarray, truth: np.ndarray, offset: np.ndarray, start: ArrayLike) -> list[Fitted]:
    """Coefficients [k] of a logistic regression on ``design`` [k, n] by Newton's method from ``start`` [k];
    the solution must be finite."""

    # einsum, not BLAS: for one or two rows its threads cost more than they bring, above all on a busy machine.
    def predicted(coefficients: np.ndarray) -> tuple[np.ndarray, float]:
        return _predicted(offset + np.einsum("k,kn->n", coefficients, design), truth)

    coefficients = np.asarray(start, float)
    odds, loss = predicted(coefficients)
    for _ in range(100):
        information = np.einsum("in,jn->ij", design * (odds * (1 - odds)), design)
        step = np.linalg.solve(information, np.einsum("kn,n->k", design, truth - odds))
        # A full step may overshoot to where all probabilities are 0 or 1 and nothing can be solved any more.
        step = step / max(1.0, np.abs(np.einsum("k,kn->n", step, design)).max() / LONGEST_STEP)
        odds, found = predicted(coefficients + step)
        # Close to the solution a loss may rise by rounding alone.
        while found > loss * (1 + 1e-12) and np.abs(step).max() > 1e-12:
            step = step / 2
            odds, found = predicted(coefficients + step)
        coefficients, loss = coefficients + step, found
        if np.abs(step).max() < 1e-9 * max(1.0, np.abs(coefficients).max()):
            break
    # At the solution itself; the information of the last step was that of the point before it.
    information = np.einsum("in,jn->ij", design * (odds * (1 - odds)), design)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return [
        Fitted(float(value), float(se), float(value - Z95 * se), float(value + Z95 * se))
        for value, se in zip(coefficients, errors, strict=True)
    ]


def _predicted(log_odds: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Probabilities [n], and minus the log likelihood."""
    small = np.exp(-np.abs(log_odds))
    odds = np.where(log_odds >= 0, 1.0, small) / (1 + small)
    loss = np.maximum(log_odds, 0).sum() - log_odds[truth].sum() + np.log1p(small).sum()
    return odds, float(loss)


def _bins(scores: np.ndarray, truth: np.ndarray, bins: int, equal_counts: bool) -> tuple[Bin, ...]:
    edges = np.linspace(0, 1, bins + 1)
    if equal_counts:
        edges = np.unique(np.concatenate([[0], np.quantile(scores, edges[1:-1]), [1]]))
    place = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2)
    photos = np.bincount(place, minlength=len(edges) - 1)
    positives = np.bincount(place[truth], minlength=len(edges) - 1)
    sums = np.bincount(place, scores, len(edges) - 1)
    return tuple(
        Bin(
            float(edges[i]),
            float(edges[i + 1]),
            float(sums[i] / photos[i]) if photos[i] else None,
            proportion(positives[i], photos[i]),
        )
        for i in range(len(edges) - 1)
    )
