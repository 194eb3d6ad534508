"""Areas under the model's ROC curve: with an exact bound where all is in order, among one group, by patient."""

from typing import Any

import numpy as np

from classifier.metrics import notes, roc
from classifier.metrics.delong import AucEstimate, auc_estimate
from classifier.metrics.groups import tier_groups
from classifier.metrics.proportions import Z95, inside
from reader_study import mrmc
from reader_study.statistics import patients as clusters
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, MALIGNANT


def area(found: AucEstimate | None) -> dict[str, Any]:
    """As the report holds it."""
    if found is None:
        return {"auc": None, "auc_ci": None, "auc_variance": None, "auc_note": ""}
    return {
        "auc": found.auc,
        "auc_ci": _exact(found) if found.note == notes.PERFECT_SEPARATION else _interval(found),
        "auc_variance": found.variance,
        "auc_note": found.note,
    }


def _interval(found: AucEstimate) -> list[float] | None:
    return None if found.low is None or found.high is None else [found.low, found.high]


def _exact(found: AucEstimate) -> list[float]:
    """Where every pair of a positive and a negative is in order, neither DeLong's variance nor a bootstrap knows of
    any doubt. As many pairs as the smaller class has images share no image: of so many independent ones all were in
    order, and Clopper and Pearson's bound holds for them."""
    bound = 0.025 ** (1 / min(found.positives, found.negatives))
    return [bound, 1.0] if found.auc == 1 else [0.0, 1 - bound]


def among(scores: np.ndarray, truth: np.ndarray, key: str, ak: str) -> dict[str, dict[str, Any]]:
    """Of a disease against the other diseases of one group alone, which the dotted curves show."""
    place = DISEASE_KEYS.index(key)
    found = {}
    for tier in (MALIGNANT, BENIGN):
        others = [DISEASE_KEYS.index(other) for other in tier_groups(ak)[tier] if other != key]
        chosen = (truth == place) | np.isin(truth, others)
        positives, negatives = int((truth == place).sum()), int(np.isin(truth, others).sum())
        note = notes.missing_class(positives, negatives)
        estimate = None if note else auc_estimate(scores[chosen], truth[chosen] == place)
        found[tier] = {"n_pos": positives, "n_neg": negatives, **area(estimate), "note": note}
    return found


def by_patient(
    scores: np.ndarray, positive: np.ndarray, patients: np.ndarray | None
) -> dict[str, Any] | None:
    """The interval with patients as the independent cases; None where each has one image."""
    everything = np.ones(len(positive), bool)
    if (counts := clusters.counts(patients, everything)) is None or patients is None:
        return None
    try:
        merit = mrmc.auc_delong(scores[None], positive)
    except roc.NotEvaluable:
        return None
    each = clusters.by_patient(merit, patients, everything)
    if each.deviations is None:
        return None
    value, se = float(merit.value[0]), float(np.sqrt((each.deviations**2).sum()))
    ci = inside(value - Z95 * se, value + Z95 * se, 0.0) if se else None
    return counts | {"ci": ci, "se": se, "design_effect": clusters.effect(merit, each)}
