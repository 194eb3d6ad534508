"""Thresholds that cover the truth, against their definition and in simulation."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
import scipy

from classifier.metrics import conformal
from classifier.metrics.listing import is_listed
from tests.cases import each

WANTED = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 0.999, 99.9 / 100, 2 / 3)


def promise(scores, wanted: float) -> conformal.Promise | None:
    """Of scores in any order."""
    return conformal.promise_of(conformal.in_order(scores), wanted)


def by_definition(scores, wanted: Fraction) -> float | None:
    """The lowest score that is listed: 1 - the k-th smallest nonconformity, in exact arithmetic; None for none."""
    nonconformity = sorted(1 - Fraction(score) for score in scores)
    place = ceil((len(scores) + 1) * wanted)
    return None if place > len(scores) else float(1 - nonconformity[place - 1])


def test_thresholds_are_those_of_the_definition():
    random = np.random.default_rng(7)
    for wanted in WANTED:
        meant = Fraction(wanted).limit_denominator(1_000_000)
        for n in (0, 1, 2, 3, 9, 10, 18, 19, 20, 39, 59, 99, 100):
            # Many equal scores, some 0 and 1, some that 1 - score cannot tell apart.
            for scores in (random.random(n), random.integers(0, 5, n) / 4, random.random(n) * 1e-18):
                found, limit = promise(scores, wanted), by_definition(scores, meant)
                assert (found is None) == (limit is None)
                if found is None:
                    assert n < conformal.least_units(wanted)
                    continue
                assert n >= conformal.least_units(wanted)
                assert list(is_listed(scores, found.threshold)) == [score >= limit for score in scores]
                assert is_listed(scores, found.threshold).sum() >= found.rank


@each(
    "n, wanted, rank",
    [(19, 0.95, 19), (18, 0.95, 19), (39, 0.95, 38), (99, 0.95, 95), (9, 0.9, 9), (999, 0.999, 999), (199, 0.93, 186),
     (99, 0.99, 99), (98, 0.99, 99), (0, 0.5, 1), (1, 0.5, 1), (299, 0.07 + 0.9, 291)],
)  # fmt: skip
def test_the_rank_is_exact(n, wanted, rank):
    assert conformal.rank(n, wanted) == rank


def test_so_many_are_needed_and_one_fewer_promises_nothing():
    assert [conformal.least_units(wanted) for wanted in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)] == [
        1, 4, 9, 19, 99, 999,
    ]  # fmt: skip
    assert promise(np.full(18, 0.5), 0.95) is None
    assert promise(np.full(19, 0.5), 0.95) is not None


@each("score", [0.0, 5e-324, 1e-300, 0.1, 0.5, float(np.float32(0.3)), 1.0])
def test_the_very_score_of_the_calibration_is_listed_and_the_next_lower_is_not(score):
    limit = conformal.just_below(score)
    assert is_listed(score, limit)
    if score:
        assert not is_listed(np.nextafter(score, -1), limit)


@each("wanted", [0, 0.49, 1, 1 - 1e-9, -0.95, 95, float("nan"), float("inf")])
def test_shares_that_cannot_be_meant_are_refused(wanted):
    with pytest.raises(ValueError, match="no share"):
        promise(np.ones(30), wanted)


@each("scores", [[0.1, float("nan")], [-0.1, 0.2], [[0.1, 0.2]]])
def test_scores_that_are_none_are_refused(scores):
    with pytest.raises(ValueError, match="scores"):
        promise(scores, 0.9)


def test_a_unit_counts_with_its_worst_photo():
    scores, units = [0.9, 0.2, 0.5, 0.6, 0.4], ["a", "a", "b", "c", "b"]
    assert conformal.lowest_scores(scores, units).tolist() == [0.2, 0.4, 0.6]
    found = conformal.covered(scores, units, 0.3)
    assert (found.count, found.of) == (2, 3)
    assert conformal.covered([], [], 0.3).value is None
    with pytest.raises(ValueError, match="2 units for 1"):
        conformal.lowest_scores([0.1], ["a", "b"])


def test_the_range_is_that_of_the_beta_distribution():
    found = promise(np.linspace(0.01, 0.99, 99), 0.95)
    known = scipy.stats.beta(95, 5)
    assert found.rank == 95 and found.expected == pytest.approx(known.mean()) == 0.95
    assert (found.low, found.high) == pytest.approx((known.ppf(0.05), known.ppf(0.95)))


@each("n, wanted", [(19, 0.95), (50, 0.9), (137, 0.95)])
def test_new_patients_are_covered_as_promised(n, wanted):
    """Scores uniform on 0 to 1, so that what a threshold covers is known: 1 - threshold."""
    random = np.random.default_rng(n)
    found = [promise(scores, wanted) for scores in random.random((2000, n))]
    real = np.array([1 - one.threshold for one in found])
    wide = 4 * scipy.stats.beta(found[0].rank, n + 1 - found[0].rank).std() / np.sqrt(len(real))
    assert abs(real.mean() - found[0].expected) < wide and found[0].expected >= wanted
    within = ((found[0].low < real) & (real < found[0].high)).mean()
    assert abs(within - 0.9) < 0.03


def test_all_photos_of_a_new_patient_are_covered_together_as_promised():
    """Patients have one to four photos of their own difficulty; equal scores only cover more."""
    random = np.random.default_rng(3)
    photos = random.integers(1, 5, (1500, 60))
    ease = random.random((1500, 60, 1))
    scores = np.clip(ease + random.normal(0, 0.1, (1500, 60, 4)), 0, 1)
    lowest = np.where(np.arange(4) < photos[..., None], scores, 1).min(2)
    kept, fresh = lowest[:, :40], lowest[:, 40:]
    for rounded in (False, True):
        known, new = (np.round(one, 1) if rounded else one for one in (kept, fresh))
        limits = [promise(one, 0.9).threshold for one in known]
        hit = is_listed(new, np.array(limits)[:, None]).mean()
        assert hit > 0.9 - 4 * np.sqrt(0.9 * 0.1 / 1500)


def test_of_several_diseases_together_the_range_is_that_of_their_mean():
    alone = promise(np.linspace(0.2, 0.9, 20), 0.95)
    assert conformal.low_together([(alone.rank, alone.units, 7), (5, 5, 0)]) == alone.low
    together = conformal.low_together([(20, 20, 30), (39, 40, 60), (96, 100, 10)])
    random = np.random.default_rng(3)
    mean = 0.3 * random.beta(20, 1, 10**5) + 0.6 * random.beta(39, 2, 10**5) + 0.1 * random.beta(96, 5, 10**5)
    assert together == pytest.approx(np.quantile(mean, 0.05), abs=2e-3)
    assert together == conformal.low_together([(20, 20, 3), (39, 40, 6), (96, 100, 1)])
    with pytest.raises(ValueError, match="no unit"):
        conformal.low_together([(20, 20, 0)])
