"""Photos of one patient are alike: errors that count patients, not photos, as the independent cases.

What each case adds to an error is summed by patient before it is squared (the linearised, "sandwich" variance; for
shares that of Rao and Scott, for areas that of Obuchowski). Where every patient has one photo nothing changes.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from reader_study import mrmc


def by_patient(merit: mrmc.Merit, patients: np.ndarray, among: np.ndarray) -> mrmc.Merit:
    """``merit`` [..., n] with the deviations of each patient's cases as one; ``patients`` [n] are numbers, ``among``
    [n] the cases that move it. Without a variance where one patient has them all."""
    count, size = len(np.unique(patients[among])), int(among.sum())
    if merit.deviations is None or count < 2:
        return mrmc.Merit(merit.value, None)
    sums = np.zeros((int(patients.max()) + 1, merit.deviations.size // merit.deviations.shape[-1]))
    np.add.at(sums, patients, merit.deviations.reshape(-1, merit.deviations.shape[-1]).T)
    factor = math.sqrt(count * (size - 1) / (size * (count - 1)))
    shape = (*merit.deviations.shape[:-1], len(sums))
    return mrmc.Merit(merit.value, (sums.T * factor).reshape(shape))


def effect(merit: mrmc.Merit, of_patients: mrmc.Merit) -> float | None:
    """The design effect: how much larger the variance of the readers' mean is, readers held fixed, when patients are
    counted. ``merit`` [J] is one figure, or the difference of two."""
    if merit.deviations is None or of_patients.deviations is None:
        return None
    alone, clustered = (
        float((one.deviations.mean(0) ** 2).sum())
        for one in (merit, of_patients)
        if one.deviations is not None
    )
    return clustered / alone if alone > mrmc.TRACE else None


def fewest(patients: np.ndarray | None, classes: Iterable[np.ndarray]) -> int | None:
    """How many patients the class [n] with the fewest has; None where no patient is known."""
    if patients is None:
        return None
    return min(len(np.unique(patients[one])) for one in classes)


def counts(patients: np.ndarray | None, among: np.ndarray) -> dict[str, Any] | None:
    """How many patients and photos there are; None where every patient has one photo, or none is known."""
    if patients is None:
        return None
    n = len(np.unique(patients[among]))
    return None if n == int(among.sum()) else {"patients": n, "images": int(among.sum())}
