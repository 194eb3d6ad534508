"""A study of six images and two readers, every number computed by hand."""

import math

import numpy as np
import pytest

from classifier.metrics import notes
from reader_study.statistics.report import report
from reader_study.statistics.tables import Answer, Image, StudyTables
from skinclinic.vocabulary.diseases import DISEASE_KEYS

TRUTH = ("bcc", "bcc", "nevus", "nevus", "nevus", "ak")
SCORES = {
    "bcc": (0.9, 0.4, 0.3, 0.1, 0.5, 0.2),
    "nevus": (0.05, 0.5, 0.6, 0.8, 0.3, 0.2),
    "ak": (0.05, 0.1, 0.1, 0.1, 0.2, 0.6),
}
# Session, reader, group, answers.
READ = (
    ("unaided", "A", "professor", ("bcc", "bcc", "nevus", "nevus", "bcc", "")),
    ("unaided", "B", "clinician", ("bcc", "nevus", "nevus", "bcc", "nevus", "ak")),
    ("aided", "A", "professor", ("bcc", "bcc", "nevus", "nevus", "nevus", "ak")),
    ("aided", "B", "clinician", ("bcc", "bcc", "nevus", "nevus", "bcc", "ak")),
)
# 97.5 % point of t with one degree of freedom.
T1 = math.tan(0.475 * math.pi)


@pytest.fixture(scope="module")
def found() -> dict:
    scores = np.zeros((6, 12))
    for key, column in SCORES.items():
        scores[:, DISEASE_KEYS.index(key)] = column
    answers = tuple(
        Answer(
            session,
            reader,
            group,
            f"i{place}",
            answer,
            seconds=float(place),
            first_answer="bcc" * (place < 2),
        )
        for session, reader, group, said in READ
        for place, answer in enumerate(said, start=1)
    )
    images = tuple(
        Image(f"i{place}", "asan", key, sex=("female", "male")[place % 2])
        for place, key in enumerate(TRUTH, start=1)
    )
    return report(StudyTables(images, scores, answers), margin=0.125)


@pytest.fixture(scope="module")
def asan(found) -> dict:
    return found["datasets"]["asan"]


def test_what_the_report_is_of(found, asan):
    assert (found["n"], asan["n"]) == (6, 6)
    assert found["sessions"] == ["unaided", "aided"]
    assert found["readers"] == {"A": "professor", "B": "clinician"}
    assert found["groups"] == ["professor", "clinician"]
    assert found["settings"]["ak"] == "benign" and found["settings"]["margin"] == 0.125
    assert list(asan["diseases"]) == list(DISEASE_KEYS)


def test_roc_of_the_model(asan):
    bcc = asan["diseases"]["bcc"]
    assert (bcc["n_pos"], bcc["n_neg"], bcc["evaluable"], bcc["note"]) == (2, 4, True, "")
    assert (bcc["auc"], bcc["auc_variance"]) == (pytest.approx(7 / 8), pytest.approx(1 / 32))
    assert bcc["auc_ci"] == [pytest.approx(7 / 8 - 1.959963984540054 / math.sqrt(32)), 1]
    youden = bcc["youden"]
    assert youden["threshold"] == pytest.approx(0.35)
    assert (youden["sensitivity"], youden["specificity"], youden["n_optima"]) == (1, 0.75, 1)
    assert (youden["true_positives"], youden["true_negatives"]) == (2, 3)
    assert youden["optimistic"] is True
    # Two equal optima: of these the one with the higher sensitivity.
    nevus = asan["diseases"]["nevus"]["youden"]
    assert nevus["threshold"] == pytest.approx(0.25) and nevus["n_optima"] == 2
    assert nevus["thresholds"] == pytest.approx([0.25, 0.55])
    assert (nevus["sensitivity"], nevus["specificity"]) == (1, pytest.approx(2 / 3))
    ak = asan["diseases"]["ak"]
    assert (ak["auc"], ak["auc_ci"], ak["auc_variance"], ak["auc_note"]) == (
        1,
        None,
        None,
        notes.ONE_IN_CLASS,
    )


def test_specificity_in_groups_and_where_actinic_keratosis_goes(asan):
    bcc = asan["diseases"]["bcc"]
    assert (bcc["specificity_among_other_malignant"], bcc["n_other_malignant"]) == (None, 0)
    assert (bcc["specificity_among_other_benign"], bcc["n_other_benign"]) == (0.75, 4)
    other = bcc["ak_alternative"]
    assert other["ak"] == "malignant"
    assert (other["specificity_among_other_malignant"], other["n_other_malignant"]) == (1, 1)
    assert (other["specificity_among_other_benign"], other["n_other_benign"]) == (pytest.approx(2 / 3), 3)


def test_a_disease_without_images_is_not_evaluable(asan):
    wart = asan["diseases"]["wart"]
    assert (wart["evaluable"], wart["n_pos"], wart["note"]) == (False, 0, notes.NO_POSITIVES)
    for name in (
        "auc",
        "auc_ci",
        "auc_variance",
        "youden",
        "specificity_among_other_malignant",
        "calibration",
    ):
        assert wart[name] is None
    assert (wart["n_other_malignant"], wart["n_other_benign"]) == (2, 4)
    assert (wart["argmax"]["sensitivity"], wart["argmax"]["specificity"]) == (None, 1)


def test_the_models_answers(asan):
    assert asan["top_k"] == {"1": pytest.approx(4 / 6), "2": 1, "3": 1, "5": 1}
    assert asan["balanced_top1"] == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    confusion = asan["confusion"]
    assert confusion["rows"] == ["bcc", "ak", "nevus"]
    assert confusion["columns"] == list(DISEASE_KEYS)
    at = [confusion["columns"].index(key) for key in ("bcc", "ak", "nevus")]
    assert [[row[column] for column in at] for row in confusion["counts"]] == [
        [1, 0, 1],
        [0, 1, 0],
        [1, 0, 2],
    ]
    assert sum(map(sum, confusion["counts"])) == 6
    argmax = asan["diseases"]["bcc"]["argmax"]
    assert (argmax["sensitivity"], argmax["specificity"]) == (0.5, 0.75)
    assert asan["argmax_accuracy"]["count"] == 4
    length = asan["list_length"]
    assert (length["mean"], length["diseases"]) == (pytest.approx(8 / 6), 3)
    assert (length["empty"]["count"], length["truth_listed"]["count"]) == (0, 6)


def test_readers(asan):
    readers = asan["sessions"]["unaided"]["readers"]
    a, b = readers["A"], readers["B"]
    assert (a["group"], a["n"], a["answered"], a["missing"], a["right"]) == ("professor", 6, 5, 1, 4)
    assert (a["accuracy"], b["accuracy"]) == (pytest.approx(4 / 6), pytest.approx(4 / 6))
    assert a["kappa_missing_as_category"] == pytest.approx((4 / 6 - 12 / 36) / (1 - 12 / 36))
    assert a["kappa_vs_truth"] == pytest.approx((4 / 5 - 12 / 25) / (1 - 12 / 25))
    assert b["kappa_vs_truth"] == pytest.approx((4 / 6 - 14 / 36) / (1 - 14 / 36))
    assert a["answered_only"]["accuracy"] == pytest.approx(4 / 5)
    assert a["answered_only"]["kappa_vs_truth"] == pytest.approx((4 / 5 - 12 / 25) / (1 - 12 / 25))
    bcc = a["points"]["bcc"]
    assert (bcc["sensitivity"], bcc["specificity"]) == (1, 0.75)
    assert (bcc["true_positives"], bcc["positives"], bcc["true_negatives"], bcc["negatives"]) == (2, 2, 3, 4)
    # A missing answer is "not this disease"; left out, the image goes too.
    assert bcc["answered_only"] == {
        "sensitivity": 1, "specificity": pytest.approx(2 / 3), "true_positives": 2, "positives": 2,
        "true_negatives": 2, "negatives": 3,
    }  # fmt: skip
    ak = a["points"]["ak"]
    assert (ak["sensitivity"], ak["specificity"]) == (0, 1)
    assert ak["answered_only"]["sensitivity"] is None
    # Wilson's interval of 3 of 4.
    z2 = 1.959963984540054**2
    middle, half = (0.75 + z2 / 8) / (1 + z2 / 4), math.sqrt(z2 * (0.1875 / 4 + z2 / 64)) / (1 + z2 / 4)
    assert bcc["specificity_ci"] == pytest.approx([middle - half, middle + half])
    nevus = b["points"]["nevus"]
    assert (nevus["sensitivity"], nevus["specificity"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (b["points"]["wart"]["sensitivity"], b["points"]["wart"]["note"]) == (None, notes.NO_POSITIVES)
    assert a["confusion"]["columns"][-1] == "missing"
    assert a["confusion"]["counts"][a["confusion"]["rows"].index("ak")][-1] == 1


def test_readers_together(asan):
    found = asan["sessions"]["unaided"]
    assert (found["n_readers"], found["note"]) == (2, "")
    assert (found["mean_accuracy"], found["sd_accuracy"]) == (pytest.approx(2 / 3), 0)
    assert found["fleiss_kappa"] == pytest.approx((2 / 5 - 0.5) / 0.5)
    assert found["fleiss_answered_only"] == {"kappa": found["fleiss_kappa"], "images": 5}
    with_missing = found["fleiss_missing_as_category"]
    assert with_missing["kappa"] == pytest.approx((2 / 6 - 52 / 144) / (1 - 52 / 144))
    assert with_missing["images"] == 6 and found["krippendorff"]["images"] == 5
    bcc = found["average"]["bcc"]
    assert (bcc["sensitivity"], bcc["specificity"]) == (0.75, 0.75)
    assert (bcc["sensitivity_sd"], bcc["specificity_sd"]) == (pytest.approx(math.sqrt(1 / 8)), 0)
    # Readers do not vary together: SE = SD/sqrt 2, one degree of freedom, clipped.
    assert bcc["sensitivity_ci"] == [0, 1]
    assert found["pairwise_kappa"]["readers"] == ["A", "B"]
    # They agree on two of the five that both answered; A 3 bcc 2 nevus, B 2 bcc 3 nevus.
    between = (2 / 5 - 12 / 25) / (1 - 12 / 25)
    assert found["pairwise_kappa"]["kappa"] == [[1, pytest.approx(between)], [pytest.approx(between), 1]]
    pooled = found["confusion"]
    bcc_row = dict(zip(pooled["columns"], pooled["counts"][pooled["rows"].index("bcc")], strict=True))
    assert (bcc_row["bcc"], bcc_row["nevus"]) == (3, 1)
    group = found["groups"]["professor"]
    assert (group["readers"], group["n_readers"], group["note"]) == (["A"], 1, notes.ONE_READER)
    assert (group["mean_accuracy"], group["sd_accuracy"], group["fleiss_kappa"]) == (
        pytest.approx(4 / 6),
        None,
        None,
    )
    assert (group["average"]["bcc"]["specificity"], group["average"]["bcc"]["specificity_sd"]) == (0.75, None)


def test_times_and_missed_images(asan):
    found = asan["sessions"]["unaided"]
    assert found["seconds"] == {"n": 12, "mean": 3.5, "median": 3.5, "q1": 2.0, "q3": 5.0, "total": 42}
    assert found["readers"]["A"]["seconds"]["total"] == 21
    missed = found["most_missed"]
    assert [one["image"] for one in missed] == ["i2", "i4", "i5", "i6"]
    assert missed[0] == {
        "image": "i2", "truth": "bcc", "wrong": 1, "of": 2, "missing": 0, "answers": {"bcc": 1, "nevus": 1},
        "model": "nevus", "model_score": 0.5,
    }  # fmt: skip
    assert (missed[3]["missing"], missed[3]["answers"]) == (1, {"ak": 1})
    women = found["subgroups"]["sex"][0]
    # i2, i4 and i6: A 2 of 3, B 1 of 3; the model 2 of 3.
    assert women == {
        "label": "female", "n": 3, "mean_accuracy": pytest.approx(0.5), "model_accuracy": pytest.approx(2 / 3),
    }  # fmt: skip


def test_the_model_against_readers(asan):
    bcc = asan["ai_vs_readers"]["unaided"]["bcc"]
    assert bcc["figure_of_merit"] == "balanced_accuracy"
    assert bcc["threshold"] == pytest.approx(0.35)
    assert (bcc["ai"], bcc["readers_mean"]) == (pytest.approx(0.875), pytest.approx(0.75))
    # Differences 0 and -1/4; A errs where the model does, so that nothing covaries with B.
    assert (bcc["difference"], bcc["ms_r"]) == (pytest.approx(0.125), pytest.approx(1 / 32))
    assert (bcc["se"], bcc["t"], bcc["df"]) == (pytest.approx(0.125), pytest.approx(1), pytest.approx(1))
    assert bcc["p"] == pytest.approx(0.5)
    assert 0.125 + T1 * 0.125 > 1 and bcc["ci"] == [-1, 1], "a difference of shares is no larger"
    margin = bcc["non_inferiority"]
    assert (margin["margin"], margin["t"], margin["df"]) == (0.125, pytest.approx(2), pytest.approx(1))
    assert margin["p"] == pytest.approx(0.5 - math.atan(2) / math.pi)
    argmax = bcc["argmax"]
    assert (argmax["ai"], argmax["difference"]) == (pytest.approx(0.625), pytest.approx(-0.125))
    wart = asan["ai_vs_readers"]["unaided"]["wart"]
    assert (wart["ai"], wart["p"], wart["p_holm"], wart["note"]) == (None, None, None, notes.NO_POSITIVES)
    ak = asan["ai_vs_readers"]["unaided"]["ak"]
    assert (ak["ai"], ak["p"], ak["note"]) == (1, None, notes.ONE_IN_CLASS)
    professors = asan["ai_vs_groups"]["unaided"]["professor"]["bcc"]
    assert (professors["difference"], professors["p"], professors["note"]) == (0, None, notes.ONE_READER)


def test_p_is_adjusted_by_holm_beside_the_plain_one(asan):
    tests = asan["ai_vs_readers"]["unaided"]
    evaluable = {key: one["p"] for key, one in tests.items() if one["p"] is not None}
    ordered = sorted(evaluable, key=evaluable.get)
    highest = 0.0
    for place, key in enumerate(ordered):
        highest = max(highest, min(1, evaluable[key] * (len(ordered) - place)))
        assert tests[key]["p_holm"] == pytest.approx(highest)
    assert len(ordered) == 2


def test_two_sessions(asan):
    bcc = asan["compare"]["unaided_vs_aided"]["bcc"]
    sens, spec = bcc["sensitivity"], bcc["specificity"]
    assert (sens["a"], sens["b"], sens["difference"]) == (0.75, 1, 0.25)
    assert (sens["f"], sens["df1"], sens["df2"], sens["p"]) == (
        pytest.approx(1), 1, pytest.approx(1), pytest.approx(0.5),
    )  # fmt: skip
    assert 0.25 + T1 * 0.25 > 1 and sens["ci"] == [-1, 1]
    assert sens["too_few"] and (sens["n_cases"], spec["n_cases"]) == (2, 4)
    parts = sens["components"]
    assert [parts["ms_t"], parts["ms_tr"]] == pytest.approx([1 / 16, 1 / 16])
    # Only B unaided got one of two bcc wrong: 1/2 of the sum of two squares of 1/2, over four.
    assert (parts["var"], parts["cov1"], parts["cov2"], parts["cov3"]) == (pytest.approx(1 / 16), 0, 0, 0)
    assert (spec["a"], spec["b"], spec["difference"]) == (0.75, 0.875, 0.125)
    assert (spec["f"], spec["df2"], spec["p"]) == (pytest.approx(1), pytest.approx(1), pytest.approx(0.5))
    assert spec["components"]["cov2"] == pytest.approx(-5 / 432 * (3 / 4) / (5 / 6))
    assert spec["components"]["cov3"] == pytest.approx(5 / 144 * (3 / 4) / (5 / 6))
    wart = asan["compare"]["unaided_vs_aided"]["wart"]
    assert (wart["sensitivity"]["difference"], wart["sensitivity"]["note"]) == (None, notes.NO_POSITIVES)
    assert (wart["specificity"]["difference"], wart["specificity"]["note"]) == (0, notes.NO_VARIANCE)


def test_mcnemar(asan):
    a = asan["mcnemar"]["unaided"]["A"]
    assert (a["ai_only"], a["reader_only"], a["both"], a["neither"]) == (1, 1, 3, 1)
    assert (a["exact_p"], a["corrected_p"]) == (1, 1)
    aided = asan["mcnemar"]["aided"]["A"]
    assert (aided["ai_only"], aided["reader_only"]) == (0, 2)
    assert (aided["exact_p"], aided["corrected_p"]) == (0.5, pytest.approx(math.erfc(0.5)))


def test_changed_answers(asan):
    changes = asan["changes"]["unaided_vs_aided"]
    a, b = changes["readers"]["A"], changes["readers"]["B"]
    # A did not answer i6 unaided.
    assert (a["images"], a["right_both"], a["wrong_to_right"], a["right_to_wrong"], a["changed"]) == (
        5,
        4,
        1,
        0,
        1,
    )
    assert (b["images"], b["right_both"], b["wrong_to_right"], b["right_to_wrong"], b["changed"]) == (
        6,
        3,
        2,
        1,
        3,
    )
    assert (b["accuracy_before"], b["accuracy_after"]) == (pytest.approx(4 / 6), pytest.approx(5 / 6))
    assert b["exact_p"] == 1
    assert changes["total"]["wrong_to_right"] == 3
    # Within a session: the first answer was bcc for i1 only.
    first = asan["sessions"]["unaided"]["readers"]["B"]["first_answer"]
    assert (first["images"], first["right_both"], first["changed"]) == (1, 1, 0)
