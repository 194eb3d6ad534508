"""Obuchowski and Rockette's analysis of two tests that each have readers of their own (readers nested in tests)."""

import math

import numpy as np

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.statistics.one_shot import Estimate


def difference(first: mrmc.Merit, second: mrmc.Merit) -> Estimate:
    """first - second, values [J] of either test on the same cases; readers and cases random."""
    merits = (first, second)
    value = float(first.value.mean() - second.value.mean())
    counts = [one.value.size for one in merits]
    if first.deviations is None or second.deviations is None:
        return Estimate(value, note=notes.ONE_IN_CLASS)
    if max(counts) == 1:
        return Estimate(value, note=notes.ONE_READER)
    total = sum(counts)
    spread = sum(float(((one.value - one.value.mean()) ** 2).sum()) for one in merits) / (total - 2)
    same = [one.covariance()[~np.eye(count, dtype=bool)] for one, count in zip(merits, counts, strict=True)]
    cov2 = float(np.concatenate(same).mean())
    cov3 = float((first.deviations @ second.deviations.T).mean())
    # As many readers a test as would give what unequal numbers give.
    readers = total - sum(count**2 for count in counts) / total
    variance = spread + readers * max(cov2 - cov3, 0.0)
    if variance <= mrmc.TRACE:
        return Estimate(value, note=notes.NO_VARIANCE)
    se = math.sqrt(variance * sum(1 / count for count in counts))
    df = variance**2 / (spread**2 / (total - 2)) if spread else None
    half, t = mrmc.quantile(df) * se, value / se
    return Estimate(value, se, df, t, 2 * mrmc.tail(abs(t), df), value - half, value + half)
