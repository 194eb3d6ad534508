"""What is watched of photos and scores, whatever they turn out to be. A new measure is an entry of ``MEASURES``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classifier.metrics.counting import malignant_sum
from classifier.metrics.familiarity import is_unlike

# The first answers, which the later ones are held against, and how many a period needs to be.
FIRST, LEAST = 200, 30


@dataclass(frozen=True)
class Measure:
    """``of`` gives the number of one answer from the ``columns`` of its row, None where it has none. ``top``: the end
    of its scale, None where it has no end. ``is_share``: the number is 1 or 0, and its mean is told."""

    key: str
    name: str | Promise
    columns: tuple[str, ...]
    of: Callable[..., float | None]
    top: float | None = 1.0
    is_share: bool = False


def _quality(name: str) -> Callable[[Mapping[str, Any] | None], float | None]:
    def of(quality: Mapping[str, Any] | None) -> float | None:
        value = (quality or {}).get(name)
        return None if value is None else float(value)

    return of


def _warned(quality: Mapping[str, Any] | None) -> float | None:
    return None if quality is None else float(bool(quality.get("warnings")))


def _unlike(unlike: float | None) -> float | None:
    return None if unlike is None else float(is_unlike(unlike))


MEASURES: list[Measure] = [
    Measure("warned", _("Photos that were warned about"), ("quality",), _warned, is_share=True),
    Measure("brightness", _("Brightness (0 to 255)"), ("quality",), _quality("brightness"), 255.0),
    Measure("sharpness", _("Sharpness"), ("quality",), _quality("sharpness"), None),
    Measure("skin", _("Share of skin"), ("quality",), _quality("skin_fraction")),
    Measure("unlike", _("Photos unlike the training photos"), ("unlike",), _unlike, is_share=True),
    Measure(
        "distance",
        _("Distance from the training photos (1: the limit)"),
        ("unlike",),
        lambda unlike: unlike,
        None,
    ),
    Measure("malignant", _("Sum of malignant scores"), ("scores",), malignant_sum),
    Measure("top", _("Highest score"), ("scores",), lambda scores: max(scores.values())),
]


def columns() -> list[str]:
    """Of the rows of answers, all that a measure needs."""
    return sorted({name for measure in MEASURES for name in measure.columns})


def summary(values: np.ndarray, periods: np.ndarray, count: int, units: np.ndarray) -> dict[str, Any]:
    """Of ``values`` [n] in the order of time, NaN where there is none, with the period [n] of each, of ``count``, and
    ``units`` [n] that tell patients apart.

    By period n, mean, median and quartiles, and the Kolmogorov-Smirnov distance to the first answers: the greatest
    difference of the two shares that lie below a value, 0 to 1; ``by_chance`` is what it stays below in 19 of 20
    periods where nothing has changed. None where there are too few.
    """
    known = np.isfinite(values)
    values, periods, units = values[known], periods[known], units[known]
    first = values[:FIRST]
    found = [_of(values[periods == place]) for place in range(count)]
    for place, one in enumerate(found):
        here = periods[FIRST:] == place
        later = values[FIRST:][here]
        enough = len(first) == FIRST and len(later) >= LEAST
        one["distance"] = distance(first, later) if enough else None
        patients = len(np.unique(units[:FIRST])), len(np.unique(units[FIRST:][here]))
        one["by_chance"] = by_chance(*patients) if enough else None
    return {"first": _of(first), "periods": found}


def _of(values: np.ndarray) -> dict[str, Any]:
    if len(values) < LEAST:
        return {"n": len(values), "mean": None, "low": None, "median": None, "high": None}
    low, median, high = (float(one) for one in np.quantile(values, (0.25, 0.5, 0.75)))
    return {"n": len(values), "mean": float(values.mean()), "low": low, "median": median, "high": high}


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """The two-sample Kolmogorov-Smirnov statistic of values [n] and [m]."""
    every = np.concatenate([first, second])
    below = (np.searchsorted(np.sort(one), every, side="right") / len(one) for one in (first, second))
    return float(np.abs(np.subtract(*below)).max())


def by_chance(n: int, m: int) -> float:
    """What the distance of two samples of the same distribution stays below in 19 of 20 cases: the limit of its
    distribution for many (Kolmogorov 1933, Smirnov 1939), at most 1. Of ``n`` and ``m`` patients, since photos of one
    are alike: as if each had one."""
    return min(float(scipy.special.kolmogi(0.05)) * float(np.sqrt(1 / n + 1 / m)), 1.0)
