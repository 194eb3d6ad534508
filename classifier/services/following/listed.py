"""Which diseases the answers to proven cases list, by a set of thresholds."""

from collections.abc import Mapping, Sequence

import numpy as np

from classifier.metrics.listing import is_listed
from classifier.services.following.cases import Case
from skinclinic.vocabulary.diseases import DISEASE_KEYS


class Listed:
    """Which diseases the answers to the cases list: bool [n, 12]."""

    def __init__(self, cases: Sequence[Case], thresholds: Mapping[str, float]):
        self.cases = cases
        self.scores = np.array([[case.scores[key] for key in DISEASE_KEYS] for case in cases]).reshape(-1, 12)
        self.limits = np.array([thresholds[key] for key in DISEASE_KEYS])
        self.listed = is_listed(self.scores, self.limits)
        self.truth = np.array([DISEASE_KEYS.index(case.truth) for case in cases], int)

    def first_of_each(self, among: np.ndarray) -> np.ndarray:
        """The places of one case a patient, the one told first, where ``among`` [n] is true."""
        found: dict[tuple[str, int], int] = {}
        for place in np.flatnonzero(among).tolist():
            found.setdefault(self.cases[place].unit, place)
        return np.array(list(found.values()), int)
