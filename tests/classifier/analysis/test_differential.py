"""What the result page says of scores and thresholds."""

import pytest

from classifier.presenters.differential import ThresholdFacts, result_view, score_text
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each

EVEN = dict.fromkeys(DISEASE_KEYS, 1 / 12)


def test_listed_ones_come_first_and_both_groups_are_ordered_by_score():
    scores = EVEN | {"mm": 0.5, "bcc": 0.3, "wart": 0.01}
    thresholds = dict.fromkeys(DISEASE_KEYS, 0.9) | {"wart": 0.001, "bcc": 0.2}
    view = result_view(scores, thresholds)
    keys = [row.disease.key for row in view.rows]
    assert keys[:3] == ["bcc", "wart", "mm"]
    assert [row.disease.key for row in view.listed] == ["bcc", "wart"]
    assert sorted(keys) == sorted(DISEASE_KEYS)


def test_a_score_equal_to_its_threshold_is_not_listed():
    view = result_view(EVEN, dict.fromkeys(DISEASE_KEYS, 1 / 12))
    assert view.listed == ()


def test_a_disease_without_a_threshold_is_never_listed_and_has_no_tick():
    view = result_view(EVEN, {"bcc": 0.01})
    assert [row.disease.key for row in view.listed] == ["bcc"]
    assert [row.tick is None for row in view.rows] == [False] + [True] * 11


@each(
    "score, beside, text",
    [
        (0.41, 0.3, "0.410"),
        (1.0, 0.3, "1.000"),
        (0.99991, None, ">0.999"),
        (0.0012, None, "0.001"),
        (0.0009, None, "<0.001"),
        (0.0009, 0.01, "<0.001"),
        (0.0009, 0.0003, "0.0009"),
        (0.00045, 0.0003, "0.00045"),
        (0.000003, 0.0003, "<0.001"),
        (0.0, 0.0003, "<0.001"),
    ],
)
def test_scores_have_sensible_digits(score, beside, text):
    assert score_text(score, beside=beside) == text


@pytest.mark.parametrize(
    ("threshold", "text"), [(0.3, "0.3"), (0.125, "0.12"), (0.0003, "0.0003"), (0.0, "0")]
)
def test_thresholds_keep_their_smallest_digits(threshold, text):
    view = result_view(EVEN, {"bcc": threshold})
    assert next(row for row in view.rows if row.disease.key == "bcc").threshold_text == text


def test_bars_and_ticks_lie_on_every_axis():
    scores = EVEN | {"bcc": 0.25, "df": 0.0}
    rows = {row.disease.key: row for row in result_view(scores, {"bcc": 0.01}).rows}
    assert (rows["bcc"].bar.even, rows["bcc"].bar.root) == ("25.00%", "50.00%")
    assert (rows["bcc"].tick.even, rows["bcc"].tick.root, rows["bcc"].tick.log) == (
        "1.00%",
        "10.00%",
        "50.00%",
    )
    assert (rows["df"].bar.root, rows["df"].bar.log) == ("0.00%", "0.00%")


@pytest.mark.parametrize(("background", "is_large"), [(None, False), (0.49, False), (0.5, True), (0.9, True)])
def test_a_large_background_is_said(background, is_large):
    view = result_view(EVEN, {}, background=background)
    assert view.background_is_large is is_large
    assert view.background_percent == (None if background is None else round(100 * background))


def test_malignant_sum_is_of_the_four_malignant_diseases():
    scores = dict.fromkeys(DISEASE_KEYS, 0.0) | {"bcc": 0.1, "scc": 0.2, "iec": 0.3, "mm": 0.05, "ak": 0.35}
    assert result_view(scores, {}).malignant_sum == pytest.approx(0.65)


def test_the_basis_of_a_threshold_is_kept_with_its_disease():
    view = result_view(EVEN, EVEN, facts=ThresholdFacts("balanced", basis={"df": "synthetic"}), language="ko")
    rows = {row.disease.key: row for row in view.rows}
    assert (rows["df"].basis, rows["bcc"].basis) == ("synthetic", "")
    assert rows["df"].name == "피부섬유종"
