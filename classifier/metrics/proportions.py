"""Shares with Wilson's interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The normal distribution's 97.5 % point.
Z95 = 1.959963984540054


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
    by the design effect, the variance of the share between groups over that of independent photos, never below 1.
    """
    hits = np.asarray(hits, bool)
    count, of = int(hits.sum()), len(hits)
    _names, places = np.unique(np.asarray(groups), return_inverse=True)
    number = int(places.max()) + 1 if of else 0
    if number < 2 or count in (0, of):
        # Without a difference nothing tells how alike they are: as if all of a group were one.
        return _wilson(count, of, min(number, of))
    share = count / of
    off = np.bincount(places, hits) - share * np.bincount(places)
    variance = number / (number - 1) * float(np.square(off).sum()) / of**2
    effect = max(variance / (share * (1 - share) / of), 1.0)
    return _wilson(count, of, of / effect)


def _wilson(count: int, of: int, n: float) -> Proportion:
    """Of ``count`` / ``of``, as of ``n`` independent ones."""
    if not of:
        return Proportion(count, of, None, None, None)
    share, square = count / of, Z95**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # The limits at 0 and at all are exactly 0 and 1; rounding would leave a trace.
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == of else middle + half
    return Proportion(count, of, share, low, high)


def inside(low: float | None, high: float | None, least: float = -1.0) -> list[float] | None:
    """The interval of a difference of two shares, kept to what such a difference can be; of a share from 0."""
    return None if low is None or high is None else [max(low, least), min(high, 1.0)]
