"""A reader's way through a study: the pages, when sessions open, which photos may be seen when, and the aided
session's order."""

import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from PIL import Image

from reader_study.models import Answer, Reading, Study, StudyEvent
from reader_study.services.making import enrolment
from reader_study.services.reading import reading as readings
from skinclinic.files import store
from tests import evaluated
from tests.readings import Link, body_of, code_of
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(clinic, coordinator):
    return make_study(clinic, coordinator, labels=["bcc", "mm", "sk", "nevus", "ak", "df"], practice=2)


@pytest.fixture
def aided(clinic, coordinator, tmp_path):
    model = evaluated.make_model(clinic, tmp_path, "compared")
    return make_study(clinic, coordinator, labels=["bcc", "mm", "sk"], practice=1, aided=True, model=model)


def aided_link(made) -> Link:
    """A reader who has finished the first session."""
    first = Link(made.secrets[0]).begin()
    for position in (1, 2, 3):
        first.answer(position)
    first.post("reading-finish")
    return Link(made.secrets[0], "aided").begin()


def test_the_entry_page_says_what_it_is(made):
    made.study.instructions, made.study.question = "Line one.\n\n<b>Line</b> two.", "What is it?"
    made.study.save()
    page = Link(made.secrets[0]).get("reading").content.decode()
    for text in (
        "Twelve lesions",
        "Hanok Dermatology",
        "What is it?",
        "Reader 1",
        "6 photos",
        "2 practice photos",
    ):
        assert text in page, text
    assert "<p>Line one.</p>" in page
    assert "&lt;b&gt;Line" in page


def test_instructions_are_confirmed_before_anything_is_seen(made):
    link = Link(made.secrets[0])
    assert link.get("reading-session").url == link.url("reading")
    assert code_of(link.get("reading-practice-photo", 1)) == "instructions"
    assert code_of(link.get("reading-photo", 1)) == "not_begun"
    assert code_of(link.answer(1)) == "not_begun"
    unconfirmed = link.post("reading-begin")
    assert "unconfirmed=1" in unconfirmed.url
    assert "Confirm first" in link.client.get(unconfirmed.url).content.decode()
    assert link.post("reading-begin", confirmed="1").url == link.url("reading-practice")
    assert link.row.instructions_read_at
    assert not link.row.started_at
    assert link.get("reading-practice-photo", 2).status_code == 200
    assert link.get("reading-practice-photo", 3).status_code == 404
    assert code_of(link.get("reading-photo", 1)) == "not_begun"
    assert link.get("reading-session").status_code == 200
    assert link.row.started_at


def test_photos_may_be_fetched_a_little_before_their_turn(made, monkeypatch):
    monkeypatch.setattr(readings, "AHEAD", 3)
    link = Link(made.secrets[0]).begin()
    statuses = [link.get("reading-photo", position).status_code for position in range(1, 7)]
    assert statuses == [200, 200, 200, 200, 403, 403]
    link.answer(1)
    assert link.get("reading-photo", 5).status_code == 200
    assert link.get("reading-photo", 6).status_code == 403
    assert link.get("reading-photo", 1).status_code == 200


def test_where_nobody_may_go_back_earlier_photos_stay_shut(made):
    Study.objects.update(may_go_back=False)
    link = Link(made.secrets[0]).begin()
    link.answer(1)
    link.answer(2)
    assert [code_of(link.get("reading-photo", position)) for position in (1, 2)] == ["no_going_back"] * 2
    link.answer(2, "", known=1, undo=True)
    assert link.get("reading-photo", 2).status_code == 200


def test_each_reader_sees_the_photos_in_an_own_order(clinic, coordinator):
    made = make_study(clinic, coordinator, readers=2)
    for secret in made.secrets:
        link = Link(secret).begin()
        number = link.row.order[0]
        photo = made.study.images.get(number=number).photo
        sent = Image.open(io.BytesIO(body_of(link.get("reading-photo", 1))))
        stored = Image.open(io.BytesIO(store.read(photo.file_key)))
        assert sent.tobytes() == stored.tobytes()


def test_another_device_goes_on_where_the_first_stopped(made):
    link = Link(made.secrets[0]).begin()
    link.answer(1, "mm", seconds=3)
    other = Link(made.secrets[0])
    assert other.get("reading-state").json()["answers"] == {
        "1": {"number": 1, "choice": "mm", "second": "", "confidence": None, "first": ""}
    }
    entry = other.get("reading").content.decode()
    assert "1 of 6 answered, 5 to go" in entry
    assert "Continue" in entry


def test_only_the_facts_that_the_study_tells_are_told(made):
    link = Link(made.secrets[0]).begin()
    assert link.get("reading-state").json()["facts"] == {}
    Study.objects.update(shown_facts=["age", "site"])
    facts = link.get("reading-state").json()["facts"]
    assert len(facts) == 6
    assert all("years · Cheek" in text and "ale" not in text for text in facts.values())


def test_the_second_session_opens_when_the_days_between_are_over(aided):
    aided.study.sessions.filter(key="aided").update(washout_days=14)
    link = Link(aided.secrets[0]).begin()
    second = Link(aided.secrets[0], "aided")
    assert "Opens 14 days after" in link.get("reading").content.decode()
    assert second.post("reading-begin", confirmed="1").url == link.url("reading")
    assert not second.row.instructions_read_at
    for position in (1, 2, 3):
        link.answer(position)
    link.post("reading-finish")
    opens = timezone.localtime(link.row.finished_at + timedelta(days=14))
    assert f"Opens on {date_format(opens, 'DATETIME_FORMAT')}" in link.get("reading").content.decode()
    assert "Come back with the same link" in link.get("reading").content.decode()
    assert second.get("reading-session").url == link.url("reading")
    assert code_of(second.get("reading-practice-photo", 1)) == "washout"
    assert code_of(second.answer(1)) == "not_begun"
    Reading.objects.filter(pk=link.row.pk).update(finished_at=timezone.now() - timedelta(days=14, minutes=1))
    second.begin()
    assert second.get("reading-photo", 1).status_code == 200


def test_the_done_page_thanks(made):
    link = Link(made.secrets[0]).begin()
    for position in range(1, 7):
        link.answer(position)
    assert link.get("reading-session").status_code == 200
    link.post("reading-finish")
    page = link.get("reading").content.decode()
    assert "Thank you" in page
    assert link.get("reading-session").url == link.url("reading")
    assert code_of(link.get("reading-photo", 1)) == "finished"


def test_pages_for_links_that_lead_nowhere(made, coordinator):
    link = Link(made.secrets[0])
    unknown = Link("y" * 43).get("reading")
    assert unknown.status_code == 404
    assert "This link does not work" in unknown.content.decode()
    Study.objects.update(state=Study.State.DRAFT)
    assert "not open yet" in link.get("reading").content.decode()
    assert link.get("reading-session").status_code == 403
    Study.objects.update(state=Study.State.CLOSED)
    assert "This study is closed" in link.get("reading").content.decode()
    assert link.get("reading-session").status_code == 409
    Study.objects.update(state=Study.State.OPEN)
    enrolment.withdraw(made.readers[0], coordinator)
    assert "no longer take part" in link.get("reading").content.decode()
    assert link.get("reading-session").status_code == 403


def test_a_preview_works_in_a_draft_and_waits_for_nothing(aided, coordinator):
    Study.objects.update(state=Study.State.DRAFT)
    aided.study.sessions.update(washout_days=30)
    _reader, secret = enrolment.enrol(aided.study, group=None, by=coordinator, code="P1", is_preview=True)
    link = Link(secret).begin()
    assert "Preview: nothing counts" in link.get("reading").content.decode()
    assert "Preview: nothing counts" in link.get("reading-session").content.decode()
    for position in (1, 2, 3):
        assert link.answer(position).status_code == 200
    link.post("reading-finish")
    assert Link(secret, "aided").begin().get("reading-photo", 1).status_code == 200


def test_the_model_is_shown_only_after_the_own_first_answer(aided):
    link = aided_link(aided)
    for name in ("reading-model", "reading-maps"):
        assert code_of(link.get(name, 1)) == "first_needed"
    assert code_of(link.answer(1, "mm")) == "first_needed"
    first = link.answer(1, "mm", seconds=4, first=True).json()
    assert (first["answer"]["first"], first["answer"]["choice"], first["next"]) == ("mm", "", 1)
    shown = link.get("reading-model", 1).content.decode()
    assert "It does not diagnose" in shown
    assert "compared" in shown
    assert shown.count('class="bar-choose"') == 12
    maps = link.get("reading-maps", 1).json()
    assert len(maps["maps"]) == 12
    assert code_of(link.get("reading-model", 2)) == "first_needed"
    assert "like the model’s training photos is not evaluable" in shown
    aided.study.model_version.analyses.update(unlike=1.5)
    far = link.get("reading-model", 1).content.decode()
    assert far.index("Not like the model’s training photos.") < far.index('class="bars"'), "before the scores"
    answer = Answer.objects.get(reading=link.row)
    assert answer.model_shown_at
    assert code_of(link.answer(1, "sk", known=1, first=True)) == "first_stands"
    assert link.answer(1, "sk", known=1, seconds=9).json()["next"] == 2
    answer.refresh_from_db()
    assert (answer.first_choice, answer.first_seconds, answer.choice, answer.seconds) == ("mm", 4, "sk", 9)
    assert list(answer.reading.changes.values_list("choice", "is_first")) == [("mm", True), ("sk", False)]
    at = answer.model_shown_at
    link.get("reading-model", 1)
    answer.refresh_from_db()
    assert answer.model_shown_at == at


def test_undo_in_an_aided_session_keeps_the_first_answer(aided):
    link = aided_link(aided)
    link.answer(1, "mm", first=True)
    link.answer(1, "sk", known=1)
    taken = link.answer(1, "", known=2, undo=True).json()["answer"]
    assert (taken["first"], taken["choice"]) == ("mm", "")


def test_a_photo_without_an_analysis_can_still_be_answered(aided):
    link = aided_link(aided)
    link.answer(1, "mm", first=True)
    aided.study.model_version.analyses.all().delete()
    assert "no answer to this photo" in link.get("reading-model", 1).content.decode()
    assert link.get("reading-maps", 1).status_code == 404
    assert link.answer(1, "mm", known=1).status_code == 200


def test_no_model_in_an_unaided_session(aided):
    link = Link(aided.secrets[0]).begin()
    link.answer(1)
    for name in ("reading-model", "reading-maps", "reading-practice-model", "reading-practice-maps"):
        assert code_of(link.get(name, 1)) == "not_aided"


def test_practice_of_an_aided_session_shows_the_model_and_stores_nothing(aided):
    link = aided_link(aided)
    before = StudyEvent.objects.count(), Answer.objects.count()
    assert "It does not diagnose" in link.get("reading-practice-model", 1).content.decode()
    assert link.get("reading-practice-maps", 1).status_code == 200
    assert (StudyEvent.objects.count(), Answer.objects.count()) == before


def test_a_deleted_photo_is_said(made):
    link = Link(made.secrets[0]).begin()
    image = made.study.images.get(number=link.row.order[0])
    store.path_of(image.photo.file_key).unlink()
    response = link.get("reading-photo", 1)
    assert (response.status_code, code_of(response)) == (404, "no_photo")


def test_keys_and_language_are_kept_for_the_reader(made):
    link = Link(made.secrets[0]).begin()
    assert 'data-keys="on"' in link.get("reading-session").content.decode()
    link.post("reading-keys", on="0")
    assert 'data-keys="off"' in Link(made.secrets[0]).get("reading-session").content.decode()
    onward = link.post("reading-language", language="ko", next=link.url("reading-session"))
    assert onward.url == link.url("reading-session")
    page = link.get("reading-session").content.decode()
    assert '<html lang="ko"' in page
    assert "악성흑색종" in page
    for bad in ("https://example.org/", "//example.org", "/patients/", "", "\x00"):
        assert link.post("reading-language", language="xx\x00", next=bad).url == link.url("reading")


def test_only_the_choices_of_the_study_in_their_fixed_order(made):
    Study.objects.update(choices=["nevus", "mm"])
    link = Link(made.secrets[0]).begin()
    page = link.get("reading-session").content.decode()
    assert page.count('name="choice"') == 2
    assert page.index("Malignant melanoma") < page.index("Melanocytic nevus")
    assert link.answer(1, "bcc").status_code == 400


@pytest.mark.parametrize("onward", ["//[", "http://[", "http://[::1", "\x00"])
def test_a_strange_way_on_leads_home(made, client, onward):
    secret = made.secrets[0]
    response = client.post(reverse("reading-language", args=[secret]), {"language": "ko", "next": onward})
    assert response.status_code == 302
    assert response["Location"] == reverse("reading", args=[secret])
