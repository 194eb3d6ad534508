"""Threshold sets from out-of-fold scores.

A disease with photos gets its thresholds from them ("real"). One known from drawings alone gets them from
drawings the networks did not learn from ("synthetic"), raised where need be so that photos of patients,
which show other diseases, seldom list it.
"""

from dataclasses import dataclass

import numpy as np

from classifier.metrics import roc
from classifier.metrics.listing import is_listed
from classifier.metrics.youden import youden
from classifier.training.crossval import OutOfFold

LEAST_SENSITIVITY = 0.95
LEAST_SPECIFICITY_ON_PHOTOS = 0.95


@dataclass(frozen=True)
class Chosen:
    """A threshold (0 to 1), whether it comes from "real" or "synthetic" pictures, and what it gives there.

    ``photos_listed`` is the share of the photos of other diseases whose score is greater.
    """

    threshold: float
    basis: str
    sensitivity: float
    specificity: float
    photos_listed: float


def choose(
    out: OutOfFold, photo_labels: np.ndarray, drawing_labels: np.ndarray, diseases: int, *, screening: bool
) -> list[Chosen]:
    """Choose a threshold for each of the first ``diseases`` outputs.

    By Youden; with ``screening`` the highest that still reaches 95 % sensitivity, but none higher than by
    Youden.
    """
    drawn_truth = np.tile(drawing_labels, len(out.drawings))
    drawn_scores = out.drawings.reshape(-1, out.drawings.shape[2])
    chosen = []
    for disease in range(diseases):
        real = bool((photo_labels == disease).any())
        scores, truth = (out.photos, photo_labels) if real else (drawn_scores, drawn_truth)
        curve = roc.roc(scores[:, disease], truth == disease)
        threshold = youden(curve).threshold
        if screening:
            threshold = min(
                threshold, roc.most_specific(curve, least_sensitivity=LEAST_SENSITIVITY).threshold
            )
        if not real:
            threshold = max(threshold, _seldom_exceeded(out.photos[:, disease]))
        threshold = float(np.clip(threshold, 0, 1))
        chosen.append(
            Chosen(
                threshold,
                "real" if real else "synthetic",
                float(is_listed(scores[truth == disease, disease], threshold).mean()),
                float((~is_listed(scores[truth != disease, disease], threshold)).mean()),
                float(is_listed(out.photos[photo_labels != disease, disease], threshold).mean()),
            )
        )
    return chosen


def _seldom_exceeded(scores: np.ndarray) -> float:
    """The lowest of ``scores`` that at most a twentieth of them exceed."""
    allowed = int(len(scores) * (1 - LEAST_SPECIFICITY_ON_PHOTOS) + 1e-9)
    return float(np.sort(scores)[len(scores) - 1 - allowed])
