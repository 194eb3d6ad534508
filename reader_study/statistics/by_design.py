"""Comparisons of what readers read in a design that is not crossed, in the form of those that are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics import one_shot, patterns
from reader_study.statistics.points import LEAST_CASES, too_few

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
    found = one_shot.mean(ai - readers, cautious=True)
    return mrmc.AiAgainstReaders(
        ai.mean, readers.mean, found.value, found.se, found.t, found.df, found.p, found.low, found.high,
        None, None, found.non_inferiority(margin), found.note,
    )  # fmt: skip


def of_either(
    kernel_of: Callable[[np.ndarray, np.ndarray], one_shot.Kernel],
    said: np.ndarray,
    cells: np.ndarray,
    classes: Sequence[np.ndarray],
    least: int = LEAST_CASES,
) -> dict[str, Any]:
    """Two sessions of which each counts with all that was read in it: ``said`` and ``cells`` [2, J, n], ``classes``
    [n] those of the figure, ``least`` the images of one below which it is too few. Empty where a session has no image
    of a class."""
    counts = [int((read & one).any(0).sum()) for read in cells for one in classes]
    if not all(counts):
        return {}
    able = np.logical_and.reduce([(cells & one).any((0, 2)) for one in classes])
    said, cells = said[:, able], cells[:, able]
    return sessions(*(kernel_of(one, read) for one, read in zip(said, cells, strict=True))) | {
        "n_readers": int(able.sum()),
        "n_readers_each": [int(read.any(1).sum()) for read in cells],
        "n_cases": sum(int((cells & one).any((0, 1)).sum()) for one in classes),
        "too_few": too_few(*counts, least=least),
    }


def sessions(a: one_shot.Kernel, b: one_shot.Kernel) -> dict[str, Any]:
    """Two sessions, later - earlier, each with all that was read in it."""
    found = one_shot.difference(b, a, cautious=True)
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
