"""Kappas and alpha with their intervals, beside figures of other software on the same answers."""

import numpy as np
import pytest

from reader_study.statistics.agreement import GAP, cohen_estimate, fleiss_estimate, krippendorff

CLOSE = {"rel": 1e-9, "abs": 1e-15}
TWO = (
    "34042231401122000004033112140434013233304241140013041124441033300212412114010013",
    "34040231421322030020333011241431030431203241130013430104241002300212212114022014",
)
FOUR = (
    "340412313011240100040321321444340132133044411400403404204014",
    "440430314010220011040331111204443142323042214403332411244210",
    "300421224011420000140331121433240132121044111402130441243430",
    "340432314012220040320331130402342432333041411140330111141400",
)
WITH_GAPS = (
    "34041-313-1-2401-004--213-1444-401321-30444114-0403404-04--4",
    "440---31-01022001-0403311-12-444-1--3-3042214403-3-4-1-44210",
    "300421-2-011--000014033112-4---4013-1210---11-0-130441243430",
    "--04323-4--222004032---1130402-4-43233304141-1-033011-14-40-",
)
# Krippendorff, Computing Krippendorff's alpha-reliability (2011): four observers, twelve units.
PUBLISHED = ("123321412---", "1233224125-3", "-3332342251-", "12332441251-")


def answers(lines) -> np.ndarray:
    return np.array([[GAP if one == "-" else int(one) for one in line] for line in lines])


def test_cohen_beside_statsmodels():
    """statsmodels 0.15, inter_rater.cohens_kappa: kappa, kappa_low, kappa_upp, pvalue_two_sided."""
    found = cohen_estimate(*answers(TWO))
    assert (found.value, *found.ci, found.p) == pytest.approx(
        (0.5293194744067464, 0.3973802263244891, 0.6612587224890037, 3.0652303111218927e-21), **CLOSE
    )
    assert found.images == 80
    assert cohen_estimate([0, 1, 0, 1], [0, 1, 0, 1]).ci == [1, 1]
    nothing = cohen_estimate([3, 3], [3, 3])
    assert (nothing.value, nothing.ci, nothing.p) == (None, None, None)


def test_fleiss_beside_statsmodels_and_the_formula_of_irr():
    """statsmodels 0.15, inter_rater.fleiss_kappa; z of irr's kappam.fleiss, evaluated in R 4."""
    found = fleiss_estimate(answers(FOUR))
    assert found.value == pytest.approx(0.3666899930020995, **CLOSE)
    assert found.p == pytest.approx(5.615482596180798e-43, rel=1e-9)  # z = 13.742931934995854
    low, high = found.ci
    assert low < found.value < high and 0.1 < high - low < 0.3
    # Every photo twice, as those of one patient: the interval is that of the photos once.
    twice = np.repeat(answers(FOUR), 2, axis=1)
    patients = np.repeat(np.arange(60), 2)
    assert fleiss_estimate(twice, patients).ci == pytest.approx(found.ci)


def test_alpha_beside_its_author_and_another_program():
    """krippendorff 0.9, alpha with level_of_measurement nominal."""
    assert krippendorff(answers(PUBLISHED)).value == pytest.approx(0.743421052631579, **CLOSE)
    found = krippendorff(answers(WITH_GAPS))
    assert (found.value, found.images) == (pytest.approx(0.38222886945850587, **CLOSE), 59)
    low, high = found.ci
    assert low < found.value < high
    assert krippendorff(answers(["11", "11"])).value is None
    assert krippendorff(answers(["1-", "-1"])).images == 0
