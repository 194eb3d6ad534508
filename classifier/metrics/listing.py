"""The one rule of a differential: a disease is listed when its score is greater than its threshold."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike


def is_listed(scores: ArrayLike, thresholds: ArrayLike) -> np.ndarray:
    """Which ``scores`` [..., n] are listed by ``thresholds`` (one, or [n]). A score at its threshold is not."""
    return np.asarray(np.greater(scores, thresholds))


def listed(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> list[str]:
    """The diseases whose score is greater than their threshold, likeliest first, of equals as in ``scores``.

    A disease without a threshold is never listed.
    """
    keys = [key for key in scores if key in thresholds and is_listed(scores[key], thresholds[key])]
    return sorted(keys, key=lambda key: -scores[key])
