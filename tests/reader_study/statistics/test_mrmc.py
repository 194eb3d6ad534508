"""Obuchowski-Rockette: known values, definitions by deleting cases, what must not change, edge cases."""

import math

import numpy as np
import pytest
from scipy import stats

from classifier.metrics import notes, roc
from classifier.metrics.roc import NotEvaluable
from reader_study import mrmc
from tests.cases import each
from tests.reader_study import van_dyke

CLOSE = {"rel": 1e-9, "abs": 1e-15}


def made(seed, tests=2, readers=4, n=60, levels=20):
    """Ratings [tests, readers, n] that agree with each other and with the truth [n] more or less."""
    rng = np.random.default_rng((seed, tests, readers, n))
    truth = rng.random(n) < 0.4
    truth[:4] = True, True, False, False
    case = rng.normal(size=n) + 1.2 * truth
    skill = rng.uniform(0.5, 1.5, size=(tests, readers, 1))
    return np.round((skill * case + rng.normal(size=(tests, readers, n))) * levels) / levels, truth


def by_deleting(statistic, columns, truth, cases=None):
    """The jackknife's covariance of statistic(column, truth) of each of ``columns`` [m, n], from deleting each of
    the ``cases`` (all)."""
    cases = np.arange(truth.size) if cases is None else np.flatnonzero(cases)
    n = len(cases)
    left = np.array(
        [[statistic(np.delete(column, k), np.delete(truth, k)) for column in columns] for k in cases]
    )
    left = left - left.mean(0)
    return (n - 1) / n * left.T @ left


def pairs_in_order(column, truth):
    differences = np.sign(column[truth][:, None] - column[~truth][None, :])
    return float((differences + 1).mean() / 2)


def test_van_dyke_by_the_jackknife():
    ratings, truth = van_dyke.ratings()
    found = mrmc.compare(mrmc.auc(ratings, truth))
    assert [test.mean for test in found.tests] == pytest.approx([0.8970370370, 0.9408373591], abs=5e-11)
    (pair,) = found.pairs
    assert pair.rrrc.f == pytest.approx(4.456318693157, abs=5e-13)
    assert pair.rrrc.df2 == pytest.approx(15.259674589, abs=5e-10)
    assert pair.rrrc.p == pytest.approx(0.05166568582, abs=5e-12)


MERITS = [
    (mrmc.auc, pairs_in_order, False),
    (mrmc.sensitivity, lambda x, t: x[t].mean(), True),
    (mrmc.specificity, lambda x, t: 1 - x[~t].mean(), True),
    (mrmc.balanced_accuracy, lambda x, t: (x[t].mean() + 1 - x[~t].mean()) / 2, True),
]


@each("merit, statistic, binary", MERITS)
@each("seed", range(4))
def test_covariance_is_that_of_deleting_every_case(merit, statistic, binary, seed):
    ratings, truth = made(seed, levels=(1, 2, 20, 1000)[seed])
    if binary:
        ratings = ratings > 0.5
    found = merit(ratings, truth)
    rows = ratings.reshape(-1, truth.size)
    assert found.value.ravel() == pytest.approx([statistic(row, truth) for row in rows], **CLOSE)
    # Other cases do not move the figure of a class: they are none of the sample it is taken from.
    cases = {mrmc.sensitivity: truth, mrmc.specificity: ~truth}.get(merit)
    assert found.covariance() == pytest.approx(by_deleting(statistic, rows, truth, cases), **CLOSE)


@each(
    "merit, own_class", [(mrmc.sensitivity, True), (mrmc.specificity, False), (mrmc.balanced_accuracy, None)]
)
def test_each_reader_by_the_cases_that_reader_read(merit, own_class):
    """Blocks of cases: readers of one block covary as in a study of that block, those of two blocks not at all."""
    ratings, truth = made(3, tests=1, readers=4, n=60)
    said = ratings[0] > 0.5
    first = np.arange(60) < 30
    found = merit(said, truth, np.stack([first, first, ~first, ~first]))
    spread = found.covariance()
    for readers, block in (((0, 1), first), ((2, 3), ~first)):
        alone = merit(said[list(readers)][:, block], truth[block])
        assert found.value[list(readers)] == pytest.approx(alone.value, **CLOSE)
        assert spread[np.ix_(readers, readers)] == pytest.approx(alone.covariance(), **CLOSE)
    assert (spread[:2, 2:] == 0).all()
    # A model held against each on the reader's own cases.
    model = merit(np.broadcast_to(said[0], said.shape), truth, np.stack([first, first, ~first, ~first]))
    assert (model - found).value[0] == 0 and model.value[1] != model.value[2]
    assert mrmc.ai_against_readers(model, found).ai == pytest.approx(model.value.mean())


def test_a_reader_without_a_case_of_the_class_is_not_evaluable():
    ratings, truth = made(3, tests=1, readers=2, n=60)
    with pytest.raises(NotEvaluable):
        mrmc.sensitivity(ratings[0] > 0.5, truth, np.stack([truth, ~truth]))


def test_accuracy_is_the_share_of_right_answers():
    right = made(9)[0] > 0.5
    found = mrmc.accuracy(right)
    rows = right.reshape(-1, right.shape[-1])
    expected = by_deleting(lambda row, _truth: row.mean(), rows, np.ones(right.shape[-1]))
    assert found.value.ravel() == pytest.approx(rows.mean(1), **CLOSE)
    assert found.covariance() == pytest.approx(expected, **CLOSE)


def test_delong_covariance_is_that_of_the_placements():
    from classifier.metrics.delong import covariance

    ratings, truth = made(5)
    _areas, expected = covariance(ratings.reshape(-1, truth.size), truth)
    assert mrmc.auc_delong(ratings, truth).covariance() == pytest.approx(expected, **CLOSE)


def test_a_comparison_follows_the_formulas():
    ratings, truth = made(3, tests=3, readers=5)
    merit = mrmc.auc(ratings, truth)
    found = mrmc.compare(merit)
    theta, spread = merit.value, merit.covariance().reshape(3, 5, 3, 5)
    tests, readers = range(3), range(5)
    mean = theta.mean()
    ms_t = 5 / 2 * sum((theta[i].mean() - mean) ** 2 for i in tests)
    ms_r = 3 / 4 * sum((theta[:, j].mean() - mean) ** 2 for j in readers)
    ms_tr = sum(
        (theta[i, j] - theta[i].mean() - theta[:, j].mean() + mean) ** 2 for i in tests for j in readers
    ) / (2 * 4)
    var = np.mean([spread[i, j, i, j] for i in tests for j in readers])
    cov1 = np.mean([spread[i, j, k, j] for i in tests for k in tests for j in readers if i != k])
    cov2 = np.mean([spread[i, j, i, m] for i in tests for j in readers for m in readers if j != m])
    cov3 = np.mean(
        [
            spread[i, j, k, m]
            for i in tests
            for k in tests
            for j in readers
            for m in readers
            if i != k and j != m
        ]
    )
    parts = found.components
    assert [parts.ms_t, parts.ms_r, parts.ms_tr] == pytest.approx([ms_t, ms_r, ms_tr], **CLOSE)
    assert [parts.var, parts.cov1, parts.cov2, parts.cov3] == pytest.approx([var, cov1, cov2, cov3], **CLOSE)
    assert parts.var_r == pytest.approx((ms_r - ms_tr) / 3 - cov1 + cov3, **CLOSE)
    assert parts.var_tr == pytest.approx(ms_tr - var + cov1 + cov2 - cov3, **CLOSE)

    den = ms_tr + 5 * max(cov2 - cov3, 0)
    df2 = den**2 / (ms_tr**2 / 8)
    assert (found.rrrc.f, found.rrrc.df1) == (pytest.approx(ms_t / den, **CLOSE), 2)
    assert found.rrrc.df2 == pytest.approx(df2, **CLOSE)
    assert found.rrrc.p == pytest.approx(stats.f.sf(ms_t / den, 2, df2), **CLOSE)
    assert found.rrfc.p == pytest.approx(stats.f.sf(ms_t / ms_tr, 2, 8), **CLOSE)
    fixed = var - cov1 + 4 * (cov2 - cov3)
    assert found.frrc.chi2 == pytest.approx(2 * ms_t / fixed, **CLOSE)
    assert found.frrc.p == pytest.approx(stats.chi2.sf(2 * ms_t / fixed, 2), **CLOSE)

    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    pair = found.pairs[1]
    difference = theta[0].mean() - theta[2].mean()
    se = math.sqrt(2 * den / 5)
    half = stats.t.ppf(0.975, df2) * se
    assert pair.difference == pytest.approx(difference, **CLOSE)
    assert [pair.rrrc.low, pair.rrrc.high] == pytest.approx([difference - half, difference + half], **CLOSE)
    assert pair.rrrc.p == pytest.approx(2 * stats.t.sf(abs(difference) / se, df2), **CLOSE)
    se = math.sqrt(2 * fixed / 5)
    assert pair.frrc.z == pytest.approx(difference / se, **CLOSE)
    assert pair.frrc.high - pair.frrc.low == pytest.approx(2 * stats.norm.ppf(0.975) * se, **CLOSE)
    assert pair.rrfc.f == pytest.approx(difference**2 / (2 * ms_tr / 5), **CLOSE)

    single, of_one = found.tests[1], spread[1, :, 1, :]
    cov2 = (of_one.sum() - np.trace(of_one)) / 20
    ms_r = theta[1].var(ddof=1)
    df = (ms_r + 5 * max(cov2, 0)) ** 2 / (ms_r**2 / 4)
    se = math.sqrt(ms_r / 5 + max(cov2, 0))
    assert [single.mean, single.se, single.df] == pytest.approx([theta[1].mean(), se, df], **CLOSE)
    assert single.high == pytest.approx(theta[1].mean() + stats.t.ppf(0.975, df) * se, **CLOSE)


def test_ai_against_readers_follows_the_formulas():
    ratings, truth = made(4, tests=1, readers=6)
    readers, ai = ratings[0] > 0.4, ratings[0].mean(0) > 0.2
    found = mrmc.ai_against_readers(
        mrmc.balanced_accuracy(ai, truth), mrmc.balanced_accuracy(readers, truth), margin=0.1
    )

    def balanced(row, t):
        return (row[t].mean() + 1 - row[~t].mean()) / 2

    theta, own = np.array([balanced(row, truth) for row in readers]), balanced(ai, truth)
    psi = theta - own
    spread = by_deleting(
        lambda pair, t: balanced(pair.real > 0, t) - balanced(pair.imag > 0, t), readers + 1j * ai, truth
    )
    ms_r, cov2 = psi.var(ddof=1), (spread.sum() - np.trace(spread)) / 30
    den = ms_r + max(6 * cov2, 0)
    df, se = den**2 / (ms_r**2 / 5), math.sqrt(den / 6)
    assert [found.ms_r, found.cov2] == pytest.approx([ms_r, cov2], **CLOSE)
    assert [found.ai, found.readers_mean] == pytest.approx([own, theta.mean()], **CLOSE)
    assert [found.difference, found.df, found.se] == pytest.approx([-psi.mean(), df, se], **CLOSE)
    assert found.t == pytest.approx(-psi.mean() / se, **CLOSE)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(psi.mean()) / se, df), **CLOSE)
    assert found.low == pytest.approx(-psi.mean() - stats.t.ppf(0.975, df) * se, **CLOSE)
    margin = found.non_inferiority
    assert margin.t == pytest.approx((-psi.mean() + 0.1) / se, **CLOSE)
    assert margin.p == pytest.approx(stats.t.sf((-psi.mean() + 0.1) / se, df), **CLOSE)


# What must not change, and what must


@pytest.mark.parametrize("seed", range(5))
def test_tests_in_the_other_order_turn_the_sign(seed):
    ratings, truth = made(seed)
    for method in mrmc.METHODS.values():
        one = mrmc.compare(method(ratings, truth)).pairs[0]
        other = mrmc.compare(method(ratings[::-1], truth)).pairs[0]
        assert other.difference == pytest.approx(-one.difference, **CLOSE)
        for name in ("rrrc", "rrfc"):
            a, b = getattr(one, name), getattr(other, name)
            assert [a.f, a.df2, a.p] == pytest.approx([b.f, b.df2, b.p], **CLOSE)
            assert [a.low, a.high] == pytest.approx([-b.high, -b.low], **CLOSE)
        assert other.frrc.z == pytest.approx(-one.frrc.z, **CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_order_of_readers_and_cases_and_scale_of_ratings_do_not_matter(seed):
    ratings, truth = made(seed, tests=3)
    rng = np.random.default_rng(seed)
    readers, cases = rng.permutation(4), rng.permutation(truth.size)
    one = mrmc.compare(mrmc.auc(ratings, truth))
    other = mrmc.compare(mrmc.auc(np.exp(ratings[:, readers][:, :, cases]), truth[cases]))
    for name in ("ms_t", "ms_r", "ms_tr", "var", "cov1", "cov2", "cov3", "var_r", "var_tr"):
        expected = getattr(one.components, name)
        assert getattr(other.components, name) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert [other.rrrc.f, other.rrrc.df2] == pytest.approx([one.rrrc.f, one.rrrc.df2], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_truth_turned_round_turns_sensitivity_into_specificity(seed):
    ratings, truth = made(seed)
    said = ratings > 0.3
    one, other = mrmc.sensitivity(said, truth), mrmc.specificity(~said, ~truth)
    assert (one.value == other.value).all() and (one.deviations == other.deviations).all()
    both = mrmc.balanced_accuracy(said, truth)
    again = mrmc.balanced_accuracy(~said, ~truth)
    assert both.covariance() == pytest.approx(again.covariance(), **CLOSE)


def test_a_copy_of_a_reader_covaries_with_it_as_with_itself():
    ratings, truth = made(6, tests=2, readers=1)
    merit = mrmc.auc(np.repeat(ratings, 2, axis=1), truth)
    parts = mrmc.components(merit)
    assert parts.cov2 == pytest.approx(parts.var, **CLOSE)
    assert parts.cov3 == pytest.approx(parts.cov1, **CLOSE)
    assert (parts.ms_r, parts.ms_tr) == (0, 0)


def test_two_of_each_case_halve_the_variance():
    ratings, truth = made(7, tests=1, readers=3)
    one = mrmc.auc_delong(ratings, truth).covariance()
    double = mrmc.auc_delong(np.tile(ratings, 2), np.tile(truth, 2)).covariance()
    positives, negatives = truth.sum(), (~truth).sum()
    # ddof=1: V/P becomes 2(P-1)/(2P-1) V/(2P) for each class, so within these bounds of a half.
    least = min((positives - 1) / (2 * positives - 1), (negatives - 1) / (2 * negatives - 1))
    assert (np.diag(double) <= 0.5 * np.diag(one)).all()
    assert (np.diag(double) >= least * np.diag(one) - 1e-15).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_test_keeps_its_level_under_the_null(seed):
    """Two tests that are the same but for chance: p below 0.05 in about one of twenty."""
    rng = np.random.default_rng(seed)
    rejected, repeats = 0, 300
    truth = np.arange(60) < 25
    for _ in range(repeats):
        case = rng.normal(size=60) + truth
        ratings = case + rng.normal(size=(2, 5, 60)) + rng.normal(size=(1, 5, 1)) * truth
        rejected += mrmc.compare(mrmc.auc(ratings, truth)).rrrc.p < 0.05
    assert 1 <= rejected <= 30


# Edge cases


def test_one_reader_has_no_random_readers_but_a_fixed_one():
    ratings, truth = made(1, readers=1)
    found = mrmc.compare(mrmc.auc(ratings, truth))
    (pair,) = found.pairs
    for test in (found.rrrc, found.rrfc, pair.rrrc, pair.rrfc):
        assert (test.f, test.df2, test.p, test.low, test.note) == (None, None, None, None, notes.ONE_READER)
    expected = by_deleting(pairs_in_order, ratings[:, 0], truth)
    se = math.sqrt(expected[0, 0] + expected[1, 1] - 2 * expected[0, 1])
    assert pair.frrc.z == pytest.approx(pair.difference / se, **CLOSE)
    parts = found.components
    assert (parts.ms_r, parts.ms_tr, parts.cov2, parts.cov3, parts.var_r) == (None,) * 5
    assert found.tests[0].note == notes.ONE_READER
    alone = mrmc.auc(ratings[0], truth)
    assert mrmc.ai_against_readers(alone[0], alone).note == notes.ONE_READER


def test_readers_who_do_not_differ_give_the_normal_limit():
    ratings, truth = made(2, readers=1)
    same = np.repeat(ratings, 3, axis=1)
    found = mrmc.compare(mrmc.auc(same, truth))
    alone = mrmc.compare(mrmc.auc(ratings, truth))
    assert (found.components.ms_r, found.components.ms_tr) == (0, 0)
    assert (found.rrrc.df2, found.rrrc.note) == (None, notes.NORMAL_LIMIT)
    # Three copies of one reader know as much as the one.
    z = alone.pairs[0].frrc.z
    assert found.rrrc.p == pytest.approx(2 * stats.norm.sf(abs(z)), **CLOSE)
    assert found.pairs[0].rrrc.low == pytest.approx(alone.pairs[0].frrc.low, **CLOSE)
    assert found.rrfc.note == notes.NO_VARIANCE
    assert (found.tests[0].df, found.tests[0].note) == (None, notes.NORMAL_LIMIT)
    assert found.tests[0].se == pytest.approx(math.sqrt(by_deleting(pairs_in_order, ratings[0], truth)[0, 0]))
    against = mrmc.ai_against_readers(mrmc.auc(ratings[1, 0], truth), mrmc.auc(same[0], truth), margin=0.05)
    assert (against.df, against.note) == (None, notes.NORMAL_LIMIT)
    assert against.p == pytest.approx(2 * stats.norm.sf(abs(z)), **CLOSE)
    assert against.non_inferiority.p == pytest.approx(stats.norm.sf(against.non_inferiority.t), **CLOSE)


@each("seed", range(8))
def test_a_test_against_itself_differs_by_nothing_and_has_no_p(seed):
    """Whatever rounding leaves of differences of variances is no variance."""
    ratings, truth = made(seed, tests=1, readers=3 + seed, n=40 + 7 * seed)
    for method in mrmc.METHODS.values():
        found = mrmc.compare(method(np.repeat(ratings, 2, axis=0), truth))
        assert found.pairs[0].difference == 0
        for test in (found.rrrc, found.frrc, found.rrfc, found.pairs[0].frrc):
            assert (test.p, test.note) == (None, notes.NO_VARIANCE)
        # An AI that does just what every reader does.
        same = method(np.repeat(ratings[0, :1], 4, axis=0), truth)
        assert mrmc.ai_against_readers(same[0], same).note == notes.NO_VARIANCE


def test_perfect_readers_and_a_perfect_ai_have_no_variance_and_no_p():
    truth = np.arange(10) < 4
    perfect = np.broadcast_to(truth.astype(float), (2, 3, 10))
    found = mrmc.compare(mrmc.auc(perfect, truth))
    for test in (found.rrrc, found.frrc, found.rrfc, found.pairs[0].rrrc, found.pairs[0].frrc):
        assert (test.p, test.note) == (None, notes.NO_VARIANCE)
    assert found.pairs[0].difference == 0
    assert (found.tests[0].se, found.tests[0].low, found.tests[0].note) == (0, None, notes.NO_VARIANCE)
    ai = mrmc.balanced_accuracy(truth, truth)
    against = mrmc.ai_against_readers(ai, mrmc.balanced_accuracy(perfect[0] > 0.5, truth), margin=0.1)
    assert (against.ai, against.p, against.low, against.note) == (1, None, None, notes.NO_VARIANCE)
    assert against.non_inferiority.p is None


def test_a_perfect_ai_against_readers_who_err():
    ratings, truth = made(8, tests=1, readers=5)
    readers = mrmc.balanced_accuracy(ratings[0] > 0.5, truth)
    found = mrmc.ai_against_readers(mrmc.balanced_accuracy(truth, truth), readers)
    assert found.ai == 1 and found.difference == pytest.approx(1 - readers.value.mean())
    assert found.note == "" and found.p < 0.05


@pytest.mark.parametrize("truth", [[True] + [False] * 5, [True] * 5 + [False]])
def test_one_case_of_a_class_has_a_value_but_no_variance(truth):
    ratings, truth = np.arange(12.0).reshape(2, 6), np.array(truth)
    for method in mrmc.METHODS.values():
        merit = method(ratings[:, None], truth)
        assert merit.deviations is None
        with pytest.raises(ValueError, match="variance"):
            mrmc.compare(merit)
    both = mrmc.balanced_accuracy(ratings > 3, truth)
    assert both.deviations is None
    assert mrmc.single(both).note == notes.ONE_IN_CLASS
    against = mrmc.ai_against_readers(both[0], both)
    assert (against.note, against.p) == (notes.ONE_IN_CLASS, None)


@pytest.mark.parametrize("merit", [mrmc.auc, mrmc.auc_delong, mrmc.balanced_accuracy, mrmc.sensitivity])
def test_no_positive_is_not_evaluable(merit):
    with pytest.raises(roc.NotEvaluable):
        merit(np.ones((2, 3, 4)), np.zeros(4, bool))


def test_a_comparison_needs_two_tests():
    ratings, truth = made(1, tests=1)
    with pytest.raises(ValueError, match="two tests"):
        mrmc.compare(mrmc.auc(ratings, truth))
