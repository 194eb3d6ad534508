"""Net benefit of listing a disease when its score is greater than a probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import roc

PROBABILITIES = tuple(round(percent / 100, 2) for percent in range(1, 100))


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit a patient at each of ``probabilities``; listing nobody has 0.

    ``reweighted``: ``prevalence`` is not the dataset's own.
    """

    prevalence: float
    reweighted: bool
    probabilities: tuple[float, ...]
    net_benefit: tuple[float, ...]
    list_all: tuple[float, ...]


def decision_curve(
    scores: ArrayLike,
    truth: ArrayLike,
    *,
    prevalence: float | None = None,
    probabilities: Sequence[float] = PROBABILITIES,
) -> DecisionCurve:
    """TP/n - FP/n · t/(1-t), with TP/n and FP/n as they would be at ``prevalence`` (default: the dataset's).

    NotEvaluable without positives or negatives.
    """
    scores, truth = roc.checked(scores, truth)
    t = np.asarray(probabilities, float)
    if ((t <= 0) | (t >= 1)).any():
        raise ValueError("probabilities must lie between 0 and 1")
    if prevalence is not None and not 0 < prevalence < 1:
        raise ValueError(f"prevalence {prevalence} must lie between 0 and 1")
    share = float(truth.mean()) if prevalence is None else prevalence
    listed = [
        1 - np.searchsorted(np.sort(part), t, side="right") / len(part) for part in _parts(scores, truth)
    ]
    odds = t / (1 - t)
    return DecisionCurve(
        share,
        prevalence is not None,
        tuple(t.tolist()),
        tuple((listed[0] * share - listed[1] * (1 - share) * odds).tolist()),
        tuple((share - (1 - share) * odds).tolist()),
    )


def _parts(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return scores[truth], scores[~truth]
