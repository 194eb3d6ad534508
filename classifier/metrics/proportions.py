"""Shares with Wilson's interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The normal distribution's 97.5 % point.
Z95 = 1.959963984540054
# As many independent ones as this say nothing.
_LEAST = 1e-6


@dataclass(frozen=True)
class Proportion:
    """``count`` of ``of``: their ratio and its 95 % Wilson interval, None when ``of`` is 0."""

    count: int
    of: int
    value: float | None
    low: float | None
    high: float | None


def proportion(count: int, of: int) -> Proportion:
    """The share ``count`` / ``of`` with its interval."""
    count, of = int(count), int(of)
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    return _wilson(count, of, of)


def in_groups(hits: np.ndarray, groups: Sequence[str]) -> Proportion:
    """The share of ``hits`` (bool [n]) with an interval that heeds that photos of a group (a patient) are alike.

    Wilson's interval of as many independent photos as tell as much (Rao and Scott 1992, Biometrics 48:577): n divided
    by the design effect, the variance of the share between groups over that of independent photos, never below 1; and
    by how much wider Student's t is than with every photo a group, since few groups tell little of that variance
    (Korn and Graubard 1998, Surv Methodol 24:193). Groups that differ in size count for as many equal ones as weigh
    the same, n² / Σ of their sizes squared (Kish 1965). With a photo a group it is Wilson's interval.
    """
    import scipy  # here, since tests/gpu/check.py does without

    hits = np.asarray(hits, bool)
    count, of = int(hits.sum()), len(hits)
    _names, places = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(places)
    number = len(sizes)
    if number < 2 or count in (0, of):
        # Without a difference nothing tells how alike they are: as if all of a group were one.
        return _wilson(count, of, min(number, of))
    share = count / of
    alike = of**2 / float(np.square(sizes).sum())
    off = np.bincount(places, hits) - share * sizes
    variance = alike / (alike - 1) * float(np.square(off).sum()) / of**2
    effect = max(variance / (share * (1 - share) / (of - 1)), 1.0)
    wider = float(scipy.special.stdtrit(alike - 1, 0.975) / scipy.special.stdtrit(of - 1, 0.975))
    return _wilson(count, of, of / effect / wider**2)


def _wilson(count: int, of: int, n: float) -> Proportion:
    """Of ``count`` / ``of``, as of ``n`` independent ones."""
    if not of:
        return Proportion(count, of, None, None, None)
    share, square = count / of, Z95**2
    if n < _LEAST:
        return Proportion(count, of, share, 0.0, 1.0)
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # The limits at 0 and at all are exactly 0 and 1; rounding would leave a trace.
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == of else middle + half
    return Proportion(count, of, share, low, high)


def inside(low: float | None, high: float | None, least: float = -1.0) -> list[float] | None:
    """The interval of a difference of two shares, kept to what such a difference can be; of a share from 0."""
    return None if low is None or high is None else [max(low, least), min(high, 1.0)]
