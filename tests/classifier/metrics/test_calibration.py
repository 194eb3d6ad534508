import numpy as np
import pytest
from scipy import optimize

from classifier.metrics import notes, roc
from classifier.metrics.calibration import LEAST_SCORE, calibration
from classifier.metrics.decision_curve import decision_curve


def made(seed=1, n=500, slope=0.6, intercept=-0.4):
    """Scores whose truth follows log odds intercept + slope · log odds(score)."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1, 2, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * log_odds)))
    return 1 / (1 + np.exp(-log_odds)), truth


def likelihood(truth, log_odds):
    return np.logaddexp(0, np.where(truth, -log_odds, log_odds)).sum()


@pytest.mark.parametrize("seed", range(4))
def test_intercept_and_slope_are_of_greatest_likelihood(seed):
    scores, truth = made(seed)
    x = np.log(scores / (1 - scores))
    found = calibration(scores, truth)
    a, b = optimize.minimize(lambda c: likelihood(truth, c[0] + c[1] * x), [0, 1], tol=1e-12).x
    assert (found.intercept.value, found.slope.value) == pytest.approx((a, b), abs=1e-4)
    # At the greatest likelihood the residuals are at right angles to the design.
    p = 1 / (1 + np.exp(-(found.intercept.value + found.slope.value * x)))
    assert [(truth - p).sum(), ((truth - p) * x).sum()] == pytest.approx([0, 0], abs=1e-8)
    design = np.column_stack([np.ones_like(x), x])
    errors = np.sqrt(np.diag(np.linalg.inv(design.T * (p * (1 - p)) @ design)))
    assert (found.intercept.se, found.slope.se) == pytest.approx(tuple(errors), rel=1e-11)
    assert found.slope.high - found.slope.low == pytest.approx(2 * 1.959964 * found.slope.se, rel=1e-6)
    large = 1 / (1 + np.exp(-(found.in_the_large.value + x)))
    assert large.sum() == pytest.approx(truth.sum(), abs=1e-8)


def test_many_photos_give_back_what_made_them():
    found = calibration(*made(n=200_000))
    assert abs(found.slope.value - 0.6) < 4 * found.slope.se < 0.03
    assert abs(found.intercept.value + 0.4) < 4 * found.intercept.se < 0.04


def test_brier_and_bins():
    scores, truth = made()
    found = calibration(scores, truth)
    prevalence = truth.mean()
    assert found.brier == pytest.approx(np.mean((scores - truth) ** 2))
    assert found.brier_scaled == pytest.approx(1 - found.brier / np.mean((prevalence - truth) ** 2))
    assert [b.observed.of for b in found.bins] == np.histogram(scores, np.linspace(0, 1, 11))[0].tolist()
    for b in found.bins:
        inside = (scores >= b.low) & (scores < b.high)
        assert b.mean_score == pytest.approx(scores[inside].mean())
        assert b.observed.count == truth[inside].sum()
    even = calibration(scores, truth, equal_counts=True)
    assert {b.observed.of for b in even.bins} == {50}


def test_an_empty_bin_and_a_score_of_1():
    found = calibration([0.05, 0.1, 1.0, 0.07], [False, True, False, True])
    assert found.bins[5].observed.of == 0 and found.bins[5].mean_score is None
    assert found.bins[9].observed.of == 1
    assert sum(b.observed.of for b in found.bins) == 4
    assert found.clipped == 1


@pytest.mark.parametrize(
    "scores", [[0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [0.3, 0.3, 0.3, 0.3], [0.1, 0.2, 0.2, 0.9]]
)
def test_separated_classes_have_no_finite_slope(scores):
    found = calibration(scores, [False, False, True, True])
    assert (found.intercept, found.slope, found.note) == (None, None, notes.NO_FIT)
    assert np.isfinite(found.in_the_large.value)


def test_scores_of_0_and_1_far_from_the_truth_still_converge():
    rng = np.random.default_rng(2)
    scores = rng.choice([0.0, 1.0, 1e-9, 0.5], 400)
    truth = rng.random(400) < 0.5
    found = calibration(scores, truth)
    x = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
    x = np.log(x / (1 - x))
    p = 1 / (1 + np.exp(-(found.intercept.value + found.slope.value * x)))
    assert ((truth - p) * x).sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", ["any", "ends", "levels", "tiny"])
def test_the_fit_converges_for_whatever_scores(kind):
    fitted = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        n = rng.integers(2, 40)
        truth = rng.random(n) < rng.choice([0.05, 0.3, 0.5, 0.95])
        truth[:2] = True, False
        scores = {
            "any": rng.random(n),
            "ends": rng.choice([0.0, 1.0], n),
            "levels": rng.choice([0, 1e-12, 1e-5, 0.5, 1 - 1e-7, 1], n),
            "tiny": 10 ** -rng.uniform(0, 9, n),
        }[kind]
        found = calibration(scores, truth)
        x = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
        x = np.log(x) - np.log1p(-x)
        large = 1 / (1 + np.exp(-(found.in_the_large.value + x)))
        assert (truth - large).sum() == pytest.approx(0, abs=1e-9)
        if found.slope:
            fitted += 1
            p = 1 / (1 + np.exp(-(found.intercept.value + found.slope.value * x)))
            assert [(truth - p).sum(), ((truth - p) * x).sum()] == pytest.approx([0, 0], abs=1e-9)
            assert np.isfinite([found.slope.se, found.intercept.se]).all()
    assert fitted > 50


def test_one_class_or_scores_beyond_1_are_refused():
    with pytest.raises(roc.NotEvaluable):
        calibration([0.1, 0.2], [True, True])
    with pytest.raises(ValueError, match="0 to 1"):
        calibration([0.1, 1.2], [True, False])


def test_net_benefit_counts_hits_less_weighted_false_alarms():
    scores, truth = made()
    scores = np.round(scores, 2)  # some equal to a probability: ">" must not list them
    found = decision_curve(scores, truth)
    n = len(truth)
    for t, benefit, everyone in zip(found.probabilities, found.net_benefit, found.list_all, strict=True):
        hits, false = ((scores > t) & truth).sum(), ((scores > t) & ~truth).sum()
        assert benefit == pytest.approx(hits / n - false / n * t / (1 - t), abs=1e-12)
        assert everyone == pytest.approx(truth.mean() - (1 - truth.mean()) * t / (1 - t), abs=1e-12)
    assert not found.reweighted


def test_net_benefit_at_another_prevalence_is_that_of_a_dataset_of_that_prevalence():
    scores, truth = made()
    # Every negative nine times over.
    many_scores = np.concatenate([scores, np.tile(scores[~truth], 8)])
    many_truth = np.concatenate([truth, np.zeros(8 * (~truth).sum(), bool)])
    expected = decision_curve(many_scores, many_truth)
    found = decision_curve(scores, truth, prevalence=many_truth.mean())
    assert found.reweighted
    assert found.net_benefit == pytest.approx(expected.net_benefit, abs=1e-12)
    with pytest.raises(ValueError, match="prevalence"):
        decision_curve(scores, truth, prevalence=1.0)
    with pytest.raises(ValueError, match="probabilities"):
        decision_curve(scores, truth, probabilities=[1.0])
