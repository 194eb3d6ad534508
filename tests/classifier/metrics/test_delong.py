import math

import numpy as np
import pytest
from scipy import stats

from classifier.metrics import notes, roc
from classifier.metrics.delong import auc_estimate, covariance, paired_test, placements, unpaired_test
from tests.cases import each

CASES = [(seed, levels) for seed in range(6) for levels in (2, 4, 12, 10**6)]


def made(seed, levels, n=45, columns=3):
    """Scores of several columns that know something of the truth, with ``levels`` distinct values."""
    rng = np.random.default_rng((seed, levels))
    truth = rng.random(n) < 0.35
    truth[:4] = True, True, False, False
    common = rng.random(n)
    scores = [
        np.floor((rng.random(n) + common + 0.5 * k * truth) / (2 + 0.5 * k) * levels) / levels
        for k in range(columns)
    ]
    return scores, truth


def order(x, y):
    return 1.0 if x > y else 0.5 if x == y else 0.0


def by_pairs(columns, truth):
    """AUCs and covariance from all pairs, as the definition has it."""
    v10 = [[np.mean([order(x, y) for y in s[~truth]]) for x in s[truth]] for s in columns]
    v01 = [[np.mean([order(x, y) for x in s[truth]]) for y in s[~truth]] for s in columns]
    spread = np.cov(v10, ddof=1) / truth.sum() + np.cov(v01, ddof=1) / (~truth).sum()
    return np.mean(v10, 1), spread, v10, v01


@each("seed, levels", CASES)
def test_variance_covariance_and_placements_are_those_of_all_pairs(seed, levels):
    columns, truth = made(seed, levels)
    areas, spread, v10, v01 = by_pairs(columns, truth)
    found_areas, found_spread = covariance(columns, truth)
    assert found_areas == pytest.approx(areas, abs=1e-12)
    assert found_spread == pytest.approx(spread, abs=1e-14)
    for column, positive, negative in zip(columns, v10, v01, strict=True):
        of_positives, of_negatives = placements(column, truth)
        assert of_positives == pytest.approx(positive, abs=1e-12)
        assert of_negatives == pytest.approx(negative, abs=1e-12)


@each("seed, levels", CASES)
def test_photos_of_a_patient_count_as_alike(seed, levels):
    columns, truth = made(seed, levels, columns=2)
    alone = paired_test(*columns, truth)
    assert paired_test(*columns, truth, np.arange(45)[::-1]) == alone
    # Each photo three times tells no more than once.
    often = paired_test(*(np.tile(one, 3) for one in columns), np.tile(truth, 3), np.tile(np.arange(45), 3))
    assert (often.difference, often.se, often.p) == pytest.approx(
        (alone.difference, alone.se, alone.p), rel=1e-9
    )
    # Patients of several photos, of both classes: Obuchowski's sums as they are defined.
    patients = np.random.default_rng((seed, levels)).integers(0, 17, 45)
    (pos_a, neg_a), (pos_b, neg_b) = (placements(one, truth) for one in columns)
    difference, off = alone.difference, []
    for patient in np.unique(patients):
        here = patients == patient
        off.append(
            [
                sum(value - difference for value in values[here[side]])
                for values, side in ((pos_a - pos_b, truth), (neg_a - neg_b, ~truth))
            ]
        )
    (p, n), m, k = np.transpose(off), truth.sum(), (~truth).sum()
    there = [len(np.unique(patients[side])) for side in (truth, ~truth, truth | True)]
    s10, s01, s11 = (
        size / (size - 1) * float(one @ other) / count
        for size, one, other, count in zip(there, (p, n, p), (p, n, n), (m, k, 1), strict=True)
    )
    found = paired_test(*columns, truth, patients)
    assert found.se**2 == pytest.approx(s10 / m + s01 / k + 2 * s11 / (m * k), rel=1e-9)
    one_patient = np.where(truth, 0, patients)
    assert paired_test(*columns, truth, one_patient).note == notes.ONE_IN_CLASS
    with pytest.raises(ValueError, match="groups"):
        paired_test(*columns, truth, patients[1:])


@each("seed, levels", CASES)
def test_estimate_and_paired_test_follow_from_them(seed, levels):
    columns, truth = made(seed, levels, columns=2)
    areas, spread, _v10, _v01 = by_pairs(columns, truth)
    found = auc_estimate(columns[1], truth)
    se = math.sqrt(spread[1, 1])
    assert (found.auc, found.variance) == (pytest.approx(areas[1]), pytest.approx(spread[1, 1], rel=1e-9))
    assert found.low == pytest.approx(max(0, areas[1] - 1.959963984540054 * se))
    assert found.high == pytest.approx(min(1, areas[1] + 1.959963984540054 * se))
    test = paired_test(*columns, truth)
    z = (areas[0] - areas[1]) / math.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    assert test.statistic == pytest.approx(z, rel=1e-9)
    assert test.p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert test.df is None
    swapped = paired_test(columns[1], columns[0], truth)
    assert (swapped.statistic, swapped.p) == (pytest.approx(-test.statistic), pytest.approx(test.p))
    assert test.high - test.low == pytest.approx(2 * 1.959963984540054 * test.se)


def test_unpaired_test_is_welch_on_the_two_variances():
    (columns_a, truth_a), (columns_b, truth_b) = made(1, 50), made(2, 50, n=80)
    a, b = auc_estimate(columns_a[2], truth_a), auc_estimate(columns_b[0], truth_b)
    df = (a.variance + b.variance) ** 2 / (a.variance**2 / 44 + b.variance**2 / 79)
    t = (a.auc - b.auc) / math.sqrt(a.variance + b.variance)
    test = unpaired_test(a, b)
    assert (test.df, test.statistic) == (pytest.approx(df), pytest.approx(t))
    assert test.p == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-9)
    assert test.high == pytest.approx(a.auc - b.auc + stats.t.ppf(0.975, df) * test.se)


@pytest.mark.parametrize("truth", [[True, False, False, False], [True, True, True, False]])
def test_one_of_a_class_has_an_area_but_no_variance(truth):
    scores = [0.4, 0.1, 0.5, 0.2]
    found = auc_estimate(scores, truth)
    assert found.auc == pytest.approx(2 / 3)
    assert (found.variance, found.se, found.low, found.high) == (None,) * 4
    assert found.note == notes.ONE_IN_CLASS
    test = paired_test(scores, [0.1, 0.4, 0.2, 0.5], truth)
    assert (test.p, test.se, test.note) == (None, None, notes.ONE_IN_CLASS)
    assert unpaired_test(found, found).note == notes.ONE_IN_CLASS
    with pytest.raises(ValueError, match="variance"):
        covariance([scores], truth)


@pytest.mark.parametrize("scores, area", [([1, 2, 3, 4], 1), ([4, 3, 2, 1], 0)])
def test_perfect_separation_is_flagged(scores, area):
    found = auc_estimate(scores, [False, False, True, True])
    assert (found.auc, found.variance, found.low, found.high) == (area, 0, area, area)
    assert found.note == notes.PERFECT_SEPARATION


def test_scores_that_tell_nothing_are_flagged():
    found = auc_estimate([7, 7, 7, 7], [False, False, True, True])
    assert (found.auc, found.variance, found.note) == (0.5, 0, notes.NO_VARIANCE)


def test_two_scores_of_the_same_order_do_not_differ():
    (scores, *_), truth = made(3, 12)
    test = paired_test(scores, np.exp(scores), truth)
    assert (test.difference, test.statistic, test.p, test.note) == (0, 0, 1, notes.SAME_ORDER)


def test_a_difference_without_variance_is_said_and_has_no_p_value():
    truth = np.array([False] * 3 + [True] * 3)
    test = paired_test([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], truth)
    assert (test.difference, test.p, test.note) == (1, None, notes.NO_VARIANCE)
    perfect = auc_estimate([1, 2, 3, 4, 5, 6], truth)
    assert unpaired_test(perfect, perfect).p is None


def test_no_positive_is_not_evaluable():
    for compute in (auc_estimate, placements):
        with pytest.raises(roc.NotEvaluable):
            compute([0.1, 0.2], [False, False])
    with pytest.raises(roc.NotEvaluable):
        paired_test([0.1, 0.2], [0.2, 0.1], [True, True])
