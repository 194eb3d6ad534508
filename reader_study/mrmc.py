"""Several readers, several tests, the same cases: Obuchowski and Rockette's analysis on plain numpy.

A figure of merit comes as a ``Merit``: its value for each test and reader, and how each case moves it. From the
latter follows every covariance, by the jackknife over all cases or, for AUCs, by DeLong.

Readers and cases are random (RRRC), readers fixed (FRRC) or cases fixed (RRFC); degrees of freedom are Hillis's.
What cannot be computed is None with a ``note`` (classifier/metrics/notes.py), never NaN.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from classifier.metrics import notes, roc
from classifier.metrics.delong import placements

# Figures of merit lie in [0, 1] and change by 1/n, so that any smaller square is a trace of rounding; so is what is
# left of a difference of variances when it is so small a part of them.
TRACE, PART = 1e-24, 1e-13


@dataclass(frozen=True)
class Merit:
    """A figure of merit: ``value`` [...] and ``deviations`` [..., n], the part of each case in its error.

    The covariance of two values is the sum over cases of the products of their deviations. None where a class
    has a single case, without which there would be no value.
    """

    value: np.ndarray
    deviations: np.ndarray | None

    def __sub__(self, other: "Merit") -> "Merit":
        """The differences of two figures of merit on the same cases."""
        if self.deviations is None or other.deviations is None:
            return Merit(self.value - other.value, None)
        return Merit(self.value - other.value, self.deviations - other.deviations)

    def __getitem__(self, place: Any) -> "Merit":
        """Some tests or readers."""
        return Merit(self.value[place], None if self.deviations is None else self.deviations[place])

    def covariance(self) -> np.ndarray:
        """Covariance [m, m] of the m values, first index slowest."""
        if self.deviations is None:
            raise ValueError("one positive or one negative gives no variance")
        rows = self.deviations.reshape(-1, self.deviations.shape[-1])
        covariance: np.ndarray = rows @ rows.T
        return covariance


@dataclass(frozen=True)
class Components:
    """Mean squares of tests (t), readers (r) and both, means of the covariance matrix, and the variances of
    readers and of tests within readers, which may come out negative.

    ``cov1``: same reader, other test; ``cov2``: other reader, same test; ``cov3``: both other. None where there
    is no such pair.
    """

    ms_t: float | None
    ms_r: float | None
    ms_tr: float | None
    var: float
    cov1: float | None
    cov2: float | None
    cov3: float | None
    var_r: float | None
    var_tr: float | None


@dataclass(frozen=True)
class FTest:
    """``low`` and ``high``: 95 % interval of the difference of two tests; None for more than two.

    ``df2`` None with the note "normal_limit" is infinite.
    """

    f: float | None
    df1: int
    df2: float | None
    p: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class ZTest:
    """A test with the normal distribution."""

    z: float | None
    p: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class ChiTest:
    """A test of more than two tests with fixed readers."""

    chi2: float | None
    df: int
    p: float | None
    note: str = ""


@dataclass(frozen=True)
class Single:
    """The mean over readers of one test; ``df`` None with the note "normal_limit" is infinite."""

    mean: float
    se: float | None
    df: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class Pair:
    """Two tests (their places): mean of the ``first`` minus that of the ``second``. ``non_inferiority`` of the first,
    readers and cases random; None without a margin."""

    first: int
    second: int
    difference: float
    rrrc: FTest
    frrc: ZTest
    rrfc: FTest
    non_inferiority: "NonInferiority | None"


@dataclass(frozen=True)
class Comparison:
    """I tests compared. The tests of all of them; with two, ``pairs`` holds the same for the difference."""

    components: Components
    tests: tuple[Single, ...]
    rrrc: FTest
    frrc: ChiTest
    rrfc: FTest
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class NonInferiority:
    """One-sided: is the AI, or the first of two tests, no more than ``margin`` below the readers' mean, or the
    second? ``df`` None is infinite, or there is no test at all."""

    margin: float
    t: float | None
    df: float | None
    p: float | None


@dataclass(frozen=True)
class AiAgainstReaders:
    """``difference`` is AI - readers, and ``t`` has its sign. ``ms_r`` and ``cov2`` are those of the differences."""

    ai: float
    readers_mean: float
    difference: float
    se: float | None
    t: float | None
    df: float | None
    p: float | None
    low: float | None
    high: float | None
    ms_r: float | None
    cov2: float | None
    non_inferiority: NonInferiority | None
    note: str = ""


# Figures of merit


def sensitivity(positive: ArrayLike, truth: ArrayLike, read: ArrayLike = True) -> Merit:
    """Of decisions ``positive`` [..., n] for ``truth`` [n], jackknife over the positives, which alone move it.

    ``read`` [..., n]: the cases that each reader has read; any pattern, and different ones for each. NotEvaluable
    where a reader has no positive.
    """
    return _share(np.asarray(positive, bool), np.asarray(truth, bool), np.asarray(read, bool), own_class=True)


def specificity(positive: ArrayLike, truth: ArrayLike, read: ArrayLike = True) -> Merit:
    """Of decisions ``positive`` [..., n] for ``truth`` [n], jackknife over the negatives; ``read`` as above."""
    return _share(
        ~np.asarray(positive, bool), ~np.asarray(truth, bool), np.asarray(read, bool), own_class=True
    )


def balanced_accuracy(positive: ArrayLike, truth: ArrayLike, read: ArrayLike = True) -> Merit:
    """The mean of sensitivity and specificity, jackknife over all cases."""
    positive, truth, read = np.asarray(positive, bool), np.asarray(truth, bool), np.asarray(read, bool)
    first, second = (
        _share(right, among, read, own_class=False)
        for right, among in ((positive, truth), (~positive, ~truth))
    )
    value = (first.value + second.value) / 2
    if first.deviations is None or second.deviations is None:
        return Merit(value, None)
    return Merit(value, (first.deviations + second.deviations) / 2)


def accuracy(right: ArrayLike, read: ArrayLike = True) -> Merit:
    """The share of cases that are ``right`` [..., n], jackknife; ``read`` as above."""
    right = np.asarray(right, bool)
    return _share(right, np.ones(right.shape[-1], bool), np.asarray(read, bool), own_class=False)


def auc(ratings: ArrayLike, truth: ArrayLike, read: ArrayLike = True) -> Merit:
    """AUCs of ``ratings`` [..., n] for ``truth`` [n], jackknife over all cases; ``read`` as above. NotEvaluable
    where a reader has one class."""
    n = np.asarray(truth).size
    return _auc(ratings, truth, read, lambda size: math.sqrt((n - 1) / n) / (size - 1))


def auc_delong(ratings: ArrayLike, truth: ArrayLike, read: ArrayLike = True) -> Merit:
    """AUCs of ``ratings`` [..., n] for ``truth`` [n], DeLong; as above."""
    return _auc(ratings, truth, read, lambda size: 1 / math.sqrt(size * (size - 1)))


METHODS: dict[str, Callable[..., Merit]] = {"jackknife": auc, "delong": auc_delong}


def _share(right: np.ndarray, among: np.ndarray, read: np.ndarray, *, own_class: bool) -> Merit:
    """Right cases among some of those read. Without case k of them the share is (m·share - right)/(m - 1), so that
    it moves by (share - right)/(m - 1); any other case does not move it. The jackknife's factor (n - 1)/n counts
    the cases of the class, or all that were read."""
    right, read = np.broadcast_arrays(right, read)
    among = read & among
    size = among.sum(-1)
    if not size.all():
        raise roc.NotEvaluable("there is no case of this class")
    # float64 as a whole: a mean of many booleans would do, but of few must be exact.
    value = (right & among).sum(-1) / size
    if (size == 1).any():
        return Merit(value, None)
    n = size if own_class else read.sum(-1)
    weight = np.sqrt((n - 1) / n) / (size - 1)
    return Merit(value, np.where(among, value[..., None] - right, 0.0) * weight[..., None])


def _auc(ratings: ArrayLike, truth: ArrayLike, read: ArrayLike, weight: Callable[[int], float]) -> Merit:
    ratings, truth = np.asarray(ratings, float), np.asarray(truth, bool)
    rows = ratings.reshape(-1, truth.size)
    cells = np.broadcast_to(np.asarray(read, bool), ratings.shape).reshape(rows.shape)
    shape = ratings.shape[:-1]
    values, deviations = np.empty(len(rows)), np.zeros(rows.shape)
    for place, (row, seen) in enumerate(zip(rows, cells, strict=True)):
        rated, shown = row[seen], truth[seen]
        values[place] = roc.auc(rated, shown)
        positives = int(shown.sum())
        negatives = shown.size - positives
        if 1 in (positives, negatives):
            deviations[place] = np.nan
            continue
        of_positives, of_negatives = placements(rated, shown)
        deviations[place, seen & truth] = (values[place] - of_positives) * weight(positives)
        deviations[place, seen & ~truth] = (values[place] - of_negatives) * weight(negatives)
    known = not np.isnan(deviations).any()
    return Merit(values.reshape(shape), deviations.reshape(ratings.shape) if known else None)


# Analyses


def single(merit: Merit) -> Single:
    """One test: ``merit`` of J readers, random readers and cases."""
    readers = merit.value.size
    mean = float(merit.value.mean())
    if merit.deviations is None:
        return Single(mean, None, None, None, None, notes.ONE_IN_CLASS)
    if readers == 1:
        return Single(mean, None, None, None, None, notes.ONE_READER)
    cov2 = _off_diagonal(merit.covariance())
    return _single(mean, _traced(merit.value.var(ddof=1)), cov2, readers)


def compare(merit: Merit, *, margin: float | None = None) -> Comparison:
    """Compare I tests of J readers, ``merit`` [I, J] with deviations [I, J, n].

    Needs two tests and a variance: ValueError otherwise. With one reader only FRRC can be computed.
    """
    tests, readers = merit.value.shape
    if tests < 2:
        raise ValueError("a comparison needs two tests")
    if merit.deviations is None:
        raise ValueError("one positive or one negative gives no variance")
    found = components(merit)
    means = merit.value.mean(1)
    rrrc_variance, rrrc_df = _rrrc(found, tests, readers)
    frrc_variance = _frrc_variance(found, readers)
    rrfc_df = float((tests - 1) * (readers - 1)) if found.ms_tr is not None else None
    ms_t = readers * float(means.var(ddof=1))

    se = None
    if rrrc_variance is not None and rrrc_variance > TRACE:
        se = math.sqrt(2 * rrrc_variance / readers)
    pairs = []
    for a, b in combinations(range(tests), 2):
        difference = float(means[a] - means[b])
        pairs.append(
            Pair(
                a, b, difference,
                _difference_f(difference, rrrc_variance, rrrc_df, readers),
                _difference_z(difference, frrc_variance, readers),
                _difference_f(difference, found.ms_tr, rrfc_df, readers),
                _non_inferiority(difference, se, None if rrrc_df is None or math.isinf(rrrc_df) else rrrc_df, margin),
            )
        )  # fmt: skip
    singles = tuple(single(merit[test]) for test in range(tests))
    return Comparison(
        found,
        singles,
        _f(ms_t, tests - 1, rrrc_variance, rrrc_df),
        _chi(ms_t, tests - 1, frrc_variance),
        _f(ms_t, tests - 1, found.ms_tr, rrfc_df),
        tuple(pairs),
    )


def components(merit: Merit) -> Components:
    """Mean squares and means of the covariance matrix of ``merit`` [I, J]."""
    value = merit.value
    tests, readers = value.shape
    by_test, by_reader, middle = value.mean(1), value.mean(0), value.mean()
    ms_t = readers * float(by_test.var(ddof=1)) if tests > 1 else None
    ms_r = tests * float(by_reader.var(ddof=1)) if readers > 1 else None
    ms_tr = None
    if tests > 1 and readers > 1:
        left = value - by_test[:, None] - by_reader[None, :] + middle
        ms_tr = _traced((left**2).sum() / ((tests - 1) * (readers - 1)))
    spread = merit.covariance()
    test, reader = np.divmod(np.arange(tests * readers), readers)
    same_test, same_reader = test[:, None] == test, reader[:, None] == reader
    var = _traced(np.diag(spread).mean())
    cov1 = _mean(spread, ~same_test & same_reader, var)
    cov2 = _mean(spread, same_test & ~same_reader, var)
    cov3 = _mean(spread, ~same_test & ~same_reader, var)
    var_r = var_tr = None
    if not (ms_r is None or ms_tr is None or cov1 is None or cov2 is None or cov3 is None):
        var_r = (ms_r - ms_tr) / tests - cov1 + cov3
        var_tr = ms_tr - var + cov1 + cov2 - cov3
    return Components(ms_t, ms_r, ms_tr, var, cov1, cov2, cov3, var_r, var_tr)


def ai_against_readers(ai: Merit, readers: Merit, *, margin: float | None = None) -> AiAgainstReaders:
    """``ai`` against the J of ``readers``; readers and cases are random. ``ai`` is one value on the same cases, or J
    of them where readers have read different cases: each on those of one reader."""
    differences = readers - ai
    count = differences.value.size
    difference = -float(differences.value.mean())
    note = notes.ONE_READER if count == 1 else ""
    if differences.deviations is None:
        note = notes.ONE_IN_CLASS
    ms_r = cov2 = se = df = None
    if not note:
        ms_r = _traced(differences.value.var(ddof=1))
        cov2 = _off_diagonal(differences.covariance())
        variance = ms_r + max(count * cov2, 0.0)
        if variance <= TRACE:
            note = notes.NO_VARIANCE
        else:
            se = math.sqrt(variance / count)
            df = variance**2 / (ms_r**2 / (count - 1)) if ms_r else None
            note = "" if ms_r else notes.NORMAL_LIMIT
    t = p = low = high = None
    if se is not None:
        t, half = difference / se, quantile(df) * se
        p, low, high = 2 * tail(abs(t), df), difference - half, difference + half
    return AiAgainstReaders(
        float(ai.value.mean()), float(readers.value.mean()), difference, se, t, df, p, low, high, ms_r, cov2,
        _non_inferiority(difference, se, df, margin), note,
    )  # fmt: skip


def _non_inferiority(
    difference: float, se: float | None, df: float | None, margin: float | None
) -> NonInferiority | None:
    if margin is None:
        return None
    if se is None:
        return NonInferiority(margin, None, None, None)
    t = (difference + margin) / se
    return NonInferiority(margin, t, df, tail(t, df))


def _rrrc(found: Components, tests: int, readers: int) -> tuple[float | None, float | None]:
    """The denominator of F and its degrees of freedom; None for no spread, and for infinitely many."""
    if found.ms_tr is None or found.cov2 is None or found.cov3 is None:
        return None, None
    variance = found.ms_tr + readers * max(_traced(found.cov2 - found.cov3, found.var), 0.0)
    return variance, (
        variance**2 / (found.ms_tr**2 / ((tests - 1) * (readers - 1))) if found.ms_tr else math.inf
    )


def _frrc_variance(found: Components, readers: int) -> float:
    """Of two tests at least."""
    others = 0.0  # of one reader
    if found.cov2 is not None and found.cov3 is not None:
        others = (readers - 1) * (found.cov2 - found.cov3)
    return _traced(found.var - (found.cov1 or 0.0) + others, found.var)


def _single(mean: float, ms_r: float, cov2: float, readers: int) -> Single:
    variance = ms_r + readers * max(cov2, 0.0)
    if variance <= TRACE:
        return Single(mean, 0.0, None, None, None, notes.NO_VARIANCE)
    se = math.sqrt(variance / readers)
    df = variance**2 / (ms_r**2 / (readers - 1)) if ms_r else None
    half = quantile(df) * se
    return Single(mean, se, df, mean - half, mean + half, "" if ms_r else notes.NORMAL_LIMIT)


def _f(mean_square: float, df1: int, variance: float | None, df2: float | None) -> FTest:
    if variance is None or df2 is None:
        return FTest(None, df1, None, None, None, None, notes.ONE_READER)
    if variance <= TRACE:
        return FTest(None, df1, None, None, None, None, notes.NO_VARIANCE)
    f = mean_square / variance
    if math.isinf(df2):
        return FTest(f, df1, None, float(scipy.special.chdtrc(df1, f * df1)), None, None, notes.NORMAL_LIMIT)
    return FTest(f, df1, df2, float(scipy.special.fdtrc(df1, df2, f)), None, None)


def _difference_f(difference: float, variance: float | None, df2: float | None, readers: int) -> FTest:
    """The test of a difference of two tests; its F has one degree of freedom above."""
    found = _f(readers * difference**2 / 2, 1, variance, df2)
    if found.f is None or variance is None:
        return found
    half = quantile(found.df2) * math.sqrt(2 * variance / readers)
    return FTest(found.f, 1, found.df2, found.p, difference - half, difference + half, found.note)


def _difference_z(difference: float, variance: float, readers: int) -> ZTest:
    if variance <= TRACE:
        return ZTest(None, None, None, None, notes.NO_VARIANCE)
    se = math.sqrt(2 * variance / readers)
    half = quantile(None) * se
    return ZTest(difference / se, 2 * tail(abs(difference) / se, None), difference - half, difference + half)


def _chi(mean_square: float, df: int, variance: float) -> ChiTest:
    if variance <= TRACE:
        return ChiTest(None, df, None, notes.NO_VARIANCE)
    chi2 = df * mean_square / variance
    return ChiTest(chi2, df, float(scipy.special.chdtrc(df, chi2)))


def _traced(value: float, variance: float = 0.0) -> float:
    """A square, or what is left of ``variance``, without the trace that rounding leaves of 0."""
    return 0.0 if abs(value) <= max(TRACE, PART * variance) else float(value)


def _mean(spread: np.ndarray, chosen: np.ndarray, variance: float) -> float | None:
    return _traced(spread[chosen].mean(), variance) if chosen.any() else None


def _off_diagonal(spread: np.ndarray) -> float:
    return _traced(spread[~np.eye(len(spread), dtype=bool)].mean(), float(np.trace(spread)) / len(spread))


def quantile(df: float | None) -> float:
    """97.5 % point of t; None: infinitely many degrees of freedom."""
    return float(scipy.special.ndtri(0.975) if df is None else scipy.special.stdtrit(df, 0.975))


def tail(t: float, df: float | None) -> float:
    """Probability of more than ``t``."""
    return float(scipy.special.ndtr(-t) if df is None else scipy.special.stdtr(df, -t))
