"""AUCs within groups of photos: age band, sex, skin type, site."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import notes
from classifier.metrics.delong import AucEstimate, auc_estimate

LEAST_POSITIVES = 10
UNKNOWN = "unknown"
_AGES = ((30, "0–29"), (50, "30–49"), (70, "50–69"), (200, "70 and over"))


def age_band(age: int | None, age_to: int | None = None) -> str:
    """The group of an age in years, or of a range of them that lies in one."""
    if age is None:
        return UNKNOWN
    first, last = (
        next(name for limit, name in _AGES if years < limit)
        for years in (age, age if age_to is None else age_to)
    )
    return first if first == last else UNKNOWN


@dataclass(frozen=True)
class SubgroupAuc:
    """The AUC in one group; None, with ``note`` saying why, when it cannot or should not be shown."""

    label: str
    photos: int
    positives: int
    auc: AucEstimate | None
    note: str = ""


def subgroup_aucs(
    scores: ArrayLike, truth: ArrayLike, labels: Iterable[str | None]
) -> tuple[SubgroupAuc, ...]:
    """``scores``, ``truth`` and ``labels`` [n]; one result for each label, sorted; "" stands for
    None, not known. Fewer than LEAST_POSITIVES positives are too few."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    labels = np.asarray(["" if label is None else str(label) for label in labels])
    if labels.shape != scores.shape:
        raise ValueError(f"{len(labels)} labels for {len(scores)} scores")
    return tuple(
        _one(str(label), scores[at], truth[at]) for label in np.unique(labels) for at in [labels == label]
    )


def _one(label: str, scores: np.ndarray, truth: np.ndarray) -> SubgroupAuc:
    positives = int(truth.sum())
    note = notes.missing_class(positives, len(truth) - positives)
    if not note and positives < LEAST_POSITIVES:
        note = notes.TOO_FEW_POSITIVES
    return SubgroupAuc(label, len(truth), positives, None if note else auc_estimate(scores, truth), note)
