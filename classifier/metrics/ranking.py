"""Top-k, and confusion matrices of answers or of the most likely disease."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics.operating import Truth
from classifier.metrics.proportions import Proportion, proportion


@dataclass(frozen=True)
class TopK:
    """Photos whose true disease is among the ``k`` highest scores.

    Equal scores rank in the fixed disease order; ``decided_by_order`` photos are right or wrong because of
    that alone. ``class_balanced`` is the mean over ``classes`` diseases of the share of each.
    """

    k: int
    right: Proportion
    class_balanced: float | None
    classes: int
    decided_by_order: int


@dataclass(frozen=True)
class Ranking:
    """Top-k for each k. ``photos`` show one of the diseases, ``left_out`` show something else; in ``tied``
    photos another disease has the very score of the true one."""

    photos: int
    left_out: int
    tied: int
    top: tuple[TopK, ...]


@dataclass(frozen=True)
class Confusion:
    """``counts[i][j]``: photos of ``rows[i]`` answered with ``columns[j]``; rows without photos are left out."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def ranking(scores: np.ndarray, truth: Truth, ks: Sequence[int] = (1, 2, 3, 5)) -> Ranking:
    """``scores`` [n, d], columns as the first d names of ``truth``."""
    shown = truth.codes < scores.shape[1]
    scores, codes = scores[shown], truth.codes[shown]
    own = scores[np.arange(len(scores)), codes][:, None]
    higher = (scores > own).sum(1)
    equal = scores == own
    before = (equal & (np.arange(scores.shape[1]) < codes[:, None])).sum(1)
    others_equal = equal.sum(1) - 1
    top = tuple(_top_k(k, higher, before, others_equal, codes) for k in ks)
    return Ranking(len(codes), int((~shown).sum()), int((others_equal > 0).sum()), top)


def confusion(truth: Truth, answers: ArrayLike, columns: tuple[str, ...]) -> Confusion:
    """``answers`` [n] place each photo's answer in ``columns``."""
    answers = np.asarray(answers, np.intp)
    counts = np.bincount(
        truth.codes * len(columns) + answers, minlength=len(truth.names) * len(columns)
    ).reshape(len(truth.names), len(columns))
    present = [row for row, name in enumerate(truth.names) if truth.photos[name]]
    return Confusion(
        tuple(truth.names[row] for row in present), columns, tuple(map(tuple, counts[present].tolist()))
    )


def argmax_confusion(scores: np.ndarray, truth: Truth) -> Confusion:
    """The highest score answers; of equal ones the first in the fixed order."""
    return confusion(truth, scores.argmax(1), truth.names[: scores.shape[1]])


def _top_k(
    k: int, higher: np.ndarray, before: np.ndarray, others_equal: np.ndarray, codes: np.ndarray
) -> TopK:
    right = higher + before < k
    photos = np.bincount(codes)
    present = photos > 0
    shares = np.bincount(codes, right, len(photos))[present] / photos[present]
    open_to_order = (higher < k) & (higher + others_equal >= k)
    return TopK(
        k,
        proportion(int(right.sum()), len(right)),
        float(shares.mean()) if len(shares) else None,
        len(shares),
        int(open_to_order.sum()),
    )
