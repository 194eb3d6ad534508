"""Malignant against benign by the listed differential: malignant is said where any malignant disease is listed. Pure.

The same rule as that of reader studies for a model with a threshold set.
"""

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics.groups import tier_groups
from classifier.metrics.listing import is_listed
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT


def malignant_keys(policy: str) -> tuple[str, ...]:
    """The diseases that count as malignant, with actinic keratosis where ``policy`` says."""
    return tier_groups(policy)[MALIGNANT]


def says_malignant(scores: ArrayLike, limits: ArrayLike, policy: str) -> np.ndarray:
    """Whether any malignant disease is listed: bool [n] of ``scores`` [n, 12] by the thresholds ``limits`` [12]."""
    listed = is_listed(np.reshape(np.asarray(scores, float), (-1, len(DISEASE_KEYS))), limits)
    places = [DISEASE_KEYS.index(key) for key in malignant_keys(policy)]
    return np.asarray(listed[:, places].any(1))


def one_a_unit(units: ArrayLike, lesions: ArrayLike, suspicion: ArrayLike) -> np.ndarray:
    """One photo of each unit (a patient): of its first lesion the one of greatest ``suspicion``. Places [units].

    ``units``, ``lesions`` [n] are labels; photos without a lesion ("") are lesions of their own.
    """
    units, lesions, suspicion = np.asarray(units), np.asarray(lesions), np.asarray(suspicion, float)
    first: dict[object, object] = {}
    best: dict[object, int] = {}
    for place, (unit, lesion) in enumerate(zip(units.tolist(), lesions.tolist(), strict=True)):
        named = lesion or ("", place)
        if first.setdefault(unit, named) != named:
            continue
        if unit not in best or suspicion[place] > suspicion[best[unit]]:
            best[unit] = place
    return np.array(sorted(best.values()), int)
