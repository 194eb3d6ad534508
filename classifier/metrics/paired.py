"""Two that answered the same: their shares right, the difference with its interval, McNemar's test. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import scipy

from classifier.metrics.mcnemar import exact_p
from classifier.metrics.proportions import Proportion, proportion


@dataclass(frozen=True)
class Paired:
    """Of ``n`` units ``both`` were right, only the ``first``, only the ``second``, or ``neither``.

    ``difference`` is second - first, None without units; ``low`` and ``high`` are Newcombe's 95 % interval (1998, Stat
    Med 17:2635, method 10); ``p`` is McNemar's exact two-sided one, 1 without any unit that only one got right.
    """

    both: int
    first: int
    second: int
    neither: int
    difference: float | None
    low: float | None
    high: float | None
    p: float

    @property
    def n(self) -> int:
        return self.both + self.first + self.second + self.neither

    @property
    def of_first(self) -> Proportion:
        return proportion(self.both + self.first, self.n)

    @property
    def of_second(self) -> Proportion:
        return proportion(self.both + self.second, self.n)


def paired(first: np.ndarray, second: np.ndarray) -> Paired:
    """Of whether each was right, bool [n] and bool [n], one entry an independent unit."""
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError("both must have answered the same units")
    both, either = int((first & second).sum()), int((first | second).sum())
    return of_counts(both, int(first.sum()) - both, int(second.sum()) - both, len(first) - either)


def of_counts(both: int, first: int, second: int, neither: int) -> Paired:
    """The same of counts."""
    n = both + first + second + neither
    if not n:
        return Paired(0, 0, 0, 0, None, None, None, 1.0)
    difference, low, high = _newcombe(both, second, first, neither)
    return Paired(both, first, second, neither, difference, low, high, exact_p(first, second))


def _newcombe(a: int, b: int, c: int, d: int) -> tuple[float, float, float]:
    """(b - c) / n and its limits, of a right in both, b in the one alone, c in the other alone, d in neither."""
    n = a + b + c + d
    one, other = proportion(a + b, n), proportion(a + c, n)
    p, q = (a + b) / n, (a + c) / n
    assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
    phi = _correlation(a, b, c, d)
    down, up = p - one.low, one.high - p
    other_down, other_up = q - other.low, other.high - q
    below = math.sqrt(max(down**2 - 2 * phi * down * other_up + other_up**2, 0.0))
    above = math.sqrt(max(up**2 - 2 * phi * up * other_down + other_down**2, 0.0))
    found = (b - c) / n
    return found, max(found - below, -1.0), min(found + above, 1.0)


def _correlation(a: int, b: int, c: int, d: int) -> float:
    """Phi, with the continuity correction of method 10 where it is positive."""
    n, margins = a + b + c + d, (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return 0.0
    top = a * d - b * c
    corrected: float = top if top <= 0 else max(top - n / 2, 0.0)
    return float(corrected / math.sqrt(margins))


def mean_difference(differences: np.ndarray) -> tuple[float, float, float] | None:
    """Mean of paired differences [n], one a unit, with its 95 % interval (Student's t); None of fewer than two."""
    n = len(differences)
    if n < 2:
        return None
    mean, se = float(np.mean(differences)), float(np.std(differences, ddof=1)) / math.sqrt(n)
    half = float(scipy.special.stdtrit(n - 1, 0.975)) * se
    return mean, mean - half, mean + half
