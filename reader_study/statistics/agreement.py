"""Agreement beyond chance: Cohen's kappa of two, Fleiss's of several, Krippendorff's alpha of any number with gaps.

Each comes with a 95 % interval. Cohen's is that of Fleiss, Cohen and Everitt (1969), and its p, like that of Fleiss's
kappa (Fleiss, Nee and Landis 1979), is that of no agreement beyond chance. The intervals of Fleiss's kappa and of alpha
are percentiles of a bootstrap of the images, or of their patients.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics.proportions import Z95

RESAMPLES, SEED = 1000, 20180129
GAP = -1


@dataclass(frozen=True)
class Agreement:
    """``value`` None for no agreement that could be told from chance, as when all answers are the same. ``p``:
    two-sided; None where there is none. ``images``: those it rests on."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    images: int

    @property
    def ci(self) -> list[float] | None:
        return None if self.low is None or self.high is None else [self.low, self.high]


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


def cohen_estimate(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Cohen's kappa with its large-sample interval, kept to -1 to 1, and the p of no agreement beyond chance."""
    first, second = np.asarray(first), np.asarray(second)
    n = len(first)
    if (value := cohen(first, second)) is None:
        return Agreement(None, None, None, None, n)
    names, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    one, other = np.split(places, 2)
    size = len(names)
    share = np.bincount(one * size + other, minlength=size * size).reshape(size, size) / n
    rows, columns = share.sum(1), share.sum(0)
    seen, chance = np.trace(share), float(rows @ columns)
    diagonal = np.diag(share)
    spread = float(
        (diagonal * (1 - (rows + columns) * (1 - value)) ** 2).sum()
        + (1 - value) ** 2
        * ((share * (columns[:, None] + rows[None, :]) ** 2).sum() - (diagonal * (columns + rows) ** 2).sum())
        - (value - chance * (1 - value)) ** 2
    )
    at_chance = chance + chance**2 - float((rows * columns * (rows + columns)).sum())
    half = Z95 * math.sqrt(max(spread, 0.0) / n) / (1 - chance)
    p = None
    if at_chance > 0:
        z = (seen - chance) / math.sqrt(at_chance / n)
        p = math.erfc(abs(z) / math.sqrt(2))
    return Agreement(value, max(value - half, -1.0), min(value + half, 1.0), p, n)


def fleiss(answers: ArrayLike) -> float | None:
    """Fleiss's kappa of ``answers`` [readers, n], any integers. None for fewer than two readers, no image, or
    where all answers are the same."""
    answers = np.asarray(answers)
    readers, n = answers.shape
    if readers < 2 or not n:
        return None
    counts = _counts(answers)
    pairs, all_pairs = int((counts * (counts - 1)).sum()), n * readers * (readers - 1)
    by_chance, at_most = int((counts.sum(0) ** 2).sum()), (n * readers) ** 2
    if by_chance == at_most:
        return None
    expected = by_chance / at_most
    return float((pairs / all_pairs - expected) / (1 - expected))


def fleiss_estimate(answers: ArrayLike, patients: np.ndarray | None = None) -> Agreement:
    """Fleiss's kappa of ``answers`` [readers, n] with its interval and p; ``patients`` [n] are numbers."""
    answers = np.asarray(answers)
    readers, n = answers.shape
    if (value := fleiss(answers)) is None:
        return Agreement(None, None, None, None, n)
    counts = _counts(answers)
    pairs = (counts * (counts - 1)).sum(1) / (readers * (readers - 1))

    def kappa(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(1)
        expected = ((weights @ counts / (total[:, None] * readers)) ** 2).sum(1)
        return np.asarray((weights @ pairs / total - expected) / (1 - expected))

    low, high = _percentiles(kappa, n, patients)
    share = counts.sum(0) / (n * readers)
    free = share * (1 - share)
    all_free = float(free.sum())
    spread = all_free**2 - float((free * (1 - 2 * share)).sum())
    se = math.sqrt(2 * spread / (n * readers * (readers - 1))) / all_free
    return Agreement(value, low, high, math.erfc(abs(value) / se / math.sqrt(2)), n)


def krippendorff(answers: ArrayLike, patients: np.ndarray | None = None) -> Agreement:
    """Krippendorff's alpha of nominal ``answers`` [readers, n] with GAP where there is none: of the images that two
    readers or more have answered."""
    answers = np.asarray(answers)
    paired = (answers != GAP).sum(0) > 1
    n = int(paired.sum())
    if not n:
        return Agreement(None, None, None, None, 0)
    counts = _counts(answers[:, paired], answers[:, paired] != GAP)
    sizes = counts.sum(1)
    unlike = (sizes**2 - (counts**2).sum(1)) / (sizes - 1)
    if np.count_nonzero(counts.sum(0)) < 2:
        return Agreement(None, None, None, None, n)

    def alpha(weights: np.ndarray) -> np.ndarray:
        total, by_name = weights @ sizes, weights @ counts
        return np.asarray(1 - (total - 1) * (weights @ unlike) / (total**2 - (by_name**2).sum(1)))

    low, high = _percentiles(alpha, n, None if patients is None else patients[paired])
    return Agreement(float(alpha(np.ones((1, n)))[0]), low, high, None, n)


def _counts(answers: np.ndarray, given: np.ndarray | None = None) -> np.ndarray:
    """How often each answer was given to each image [n, answers]."""
    names, places = np.unique(answers, return_inverse=True)
    places = places.reshape(answers.shape) + len(names) * np.arange(answers.shape[1])
    chosen = places.ravel() if given is None else places[given]
    counts = np.bincount(chosen, minlength=answers.shape[1] * len(names))
    return np.asarray(counts.reshape(answers.shape[1], len(names)))


@lru_cache(maxsize=4)
def _drawn(count: int) -> np.ndarray:
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return np.asarray(drawn, float)


def _percentiles(
    of: Callable[[np.ndarray], np.ndarray], n: int, patients: np.ndarray | None
) -> tuple[float | None, float | None]:
    """Of ``of(weights [resamples, n])`` where images, or patients with all their images, are drawn with replacement.
    None where there are fewer than two, or what is drawn has mostly no value."""
    units = np.arange(n) if patients is None else np.unique(patients, return_inverse=True)[1]
    count = int(units.max()) + 1
    if count < 2:
        return None, None
    drawn = _drawn(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = of(drawn[:, units])
    values = values[np.isfinite(values)]
    if len(values) < RESAMPLES / 2:
        return None, None
    low, high = np.interp(
        np.array([0.025, 0.975]) * (len(values) - 1), np.arange(len(values)), np.sort(values)
    )
    return float(low), float(high)


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
