"""Two that answered the same: the interval of the difference and McNemar's test, against definition and simulation."""

import numpy as np
import pytest
import scipy

from classifier.metrics.paired import mean_difference, of_counts, paired
from classifier.metrics.proportions import proportion


def test_counts_shares_and_mcnemar():
    first = np.array([1, 1, 1, 0, 0, 1, 0], bool)
    second = np.array([1, 0, 1, 1, 1, 1, 0], bool)
    found = paired(first, second)
    assert (found.both, found.first, found.second, found.neither, found.n) == (3, 1, 2, 1, 7)
    assert (
        found.difference == pytest.approx(1 / 7) and found.of_first.count == 4 and found.of_second.count == 5
    )
    assert found.p == scipy.stats.binomtest(1, 3).pvalue
    assert of_counts(5, 0, 0, 5).p == 1.0 and of_counts(0, 0, 0, 0).difference is None
    with pytest.raises(ValueError, match="same units"):
        paired(first, second[:3])


def test_the_interval_is_newcombes_tenth():
    # Of two that agree in nothing but by chance it is that of two independent shares (method 10 of Newcombe 1998b).
    found = of_counts(16, 24, 24, 36)
    share = proportion(40, 100)
    half = np.sqrt((share.high - 0.4) ** 2 + (0.4 - share.low) ** 2)
    assert (found.low, found.high) == pytest.approx((-half, half))
    # Always right in the same units: no difference, and a narrow interval; mirrored when the two change places.
    assert of_counts(50, 0, 0, 50).high < 0.02
    one, other = of_counts(36, 12, 2, 0), of_counts(36, 2, 12, 0)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    # As Newcombe 1998 has it in his examples; phi is corrected for continuity where it is positive.
    assert (other.low, other.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    alike = of_counts(50, 10, 5, 35)
    first, second = proportion(60, 100), proportion(55, 100)
    phi = (50 * 35 - 10 * 5 - 100 / 2) / np.sqrt(60 * 40 * 55 * 45)
    down, up = 0.55 - second.low, first.high - 0.6
    assert alike.low == pytest.approx(-0.05 - np.sqrt(down**2 - 2 * phi * down * up + up**2))
    # No unit that only one got right: both limits of either side.
    none = of_counts(20, 0, 0, 0)
    assert none.difference == 0 and none.low < 0 < none.high


def test_the_interval_covers_the_difference_about_as_often_as_meant():
    random = np.random.default_rng(5)
    for cells in ((0.6, 0.1, 0.2, 0.1), (0.9, 0.03, 0.05, 0.02)):
        rows = random.multinomial(40, cells, size=1500)
        truth = cells[2] - cells[1]
        found = [of_counts(*row) for row in rows.tolist()]
        assert 0.93 < np.mean([one.low <= truth <= one.high for one in found]) < 0.995


def test_means_of_paired_differences():
    found = mean_difference(np.array([0.1, -0.1, 0.3, 0.1]))
    se = np.std([0.1, -0.1, 0.3, 0.1], ddof=1) / 2
    # Few say little of their spread: Student's t, as paired t-tests have it.
    known = scipy.stats.ttest_1samp([0.1, -0.1, 0.3, 0.1], 0).confidence_interval()
    assert found == pytest.approx((0.1, *known)) and found[2] - 0.1 == pytest.approx(3.182446 * se)
    assert mean_difference(np.array([1.0])) is None
