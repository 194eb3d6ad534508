"""Which photos an answer counts for, which answer a lesion carries, and how a diagnosis stands to what was listed."""

from datetime import date

import pytest

from classifier.metrics import agreement
from classifier.metrics.counting import PhotoAnswer, carried, set_aside, summary
from skinclinic.vocabulary.diseases import DISEASE_KEYS

OLD, NEW, LATER = date(2026, 1, 1), date(2026, 6, 1), date(2026, 9, 1)
BLACK = {"brightness": 1.0, "sharpness": 0.0, "skin_fraction": 0.0, "warnings": ["too_dark"]}
BLURRED = {"brightness": 120.0, "sharpness": 8.0, "skin_fraction": 0.9, "warnings": ["blurred"]}


def answer(photo, day=NEW, malignant=0.5, kind="close_up", quality=None, state="done"):
    scores = dict.fromkeys(DISEASE_KEYS, 0.0) | {"mm": malignant, "nevus": 1 - malignant}
    return PhotoAnswer(photo, day, kind, state, scores if state == "done" else None, quality or {})


# What a lesion's photos say, and which of them it carries.
CARRIED = {
    "the most suspicious of the visit": ([answer(1, malignant=0.9), answer(2, malignant=0.2)], 1),
    "of the last visit only": ([answer(1, OLD, 0.9), answer(2, malignant=0.2)], 2),
    "no overview": ([answer(1, OLD, 0.9), answer(2, malignant=0.1, kind="overview")], 1),
    "no dermoscopic": ([answer(1, malignant=0.2), answer(2, malignant=0.9, kind="dermoscopic")], 1),
    "nothing unfit, however high": ([answer(1, OLD, 0.2), answer(2, malignant=0.9, quality=BLACK)], 1),
    "a doubtful one does not lower": ([answer(1, OLD, 0.9), answer(2, malignant=0.1, quality=BLURRED)], 1),
    "a doubtful one raises": ([answer(1, OLD, 0.2), answer(2, malignant=0.9, quality=BLURRED)], 2),
    "an older doubtful one is over": ([answer(1, OLD, 0.9, quality=BLURRED), answer(2, malignant=0.1)], 2),
    "doubtful ones alone": ([answer(1, OLD, 0.9, quality=BLURRED), answer(2, quality=BLURRED)], 2),
    "nothing while it waits": ([answer(1, OLD, 0.9), answer(2, state="queued")], 1),
    "nothing at all": (
        [answer(1, kind="overview"), answer(2, quality=BLACK), answer(3, state="failed")],
        None,
    ),
}


@pytest.mark.parametrize("answers, photo", CARRIED.values(), ids=CARRIED)
def test_the_answer_a_lesion_carries(answers, photo):
    chosen = carried(answers)
    assert (chosen.photo if chosen else None) == photo


def test_the_state_and_the_word_of_a_lesion():
    said = summary([answer(1, malignant=0.9), answer(2, state="running")], 2)
    assert (said["state"], said["top_disease"], said["answer_photo_id"]) == ("running", "mm", 1)
    assert summary([answer(1), answer(2, state="failed")], 2)["state"] == "failed"
    assert summary([answer(1), answer(2, state="empty")], 2)["state"] == "done"
    assert summary([], None) | {"state": "empty"} == summary([answer(1, state="empty")], 1)
    word = summary([answer(1, kind="overview"), answer(2, quality=BLACK)], 2)
    assert (word["state"], word["set_aside"], word["malignant_sum"]) == ("done", "unfit", None)
    assert summary([answer(1, kind="overview"), answer(2, OLD, 0.9)], 1)["set_aside"] == ""


def test_the_kind_comes_before_what_is_on_the_photo():
    assert [set_aside(kind, BLACK) for kind in ("close_up", "overview", "dermoscopic")] == [
        "unfit",
        "overview",
        "dermoscopic",
    ]
    assert set_aside("close_up", BLURRED) == set_aside("close_up", None) == ""


def test_agreement_is_told_from_diagnosis_and_list():
    cases = {
        ("bcc", ("bcc", "scc")): "first",
        ("scc", ("bcc", "scc")): "listed",
        ("ak", ("bcc", "scc")): "not_listed",
        ("ak", ()): "not_listed",
        (agreement.OTHER, ("bcc",)): "outside",
        (agreement.OTHER, ()): "none_of_12",
        (agreement.PERHAPS, ("bcc",)): "unclear",
        (None, ("bcc",)): "",
        ("bcc", None): "",
    }
    assert {case: agreement.standing(*case) for case in cases} == cases
