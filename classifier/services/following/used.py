"""Which proven cases thresholds were chosen on, and which a set's promise is of: those of other patients, answered in
full precision. What was shown is counted whatever it was computed in, and whoever's it is.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from classifier.models import ThresholdSet
from classifier.services.evaluation.chosen_on import Calibration, made_from
from classifier.services.following.cases import Case
from classifier.services.models import coverage
from skinclinic.archive.services.exporting import pseudonyms


class Held(NamedTuple):
    """``is_known``: false where the dataset that a set was made from is there no more; else ``held`` [n] are the cases
    whose patient or lesion it has."""

    is_known: bool
    held: np.ndarray


class OfPromise(NamedTuple):
    """The ``cases`` that a set's promise is of. Of the others with a disease of which it promises something
    ``left_out`` are of patients or lesions that it was made from, and ``other_precision`` were answered in another
    than full. ``is_known``: as ``Held``."""

    cases: list[Case]
    left_out: int = 0
    other_precision: int = 0
    is_known: bool = True


class Used:
    """The proven ``cases`` of a clinic (its key), held against the datasets that thresholds were chosen on."""

    def __init__(self, clinic: int, cases: Sequence[Case]):
        self.clinic, self.cases = clinic, cases
        # Several sets are made from one dataset, which may be large.
        self._read = cache(Calibration.of_version)

    def by(self, chosen: ThresholdSet) -> Held:
        """By a set that the clinic has made."""
        version = made_from(chosen)
        if version is None:
            return Held(False, np.zeros(len(self.cases), bool))
        known = self._read(version)
        return Held(True, np.array([known.holds_one("", *names) for names in self._names], bool))

    def of_promise(self, chosen: ThresholdSet | None) -> OfPromise:
        """None of a set that promises nothing."""
        promised = coverage.promised(chosen) if chosen else frozenset()
        if chosen is None or not promised:
            return OfPromise([])
        is_known, held = self.by(chosen)
        asked = [
            (case, bool(known))
            for case, known in zip(self.cases, held, strict=True)
            if case.truth in promised
        ]
        new = [case for case, known in asked if not known]
        counting = [case for case in new if case.is_in_full]
        return OfPromise(counting, len(asked) - len(new), len(new) - len(counting), is_known)

    @cached_property
    def _names(self) -> list[tuple[str, str]]:
        """Patient and lesion of each case, as datasets call them."""
        return [
            (pseudonyms.person(self.clinic, case.patient), pseudonyms.lesion(self.clinic, case.lesion))
            for case in self.cases
        ]
