"""Mean, variance and difference of what readers score on cases, whichever of them read which: U-statistics.

The one-shot estimator of Gallas (2006) and Gallas, Pennello and Myers (2007, shares; 2008, any pattern). A ``Kernel``
holds what each reader scored on each case, or on each pair of a case with and a case without the disease, and which
of these were read. The variance of a mean is a sum over pairs of scores: by what two scores share (the reader, the
case of either class, nothing) they have a mean product each, estimated without bias from the pairs of exactly that
kind, and weighted by how often that kind occurs in the study. A pattern that has no such pair gives it no weight, so
that crossed, blocked and nested designs need no formulas of their own.

Without bias is not without chance: of few readers the estimate may come out below 0, or near it, as no variance is.
Where it is below 0 that of the empirical distribution stands for it, rather too large (Gallas' MLE, which iMRMC offers
then). No true variance is less than if all answers were independent of one another: an estimate that is gives an
interval of a narrowness that means nothing. A note says so, and a ``cautious`` analysis takes the variance of
independent answers instead, as Obuchowski and Rockette's count no negative covariance.

Degrees of freedom are those of iMRMC (BDG): Satterthwaite's of the components of readers and of cases.
"""

import math
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import scipy

from classifier.metrics import notes
from reader_study import mrmc

# Of more degrees of freedom than this iMRMC takes the normal distribution, of fewer the whole ones.
_NORMAL = 50
# A variance so small beside the squares it is the difference of is a trace of rounding.
_TRACE = 1e-13
Kind = frozenset[int]


@dataclass(frozen=True)
class Kernel:
    """``score`` and ``weight`` [readers, cases] or [readers, negatives, positives]; the weight of what was not read
    is 0."""

    score: np.ndarray
    weight: np.ndarray

    def __sub__(self, other: "Kernel") -> "Kernel":
        """The differences on what both have read; the weights are those of the first."""
        return Kernel(self.score - other.score, np.where(other.weight > 0, self.weight, 0.0))

    @property
    def mean(self) -> float:
        return float((self.score * self.weight).sum() / self.weight.sum())

    def readers_equal(self) -> "Kernel":
        """Each reader counts the same, however much of it the reader has read; else every score does."""
        axes = tuple(range(1, self.weight.ndim))
        total = self.weight.sum(axes, keepdims=True)
        return Kernel(
            self.score, np.divide(self.weight, total, out=np.zeros_like(self.weight), where=total > 0)
        )


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of two. ``df`` None with a t is infinite (more than 50, as iMRMC has it). None
    throughout, with a ``note``, where there is no variance."""

    value: float
    se: float | None = None
    df: float | None = None
    t: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    def non_inferiority(self, margin: float | None) -> mrmc.NonInferiority | None:
        if margin is None:
            return None
        if self.se is None:
            return mrmc.NonInferiority(margin, None, None, None)
        t = (self.value + margin) / self.se
        return mrmc.NonInferiority(margin, t, self.df, _tail(t, self.df))


# Kernels


def shares(right: np.ndarray, cells: np.ndarray) -> Kernel:
    """Of cases [readers, n] that were ``right``, where ``cells`` were read."""
    right, cells = np.broadcast_arrays(right, cells)
    return Kernel(right.astype(float), cells.astype(float))


def balanced(positive: np.ndarray, truth: np.ndarray, cells: np.ndarray) -> Kernel:
    """Of the mean of sensitivity and specificity, of decisions ``positive`` [readers, n]."""
    positive, cells = np.broadcast_arrays(positive, cells)
    hits, passed = positive[:, truth].astype(float), 1.0 - positive[:, ~truth]
    return Kernel((hits[:, None, :] + passed[:, :, None]) / 2, _pairs(cells, truth))


def areas(ratings: np.ndarray, truth: np.ndarray, cells: np.ndarray) -> Kernel:
    """Of the area under the ROC curve, of ``ratings`` [readers, n]; those not read are not looked at."""
    ratings, cells = np.broadcast_arrays(np.where(cells, ratings, 0.0), cells)
    above, below = ratings[:, None, truth], ratings[:, ~truth, None]
    return Kernel((above > below) + (above == below) / 2, _pairs(cells, truth))


def _pairs(cells: np.ndarray, truth: np.ndarray) -> np.ndarray:
    pairs: np.ndarray = (cells[:, None, truth] & cells[:, ~truth, None]).astype(float)
    return pairs


# Analyses


@dataclass(frozen=True)
class _Moments:
    """Of two kernels: covariance of their means without bias, ``biased`` that of the empirical distribution, and what
    it would be of ``independent`` answers. ``part`` of each factor (readers, cases) in it as iMRMC takes it for the
    degrees of freedom, and each factor's own degrees of freedom."""

    covariance: float
    biased: float
    independent: float
    squares: float
    part: np.ndarray
    df: np.ndarray


def mean(kernel: Kernel, *, cautious: bool = False) -> Estimate:
    """The mean over what was read, readers and cases random."""
    if note := _why_not(kernel):
        return Estimate(kernel.mean, note=note)
    found = _moments(kernel, kernel)
    return _estimate(kernel.mean, found, cautious)


def difference(a: Kernel, b: Kernel, *, cautious: bool = False) -> Estimate:
    """a - b of two tests, each of what was read in it; readers and cases of the same place are the same."""
    value = a.mean - b.mean
    if note := _why_not(a) or _why_not(b):
        return Estimate(value, note=note)
    first, second, both = _moments(a, a), _moments(b, b), _moments(a, b)
    found = _Moments(
        first.covariance + second.covariance - 2 * both.covariance,
        first.biased + second.biased - 2 * both.biased,
        first.independent + second.independent - 2 * both.independent,
        first.squares + second.squares,
        first.part + second.part - 2 * both.part,
        np.minimum(first.df, second.df),
    )
    return _estimate(value, found, cautious)


def _why_not(kernel: Kernel) -> str:
    """A factor with a single level tells nothing of how it varies."""
    axes = range(kernel.weight.ndim)
    levels = [int(kernel.weight.any(tuple(other for other in axes if other != axis)).sum()) for axis in axes]
    if levels[0] == 1:
        return notes.ONE_READER
    return notes.ONE_IN_CLASS if 1 in levels[1:] else ""


def _moments(a: Kernel, b: Kernel) -> _Moments:
    axes = range(a.weight.ndim)
    kinds = [
        frozenset(kind)
        for kind in chain.from_iterable(combinations(axes, size) for size in range(len(axes) + 1))
    ]
    scored = _products(a.score * a.weight, b.score * b.weight, kinds)
    read = _products(a.weight, b.weight, kinds)
    # How many pairs share at least these factors, and how many exactly these.
    exact_scored, exact_read = _exactly(scored, kinds), _exactly(read, kinds)
    nothing: Kind = frozenset()
    share = {kind: exact_read[kind] / read[nothing] for kind in kinds}
    average = {kind: _ratio(exact_scored[kind], exact_read[kind], read[nothing]) for kind in kinds}
    covariance = sum(share[kind] * average[kind] for kind in kinds) - average[nothing]
    rough = {kind: _ratio(scored[kind], read[kind], read[nothing]) for kind in kinds}
    biased = sum(share[kind] * rough[kind] for kind in kinds) - rough[nothing]
    whole = frozenset(axes)
    # Of independent answers only scores of the same reader on the same case have anything in common.
    independent = sum(
        share[kind] * (average[kind] - average[nothing]) for kind in kinds if 0 in kind and len(kind) > 1
    )
    part, df = np.zeros(len(axes)), np.zeros(len(axes))
    for axis in axes:
        together = sum(share[kind] for kind in kinds if axis in kind)
        if together > _TRACE:
            part[axis] = rough[frozenset({axis})] - rough[nothing]
            df[axis] = np.round(1 / together - 1)
        else:
            df[axis] = math.inf
    squares = abs(average[nothing]) + abs(average[whole])
    return _Moments(covariance, biased, independent, squares, part, df)


def _products(a: np.ndarray, b: np.ndarray, kinds: list[Kind]) -> dict[Kind, float]:
    """Sums of the products of all pairs that share the factors of each kind, whatever else they share."""
    found = {}
    for kind in kinds:
        others = tuple(axis for axis in range(a.ndim) if axis not in kind)
        found[kind] = float((a.sum(others) * b.sum(others)).sum())
    return found


def _exactly(sums: dict[Kind, float], kinds: list[Kind]) -> dict[Kind, float]:
    """From pairs that share at least some factors, those that share no other: inclusion and exclusion."""
    return {
        kind: sum((-1) ** len(other - kind) * sums[other] for other in kinds if other >= kind)
        for kind in kinds
    }


def _ratio(scored: float, read: float, total: float) -> float:
    return scored / read if abs(read) > _TRACE * total else 0.0


def _estimate(value: float, found: _Moments, cautious: bool) -> Estimate:
    trace = _TRACE * max(found.squares, _TRACE)
    variance, note = found.covariance, ""
    if variance < found.independent - trace:
        note = notes.NARROW
        if cautious:
            variance, note = found.independent, notes.INDEPENDENT
    if variance < -trace:
        variance, note = found.biased, notes.BIASED_VARIANCE
    if variance <= trace < found.independent:
        variance, note = found.independent, notes.INDEPENDENT
    if variance <= trace:
        return Estimate(value, note=notes.NO_VARIANCE)
    # Unequal shares of the work may leave less than two readers or cases' worth.
    if found.df.min() < 1:
        return Estimate(value, note=notes.NO_FREEDOM)
    spread = float((found.part**2 / found.df**3).sum())
    freedom = max(variance**2 / spread if spread else math.inf, float(found.df.min()))
    taken = None if freedom > _NORMAL else float(math.floor(freedom))
    se = math.sqrt(variance)
    half = se * float(scipy.special.ndtri(0.975) if taken is None else scipy.special.stdtrit(taken, 0.975))
    t = value / se
    return Estimate(
        value,
        se,
        None if math.isinf(freedom) else freedom,
        t,
        2 * _tail(abs(t), freedom),
        value - half,
        value + half,
        note,
    )


def _tail(t: float, df: float | None) -> float:
    if df is None or df > _NORMAL:
        return float(scipy.special.ndtr(-t))
    return float(scipy.special.stdtr(math.floor(df), -t))
