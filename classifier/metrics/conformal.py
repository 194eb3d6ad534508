"""Thresholds that cover the truth: class-conditional (Mondrian) split conformal prediction.

Of every disease d there are n units (patients, or photos where patients are not known) that the model has not learnt
from. The nonconformity of a photo of d is 1 - its score of d; that of a unit is the largest over its photos of d, so
that what is promised holds for all photos of d of a unit at once. The threshold lists d wherever its nonconformity is
at most the k-th smallest of those of the n units, k = ⌈(n + 1) wanted⌉. For one more unit that is exchangeable with
them d is then listed on all its photos of d with a probability of at least the share wanted: Vovk, Gammerman, Shafer
2005, chapter 4.5; Sadinle, Lei, Wasserman 2019 (J Am Stat Assoc 114:223). Over calibrations the share covered has the
distribution Beta(k, n + 1 - k) where no scores are equal, and lies higher where some are: Vovk 2012 (Mach Learn
92:349).

Everything is decided on the scores themselves: 1 - score would round.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy
from numpy.typing import ArrayLike

from classifier.metrics.listing import is_listed
from classifier.metrics.proportions import Proportion, proportion

# Below every score, so that all of them are greater.
ALWAYS_LISTED = -1.0
# Wanted shares are taken as the fraction that is meant: 0.95 is 19/20, which no float is.
_FINEST = 1_000_000
_RANGE = (0.05, 0.95)
_DRAWS = 20_000


@dataclass(frozen=True)
class Promise:
    """A disease's threshold and what it rests on: the ``rank``-th of ``units`` nonconformities.

    ``expected`` is the mean of the share that will be covered, ``low`` to ``high`` its range in nine of ten
    calibrations as large (5 % to 95 % of its distribution).
    """

    threshold: float
    units: int
    rank: int
    expected: float
    low: float
    high: float


def share(wanted: float) -> Fraction:
    """A wanted share (0.5 to less than 1) as the fraction that is meant. ValueError for another."""
    found = Fraction(wanted).limit_denominator(_FINEST) if math.isfinite(wanted) else Fraction(0)
    if not Fraction(1, 2) <= found < 1:
        raise ValueError(f"{wanted} is no share from a half to less than all")
    return found


def rank(units: int, wanted: float) -> int:
    """Which of ``units`` nonconformities, the smallest being the first, is the limit: ⌈(units + 1) wanted⌉, exactly.

    It is greater than ``units`` where so few can promise nothing.
    """
    return math.ceil((units + 1) * share(wanted))


def least_units(wanted: float) -> int:
    """So many units at least are needed to promise ``wanted``: ⌈1 / (1 - wanted)⌉ - 1."""
    return math.ceil(1 / (1 - share(wanted))) - 1


def lowest_scores(scores: ArrayLike, units: ArrayLike) -> np.ndarray:
    """The lowest of the ``scores`` [n] of each unit: with the largest nonconformity. ``units`` [n] are any labels."""
    scores = np.asarray(scores, float)
    names, places = np.unique(np.asarray(units), return_inverse=True)
    if places.shape != scores.shape:
        raise ValueError(f"{len(places)} units for {len(scores)} scores")
    lowest = np.full(len(names), np.inf)
    np.minimum.at(lowest, places, scores)
    return lowest


def in_order(scores: ArrayLike) -> np.ndarray:
    """The ``scores`` [units], one a unit, rising. ValueError for such as are not finite or below 0."""
    scores = np.asarray(scores, float)
    if scores.ndim != 1 or not np.isfinite(scores).all() or (scores < 0).any():
        raise ValueError("scores must be one a unit, finite and not below 0")
    return np.sort(scores)


def promise_of(ordered: np.ndarray, wanted: float) -> Promise | None:
    """The promise that the scores of a disease allow, one a unit and ``in_order``, of which it reads one; None where
    they are too few. ValueError for a wanted share out of range."""
    units, place = len(ordered), rank(len(ordered), wanted)
    if place > units:
        return None
    limit = float(ordered[units - place])
    low, high = (float(scipy.special.betaincinv(place, units + 1 - place, at)) for at in _RANGE)
    return Promise(just_below(limit), units, place, place / (units + 1), low, high)


def low_together(made: Sequence[tuple[int, int, int]]) -> float:
    """The lower end of the range (5 % of its distribution) of the share covered of several diseases together: of each
    the rank and the units of its promise, and of how many new units it is told. ValueError where there are none.

    Calibrations of diseases are independent; of several their mean is drawn, the same numbers each time.
    """
    counted = [(place, units, of) for place, units, of in made if of]
    if not counted:
        raise ValueError("there is no unit of any disease")
    if len(counted) == 1:
        ((place, units, _of),) = counted
        return float(scipy.special.betaincinv(place, units + 1 - place, _RANGE[0]))
    random, whole = np.random.default_rng(0), sum(of for _place, _units, of in counted)
    drawn = sum(random.beta(place, units + 1 - place, _DRAWS) * (of / whole) for place, units, of in counted)
    return float(np.quantile(drawn, _RANGE[0]))


def just_below(score: float) -> float:
    """The highest threshold that lists ``score``: listed is what is greater than its threshold."""
    # Next to 0 lie numbers that some processors' arithmetic takes for 0.
    return float(np.nextafter(score, -np.inf)) if score > 0 else ALWAYS_LISTED


def covered(scores: ArrayLike, units: ArrayLike, threshold: float) -> Proportion:
    """Of the units of a disease those of which every photo lists it: ``scores`` [n] of its photos, ``units`` [n]."""
    listed = is_listed(lowest_scores(scores, units), threshold)
    return proportion(int(listed.sum()), len(listed))
