import numpy as np
import pytest

from classifier.metrics.roc import (
    NotEvaluable,
    auc,
    midranks,
    most_sensitive,
    most_specific,
    partial_auc,
    roc,
)
from classifier.metrics.youden import youden, youden_optima
from tests.cases import each


def by_pairs(scores, truth):
    pairs = [(x > z) + 0.5 * (x == z) for x in scores[truth] for z in scores[~truth]]
    return np.mean(pairs)


@each("levels", [3, 10, 10**6])
@each("seed", range(5))
def test_auc_is_the_share_of_pairs_in_order_with_ties_counting_half(seed, levels):
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < 0.3
    truth[:2] = True, False
    scores = np.floor((rng.random(60) + 0.2 * truth) * levels) / levels
    assert auc(scores, truth) == pytest.approx(by_pairs(scores, truth), abs=1e-12)


def test_equal_values_share_their_mean_rank():
    assert midranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1, 3.5, 2]


def test_perfect_and_reversed_order():
    truth = np.array([False, False, True, True])
    assert auc([1, 2, 3, 4], truth) == 1
    assert auc([4, 3, 2, 1], truth) == 0
    assert auc([1, 1, 1, 1], truth) == 0.5


@pytest.mark.parametrize("truth", [[True, True], [False, False]])
def test_one_class_alone_is_not_evaluable(truth):
    with pytest.raises(NotEvaluable):
        auc([0.1, 0.2], truth)
    with pytest.raises(NotEvaluable):
        roc([0.1, 0.2], truth)


def test_scores_that_are_no_numbers_or_of_another_length_are_refused():
    with pytest.raises(ValueError, match="finite"):
        auc([0.1, np.nan], [True, False])
    with pytest.raises(ValueError, match="length"):
        auc([0.1, 0.2, 0.3], [True, False])


def test_thresholds_are_infinities_and_midpoints():
    curve = roc([0.2, 0.4, 0.4, 1.0], [False, True, False, True])
    assert curve.thresholds.tolist() == [-np.inf, pytest.approx(0.3), pytest.approx(0.7), np.inf]
    assert curve.sensitivity.tolist() == [1, 1, 0.5, 0]
    assert curve.specificity.tolist() == [0, 0.5, 1, 1]


def test_every_point_counts_scores_above_its_threshold():
    rng = np.random.default_rng(2)
    scores, truth = rng.integers(0, 12, 80) / 12, rng.random(80) < 0.4
    curve = roc(scores, truth)
    for i, threshold in enumerate(curve.thresholds):
        assert curve.true_positives[i] == (scores[truth] > threshold).sum()
        assert curve.true_negatives[i] == (scores[~truth] <= threshold).sum()


def test_the_area_by_trapezoids_is_the_auc():
    rng = np.random.default_rng(4)
    scores, truth = rng.integers(0, 9, 70) / 9, rng.random(70) < 0.5
    curve = roc(scores, truth)
    assert np.trapezoid(curve.sensitivity, curve.specificity) == pytest.approx(auc(scores, truth), abs=1e-12)


def test_youden_takes_of_equal_sums_the_highest_sensitivity():
    # Thresholds 1.5 (sensitivity 1, specificity 1/2) and 3.5 (1/2, 1) tie exactly.
    curve = roc([1, 2, 3, 4], [False, True, False, True])
    assert [point.threshold for point in youden_optima(curve)] == [1.5, 3.5]
    assert youden(curve).threshold == 1.5
    assert (youden(curve).sensitivity, youden(curve).specificity) == (1, 0.5)


def test_youden_of_equal_sums_and_sensitivities_takes_the_lowest_threshold():
    # With no information at all every point sums to 1; the highest sensitivity is at minus infinity.
    assert youden(roc([1, 1], [False, True])).threshold == -np.inf


def test_youden_ties_are_exact_where_fractions_would_not_be():
    # 3 positives and 7 negatives: thirds and sevenths have no exact binary fraction.
    scores = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    truth = np.isin(scores, (4, 8, 10))
    curve = roc(scores, truth)
    exact = max(
        7 * (truth & (np.array(scores) > t)).sum() + 3 * (~truth & (np.array(scores) <= t)).sum()
        for t in curve.thresholds
    )
    for point in youden_optima(curve):
        tp = (truth & (np.array(scores) > point.threshold)).sum()
        tn = (~truth & (np.array(scores) <= point.threshold)).sum()
        assert 7 * tp + 3 * tn == exact


def test_the_most_specific_threshold_that_keeps_a_sensitivity():
    scores = np.arange(20) / 20
    truth = np.arange(20) >= 10
    scores[10] = 0.02  # one positive scores low
    assert most_specific(roc(scores, truth), least_sensitivity=0.9).sensitivity == 0.9
    assert most_specific(roc(scores, truth), least_sensitivity=0.9).threshold == pytest.approx(0.5)
    assert most_specific(roc(scores, truth), least_sensitivity=0.95).sensitivity == 1


def test_the_least_threshold_that_reaches_a_specificity():
    curve = roc(np.arange(20) / 20, np.arange(20) >= 10)
    point = most_sensitive(curve, least_specificity=0.9)
    assert (point.threshold, point.specificity) == (pytest.approx(0.425), 0.9)
    assert most_sensitive(curve, least_specificity=1).sensitivity == 1


def test_a_midpoint_between_neighbouring_floats_still_parts_them():
    low = np.nextafter(1, 2)
    high = np.nextafter(low, 2)
    assert low + (high - low) / 2 == high  # rounding to even
    curve = roc([low, high], [False, True])
    middle = curve.thresholds[1]
    assert low <= middle < high
    assert (curve.sensitivity[1], curve.specificity[1]) == (1, 1)


def partial_by_steps(scores, truth, least):
    """Area by summing thin strips of the linearly interpolated curve."""
    curve = roc(scores, truth)
    edges = np.linspace(least, 1, 200_001)
    middles = (edges[1:] + edges[:-1]) / 2
    return np.interp(middles, curve.specificity, curve.sensitivity).mean() * (1 - least)


@each("least", [0, 0.35, 0.8, 0.9, 0.97])
@each("levels", [4, 30, 10**6])
def test_partial_area_is_that_of_the_interpolated_curve(least, levels):
    rng = np.random.default_rng(levels)
    truth = rng.random(70) < 0.4
    scores = np.floor((rng.random(70) + 0.4 * truth) * levels) / levels
    found = partial_auc(roc(scores, truth), least)
    assert found.area == pytest.approx(partial_by_steps(scores, truth, least), abs=2e-5)
    if least == 0:
        assert found.area == pytest.approx(auc(scores, truth), abs=1e-12)
        assert found.standardized == pytest.approx(auc(scores, truth), abs=1e-12)


def test_standardized_partial_area_runs_from_chance_to_perfect():
    perfect, chance = roc([1, 2, 3, 4], [False, False, True, True]), roc([1, 1], [False, True])
    assert partial_auc(perfect, 0.8).standardized == pytest.approx(1)
    assert partial_auc(chance, 0.8).standardized == pytest.approx(0.5)
    with pytest.raises(ValueError, match="least specificity"):
        partial_auc(perfect, 1)
