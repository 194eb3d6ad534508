"""Obuchowski-Rockette and AI against readers as R computes them from the definitions, to 1e-9."""

import numpy as np
import pytest

from reader_study import mrmc
from tests import peers
from tests.cases import each
from tests.reader_study import van_dyke
from tests.reader_study.r_scripts import OBUCHOWSKI_ROCKETTE
from tests.reader_study.statistics.test_mrmc import made

pytestmark = pytest.mark.r

CLOSE = {"rel": 1e-9, "abs": 1e-14}
MERITS = {
    "auc_of": mrmc.auc,
    "sens_of": mrmc.sensitivity,
    "spec_of": mrmc.specificity,
    "balanced_of": mrmc.balanced_accuracy,
}


def expected_of(tmp_path, ratings, truth, call):
    _tests, _readers, n = ratings.shape
    script = f"{OBUCHOWSKI_ROCKETTE}\ncolumns <- matrix(ratings, nrow={n})\n{call}"
    return peers.run_proc(script, tmp_path, ratings=ratings.ravel(), truth=truth)


def check(found, lines, tests):
    parts, rrrc, rrfc, *rest = lines
    names = ("ms_t", "ms_r", "ms_tr", "var", "cov1", "cov2", "cov3", "var_r", "var_tr")
    assert [getattr(found.components, name) for name in names] == pytest.approx(parts, **CLOSE)
    for test, expected in ((found.rrrc, rrrc), (found.rrfc, rrfc)):
        assert [test.f, test.df1, test.df2, test.p] == pytest.approx(expected, **CLOSE)
    for pair in found.pairs:
        random, fixed, *rest = rest
        ours = [pair.difference, pair.rrrc.low, pair.rrrc.high, pair.rrrc.p]
        assert ours == pytest.approx(random, **CLOSE)
        ours = [pair.frrc.z, pair.frrc.p, pair.frrc.low, pair.frrc.high]
        assert ours == pytest.approx(fixed, **CLOSE)
    assert len(rest) == tests
    for test, expected in zip(found.tests, rest, strict=True):
        assert [test.mean, test.se, test.df, test.low, test.high] == pytest.approx(expected, **CLOSE)


@each("merit", MERITS)
@each("seed, tests, readers, n", [(1, 2, 4, 70), (2, 3, 5, 50)])
def test_comparison_by_deleting_cases(tmp_path, merit, seed, tests, readers, n):
    ratings, truth = made(seed, tests, readers, n, levels=4)
    if merit != "auc_of":
        ratings = (ratings > 0.5).astype(float)
    lines = expected_of(tmp_path, ratings, truth, f"analyse(columns, truth, {tests}, {readers}, {merit})")
    check(mrmc.compare(MERITS[merit](ratings, truth)), lines, tests)


def test_comparison_with_the_covariance_of_proc(tmp_path):
    ratings, truth = made(3, 2, 4, 80, levels=5)
    call = """
curves <- apply(columns, 2, function(x) roc(truth, x, levels=c(0, 1), direction="<", quiet=TRUE))
spread <- sapply(1:8, function(a) sapply(1:8, function(b)
  if (a == b) var(curves[[a]]) else cov(curves[[a]], curves[[b]])))
analyse(columns, truth, 2, 4, auc_of, spread)"""
    lines = expected_of(tmp_path, ratings, truth, call)
    check(mrmc.compare(mrmc.auc_delong(ratings, truth)), lines, 2)


def test_van_dyke(tmp_path):
    ratings, truth = van_dyke.ratings()
    lines = expected_of(tmp_path, ratings, truth, "analyse(columns, truth, 2, 5, auc_of)")
    check(mrmc.compare(mrmc.auc(ratings, truth)), lines, 2)


@each("merit", MERITS)
@each("seed", [4, 5])
def test_ai_against_readers_by_deleting_cases(tmp_path, merit, seed):
    ratings, truth = made(seed, 1, 7, 60, levels=4)
    ratings[0, 0] = ratings[0].mean(0)
    if merit != "auc_of":
        ratings = (ratings > 0.4).astype(float)
    call = f"against(columns[, 1], columns[, -1], truth, {merit}, 0.07)"
    (expected,) = expected_of(tmp_path, ratings, truth, call)
    of_all = MERITS[merit](ratings[0], truth)
    found = mrmc.ai_against_readers(of_all[0], of_all[1:], margin=0.07)
    ours = [
        found.ai, found.readers_mean, found.difference, found.low, found.high, found.t, found.df, found.p,
        found.non_inferiority.p,
    ]  # fmt: skip
    assert ours == pytest.approx(expected, **CLOSE)
    assert np.isfinite(ours).all()
