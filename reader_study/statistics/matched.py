"""The model where it is as specific as the readers are, and where it is as sensitive: its curve read off at their mean.

Between the points of the curve a straight line is drawn. The interval is the percentiles of a bootstrap of the images,
within each class; the readers' mean is held fixed.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from classifier.metrics import notes
from reader_study.statistics.coded import Part
from skinclinic.vocabulary.diseases import DISEASE_KEYS

RESAMPLES, SEED = 1000, 20180130
_TRACE = 1e-12


def matched(part: Part, sessions: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By session and disease, at the mean of all readers. ``sessions``: those of the report."""
    curves = {key: _curve(part, key) for key in DISEASE_KEYS}
    return {
        name: {
            key: _one(curves[key], mean["sensitivity"], mean["specificity"])
            | {
                "as_read": _one(
                    curves[key], mean["sensitivity_answered_only"], mean["specificity_answered_only"]
                )
            }
            for key, mean in found["average"].items()
        }
        for name, found in sessions.items()
    }


class Curve:
    """A ROC curve [1, points] and its resamples [RESAMPLES, points]: false and true positive rates."""

    def __init__(self, scores: np.ndarray, positive: np.ndarray):
        levels = np.unique(-scores, return_inverse=True)[1]
        count = int(levels.max()) + 1
        rng = np.random.default_rng(SEED)
        rates = []
        for chosen in (~positive, positive):
            own = levels[chosen]
            rows = np.empty((RESAMPLES + 1, len(own)), np.intp)
            rows[0] = own
            np.take(own, rng.integers(0, len(own), (RESAMPLES, len(own))), out=rows[1:])
            rows += count * np.arange(RESAMPLES + 1)[:, None]
            counts = np.bincount(rows.ravel(), minlength=(RESAMPLES + 1) * count)
            shares = np.zeros((RESAMPLES + 1, count + 1))
            np.cumsum(counts.reshape(RESAMPLES + 1, count), 1, out=shares[:, 1:])
            shares /= len(own)
            rates.append(shares)
        self.false, self.true = rates
        self.read: dict[tuple[str, float], tuple[float, list[float]]] = {}

    @cached_property
    def turned(self) -> tuple[np.ndarray, np.ndarray]:
        """False negative and true negative rates, from the curve's end."""
        return 1 - self.true[:, ::-1], 1 - self.false[:, ::-1]

    def sensitivity_at(self, specificity: float) -> tuple[float, list[float]]:
        """The highest at this specificity, with its interval."""
        if (asked := ("sensitivity", specificity)) not in self.read:
            self.read[asked] = _summary(_read(self.false, self.true, 1 - specificity))
        return self.read[asked]

    def specificity_at(self, sensitivity: float) -> tuple[float, list[float]]:
        """The highest at this sensitivity, with its interval."""
        if (asked := ("specificity", sensitivity)) not in self.read:
            self.read[asked] = _summary(_read(*self.turned, 1 - sensitivity))
        return self.read[asked]


def _curve(part: Part, key: str) -> Curve | None:
    positive = part.truth == DISEASE_KEYS.index(key)
    if part.scores is None or not positive.any() or positive.all():
        return None
    scores = part.scores[:, DISEASE_KEYS.index(key)]
    return None if scores.min() == scores.max() else Curve(scores, positive)


def _one(curve: Curve | None, sensitivity: float | None, specificity: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "readers_sensitivity": sensitivity, "readers_specificity": specificity, "sensitivity": None,
        "sensitivity_ci": None, "specificity": None, "specificity_ci": None, "note": "",
    }  # fmt: skip
    if curve is None:
        return found | {"note": notes.NO_SCORES}
    if specificity is not None:
        found["sensitivity"], found["sensitivity_ci"] = curve.sensitivity_at(specificity)
    if sensitivity is not None:
        found["specificity"], found["specificity_ci"] = curve.specificity_at(sensitivity)
    return found


def _read(x: np.ndarray, y: np.ndarray, at: float) -> np.ndarray:
    """Of rows of points that rise in ``x`` and ``y``, the highest ``y`` at ``at``."""
    last = (x <= at + _TRACE).sum(1, keepdims=True) - 1
    following = np.minimum(last + 1, x.shape[1] - 1)
    x0, x1, y0, y1 = (
        np.take_along_axis(values, place, 1)[:, 0] for values in (x, y) for place in (last, following)
    )
    width = np.where(x1 > x0, x1 - x0, 1.0)
    return np.asarray(y0 + np.clip((at - x0) / width, 0, 1) * (y1 - y0) * (x1 > x0))


def _summary(values: np.ndarray) -> tuple[float, list[float]]:
    drawn = np.sort(values[1:])
    places = np.array([0.025, 0.975]) * (RESAMPLES - 1)
    low, high = np.interp(places, np.arange(RESAMPLES), drawn)
    return float(values[0]), [float(low), float(high)]
