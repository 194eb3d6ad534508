"""Comparisons of what readers read in a design that is not crossed, in the form of those that are."""

from typing import Any

import numpy as np

from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics import one_shot, patterns

# A merit of decisions: what counts as right, and of what.
SENSITIVITY, SPECIFICITY, ACCURACY, BALANCED_ACCURACY = (
    "sensitivity",
    "specificity",
    "accuracy",
    "balanced_accuracy",
)


def kernel(merit: str, positive: np.ndarray, truth: np.ndarray, cells: np.ndarray) -> one_shot.Kernel:
    """Of decisions ``positive`` [readers, n] for ``truth`` [n] on the ``cells`` [readers, n] that count; each reader
    counts the same. Of ACCURACY ``positive`` says what is right, and ``truth`` nothing."""
    if merit == BALANCED_ACCURACY:
        return one_shot.balanced(positive, truth, cells).readers_equal()
    if merit == ACCURACY:
        return one_shot.shares(positive, cells).readers_equal()
    chosen = truth if merit == SENSITIVITY else ~truth
    right = positive if merit == SENSITIVITY else ~positive
    right, cells = np.broadcast_arrays(right, cells)
    return one_shot.shares(right[:, chosen], cells[:, chosen]).readers_equal()


def ai_against_readers(
    ai: one_shot.Kernel, readers: one_shot.Kernel, *, margin: float | None = None
) -> mrmc.AiAgainstReaders:
    """The AI against the readers on what each reader has read; ``ai`` has the readers' weights."""
    found = one_shot.mean(ai - readers)
    return mrmc.AiAgainstReaders(
        ai.mean, readers.mean, found.value, found.se, found.t, found.df, found.p, found.low, found.high,
        None, None, found.non_inferiority(margin), found.note,
    )  # fmt: skip


def sessions(a: one_shot.Kernel, b: one_shot.Kernel) -> dict[str, Any]:
    """Two sessions, later - earlier, each with all that was read in it."""
    found = one_shot.difference(b, a)
    return {
        "a": a.mean,
        "b": b.mean,
        "difference": found.value,
        "ci": inside(found.low, found.high),
        "f": None if found.t is None else found.t**2,
        "df1": None if found.t is None else 1,
        "df2": found.df,
        "p": found.p,
        "note": found.note,
    }


def named(cells: np.ndarray, given: np.ndarray) -> dict[str, str]:
    """The method and the design of ``cells`` [tests, readers, cases] of what was ``given``."""
    return {"method": patterns.method(cells, given), "pattern": patterns.pattern(cells)}
