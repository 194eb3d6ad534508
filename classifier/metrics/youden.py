"""Youden's optimum of a ROC curve (Youden 1950), and which of several equal ones is taken."""

import numpy as np

from classifier.metrics.roc import OperatingPoint, Roc, point_at


def youden_optima(curve: Roc) -> list[OperatingPoint]:
    """All points with the greatest sensitivity + specificity, by rising threshold.

    The sum is compared in integers (TP*N + TN*P), so that ties are exact.
    """
    # int64 holds the products of counts up to three thousand million.
    gain = curve.true_positives * np.int64(curve.negatives) + curve.true_negatives * np.int64(curve.positives)
    return [point_at(curve, int(index)) for index in np.flatnonzero(gain == gain.max())]


def youden(curve: Roc) -> OperatingPoint:
    """The chosen Youden optimum: of all, the highest sensitivity, then the lowest threshold."""
    return min(youden_optima(curve), key=lambda point: (-point.sensitivity, point.threshold))
