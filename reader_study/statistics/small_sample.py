"""The test of the model against readers that a verdict must hold in too: it keeps its level where photos are few.

Hillis's degrees of freedom take the variance from photo to photo as known, and that of a model which is right on nearly
all photos comes out as nearly none: of 20 photos a model as good as its readers shows itself "better" far too often.
Here the model's own variance is no less than it would be if what is to be refuted were true, as in a score test, and
the photos have degrees of freedom of their own (Satterthwaite; by class, as Welch has it). That the model is worse
rests on how readers differ, so that it takes the fewest degrees of freedom, one less than there are readers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.metrics.proportions import inside
from reader_study import mrmc

SMALL_SAMPLE = "small_sample"
# Fewer readers tell nearly nothing of how readers differ.
LEAST_READERS = 3


@dataclass(frozen=True)
class Right:
    """Where the model and J readers are right [J, n], of the ``cells`` [J, n] that count, in the ``classes`` [n] of
    which the figure is the mean."""

    model: np.ndarray
    readers: np.ndarray
    cells: np.ndarray
    classes: Sequence[np.ndarray]

    def lacking(self, margin: float) -> list[float]:
        """By class, what the model's variance is short of that of a model ``margin`` below the readers."""
        found = []
        for one in self.classes:
            counted = self.cells & one
            shares = [float((right & counted).sum() / counted.sum()) for right in (self.model, self.readers)]
            null = min(max(shares[1] - margin, 0.0), 1.0)
            short = null * (1 - null) - shares[0] * (1 - shares[0])
            found.append(max(short, 0.0) / float(counted.any(0).sum()) / len(self.classes) ** 2)
        return found


def against_readers(
    model: mrmc.Merit, readers: mrmc.Merit, right: Right, margin: float | None
) -> dict[str, Any] | None:
    """In the form of the test itself; None where that has no variance, or there is one reader."""
    differences = model - readers
    if differences.deviations is None or differences.value.size < 2:
        return None
    value = float(differences.value.mean())
    if (spread := _spread(differences, right, 0.0)) is None:
        return None
    se, df = spread
    fewest = float(differences.value.size - 1)
    found: dict[str, Any] = {
        "se": se,
        "df": df,
        "ci": inside(value - mrmc.quantile(df) * se, value + mrmc.quantile(fewest) * se),
        "p": 2 * mrmc.tail(abs(value) / se, df if value > 0 else fewest),
        "non_inferiority": None,
    }
    if margin is not None and (spread := _spread(differences, right, margin)) is not None:
        se, df = spread
        t = (value + margin) / se
        found["non_inferiority"] = mrmc.NonInferiority(margin, t, df, mrmc.tail(t, df))
    return found


def _spread(differences: mrmc.Merit, right: Right, margin: float) -> tuple[float, float | None] | None:
    """The standard error where the model is ``margin`` below the readers, and its degrees of freedom; None without
    any variance."""
    assert differences.deviations is not None
    count = differences.value.size
    covariance = differences.covariance()
    shared = max(float(covariance.sum() - np.trace(covariance)) / (count * (count - 1)), 0.0)
    lacking = right.lacking(margin)
    of_readers = float(differences.value.var(ddof=1)) / count
    of_photos = shared + sum(lacking)
    variance = of_readers + of_photos
    if variance <= mrmc.TRACE:
        return None
    together = differences.deviations.mean(0)
    by_class = [
        (float((together[one] ** 2).sum()) + short, int((right.cells & one).any(0).sum()) - 1)
        for one, short in zip(right.classes, lacking, strict=True)
    ]
    unsure = sum(part**2 / df for part, df in by_class)
    photos_df = sum(part for part, _df in by_class) ** 2 / unsure if unsure else math.inf
    parts = of_readers**2 / (count - 1) + of_photos**2 / photos_df
    return math.sqrt(variance), variance**2 / parts if parts else None
