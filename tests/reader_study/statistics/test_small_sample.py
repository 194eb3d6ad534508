"""Of few photos, few readers, or names that may be one, nothing is concluded that chance alone would say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.statistics import by_design, one_shot, small_sample, verdicts
from reader_study.statistics.endpoints import ACCURACY
from reader_study.statistics.report import report
from reader_study.statistics.tables import Answer, Image, StudyTables
from skinclinic.archive.formats.words.folding import bare
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study import van_dyke
from tests.reader_study.statistics.simulate_verdicts import KEY, SETTINGS, Setting, study, told

CLOSE = {"rel": 1e-12}


def of_accuracy(model, readers, margin=None):
    right = small_sample.Right(
        np.broadcast_to(model, readers.shape),
        readers,
        np.ones_like(readers),
        [np.ones(readers.shape[1], bool)],
    )
    return small_sample.against_readers(mrmc.accuracy(right.model), mrmc.accuracy(readers), right, margin)


def test_a_model_without_an_error_has_a_variance_and_photos_have_degrees_of_freedom():
    """By hand: three readers with 14, 15 and 16 of 20 right, the model with all."""
    readers = np.array([[place >= wrong for place in range(20)] for wrong in (6, 5, 4)])
    model = np.ones(20, bool)
    found = of_accuracy(model, readers, margin=0.1)
    # Readers err on the same photos, so that two of them share the variance of the one with fewer errors.
    covariance = [(low - low * high) / 19 for low, high in ((0.7, 0.75), (0.7, 0.8), (0.75, 0.8))]
    of_readers, of_photos = 0.05**2 / 3, np.mean(covariance) + 0.75 * 0.25 / 20
    variance = of_readers + of_photos
    df = variance**2 / (of_readers**2 / 2 + of_photos**2 / 19)
    assert [found["se"], found["df"]] == pytest.approx([variance**0.5, df], rel=1e-9)
    assert found["ci"][0] == pytest.approx(0.25 - stats.t.ppf(0.975, df) * variance**0.5, rel=1e-9)
    # The other side takes one degree of freedom less than there are readers.
    assert found["ci"][1] == pytest.approx(min(1, 0.25 + stats.t.ppf(0.975, 2) * variance**0.5), rel=1e-9)
    assert found["p"] == pytest.approx(2 * stats.t.sf(0.25 / variance**0.5, df), rel=1e-9)
    # A model 0.1 below the readers' 0.75 would have the variance of 0.65.
    below = of_readers + np.mean(covariance) + 0.65 * 0.35 / 20
    df = below**2 / (of_readers**2 / 2 + (below - of_readers) ** 2 / 19)
    assert found["non_inferiority"].p == pytest.approx(stats.t.sf(0.35 / below**0.5, df), rel=1e-9)


def test_where_photos_are_many_the_test_is_that_of_obuchowski_and_rockette():
    random = np.random.default_rng(3)
    readers, model = random.random((8, 20_000)) < 0.7, random.random(20_000) < 0.7
    found = of_accuracy(model, readers)
    usual = mrmc.ai_against_readers(mrmc.accuracy(model), mrmc.accuracy(readers))
    assert found["se"] == pytest.approx(usual.se, rel=1e-2)


def test_a_study_of_few_photos_says_nothing_that_only_chance_says():
    """Sixteen readers right on 90 % of 20 photos and a model that is no better: without the test for few photos one
    study in eight would call the model better, and one in nine with 24 photos (see ``simulate_verdicts``)."""
    setting = Setting("", 16, 20, right=0.9)
    random = np.random.default_rng([20, 9])
    said = [set(told(study(setting, 0.0, 0.0, random), 0.0, 0.0)) for _ in range(60)]
    # The usual interval lies above 0 in some of them, and not one has a verdict.
    assert sum("model's accuracy p below 0.05" in one for one in said) >= 4
    assert not any("accuracy superior" in one or "disease superior" in one for one in said)


def test_fewer_than_three_readers_or_twenty_photos_are_too_few():
    def reasons(readers, n, given=SETTINGS[0].given):
        part = study(Setting("", readers, n, given), 0.2, 0.2, np.random.default_rng(1))
        tables = tables_of(part)
        found = report(tables, margin=0.05, endpoints=(ACCURACY, "sessions_accuracy"), is_fixed=True)[
            "datasets"
        ]["d"]
        return [
            found["question_verdicts"]["s0"][ACCURACY]["reasons"],
            found["session_verdicts"]["s0_vs_s1"][ACCURACY]["reasons"],
        ]

    for one in reasons(2, 60):
        assert verdicts.FEW_READERS in one and notes.TOO_FEW_CASES not in one
    # Four readers in two arms are two against two.
    arms = reasons(4, 60, lambda reader, _photo, session: reader % 2 == session)
    assert all(verdicts.FEW_READERS in one for one in arms)
    for one in reasons(5, 18):
        assert notes.TOO_FEW_CASES in one and verdicts.FEW_READERS not in one
    assert not any({verdicts.FEW_READERS, notes.TOO_FEW_CASES} & set(one) for one in reasons(3, 20))


def tables_of(part):
    answers = tuple(
        Answer(one.name, reader, "", image.name, DISEASE_KEYS[one.codes[row, place]])
        for one in part.sessions
        for row, reader in enumerate(one.readers)
        for place, image in enumerate(part.images)
        if one.given[row, place]
    )
    return StudyTables(part.images, part.scores, answers, part.choices)


@pytest.fixture(scope="module")
def clear():
    """A study in which the model is better, beyond doubt."""
    return tables_of(study(SETTINGS[0], 0.2, 0.0, np.random.default_rng(5)))


def verdict(tables, **wishes):
    found = report(tables, margin=0.05, endpoints=(ACCURACY, KEY), is_fixed=True, **wishes)["datasets"]["d"]
    return found["question_verdicts"]["s0"][ACCURACY], found["verdicts"]["s0"][KEY]


def test_names_that_nearly_match_leave_a_verdict_open_until_they_are_said_to_be_two(clear):
    assert {one["claim"] for one in verdict(clear)} == {verdicts.SUPERIOR}
    twins = {"r0": "R01", "r1": "r1"}
    alike = tuple(replace(one, reader=twins.get(one.reader, one.reader)) for one in clear.answers)
    photo = tuple(replace(one, name="I0" + one.name[1:]) if one.name == "i7" else one for one in clear.images)
    photo = (*photo, Image("i7", "d", "bcc"))
    for tables in (
        replace(clear, answers=alike),
        replace(
            clear,
            images=photo,
            scores=np.vstack([clear.scores, clear.scores[:1]]),
            answers=tuple(replace(one, image="I07") if one.image == "i7" else one for one in clear.answers),
        ),
    ):
        for one in verdict(tables):
            assert (one["verdict"], one["claim"]) == (verdicts.OPEN, verdicts.NO_CLAIM)
            assert verdicts.NAMES_ALIKE in one["reasons"] and not one["rules"]
        assert not any(verdicts.NAMES_ALIKE in one["reasons"] for one in verdict(tables, names_differ=True))
    assert {one["claim"] for one in verdict(replace(clear, answers=alike), names_differ=True)} == {
        verdicts.SUPERIOR
    }


def test_photos_of_one_patient_are_not_many_cases(clear):
    """All photos of the disease are of one patient, in whom nothing varies from patient to patient."""
    images = tuple(
        replace(one, patient="P" if one.truth == KEY else f"Q{place}")
        for place, one in enumerate(clear.images)
    )
    accuracy, disease = verdict(replace(clear, images=images))
    assert (disease["verdict"], disease["reasons"]) == (verdicts.OPEN, [verdicts.TOO_FEW_PATIENTS])
    assert accuracy["claim"] == verdicts.SUPERIOR


def test_scores_that_look_wrong_leave_the_model_open(clear):
    some_failed = np.where(np.arange(len(clear.images))[:, None] < 3, 1 / 12, clear.scores)
    for scores in (1 - clear.scores, clear.scores * np.where(np.arange(12) == 11, 100, 1), some_failed):
        for one in verdict(replace(clear, scores=scores), names_differ=True):
            assert (one["verdict"], one["reasons"][0]) == (verdicts.OPEN, verdicts.SCORES_DOUBTED)


@each(
    "one, other, is_alike",
    [
        ("R1", "r01", True), ("1", "1.0", True), ("Ｒ1", "R1", True), ("R1\u200b", "R 1", True),
        ("10", "1.0", False), ("P1_12", "P11_2", False), ("1.12", "11.2", False), ("R1", "R2", False),
    ],
)  # fmt: skip
def test_names_that_nearly_match(one, other, is_alike):
    assert (bare(one) == bare(other)) is is_alike


def test_a_verdict_holds_for_patients_too():
    tests = {
        key: {
            "difference": 0.1, "ci": [0.02, 0.18], "p": 0.01, "non_inferiority": None, "note": "", "n_readers": 5,
            "too_few": False, "by_patient": {"ci": [low, 0.22], "p": p}, "small_sample": None,
        }
        for key, low, p in (("held", 0.01, 0.03), ("not", -0.02, 0.09))
    }  # fmt: skip
    tests = {key: one | {"as_read": one} for key, one in tests.items()}
    for key in tests:
        (found,) = verdicts.verdicts(
            verdicts.of_questions({key: tests[key]}), {"note": ""}, (key,), None, is_fixed=True
        ).values()
        assert found["claim"] == (verdicts.SUPERIOR if key == "held" else verdicts.NO_CLAIM)
        assert found["reasons"] == ([] if key == "held" else [verdicts.FEW_PATIENTS])


def test_a_variance_below_zero_gives_way_to_the_biased_one_as_in_imrmc():
    """iMRMC 2.1.1, MLE, of the first two readers and every third case of Van Dyke's ratings."""
    ratings, truth = van_dyke.ratings()
    readers, cases = np.arange(5) < 2, np.arange(truth.size) % 3 == 1
    kernels = [one_shot.areas(one, truth, readers[:, None] & cases) for one in ratings]
    found = one_shot.difference(*kernels)
    assert (found.value, found.se**2) == pytest.approx((-0.05072463768115942, 0.001421321790270606), rel=1e-9)
    assert found.df == pytest.approx(61.56425336152840, rel=1e-9)
    assert (found.p, found.low, found.high) == pytest.approx(
        (0.1784747750694926, -0.1246161062569009, 0.02316683089458201), rel=1e-9
    )
    assert found.note == notes.BIASED_VARIANCE


def test_no_interval_between_sessions_is_narrower_than_independent_answers_allow():
    """Two arms of four readers and 20 photos, in which the unbiased variance came out near nothing."""
    right = np.random.default_rng(21).random((120, 8, 20)) < 0.75
    cells = np.repeat([[True] * 4 + [False] * 4, [False] * 4 + [True] * 4], 20, axis=1).reshape(2, 8, 20)
    least, narrow = [], 0
    for one in right:
        kernels = [by_design.kernel(by_design.ACCURACY, one, None, read) for read in cells]
        found, bare = by_design.sessions(*kernels), one_shot.difference(*kernels[::-1])
        if bare.note in (notes.NARROW, notes.BIASED_VARIANCE):
            narrow += 1
            assert found["note"] in (notes.INDEPENDENT, notes.BIASED_VARIANCE) and found["ci"]
        assert found["ci"][1] - found["ci"][0] > 0.15
        least.append(found["ci"][0] <= 0 <= found["ci"][1])
    assert narrow > 5 and np.mean(least) > 0.94
