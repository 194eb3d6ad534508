"""Power and sample size: what RJafroc 2.1.3 gives for the same variances, definitions, limits, pilots."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.statistics import pilot, sizing
from reader_study.statistics.coded import parts
from reader_study.statistics.pilot import NoPilot, Question
from reader_study.statistics.ratings import AiRatings, Ratings
from tests.cases import each
from tests.reader_study import van_dyke
from tests.reader_study.made_study import made_study

# R sums a noncentral distribution until 1e-9 of it is left.
CLOSE = {"rel": 5e-9}
STATED = sizing.stated(sizing.SESSIONS, 0.001, 0.43, 0.4, 0.3, 0.0002, 100)


def of_van_dyke():
    ratings, truth = van_dyke.ratings()
    return sizing.of_sessions(mrmc.auc(ratings, truth), truth.size)


def test_rjafroc_on_its_own_examples():
    """SsPowerGivenJK and SsSampleSizeKGivenJ on dataset02, as its tests have them (tests/testthat/goodValues361)."""
    spread, effect = of_van_dyke(), -0.043800322
    for readers, cases, analysis, power, df in (
        (10, 165, sizing.RRRC, 0.805419947001519, 62.7072797149567),
        (10, 131, sizing.FRRC, 0.80091813050382, None),
        (10, 53, sizing.RRFC, 0.804966633682562, 9),
        (6, 111, sizing.RRRC, 0.5526116, None),
    ):
        found = sizing.power(spread, readers, cases, effect, analysis)
        assert found.power == pytest.approx(power, rel=1e-7 if cases == 111 else 2e-9)
        assert df is None or found.df == pytest.approx(df, **CLOSE)
    assert sizing.size(spread, 6, effect, sizing.RRRC).cases == 251


def test_rjafroc_on_stated_variances():
    """SsPowerGivenJKOrVarCom with the same components, and with alpha 0.01."""
    vd = of_van_dyke()
    for spread, readers, cases, effect, alpha, powers in (
        (vd, 3, 100, 0.05, 0.05, (0.364214001848526, 0.603678936762323, 0.299471762629327)),
        (vd, 10, 300, 0.03, 0.05, (0.678313071451004, 0.828251732607046, 0.903262111081117)),
        (STATED, 8, 150, 0.04, 0.05, (0.666628184525005, 0.785064919790523, 0.855571009583118)),
        (STATED, 5, 400, 0.05, 0.01, (0.647192521532111, 0.993806119028589, 0.539756761548227)),
    ):
        for analysis, power in zip(sizing.ANALYSES, powers, strict=True):
            found = sizing.power(spread, readers, cases, effect, analysis, alpha=alpha)
            assert found.power == pytest.approx(power, **CLOSE), (readers, analysis)
    found = {
        (size.readers, size.analysis): size.cases
        for analysis in (sizing.RRRC, sizing.FRRC)
        for size in (sizing.size(STATED, readers, 0.04, analysis) for readers in (5, 8))
    }
    assert found == {(5, "rrrc"): 564, (8, "rrrc"): 231, (5, "frrc"): 191, (8, "frrc"): 156}


def test_non_inferiority_is_the_one_sided_noncentral_t():
    """R: pt(qt(.975, df), df, ncp, lower.tail=FALSE)."""
    for readers, df, power in (
        (5, 15.963927617715663, 0.573316766701171),
        (8, 47.18871362623412, 0.699011434226632),
    ):
        found = sizing.power(of_van_dyke(), readers, 100, 0.0, sizing.RRRC, margin=0.05)
        assert (found.df, found.power) == (pytest.approx(df, **CLOSE), pytest.approx(power, **CLOSE))
        # A model that is a little worse has so much less room.
        less = sizing.power(of_van_dyke(), readers, 100, -0.01, sizing.RRRC, margin=0.06)
        assert less.power == pytest.approx(power, **CLOSE)


def test_the_smallest_number_of_cases_is_the_smallest():
    for analysis in sizing.ANALYSES:
        for margin in (None, 0.05):
            size = sizing.size(STATED, 9, 0.04, analysis, wanted=0.9, margin=margin)
            powers = [
                sizing.power(STATED, 9, cases, 0.04, analysis, margin=margin).power
                for cases in (size.cases - 1, size.cases)
            ]
            assert powers[0] < 0.9 <= powers[1] == size.power


def test_what_no_number_of_cases_reaches_is_said():
    size = sizing.size(STATED, 2, 0.03, sizing.RRRC)
    assert (size.cases, size.power, size.note) == (None, None, notes.NO_SIZE)
    assert 0 < size.most_power < 0.8
    alone = sizing.size(STATED, 1, 0.03, sizing.RRRC)
    assert (alone.cases, alone.note) == (None, notes.ONE_READER)
    assert sizing.size(STATED, 1, 0.05, sizing.FRRC).cases > 2
    still = sizing.stated(sizing.SESSIONS, 0.001, 1, 0, 0, 0, 100)
    assert sizing.power(still, 3, 50, 0.1, sizing.RRRC).note == notes.NO_VARIANCE


def test_the_model_is_one_more_test_with_a_reader_of_its_own():
    """The standard error is that of the mean of J correlated differences, written out as a matrix."""
    var, rho1, rho2, rho3, var_r, readers, cases = 0.002, 0.5, 0.3, 0.2, 0.0015, 6, 250
    spread = sizing.stated(sizing.MODEL, var, rho1, rho2, rho3, var_r, 100)
    covariance = np.full((readers + 1, readers + 1), rho2 * var)
    covariance[-1] = covariance[:, -1] = rho3 * var
    np.fill_diagonal(covariance, var)
    weights = np.append(np.full(readers, -1 / readers), 1)
    se = math.sqrt(weights @ covariance @ weights * 100 / cases + var_r / readers)
    found = sizing.power(spread, readers, cases, 0.06, sizing.RRRC)
    assert found.noncentrality == pytest.approx((0.06 / se) ** 2, **CLOSE)
    fixed = sizing.power(spread, readers, cases, 0.06, sizing.FRRC)
    z = 0.06 / math.sqrt(weights @ covariance @ weights * 100 / cases)
    assert fixed.power == pytest.approx(
        stats.norm.sf(1.959963984540054 - z) + stats.norm.sf(1.959963984540054 + z)
    )


@each(
    "effect, alpha, margin, said",
    [
        (0.0, 0.05, None, "cannot be shown"),
        (1.5, 0.05, None, "from -1 to 1"),
        (math.nan, 0.05, None, "from -1 to 1"),
        (0.1, 0.0, None, "Alpha"),
        (0.1, 0.05, 2.0, "margin"),
        (-0.1, 0.05, 0.05, "non-inferiority"),
    ],
)
def test_what_no_study_is_sized_by_is_refused(effect, alpha, margin, said):
    with pytest.raises(ValueError, match=said):
        sizing.size(STATED, 5, effect, sizing.RRRC, alpha=alpha, margin=margin)


@each(
    "values, said",
    [((-1, 0, 0, 0, 0), "variance"), ((1, 2, 0, 0, 0), "correlation"), ((1, 0, 0, 0, -1), "variance")],
)
def test_variances_that_cannot_be_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        sizing.stated(sizing.SESSIONS, *values, 100)


def test_the_expected_width_of_wilsons_interval():
    """R: sum(dbinom(k, n, p) * width(k))."""
    for cases, share, width in (
        (25, 0.8, 0.29526304635325),
        (20, 0.5, 0.392699189485217),
        (480, 0.9, 0.0536868591275655),
    ):
        assert sizing.expected_width(cases, share) == pytest.approx(width, **CLOSE)
    assert sizing.expected_width(0, 0.8) is None
    assert sizing.expected_width(5, 1.0) == pytest.approx(0.434482464783175, **CLOSE)


def test_a_pilot_gives_what_its_analysis_gives():
    """With the readers, the photos and the difference of the pilot, the statistic of the pilot comes back."""
    tables = made_study(n=120, readers=5)
    for measure, disease in (("accuracy", ""), ("balanced_accuracy", "bcc"), ("specificity", "nevus")):
        found = pilot.of_study(tables, Question(measure=measure, disease=disease))
        assert found.sessions == ("unaided", "aided") and found.readers == 5
        assert found.cases == (
            120 if measure != "specificity" else sum(i.truth != "nevus" for i in tables.images)
        )
        again = sizing.power(found.spread, 5, found.cases, found.effect or 0.05, sizing.RRRC)
        assert 0 < again.power <= 1
    right = np.array([[[a.answer == i.truth for a in tables.answers if a.image == i.name and a.session == s]
                       for i in tables.images] for s in ("unaided", "aided")]).transpose(0, 2, 1)  # fmt: skip
    analysis = mrmc.compare(mrmc.accuracy(right))
    found = pilot.of_study(tables, Question())
    assert found.effect == pytest.approx(-analysis.pairs[0].difference)
    if not found.spread.clipped:
        same = sizing.power(found.spread, 5, 120, found.effect, sizing.RRRC)
        assert same.noncentrality == pytest.approx(analysis.rrrc.f)
        assert same.df == pytest.approx(analysis.rrrc.df2)


def test_a_pilot_of_the_model_gives_the_same_t():
    tables = made_study(n=120, readers=5)
    found = pilot.of_study(tables, Question(design=sizing.MODEL, measure="balanced_accuracy", disease="bcc"))

    (part,) = parts(replace(tables, images=tuple(replace(image, dataset="") for image in tables.images)))
    codes, shown = part.sessions[0].codes, part.truth == 0
    readers, model = (
        mrmc.balanced_accuracy(codes == 0, shown),
        mrmc.balanced_accuracy(part.argmax == 0, shown),
    )
    direct = mrmc.ai_against_readers(model, readers)
    assert found.effect == pytest.approx(direct.difference)
    if not found.spread.clipped:
        same = sizing.power(found.spread, 5, 120, found.effect, sizing.RRRC)
        assert same.noncentrality == pytest.approx(direct.t**2)
        assert same.df == pytest.approx(direct.df)


def test_what_is_no_pilot_says_why():
    whole, one = made_study(n=40), made_study(n=40, sessions=("unaided",))
    lacking = made_study(n=40)
    for tables, question, note in (
        (one, Question(), notes.ONE_TEST),
        (made_study(n=40, readers=1), Question(), notes.ONE_READER),
        (whole, Question(dataset="nowhere"), notes.NO_COMMON_IMAGES),
        (whole, Question(sessions=("aided", "aided")), notes.ONE_TEST),
        (
            type(lacking)(lacking.images, None, lacking.answers),
            Question(design=sizing.MODEL),
            notes.NO_SCORES,
        ),
        (type(lacking)(lacking.images, None, lacking.answers[:-1]), Question(), notes.OTHER_IMAGES),
        (whole, Question(measure="sensitivity", disease="lentigo", dataset="edinburgh"), notes.NO_POSITIVES),
    ):
        with pytest.raises(NoPilot) as refused:
            pilot.of_study(tables, question)
        assert refused.value.note == note


def test_ratings_are_a_pilot_of_aucs():
    ratings, truth = van_dyke.ratings()
    readers = tuple("12345")
    table = Ratings(("se", "cine"), readers, tuple(map(str, range(114))), truth, ratings)
    found = pilot.of_ratings(table, sizing.SESSIONS)
    assert found.spread == of_van_dyke() and found.effect == pytest.approx(0.0438003220612)
    ai = AiRatings("AI", "ai", ratings[1, 0], "se", readers[1:], table.cases, truth, ratings[0, 1:])
    assert pilot.of_ratings(ai, sizing.MODEL).readers == 4
    for given, design, note in (
        (table, sizing.MODEL, notes.NO_SCORES),
        (ai, sizing.SESSIONS, notes.ONE_TEST),
    ):
        with pytest.raises(NoPilot) as refused:
            pilot.of_ratings(given, design)
        assert refused.value.note == note
