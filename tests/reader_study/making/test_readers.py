"""Inviting, reminding, withdrawing; lines with errors; progress."""

import csv
import io
import re
from base64 import b64decode
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.utils import timezone

from reader_study.models import Answer, Reader
from reader_study.services.making import enrolment, progress, reader_lines, readers, studies
from reader_study.services.making.readers import Wanted
from reader_study.services.making.studies import Sessions
from skinclinic.engine import jobs
from skinclinic.models import Letter
from skinclinic.services import letters
from skinclinic.services.refused import Refused
from tests.cases import each
from tests.engine import run_to_the_end
from tests.skinclinic.pages import NASTY

pytestmark = pytest.mark.django_db


def test_lines_say_name_address_group_and_years(draft):
    text = (
        "Ann Chae, ann@example.org, Professors, 12\n\nBo;bo@example.org;clinicians\n"
        "Choi\tchoi@example.org\t\t3\n김, , Clinicians, , 아산, 한국어"
    )
    default = draft.groups.get(key="professors")
    found, problems = reader_lines.read_lines(draft, text, default)
    assert problems == []
    assert [(one.name, one.email, one.group.key, one.years) for one in found] == [
        ("Ann Chae", "ann@example.org", "professors", 12),
        ("Bo", "bo@example.org", "clinicians", None),
        ("Choi", "choi@example.org", "professors", 3),
        ("김", "", "clinicians", None),
    ]
    assert (found[3].centre, found[3].language, found[0].language) == ("아산", "ko", "")
    found, problems = reader_lines.read_lines(
        draft,
        "Lee <lee@example.org>\nKim <kim@example.org>, , Clinicians\nyu@example.org\nno@@where",
        default,
    )
    assert [(one.name, one.email) for one in found] == [
        ("Lee", "lee@example.org"), ("Kim", "kim@example.org"), ("yu@example.org", "yu@example.org"),
    ]  # fmt: skip
    assert len(problems) == 1 and "“no@@where” is no e-mail address" in problems[0][1]


@each("line, said", [
    (", a@example.org, Professors", "name is missing"), ("Ann, at home, Professors", "no e-mail address"),
    ("Ann, , Surgeons", "no group “Surgeons”; there are: Professors, Clinicians"), ("Ann", "group is missing"),
    ("Ann, , Professors, many", "no number of years"), ("Ann, , Professors, 71", "no number of years"),
    ("Ann, , Professors, -1", "no number of years"), ("A, b, c, d, e, f, g", "More than six parts"),
    ("Ann, , Professors, , , Klingon", "no language “Klingon”"),
    ("x" * 121 + ", , Professors", "longer than 120"), ('"Ann, , Professors', "quote"),
    ("Again, first@example.org, Professors", "invited already"),
])  # fmt: skip
def test_wrong_lines_are_named_by_number_and_nobody_is_invited(draft, line, said):
    text = f"First, first@example.org, Professors\n\n{line}"
    _found, problems = reader_lines.read_lines(draft, text)
    assert [number for number, _text in problems] == [3]
    assert said in problems[0][1]


@each("value", NASTY)
def test_nonsense_lines_never_break(draft, value):
    found, problems = reader_lines.read_lines(draft, value, draft.groups.first())
    assert found or problems


def test_too_many_lines(draft):
    _found, problems = reader_lines.read_lines(draft, "Ann\n" * 201, draft.groups.first())
    assert problems[0][0] == 201


def test_links_are_mailed_and_stored_nowhere(draft, coordinator, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    group = draft.groups.first()
    wanted = [Wanted("Ann", "ann@example.org", group), Wanted("Bo", "", group)]
    invited = readers.invite(draft, wanted, coordinator, lambda secret: f"https://x/reading/{secret}/")
    assert [one.mailed for one in invited] == [True, False]
    assert not mailoutbox, "nobody waits for a mail server"
    jobs.run_waiting(letters.JOB)
    assert [mail.to for mail in mailoutbox] == [["ann@example.org"]]
    assert invited[0].link in mailoutbox[0].body and "&" not in mailoutbox[0].body
    secret = invited[0].link.split("/")[-2]
    assert secret not in str(list(Reader.objects.values()) + list(Letter.objects.values()))
    assert Letter.objects.values_list("text", "nonce").get() == ("", ""), "nobody can make the link again"
    assert enrolment.find(secret) == invited[0].reader
    again = readers.renew(invited[0].reader, coordinator, lambda secret: f"https://x/reading/{secret}/")
    with pytest.raises(enrolment.LinkClosed):
        enrolment.find(secret)
    jobs.run_waiting(letters.JOB)
    assert again.link in mailoutbox[1].body


def test_a_letter_that_waits_holds_no_link_and_one_that_failed_is_sent_again(
    draft, coordinator, mailoutbox, settings, monkeypatch
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    (one,) = readers.invite(draft, [Wanted("Ann", "ann@example.org", draft.groups.first())], coordinator, str)
    secret = one.link
    assert secret not in str(Letter.objects.values()) and letters.SECRET in Letter.objects.get().text
    with monkeypatch.context() as down:
        down.setattr(
            letters.mail, "send", Mock(side_effect=ConnectionRefusedError(111, "Connection refused"))
        )
        run_to_the_end(letters.JOB)
    assert not mailoutbox
    reader = Reader.objects.select_related("letter__job").get()
    assert reader.letter.has_failed and "refused" in reader.letter.job.error
    readers.mail_again(reader)
    with pytest.raises(Refused):
        readers.mail_again(Reader.objects.get())
    jobs.run_waiting(letters.JOB)
    assert secret in mailoutbox[0].body
    with pytest.raises(Refused):
        readers.mail_again(Reader.objects.get())


def test_a_link_that_was_replaced_before_it_was_sent_is_not_sent(draft, coordinator, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    (one,) = readers.invite(draft, [Wanted("Ann", "ann@example.org", draft.groups.first())], coordinator, str)
    again = readers.renew(one.reader, coordinator, str)
    jobs.run_waiting(letters.JOB)
    (mail,) = mailoutbox
    assert again.link in mail.body and one.link not in mail.body


def test_the_page_shows_the_links_once_to_copy_or_keep_as_a_file(draft, coordinator, client_for, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client, address = client_for(coordinator), f"/studies/{draft.pk}/readers/"
    lines = "=Ann, ann@example.org, Professors\nBo, , Professors"
    page = client.post(address, {"lines": lines}).content.decode()
    file = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="([^"]+)"', page)
    assert file[2].endswith("-links.csv")
    head, *rows = csv.reader(io.StringIO(b64decode(file[1]).decode("utf-8-sig")))
    assert head == ["reader", "name", "e-mail", "link"]
    assert [row[:3] for row in rows] == [["R01", "'=Ann", "ann@example.org"], ["R02", "Bo", ""]]
    for row in rows:
        assert row[3] in page and enrolment.find(row[3].rstrip("/").rpartition("/")[2]).code == row[0]
        assert row[3] not in client.get(address).content.decode()
    assert "being sent to ann@example.org" in client.get(f"{address}progress/").content.decode()
    jobs.run_waiting(letters.JOB)
    assert "sent to ann@example.org" in client.get(address).content.decode()


def test_the_page_tries_a_letter_again(draft, coordinator, client_for, settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    (one,) = readers.invite(draft, [Wanted("Ann", "ann@example.org", draft.groups.first())], coordinator, str)
    run_to_the_end(letters.JOB)
    client, address = client_for(coordinator), f"/studies/{draft.pk}/readers/"
    assert "could not be sent to ann@example.org" in client.get(address).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for said in ("tried again", "nothing to send again"):
        sent = client.post(f"{address}{one.reader.pk}/", {"act": "mail"}, follow=True)
        assert said in sent.content.decode()
    jobs.run_waiting(letters.JOB)
    assert one.link in mailoutbox[0].body


def test_reminders_go_to_those_who_have_not_finished(opened, coordinator, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ann, bo = progress.of(opened)
    assert readers.remind(ann, coordinator) and not readers.remind(bo, coordinator)
    total = len(ann.reader.readings.get().order)
    assert not mailoutbox
    jobs.run_waiting(letters.JOB)
    assert f"0 of {total} photos" in mailoutbox[-1].body and mailoutbox[-1].to == ["ann@example.org"]
    assert f"0 of {total} photos" in readers.reminder(bo)
    assert Reader.objects.get(pk=ann.reader.pk).reminded_at
    assert [event.details["mailed"] for event in opened.events.filter(kind="reminded").order_by("pk")] == [
        True,
        False,
    ]
    ann.reader.readings.update(finished_at=timezone.now())
    with pytest.raises(Refused):
        readers.remind(progress.of(opened)[0], coordinator)


def answer(reader, number: int, seconds: float | None = 4.0, **fields) -> Answer:
    reading = reader.readings.order_by("session__number").first()
    now = timezone.now()
    return Answer.objects.create(
        reading=reading, image=reader.study.images.get(number=number), choice="bcc", seconds=seconds,
        answered_at=now, changed_at=now, **fields,
    )  # fmt: skip


def test_progress_counts_what_counts(ready, coordinator):
    studies.change_settings(ready, {}, sessions=Sessions(True, 10))
    from reader_study.services.making import opening

    study = opening.open_study(ready, coordinator)
    ann, bo = study.readers.order_by("pk")
    practice = study.images.filter(is_practice=True).first()
    for number, seconds in ((1, 2.0), (2, 3.0), (3, 90.0)):
        answer(ann, number, seconds)
    answer(ann, practice.number)
    answer(bo, 1, None, is_from_paper=True)
    secret = readers.preview(study, coordinator)
    answer(enrolment.find(secret), 1)
    total = study.images.filter(is_practice=False).count()
    first, second = progress.of(study)
    assert [(stage.done, stage.total, stage.seconds) for stage in first.stages] == [
        (3, total, 3.0),
        (0, total, None),
    ]
    assert (second.stages[0].done, second.stages[0].from_paper) == (1, 1)
    assert progress.share(study) == (4, 2 * 2 * total)
    finished = timezone.now() - timedelta(days=3)
    ann.readings.filter(session__number=1).update(finished_at=finished)
    stages = progress.of(study)[0].stages
    assert stages[0].is_finished and stages[1].begins_at == finished + timedelta(days=10)
    readers.withdraw(bo, coordinator, "moved away")
    assert progress.share(study) == (3, 2 * total)
    assert progress.unfinished(study) == ["R01: aided"]


def test_progress_asks_the_database_as_often_for_many(opened, coordinator, django_assert_num_queries):
    group = opened.groups.first()
    readers.invite(opened, [Wanted(f"R {n}", "", group) for n in range(30)], coordinator, str, reason="more")
    with django_assert_num_queries(3):
        progress.of(opened)
    ann, bo = opened.readers.order_by("pk")[:2]
    numbers = ann.readings.get().order
    for reader in (ann, bo):
        for number in numbers[:12]:
            answer(reader, number)
    with django_assert_num_queries(4):
        seen = progress.of(opened)
    assert [line.stages[0].manner.run for line in seen[:2]] == [12, 12]
    # Answers are read of a reading that has changed, and of no other.
    with django_assert_num_queries(3):
        assert progress.of(opened)[0].stages == seen[0].stages
    changed = Answer.objects.filter(reading__reader=ann).first()
    Answer.objects.filter(pk=changed.pk).update(choice="mm", number=2)
    with django_assert_num_queries(4) as asked:
        seen = progress.of(opened)
    assert [line.stages[0].manner.run for line in seen[:2]] != [12, 12] and seen[1].stages[0].manner.run == 12
    assert f"({changed.reading_id})" in asked.captured_queries[-1]["sql"]


def test_one_preview_at_a_time_which_never_counts(draft, ready, coordinator):
    first, second = (readers.preview(ready, coordinator) for _ in range(2))
    with pytest.raises(enrolment.LinkClosed):
        enrolment.find(first)
    assert enrolment.find(second).is_preview
    assert ready.readers.counted().count() == 2 == len(progress.of(ready))
    assert ready.events.filter(kind="invited").count() == 2
