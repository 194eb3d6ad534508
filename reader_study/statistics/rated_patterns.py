"""Rated tests in any design: which ratings there are, and U-statistics of their AUCs as iMRMC gives them."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from classifier.metrics.proportions import inside
from reader_study.statistics import one_shot, patterns
from reader_study.statistics.ratings import AiRatings, Ratings

# So many missing ratings are named one by one.
MOST_NAMED = 20


def design(ratings: Ratings) -> dict[str, Any]:
    """The pattern, and what is missing of a crossed design: how many, by test and reader, and which if few."""
    cells = ratings.cells
    lacking = [
        [ratings.tests[test], ratings.readers[reader], ratings.cases[case]]
        for test, reader, case in zip(*np.nonzero(~cells), strict=True)
    ]
    return {
        "pattern": patterns.pattern(cells),
        "n_ratings": int(cells.sum()),
        "n_crossed": int(cells.size),
        "n_missing": len(lacking),
        "missing": lacking if len(lacking) <= MOST_NAMED else None,
        "n_read": {
            test: dict(zip(ratings.readers, rated.sum(1).tolist(), strict=True))
            for test, rated in zip(ratings.tests, cells, strict=True)
        },
    }


def of_tests(ratings: Ratings, margin: float | None) -> dict[str, Any]:
    """Each test, and each pair of them, first - second. Each pair of ratings counts the same, as in iMRMC, so that
    readers of more cases weigh more."""
    kernels = [
        one_shot.areas(values, ratings.truth, cells)
        for values, cells in zip(ratings.values, ratings.cells, strict=True)
    ]
    known = [bool(kernel.weight.any()) for kernel in kernels]
    return {
        "tests": {
            name: _said(one_shot.mean(kernel), least=0.0) if is_known else None
            for name, kernel, is_known in zip(ratings.tests, kernels, known, strict=True)
        },
        "pairs": [
            {"tests": [ratings.tests[a], ratings.tests[b]]}
            | _compared(one_shot.difference(kernels[a], kernels[b]), margin)
            for a, b in combinations(range(len(kernels)), 2)
            if known[a] and known[b]
        ],
    }


def of_ai(ratings: AiRatings, margin: float | None) -> dict[str, Any]:
    """AI - readers, on what each reader has rated."""
    both = ~np.isnan(ratings.values) & ~np.isnan(ratings.ai)
    readers = one_shot.areas(ratings.values, ratings.truth, both)
    ai = one_shot.areas(np.broadcast_to(ratings.ai, both.shape), ratings.truth, both)
    if not readers.weight.any():
        return {"ai": None, "readers_mean": None, "pairs": []}
    found = {"tests": [ratings.ai_test, ratings.test]} | _compared(one_shot.mean(ai - readers), margin)
    return {"ai": ai.mean, "readers_mean": readers.mean, "pairs": [found]}


def aucs(readers: Sequence[str], values: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Of each reader; None where a class was not rated."""
    found: dict[str, float | None] = {}
    for name, row in zip(readers, values, strict=True):
        kernel = one_shot.areas(row[None], truth, ~np.isnan(row)[None])
        found[name] = kernel.mean if kernel.weight.any() else None
    return found


def _compared(found: one_shot.Estimate, margin: float | None) -> dict[str, Any]:
    said = _said(found, least=-1.0)
    return {"difference": said.pop("mean"), **said, "non_inferiority": found.non_inferiority(margin)}


def _said(found: one_shot.Estimate, *, least: float) -> dict[str, Any]:
    is_difference = least < 0
    return {
        "mean": found.value,
        "se": found.se,
        "df": found.df,
        # Of one test the hypothesis of t and p would be an AUC of 0, which nobody asks about.
        **({"t": found.t, "p": found.p} if is_difference else {}),
        "ci": inside(found.low, found.high, least),
        "note": found.note,
    }
