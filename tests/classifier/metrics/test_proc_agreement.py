"""Agreement with pROC in R, to 1e-9: on data made here, and on the data that comes with pROC."""

import numpy as np
import pytest

from classifier.metrics import bootstrap, roc
from classifier.metrics.delong import auc_estimate, paired_test, unpaired_test
from classifier.metrics.youden import youden, youden_optima
from tests import peers

pytestmark = pytest.mark.r

CLOSE = {"rel": 1e-9, "abs": 1e-12}
SCRIPT = """
curve <- function(score, y) roc(y, score, levels=c(0, 1), direction="<", quiet=TRUE)
a <- curve(first, truth); b <- curve(second, truth); c <- curve(elsewhere, truth_elsewhere)
say(ci.auc(a)[c(2, 1, 3)], var(a))
for (least in c(0, .5, .8, .9)) {
  say(suppressWarnings(c(auc(a, partial.auc=c(1, least)),
      auc(a, partial.auc=c(1, least), partial.auc.correct=TRUE, allow.invalid.partial.auc.correct=TRUE))))
}
best <- coords(a, "best", best.method="youden", transpose=FALSE)
say(best$threshold); say(best$sensitivity); say(best$specificity)
test <- roc.test(a, b, method="delong", paired=TRUE)
say(test$statistic, test$p.value, test$conf.int)
test <- roc.test(a, c, method="delong", paired=FALSE)
say(test$statistic, test$parameter, test$p.value)
"""


def made(seed, levels, n):
    rng = np.random.default_rng((seed, levels))
    truth = rng.random(n) < 0.2
    truth[:3] = True, True, False
    common = rng.normal(size=n)
    scores = [1 / (1 + np.exp(-(common + rng.normal(size=n) + shift * truth))) for shift in (1.6, 1.1)]
    return [np.floor(column * levels) / levels for column in scores], truth


@pytest.mark.parametrize("seed, levels, n", [(1, 10**9, 400), (2, 1000, 300), (3, 8, 200), (4, 3, 90)])
def test_area_interval_partial_area_youden_and_tests(tmp_path, seed, levels, n):
    (first, second), truth = made(seed, levels, n)
    (elsewhere, _), truth_elsewhere = made(seed + 100, levels, n // 2)
    area, *partial, thresholds, sensitivities, specificities, paired, unpaired = peers.run_proc(
        SCRIPT,
        tmp_path,
        first=first,
        second=second,
        truth=truth,
        elsewhere=elsewhere,
        truth_elsewhere=truth_elsewhere,
    )
    ours, curve = auc_estimate(first, truth), roc.roc(first, truth)
    assert [ours.auc, ours.low, ours.high, ours.variance] == pytest.approx(area, **CLOSE)
    for least, expected in zip((0, 0.5, 0.8, 0.9), partial, strict=True):
        found = roc.partial_auc(curve, least)
        assert [found.area, found.standardized] == pytest.approx(expected, **CLOSE)
    # pROC compares sums of fractions, so of exactly equal optima it may miss some.
    optima = {(p.threshold, p.sensitivity, p.specificity) for p in youden_optima(curve)}
    assert thresholds
    for point in zip(thresholds, sensitivities, specificities, strict=True):
        assert any(point == pytest.approx(optimum, **CLOSE) for optimum in optima)
    test = paired_test(first, second, truth)
    assert [test.statistic, test.p, test.low, test.high] == pytest.approx(paired, **CLOSE)
    test = unpaired_test(ours, auc_estimate(elsewhere, truth_elsewhere))
    assert [test.statistic, test.df, test.p] == pytest.approx(unpaired, **CLOSE)


def test_bootstrap_limits_are_near(tmp_path):
    (first, _), truth = made(5, 1000, 300)
    ((low, high),) = peers.run_proc(
        """set.seed(1)
curve <- roc(truth, first, levels=c(0, 1), direction="<", quiet=TRUE)
say(ci.auc(curve, method="bootstrap", boot.n=2000, boot.stratified=TRUE, progress="none")[c(1, 3)])""",
        tmp_path,
        first=first,
        truth=truth,
    )
    found = bootstrap.by_photo(first, truth, seed=1)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_known_values_on_the_data_that_comes_with_proc(tmp_path):
    s100b, wfns, poor = peers.run_proc(
        'data(aSAH); say(aSAH$s100b); say(as.numeric(aSAH$wfns)); say(aSAH$outcome == "Poor")', tmp_path
    )
    truth = np.array(poor, bool)
    found, point = auc_estimate(s100b, truth), youden(roc.roc(s100b, truth))
    assert (found.negatives, found.positives) == (72, 41)
    assert found.auc == pytest.approx(0.7313685637, abs=1e-10)
    assert (found.low, found.high) == pytest.approx((0.6301182118, 0.8326189156), abs=1e-10)
    assert point.threshold == pytest.approx(0.205)
    assert (point.sensitivity, point.specificity) == pytest.approx((0.6341463, 0.8055556), abs=1e-7)
    test = paired_test(s100b, wfns, truth)
    assert (test.statistic, test.p) == pytest.approx((-2.2089836, 0.0271757822), abs=1e-7)
