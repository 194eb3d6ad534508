"""What is asked besides the diagnosis: taken, kept through every change, timed, told, counted, left out."""

import uuid

import pytest

from reader_study import asked
from reader_study.models import Answer, AnswerChange, Study, StudyEvent
from reader_study.presenters.asked import said
from reader_study.services.making import protocol, studies
from reader_study.services.reading.given import BadAnswer, Given, as_asked, timed
from reader_study.services.results import asked_counts, study_tables
from reader_study.statistics.coded import MISSING, parts
from reader_study.statistics.tables import read_tables
from reader_study.statistics.tidy import answers as answers_table
from skinclinic.services.refused import Refused
from tests.cases import each
from tests.readings import Link
from tests.studies import make_study

EVERYTHING = {
    "asks_confidence": True, "asks_second": True, "asks_quality": True, "asks_known": True, "asks_comment": True,
    "offers_cannot_judge": True, "management_choices": ["biopsy", "no_biopsy"],
}  # fmt: skip
WHOLE = {
    "choice": "mm", "second": "nevus", "confidence": 70, "management": "biopsy", "quality": "poor",
    "knows_patient": True, "comment": "ulcerated",
}  # fmt: skip


def given(**values) -> Given:
    return Given(**{"key": uuid.uuid4(), "known": 0, **WHOLE, **values})


@each(
    "sent, kept",
    [
        ({}, {}),
        ({"choice": "cannot_judge"}, {"second": "", "confidence": None}),
        ({"choice": "cannot_judge", "confidence": None}, {"second": "", "confidence": None}),
    ],
)
def test_what_is_asked_is_kept(sent, kept):
    found = as_asked(given(**sent), Study(**EVERYTHING))
    assert {name: getattr(found, name) for name in WHOLE} == WHOLE | sent | kept


def test_what_is_not_asked_is_dropped_and_the_time_that_is_over_says_nothing():
    found = as_asked(given(), Study())
    assert found.choice == "mm" and not any(getattr(found, name) for name in WHOLE if name != "choice")
    over = as_asked(given(choice="out_of_time"), Study(**EVERYTHING, time_limit=9, may_go_back=False))
    assert (over.management, over.quality, over.comment, over.confidence) == ("", "", "", None)
    assert over.knows_patient


@each("settings", [{}, {"confidence_optional": True}])
@each(
    "sent",
    [{"confidence": None}, {"management": ""}, {"quality": ""}, {"management": "treat"}, {"choice": "out_of_time"}],
)  # fmt: skip
def test_what_is_asked_cannot_be_passed_over_and_nothing_else_be_said(settings, sent):
    study = Study(**EVERYTHING, **settings)
    if settings and "confidence" in sent:
        assert as_asked(given(**sent), study).confidence is None
    else:
        with pytest.raises(BadAnswer):
            as_asked(given(**sent), study)
    # To take an answer back needs none of it.
    assert as_asked(given(**sent | {"choice": "", "management": "", "is_undo": True}), study).choice == ""


@each(
    "seconds, first, is_first, timing",
    [
        (2.9, None, False, ""), (2.5, None, False, "early"), (2.5, None, True, "early"), (11.9, None, False, ""),
        (12.1, None, True, "late"), (21.0, 9.5, False, ""), (22.0, 9.5, False, "late"), (None, None, False, ""),
    ],
)  # fmt: skip
def test_answers_outside_their_time_are_marked(seconds, first, is_first, timing):
    study = Study(choices_after=3, time_limit=10)
    answer = Answer(first_seconds=first) if first else None
    assert timed(given(seconds=seconds, is_first=is_first), study, answer).timing == timing


@pytest.mark.django_db
def test_an_answer_with_everything_travels_and_known_patients_count_nowhere(clinic, coordinator, tmp_path):
    made = make_study(
        clinic, coordinator, labels=["mm", "bcc", "sk", "nevus"], practice=0, **EVERYTHING, time_limit=5,
        may_go_back=False,
    )  # fmt: skip
    link = Link(made.secrets[0]).begin()
    on = {"device": "phone", "viewport": "390x844@3", "seconds": 3}
    assert link.answer(1, **WHOLE, **on).status_code == 200
    told = link.answer(2, **WHOLE | {"knows_patient": False}, **on | {"seconds": 60}).json()["answer"]
    assert told["management"] == "biopsy" and "knows_patient" not in told
    assert link.answer(3, "out_of_time", **on).status_code == 200
    for bad in ({"device": "fridge"}, {"viewport": "wide"}, {"comment": "x" * 501}, {"saw_model": "no"}):
        assert link.answer(4, **WHOLE | bad).status_code == 400
    final = WHOLE | {"choice": "cannot_judge", "knows_patient": False}
    assert link.answer(4, **final, **on).json()["finished"]
    for model in (Answer, AnswerChange):
        row = model.objects.order_by("pk").first()
        assert {name: getattr(row, name) for name in WHOLE} == WHOLE
        assert (row.device, row.viewport, row.timing) == ("phone", "390x844@3", "")
    # Late ones are counted for the coordinator, and said to be final.
    refused = link.answer(1, **WHOLE, waiting=7).json()["error"]
    assert refused["final"] and StudyEvent.objects.get(kind="refused").details["n"] == 7

    tables = study_tables.of_study(made.study)
    assert sorted(one.kind for one in tables.answers) == sorted([asked.OUT_OF_TIME, *asked.KINDS])
    (session,) = parts(tables)[0].sessions
    assert (session.codes == MISSING).all() and session.given.sum() == 3
    files = study_tables.to_csv(tables)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert read_tables(tmp_path / "images.csv", None, tmp_path / "answers.csv").answers == tables.answers
    results = {row[9] for row in answers_table(tables)[2]}
    assert results == {"left out, patient known", "cannot judge", "not answered in time"}
    counts = asked_counts.count(made.study)
    one = counts["unaided"]
    assert (one["answers"], one["knows_patient"], one["cannot_judge"], one["out_of_time"]) == (4, 1, 1, 2)
    assert one["management"] == {"biopsy": 3} and one["no_confidence"] == 0
    about = {"asked": counts, "refused": asked_counts.refused(made.study)}
    lines = [line for _session, found in said(made.study, about) for line in found]
    assert "Confidence: missing in 0 of 4 answers." in lines and lines[-1].startswith("7 answers came after")


@pytest.mark.django_db
def test_protocol_and_settings_hold_what_is_asked(clinic, coordinator):
    study = studies.create(clinic, coordinator, name="Asks")
    assert "management_choices" not in protocol.of(study)
    settings = EVERYTHING | {"time_limit": 20, "choices_after": 2, "may_go_back": False}
    study = studies.change_settings(study, settings | {"management_choices": ["no_biopsy", "biopsy"]})
    held = protocol.of(study)
    assert (held["management_choices"], held["time_limit"]) == (["biopsy", "no_biopsy"], 20)
    for wrong in ({"may_go_back": True}, {"choices_after": 20}, {"management_choices": ["biopsy"]}):
        with pytest.raises(Refused):
            studies.change_settings(study, wrong)
