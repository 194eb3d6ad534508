"""Answers: each once, none lost, none over another that its sender had not seen; bad ones refused whole."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reader_study.models import Answer, AnswerChange, Reader, Reading, Study, StudyEvent
from reader_study.services.making import enrolment
from tests.cases import each
from tests.readings import Link, code_of
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(clinic, coordinator):
    return make_study(clinic, coordinator, labels=["bcc", "mm", "sk", "nevus"], practice=0)


@pytest.fixture
def link(made):
    return Link(made.secrets[0]).begin()


def answers() -> list[tuple[str, int]]:
    return list(Answer.objects.order_by("answered_at").values_list("choice", "number"))


def kept() -> list[tuple[str, bool]]:
    return list(AnswerChange.objects.values_list("choice", "is_in_force"))


def test_an_answer_is_stored_with_its_time_and_as_a_change(link, made):
    made.study.asks_confidence = made.study.asks_second = True
    made.study.save()
    given_at = "2026-03-04T05:06:07.089Z"
    response = link.answer(1, "mm", second="nevus", confidence=70, seconds=12.3456, given_at=given_at)
    assert response.status_code == 200
    assert response.json() == {
        "in_force": True,
        "answer": {"number": 1, "choice": "mm", "second": "nevus", "confidence": 70, "first": ""},
        "next": 2,
        "finished": False,
    }
    answer, change = Answer.objects.get(), AnswerChange.objects.get()
    assert answer.image.number == link.row.order[0]
    for row in (answer, change):
        assert (row.choice, row.second, row.confidence, row.seconds) == ("mm", "nevus", 70, 12.346)
    assert change.given_at.isoformat() == "2026-03-04T05:06:07.089000+00:00"
    assert (change.number, change.is_in_force, change.is_first, change.is_undo) == (1, True, False, False)


def test_what_the_study_does_not_ask_is_not_stored(link):
    assert link.answer(1, "mm", second="nevus", confidence=70).status_code == 200
    answer = Answer.objects.get()
    assert (answer.second, answer.confidence) == ("", None)


def test_the_same_key_twice_is_stored_once(link):
    key = str(uuid.uuid4())
    first, again = link.answer(1, "mm", key=key), link.answer(1, "mm", key=key)
    assert first.json() == again.json()
    link.answer(1, "sk", known=1)
    late = link.answer(1, "mm", key=key).json()
    assert late["in_force"]
    assert late["answer"]["choice"] == "sk"
    assert answers() == [("sk", 2)]
    assert kept() == [("mm", True), ("sk", True)]


def test_two_windows_the_second_sees_both_and_chooses(link):
    link.answer(1, "mm")
    loser = link.answer(1, "sk").json()
    assert loser["in_force"] is False
    assert loser["answer"]["choice"] == "mm"
    assert answers() == [("mm", 1)]
    assert kept() == [("mm", True), ("sk", False)]
    chosen = link.answer(1, "sk", known=loser["answer"]["number"]).json()
    assert chosen["in_force"]
    assert answers() == [("sk", 2)]
    assert kept() == [("mm", True), ("sk", False), ("sk", True)]


def test_an_answer_made_upon_a_number_that_never_was_is_not_in_force(link):
    link.answer(1, "mm")
    assert link.answer(1, "sk", known=7).json()["in_force"] is False
    assert answers() == [("mm", 1)]


def test_photos_are_answered_in_their_order(link):
    assert code_of(link.answer(2)) == "not_yet"
    assert link.answer(1).status_code == 200
    assert link.answer(2).status_code == 200
    assert code_of(link.answer(4, known=3)) == "not_yet"
    assert Answer.objects.count() == AnswerChange.objects.count() == 2


def test_undo_takes_the_last_answer_back_and_it_can_be_given_anew(link):
    link.answer(1, "mm")
    link.answer(2, "sk")
    assert code_of(link.answer(1, "", known=1, undo=True)) == "not_the_last"
    taken = link.answer(2, "", known=1, undo=True).json()
    assert (taken["answer"]["choice"], taken["answer"]["number"], taken["next"]) == ("", 2, 2)
    assert code_of(link.answer(3)) == "not_yet"
    assert link.answer(2, "wart", known=2).json()["next"] == 3
    assert answers() == [("mm", 1), ("wart", 3)]
    assert [change.is_undo for change in AnswerChange.objects.all()] == [False, False, True, False]


def test_an_undone_change_restores_the_answer_before(link):
    link.answer(1, "mm")
    link.answer(2, "sk")
    link.answer(1, "df", known=1)
    assert link.answer(1, "mm", known=2, undo=True).json()["in_force"]
    assert answers() == [("mm", 3), ("sk", 1)]


def test_where_nobody_may_go_back_answers_are_final_but_for_a_moment(link, made):
    Study.objects.update(may_go_back=False)
    link.answer(1, "mm")
    assert code_of(link.answer(1, "sk", known=1)) == "no_going_back"
    assert link.answer(1, "", known=1, undo=True).status_code == 200
    link.answer(1, "sk", known=2)
    Answer.objects.update(changed_at=timezone.now() - timedelta(minutes=1))
    assert code_of(link.answer(1, "", known=3, undo=True)) == "undo_too_late"
    link.answer(2, "sk")
    assert code_of(link.answer(1, "", known=3, undo=True)) == "not_the_last"
    assert answers() == [("sk", 3), ("sk", 1)]
    other_window = link.answer(1, "df").json()
    assert (other_window["in_force"], other_window["answer"]["choice"]) == (False, "sk")


def test_where_nobody_may_go_back_the_last_answer_ends_the_session(link):
    Study.objects.update(may_go_back=False)
    finished = [link.answer(position).json()["finished"] for position in (1, 2, 3, 4)]
    assert finished == [False, False, False, True]
    assert link.row.finished_at
    assert code_of(link.answer(4, "", known=1, undo=True)) == "finished"


def test_i_am_done_makes_answers_final(link):
    assert code_of(link.post("reading-finish")) == "unanswered"
    key = str(uuid.uuid4())
    for position in (1, 2, 3):
        link.answer(position)
    link.answer(4, "mm", key=key)
    assert not link.row.finished_at
    assert link.post("reading-finish").json() == {"finished": True}
    at = link.row.finished_at
    assert link.post("reading-finish").json() == {"finished": True}
    assert link.row.finished_at == at
    assert code_of(link.answer(1, "sk", known=1)) == "finished"
    # One that had arrived, but whose sender had not heard of it.
    assert link.answer(4, "mm", key=key).json()["in_force"]
    assert Answer.objects.exclude(choice="mm").filter(choice="bcc").count() == 3


@pytest.mark.parametrize("how, status, code", [("closed", 409, "closed"), ("withdrawn", 403, "withdrawn")])
def test_too_late_is_refused_said_and_logged_without_a_flood(link, made, coordinator, how, status, code):
    link.answer(1, "mm")
    if how == "closed":
        Study.objects.update(state=Study.State.CLOSED, closed_at=timezone.now())
    else:
        enrolment.withdraw(made.readers[0], coordinator)
    for _ in range(5):
        response = link.answer(2, "sk")
        assert response.status_code == status
        assert code_of(response) == code
        assert len(response.json()["error"]["message"]) > 20
    assert answers() == [("mm", 1)]
    events = StudyEvent.objects.filter(kind=StudyEvent.Kind.ANSWER_REFUSED)
    assert [(event.reader, event.details["why"]) for event in events] == [(made.readers[0], code)]
    StudyEvent.objects.filter(pk=events[0].pk).update(at=timezone.now() - timedelta(hours=1))
    link.answer(2, "sk")
    assert events.all().count() == 2


def test_links_that_nobody_has_and_renewed_ones_get_nothing(link, made, coordinator):
    newer = Link(enrolment.renew_link(made.readers[0], coordinator))
    assert link.answer(1).status_code == 404
    assert code_of(link.answer(1)) == "link_closed"
    assert newer.answer(1).status_code == 200
    assert Link("x" * 43).answer(1).status_code == 404
    assert Link(newer.secret, "aided").answer(1).status_code == 404


def test_one_reader_never_touches_the_answers_of_another(clinic, coordinator):
    made = make_study(clinic, coordinator, readers=2)
    one, other = (Link(secret).begin() for secret in made.secrets)
    key = str(uuid.uuid4())
    one.answer(1, "mm", key=key)
    assert other.answer(1, "sk", key=key).json()["answer"]["choice"] == "sk"
    assert [answer.choice for answer in one.row.answers.all()] == ["mm"]
    assert [answer.choice for answer in other.row.answers.all()] == ["sk"]


GOOD = {"key": str(uuid.uuid4()), "known": 0, "choice": "bcc"}
BAD = [
    b"", b"{", b"[]", b"null", b'"bcc"', b"1", b"\xff\xfe", b"\x00", b"[" * 4000, b"NaN",
    *(json.dumps(GOOD | change).encode() for change in (
        {"key": None}, {"key": 7}, {"key": "x"}, {"key": ["a"]}, {"key": "\x00"}, {"key": ""},
        {"known": None}, {"known": -1}, {"known": 1.0}, {"known": "0"}, {"known": True}, {"known": 2**31},
        {"known": 10**300}, {"known": []},
        {"choice": ""}, {"choice": None}, {"choice": "cancer"}, {"choice": "BCC"}, {"choice": 1},
        {"choice": ["bcc"]}, {"choice": {"a": 1}}, {"choice": "bcc\x00"}, {"choice": "\x00"}, {"choice": True},
        {"second": "bcc"}, {"second": "cancer"}, {"second": 3},
        {"confidence": -1}, {"confidence": 101}, {"confidence": 50.5}, {"confidence": "50"},
        {"confidence": True}, {"confidence": float("nan")},
        {"seconds": -0.1}, {"seconds": float("nan")}, {"seconds": float("inf")}, {"seconds": 1e300},
        {"seconds": "3"}, {"seconds": False}, {"seconds": 10**400},
        {"given_at": 7}, {"given_at": "yesterday"}, {"given_at": "2026-01-01T00:00:00"},
        {"given_at": "2026-13-45T99:00:00Z"}, {"given_at": "x" * 500},
        {"first": 1}, {"first": "yes"}, {"undo": "no"}, {"undo": []},
    )),
]  # fmt: skip


@each("body", BAD)
def test_what_is_no_answer_is_refused_with_the_reason(link, body):
    Study.objects.update(asks_second=True, asks_confidence=True)
    response = link.send(1, body)
    assert response.status_code == 400
    assert code_of(response) == "bad_answer"
    assert response.json()["error"]["message"]
    assert not AnswerChange.objects.exists()


def test_a_first_answer_outside_an_aided_session_is_refused(link):
    response = link.answer(1, "mm", first=True)
    assert (response.status_code, code_of(response)) == (409, "not_aided_first")


def test_huge_bodies_are_refused(link):
    response = link.send(1, json.dumps(GOOD | {"more": "x" * 100_000}))
    assert (response.status_code, code_of(response)) == (413, "too_large")
    assert not AnswerChange.objects.exists()


@each("position", [0, 5, 481, 2**31, 2**63, 10**30])
def test_positions_there_are_not(link, position):
    assert link.answer(position).status_code == 404
    assert link.get("reading-photo", position).status_code == 404


def test_an_answer_of_another_century_keeps_no_date(link):
    assert link.answer(1, given_at="0001-01-01T00:00:00Z").status_code == 200
    assert AnswerChange.objects.get().given_at is None


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_answers_are_only_posted(link, method):
    assert getattr(link.client, method)(link.url("reading-answer", 1)).status_code == 405


def queries_of(run) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        run()
    statements = [query["sql"] for query in caught.captured_queries]
    return [sql for sql in statements if not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]


def test_answers_and_photos_cost_few_queries_at_any_length(clinic, coordinator):
    made = make_study(clinic, coordinator, labels=["bcc"] * 12, practice=0)
    link = Link(made.secrets[0]).begin()
    counts = []
    for position in range(1, 11):
        posting = queries_of(lambda position=position: link.answer(position))
        assert not any(sql.startswith('UPDATE "reader_study_reader"') for sql in posting), posting
        counts.append((len(posting), len(queries_of(lambda p=position: link.get("reading-photo", p + 1)))))
    # One of each photo's is the audit's.
    assert set(counts) == {(7, 4)}


def test_the_reader_is_marked_as_seen_once_a_minute(link):
    first = Reader.objects.get()
    assert first.first_seen_at == first.last_seen_at
    link.answer(1)
    assert Reader.objects.get().last_seen_at == first.last_seen_at
    long_ago = timezone.now() - timedelta(minutes=5)
    Reader.objects.update(last_seen_at=long_ago)
    link.answer(2)
    seen = Reader.objects.get()
    assert seen.last_seen_at > long_ago
    assert seen.first_seen_at == first.first_seen_at


def test_gaps_that_paper_left_are_read_one_by_one(link, made):
    """Answers typed in from paper come in any order; the screen goes on with what is missing."""
    reading = link.row
    for position in (2, 4):
        reading.answers.create(
            image=made.study.images.get(number=reading.order[position - 1]), choice="sk", is_from_paper=True,
            answered_at=timezone.now(), changed_at=timezone.now(),
        )  # fmt: skip
    # One that is given anew on the screen is from paper no more.
    assert link.answer(2, "mm", known=1).json()["in_force"]
    assert list(
        reading.answers.order_by("image__number").filter(choice="mm").values_list("is_from_paper")
    ) == [(False,)]
    Study.objects.update(may_go_back=False)
    assert link.get("reading-photo", 1).status_code == 200
    assert link.answer(1).json()["next"] == 3
    assert link.answer(3).json() | {"answer": None} == {
        "in_force": True, "answer": None, "next": 5, "finished": True,
    }  # fmt: skip


def test_a_key_belongs_to_one_photo(clinic, coordinator, client):
    made = make_study(clinic, coordinator)
    Reading.objects.update(started_at=made.study.opened_at, instructions_read_at=made.study.opened_at)
    key = str(uuid.uuid4())

    def answer(position: int, choice: str):
        address = reverse("reading-answer", args=[made.secrets[0], "unaided", position])
        sent = {"key": key, "known": 0, "choice": choice, "seconds": 1}
        return client.post(address, json.dumps(sent), "application/json")

    assert answer(1, "mm").status_code == 200
    assert answer(1, "mm").json()["answer"]["choice"] == "mm"
    refused = answer(2, "sk")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "key_of_another")
    assert Reading.objects.get().answers.count() == 1
