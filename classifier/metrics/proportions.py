"""Shares with Wilson's interval."""

import math
from dataclasses import dataclass

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
    if not of:
        return Proportion(count, of, None, None, None)
    share, square = count / of, Z95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z95 / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    # The limits at 0 and at all are exactly 0 and 1; rounding would leave a trace.
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == of else middle + half
    return Proportion(count, of, share, low, high)


def inside(low: float | None, high: float | None, least: float = -1.0) -> list[float] | None:
    """The interval of a difference of two shares, kept to what such a difference can be; of a share from 0."""
    return None if low is None or high is None else [max(low, least), min(high, 1.0)]


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> tuple[float | None, float | None]:
    """PPV and NPV at another ``prevalence`` (0 to 1) than the sample's; None where nothing is (un)listed."""
    hits, false_alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    cleared, missed = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    listed, unlisted = hits + false_alarms, cleared + missed
    return (hits / listed if listed else None, cleared / unlisted if unlisted else None)
