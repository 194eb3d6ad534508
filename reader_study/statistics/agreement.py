"""Agreement beyond chance: Cohen's kappa of two, Fleiss's of several."""

import numpy as np
from numpy.typing import ArrayLike


def cohen(first: ArrayLike, second: ArrayLike) -> float | None:
    """Cohen's kappa of two vectors [n] of answers, any integers. None for no answer, or where both give one and
    the same answer throughout."""
    first, second = np.asarray(first), np.asarray(second)
    if not len(first):
        return None
    names, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    one, other = (np.bincount(part, minlength=len(names)) for part in np.split(places, 2))
    n = len(first)
    # In integers: agreement by chance of exactly 1 must be seen.
    by_chance, at_most = int((one * other).sum()), n * n
    if by_chance == at_most:
        return None
    return float((n * int((first == second).sum()) - by_chance) / (at_most - by_chance))


def fleiss(answers: ArrayLike) -> float | None:
    """Fleiss's kappa of ``answers`` [readers, n], any integers. None for fewer than two readers, no image, or
    where all answers are the same."""
    answers = np.asarray(answers)
    readers, n = answers.shape
    if readers < 2 or not n:
        return None
    names, places = np.unique(answers, return_inverse=True)
    places = places.reshape(answers.shape)
    counts = np.bincount(
        (places + len(names) * np.arange(n)).ravel(), minlength=n * len(names)
    ).reshape(n, len(names))  # fmt: skip
    pairs, all_pairs = int((counts * (counts - 1)).sum()), n * readers * (readers - 1)
    by_chance, at_most = int((counts.sum(0) ** 2).sum()), (n * readers) ** 2
    if by_chance == at_most:
        return None
    expected = by_chance / at_most
    return float((pairs / all_pairs - expected) / (1 - expected))


def pairwise(answers: ArrayLike, given: ArrayLike = True) -> list[list[float | None]]:
    """Cohen's kappa of every two readers [readers, readers] of ``answers`` [readers, n], on what both were
    ``given``."""
    answers = np.asarray(answers)
    cells = np.broadcast_to(np.asarray(given, bool), answers.shape)
    readers = len(answers)
    found: list[list[float | None]] = [[None] * readers for _ in range(readers)]
    for i in range(readers):
        for j in range(i, readers):
            both = cells[i] & cells[j]
            found[i][j] = found[j][i] = cohen(answers[i][both], answers[j][both])
    return found
