"""What is unlike the training photos: the distance, its limit and how often it is wrong, against their definitions."""

import math

import numpy as np
import pytest
import scipy

from classifier.metrics import familiarity
from classifier.metrics.proportions import in_groups, proportion

LENGTH = 40


def photos(random: np.random.Generator, patients: int, each: int = 2) -> tuple[np.ndarray, list[str]]:
    """Features of ``each`` photos of so many patients, which are alike within a patient."""
    spread = np.linspace(1.0, 0.1, LENGTH)
    own = np.repeat(random.normal(size=(patients, LENGTH)), each, axis=0)
    rows = 5 + spread * (own + 0.5 * random.normal(size=own.shape))
    return rows, [f"patient {place // each}" for place in range(len(rows))]


def test_the_distance_is_mahalanobis_with_the_smaller_variances_shrunk_to_their_mean():
    rows, _groups = photos(np.random.default_rng(1), 100)
    found = familiarity.fit(rows, axes=8)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.cov(units.T))
    values[: LENGTH - 8] = values[: LENGTH - 8].mean()
    inverse = vectors @ np.diag(1 / values) @ vectors.T
    off = units[:20] - units.mean(axis=0)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", off, inverse, off))
    assert found.distances(rows[:20]) == pytest.approx(expected, rel=1e-3)
    assert found.distances(7 * rows[:20]) == pytest.approx(expected, rel=1e-3), "only the direction counts"


def test_the_limit_is_the_rank_that_conformal_prediction_asks_for():
    distances = np.random.default_rng(2).random(99)
    assert familiarity.limit_of(distances) == math.ceil(1e4 * np.sort(distances)[94]) / 1e4
    with pytest.raises(ValueError, match="too few"):
        familiarity.limit_of(distances[:18])
    familiarity.limit_of(distances[:19])


def test_false_alarms_among_new_patients_are_about_as_many_as_meant():
    random = np.random.default_rng(3)
    new = []
    for _ in range(5):
        rows, groups = photos(random, 600)
        found = familiarity.calibrate(rows, groups).familiar
        new.append((found.unlike(photos(random, 1000, 1)[0]) > 1).mean())
        assert (found.unlike(rows[:50, ::-1]) > 1).mean() > 0.9
    assert 0.03 < np.mean(new) < 0.06


def test_patients_stay_together_and_the_same_photos_give_the_same():
    rows, groups = photos(np.random.default_rng(4), 60)
    # Each patient's photos are the same: whoever sees one of them knows the other.
    rows[1::2] = rows[::2]
    first, again = familiarity.calibrate(rows, groups), familiarity.calibrate(rows, groups)
    assert first.familiar.limit == again.familiar.limit and (first.photos, first.groups) == (120, 60)
    apart = familiarity.calibrate(rows, [str(place) for place in range(120)])
    assert first.familiar.limit > apart.familiar.limit
    with pytest.raises(familiarity.TooFew, match="99 photos"):
        familiarity.calibrate(rows[:99], groups[:99])
    with pytest.raises(familiarity.TooFew, match="1 patients"):
        familiarity.calibrate(rows, ["one"] * 120)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Its interval by the roots of (share - p)² = z² p (1 - p) / n."""
    z = scipy.stats.norm.ppf(0.975) ** 2 / n
    low, high = np.sort(np.roots([1 + z, -(2 * share + z), share**2]).real)
    return low, high


def test_intervals_cover_the_share_also_of_few_patients_who_differ_in_photos():
    """Of beta-binomial patients; Rao and Scott's alone cover 87 % of ten patients, 28 % where one has most photos."""
    random = np.random.default_rng(12)
    for sizes, least in (
        ([10] * 10, 0.85), ([10] * 5, 0.93), ([40, 2, 2], 0.93), ([40] + [2] * 9, 0.93), ([1] * 30, 0.93),
        ([40] + [2] * 19, 0.93),
    ):  # fmt: skip
        groups = np.repeat(np.arange(len(sizes)), sizes).astype(str)
        for share in (0.5, 0.9):
            within = 0
            for _ in range(300):
                own = np.repeat(random.beta(share, 1 - share, len(sizes)), sizes)
                found = in_groups(random.random(len(own)) < own, groups)
                assert found.low <= found.value <= found.high
                within += found.low <= share <= found.high
            assert within / 300 >= least, (sizes, share)
    # Nearly all photos are of one: the others tell next to nothing.
    hits = np.arange(20001) % 2 == 0
    lonely = in_groups(hits, ["one"] * 20000 + ["other"])
    assert (lonely.low, lonely.high) == (0, 1)
    # A photo a patient: Wilson's.
    alone = in_groups(hits[:30], [str(place) for place in range(30)])
    assert (alone.low, alone.high) == pytest.approx(
        (proportion(15, 30).low, proportion(15, 30).high), rel=1e-12
    )


def test_intervals_heed_that_photos_of_a_patient_are_alike():
    hits = np.zeros(100, bool)
    hits[:10] = True
    alone = in_groups(hits, [str(place) for place in range(100)])
    assert (alone.low, alone.high) == pytest.approx(
        (proportion(10, 100).low, proportion(10, 100).high), rel=1e-12
    )
    # Ten patients of ten photos, one of whom has all of the alarms: as one of nearly ten.
    together = in_groups(hits, [str(place // 10) for place in range(100)])
    wider = scipy.stats.t(9).ppf(0.975) / scipy.stats.t(99).ppf(0.975)
    known = proportion(1, 10)
    assert together.value == 0.1 and together.low < known.low and known.high < together.high
    assert (together.low, together.high) == pytest.approx(wilson(0.1, 100 / 11 / wider**2))
    none = in_groups(np.zeros(100, bool), [str(place // 10) for place in range(100)])
    assert (none.low, none.high) == (proportion(0, 10).low, proportion(0, 10).high)
    assert in_groups(np.zeros(0, bool), []).value is None
