"""Bootstrap intervals of AUCs: by photo within positives and negatives, or by patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import roc

REPEATS = 2000


@dataclass(frozen=True)
class BootstrapInterval:
    """A 95 % percentile interval over ``used`` resamples; in the others a class was missing.

    ``unit`` is what was drawn: "photo" (positives and negatives apart) or "patient" with all its photos.
    """

    low: float
    high: float
    se: float
    unit: str
    units: int
    used: int
    repeats: int
    seed: int


def by_photo(
    scores: ArrayLike, truth: ArrayLike, *, repeats: int = REPEATS, seed: int = 0
) -> BootstrapInterval:
    """Draw photos with replacement, as many positives and negatives as there are."""
    curve = roc.roc(scores, truth)
    random = np.random.default_rng(seed)
    positives, negatives = roc.positives_by_score(curve), roc.negatives_by_score(curve)
    # Only scores that occur in a class can be drawn from it.
    positive_at, negative_at = np.flatnonzero(positives), np.flatnonzero(negatives)
    share_positive = positives[positive_at] / curve.positives
    share_negative = negatives[negative_at] / curve.negatives
    drawn_positive, drawn_negative = np.zeros_like(positives), np.zeros_like(negatives)
    areas = []
    for _ in range(repeats):
        drawn_positive[positive_at] = random.multinomial(curve.positives, share_positive)
        drawn_negative[negative_at] = random.multinomial(curve.negatives, share_negative)
        areas.append(_area(drawn_positive, drawn_negative))
    return _interval(areas, "photo", curve.positives + curve.negatives, repeats, seed)


def by_patient(
    scores: ArrayLike, truth: ArrayLike, patients: ArrayLike, *, repeats: int = REPEATS, seed: int = 0
) -> BootstrapInterval:
    """Draw patients with replacement, each with all photos, as photos of one patient are alike.

    ``patients`` [n] codes of any kind. NotEvaluable when no resample has both classes.
    """
    scores, truth = roc.checked(scores, truth)
    patients = np.asarray(patients)
    if patients.shape != scores.shape:
        raise ValueError(f"patients {patients.shape} must name the patient of each of {len(scores)} scores")
    distinct, place = np.unique(scores, return_inverse=True)
    codes, patient = np.unique(patients, return_inverse=True)
    random = np.random.default_rng(seed)
    areas = []
    for _ in range(repeats):
        times = np.bincount(random.integers(len(codes), size=len(codes)), minlength=len(codes))[patient]
        positives = np.bincount(place[truth], times[truth], len(distinct))
        negatives = np.bincount(place[~truth], times[~truth], len(distinct))
        if positives.any() and negatives.any():
            areas.append(_area(positives, negatives))
    if not areas:
        raise roc.NotEvaluable("no resample of the patients has both positives and negatives")
    return _interval(areas, "patient", len(codes), repeats, seed)


def _area(positives: np.ndarray, negatives: np.ndarray) -> float:
    up_to = np.cumsum(negatives)
    return float((positives * (up_to - negatives / 2)).sum() / (positives.sum() * up_to[-1]))


def _interval(areas: list[float], unit: str, units: int, repeats: int, seed: int) -> BootstrapInterval:
    low, high = np.percentile(areas, [2.5, 97.5])
    spread = float(np.std(areas, ddof=1)) if len(areas) > 1 else 0.0
    return BootstrapInterval(float(low), float(high), spread, unit, units, len(areas), repeats, seed)
